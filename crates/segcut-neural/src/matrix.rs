//! Row-major matrices in single precision and their products, on the threads of the caller's pool.
//!
//! Rows are worked on in chunks of a fixed size, so the bytes of a result do not depend on the threads.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use segcut_kernel::{Columns, Isa, Lines, PANEL, Right, Rows, RowsMut, pack, pack_transposed};

/// Rows of the result that one task works on.
pub(crate) const CHUNK: usize = 96;

/// Rows of both factors that a transposed product reads at a time: so many stay in the nearest caches.
const DEPTH: usize = 128;

/// Multiplications below which a product is not worth a second thread.
const ALONE: usize = 1 << 21;

/// rows×cols values, row by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) values: Vec<f32>,
}

impl Matrix {
    pub(crate) fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, values: vec![0.0; rows * cols] }
    }

    pub(crate) fn from_array(array: ArrayView2<'_, f32>) -> Self {
        Self { rows: array.nrows(), cols: array.ncols(), values: array.iter().copied().collect() }
    }

    pub(crate) fn to_array(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.rows, self.cols), |(row, col)| f64::from(self.row(row)[col]))
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.cols..][..self.cols]
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.cols..][..self.cols]
    }

    /// self = `a`·`b`, then `finish` on every chunk of rows with its first row.
    pub(crate) fn set_product(&mut self, a: &Self, b: &Panels, finish: impl Fn(usize, &mut [f32]) + Sync) {
        let (depth, cols) = (a.cols, self.cols);
        if cols == 0 {
            return;
        }
        let one = |(chunk, out): (usize, &mut [f32])| {
            let (first, count) = (chunk * CHUNK, out.len() / cols);
            b.multiply(Rows { values: &a.values[first * depth..], stride: depth, count }, 0, out);
            finish(first, out);
        };
        if a.rows * depth * cols < ALONE {
            self.values.chunks_mut(CHUNK * cols).enumerate().for_each(one);
        } else {
            self.values.par_chunks_mut(CHUNK * cols).enumerate().for_each(one);
        }
    }

    /// self = `a`·`a`ᵀ, then `finish` on every chunk of rows with its first row, which must leave symmetric what is: the
    /// panels before a chunk's diagonal are left out and taken from above it in the end.
    pub(crate) fn set_gram(&mut self, a: &Self, finish: impl Fn(usize, &mut [f32]) + Sync) {
        let (n, turned) = (a.rows, Panels::transposed(&a.values, a.cols));
        if n == 0 {
            return;
        }
        self.values.par_chunks_mut(CHUNK * n).enumerate().for_each(|(chunk, out)| {
            let first = chunk * CHUNK;
            let left = Rows { values: &a.values[first * a.cols..], stride: a.cols, count: out.len() / n };
            turned.multiply(left, first / PANEL, out);
            finish(first, out);
        });
        for first in (0..n).step_by(PANEL) {
            for row in first + 1..n {
                for col in first..(first + PANEL).min(row) {
                    self.values[row * n + col] = self.values[col * n + row];
                }
            }
        }
    }

    /// `out` = selfᵀ·`b`, row-major with `b.cols` columns.
    pub(crate) fn transposed_product(&self, b: &Self, out: &mut [f32]) {
        let cols = b.cols;
        if cols == 0 {
            return;
        }
        let one = |(chunk, out): (usize, &mut [f32])| self.some_transposed(chunk * CHUNK, b, out);
        if self.rows * self.cols * cols < ALONE {
            out.chunks_mut(CHUNK * cols).enumerate().for_each(one);
        } else {
            out.par_chunks_mut(CHUNK * cols).enumerate().for_each(one);
        }
    }

    /// Rows of selfᵀ·`b` from `first` on.
    fn some_transposed(&self, first: usize, b: &Self, out: &mut [f32]) {
        let (isa, count, whole) = (Isa::best(), out.len() / b.cols, b.cols / PANEL * PANEL);
        let partial = usize::from(whole < b.cols);
        let (mut lines, mut sums) = (vec![0.0; partial * DEPTH * PANEL], vec![0.0; partial * CHUNK * PANEL]);
        out.fill(0.0);
        for from in (0..self.rows).step_by(DEPTH) {
            let depth = DEPTH.min(self.rows - from);
            let left = Columns { values: &self.values[from * self.cols + first..], stride: self.cols, count };
            let right = &b.values[from * b.cols..];
            for panel in (0..whole).step_by(PANEL) {
                let right = Lines { values: &right[panel..], stride: b.cols, depth, cols: PANEL };
                isa.add_by_columns(left, right, &mut RowsMut { values: &mut out[panel..], stride: b.cols });
            }
            if whole < b.cols {
                let rows = lines.chunks_exact_mut(PANEL).zip(right.chunks_exact(b.cols)).take(depth);
                rows.for_each(|(line, row)| line[..b.cols - whole].copy_from_slice(&row[whole..]));
                let right = Lines { values: &lines, stride: PANEL, depth, cols: b.cols - whole };
                isa.add_by_columns(left, right, &mut RowsMut { values: &mut sums, stride: PANEL });
            }
        }
        for (out, sums) in out.chunks_exact_mut(b.cols).zip(sums.chunks_exact(PANEL)) {
            out[whole..].copy_from_slice(&sums[..b.cols - whole]);
        }
    }

    /// The transpose, in blocks that stay in the nearest cache.
    pub(crate) fn transposed(&self) -> Self {
        const BLOCK: usize = 32;
        let mut turned = Self::zeros(self.cols, self.rows);
        for first in (0..self.rows).step_by(BLOCK) {
            for col in (0..self.cols).step_by(BLOCK) {
                let rows = first..(first + BLOCK).min(self.rows);
                for c in col..(col + BLOCK).min(self.cols) {
                    let out = &mut turned.values[c * self.rows..][rows.clone()];
                    let column = rows.clone().map(|row| self.values[row * self.cols + c]);
                    out.iter_mut().zip(column).for_each(|(out, v)| *out = v);
                }
            }
        }
        turned
    }

    /// A copy of some rows.
    pub(crate) fn some_rows(&self, first: usize, rows: usize) -> Self {
        Self { rows, cols: self.cols, values: self.values[first * self.cols..][..rows * self.cols].to_vec() }
    }

    /// The matrices one below the other; all have the same columns.
    pub(crate) fn stacked(blocks: &[&Self]) -> Self {
        let rows = blocks.iter().map(|block| block.rows).sum();
        let cols = blocks.first().map_or(0, |block| block.cols);
        Self { rows, cols, values: blocks.iter().flat_map(|block| block.values.iter().copied()).collect() }
    }

    /// The matrices side by side; all have the same rows.
    pub(crate) fn beside(blocks: &[&Self]) -> Self {
        let rows = blocks.first().map_or(0, |block| block.rows);
        let cols = blocks.iter().map(|block| block.cols).sum();
        let values = (0..rows).flat_map(|row| blocks.iter().flat_map(move |block| block.row(row)).copied()).collect();
        Self { rows, cols, values }
    }
}

/// The right factor of products, in panels of 32 columns; 0 beyond the last column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panels {
    depth: usize,
    cols: usize,
    values: Vec<f32>,
}

impl Panels {
    fn zeros(depth: usize, cols: usize) -> Self {
        Self { depth, cols, values: vec![0.0; depth * cols.next_multiple_of(PANEL)] }
    }

    /// A matrix of `cols` columns, row by row.
    pub(crate) fn new(values: &[f32], cols: usize) -> Self {
        let depth = values.len() / cols.max(1);
        let mut panels = Self::zeros(depth, cols);
        pack(Rows { values, stride: cols, count: depth }, cols, &mut panels.values);
        panels
    }

    /// The transpose of a matrix of `cols` columns, row by row.
    pub(crate) fn transposed(values: &[f32], cols: usize) -> Self {
        let count = values.len() / cols.max(1);
        let mut panels = Self::zeros(cols, count);
        pack_transposed(Rows { values, stride: cols, count }, cols, &mut panels.values);
        panels
    }

    /// `out` = left·self, row-major, but for the columns before the panel `from`.
    fn multiply(&self, left: Rows<'_>, from: usize, out: &mut [f32]) {
        if self.depth == 0 {
            return out.fill(0.0);
        }
        let (isa, len) = (Isa::best(), self.depth * PANEL);
        by_panels(out, self.cols, from, |at, cols, out| {
            let panel = &self.values[at * len..][..len];
            isa.multiply(left, Right { panel, bias: &[0.0; PANEL], cols, add: false, ahead: 0 }, out);
        });
    }
}

/// A product of up to 96 rows, panel by panel from `from` on: `product` takes a panel's number, how many of its columns
/// are wanted, and where it writes all 32.
pub(crate) fn by_panels(out: &mut [f32], cols: usize, from: usize, product: impl Fn(usize, usize, &mut RowsMut<'_>)) {
    for at in from..cols.div_ceil(PANEL) {
        let first = at * PANEL;
        let width = PANEL.min(cols - first);
        if width == PANEL {
            product(at, width, &mut RowsMut { values: &mut out[first..], stride: cols });
            continue;
        }
        let mut values = [0.0; CHUNK * PANEL];
        product(at, width, &mut RowsMut { values: &mut values, stride: PANEL });
        for (out, row) in out.chunks_exact_mut(cols).zip(values.chunks_exact(PANEL)) {
            out[first..].copy_from_slice(&row[..width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: usize, cols: usize, step: usize) -> Matrix {
        let values = (0..rows * cols).map(|i| (i * step % 23) as f32 / 11.0 - 1.0).collect();
        Matrix { rows, cols, values }
    }

    fn plain(a: &Matrix, b: &Matrix) -> Matrix {
        let value =
            |i: usize, j: usize| (0..a.cols).map(|d| f64::from(a.row(i)[d]) * f64::from(b.row(d)[j])).sum::<f64>();
        let values = (0..a.rows * b.cols).map(|at| value(at / b.cols, at % b.cols) as f32).collect();
        Matrix { rows: a.rows, cols: b.cols, values }
    }

    fn close(a: &[f32], b: &[f32]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-3)
    }

    #[test]
    fn products_agree_with_sums() {
        for (rows, depth, cols) in [(1, 1, 1), (3, 0, 2), (300, 7, 5), (600, 70, 64), (130, 100, 75)] {
            let (a, b) = (drawn(rows, depth, 7), drawn(depth, cols, 5));
            let mut out = Matrix::zeros(rows, cols);
            out.set_product(&a, &Panels::new(&b.values, b.cols), |_, _| {});
            assert!(close(&out.values, &plain(&a, &b).values));
            let mut back = vec![0.0; depth * cols];
            a.transposed_product(&out, &mut back);
            let turned = Matrix {
                rows: depth,
                cols: rows,
                values: (0..depth * rows).map(|at| a.row(at % rows)[at / rows]).collect(),
            };
            assert_eq!(a.transposed(), turned);
            let wanted = plain(&turned, &out);
            assert!(back.iter().zip(&wanted.values).all(|(x, y)| (x - y).abs() < 1e-4 * y.abs().max(10.0)));
        }
    }

    #[test]
    fn a_gram_matrix_is_the_product_with_the_transpose() {
        for (n, depth) in [(0, 3), (1, 2), (97, 5), (300, 33)] {
            let a = drawn(n, depth, 7);
            let (mut whole, mut half) = (Matrix::zeros(n, n), Matrix::zeros(n, n));
            whole.set_product(&a, &Panels::transposed(&a.values, depth), |_, rows| {
                rows.iter_mut().for_each(|x| *x += 1.0)
            });
            half.set_gram(&a, |_, rows| rows.iter_mut().for_each(|x| *x += 1.0));
            assert!(close(&half.values, &whole.values));
            assert!((0..n).all(|i| (0..i).all(|j| half.row(i)[j] == half.row(j)[i])));
        }
    }

    #[test]
    fn bytes_do_not_depend_on_the_threads() {
        let (a, b) = (drawn(1000, 300, 7), drawn(300, 64, 5));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut out = Matrix::zeros(1000, 64);
                out.set_product(&a, &Panels::new(&b.values, b.cols), |_, _| {});
                let mut back = vec![0.0; 300 * 64];
                a.transposed_product(&out, &mut back);
                (out, back)
            })
        };
        let one = run(1);
        assert!([2, 4, 8].into_iter().all(|threads| run(threads) == one));
    }
}
