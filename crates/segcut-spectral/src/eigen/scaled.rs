//! A connected pencil as the symmetric matrix A = M^-½ L M^-½.

use super::pairs::Wanted;
use super::row_blocks::{Row, Small, WIDTH, product, squares};
use crate::kernels::norm;
use crate::pencil::Pencil;
use multiversion::multiversion;

/// A with what its solvers share.
pub(super) struct Scaled<'a> {
    pub(super) pencil: &'a Pencil,
    /// M^-½.
    pub(super) scale: Vec<f64>,
    /// The unit null vector M^½·1.
    pub(super) null: Vec<f64>,
    /// The diagonal of A.
    pub(super) diagonal: Vec<f64>,
    /// Its largest entry.
    pub(super) size: f64,
}

impl<'a> Scaled<'a> {
    pub(super) fn new(pencil: &'a Pencil) -> Self {
        let roots: Vec<f64> = pencil.mass().iter().map(|m| m.sqrt()).collect();
        let scale: Vec<f64> = roots.iter().map(|r| r.recip()).collect();
        let inverse = norm(&roots).recip();
        let diagonal: Vec<f64> = (0..pencil.n()).map(|i| pencil.degree(i) / pencil.mass()[i]).collect();
        let size = diagonal.iter().copied().fold(0.0, f64::max);
        Self { pencil, scale, null: roots.iter().map(|r| r * inverse).collect(), diagonal, size }
    }

    /// The residual that is small enough beside the eigenvalue λ_k.
    pub(super) fn allowed(&self, largest: f64, wanted: Wanted) -> f64 {
        (wanted.tol * largest).max(wanted.floor).max(32.0 * f64::EPSILON * self.size)
    }

    /// y = A·u.
    pub(super) fn apply(&self, u: &[f64], y: &mut [f64]) {
        let x: Vec<f64> = u.iter().zip(&self.scale).map(|(u, s)| u * s).collect();
        self.pencil.apply(&x, y);
        y.iter_mut().zip(&self.scale).for_each(|(y, s)| *y *= s);
    }

    /// uᵀA·u and ‖A·u − that·u‖ of a unit vector.
    pub(super) fn measure(&self, u: &[f64]) -> (f64, f64) {
        let x: Vec<f64> = u.iter().zip(&self.scale).map(|(u, s)| u * s).collect();
        let value = self.pencil.rayleigh(&x);
        let mut y = vec![0.0; u.len()];
        self.pencil.apply(&x, &mut y);
        let square = |((y, s), u): ((&f64, &f64), &f64)| (y * s - value * u).powi(2);
        (value, y.iter().zip(&self.scale).zip(u).map(square).sum::<f64>().sqrt())
    }

    /// The same for four unit vectors side by side, and zero columns.
    pub(super) fn measure_rows(&self, u: &[Row]) -> (Row, Row) {
        let x: Vec<Row> = u.iter().zip(&self.scale).map(|(u, s)| u.map(|u| u * s)).collect();
        let mut y = vec![[0.0; WIDTH]; x.len()];
        let energies = laplacian_rows(self.pencil, &x, &mut y);
        for ((y, s), u) in y.iter_mut().zip(&self.scale).zip(u) {
            (0..WIDTH).for_each(|j| y[j] = y[j] * s - energies[j] * u[j]);
        }
        (energies, squares(&y).map(f64::sqrt))
    }

    /// y = A·u for four vectors side by side; uᵀA·u of every column.
    pub(super) fn apply_rows(&self, u: &[Row], y: &mut [Row]) -> Row {
        let x: Vec<Row> = u.iter().zip(&self.scale).map(|(u, s)| u.map(|u| u * s)).collect();
        let energies = laplacian_rows(self.pencil, &x, y);
        y.iter_mut().zip(&self.scale).for_each(|(y, s)| y.iter_mut().for_each(|y| *y *= s));
        energies
    }

    /// The Gram matrix of A times a block, by which the norm of A times a combination of its columns is known.
    pub(super) fn gram_of_product(&self, u: &[Row]) -> Small {
        let mut y = vec![[0.0; WIDTH]; u.len()];
        self.apply_rows(u, &mut y);
        product(&y, &y)
    }
}

/// y = L·x by differences, as [`Pencil::apply`], and xᵀL·x of every column as a sum of squares over edges.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn laplacian_rows(pencil: &Pencil, x: &[Row], y: &mut [Row]) -> Row {
    let mut energies = [0.0; WIDTH];
    for (i, y) in y.iter_mut().enumerate() {
        let (neighbors, weights) = pencil.row(i);
        let (mut sum, mut energy, own) = ([0.0; WIDTH], [0.0; WIDTH], x[i]);
        for (&j, &w) in neighbors.iter().zip(weights) {
            let other = &x[j as usize];
            for b in 0..WIDTH {
                let difference = own[b] - other[b];
                sum[b] += w * difference;
                energy[b] += w * difference * difference;
            }
        }
        *y = sum;
        // Every edge is met from both ends.
        (0..WIDTH).for_each(|b| energies[b] += 0.5 * energy[b]);
    }
    energies
}
