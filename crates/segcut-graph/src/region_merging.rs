//! Adjacent regions → merge tree by borders, features and sizes.

use crate::distance::BlockDistance;
use crate::greedy_merging::{Border, PairCost, greedy_merging};
use segcut_core::{FeatureBlock, MergeTree, MergeTreeError};

/// Regions that can be merged.
#[derive(Debug, Clone, Copy)]
pub struct Regions<'a> {
    /// Pixels per region.
    pub sizes: &'a [f64],
    /// Borders; a pair of regions has at most one.
    pub borders: &'a [Border],
    /// Feature blocks with their weights: histograms (by the chi-square distance) and means (Euclidean).
    pub blocks: &'a [(&'a FeatureBlock, f64)],
}

/// How small regions are favoured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeFactor {
    /// Size from which on a region counts as full.
    pub full_size: f64,
    /// Exponent of (smaller size / full size); 0 leaves sizes out.
    pub exponent: f64,
}

/// Regions → the tree of greedy merges, always of the pair with the smallest cost
///
/// min(1, smaller size / full size)^exponent · (strength + Σ weight · distance of the blocks).
///
/// After a merge the joined region has the size-weighted means of both (of histograms too), and two
/// borders with the same third region become one with the length-weighted mean strength. The
/// chi-square distance is ½ Σ (p − q)² / (p + q). Heights are the running maximum of the costs
/// (Arbeláez et al. 2011, section 4, whose cost is the strength alone). Among equal costs, the pair
/// made from earlier tree nodes goes first. What no border connects is merged last, at infinity.
///
/// # Errors
/// [`MergeTreeError`] where a strength or feature is NaN.
///
/// # Cost
/// O(m log m) for m costs; each merge recomputes those of its neighbours, O(Σ dims) each.
///
/// # Examples
/// ```
/// use segcut_graph::{Border, Regions, SizeFactor, region_merging};
/// let border = |nodes, strength| Border { nodes, length: 1.0, strength };
/// let borders = [border([0, 1], 3.0), border([1, 2], 1.0), border([0, 2], 7.0)];
/// let regions = Regions { sizes: &[1.0; 3], borders: &borders, blocks: &[] };
/// let tree = region_merging(&regions, SizeFactor { full_size: 1.0, exponent: 0.0 })?;
/// assert_eq!((tree.merges()[0].nodes, tree.merges()[0].height), ([1, 2], 1.0));
/// assert_eq!(tree.merges()[1].height, 5.0);
/// # Ok::<(), segcut_core::MergeTreeError>(())
/// ```
pub fn region_merging(regions: &Regions<'_>, factor: SizeFactor) -> Result<MergeTree, MergeTreeError> {
    let blocks = regions.blocks.iter().map(|&(block, weight)| BlockDistance::new(block, weight)).collect();
    let mut cost = RegionCost { factor, sizes: regions.sizes.to_vec(), blocks };
    greedy_merging(regions.sizes.len(), regions.borders, &mut cost)
}

/// The current regions.
struct RegionCost {
    factor: SizeFactor,
    sizes: Vec<f64>,
    blocks: Vec<BlockDistance>,
}

impl PairCost for RegionCost {
    fn cost(&self, a: usize, b: usize, strength: f64) -> f64 {
        let distance: f64 = self.blocks.iter().map(|block| block.between(a, b)).sum();
        let smaller = self.sizes[a].min(self.sizes[b]);
        (smaller / self.factor.full_size).min(1.0).powf(self.factor.exponent) * (strength + distance)
    }

    fn join(&mut self, keep: usize, gone: usize) {
        let (a, b) = (self.sizes[keep], self.sizes[gone]);
        let share = if a + b > 0.0 { b / (a + b) } else { 0.5 };
        self.blocks.iter_mut().for_each(|block| block.mix(keep, gone, share as f32));
        self.sizes[keep] = a + b;
    }
}

#[cfg(test)]
mod tests;
