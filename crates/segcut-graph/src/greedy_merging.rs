//! Pairs that touch → merge tree, the cheapest pair first, whatever a pair costs.

use segcut_core::{Merge, MergeTree, MergeTreeError};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A border between two regions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Border {
    /// Its two regions.
    pub nodes: [u32; 2],
    /// Its length: what strengths are weighted by when borders become one.
    pub length: f64,
    /// How strongly it parts the two, at least 0.
    pub strength: f64,
}

/// What merging two regions costs, and what becomes of them. A merged region goes on in the slot of one of its parts.
pub trait PairCost {
    /// The cost of merging the regions in slots a and b, at least 0, given the strength of their border.
    fn cost(&self, a: usize, b: usize, strength: f64) -> f64;

    /// The region in slot `gone` becomes part of the one in slot `keep`.
    fn join(&mut self, keep: usize, gone: usize);
}

/// n regions and their borders → the tree of greedy merges, always of the pair with the smallest cost.
///
/// Two borders of the joined region with the same third one become one with the length-weighted mean
/// strength. Heights are the running maximum of the costs. Among equal costs, the pair made from
/// earlier tree nodes goes first. What no border connects is merged last, at infinity.
///
/// # Errors
/// [`MergeTreeError`] where a cost is NaN.
///
/// # Cost
/// O(m log m) for m costs; each merge asks for those of all borders of the joined region.
pub fn greedy_merging(n: usize, borders: &[Border], pair: &mut impl PairCost) -> Result<MergeTree, MergeTreeError> {
    let mut state = Merging::new(n, borders, pair);
    let mut heap: BinaryHeap<Candidate> = (0..borders.len() as u32).map(|border| state.candidate(border)).collect();
    let mut merges = Vec::with_capacity(n.saturating_sub(1));
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
        last = Some((n + merges.len() - 1) as u32);
    }
    MergeTree::new(n, merges)
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
struct Merging<'c, C: PairCost> {
    pair: &'c mut C,
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
    /// Scratch: the border of the joined region with a slot.
    shared: Vec<u32>,
}

impl<'c, C: PairCost> Merging<'c, C> {
    fn new(n: usize, borders: &[Border], pair: &'c mut C) -> Self {
        let mut around = vec![Vec::new(); n];
        for (border, nodes) in (0..).zip(borders) {
            nodes.nodes.iter().for_each(|&node| around[node as usize].push(border));
        }
        Self {
            pair,
            nodes: (0..n as u32).map(Some).collect(),
            made: n as u32,
            ends: borders.iter().map(|b| b.nodes).collect(),
            lengths: borders.iter().map(|b| b.length).collect(),
            sums: borders.iter().map(|b| b.strength * b.length).collect(),
            versions: vec![0; borders.len()],
            around,
            shared: vec![GONE; n],
        }
    }

    fn candidate(&self, border: u32) -> Candidate {
        let at = border as usize;
        let [a, b] = self.ends[at].map(|slot| slot as usize);
        let strength = if self.lengths[at] > 0.0 { self.sums[at] / self.lengths[at] } else { 0.0 };
        let cost = self.pair.cost(a, b, strength);
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
        self.pair.join(keep as usize, gone as usize);
        self.nodes[keep as usize] = Some(self.made);
        self.nodes[gone as usize] = None;
        self.made += 1;
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
