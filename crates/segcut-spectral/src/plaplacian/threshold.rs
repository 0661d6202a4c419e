//! A node vector to two sides of a graph by a threshold, with both parts of the cut.

use super::criterion::{Criterion, part};
use super::cut_profile::cut_profile;
use crate::pencil::Pencil;
use serde::{Deserialize, Serialize};

/// Where the vector is cut; nodes strictly above are one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// At 0.
    Zero,
    /// At the median.
    Median,
    /// At the mean.
    Mean,
    /// At the value for which the criterion is smallest.
    #[default]
    Best,
}

/// Two sides of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoWay {
    /// Nodes above the threshold.
    pub above: Vec<bool>,
    /// The threshold: the largest value of the lower side, where it was searched.
    pub threshold: f64,
    /// cut/size of the lower and of the upper side.
    pub parts: [f64; 2],
    /// What was minimized, at this threshold; infinite where one side is empty or the balance does not hold.
    pub value: f64,
}

/// How a cut is valued.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Valuation<'a> {
    pub(crate) criterion: Criterion,
    /// Share by which a side may exceed ⌈n/2⌉ nodes ([`Criterion::Balanced`]).
    pub(crate) imbalance: f64,
    /// Size of each node: the whole graph's degrees or ones.
    pub(crate) mass: &'a [f64],
    /// Weight from each node to nodes outside the graph (parts of a larger one).
    pub(crate) outside: Option<&'a [f64]>,
}

/// The threshold between two different values for which the criterion is smallest, the lowest of equals.
///
/// Bühler & Hein 2009, section 2: thresholding the eigenvector. Equal values stay on one side.
///
/// # Panics
/// Where `vector` does not have one value per node.
///
/// # Cost
/// O(edges + n·log n).
///
/// # Examples
/// ```
/// use segcut_core::SparseAffinity;
/// use segcut_spectral::{Criterion, Laplacian, Pencil, Threshold, threshold_cut};
/// let path = SparseAffinity::new(4, vec![[0, 1], [1, 2], [2, 3]], vec![1.0, 0.1, 1.0])?;
/// let pencil = Pencil::new(&path, Laplacian::Unnormalized, 0.0)?;
/// let cut = threshold_cut(&pencil, &[-1.0, -0.9, 0.8, 1.0], Threshold::Best, Criterion::Cut, 0.05);
/// assert_eq!((cut.above, cut.threshold), (vec![false, false, true, true], -0.9));
/// assert!((cut.value - 0.1).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn threshold_cut(
    pencil: &Pencil,
    vector: &[f64],
    threshold: Threshold,
    criterion: Criterion,
    imbalance: f64,
) -> TwoWay {
    let valuation = Valuation { criterion, imbalance, mass: pencil.mass(), outside: None };
    cut_by(pencil, vector, threshold, &valuation)
}

/// As [`threshold_cut`], with sizes and outside weights of a larger graph.
pub(crate) fn cut_by(pencil: &Pencil, vector: &[f64], threshold: Threshold, valuation: &Valuation<'_>) -> TwoWay {
    assert_eq!(vector.len(), pencil.n(), "one value per node");
    let mut levels = vector.to_vec();
    levels.sort_by(f64::total_cmp);
    let fixed = match threshold {
        Threshold::Best => None,
        Threshold::Zero => Some(0.0),
        Threshold::Median => Some(median(&levels)),
        Threshold::Mean => Some(vector.iter().sum::<f64>() / vector.len().max(1) as f64),
    };
    if let Some(threshold) = fixed {
        let above: Vec<bool> = vector.iter().map(|&x| x > threshold).collect();
        let ranks: Vec<u32> = above.iter().map(|&a| u32::from(a)).collect();
        let (_, parts, value) = best_rank(pencil, &ranks, 2, valuation);
        return TwoWay { above, threshold, parts, value };
    }
    levels.dedup();
    let ranks: Vec<u32> = vector.iter().map(|x| levels.partition_point(|l| l < x) as u32).collect();
    let (rank, parts, value) = best_rank(pencil, &ranks, levels.len(), valuation);
    let above = ranks.iter().map(|&r| r as usize > rank).collect();
    TwoWay { above, threshold: levels.get(rank).copied().unwrap_or(0.0), parts, value }
}

fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    if n == 0 {
        return 0.0;
    }
    0.5 * (sorted[(n - 1) / 2] + sorted[n / 2])
}

/// The rank t with the smallest value when ranks ≤ t are cut from those above; its parts and value.
fn best_rank(pencil: &Pencil, ranks: &[u32], levels: usize, valuation: &Valuation<'_>) -> (usize, [f64; 2], f64) {
    let cuts = cut_profile(pencil, ranks, levels);
    let mass = Sides::new(ranks, levels, valuation.mass);
    let size = Sides::new(ranks, levels, &vec![1.0; ranks.len()]);
    let outside = valuation.outside.map(|o| Sides::new(ranks, levels, o));
    let bound = (1.0 + valuation.imbalance) * (ranks.len() as f64 / 2.0).ceil() + 1e-9;
    let mut best = (0, [0.0; 2], f64::INFINITY);
    for (t, &cut) in cuts.iter().enumerate() {
        let out = outside.as_ref().map_or([0.0; 2], |o| o.at(t));
        let across = [cut + out[0], cut + out[1]];
        let (sizes, counts) = (mass.at(t), size.at(t));
        let parts = [part(across[0], sizes[0]), part(across[1], sizes[1])];
        let value = match valuation.criterion {
            Criterion::Balanced if counts[0].max(counts[1]) > bound.floor() => continue,
            Criterion::Balanced => cut,
            criterion => criterion.of(parts),
        };
        let filled = counts[0] > 0.0 && counts[1] > 0.0;
        if filled && value < best.2 {
            best = (t, parts, value);
        }
    }
    best
}

/// Sums of a node quantity on both sides of every rank, each summed from its own end.
struct Sides {
    below: Vec<f64>,
    above: Vec<f64>,
}

impl Sides {
    fn new(ranks: &[u32], levels: usize, quantity: &[f64]) -> Self {
        let mut below = vec![0.0; levels];
        for (&rank, q) in ranks.iter().zip(quantity) {
            below[rank as usize] += q;
        }
        let mut above = below.clone();
        for t in 1..levels {
            below[t] += below[t - 1];
        }
        for t in (1..levels).rev() {
            above[t - 1] += above[t];
        }
        Self { below, above }
    }

    /// Sums over ranks ≤ t and > t.
    fn at(&self, t: usize) -> [f64; 2] {
        [self.below[t], self.above[t + 1]]
    }
}
