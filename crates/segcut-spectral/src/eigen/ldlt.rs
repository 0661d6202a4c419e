//! Small sparse pencils to LDLᵀ factors, row by row.

use super::elimination_tree::Pattern;
use crate::pencil::Pencil;
use std::ops::Range;

/// L·D·Lᵀ of diagonal − S·W·S with unit columns L, W the pencil's weights and S = diag(scale).
///
/// Up-looking, after T. Davis, Direct methods for sparse linear systems, 2006, section 4; two columns at a time where
/// their entries stand in the same rows.
#[derive(Debug)]
pub(crate) struct Ldlt<'a> {
    pattern: &'a Pattern,
    values: Vec<f64>,
    pivots: Vec<f64>,
    /// 1 / pivots.
    inverse: Vec<f64>,
}

impl<'a> Ldlt<'a> {
    /// Pivots of any sign are taken; a zero pivot leaves values that are not finite.
    pub(crate) fn new(pencil: &Pencil, scale: &[f64], pattern: &'a Pattern, diagonal: &[f64]) -> Self {
        let n = pencil.n();
        let zeros = || vec![0.0; n];
        let mut factor = Self { pattern, values: vec![0.0; pattern.len()], pivots: zeros(), inverse: zeros() };
        let mut next: Vec<u32> = pattern.starts[..n].to_vec();
        let mut x = zeros();
        for k in 0..n {
            let (neighbors, weights) = pencil.row(k);
            for (&i, &w) in neighbors.iter().zip(weights).filter(|&(&i, _)| (i as usize) < k) {
                x[i as usize] = -w * scale[i as usize] * scale[k];
            }
            let pivot = diagonal[k] - factor.eliminate(k, &mut x, &mut next);
            factor.pivots[k] = pivot;
            factor.inverse[k] = pivot.recip();
        }
        factor
    }

    /// Row k of L from row k of the matrix in `x`, which becomes zero; what its pivot loses.
    fn eliminate(&mut self, k: usize, x: &mut [f64], next: &mut [u32]) -> f64 {
        let Pattern { starts, rows, row_starts, columns, twins } = self.pattern;
        let columns = &columns[row_starts[k] as usize..row_starts[k + 1] as usize];
        let mut loss = 0.0;
        let mut at = 0;
        while let Some(&column) = columns.get(at) {
            let i = column as usize;
            let xi = std::mem::take(&mut x[i]);
            let (start, end) = (starts[i] as usize, next[i] as usize);
            next[i] += 1;
            let l = xi * self.inverse[i];
            loss += l * xi;
            if twins[i] && i + 1 < k {
                let (other_start, other_end) = (starts[i + 1] as usize, next[i + 1] as usize);
                next[i + 1] += 1;
                // The first entry of a column with a twin stands in the twin's row.
                let other = std::mem::take(&mut x[i + 1]) - self.values[start] * xi;
                let (a, b) = (&self.values[start + 1..end], &self.values[other_start..other_end]);
                for ((&row, &a), &b) in rows[other_start..other_end].iter().zip(a).zip(b) {
                    x[row as usize] -= a * xi + b * other;
                }
                let l = other * self.inverse[i + 1];
                loss += l * other;
                self.values[other_end] = l;
                at += 1;
            } else {
                for (&row, &a) in rows[start..end].iter().zip(&self.values[start..end]) {
                    x[row as usize] -= a * xi;
                }
            }
            self.values[end] = l;
            at += 1;
        }
        loss
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

    /// Forward substitution, division by the pivots, backward substitution, for W right-hand sides side by side.
    pub(crate) fn solve<const W: usize>(&self, x: &mut [[f64; W]]) {
        for (j, range, twin) in self.pattern.forward() {
            if twin { self.forward_twins(j, range, x) } else { self.forward_one(j, range, x) }
        }
        for (j, range, twin) in self.pattern.backward() {
            if twin { self.backward_twins(j, range, x) } else { self.backward_one(j, range, x) }
        }
    }

    #[inline(always)]
    fn forward_one<const W: usize>(&self, j: usize, range: Range<usize>, x: &mut [[f64; W]]) {
        let own = x[j];
        for (&i, &l) in self.pattern.rows[range.clone()].iter().zip(&self.values[range]) {
            (0..W).for_each(|c| x[i as usize][c] -= l * own[c]);
        }
    }

    #[inline(always)]
    fn forward_twins<const W: usize>(&self, j: usize, range: Range<usize>, x: &mut [[f64; W]]) {
        let (own, first) = (x[j], self.values[range.start]);
        let other: [f64; W] = std::array::from_fn(|c| x[j + 1][c] - first * own[c]);
        x[j + 1] = other;
        for (&i, [a, b]) in self.twin_entries(&range) {
            (0..W).for_each(|c| x[i as usize][c] -= a * own[c] + b * other[c]);
        }
    }

    #[inline(always)]
    fn backward_one<const W: usize>(&self, j: usize, range: Range<usize>, x: &mut [[f64; W]]) {
        let mut sum = [0.0; W];
        for (&i, &l) in self.pattern.rows[range.clone()].iter().zip(&self.values[range]) {
            (0..W).for_each(|c| sum[c] += l * x[i as usize][c]);
        }
        x[j] = std::array::from_fn(|c| x[j][c] * self.inverse[j] - sum[c]);
    }

    #[inline(always)]
    fn backward_twins<const W: usize>(&self, j: usize, range: Range<usize>, x: &mut [[f64; W]]) {
        let mut sums = [[0.0; W]; 2];
        for (&i, [a, b]) in self.twin_entries(&range) {
            let x = x[i as usize];
            (0..W).for_each(|c| sums[0][c] += a * x[c]);
            (0..W).for_each(|c| sums[1][c] += b * x[c]);
        }
        let first = self.values[range.start];
        let other: [f64; W] = std::array::from_fn(|c| x[j + 1][c] * self.inverse[j + 1] - sums[1][c]);
        x[j] = std::array::from_fn(|c| x[j][c] * self.inverse[j] - sums[0][c] - first * other[c]);
        x[j + 1] = other;
    }

    /// The rows that a column and its twin share, with both values; `range` is the column's.
    #[inline(always)]
    fn twin_entries(&self, range: &Range<usize>) -> impl Iterator<Item = (&u32, [f64; 2])> {
        let shared = range.start + 1..range.end;
        let twin = range.end..range.end + shared.len();
        let values = self.values[shared.clone()].iter().zip(&self.values[twin]);
        self.pattern.rows[shared].iter().zip(values.map(|(&a, &b)| [a, b]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::elimination_tree::EliminationTree;
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
        let pattern = EliminationTree::new(&pencil, usize::MAX).unwrap().pattern();
        assert!(pattern.twins.contains(&true) && pattern.twins.contains(&false));
        let diagonal = vec![1.1; 20];
        let factor = Ldlt::new(&pencil, &scale, &pattern, &diagonal);
        assert!(factor.is_positive());
        let b: Vec<f64> = (0..20).map(|i| (i as f64).sin()).collect();
        let mut u = b.clone();
        factor.solve(u.as_chunks_mut::<1>().0);
        let mut wide: Vec<[f64; 2]> = b.iter().map(|&b| [b, -2.0 * b]).collect();
        factor.solve(&mut wide);
        assert!(wide.iter().zip(&u).all(|(w, u)| (w[0] - u).abs() < 1e-14 && (w[1] + 2.0 * u).abs() < 1e-14));
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
        let pattern = EliminationTree::new(&pencil, usize::MAX).unwrap().pattern();
        let count = |mu: f64| Ldlt::new(&pencil, &scale, &pattern, &[1.0 - mu; 20]).negative_pivots();
        assert_eq!((count(-0.1), count(1e-9), count(2.1)), (Some(0), Some(1), Some(20)));
        assert!(EliminationTree::new(&pencil, 10).is_none());
    }
}
