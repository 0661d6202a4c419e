//! Adjacent regions → merge tree, the cheapest pair first.

use crate::distance::BlockDistance;
use segcut_core::{FeatureBlock, Merge, MergeTree, MergeTreeError};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A border between two regions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Border {
    /// Its two regions.
    pub nodes: [u32; 2],
    /// Its length, above 0: what strengths are weighted by when borders become one.
    pub length: f64,
    /// How strongly it parts the two, at least 0.
    pub strength: f64,
}

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
    let mut state = Merging::new(regions, factor);
    let mut heap: BinaryHeap<Candidate> =
        (0..regions.borders.len() as u32).map(|border| state.candidate(border)).collect();
    let mut merges = Vec::with_capacity(regions.sizes.len().saturating_sub(1));
    let mut height = 0.0f64;
    while let Some(next) = heap.pop() {
        if state.versions[next.border as usize] != next.version {
            continue;
        }
        // max() would drop a NaN, which the tree has to refuse.
        height = if next.cost <= height { height } else { next.cost };
        merges.push(Merge { nodes: next.nodes, height });
        state.join(next.border, &mut heap);
    }
    let mut roots = state.roots().into_iter();
    let mut last = roots.next();
    for root in roots {
        merges.extend(last.map(|last| Merge { nodes: [last, root], height: f64::INFINITY }));
        last = Some((regions.sizes.len() + merges.len() - 1) as u32);
    }
    MergeTree::new(regions.sizes.len(), merges)
}

/// A border with its cost at some time; stale once the border's version has moved on.
struct Candidate {
    cost: f64,
    /// Tree nodes, the earlier one first.
    nodes: [u32; 2],
    border: u32,
    version: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the largest: reversed.
        other.cost.total_cmp(&self.cost).then_with(|| other.nodes.cmp(&self.nodes))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// The version of a border that is gone.
const GONE: u32 = u32::MAX;

/// The current regions. A merged region lives on in the slot of one of its two parts.
struct Merging {
    factor: SizeFactor,
    sizes: Vec<f64>,
    /// The tree node that a slot holds; none where it is merged away.
    nodes: Vec<Option<u32>>,
    made: u32,
    /// Slots of each border.
    ends: Vec<[u32; 2]>,
    lengths: Vec<f64>,
    /// Strength · length.
    sums: Vec<f64>,
    versions: Vec<u32>,
    /// Borders of each slot, also some that are gone.
    around: Vec<Vec<u32>>,
    blocks: Vec<BlockDistance>,
    /// Scratch: the border of the joined region with a slot.
    shared: Vec<u32>,
}

impl Merging {
    fn new(regions: &Regions<'_>, factor: SizeFactor) -> Self {
        let n = regions.sizes.len();
        let mut around = vec![Vec::new(); n];
        for (border, nodes) in (0..).zip(regions.borders) {
            nodes.nodes.iter().for_each(|&node| around[node as usize].push(border));
        }
        Self {
            factor,
            sizes: regions.sizes.to_vec(),
            nodes: (0..n as u32).map(Some).collect(),
            made: n as u32,
            ends: regions.borders.iter().map(|b| b.nodes).collect(),
            lengths: regions.borders.iter().map(|b| b.length).collect(),
            sums: regions.borders.iter().map(|b| b.strength * b.length).collect(),
            versions: vec![0; regions.borders.len()],
            around,
            blocks: regions.blocks.iter().map(|&(block, weight)| BlockDistance::new(block, weight)).collect(),
            shared: vec![GONE; n],
        }
    }

    fn candidate(&self, border: u32) -> Candidate {
        let at = border as usize;
        let [a, b] = self.ends[at].map(|slot| slot as usize);
        let distance: f64 = self.blocks.iter().map(|block| block.between(a, b)).sum();
        let smaller = self.sizes[a].min(self.sizes[b]);
        let share = (smaller / self.factor.full_size).min(1.0).powf(self.factor.exponent);
        let cost = share * (self.sums[at] / self.lengths[at] + distance);
        let mut nodes = [a, b].map(|slot| self.nodes[slot].unwrap_or(GONE));
        nodes.sort_unstable();
        Candidate { cost, nodes, border, version: self.versions[at] }
    }

    /// Makes the two regions of a border one and pushes the new costs of all its borders.
    fn join(&mut self, border: u32, heap: &mut BinaryHeap<Candidate>) {
        let [a, b] = self.ends[border as usize];
        let longer = self.around[a as usize].len() >= self.around[b as usize].len();
        let (keep, gone) = if longer { (a, b) } else { (b, a) };
        self.versions[border as usize] = GONE;
        self.mix(keep as usize, gone as usize);
        let mut kept: Vec<u32> = std::mem::take(&mut self.around[keep as usize]);
        kept.retain(|&other| self.versions[other as usize] != GONE);
        for &other in &kept {
            let third = self.other_end(other, keep);
            self.shared[third as usize] = other;
        }
        for moved in std::mem::take(&mut self.around[gone as usize]) {
            if self.versions[moved as usize] != GONE {
                self.take_over(moved, [keep, gone], &mut kept);
            }
        }
        for &other in &kept {
            let third = self.other_end(other, keep);
            self.shared[third as usize] = GONE;
            self.versions[other as usize] += 1;
            heap.push(self.candidate(other));
        }
        self.around[keep as usize] = kept;
    }

    /// A border of the slot that goes becomes one of the slot that stays, or part of it.
    fn take_over(&mut self, moved: u32, [keep, gone]: [u32; 2], kept: &mut Vec<u32>) {
        let third = self.other_end(moved, gone);
        let (at, same) = (moved as usize, self.shared[third as usize]);
        if same == GONE {
            self.ends[at] = [keep, third];
            self.shared[third as usize] = moved;
            kept.push(moved);
        } else {
            self.lengths[same as usize] += self.lengths[at];
            self.sums[same as usize] += self.sums[at];
            self.versions[at] = GONE;
        }
    }

    fn mix(&mut self, keep: usize, gone: usize) {
        let (a, b) = (self.sizes[keep], self.sizes[gone]);
        let share = if a + b > 0.0 { b / (a + b) } else { 0.5 };
        self.blocks.iter_mut().for_each(|block| block.mix(keep, gone, share as f32));
        self.sizes[keep] = a + b;
        self.nodes[keep] = Some(self.made);
        self.nodes[gone] = None;
        self.made += 1;
    }

    fn other_end(&self, border: u32, slot: u32) -> u32 {
        let [a, b] = self.ends[border as usize];
        if a == slot { b } else { a }
    }

    fn roots(&self) -> Vec<u32> {
        let mut roots: Vec<u32> = self.nodes.iter().copied().flatten().collect();
        roots.sort_unstable();
        roots
    }
}

#[cfg(test)]
mod tests;
