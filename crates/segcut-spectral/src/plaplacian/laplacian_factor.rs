//! Edge weights that change on a fixed graph to inverses of the weighted Laplacian.

use crate::eigen::EigenError;
use crate::eigen::cholesky::{Analysis, Factor, minimum_degree};
use crate::eigen::nested_dissection::nested_dissection;
use crate::kernels::{axpy, dot};
use crate::pencil::Pencil;

/// From so many nodes on, graphs with places in the plane are ordered by nested dissection.
const DISSECTED: usize = 6000;
/// Factors above so many bytes give way to conjugate gradients.
const MOST_BYTES: u64 = 1 << 30;
/// Bound on the relative residual of conjugate gradients, and on their number.
const INEXACT: f64 = 1e-3;
const PRODUCTS: usize = 300;

/// The elimination order and the factor's structure of one connected graph.
pub(crate) struct LaplacianFactor {
    /// order[new] = old.
    order: Vec<u32>,
    /// The graph in that order, with the weights of the last solve.
    permuted: Pencil,
    /// `None` where the factor would be too large.
    analysis: Option<Analysis>,
    /// The edge's number of every neighbor, row after row.
    numbers: Vec<u32>,
}

impl LaplacianFactor {
    /// Orders and analyses a graph with at least two nodes. Where the factor needs more bytes than `most`, or than 1 GiB,
    /// solutions come from conjugate gradients.
    pub(crate) fn within(pencil: &Pencil, most: Option<u64>) -> Result<Self, EigenError> {
        let most = most.map_or(MOST_BYTES, |most| most.min(MOST_BYTES));
        let order = if pencil.n() >= DISSECTED && !pencil.positions().is_empty() {
            nested_dissection(pencil, pencil.positions())
        } else {
            minimum_degree(pencil)?
        };
        let permuted = pencil.induced(&order, &mut vec![u32::MAX; pencil.n()]);
        let analysis = Some(Analysis::new(&permuted)?).filter(|analysis| analysis.bytes() <= most);
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
        let Some(analysis) = &self.analysis else {
            return Ok(LaplacianInverse { order: &self.order, scale, solver: Solver::Iterative(&self.permuted) });
        };
        scale[n - 1] *= 0.5f64.sqrt();
        let mut found = analysis.factorize(&self.permuted, &scale, &vec![1.0; n]);
        let mut shift = 1e-14;
        while matches!(found, Err(EigenError::NotPositive)) && shift < 1e-6 {
            found = analysis.factorize(&self.permuted, &scale, &vec![1.0 + shift; n]);
            shift *= 10.0;
        }
        Ok(LaplacianInverse { order: &self.order, scale, solver: Solver::Direct(found?) })
    }
}

/// The inverse of one weighted Laplacian.
pub(crate) struct LaplacianInverse<'a> {
    order: &'a [u32],
    /// Degrees^-½.
    scale: Vec<f64>,
    solver: Solver<'a>,
}

enum Solver<'a> {
    Direct(Factor<'a>),
    Iterative(&'a Pencil),
}

impl LaplacianInverse<'_> {
    /// L⁺·x up to a constant, for an x that sums to zero; without a factor to a residual of 1e-3.
    pub(crate) fn apply(&self, x: &[f64]) -> Result<Vec<f64>, EigenError> {
        let mut y: Vec<f64> = self.order.iter().zip(&self.scale).map(|(&old, s)| x[old as usize] * s).collect();
        match &self.solver {
            Solver::Direct(factor) => factor.solve(&mut y, 1)?,
            Solver::Iterative(pencil) => y = self.conjugate_gradients(pencil, y),
        }
        let mut out = vec![0.0; x.len()];
        for ((&old, y), s) in self.order.iter().zip(&y).zip(&self.scale) {
            out[old as usize] = y * s;
        }
        Ok(out)
    }
}

impl LaplacianInverse<'_> {
    /// (S·L·S)⁺·b with a unit diagonal, S the scale (Hestenes & Stiefel 1952).
    fn conjugate_gradients(&self, pencil: &Pencil, b: Vec<f64>) -> Vec<f64> {
        let mut y = vec![0.0; b.len()];
        let mut product = vec![0.0; b.len()];
        let mut residual = b;
        let mut direction = residual.clone();
        let mut square = dot(&residual, &residual);
        let enough = INEXACT * INEXACT * square;
        for _ in 0..PRODUCTS {
            if square <= enough {
                break;
            }
            let scaled: Vec<f64> = direction.iter().zip(&self.scale).map(|(d, s)| d * s).collect();
            pencil.apply(&scaled, &mut product);
            product.iter_mut().zip(&self.scale).for_each(|(p, s)| *p *= s);
            let curvature = dot(&direction, &product);
            if curvature <= 0.0 {
                break;
            }
            axpy(square / curvature, &direction, &mut y);
            axpy(-square / curvature, &product, &mut residual);
            let next = dot(&residual, &residual);
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + next / square * *d);
            square = next;
        }
        y
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
    fn without_a_factor_the_solution_is_about_the_same() {
        let edges: Vec<[u32; 2]> = (0..40u32).flat_map(|i| [[i, i + 1], [i, i + 2]]).collect();
        let affinity = SparseAffinity::new(42, edges.clone(), vec![1.0; edges.len()]).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
        let weights: Vec<f64> = (0..edges.len()).map(|i| 1.0 + (i % 5) as f64).collect();
        let mut b: Vec<f64> = (0..42).map(|i| f64::from(i).sin()).collect();
        let mean = b.iter().sum::<f64>() / 42.0;
        b.iter_mut().for_each(|b| *b -= mean);
        let [direct, iterative] = [None, Some(0)].map(|most| {
            let mut factor = LaplacianFactor::within(&pencil, most).unwrap();
            let x = factor.factorize(&weights).unwrap().apply(&b).unwrap();
            x.iter().map(|v| v - x[0]).collect::<Vec<f64>>()
        });
        let largest = direct.iter().fold(0.0f64, |a, x| a.max(x.abs()));
        assert!(direct.iter().zip(&iterative).all(|(a, b)| (a - b).abs() < 1e-2 * largest));
    }

    #[test]
    fn the_solution_satisfies_the_equation() {
        let edges = vec![[0, 1], [0, 3], [1, 2], [1, 4], [2, 3], [3, 4]];
        let affinity = SparseAffinity::new(5, edges.clone(), vec![1.0; 6]).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
        let weights = [1.0, 1e-6, 3.0, 1e8, 0.5, 2.0];
        let b = [1.0, -2.0, 0.5, 1.5, -1.0];
        let mut factor = LaplacianFactor::within(&pencil, None).unwrap();
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
