//! The inner problem of the inverse power method on the Euclidean ball, by an accelerated dual method.

use crate::plaplacian::PFunctional;

/// Edges of a graph with the dual variable of each.
pub(crate) struct DualProblem {
    edges: Vec<[u32; 2]>,
    weights: Vec<f64>,
    /// 1/L, L = 2·max_i Σ_j w_ij².
    step: f64,
    alpha: Vec<f64>,
    beta: Vec<f64>,
}

impl DualProblem {
    pub(crate) fn new(graph: &PFunctional<'_>, n: usize) -> Self {
        let (mut edges, mut weights) = (Vec::new(), Vec::new());
        let mut squares = vec![0.0f64; n];
        for (i, j, w) in graph.edges() {
            edges.push([i as u32, j as u32]);
            weights.push(w);
            squares[i] += w * w;
            squares[j] += w * w;
        }
        let step = 0.5 / squares.iter().copied().fold(0.0, f64::max);
        let zeros = vec![0.0; weights.len()];
        Self { edges, weights, step, alpha: zeros.clone(), beta: zeros }
    }

    /// The direction of argmin_{‖f‖₂ ≤ 1} Σ w_ij |f_i − f_j| − ⟨target, f⟩ after some iterations.
    ///
    /// Hein & Bühler 2010, section 4.2: min over α in \[−1, 1\] per edge of ‖target − Bᵀ(wα)‖², by FISTA (Beck &
    /// Teboulle 2009); f is the residual. α is kept from call to call, scaled by `scale`.
    pub(crate) fn solve(&mut self, target: &[f64], iterations: usize, scale: f64) -> Vec<f64> {
        self.alpha.iter_mut().for_each(|a| *a = (*a * scale).clamp(-1.0, 1.0));
        self.beta.copy_from_slice(&self.alpha);
        let mut residual = self.residual(target);
        let mut t = 1.0f64;
        for _ in 0..iterations {
            let next = 0.5 * (1.0 + (1.0 + 4.0 * t * t).sqrt());
            residual = self.sweep(target, &residual, (t - 1.0) / next);
            t = next;
        }
        residual
    }

    /// target − Bᵀ(wβ).
    fn residual(&self, target: &[f64]) -> Vec<f64> {
        let mut residual = target.to_vec();
        for ((&[i, j], w), b) in self.edges.iter().zip(&self.weights).zip(&self.beta) {
            residual[i as usize] -= w * b;
            residual[j as usize] += w * b;
        }
        residual
    }

    /// One step along the gradient, clipped, and the momentum; returns the new residual.
    fn sweep(&mut self, target: &[f64], residual: &[f64], momentum: f64) -> Vec<f64> {
        let mut next = target.to_vec();
        let duals = self.alpha.iter_mut().zip(&mut self.beta);
        for ((&[i, j], &w), (alpha, beta)) in self.edges.iter().zip(&self.weights).zip(duals) {
            let (i, j) = (i as usize, j as usize);
            let new = (*beta + self.step * w * (residual[i] - residual[j])).clamp(-1.0, 1.0);
            *beta = new + momentum * (new - *alpha);
            *alpha = new;
            next[i] -= w * *beta;
            next[j] += w * *beta;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pencil::{Laplacian, Pencil};
    use segcut_core::SparseAffinity;

    #[test]
    fn two_nodes_have_a_closed_form() {
        let affinity = SparseAffinity::new(2, vec![[0, 1]], vec![0.5]).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Unnormalized, 0.0).unwrap();
        let mut dual = DualProblem::new(&PFunctional::new(&pencil, 2.0), 2);
        // The residual of (2, −2) is (2 − α/2, −2 + α/2) with α at its bound 1.
        let f = dual.solve(&[2.0, -2.0], 200, 1.0);
        assert!((f[0] - 1.5).abs() < 1e-12 && (f[1] + 1.5).abs() < 1e-12);
    }
}
