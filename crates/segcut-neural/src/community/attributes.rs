//! Features of nodes → attributes.

use super::error::CommunityError;
use super::links::Links;
use super::product::{times, turned_times};
use super::propagation::{Propagation, Scaling};
use super::receptive_field::{field, unit_rows};
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};
use segcut_core::{FeatureBlock, RegionGraph};

/// The attributes of n nodes, row-major.
#[derive(Debug, Clone)]
pub(crate) enum Attributes {
    /// n×d values.
    Given(Array2<f32>),
    /// None: each node that is true has a name of its own, and nothing else.
    Names(Vec<bool>),
}

impl Attributes {
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Given(x) => x.ncols(),
            Self::Names(names) => names.len(),
        }
    }

    /// X·V.
    pub(crate) fn times(&self, v: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::Given(x) => times(x.view(), v),
            Self::Names(names) => masked(names, v.to_owned()),
        }
    }

    /// Xᵀ·Y.
    pub(crate) fn turned_times(&self, y: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::Given(x) => turned_times(x.view(), y),
            Self::Names(names) => masked(names, y.to_owned()),
        }
    }
}

fn masked(names: &[bool], mut x: Array2<f32>) -> Array2<f32> {
    x.rows_mut().into_iter().zip(names).filter(|(_, named)| !**named).for_each(|(mut row, _)| row.fill(0.0));
    x
}

/// Means and factors of the attributes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Columns {
    pub(crate) means: Array1<f64>,
    /// 1 / √(standard deviation), 0 for a constant: words that are everywhere do not drown the others, and units
    /// matter less.
    pub(crate) factors: Array1<f64>,
}

impl Columns {
    pub(crate) fn learn(x: &Array2<f32>) -> Self {
        let n = x.nrows().max(1) as f64;
        let (mut means, mut squares) = (Array1::<f64>::zeros(x.ncols()), Array1::<f64>::zeros(x.ncols()));
        x.rows().into_iter().for_each(|row| means.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v)));
        means /= n;
        for row in x.rows() {
            let both = squares.iter_mut().zip(&means);
            both.zip(row).for_each(|((sum, mean), &v)| *sum += (f64::from(v) - mean).powi(2));
        }
        // What is left of a constant is rounding.
        let factor = |(mean, square): (&f64, &f64)| {
            let deviation = (square / n).sqrt();
            if deviation > 1e-6 * mean.abs() { deviation.sqrt().recip() } else { 0.0 }
        };
        let factors = means.iter().zip(&squares).map(factor).collect();
        Self { means, factors }
    }

    /// Centered and scaled values in rows of length 1.
    pub(crate) fn attributes(&self, mut x: Array2<f32>) -> Attributes {
        for mut row in x.rows_mut() {
            let columns = self.means.iter().zip(&self.factors);
            row.iter_mut().zip(columns).for_each(|(v, (mean, factor))| *v = ((f64::from(*v) - mean) * factor) as f32);
        }
        Attributes::Given(unit_rows(x))
    }
}

/// How attributes become the rows that the network reads: learned on one graph, applied to any.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// How attributes are centered and scaled; none where nodes have names only.
    pub(crate) columns: Columns,
    /// The d×r directions of every receptive field, with its hops.
    pub(crate) fields: Vec<(usize, Array2<f32>)>,
}

impl Reading {
    /// n×R fields side by side, rows of length 1 at most.
    pub(crate) fn rows(&self, attributes: &Attributes, links: &Links) -> Array2<f32> {
        let propagation = Propagation::new(links, Scaling::Symmetric);
        let one = |(hops, directions): &(usize, Array2<f32>)| {
            field(attributes, links, &propagation, *hops, directions.view())
        };
        let fields: Vec<Array2<f32>> = self.fields.iter().map(one).collect();
        let views: Vec<ArrayView2<'_, f32>> = fields.iter().map(|field| field.view()).collect();
        let rows = concatenate(Axis(1), &views).unwrap_or_else(|_| Array2::zeros((links.n(), 0)));
        // Fields joined column by column lie in memory by columns.
        let rows = rows.as_standard_layout().into_owned();
        rows / (fields.len().max(1) as f32).sqrt()
    }

    /// Columns of the rows.
    pub(crate) fn width(&self) -> usize {
        self.fields.iter().map(|(_, directions)| directions.ncols()).sum()
    }
}

/// The named blocks side by side; where none is named, all that are no histograms. None where there are no columns.
pub(super) fn given(graph: &RegionGraph, names: &[String]) -> Result<Option<Array2<f32>>, CommunityError> {
    let blocks: Vec<&FeatureBlock> = if names.is_empty() {
        graph.features().iter().filter(|block| block.bins.is_empty()).collect()
    } else {
        let missing = |name: &String| CommunityError::NoFeature { name: name.clone() };
        names.iter().map(|name| graph.feature(name).ok_or_else(|| missing(name))).collect::<Result<_, _>>()?
    };
    let dims: usize = blocks.iter().map(|block| block.dims).sum();
    if dims == 0 {
        return Ok(None);
    }
    let mut x = Array2::zeros((graph.n(), dims));
    for (node, mut row) in x.rows_mut().into_iter().enumerate() {
        let values = blocks.iter().flat_map(|block| block.row(node));
        for (dim, (place, &value)) in row.iter_mut().zip(values).enumerate() {
            if !value.is_finite() {
                return Err(CommunityError::NotFinite { node, dim });
            }
            *place = value;
        }
    }
    Ok(Some(x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn columns_are_centered_and_scaled() {
        let x = array![[1.0f32, 5.0, 0.0], [3.0, 5.0, 32.0]];
        let columns = Columns::learn(&x);
        assert_eq!(columns.means, array![2.0, 5.0, 16.0]);
        assert_eq!(columns.factors, array![1.0, 0.0, 0.25]);
        let Attributes::Given(rows) = columns.attributes(x) else { panic!("names") };
        let (one, four) = (1.0 / 17.0f32.sqrt(), 4.0 / 17.0f32.sqrt());
        let wanted = array![[-one, 0.0, -four], [one, 0.0, four]];
        assert!((rows - wanted).iter().all(|d| d.abs() < 1e-6));
    }
}
