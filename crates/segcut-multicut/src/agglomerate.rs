//! Neighboring regions to a merge tree: the most alike pair first.

use crate::linkage::{Border, Regions};
use segcut_core::{Merge, MergeTree, MergeTreeError};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

/// A pair of slots as it was when it entered the heap; stale once either slot has another version.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    unlike: f64,
    /// Tree nodes, ascending: ties go to the older nodes.
    nodes: [u32; 2],
    slots: [u32; 2],
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.unlike.total_cmp(&other.unlike).then(self.nodes.cmp(&other.nodes))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

/// Regions, edges and their borders → the whole tree. Components join at an infinite height at the end.
///
/// A merge gives new values to all edges of the merged region; their older heap entries become stale and are
/// passed over. Heights are made not to fall by their running maximum.
///
/// # Cost
/// O(Σ degree of merged regions · log): O(m·log m) for region graphs of bounded degree.
pub(crate) fn agglomerate(
    mut regions: Regions,
    n: usize,
    edges: &[[u32; 2]],
    borders: &[Border],
) -> Result<MergeTree, MergeTreeError> {
    let mut neighbors: Vec<BTreeMap<u32, Border>> = vec![BTreeMap::new(); n];
    let mut heap = BinaryHeap::with_capacity(edges.len());
    for (&[u, v], &border) in edges.iter().zip(borders) {
        neighbors[u as usize].insert(v, border);
        neighbors[v as usize].insert(u, border);
        let unlike = regions.unlike(u as usize, v as usize, border);
        heap.push(Reverse(Candidate { unlike, nodes: [u, v], slots: [u, v] }));
    }
    // The tree node that lives in each slot; u32::MAX where the slot's region went elsewhere.
    let mut node: Vec<u32> = (0..n as u32).collect();
    let mut merges = Vec::with_capacity(n.saturating_sub(1));
    let mut height = f64::NEG_INFINITY;
    while let Some(Reverse(candidate)) = heap.pop() {
        let [a, b] = candidate.slots.map(|s| s as usize);
        if sorted([node[a], node[b]]) != candidate.nodes {
            continue;
        }
        height = height.max(candidate.unlike);
        let (kept, gone) = if neighbors[a].len() >= neighbors[b].len() { (a, b) } else { (b, a) };
        regions.join(kept, gone);
        move_borders(&mut neighbors, kept, gone);
        node[gone] = u32::MAX;
        node[kept] = (n + merges.len()) as u32;
        merges.push(Merge { nodes: candidate.nodes, height });
        for (&other, &border) in &neighbors[kept] {
            let unlike = regions.unlike(kept, other as usize, border);
            let nodes = sorted([node[kept], node[other as usize]]);
            heap.push(Reverse(Candidate { unlike, nodes, slots: [kept as u32, other] }));
        }
    }
    let mut roots = node.into_iter().filter(|&node| node != u32::MAX);
    if let Some(mut root) = roots.next() {
        for other in roots {
            merges.push(Merge { nodes: sorted([root, other]), height: f64::INFINITY });
            root = (n + merges.len() - 1) as u32;
        }
    }
    MergeTree::new(n, merges)
}

/// The borders of slot `gone` become borders of slot `kept`.
fn move_borders(neighbors: &mut [BTreeMap<u32, Border>], kept: usize, gone: usize) {
    neighbors[kept].remove(&(gone as u32));
    for (other, border) in std::mem::take(&mut neighbors[gone]) {
        if other as usize == kept {
            continue;
        }
        neighbors[other as usize].remove(&(gone as u32));
        let joined = neighbors[kept].entry(other).and_modify(|b| b.join(border)).or_insert(border);
        let joined = *joined;
        neighbors[other as usize].insert(kept as u32, joined);
    }
}

fn sorted(nodes: [u32; 2]) -> [u32; 2] {
    [nodes[0].min(nodes[1]), nodes[0].max(nodes[1])]
}
