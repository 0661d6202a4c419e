//! Small sparse pencils to LDLᵀ factors, row by row.

use super::row_blocks::{Row, WIDTH};
use crate::pencil::Pencil;

/// No parent in the elimination tree.
const ROOT: u32 = u32::MAX;

/// The elimination tree and the columns' lengths in the factor: all that is known before arithmetic.
#[derive(Debug)]
pub(crate) struct EliminationTree {
    parent: Vec<u32>,
    starts: Vec<u32>,
}

impl EliminationTree {
    /// Liu's algorithm on the pencil's own order; walks each row's subtree once.
    ///
    /// `None` where the factor would have more than `limit` entries below the diagonal.
    pub(crate) fn new(pencil: &Pencil, limit: usize) -> Option<Self> {
        let n = pencil.n();
        let mut parent = vec![ROOT; n];
        let mut seen = vec![ROOT; n];
        let mut lengths = vec![0u32; n];
        let mut total = 0usize;
        for k in 0..n {
            seen[k] = k as u32;
            for &first in pencil.row(k).0.iter().filter(|&&i| (i as usize) < k) {
                let mut i = first as usize;
                while seen[i] != k as u32 {
                    seen[i] = k as u32;
                    if parent[i] == ROOT {
                        parent[i] = k as u32;
                    }
                    lengths[i] += 1;
                    total += 1;
                    i = parent[i] as usize;
                }
            }
            if total > limit {
                return None;
            }
        }
        let mut starts = Vec::with_capacity(n + 1);
        starts.push(0);
        for length in lengths {
            starts.push(starts[starts.len() - 1] + length);
        }
        Some(Self { parent, starts })
    }

    /// Entries below the diagonal.
    pub(crate) fn factor_len(&self) -> usize {
        self.starts[self.starts.len() - 1] as usize
    }

    /// Multiply-adds of the numeric factorization.
    pub(crate) fn products(&self) -> f64 {
        self.starts.windows(2).map(|w| f64::from(w[1] - w[0]).powi(2)).sum()
    }
}

/// L·D·Lᵀ of diagonal − S·W·S with unit columns L, W the pencil's weights and S = diag(scale).
///
/// Up-looking, after T. Davis, Direct methods for sparse linear systems, 2006, section 4.
#[derive(Debug)]
pub(crate) struct Ldlt {
    starts: Vec<u32>,
    rows: Vec<u32>,
    values: Vec<f64>,
    pivots: Vec<f64>,
}

impl Ldlt {
    /// Pivots of any sign are taken; a zero pivot leaves values that are not finite.
    pub(crate) fn new(pencil: &Pencil, scale: &[f64], tree: &EliminationTree, diagonal: &[f64]) -> Self {
        let n = pencil.n();
        let mut next: Vec<u32> = tree.starts[..n].to_vec();
        let mut rows = vec![0u32; tree.factor_len()];
        let mut values = vec![0.0; tree.factor_len()];
        let mut pivots = vec![0.0; n];
        let mut x = vec![0.0; n];
        let mut seen = vec![ROOT; n];
        let mut reach = vec![0u32; n];
        for k in 0..n {
            let (neighbors, weights) = pencil.row(k);
            let mut pivot = diagonal[k];
            let mut top = n;
            seen[k] = k as u32;
            for (&first, &w) in neighbors.iter().zip(weights) {
                if first as usize >= k {
                    continue;
                }
                x[first as usize] = -w * scale[first as usize] * scale[k];
                top = push_path(first, k as u32, (&mut seen, &mut reach), (&tree.parent, top));
            }
            for &i in &reach[top..] {
                let i = i as usize;
                let xi = std::mem::take(&mut x[i]);
                let (start, end) = (tree.starts[i] as usize, next[i] as usize);
                for (&row, &l) in rows[start..end].iter().zip(&values[start..end]) {
                    x[row as usize] -= l * xi;
                }
                let l = xi / pivots[i];
                pivot -= l * xi;
                rows[end] = k as u32;
                values[end] = l;
                next[i] += 1;
            }
            pivots[k] = pivot;
        }
        Self { starts: tree.starts.clone(), rows, values, pivots }
    }

    /// Whether all pivots are positive and finite.
    pub(crate) fn is_positive(&self) -> bool {
        self.pivots.iter().all(|&p| p > 0.0 && p.is_finite())
    }

    /// The number of negative pivots, which is that of negative eigenvalues; `None` where a pivot is 0 or not finite.
    pub(crate) fn negative_pivots(&self) -> Option<usize> {
        let sound = self.pivots.iter().all(|&p| p != 0.0 && p.is_finite());
        sound.then(|| self.pivots.iter().filter(|&&p| p < 0.0).count())
    }

    /// Forward substitution, division by the pivots, backward substitution.
    pub(crate) fn solve(&self, x: &mut [f64]) {
        let columns = || self.starts.windows(2).map(|w| w[0] as usize..w[1] as usize).enumerate();
        for (j, range) in columns() {
            let xj = x[j];
            for (&i, &l) in self.rows[range.clone()].iter().zip(&self.values[range]) {
                x[i as usize] -= l * xj;
            }
        }
        for (j, range) in columns().rev() {
            let mut sum = x[j] / self.pivots[j];
            for (&i, &l) in self.rows[range.clone()].iter().zip(&self.values[range]) {
                sum -= l * x[i as usize];
            }
            x[j] = sum;
        }
    }

    /// The same for four right-hand sides side by side.
    pub(crate) fn solve_rows(&self, x: &mut [Row]) {
        let columns = || self.starts.windows(2).map(|w| w[0] as usize..w[1] as usize).enumerate();
        for (j, range) in columns() {
            let xj = x[j];
            for (&i, &l) in self.rows[range.clone()].iter().zip(&self.values[range]) {
                (0..WIDTH).for_each(|b| x[i as usize][b] -= l * xj[b]);
            }
        }
        for (j, range) in columns().rev() {
            let mut sum = x[j].map(|x| x / self.pivots[j]);
            for (&i, &l) in self.rows[range.clone()].iter().zip(&self.values[range]) {
                (0..WIDTH).for_each(|b| sum[b] -= l * x[i as usize][b]);
            }
            x[j] = sum;
        }
    }
}

/// The path from `first` towards the root up to nodes seen for row k, put before reach[top ..] in its order.
fn push_path(first: u32, k: u32, (seen, reach): (&mut [u32], &mut [u32]), (parent, mut top): (&[u32], usize)) -> usize {
    let mut length = 0;
    let mut i = first;
    while seen[i as usize] != k {
        seen[i as usize] = k;
        reach[length] = i;
        length += 1;
        i = parent[i as usize];
    }
    while length > 0 {
        length -= 1;
        top -= 1;
        reach[top] = reach[length];
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pencil::Laplacian;
    use segcut_core::SparseAffinity;

    fn ring(n: u32) -> Pencil {
        let mut edges: Vec<[u32; 2]> = (0..n - 1).map(|i| [i, i + 1]).collect();
        edges.extend((0..n - 2).filter(|i| i % 3 == 0).map(|i| [i, i + 2]));
        edges.push([0, n - 1]);
        edges.sort_unstable();
        edges.dedup();
        let weights = (0..edges.len()).map(|i| 1.0 + (i % 5) as f64).collect();
        let affinity = SparseAffinity::new(n as usize, edges, weights).unwrap();
        Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap()
    }

    #[test]
    fn solving_inverts_the_shifted_matrix() {
        let pencil = ring(20);
        let scale: Vec<f64> = pencil.mass().iter().map(|m| m.sqrt().recip()).collect();
        let tree = EliminationTree::new(&pencil, usize::MAX).unwrap();
        let diagonal = vec![1.1; 20];
        let factor = Ldlt::new(&pencil, &scale, &tree, &diagonal);
        assert!(factor.is_positive());
        let b: Vec<f64> = (0..20).map(|i| (i as f64).sin()).collect();
        let mut u = b.clone();
        factor.solve(&mut u);
        let x: Vec<f64> = u.iter().zip(&scale).map(|(u, s)| u * s).collect();
        let mut y = vec![0.0; 20];
        pencil.apply(&x, &mut y);
        for i in 0..20 {
            assert!((y[i] * scale[i] + 0.1 * u[i] - b[i]).abs() < 1e-12);
        }
    }

    #[test]
    fn pivots_count_eigenvalues() {
        let pencil = ring(20);
        let scale: Vec<f64> = pencil.mass().iter().map(|m| m.sqrt().recip()).collect();
        let tree = EliminationTree::new(&pencil, usize::MAX).unwrap();
        let count = |mu: f64| Ldlt::new(&pencil, &scale, &tree, &[1.0 - mu; 20]).negative_pivots();
        assert_eq!((count(-0.1), count(1e-9), count(2.1)), (Some(0), Some(1), Some(20)));
        assert!(EliminationTree::new(&pencil, 10).is_none());
    }
}
