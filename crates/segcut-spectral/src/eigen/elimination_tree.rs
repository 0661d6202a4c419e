//! The graph of a sparse symmetric matrix to the structure of its Cholesky factor.

use crate::pencil::Pencil;
use std::ops::Range;

/// No parent in the elimination tree.
const ROOT: u32 = u32::MAX;

/// The elimination tree and the columns' lengths in the factor: all that is known before arithmetic.
#[derive(Debug)]
pub(crate) struct EliminationTree {
    parent: Vec<u32>,
    /// Where each column's entries start.
    starts: Vec<u32>,
    /// Where each row's entries start in `visited`.
    row_starts: Vec<u32>,
    /// The columns of every row's entries, as the walks met them.
    visited: Vec<u32>,
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
        let (mut row_starts, mut visited) = (Vec::with_capacity(n + 1), Vec::new());
        row_starts.push(0);
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
                    visited.push(i as u32);
                    i = parent[i] as usize;
                }
            }
            if visited.len() > limit {
                return None;
            }
            row_starts.push(visited.len() as u32);
        }
        Some(Self { parent, starts: running_sums(&lengths), row_starts, visited })
    }

    /// Entries below the diagonal.
    pub(crate) fn factor_len(&self) -> usize {
        self.starts[self.starts.len() - 1] as usize
    }

    /// Multiply-adds of the numeric factorization.
    pub(crate) fn products(&self) -> f64 {
        self.starts.windows(2).map(|w| f64::from(w[1] - w[0]).powi(2)).sum()
    }

    /// The places of all entries of the factor.
    pub(crate) fn pattern(self) -> Pattern {
        let Self { parent, starts, row_starts, visited } = self;
        let n = parent.len();
        let row = |k: usize| row_starts[k] as usize..row_starts[k + 1] as usize;
        // Row after row, so that the rows of every column ascend; then column after column.
        let mut rows = vec![0u32; visited.len()];
        let mut next = starts[..n].to_vec();
        for k in 0..n {
            for &i in &visited[row(k)] {
                let at = &mut next[i as usize];
                rows[*at as usize] = k as u32;
                *at += 1;
            }
        }
        let mut columns = visited;
        let mut next = row_starts[..n].to_vec();
        for (j, range) in starts.windows(2).enumerate() {
            for &row in &rows[range[0] as usize..range[1] as usize] {
                let at = &mut next[row as usize];
                columns[*at as usize] = j as u32;
                *at += 1;
            }
        }
        let length = |j: usize| starts[j + 1] - starts[j];
        let twin = |j: usize| j + 1 < n && parent[j] == j as u32 + 1 && length(j) == length(j + 1) + 1;
        let twins = (0..n).map(twin).collect();
        Pattern { starts, rows, row_starts, columns, twins }
    }
}

/// 0 and the sums of the first lengths.
fn running_sums(lengths: &[u32]) -> Vec<u32> {
    let mut sums = Vec::with_capacity(lengths.len() + 1);
    sums.push(0);
    for &length in lengths {
        sums.push(sums[sums.len() - 1] + length);
    }
    sums
}

/// The places of a factor's entries below the diagonal.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// Where each column's entries start.
    pub(super) starts: Vec<u32>,
    /// Their rows, ascending in each column.
    pub(super) rows: Vec<u32>,
    /// Where each row's entries start.
    pub(super) row_starts: Vec<u32>,
    /// Their columns, ascending in each row.
    pub(super) columns: Vec<u32>,
    /// Whether a column's entries are one in the next column and those of the next column.
    pub(super) twins: Vec<bool>,
}

impl Pattern {
    /// Entries below the diagonal.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The columns in turn, two at a time where the second is the twin of the first: (first column, its entries,
    /// whether there are two).
    pub(super) fn forward(&self) -> impl Iterator<Item = (usize, Range<usize>, bool)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let j = next;
            let twin = *self.twins.get(j)?;
            next += 1 + usize::from(twin);
            Some((j, self.entries(j), twin))
        })
    }

    /// The same from the last column to the first.
    pub(super) fn backward(&self) -> impl Iterator<Item = (usize, Range<usize>, bool)> {
        let mut end = self.twins.len();
        std::iter::from_fn(move || {
            let last = end.checked_sub(1)?;
            let twin = last > 0 && self.twins[last - 1];
            end = last - usize::from(twin);
            Some((end, self.entries(end), twin))
        })
    }

    fn entries(&self, j: usize) -> Range<usize> {
        self.starts[j] as usize..self.starts[j + 1] as usize
    }
}
