//! Small connected pencils to all eigenpairs by faer's dense self-adjoint solver.

use super::EigenError;
use crate::pencil::Pencil;
use faer::{Mat, Side};

/// The k smallest eigenpairs as (value, unit vector u of M^-½ L M^-½), ascending.
pub(crate) fn dense_smallest(pencil: &Pencil, k: usize) -> Result<Vec<(f64, Vec<f64>)>, EigenError> {
    let n = pencil.n();
    let scale: Vec<f64> = pencil.mass().iter().map(|m| m.sqrt().recip()).collect();
    let mut matrix = Mat::<f64>::zeros(n, n);
    for i in 0..n {
        let (neighbors, weights) = pencil.row(i);
        matrix[(i, i)] = pencil.degree(i) * scale[i] * scale[i];
        for (&j, &w) in neighbors.iter().zip(weights) {
            matrix[(i, j as usize)] = -w * scale[i] * scale[j as usize];
        }
    }
    let decomposition = matrix.self_adjoint_eigen(Side::Lower).map_err(|_| EigenError::Dense)?;
    let (values, vectors) = (decomposition.S(), decomposition.U());
    Ok((0..k.min(n)).map(|j| (values[j], (0..n).map(|i| vectors[(i, j)]).collect())).collect())
}
