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
    /// What features add to the cost, or multiply it by.
    pub blocks: &'a [BlockTerm<'a>],
}

/// A feature block's part in the cost of a merge. Its distance is that of histograms (chi-square) or of means
/// (Euclidean).
#[derive(Debug, Clone, Copy)]
pub struct BlockTerm<'a> {
    /// One row per region.
    pub block: &'a FeatureBlock,
    /// weight · distance is added to the strength of the border.
    pub weight: f64,
    /// exp(exponent · √distance) multiplies the cost.
    pub exponent: f64,
}

/// The largest exponent of a cost's factor, so that no cost becomes infinite.
const MOST: f64 = 300.0;

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
/// min(1, smaller size / full size)^exponent · (strength + Σ weight · distance) · exp(Σ exponent · √distance).
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
    let blocks = regions.blocks.iter().map(|term| (BlockDistance::new(term.block), *term)).collect();
    let mut cost = RegionCost { factor, sizes: regions.sizes.to_vec(), blocks };
    greedy_merging(regions.sizes.len(), regions.borders, &mut cost)
}

/// The current regions.
struct RegionCost<'a> {
    factor: SizeFactor,
    sizes: Vec<f64>,
    blocks: Vec<(BlockDistance, BlockTerm<'a>)>,
}

impl PairCost for RegionCost<'_> {
    fn cost(&self, a: usize, b: usize, strength: f64) -> f64 {
        let (mut sum, mut exponent) = (strength, 0.0);
        for (rows, term) in &self.blocks {
            let distance = rows.between(a, b);
            sum += term.weight * distance;
            exponent += term.exponent * distance.sqrt();
        }
        let smaller = self.sizes[a].min(self.sizes[b]);
        let size = (smaller / self.factor.full_size).min(1.0).powf(self.factor.exponent);
        size * sum * exponent.min(MOST).exp()
    }

    fn join(&mut self, keep: usize, gone: usize) {
        let (a, b) = (self.sizes[keep], self.sizes[gone]);
        let share = if a + b > 0.0 { b / (a + b) } else { 0.5 };
        self.blocks.iter_mut().for_each(|(rows, _)| rows.mix(keep, gone, share as f32));
        self.sizes[keep] = a + b;
    }
}

#[cfg(test)]
mod tests;
