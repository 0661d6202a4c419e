//! The level that splits weighted values best.

/// Sorted (value, weight) pairs → how many of them lie below Otsu's level.
///
/// N. Otsu, "A threshold selection method from gray-level histograms", 1979: the split with the largest variance
/// between the classes, here exact, between any two neighbouring different values. Of equal splits the first counts;
/// 0 where all values are equal.
///
/// # Examples
/// ```
/// // Values 0 and 0.1 against 0.9 and 1.0.
/// assert_eq!(segcut_graph::otsu(&[[0.0, 5.0], [0.1, 5.0], [0.9, 1.0], [1.0, 1.0]]), 2);
/// ```
pub fn otsu(sorted: &[[f64; 2]]) -> usize {
    let total: f64 = sorted.iter().map(|[_, weight]| weight).sum();
    let mass: f64 = sorted.iter().map(|[value, weight]| value * weight).sum();
    let (mut below, mut mass_below) = (0.0, 0.0);
    let (mut best, mut best_at) = (0.0, 0);
    for (at, pair) in sorted.windows(2).enumerate() {
        below += pair[0][1];
        mass_below += pair[0][0] * pair[0][1];
        if pair[0][0] == pair[1][0] {
            continue;
        }
        // eq. 18: σ_B² = (μ_T ω − μ)² / (ω (1 − ω))
        let between = (mass * below / total - mass_below).powi(2) / (below * (total - below));
        if between > best {
            (best, best_at) = (between, at + 1);
        }
    }
    best_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_is_found() {
        assert_eq!(otsu(&[[0.0, 5.0], [0.1, 5.0], [0.9, 1.0], [1.0, 1.0]]), 2);
        assert_eq!(otsu(&[[0.5, 5.0], [0.5, 5.0]]), 0);
        assert_eq!(otsu(&[[1.0, 3.0], [2.0, 1.0]]), 1);
        assert_eq!(otsu(&[]), 0);
    }
}
