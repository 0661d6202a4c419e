//! Small connected pencils to all eigenpairs by faer's dense self-adjoint solver.

use super::EigenError;
use super::pairs::Eigenpair;
use crate::pencil::Pencil;
use faer::{Mat, Side};

/// The k smallest eigenpairs of M^-½ L M^-½, ascending.
pub(crate) fn dense_smallest(pencil: &Pencil, k: usize) -> Result<Vec<Eigenpair>, EigenError> {
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
    let pair = |j: usize| {
        let vector: Vec<f64> = (0..n).map(|i| vectors[(i, j)]).collect();
        let value = values[j].max(0.0);
        let x: Vec<f64> = vector.iter().zip(&scale).map(|(u, s)| u * s).collect();
        let mut y = vec![0.0; n];
        pencil.apply(&x, &mut y);
        let square = |((y, s), u): ((&f64, &f64), &f64)| (y * s - value * u).powi(2);
        let residual = y.iter().zip(&scale).zip(&vector).map(square).sum::<f64>().sqrt();
        Eigenpair { value, vector, residual }
    };
    Ok((0..k.min(n)).map(pair).collect())
}
