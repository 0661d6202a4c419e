//! Feature blocks of graphs → rows that the network reads.

use super::error::SpectralNetError;
use super::params::{SpectralNetParams, Standardize};
use super::surroundings::surroundings;
use crate::model_file::{ModelError, ModelFile};
use ndarray::{Array1, Array2, Axis, Zip};
use segcut_core::{FeatureBlock, RegionGraph};

/// The named blocks of a graph side by side, times their factors, with their surroundings; without names all that are
/// no histograms.
pub(crate) fn features(graph: &RegionGraph, params: &SpectralNetParams) -> Result<Array2<f32>, SpectralNetError> {
    let wanted = &params.features;
    let missing = || SpectralNetError::NoFeatures { wanted: wanted.clone() };
    let blocks: Vec<&FeatureBlock> = if wanted.is_empty() {
        graph.features().iter().filter(|block| block.bins.is_empty()).collect()
    } else {
        wanted.iter().map(|name| graph.feature(name)).collect::<Option<_>>().ok_or_else(missing)?
    };
    let dims: usize = blocks.iter().map(|block| block.dims).sum();
    if dims == 0 {
        return Err(missing());
    }
    let scale = |block: &FeatureBlock| params.scales.get(&block.name).map_or(1.0, |&scale| scale as f32);
    let row = |node| blocks.iter().flat_map(move |b| b.row(node).iter().map(move |x| x * scale(b)));
    let values = (0..graph.n()).flat_map(row).collect();
    let rows = Array2::from_shape_vec((graph.n(), dims), values).map_err(|_| missing())?;
    match rows.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((node, dim), _)) => Err(SpectralNetError::NotFinite { node, dim }),
        None => Ok(surroundings(rows, graph, params)),
    }
}

/// Deviations over that of the mean column from which on columns have units of their own.
const APART: f64 = 4.0;

fn resolved(how: Standardize, variance: &Array1<f64>) -> Standardize {
    let deviations = variance.mapv(f64::sqrt);
    let most = deviations.iter().copied().fold(0.0, f64::max);
    match how {
        Standardize::Auto if most <= APART * deviations.mean().unwrap_or(0.0) => Standardize::Whole,
        Standardize::Auto => Standardize::Columns,
        given => given,
    }
}

/// (x − mean)·factor per column, learned from the training nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaling {
    pub(crate) mean: Array1<f64>,
    pub(crate) factor: Array1<f64>,
}

impl Scaling {
    /// A constant column gets the factor 0.
    pub(crate) fn learn(rows: &Array2<f32>, how: Standardize) -> Self {
        let n = rows.nrows().max(1) as f64;
        let mean = rows.fold_axis(Axis(0), 0.0f64, |sum, &x| sum + f64::from(x)) / n;
        let mut variance = Array1::<f64>::zeros(rows.ncols());
        for row in rows.rows() {
            Zip::from(&mut variance).and(&row).and(&mean).for_each(|v, &x, m| *v += (f64::from(x) - m).powi(2) / n);
        }
        let inverse = |v: f64, m: f64| if v > 1e-12 * m * m && v > 0.0 { v.sqrt().recip() } else { 0.0 };
        let factor = match resolved(how, &variance) {
            Standardize::Auto | Standardize::Columns => {
                Zip::from(&variance).and(&mean).map_collect(|&v, &m| inverse(v, m))
            }
            Standardize::Whole => {
                let all = variance.mean().unwrap_or(0.0);
                Array1::from_elem(rows.ncols(), inverse(all, 0.0))
            }
            Standardize::None => Array1::ones(rows.ncols()),
        };
        let mean = if how == Standardize::None { Array1::zeros(rows.ncols()) } else { mean };
        Self { mean, factor }
    }

    /// Rows as the network reads them (its autoencoder, where it has one).
    pub(crate) fn apply(&self, mut rows: Array2<f32>) -> Array2<f32> {
        for mut row in rows.rows_mut() {
            let columns = Zip::from(&mut row).and(&self.mean).and(&self.factor);
            columns.for_each(|x, mean, factor| *x = ((f64::from(*x) - mean) * factor) as f32);
        }
        rows
    }

    pub(crate) fn put(&self, file: &mut ModelFile) {
        file.put_vector("scaling.mean", self.mean.view());
        file.put_vector("scaling.factor", self.factor.view());
    }

    pub(crate) fn take(file: &ModelFile) -> Result<Self, ModelError> {
        let mean = file.vector("scaling.mean", None)?;
        let factor = file.vector("scaling.factor", Some(mean.len()))?;
        Ok(Self { mean, factor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn columns_of_one_unit_keep_their_shares_and_others_are_made_even() {
        let even = array![[0.0f32, 0.0], [2.0, 1.0], [4.0, 2.0]];
        let factor = Scaling::learn(&even, Standardize::Auto).factor;
        assert!((factor[0] - factor[1]).abs() < 1e-12);
        let uneven = Array2::from_shape_fn((3, 5), |(i, j)| i as f32 * if j == 0 { 1000.0 } else { 1.0 });
        let found = Scaling::learn(&uneven, Standardize::Auto);
        assert_eq!(found, Scaling::learn(&uneven, Standardize::Columns));
        assert!((found.factor[1] / found.factor[0] - 1000.0).abs() < 1e-6);
    }
}
