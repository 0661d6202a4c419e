//! A matrix in 16-bit whole numbers and its products.

use crate::matrix::{CHUNK, Matrix, by_panels};
use rayon::prelude::*;
use segcut_kernel::{PANEL, Panels16, Right16, Room16, Rows, multiply};

/// A matrix of which products are taken from both sides, rounded by rows and by columns.
#[derive(Debug, Clone)]
pub(crate) struct WholeNumbers {
    rows: usize,
    cols: usize,
    by_rows: Room16,
    by_columns: Room16,
}

impl WholeNumbers {
    pub(crate) fn new(x: &Matrix) -> Self {
        let (mut by_rows, mut by_columns) = (Room16::default(), Room16::default());
        let turned = x.transposed();
        by_rows.round(Rows { values: &x.values, stride: x.cols, count: x.rows }, x.cols);
        by_columns.round(Rows { values: &turned.values, stride: x.rows, count: x.cols }, x.rows);
        Self { rows: x.rows, cols: x.cols, by_rows, by_columns }
    }

    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// How many numbers of 32 bits take as much memory.
    pub(crate) fn numbers(&self) -> usize {
        self.rows * self.cols
    }

    /// `out` = self·`b`, then `finish` on every chunk of rows.
    pub(crate) fn product(&self, b: &Panels16, out: &mut Matrix, finish: impl Fn(&mut [f32]) + Sync) {
        chunks(&self.by_rows, b, (&mut out.values, self.rows), finish);
    }

    /// `out` = selfᵀ·`b`.
    pub(crate) fn transposed_product(&self, b: &Panels16, out: &mut [f32]) {
        chunks(&self.by_columns, b, (out, self.cols), |_| {});
    }
}

/// A product on the threads of the caller's pool, in chunks of rows of a fixed size.
fn chunks(left: &Room16, right: &Panels16, (out, rows): (&mut [f32], usize), finish: impl Fn(&mut [f32]) + Sync) {
    let cols = out.len() / rows.max(1);
    if cols == 0 {
        return;
    }
    let panels: Vec<_> = right.panels().collect();
    out.par_chunks_mut(CHUNK * cols).enumerate().for_each(|(chunk, out)| {
        let first = chunk * CHUNK;
        let left = left.part(first, first + out.len() / cols);
        by_panels(out, cols, 0, |at, _, out| {
            let (panel, units) = panels[at];
            multiply(left, Right16 { panel, units, bias: &[0.0; PANEL], add: false, ahead: 0 }, out);
        });
        finish(out);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Panels;

    #[test]
    fn products_are_near_those_in_single_precision() {
        for (rows, depth, cols) in [(1, 1, 1), (300, 75, 5), (130, 384, 64), (97, 20, 40)] {
            let drawn = |rows: usize, cols: usize, step: usize| Matrix {
                rows,
                cols,
                values: (0..rows * cols).map(|i| (i * step % 223) as f32 / 111.0 - 1.0).collect(),
            };
            let (a, b) = (drawn(rows, depth, 7), drawn(depth, cols, 5));
            let whole = WholeNumbers::new(&a);
            let (mut wanted, mut found) = (Matrix::zeros(rows, cols), Matrix::zeros(rows, cols));
            wanted.set_product(&a, &Panels::new(&b.values, cols), |_, _| {});
            let mut right = Panels16::default();
            right.round(&b.values, cols);
            whole.product(&right, &mut found, |_| {});
            let near =
                |a: &[f32], b: &[f32], depth: usize| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4 * depth as f32);
            assert!(near(&found.values, &wanted.values, depth), "{rows}x{depth}x{cols}");
            let (mut back, mut wanted) = (vec![0.0; depth * cols], vec![0.0; depth * cols]);
            a.transposed_product(&found, &mut wanted);
            right.round(&found.values, cols);
            whole.transposed_product(&right, &mut back);
            assert!(near(&back, &wanted, 10 * rows), "{rows}x{depth}x{cols}");
        }
    }
}
