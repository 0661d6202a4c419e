//! Eigenvectors to clusters by pivoted QR.

use super::polar::polar_factor;
use ndarray::{Array2, ArrayView2};

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
/// O(n·k²) time, one copy of the vectors.
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
    let label = |row: ndarray::ArrayView1<'_, f64>| {
        let mut best = (0, -1.0);
        for (j, column) in rotation.columns().into_iter().enumerate() {
            let value = row.dot(&column).abs();
            if value > best.1 {
                best = (j as u32, value);
            }
        }
        best.0
    };
    vectors.rows().into_iter().map(label).collect()
}

/// min(n, k) rows, each the longest after the ones before it are projected out (Businger & Golub 1965).
fn pivot_rows(vectors: ArrayView2<'_, f64>) -> Vec<usize> {
    let (n, k) = vectors.dim();
    let mut rest = vectors.to_owned();
    let mut pivots = Vec::with_capacity(k);
    for _ in 0..k.min(n) {
        let mut best = (usize::MAX, -1.0);
        for (i, row) in rest.rows().into_iter().enumerate() {
            let square = row.dot(&row);
            if square > best.1 && !pivots.contains(&i) {
                best = (i, square);
            }
        }
        let (pivot, square) = best;
        pivots.push(pivot);
        if square <= 0.0 {
            continue;
        }
        let direction = rest.row(pivot).to_owned() / square.sqrt();
        for mut row in rest.rows_mut() {
            let along = row.dot(&direction);
            row.scaled_add(-along, &direction);
        }
    }
    pivots
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
