//! Eigenvectors to clusters by pivoted QR.

use super::lanes::Lanes;
use super::polar::polar_factor;
use ndarray::{Array2, ArrayView2};
use std::borrow::Cow;

/// n×k eigenvectors → n labels below k.
///
/// Damle, Minden & Ying, Simple, direct and efficient multi-way spectral clustering, 2019, algorithm 1: k rows
/// are chosen as the pivots of a QR factorization of Vᵀ, the orthogonal polar factor of those rows rotates V
/// towards an indicator matrix, and each row takes its column of largest magnitude. Ties go to the smaller
/// label; a zero row gets label 0.
///
/// # Determinism
/// No randomness. Rows that are equal up to rounding may exchange the order of labels, not the clusters.
///
/// # Cost
/// O(n·k²) time, one value per row beside the vectors.
///
/// # Examples
/// ```
/// use ndarray::array;
/// let vectors = array![[0.0, 1.0], [0.0, 1.0], [1.0, 0.1]];
/// let labels = segcut_spectral::cluster_qr(vectors.view());
/// assert!(labels[0] == labels[1] && labels[1] != labels[2]);
/// ```
pub fn cluster_qr(vectors: ArrayView2<'_, f64>) -> Vec<u32> {
    let (n, k) = vectors.dim();
    if n == 0 || k <= 1 {
        return vec![0; n];
    }
    let pivots = pivot_rows(vectors);
    let mut rows = Array2::zeros((k, k));
    for (j, &pivot) in pivots.iter().enumerate() {
        rows.column_mut(j).assign(&vectors.row(pivot));
    }
    // Columns are the pivot rows, so the polar factor of Vᵀ[:, pivots] turns rows into indicators.
    let Some((rotation, _)) = polar_factor(&rows) else {
        return vec![0; n];
    };
    let lanes = Lanes::new(rotation.t());
    let mut labels = vec![0; n];
    align(rows_of(&vectors).as_ref(), &lanes, &mut labels);
    labels
}

fn rows_of<'a>(vectors: &'a ArrayView2<'_, f64>) -> Cow<'a, [f64]> {
    vectors.as_slice().map_or_else(|| vectors.iter().copied().collect(), Cow::Borrowed)
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn align(rows: &[f64], lanes: &Lanes, labels: &mut [u32]) {
    for (label, row) in labels.iter_mut().zip(rows.chunks_exact(lanes.d())) {
        *label = lanes.most_aligned(row);
    }
}

/// min(n, k) rows, each the longest after the ones before it are projected out (Businger & Golub 1965).
///
/// The rows stay as they are: their squared lengths lose the square of the product with each new direction.
fn pivot_rows(vectors: ArrayView2<'_, f64>) -> Vec<usize> {
    let (n, k) = vectors.dim();
    let rows = rows_of(&vectors);
    let mut squares: Vec<f64> = rows.chunks_exact(k).map(|row| row.iter().map(|x| x * x).sum()).collect();
    let mut directions: Vec<Vec<f64>> = Vec::with_capacity(k);
    let mut pivots = Vec::with_capacity(k);
    for _ in 0..k.min(n) {
        let mut best = (usize::MAX, f64::NEG_INFINITY);
        for (i, &square) in squares.iter().enumerate() {
            if square > best.1 {
                best = (i, square);
            }
        }
        let pivot = best.0;
        pivots.push(pivot);
        let mut direction = rows[pivot * k..(pivot + 1) * k].to_vec();
        let length = crate::kernels::norm(&direction);
        for _ in 0..2 {
            for done in &directions {
                let along = crate::kernels::dot(done, &direction);
                crate::kernels::axpy(-along, done, &mut direction);
            }
        }
        let left = crate::kernels::norm(&direction);
        if left > 1e-12 * length {
            direction.iter_mut().for_each(|x| *x /= left);
            shorten(&rows, &direction, &mut squares);
            directions.push(direction);
        }
        squares[pivot] = f64::NEG_INFINITY;
    }
    pivots
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn shorten(rows: &[f64], direction: &[f64], squares: &mut [f64]) {
    for (square, row) in squares.iter_mut().zip(rows.chunks_exact(direction.len())) {
        let mut sums = [0.0f64; 8];
        let (chunks, rest) = row.as_chunks::<8>();
        let (directions, rest_direction) = direction.as_chunks::<8>();
        for (x, y) in chunks.iter().zip(directions) {
            for lane in 0..8 {
                sums[lane] += x[lane] * y[lane];
            }
        }
        let rest: f64 = rest.iter().zip(rest_direction).map(|(x, y)| x * y).sum();
        let along = sums.iter().sum::<f64>() + rest;
        *square -= along * along;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rotated_indicators_are_found() {
        let (s, c) = 0.7f64.sin_cos();
        let rows = [[c, s], [-s, c], [c, s], [-s, c]];
        let vectors = Array2::from_shape_fn((4, 2), |(i, j)| rows[i][j]);
        let labels = cluster_qr(vectors.view());
        assert!(labels[0] == labels[2] && labels[1] == labels[3] && labels[0] != labels[1]);
    }

    #[test]
    fn odd_shapes_are_defined() {
        assert_eq!(cluster_qr(Array2::zeros((0, 3)).view()), Vec::<u32>::new());
        assert_eq!(cluster_qr(Array2::zeros((4, 3)).view()), [0; 4]);
        assert_eq!(cluster_qr(array![[2.0], [3.0]].view()), [0, 0]);
        assert!(cluster_qr(array![[1.0, 2.0, 3.0]].view())[0] < 3);
        assert_eq!(cluster_qr(Array2::ones((3, 2)).view()), [0; 3]);
    }
}
