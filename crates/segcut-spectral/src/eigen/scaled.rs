//! A connected pencil as the symmetric matrix A = M^-½ L M^-½.

use super::pairs::Wanted;
use super::row_blocks::{Row, Small, WIDTH, product};
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

    /// uᵀA·u and ‖A·u − that·u‖ of four unit vectors side by side, or zero columns; `product` is scratch.
    pub(super) fn measure_rows(&self, u: &[Row], product: &mut [Row]) -> (Row, Row) {
        let energies = scaled_rows(self.pencil, &self.scale, u, product);
        let mut squares = [0.0; WIDTH];
        for (y, u) in product.iter().zip(u) {
            (0..WIDTH).for_each(|j| squares[j] += (y[j] - energies[j] * u[j]).powi(2));
        }
        (energies, squares.map(f64::sqrt))
    }

    /// y = A·u for four vectors side by side; uᵀA·u of every column.
    pub(super) fn apply_rows(&self, u: &[Row], y: &mut [Row]) -> Row {
        scaled_rows(self.pencil, &self.scale, u, y)
    }

    /// A step of damped Jacobi: y = x + ω·diag⁻¹(b − A·x); without b it is zero.
    pub(super) fn jacobi_rows(&self, damping: f64, b: Option<&[Row]>, x: &[Row], y: &mut [Row]) {
        stepped_rows(self, (damping, b), x, y);
    }

    /// b − A·x.
    pub(super) fn residual_rows(&self, b: &[Row], x: &[Row], y: &mut [Row]) {
        scaled_rows(self.pencil, &self.scale, x, y);
        y.iter_mut().zip(b).for_each(|(y, b)| y.iter_mut().zip(b).for_each(|(y, b)| *y = b - *y));
    }

    /// The Gram matrix of A times a block, by which the norm of A times a combination of its columns is known.
    pub(super) fn gram_of_product(&self, u: &[Row]) -> Small {
        let mut y = vec![[0.0; WIDTH]; u.len()];
        self.apply_rows(u, &mut y);
        product(&y, &y)
    }
}

/// y = S·L·S·u by differences, as [`Pencil::apply`], and (S·u)ᵀL·(S·u) of every column as a sum of squares over edges.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn scaled_rows(pencil: &Pencil, scale: &[f64], u: &[Row], y: &mut [Row]) -> Row {
    let mut energies = [0.0; WIDTH];
    for (i, y) in y.iter_mut().enumerate() {
        let (neighbors, weights) = pencil.row(i);
        let (mut sum, mut energy, own) = ([0.0; WIDTH], [0.0; WIDTH], u[i].map(|u| u * scale[i]));
        for (&j, &w) in neighbors.iter().zip(weights) {
            let (other, s) = (&u[j as usize], scale[j as usize]);
            for b in 0..WIDTH {
                let difference = own[b] - other[b] * s;
                sum[b] += w * difference;
                energy[b] += w * difference * difference;
            }
        }
        *y = sum.map(|sum| sum * scale[i]);
        // Every edge is met from both ends.
        (0..WIDTH).for_each(|b| energies[b] += 0.5 * energy[b]);
    }
    energies
}

/// y = x + ω·diag⁻¹(b − A·x).
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn stepped_rows(a: &Scaled<'_>, (damping, b): (f64, Option<&[Row]>), x: &[Row], y: &mut [Row]) {
    for (i, y) in y.iter_mut().enumerate() {
        let (neighbors, weights) = a.pencil.row(i);
        let (mut sum, own) = ([0.0; WIDTH], x[i].map(|x| x * a.scale[i]));
        for (&j, &w) in neighbors.iter().zip(weights) {
            let (other, s) = (&x[j as usize], a.scale[j as usize]);
            for b in 0..WIDTH {
                sum[b] += w * (own[b] - other[b] * s);
            }
        }
        let right = b.map_or([0.0; WIDTH], |b| b[i]);
        let step = if a.diagonal[i] > 0.0 { damping / a.diagonal[i] } else { 0.0 };
        *y = std::array::from_fn(|j| x[i][j] + step * (right[j] - sum[j] * a.scale[i]));
    }
}
