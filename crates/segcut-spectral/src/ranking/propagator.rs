//! Affinity → what a query spreads to.

use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Mat, Par, Side};
use segcut_core::Affinity;

/// Q = (D − α·W)⁻¹ with its diagonal set to 0: D. Zhou et al., "Ranking on data manifolds", NIPS 2003, in the
/// unnormalized form of Yang et al. 2013, eq. 3. Without the diagonal a query does not count for itself.
pub(crate) struct Propagator {
    /// L⁻¹ of the Cholesky factor, so that Q = L⁻ᵀ L⁻¹.
    inverse: Mat<f64>,
    /// The diagonal that is left out.
    diagonal: Vec<f64>,
}

impl Propagator {
    /// None where the matrix is not positive definite (weights below 0, or overflow).
    ///
    /// # Cost
    /// O(n³) / 3 and n² values twice.
    pub(crate) fn new(affinity: &Affinity, alpha: f64) -> Option<Self> {
        let n = affinity.n();
        let sparse = affinity.sparse()?;
        let mut matrix = Mat::<f64>::zeros(n, n);
        for (&[u, v], &weight) in sparse.edges().iter().zip(sparse.weights()) {
            let (u, v) = (u as usize, v as usize);
            matrix[(v, u)] = -alpha * weight;
            matrix[(u, u)] += weight;
            matrix[(v, v)] += weight;
        }
        // A node without neighbours keeps its query to itself, which the diagonal then takes away.
        (0..n).filter(|&i| matrix[(i, i)] == 0.0).collect::<Vec<_>>().iter().for_each(|&i| matrix[(i, i)] = 1.0);
        let factor = matrix.llt(Side::Lower).ok()?;
        let mut inverse = Mat::zeros(n, n);
        invert_lower_triangular(inverse.as_mut(), factor.L(), Par::Seq);
        let squares = |i: usize| (i..n).map(|k| inverse[(k, i)] * inverse[(k, i)]).sum::<f64>();
        let diagonal: Vec<f64> = (0..n).map(squares).collect();
        diagonal.iter().all(|v| v.is_finite()).then_some(Self { inverse, diagonal })
    }

    /// Q·query.
    pub(crate) fn spread(&self, query: &[f64]) -> Vec<f64> {
        let n = self.diagonal.len();
        let mut half = vec![0.0; n];
        for (j, &value) in query.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            (j..n).for_each(|i| half[i] += self.inverse[(i, j)] * value);
        }
        let row = |i: usize| (i..n).map(|k| self.inverse[(k, i)] * half[k]).sum::<f64>();
        (0..n).map(|i| (row(i) - self.diagonal[i] * query[i]).max(0.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::SparseAffinity;

    #[test]
    fn it_is_the_dense_inverse_without_its_diagonal() {
        let edges = vec![[0, 1], [0, 2], [1, 3], [2, 3]];
        let sparse = SparseAffinity::new(5, edges, vec![1.0, 0.25, 0.5, 2.0]).unwrap();
        let propagator = Propagator::new(&Affinity::Sparse(sparse), 0.9).unwrap();
        let w = [
            [0.0, 1.0, 0.25, 0.0, 0.0],
            [1.0, 0.0, 0.0, 0.5, 0.0],
            [0.25, 0.0, 0.0, 2.0, 0.0],
            [0.0, 0.5, 2.0, 0.0, 0.0],
            [0.0; 5],
        ];
        for query in 0..5 {
            let mut y = [0.0; 5];
            y[query] = 1.0;
            // (D − αW)(Qy + q_ii y) = y
            let spread = propagator.spread(&y);
            assert!(spread[query].abs() < 1e-12);
            let full: Vec<f64> = (0..5).map(|i| spread[i] + propagator.diagonal[i] * y[i]).collect();
            for i in 0..5 {
                let degree = w[i].iter().sum::<f64>();
                let degree = if degree == 0.0 { 1.0 } else { degree };
                let back = degree * full[i] - 0.9 * (0..5).map(|j| w[i][j] * full[j]).sum::<f64>();
                assert!((back - y[i]).abs() < 1e-12, "{query} {i}: {back}");
            }
        }
    }
}
