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

/// The height at which every two neighbouring pixels come into one region, on the doubled grid.
///
/// Pixel (r, c) lies at (2r+1, 2c+1) of (2H+1)×(2W+1) values; between two neighbours stands the height at which
/// their leaves merge, 0 inside a leaf, and a corner has the largest of the four values around it. Removing every
/// value of at most h leaves the borders of the tree's cut at h; VOID never merges with a leaf. Arbeláez et al. 2011, section 4;
/// the layout is that of the Berkeley benchmark's `ucm2`. A cut of the map is connected regions, while a cluster
/// of the tree may lie in several places.
///
/// # Shapes
/// (2H+1)·(2W+1) values, row-major; the outermost are 0. Infinite where the tree merges at infinity
/// and between a leaf and VOID.
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
/// let map = segcut_graph::ultrametric_contour(&tree, &leaves)?;
/// assert_eq!(map[9..18], [0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ultrametric_contour(tree: &MergeTree, leaves: &LabelMap) -> Result<Vec<f32>, LeafCount> {
    if tree.leaves() != leaves.n() {
        return Err(LeafCount { tree: tree.leaves(), labels: leaves.n() });
    }
    let forest = Forest::of(tree);
    let labels = leaves.labels();
    let height = |a: u32, b: u32| match (a, b) {
        (VOID, _) | (_, VOID) => f32::INFINITY,
        _ => forest.merge_of(a, b).map_or(0.0, |merge| tree.merges()[merge as usize].height as f32),
    };
    let (rows, columns) = (2 * leaves.height() + 1, 2 * leaves.width() + 1);
    let mut map = vec![0.0f32; rows * columns];
    for (at, &here) in labels.iter().enumerate() {
        let (row, column) = (at / leaves.width(), at % leaves.width());
        let place = (2 * row + 1) * columns + 2 * column + 1;
        if column + 1 < leaves.width() && labels[at + 1] != here {
            map[place + 1] = height(here, labels[at + 1]);
        }
        if row + 1 < leaves.height() && labels[at + leaves.width()] != here {
            map[place + columns] = height(here, labels[at + leaves.width()]);
        }
    }
    fill_corners(&mut map, columns);
    Ok(map)
}

/// Gives every inner corner the largest of the four values around it.
fn fill_corners(map: &mut [f32], columns: usize) {
    let rows = map.len() / columns;
    for row in (2..rows.saturating_sub(1)).step_by(2) {
        for at in (row * columns + 2..(row + 1) * columns - 1).step_by(2) {
            map[at] = map[at - 1].max(map[at + 1]).max(map[at - columns]).max(map[at + columns]);
        }
    }
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
                for at in 0..30 {
                    let place = (2 * (at / 6) + 1) * 13 + 2 * (at % 6) + 1;
                    prop_assert_eq!(map[place], 0.0);
                    if at % 6 < 5 {
                        prop_assert_eq!(map[place + 1] > cut as f32, region(at) != region(at + 1));
                    }
                    if at + 6 < 30 {
                        prop_assert_eq!(map[place + 13] > cut as f32, region(at) != region(at + 6));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_way_round_is_lower(n in 1usize..12, picks in prop::collection::vec(0usize..99, 8)) {
            let forest = Forest::of(&random_tree(n, &picks));
            let height = |a: u32, b: u32| forest.merge_of(a, b).map_or(0, |merge| merge + 1);
            for (a, b, c) in (0..n * n * n).map(|i| ((i % n) as u32, (i / n % n) as u32, (i / n / n) as u32)) {
                prop_assert!(height(a, c) <= height(a, b).max(height(b, c)));
            }
        }
    }

    #[test]
    fn a_corner_has_the_largest_value_around_it() {
        let leaves = LabelMap::new(2, 2, vec![0, 1, 0, 2]).unwrap();
        let merges = vec![Merge { nodes: [1, 2], height: 1.0 }, Merge { nodes: [0, 3], height: 3.0 }];
        let map = ultrametric_contour(&MergeTree::new(3, merges).unwrap(), &leaves).unwrap();
        let rows: Vec<&[f32]> = map.chunks(5).collect();
        let expected: [[f32; 5]; 5] =
            [[0.0; 5], [0.0, 0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 3.0, 1.0, 0.0], [0.0, 0.0, 3.0, 0.0, 0.0], [0.0; 5]];
        assert_eq!(rows, expected);
    }

    #[test]
    fn void_never_merges_and_infinity_is_kept() {
        let leaves = LabelMap::new(2, 2, vec![0, VOID, 1, VOID]).unwrap();
        let tree = |height| MergeTree::new(2, vec![Merge { nodes: [0, 1], height }]).unwrap();
        let between = |map: Vec<f32>| [map[7], map[11], map[13], map[17]];
        let infinite = between(ultrametric_contour(&tree(f64::INFINITY), &leaves).unwrap());
        assert_eq!(infinite, [f32::INFINITY, f32::INFINITY, 0.0, f32::INFINITY]);
        assert_eq!(between(ultrametric_contour(&tree(2.0), &leaves).unwrap())[1], 2.0);
        let small = MergeTree::new(1, vec![]).unwrap();
        assert_eq!(ultrametric_contour(&small, &leaves), Err(LeafCount { tree: 1, labels: 2 }));
    }
}
