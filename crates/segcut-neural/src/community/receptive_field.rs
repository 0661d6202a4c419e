//! Attributes → few dimensions of what they are around each node.

use super::links::Links;
use super::propagation::Propagation;
use ndarray::{Array2, ArrayView2, Axis};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Rounds of the subspace iteration.
const ROUNDS: usize = 3;

/// The attributes of n nodes, row-major.
#[derive(Debug, Clone)]
pub(crate) enum Attributes {
    /// n×d values.
    Given(Array2<f32>),
    /// None: each node that is true has a name of its own, and nothing else.
    Names(Vec<bool>),
}

impl Attributes {
    fn width(&self) -> usize {
        match self {
            Self::Given(x) => x.ncols(),
            Self::Names(names) => names.len(),
        }
    }

    /// X·V.
    fn times(&self, v: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::Given(x) => x.dot(&v),
            Self::Names(names) => masked(names, v.to_owned()),
        }
    }

    /// Xᵀ·Y.
    fn turned_times(&self, y: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::Given(x) => x.t().dot(&y),
            Self::Names(names) => masked(names, y.to_owned()),
        }
    }
}

fn masked(names: &[bool], mut x: Array2<f32>) -> Array2<f32> {
    x.rows_mut().into_iter().zip(names).filter(|(_, named)| !**named).for_each(|(mut row, _)| row.fill(0.0));
    x
}

/// n×r rows of length 1 (or 0): Pʰ·X in its r strongest directions, each row scaled to length 1.
///
/// The directions are those of the largest singular values of Pʰ·X, found by subspace iteration (Halko,
/// Martinsson & Tropp 2011, algorithm 4.4) without forming that matrix; which basis they are given in does not
/// matter to distances.
///
/// # Cost
/// O(n·d·r + m·h·r) per round, of which there are three.
pub(crate) fn receptive_field(
    attributes: &Attributes,
    links: &Links,
    propagation: &Propagation,
    size: FieldSize,
    random: &mut ChaCha8Rng,
) -> Array2<f32> {
    let r = size.dims.min(attributes.width()).min(links.n());
    let mut v = Array2::from_shape_simple_fn((attributes.width(), r), || 2.0 * random.random::<f32>() - 1.0);
    let spread = |v: &Array2<f32>| propagation.power(links, size.hops, attributes.times(v.view()));
    for _ in 0..ROUNDS {
        let y = orthonormal(&spread(&v));
        v = orthonormal(&attributes.turned_times(propagation.power(links, size.hops, y).view()));
    }
    unit_rows(spread(&v))
}

/// How far a field reaches and how many dimensions it keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldSize {
    pub(crate) hops: usize,
    pub(crate) dims: usize,
}

/// Rows scaled to length 1; a row of zeros stays.
pub(crate) fn unit_rows(mut x: Array2<f32>) -> Array2<f32> {
    for mut row in x.axis_iter_mut(Axis(0)) {
        let length = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        if length > 1e-12 {
            row.mapv_inplace(|v| (f64::from(v) / length) as f32);
        }
    }
    x
}

/// An orthonormal basis of the columns' span, by Gram-Schmidt twice in double precision; columns that depend on
/// earlier ones become 0.
fn orthonormal(x: &Array2<f32>) -> Array2<f32> {
    let mut columns: Vec<Vec<f64>> =
        x.columns().into_iter().map(|column| column.iter().map(|&v| f64::from(v)).collect()).collect();
    for at in 0..columns.len() {
        let (done, rest) = columns.split_at_mut(at);
        let column = &mut rest[0];
        let before = dot(column, column).sqrt();
        for earlier in done.iter().chain(done.iter()) {
            let along = dot(earlier, column);
            column.iter_mut().zip(earlier).for_each(|(value, other)| *value -= along * other);
        }
        let length = dot(column, column).sqrt();
        let factor = if length > 1e-6 * before { length.recip() } else { 0.0 };
        column.iter_mut().for_each(|value| *value *= factor);
    }
    Array2::from_shape_fn(x.raw_dim(), |(i, c)| columns[c][i] as f32)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (ours, theirs) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = ours.remainder().iter().zip(theirs.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0; 4];
    for (x, y) in ours.zip(theirs) {
        (0..4).for_each(|lane| sums[lane] += x[lane] * y[lane]);
    }
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::community::propagation::Scaling;
    use rand::SeedableRng;
    use segcut_core::SparseAffinity;

    fn ring(n: u32) -> (Links, Propagation) {
        let edges = (0..n - 1).map(|i| [i, i + 1]).chain([[0, n - 1]]).collect::<Vec<_>>();
        let mut edges = edges;
        edges.sort_unstable();
        let weights = vec![1.0; edges.len()];
        let links = Links::of(&SparseAffinity::new(n as usize, edges, weights).unwrap());
        let propagation = Propagation::new(&links, Scaling::Symmetric);
        (links, propagation)
    }

    #[test]
    fn all_directions_keep_every_angle() {
        let (links, propagation) = ring(12);
        let x = Array2::from_shape_fn((12, 3), |(i, d)| ((i * 5 + d * 7) % 11) as f32 - 4.0);
        let size = FieldSize { hops: 2, dims: 8 };
        let attributes = Attributes::Given(x.clone());
        let found = receptive_field(&attributes, &links, &propagation, size, &mut ChaCha8Rng::seed_from_u64(1));
        let whole = unit_rows(propagation.power(&links, 2, x));
        assert_eq!(found.dim(), (12, 3));
        assert!((found.dot(&found.t()) - whole.dot(&whole.t())).iter().all(|d| d.abs() < 1e-4));
    }

    #[test]
    fn names_are_an_identity() {
        let (links, propagation) = ring(10);
        let size = FieldSize { hops: 3, dims: 10 };
        let field = |attributes| {
            let found = receptive_field(&attributes, &links, &propagation, size, &mut ChaCha8Rng::seed_from_u64(1));
            found.dot(&found.t())
        };
        let (names, eye) = (field(Attributes::Names(vec![true; 10])), field(Attributes::Given(Array2::eye(10))));
        assert!((names - eye).iter().all(|d| d.abs() < 1e-5));
    }

    #[test]
    fn dependent_columns_vanish() {
        let x = Array2::from_shape_fn((5, 3), |(i, d)| (i * i + 1) as f32 * (d + 1) as f32);
        let found = orthonormal(&x);
        assert!((found.column(0).dot(&found.column(0)) - 1.0).abs() < 1e-6);
        assert!(found.column(1).iter().chain(found.column(2)).all(|&v| v == 0.0));
    }
}
