//! Edge weights that change on a fixed graph to inverses of the weighted Laplacian.

use crate::eigen::EigenError;
use crate::eigen::cholesky::{Analysis, Factor, minimum_degree};
use crate::pencil::Pencil;

/// The elimination order and the factor's structure of one connected graph.
pub(crate) struct LaplacianFactor {
    /// order[new] = old.
    order: Vec<u32>,
    /// The graph in that order, with the weights of the last solve.
    permuted: Pencil,
    analysis: Analysis,
    /// The edge's number of every neighbor, row after row.
    numbers: Vec<u32>,
}

impl LaplacianFactor {
    /// Orders and analyses a graph with at least two nodes.
    pub(crate) fn new(pencil: &Pencil) -> Result<Self, EigenError> {
        let order = minimum_degree(pencil)?;
        let permuted = pencil.induced(&order, &mut vec![u32::MAX; pencil.n()]);
        let analysis = Analysis::new(&permuted)?;
        let starts = upper_starts(pencil);
        let row = |j: usize| {
            let neighbors = permuted.row(j).0.iter();
            neighbors.map(|&i| edge_number(pencil, &starts, order[i as usize], order[j])).collect::<Vec<_>>()
        };
        let numbers = (0..pencil.n()).flat_map(row).collect();
        Ok(Self { order, permuted, analysis, numbers })
    }

    /// The factor of the Laplacian of the edge weights (one per upper edge, in row order).
    ///
    /// Rows and columns are scaled to a unit diagonal; the last node is grounded, which leaves solutions exact.
    /// A matrix that is singular in f64 gets the smallest shift of its diagonal that helps.
    pub(crate) fn factorize(&mut self, weights: &[f64]) -> Result<LaplacianInverse<'_>, EigenError> {
        let numbers = &self.numbers;
        self.permuted.weights_mut().iter_mut().zip(numbers).for_each(|(w, &e)| *w = weights[e as usize]);
        let n = self.order.len();
        let mut scale: Vec<f64> = (0..n).map(|i| self.permuted.degree(i).sqrt().recip()).collect();
        scale[n - 1] *= 0.5f64.sqrt();
        let mut found = self.analysis.factorize(&self.permuted, &scale, &vec![1.0; n]);
        let mut shift = 1e-14;
        while matches!(found, Err(EigenError::NotPositive)) && shift < 1e-6 {
            found = self.analysis.factorize(&self.permuted, &scale, &vec![1.0 + shift; n]);
            shift *= 10.0;
        }
        Ok(LaplacianInverse { order: &self.order, scale, factor: found? })
    }
}

/// The inverse of one weighted Laplacian.
pub(crate) struct LaplacianInverse<'a> {
    order: &'a [u32],
    scale: Vec<f64>,
    factor: Factor<'a>,
}

impl LaplacianInverse<'_> {
    /// L⁺·x up to a constant, for an x that sums to zero.
    pub(crate) fn apply(&self, x: &[f64]) -> Result<Vec<f64>, EigenError> {
        let mut y: Vec<f64> = self.order.iter().zip(&self.scale).map(|(&old, s)| x[old as usize] * s).collect();
        self.factor.solve(&mut y, 1)?;
        let mut out = vec![0.0; x.len()];
        for ((&old, y), s) in self.order.iter().zip(&y).zip(&self.scale) {
            out[old as usize] = y * s;
        }
        Ok(out)
    }
}

/// The number of upper edges in the rows before each node's.
fn upper_starts(pencil: &Pencil) -> Vec<u32> {
    let mut starts = vec![0u32; pencil.n() + 1];
    for i in 0..pencil.n() {
        let neighbors = pencil.row(i).0;
        let lower = neighbors.partition_point(|&j| (j as usize) < i);
        starts[i + 1] = starts[i] + (neighbors.len() - lower) as u32;
    }
    starts
}

fn edge_number(pencil: &Pencil, starts: &[u32], a: u32, b: u32) -> u32 {
    let (u, v) = (a.min(b), a.max(b));
    let neighbors = pencil.row(u as usize).0;
    let lower = neighbors.partition_point(|&j| j < u);
    let at = neighbors.partition_point(|&j| j < v);
    starts[u as usize] + (at - lower) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pencil::Laplacian;
    use segcut_core::SparseAffinity;

    #[test]
    fn the_solution_satisfies_the_equation() {
        let edges = vec![[0, 1], [0, 3], [1, 2], [1, 4], [2, 3], [3, 4]];
        let affinity = SparseAffinity::new(5, edges.clone(), vec![1.0; 6]).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
        let weights = [1.0, 1e-6, 3.0, 1e8, 0.5, 2.0];
        let b = [1.0, -2.0, 0.5, 1.5, -1.0];
        let mut factor = LaplacianFactor::new(&pencil).unwrap();
        let x = factor.factorize(&weights).unwrap().apply(&b).unwrap();
        let mut product = [0.0; 5];
        for (&[u, v], w) in edges.iter().zip(weights) {
            let flux = w * (x[u as usize] - x[v as usize]);
            product[u as usize] += flux;
            product[v as usize] -= flux;
        }
        for (product, b) in product.iter().zip(b) {
            assert!((product - b).abs() < 1e-6, "{product} {b}");
        }
    }
}
