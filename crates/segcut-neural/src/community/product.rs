//! Products of row-major matrices in single precision, on the threads of the caller's pool.
//!
//! Rows are worked on in chunks of a fixed size, so the bytes of a result do not depend on the threads.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// Rows of the result that one task works on.
const CHUNK: usize = 2048;

/// The same where a row is as long as the nodes are many.
const CHUNK_TURNED: usize = 64;

/// A·B.
pub(super) fn times(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let ((rows, depth), cols) = (a.dim(), b.ncols());
    let (a, b) = (a.as_standard_layout(), b.as_standard_layout());
    let mut out = Array2::zeros((rows, cols));
    let (Some(a), Some(b), Some(to)) = (a.as_slice(), b.as_slice(), out.as_slice_mut()) else { return out };
    if depth * cols > 0 {
        let right = MatRef::from_row_major_slice(b, depth, cols);
        to.par_chunks_mut(CHUNK * cols).zip(a.par_chunks(CHUNK * depth)).for_each(|(to, from)| {
            let rows = to.len() / cols;
            product(to, cols, MatRef::from_row_major_slice(from, rows, depth), right);
        });
    }
    out
}

/// Aᵀ·B.
pub(super) fn turned_times(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let ((depth, rows), cols) = (a.dim(), b.ncols());
    let (a, b) = (a.as_standard_layout(), b.as_standard_layout());
    let mut out = Array2::zeros((rows, cols));
    let (Some(a), Some(b), Some(to)) = (a.as_slice(), b.as_slice(), out.as_slice_mut()) else { return out };
    if depth * cols > 0 {
        let (left, right) =
            (MatRef::from_row_major_slice(a, depth, rows), MatRef::from_row_major_slice(b, depth, cols));
        to.par_chunks_mut(CHUNK_TURNED * cols).enumerate().for_each(|(at, to)| {
            let rows = to.len() / cols;
            product(to, cols, left.subcols(at * CHUNK_TURNED, rows).transpose(), right);
        });
    }
    out
}

fn product(to: &mut [f32], cols: usize, a: MatRef<'_, f32>, b: MatRef<'_, f32>) {
    let to = MatMut::from_row_major_slice_mut(to, a.nrows(), cols);
    matmul(to, Accum::Replace, a, b, 1.0, Par::Seq);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: usize, cols: usize, step: usize) -> Array2<f32> {
        Array2::from_shape_fn((rows, cols), |(i, j)| ((i * 7 + j * step) % 23) as f32 / 11.0 - 1.0)
    }

    fn close(a: &Array2<f32>, b: &Array2<f32>) -> bool {
        a.dim() == b.dim() && a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-3 * y.abs().max(1.0))
    }

    #[test]
    fn products_are_those_of_ndarray() {
        for (rows, depth, cols) in [(1, 1, 1), (3, 0, 2), (2100, 70, 5), (5, 130, 66)] {
            let (a, b) = (drawn(rows, depth, 5), drawn(depth, cols, 3));
            assert!(close(&times(a.view(), b.view()), &a.dot(&b)));
            let (turned, b) = (drawn(depth, rows, 5), drawn(depth, cols, 3));
            assert!(close(&turned_times(turned.view(), b.view()), &turned.t().dot(&b)));
            assert!(close(&times(turned.t(), b.view()), &turned.t().dot(&b)));
        }
    }

    #[test]
    fn bytes_do_not_depend_on_the_threads() {
        let (a, b) = (drawn(5000, 100, 5), drawn(5000, 90, 3));
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let small = turned_times(a.view(), b.view());
                (times(a.view(), small.view()), small)
            })
        };
        let one = run(1);
        assert!([2, 4, 8].into_iter().all(|threads| run(threads) == one));
    }
}
