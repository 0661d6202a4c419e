//! A symmetric operator to its largest eigenpairs by Lanczos with full reorthogonalization.

use super::EigenError;
use super::tridiagonal::implicit_ql;
use crate::kernels::{axpy, dot, norm, project_out};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Vectors that there is room for from the start.
const ROOM: usize = 40;

/// An operator that overwrites its argument by the product.
pub(crate) type Operator<'a> = dyn FnMut(&mut [f64]) -> Result<(), EigenError> + 'a;

/// The state of a Lanczos iteration: V (n×m, columns after one another) and T (m×m, tridiagonal).
///
/// Golub & Van Loan, Matrix Computations, 10.3. Where an invariant subspace is complete, the iteration goes on
/// with a new random direction, so that repeated eigenvalues of small graphs are all found.
pub(crate) struct Lanczos {
    n: usize,
    /// Orthonormal vectors that the search avoids, columns after one another.
    deflated: Vec<f64>,
    basis: Vec<f64>,
    diagonal: Vec<f64>,
    off_diagonal: Vec<f64>,
    next: Vec<f64>,
    random: ChaCha8Rng,
}

/// Approximate eigenpairs of the operator.
pub(crate) struct Ritz {
    /// Descending.
    pub(crate) values: Vec<f64>,
    /// |β·s|: the residual norms in the operator.
    pub(crate) residuals: Vec<f64>,
}

impl Lanczos {
    pub(crate) fn new(deflated: Vec<f64>, start: Vec<f64>, seed: u64) -> Self {
        let mut lanczos = Self {
            n: start.len(),
            deflated,
            basis: Vec::new(),
            diagonal: Vec::new(),
            off_diagonal: Vec::new(),
            next: start,
            random: ChaCha8Rng::seed_from_u64(seed),
        };
        let beta = lanczos.orthonormalize();
        if beta == 0.0 {
            lanczos.restart();
        }
        lanczos
    }

    /// Steps done.
    pub(crate) fn len(&self) -> usize {
        self.diagonal.len()
    }

    /// The direction of the next step.
    pub(crate) fn next(&self) -> &[f64] {
        &self.next
    }

    /// Whether the basis spans all that is not deflated.
    pub(crate) fn is_complete(&self) -> bool {
        (self.basis.len() + self.deflated.len()) >= self.n * self.n
    }

    /// Adds one vector to the basis.
    pub(crate) fn step(&mut self, operator: &mut Operator<'_>) -> Result<(), EigenError> {
        let n = self.n;
        if self.basis.is_empty() {
            self.basis.reserve(ROOM * n);
        }
        let v = std::mem::take(&mut self.next);
        let mut w = v.clone();
        operator(&mut w)?;
        let alpha = dot(&v, &w);
        let scale = norm(&w);
        axpy(-alpha, &v, &mut w);
        if let (Some(&beta), Some(last)) = (self.off_diagonal.last(), self.basis.rchunks_exact(n).next()) {
            axpy(-beta, last, &mut w);
        }
        self.diagonal.push(alpha);
        self.basis.extend_from_slice(&v);
        self.next = w;
        let beta = self.orthonormalize();
        if beta <= 16.0 * f64::EPSILON * scale {
            self.off_diagonal.push(0.0);
            self.restart();
        } else {
            self.off_diagonal.push(beta);
        }
        Ok(())
    }

    /// Removes the basis and the deflated vectors from `next`, twice where it loses much; its norm before scaling.
    fn orthonormalize(&mut self) -> f64 {
        let mut before = norm(&self.next);
        for _ in 0..3 {
            project_out(&self.deflated, &mut self.next);
            project_out(&self.basis, &mut self.next);
            let after = norm(&self.next);
            if after > 0.5 * before || after == 0.0 {
                before = after;
                break;
            }
            before = after;
        }
        if before > 0.0 {
            let inverse = before.recip();
            self.next.iter_mut().for_each(|x| *x *= inverse);
        }
        before
    }

    /// A new random direction beside all that is known.
    fn restart(&mut self) {
        if self.is_complete() {
            return;
        }
        for _ in 0..4 {
            self.next.clear();
            let random = &mut self.random;
            self.next.extend((0..self.n).map(|_| random.random::<f64>() - 0.5));
            if self.orthonormalize() > 1e-10 {
                return;
            }
        }
    }

    /// Ritz values with residual bounds, without vectors.
    pub(crate) fn ritz(&self) -> Option<Ritz> {
        let m = self.len();
        let mut last_row = vec![0.0; m];
        last_row[m - 1] = 1.0;
        let mut d = self.diagonal.clone();
        let mut e = self.off_diagonal.clone();
        let beta = e[m - 1];
        if !implicit_ql(&mut d, &mut e, &mut last_row) {
            return None;
        }
        let mut order: Vec<usize> = (0..m).collect();
        order.sort_by(|&a, &b| d[b].total_cmp(&d[a]));
        let values = order.iter().map(|&i| d[i]).collect();
        let residuals = order.iter().map(|&i| (beta * last_row[i]).abs()).collect();
        Some(Ritz { values, residuals })
    }

    /// The first `wanted` Ritz vectors, of the largest values.
    pub(crate) fn vectors(&self, wanted: usize) -> Option<Vec<Vec<f64>>> {
        let m = self.len();
        let mut z = vec![0.0; m * m];
        (0..m).for_each(|i| z[i * m + i] = 1.0);
        let mut d = self.diagonal.clone();
        let mut e = self.off_diagonal.clone();
        if !implicit_ql(&mut d, &mut e, &mut z) {
            return None;
        }
        let mut order: Vec<usize> = (0..m).collect();
        order.sort_by(|&a, &b| d[b].total_cmp(&d[a]));
        let combine = |&column: &usize| {
            let mut u = vec![0.0; self.n];
            for (i, v) in self.basis.chunks_exact(self.n).enumerate() {
                axpy(z[i * m + column], v, &mut u);
            }
            u
        };
        Some(order[..wanted.min(m)].iter().map(combine).collect())
    }
}
