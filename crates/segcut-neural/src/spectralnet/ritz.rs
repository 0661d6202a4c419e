//! Moments of features → the linear map onto their best embedding.

use super::error::SpectralNetError;
use super::loss::Moments;
use faer::{Mat, Side};
use ndarray::{Array1, Array2, ArrayView2, s};

/// Features → embedding: (h − mean)·map, columns by rising Ritz value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ritz {
    pub(crate) mean: Array1<f64>,
    pub(crate) map: Array2<f64>,
    /// Ritz values of Lx = λMx, one per column.
    pub(crate) values: Vec<f64>,
    /// Directions of the features that are not noise.
    pub(crate) rank: usize,
}

/// Rayleigh-Ritz: the columns of the features' span with the smallest Ritz values of the pencil (L, M), without the
/// constant one.
///
/// Directions whose variance is at most `ridge` times the largest are left out. Fewer columns than asked for come
/// back where the features have fewer directions.
pub(crate) fn rayleigh_ritz(moments: &Moments, columns: usize, ridge: f64) -> Result<Ritz, SpectralNetError> {
    let (variances, directions) = eigen(moments.gram.view())?;
    let most = variances.iter().copied().fold(0.0, f64::max);
    let kept: Vec<usize> = (0..variances.len()).filter(|&j| variances[j] > (ridge * most).max(1e-300)).collect();
    let whiten = Array2::from_shape_fn((directions.nrows(), kept.len()), |(i, j)| {
        directions[[i, kept[j]]] / variances[kept[j]].sqrt()
    });
    let energy = whiten.t().dot(&moments.energy).dot(&whiten);
    let (values, rotation) = eigen(energy.view())?;
    let columns = columns.min(kept.len());
    let map = whiten.dot(&rotation.slice(s![.., ..columns]));
    Ok(Ritz { mean: moments.mean.clone(), map, values: values[..columns].to_vec(), rank: kept.len() })
}

/// Eigenvalues, ascending, and eigenvectors of a symmetric matrix; the largest entry of a vector is positive.
fn eigen(matrix: ArrayView2<'_, f64>) -> Result<(Vec<f64>, Array2<f64>), SpectralNetError> {
    let n = matrix.nrows();
    if n == 0 {
        return Ok((Vec::new(), Array2::zeros((0, 0))));
    }
    let symmetric = Mat::from_fn(n, n, |i, j| 0.5 * (matrix[[i, j]] + matrix[[j, i]]));
    let found = symmetric.self_adjoint_eigen(Side::Lower).map_err(|_| SpectralNetError::Ritz)?;
    let mut vectors = Array2::from_shape_fn((n, n), |(i, j)| found.U()[(i, j)]);
    for mut column in vectors.columns_mut() {
        let largest = column.iter().fold(0.0f64, |a, &x| if x.abs() > a.abs() { x } else { a });
        if largest < 0.0 {
            column.mapv_inplace(|x| -x);
        }
    }
    Ok(((0..n).map(|j| found.S()[j]).collect(), vectors))
}
