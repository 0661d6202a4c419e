//! Regions under a size go to a neighbour.

use crate::borders::borders;
use crate::disjoint_sets::DisjointSets;
use crate::region_table::{RegionTable, color_distance};
use segcut_core::{Context, Evidence, LabelMap, Refiner, StageError, VOID};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Which neighbour takes a small region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeTo {
    /// The one of the most similar mean color (CIE Lab); then the longest border.
    #[default]
    Color,
    /// The one with the longest border; then the most similar mean color.
    Border,
}

/// Parameters of [`MergeSmall`]. The larger one of the two sizes counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MergeSmallParams {
    /// Regions with fewer pixels are merged. Default: 0.
    pub min_size: usize,
    /// Regions under this share of the valid pixels are merged, 0 to 1. Default: 0.001 (154 pixels of 481×321).
    pub min_share: f64,
    /// Which neighbour takes a small region. Default: color.
    pub to: MergeTo,
}

impl Default for MergeSmallParams {
    fn default() -> Self {
        Self { min_size: 0, min_share: 0.001, to: MergeTo::Color }
    }
}

/// Merges regions under a size into a neighbour, the smallest first.
///
/// A merged region counts with its new size and mean color and is merged again where it is still small. A
/// region without a neighbour (alone among VOID pixels, or the last one) stays. The result keeps the order of
/// the labels, without gaps; a small region takes its neighbour's label. Neighbours share a pixel's side.
/// Regions need not be connected: a small one goes as a whole ([`Components`](crate::Components) before this
/// stage makes every piece a region).
///
/// # Determinism
/// No randomness; equal sizes go by the smaller label, equal neighbours likewise.
///
/// # Cost
/// O(pixels + borders · log regions).
///
/// # Examples
/// ```
/// use segcut_core::{
///     Affinity, Clustering, ColorSpace, Context, Evidence, Image, LabelMap, Partition, Refiner, RegionGraph, Samples,
///     SparseAffinity,
/// };
/// use segcut_refine::{MergeSmall, MergeSmallParams};
/// let image = Image::new(1, 5, ColorSpace::Gray, Samples::U8(vec![10, 10, 80, 90, 90]))?;
/// let labels = LabelMap::new(1, 5, vec![0, 0, 1, 2, 2])?;
/// let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(3, vec![], vec![])?));
/// let clustering = Clustering::converged(Partition::singletons(3));
/// let evidence =
///     Evidence { image: &image, superpixels: &labels, graph: &graph, clustering: &clustering, attention: None };
/// let stage = MergeSmall::new(MergeSmallParams { min_size: 2, ..MergeSmallParams::default() })?;
/// let merged = stage.refine(&evidence, labels.clone(), &Context::default())?;
/// assert_eq!(merged.labels(), [0, 0, 1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MergeSmall {
    params: MergeSmallParams,
}

impl MergeSmall {
    /// The stage with its parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] for a share outside 0 … 1.
    pub fn new(params: MergeSmallParams) -> Result<Self, StageError> {
        if !(0.0..=1.0).contains(&params.min_share) {
            return Err(StageError::parameter("refine.min_share", params.min_share, "from 0 to 1"));
        }
        Ok(Self { params })
    }
}

impl Refiner for MergeSmall {
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, _: &Context) -> Result<LabelMap, StageError> {
        let table = RegionTable::measure(evidence.image, &labels).map_err(StageError::data)?;
        let valid: f64 = table.area.iter().sum();
        let limit = (self.params.min_size as f64).max(self.params.min_share * valid);
        let names = Merger::new(&labels, table, self.params.to).run(limit);
        let n = names.iter().filter(|&&name| name != VOID).max().map_or(0, |&name| name as usize + 1);
        Ok(labels.map_pixels(n, |_, label| names[label as usize]))
    }
}

struct Merger {
    table: RegionTable,
    sets: DisjointSets,
    /// Per root, (a region of the other side, border length); may name a neighbour several times.
    neighbours: Vec<Vec<(u32, u32)>>,
    to: MergeTo,
}

impl Merger {
    fn new(labels: &LabelMap, table: RegionTable, to: MergeTo) -> Self {
        let mut neighbours = vec![Vec::new(); labels.n()];
        for border in borders(labels) {
            let [a, b] = border.regions;
            neighbours[a as usize].push((b, border.length));
            neighbours[b as usize].push((a, border.length));
        }
        Self { table, sets: DisjointSets::singletons(labels.n()), neighbours, to }
    }

    /// Merges until no region with a neighbour is under the limit; the new name of every label.
    fn run(mut self, limit: f64) -> Vec<u32> {
        let small = |area: f64| area > 0.0 && area < limit;
        let sizes = self.table.area.iter().enumerate();
        let mut queue: BinaryHeap<Reverse<(u64, u32)>> = sizes
            .filter(|(_, area)| small(**area))
            .map(|(region, area)| Reverse((*area as u64, region as u32)))
            .collect();
        while let Some(Reverse((size, region))) = queue.pop() {
            let current = self.sets.find(region) == region && self.table.area[region as usize] as u64 == size;
            let Some(target) = current.then(|| self.best_neighbour(region)).flatten() else { continue };
            self.merge(region, target);
            let area = self.table.area[target as usize];
            if small(area) {
                queue.push(Reverse((area as u64, target)));
            }
        }
        self.names()
    }

    fn best_neighbour(&mut self, region: u32) -> Option<u32> {
        let mut sides = std::mem::take(&mut self.neighbours[region as usize]);
        sides.iter_mut().for_each(|side| side.0 = self.sets.find(side.0));
        sides.retain(|side| side.0 != region);
        sides.sort_unstable();
        sides.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        let table = &self.table;
        let color = table.color(region as usize);
        let rated = sides.iter().map(|&(side, length)| {
            let far = color_distance(color, table.color(side as usize));
            (side, far, length)
        });
        let best = rated.min_by(|a, b| {
            let (by_color, by_border) = (a.1.total_cmp(&b.1), b.2.cmp(&a.2));
            match self.to {
                MergeTo::Color => by_color.then(by_border),
                MergeTo::Border => by_border.then(by_color),
            }
        });
        let target = best.map(|(side, ..)| side);
        self.neighbours[region as usize] = sides;
        target
    }

    fn merge(&mut self, from: u32, to: u32) {
        let mut moved = std::mem::take(&mut self.neighbours[from as usize]);
        let kept = &mut self.neighbours[to as usize];
        if moved.len() > kept.len() {
            std::mem::swap(&mut moved, kept);
        }
        kept.append(&mut moved);
        self.table.add(from as usize, to as usize);
        self.sets.hang(from, to);
    }

    fn names(mut self) -> Vec<u32> {
        let n = self.table.area.len() as u32;
        let mut names = vec![VOID; n as usize];
        let mut next = 0;
        for region in 0..n {
            if self.sets.find(region) == region && self.table.area[region as usize] > 0.0 {
                names[region as usize] = next;
                next += 1;
            }
        }
        (0..n).map(|region| names[self.sets.find(region) as usize]).collect()
    }
}
