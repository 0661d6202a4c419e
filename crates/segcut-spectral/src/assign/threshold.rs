//! One vector to two sides: the threshold with the smallest normalized cut.

use crate::pencil::Pencil;

/// Two sides of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdCut {
    /// Nodes above the threshold.
    pub above: Vec<bool>,
    /// cut/mass(above) + cut/mass(below); infinite where one side is empty.
    pub ncut: f64,
}

/// The best of `count` thresholds spread evenly from the smallest value to below the largest.
///
/// Shi & Malik 2000, section 3.1.3, as scikit-image's `cut_normalized` does it: thresholds
/// min + i·(max − min)/count for i in 0 .. count, nodes strictly above on one side, the first of equal cuts.
///
/// # Cost
/// O(edges + count): each edge enters a difference array over the thresholds between its ends.
///
/// # Panics
/// Where `vector` does not have one value per node.
pub fn even_thresholds(pencil: &Pencil, vector: &[f64], count: usize) -> ThresholdCut {
    assert_eq!(vector.len(), pencil.n(), "one value per node");
    let low = vector.iter().copied().fold(f64::INFINITY, f64::min);
    let high = vector.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // numpy.allclose(low, high): such a vector cuts nothing.
    if vector.is_empty() || (low - high).abs() <= 1e-8 + 1e-5 * high.abs() {
        return ThresholdCut { above: vec![false; vector.len()], ncut: f64::INFINITY };
    }
    let step = (high - low) / count as f64;
    let thresholds: Vec<f64> = (0..count).map(|i| low + i as f64 * step).collect();
    // ranks[i] thresholds lie below value i: the node is above exactly those.
    let ranks: Vec<usize> = vector.iter().map(|&x| thresholds.partition_point(|&t| x > t)).collect();
    cut_by_ranks(pencil, &ranks, count)
}

/// The best threshold between any two neighboring values of the vector; equal values stay together.
///
/// # Cost
/// O(n·log n + edges).
///
/// # Panics
/// Where `vector` does not have one value per node.
pub fn best_threshold(pencil: &Pencil, vector: &[f64]) -> ThresholdCut {
    assert_eq!(vector.len(), pencil.n(), "one value per node");
    let mut levels = vector.to_vec();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let count = levels.len().saturating_sub(1);
    if count == 0 {
        return ThresholdCut { above: vec![false; vector.len()], ncut: f64::INFINITY };
    }
    let ranks: Vec<usize> = vector.iter().map(|x| levels.partition_point(|l| l < x)).collect();
    cut_by_ranks(pencil, &ranks, count)
}

/// The best of the cuts that part the ranks ≤ t from those > t, for t below `count`.
fn cut_by_ranks(pencil: &Pencil, ranks: &[usize], count: usize) -> ThresholdCut {
    let mut cut = vec![0.0; count + 1];
    let mut mass = vec![0.0; count + 1];
    for (i, &rank) in ranks.iter().enumerate() {
        mass[rank] += pencil.mass()[i];
        let (neighbors, weights) = pencil.row(i);
        for (&j, &w) in neighbors.iter().zip(weights) {
            let other = ranks[j as usize];
            if other > rank {
                cut[rank] += w;
                cut[other] -= w;
            }
        }
    }
    let (best, ncut) = smallest(&cut, &mass, count, |t| cut_at(pencil, ranks, t));
    ThresholdCut { above: ranks.iter().map(|&rank| rank > best).collect(), ncut }
}

/// The threshold with the smallest normalized cut; `cut` holds differences, `mass_above` the mass per rank.
///
/// Running sums lose small cuts to cancellation, so the candidates near the smallest are summed again over edges.
fn smallest(cut: &[f64], mass_per_rank: &[f64], count: usize, exact: impl Fn(usize) -> f64) -> (usize, f64) {
    let total: f64 = mass_per_rank.iter().sum();
    let mut running = 0.0;
    let mut below = 0.0;
    let mut best = (0, f64::INFINITY);
    let largest = cut.iter().fold(0.0f64, |a, c| a.max(c.abs()));
    for t in 0..count {
        running += cut[t];
        below += mass_per_rank[t];
        let above = total - below;
        if !(below > 0.0 && above > 0.0) {
            continue;
        }
        let value = if running <= 1e-12 * largest * (t + 1) as f64 { exact(t) } else { running };
        let ncut = value / above + value / below;
        if ncut < best.1 {
            best = (t, ncut);
        }
    }
    best
}

/// The weight between nodes of rank > t and the others, summed over the edges themselves.
fn cut_at(pencil: &Pencil, ranks: &[usize], t: usize) -> f64 {
    let low = (0..pencil.n()).filter(|&i| ranks[i] <= t);
    low.map(|i| {
        let (neighbors, weights) = pencil.row(i);
        neighbors.iter().zip(weights).filter(|&(&j, _)| ranks[j as usize] > t).map(|(_, w)| w).sum::<f64>()
    })
    .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pencil::Laplacian;
    use segcut_core::SparseAffinity;

    fn path(weights: &[f64]) -> Pencil {
        let edges = (0..weights.len() as u32).map(|i| [i, i + 1]).collect();
        let affinity = SparseAffinity::new(weights.len() + 1, edges, weights.to_vec()).unwrap();
        Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap()
    }

    #[test]
    fn the_weak_edge_is_cut() {
        let pencil = path(&[1.0, 1.0, 0.1, 1.0, 1.0]);
        let vector = [0.0, 1.0, 2.0, 7.0, 8.0, 9.0];
        for cut in [best_threshold(&pencil, &vector), even_thresholds(&pencil, &vector, 10)] {
            assert_eq!(cut.above, [false, false, false, true, true, true]);
            assert!((cut.ncut - 2.0 * 0.1 / 4.1).abs() < 1e-15);
        }
    }

    #[test]
    fn tiny_cuts_are_exact() {
        let pencil = path(&[1.0, 1.0, 1e-200, 1.0, 1.0]);
        let cut = best_threshold(&pencil, &[0.0, 1.0, 2.0, 7.0, 8.0, 9.0]);
        assert!((cut.ncut / (2.0 * 1e-200 / 4.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn constant_vectors_cut_nothing() {
        let pencil = path(&[1.0, 1.0]);
        assert_eq!(best_threshold(&pencil, &[1.0; 3]).ncut, f64::INFINITY);
        assert_eq!(even_thresholds(&pencil, &[1.0; 3], 10).above, [false; 3]);
    }
}
