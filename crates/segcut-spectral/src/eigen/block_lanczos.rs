//! A symmetric operator to its largest eigenpairs by block Lanczos with full reorthogonalization.

use super::EigenError;
use crate::kernels::{axpy, dot, norm, project_out};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// An operator that overwrites columns, stored after one another, by their products.
pub(crate) type BlockOperator<'a> = dyn FnMut(&mut [f64]) -> Result<(), EigenError> + 'a;

/// Columns that keep less than this of their length are orthogonalized again: what is left then keeps at least
/// eleven digits.
const AGAIN: f64 = 1e-4;

/// The state of a block Lanczos iteration: V (n×m) and T = Vᵀ·Op·V (m×m).
///
/// Golub & Underwood 1977. One product with a factor serves a whole block, and eigenvalues repeated up to the
/// block's width are found at once.
pub(crate) struct BlockLanczos {
    n: usize,
    width: usize,
    /// Orthonormal vectors that the search avoids.
    deflated: Vec<f64>,
    basis: Vec<f64>,
    /// Columns of T, each as long as the basis was when it was made.
    projected: Vec<Vec<f64>>,
    next: Vec<f64>,
    /// width×width, column by column: what joins the basis to `next`.
    coupling: Vec<f64>,
    random: ChaCha8Rng,
}

/// Approximate eigenpairs in the coordinates of the basis.
pub(crate) struct BlockRitz {
    /// Descending.
    pub(crate) values: Vec<f64>,
    /// m×m, columns in the order of the values.
    coordinates: Mat<f64>,
}

impl BlockLanczos {
    pub(crate) fn new(n: usize, width: usize, deflated: Vec<f64>, seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        let (basis, projected, coupling) = (Vec::new(), Vec::new(), vec![0.0; width * width]);
        let mut lanczos = Self { n, width, deflated, basis, projected, next: Vec::new(), coupling, random };
        lanczos.next = (0..n * width).map(|_| lanczos.random.random::<f64>() - 0.5).collect();
        lanczos.clean();
        lanczos.orthonormalize();
        lanczos
    }

    /// Columns of the basis.
    pub(crate) fn len(&self) -> usize {
        self.projected.len()
    }

    /// The block of the next step, column by column.
    pub(crate) fn next(&self) -> &[f64] {
        &self.next
    }

    /// Adds one block to the basis.
    pub(crate) fn step(&mut self, operator: &mut BlockOperator<'_>) -> Result<(), EigenError> {
        // Exactly: doubling would double the memory of the whole solver.
        self.basis.reserve_exact(self.next.len());
        self.basis.extend_from_slice(&self.next);
        operator(&mut self.next)?;
        let products = self.clean();
        let m = self.len() + self.width;
        self.projected.extend(products.chunks_exact(m).map(<[f64]>::to_vec));
        self.orthonormalize();
        Ok(())
    }

    /// Takes the deflated vectors and the basis out of `next`, again where little is left of a column; the
    /// products with the basis, column by column.
    fn clean(&mut self) -> Vec<f64> {
        for column in self.next.chunks_exact_mut(self.n) {
            project_out(&self.deflated, column);
        }
        let m = self.basis.len() / self.n;
        let mut products = vec![0.0; m * self.width];
        if m == 0 {
            return products;
        }
        let basis = MatRef::from_column_major_slice(&self.basis, self.n, m);
        let lengths = |next: &[f64]| -> Vec<f64> { next.chunks_exact(self.n).map(norm).collect() };
        let before = lengths(&self.next);
        for pass in 0..2 {
            let little = || lengths(&self.next).iter().zip(&before).any(|(after, before)| *after < AGAIN * before);
            if pass == 1 && !little() {
                break;
            }
            let mut pass = Mat::<f64>::zeros(m, self.width);
            let next = MatRef::from_column_major_slice(&self.next, self.n, self.width);
            matmul(pass.as_mut(), Accum::Replace, basis.transpose(), next, 1.0, Par::Seq);
            let next = MatMut::from_column_major_slice_mut(&mut self.next, self.n, self.width);
            matmul(next, Accum::Add, basis, pass.as_ref(), -1.0, Par::Seq);
            for (j, column) in products.chunks_exact_mut(m).enumerate() {
                column.iter_mut().enumerate().for_each(|(i, p)| *p += pass[(i, j)]);
            }
        }
        products
    }

    /// Gram-Schmidt inside `next`; the coefficients become the coupling. A column that vanishes is replaced by a
    /// random one, not coupled.
    fn orthonormalize(&mut self) {
        self.coupling.fill(0.0);
        for j in 0..self.width {
            let (done, rest) = self.next.split_at_mut(j * self.n);
            let column = &mut rest[..self.n];
            let before = norm(column);
            for _ in 0..2 {
                for (i, other) in done.chunks_exact(self.n).enumerate() {
                    let product = dot(other, column);
                    self.coupling[j * self.width + i] += product;
                    axpy(-product, other, column);
                }
            }
            let after = norm(column);
            if after > 1e-12 * before && after > 0.0 {
                self.coupling[j * self.width + j] = after;
                column.iter_mut().for_each(|x| *x /= after);
            } else {
                self.replace(j);
            }
        }
    }

    fn replace(&mut self, j: usize) {
        for _ in 0..2 {
            let random = &mut self.random;
            let mut column: Vec<f64> = (0..self.n).map(|_| random.random::<f64>() - 0.5).collect();
            for _ in 0..2 {
                project_out(&self.deflated, &mut column);
                project_out(&self.basis, &mut column);
                project_out(&self.next[..j * self.n], &mut column);
                let length = norm(&column);
                column.iter_mut().for_each(|x| *x /= length);
            }
            self.next[j * self.n..(j + 1) * self.n].copy_from_slice(&column);
        }
    }

    /// The eigenpairs of T.
    pub(crate) fn ritz(&self) -> Option<BlockRitz> {
        let m = self.len();
        let entry = |i: usize, j: usize| if i <= j { self.projected[j][i] } else { self.projected[i][j] };
        let decomposition = Mat::from_fn(m, m, entry).self_adjoint_eigen(Side::Lower).ok()?;
        let (values, vectors) = (decomposition.S(), decomposition.U());
        let values = (0..m).rev().map(|i| values[i]).collect();
        let coordinates = Mat::from_fn(m, m, |i, j| vectors[(i, m - 1 - j)]);
        Some(BlockRitz { values, coordinates })
    }

    /// What the operator leaves outside the basis for a pair: `next` times these coordinates.
    pub(crate) fn remainder(&self, ritz: &BlockRitz, pair: usize) -> Vec<f64> {
        let (m, width) = (self.len(), self.width);
        let entry =
            |i: usize| (0..width).map(|j| self.coupling[j * width + i] * ritz.coordinates[(m - width + j, pair)]).sum();
        (0..width).map(entry).collect()
    }

    /// The first `wanted` Ritz vectors, of the largest values.
    pub(crate) fn vectors(&self, ritz: &BlockRitz, wanted: usize) -> Vec<Vec<f64>> {
        let basis = MatRef::from_column_major_slice(&self.basis, self.n, self.len());
        let chosen = ritz.coordinates.as_ref().subcols(0, wanted.min(self.len()));
        let mut vectors = vec![0.0; self.n * chosen.ncols()];
        let out = MatMut::from_column_major_slice_mut(&mut vectors, self.n, chosen.ncols());
        matmul(out, Accum::Replace, basis, chosen, 1.0, Par::Seq);
        vectors.chunks_exact(self.n).map(<[f64]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_values_of_a_diagonal_are_found() {
        let n = 80;
        let diagonal: Vec<f64> = (0..n).map(|i| if i < 3 { 5.0 } else { 1.0 / i as f64 }).collect();
        let mut lanczos = BlockLanczos::new(n, 4, Vec::new(), 1);
        let mut operator = |x: &mut [f64]| {
            x.chunks_exact_mut(n).for_each(|c| c.iter_mut().zip(&diagonal).for_each(|(x, d)| *x *= d));
            Ok(())
        };
        for _ in 0..14 {
            lanczos.step(&mut operator).unwrap();
        }
        let ritz = lanczos.ritz().unwrap();
        for (value, expected) in ritz.values.iter().zip([5.0, 5.0, 5.0, 1.0 / 3.0, 0.25]) {
            assert!((value - expected).abs() < 1e-9, "{value}");
        }
        let vectors = lanczos.vectors(&ritz, 4);
        assert!((vectors[3][3].abs() - 1.0).abs() < 1e-9);
        assert!(norm(&lanczos.remainder(&ritz, 0)) < 1e-9);
    }
}
