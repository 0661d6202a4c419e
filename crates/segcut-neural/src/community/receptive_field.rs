//! Attributes → few dimensions of what they are around each node.

use super::attributes::Attributes;
use super::links::Links;
use super::propagation::Propagation;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView2, Axis, s};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Rounds of the subspace iteration.
const ROUNDS: usize = 3;

/// A column of whose squared length no more than this share is left beside earlier ones depends on them.
const DEPENDENT: f64 = 1e-12;

/// The d×r strongest directions of Pʰ·X.
///
/// They are those of its largest singular values, found by subspace iteration (Halko, Martinsson & Tropp 2011,
/// algorithm 4.4) without forming that matrix; which basis they are given in does not matter to distances.
///
/// # Cost
/// O(n·d·r + m·h·r) per round, of which there are three.
pub(crate) fn directions(
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
    v
}

/// n×r rows of length 1 (or 0): Pʰ·X in some directions.
pub(crate) fn field(
    attributes: &Attributes,
    links: &Links,
    propagation: &Propagation,
    hops: usize,
    directions: ArrayView2<'_, f32>,
) -> Array2<f32> {
    unit_rows(propagation.power(links, hops, attributes.times(directions)))
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

/// An orthonormal basis of the columns' span: the columns divided by the Cholesky factor of their Gram matrix, twice
/// (Yamamoto, Nakatsukasa, Yanagisawa & Fukaya 2015, algorithm 4), in double precision; columns that depend on earlier
/// ones become 0.
fn orthonormal(x: &Array2<f32>) -> Array2<f32> {
    let mut wide = x.mapv(f64::from);
    for _ in 0..2 {
        wide = product(wide.view(), inverse_factor(turned_product(wide.view()).view()).view());
    }
    wide.mapv(|value| value as f32)
}

/// R⁻¹ for the upper triangular R with RᵀR the Gram matrix; zeros in the column of one that depends on earlier ones.
fn inverse_factor(gram: ArrayView2<'_, f64>) -> Array2<f64> {
    let r = gram.nrows();
    let (mut factor, mut inverse) = (Array2::<f64>::zeros((r, r)), Array2::<f64>::zeros((r, r)));
    for c in 0..r {
        for row in 0..c {
            if factor[[row, row]] > 0.0 {
                let before = factor.slice(s![..row, row]).dot(&factor.slice(s![..row, c]));
                factor[[row, c]] = (gram[[row, c]] - before) / factor[[row, row]];
            }
        }
        let above = factor.slice(s![..c, c]).to_owned();
        let left = gram[[c, c]] - above.dot(&above);
        if left <= DEPENDENT * gram[[c, c]] {
            continue;
        }
        let length = left.sqrt();
        factor[[c, c]] = length;
        let column = inverse.slice(s![..c, ..c]).dot(&above) * -length.recip();
        inverse.slice_mut(s![..c, c]).assign(&column);
        inverse[[c, c]] = length.recip();
    }
    inverse
}

/// Xᵀ·X.
fn turned_product(x: ArrayView2<'_, f64>) -> Array2<f64> {
    let r = x.ncols();
    let mut out = Array2::zeros((r, r));
    if let (Some(from), Some(to)) = (x.as_slice(), out.as_slice_mut()) {
        let from = MatRef::from_row_major_slice(from, x.nrows(), r);
        matmul(MatMut::from_row_major_slice_mut(to, r, r), Accum::Replace, from.transpose(), from, 1.0, Par::Seq);
    }
    out
}

/// X·Y.
fn product(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Array2<f64> {
    let ((n, depth), cols) = (x.dim(), y.ncols());
    let mut out = Array2::zeros((n, cols));
    if let (Some(a), Some(b), Some(to)) = (x.as_slice(), y.as_slice(), out.as_slice_mut()) {
        let (a, b) = (MatRef::from_row_major_slice(a, n, depth), MatRef::from_row_major_slice(b, depth, cols));
        matmul(MatMut::from_row_major_slice_mut(to, n, cols), Accum::Replace, a, b, 1.0, Par::Seq);
    }
    out
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
        let v = directions(&attributes, &links, &propagation, size, &mut ChaCha8Rng::seed_from_u64(1));
        let found = field(&attributes, &links, &propagation, 2, v.view());
        let whole = unit_rows(propagation.power(&links, 2, x));
        assert_eq!(found.dim(), (12, 3));
        assert!((found.dot(&found.t()) - whole.dot(&whole.t())).iter().all(|d| d.abs() < 1e-4));
    }

    #[test]
    fn names_are_an_identity() {
        let (links, propagation) = ring(10);
        let size = FieldSize { hops: 3, dims: 10 };
        let angles = |attributes| {
            let v = directions(&attributes, &links, &propagation, size, &mut ChaCha8Rng::seed_from_u64(1));
            let found = field(&attributes, &links, &propagation, 3, v.view());
            found.dot(&found.t())
        };
        let (names, eye) = (angles(Attributes::Names(vec![true; 10])), angles(Attributes::Given(Array2::eye(10))));
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
