//! Merge tree and its leaves → ultrametric contour map.

use segcut_core::{LabelMap, MergeTree, VOID};
use thiserror::Error;

/// A merge tree over other leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the tree has {tree} leaves, the label map {labels} regions")]
pub struct LeafCount {
    /// Leaves of the tree.
    pub tree: usize,
    /// Regions of the label map.
    pub labels: usize,
}

/// The height at which each pixel merges with its right or lower neighbour, the larger of the two.
///
/// Arbeláez et al. 2011, section 4: thresholding the map at h leaves the borders of the tree's cut at
/// h. Theirs lies on the grid between pixels; here a border lies on the pixel above or left of it.
/// Pixels inside a leaf have 0, as have those beside VOID.
///
/// # Shapes
/// H×W values, row-major. Infinite where the tree merges at infinity.
///
/// # Errors
/// [`LeafCount`].
///
/// # Cost
/// O(H·W + border pixels · log n).
///
/// # Examples
/// ```
/// use segcut_core::{LabelMap, Merge, MergeTree};
/// let leaves = LabelMap::new(1, 4, vec![0, 1, 1, 2])?;
/// let tree = MergeTree::new(3, vec![Merge { nodes: [1, 2], height: 0.5 }, Merge { nodes: [0, 3], height: 2.0 }])?;
/// assert_eq!(segcut_graph::ultrametric_contour(&tree, &leaves)?, [2.0, 0.0, 0.5, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ultrametric_contour(tree: &MergeTree, leaves: &LabelMap) -> Result<Vec<f32>, LeafCount> {
    if tree.leaves() != leaves.n() {
        return Err(LeafCount { tree: tree.leaves(), labels: leaves.n() });
    }
    let forest = Forest::of(tree);
    let (width, labels) = (leaves.width(), leaves.labels());
    let height = |a: u32, b: u32| match forest.merge_of(a, b) {
        Some(merge) => tree.merges()[merge as usize].height as f32,
        None => 0.0,
    };
    let mut map = vec![0.0f32; labels.len()];
    for (at, value) in map.iter_mut().enumerate() {
        let here = labels[at];
        let right = (at % width + 1 < width).then(|| labels[at + 1]);
        for next in right.into_iter().chain(labels.get(at + width).copied()) {
            if next != here && next != VOID && here != VOID {
                *value = value.max(height(here, next));
            }
        }
    }
    Ok(map)
}

const NEVER: u32 = u32::MAX;

/// The tree as a union-find forest linked by size, which is at most log n deep.
struct Forest {
    parent: Vec<u32>,
    /// The merge that linked the leaf to its parent.
    when: Vec<u32>,
}

impl Forest {
    fn of(tree: &MergeTree) -> Self {
        let n = tree.leaves();
        let mut forest = Self { parent: (0..n as u32).collect(), when: vec![NEVER; n] };
        let mut size = vec![1u32; n];
        let mut root: Vec<u32> = (0..n as u32).collect();
        for (index, merge) in (0..).zip(tree.merges()) {
            let [a, b] = merge.nodes.map(|node| root[node as usize]);
            let (low, high) = if size[a as usize] <= size[b as usize] { (a, b) } else { (b, a) };
            forest.parent[low as usize] = high;
            forest.when[low as usize] = index;
            size[high as usize] += size[low as usize];
            root.push(high);
        }
        forest
    }

    /// The merge that first has both leaves below it: the latest link on the path between them.
    fn merge_of(&self, mut a: u32, mut b: u32) -> Option<u32> {
        let mut last = None;
        while a != b {
            let next = if self.when[a as usize] < self.when[b as usize] { &mut a } else { &mut b };
            last = Some(self.when[*next as usize]);
            *next = self.parent[*next as usize];
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use segcut_core::Merge;

    /// Joins random pairs of what is left; heights rise by one.
    fn random_tree(n: usize, picks: &[usize]) -> MergeTree {
        let mut open: Vec<u32> = (0..n as u32).collect();
        let mut merges = Vec::new();
        for i in 0..n.saturating_sub(1) {
            let a = open.swap_remove(picks[2 * i % picks.len()] % open.len());
            let b = open.swap_remove(picks[(2 * i + 1) % picks.len()] % open.len());
            merges.push(Merge { nodes: [a, b], height: (i + 1) as f64 });
            open.push((n + i) as u32);
        }
        MergeTree::new(n, merges).unwrap()
    }

    proptest! {
        #[test]
        fn thresholds_are_the_borders_of_the_cuts(
            labels in prop::collection::vec(0u32..12, 30), picks in prop::collection::vec(0usize..99, 8),
        ) {
            let leaves = LabelMap::new(5, 6, labels).unwrap().compact();
            let tree = random_tree(leaves.n(), &picks);
            let map = ultrametric_contour(&tree, &leaves).unwrap();
            for cut in 0..=leaves.n() {
                let partition = tree.cut_height(cut as f64);
                let region = |at: usize| partition.labels()[leaves.labels()[at] as usize];
                for (at, &strength) in map.iter().enumerate() {
                    let right = at % 6 < 5 && region(at) != region(at + 1);
                    let down = at + 6 < 30 && region(at) != region(at + 6);
                    prop_assert_eq!(strength > cut as f32, right || down);
                }
            }
        }
    }

    #[test]
    fn void_has_no_border_and_infinity_is_kept() {
        let leaves = LabelMap::new(2, 2, vec![0, VOID, 1, VOID]).unwrap();
        let tree = MergeTree::new(2, vec![Merge { nodes: [0, 1], height: f64::INFINITY }]).unwrap();
        assert_eq!(ultrametric_contour(&tree, &leaves).unwrap(), [f32::INFINITY, 0.0, 0.0, 0.0]);
        let small = MergeTree::new(1, vec![]).unwrap();
        assert_eq!(ultrametric_contour(&small, &leaves), Err(LeafCount { tree: 1, labels: 2 }));
    }
}
