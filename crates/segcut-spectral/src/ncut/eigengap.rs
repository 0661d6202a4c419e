//! Eigenvalues to a number of clusters.

/// Ascending eigenvalues → the k in `low ..= high` before the largest gap λ_{k+1} − λ_k, the smallest of equals.
///
/// von Luxburg, A tutorial on spectral clustering, 2007, section 8.3. `high` is lowered to one less than there
/// are values; where that leaves no choice, `low`.
///
/// ```
/// assert_eq!(segcut_spectral::eigengap(&[0.0, 0.1, 0.2, 0.9, 1.0], 1, 4), 3);
/// assert_eq!(segcut_spectral::eigengap(&[0.0], 1, 4), 1);
/// ```
pub fn eigengap(values: &[f64], low: usize, high: usize) -> usize {
    let mut best = (low, f64::NEG_INFINITY);
    for k in low.max(1)..=high.min(values.len().saturating_sub(1)) {
        let gap = values[k] - values[k - 1];
        if gap > best.1 {
            best = (k, gap);
        }
    }
    best.0
}
