//! A small square matrix to its orthogonal polar factor.

use faer::Mat;
use ndarray::Array2;

/// A = Q·P with P positive semidefinite → Q = U·Vᵀ, and the sum of A's singular values.
///
/// `None` where the decomposition fails (values that are not finite).
pub(crate) fn polar_factor(a: &Array2<f64>) -> Option<(Array2<f64>, f64)> {
    let (k, _) = a.dim();
    let matrix = Mat::from_fn(k, k, |i, j| a[[i, j]]);
    let svd = matrix.svd().ok()?;
    let q = svd.U() * svd.V().transpose();
    let sum = (0..k).map(|i| svd.S()[i]).sum();
    Some((Array2::from_shape_fn((k, k), |(i, j)| q[(i, j)]), sum))
}
