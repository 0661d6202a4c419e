//! A hierarchy: n leaves and n−1 merges.

use crate::Partition;
use thiserror::Error;

/// Two nodes that become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// The merged nodes: below n a leaf, n + i the result of merge i.
    pub nodes: [u32; 2],
    /// At which height. Infinite where nothing connects the two.
    pub height: f64,
}

/// Why merges make no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MergeTreeError {
    /// n leaves need n−1 merges.
    #[error("{merges} merges do not join {leaves} leaves")]
    Count {
        /// Leaves.
        leaves: usize,
        /// Merges.
        merges: usize,
    },
    /// A merge names a node that is merged already, does not exist yet, or itself.
    #[error("merge {index} joins node {node}, which is not there to be joined")]
    Node {
        /// The merge.
        index: usize,
        /// The node.
        node: u32,
    },
    /// The height falls or is NaN.
    #[error("the height of merge {index} falls below the one before it")]
    Height {
        /// The merge.
        index: usize,
    },
}

/// A binary tree over n leaves.
///
/// *Guarantees*: n−1 merges (none for n ≤ 1), each node merged once, heights that do not fall.
#[derive(Debug, Clone, PartialEq)]
pub struct MergeTree {
    leaves: usize,
    merges: Vec<Merge>,
    own_cut: Option<f64>,
}

impl MergeTree {
    /// Checks and takes merges in order.
    ///
    /// # Errors
    /// [`MergeTreeError`] where a guarantee of the type does not hold.
    pub fn new(leaves: usize, merges: Vec<Merge>) -> Result<Self, MergeTreeError> {
        if merges.len() != leaves.saturating_sub(1) {
            return Err(MergeTreeError::Count { leaves, merges: merges.len() });
        }
        let mut used = vec![false; leaves + merges.len()];
        let mut last = f64::NEG_INFINITY;
        for (index, merge) in merges.iter().enumerate() {
            for node in merge.nodes {
                let there = (node as usize) < leaves + index && !used[node as usize];
                if !there {
                    return Err(MergeTreeError::Node { index, node });
                }
                used[node as usize] = true;
            }
            if merge.height.is_nan() || merge.height < last {
                return Err(MergeTreeError::Height { index });
            }
            last = merge.height;
        }
        Ok(Self { leaves, merges, own_cut: None })
    }

    /// The same tree with the height at which its maker would cut it. Heights over this one can be compared between
    /// images, where the maker's rule is the same for all.
    #[must_use]
    pub fn with_own_cut(mut self, height: f64) -> Self {
        self.own_cut = Some(height);
        self
    }

    /// The height at which its maker would cut it, where there is such a rule.
    pub fn own_cut(&self) -> Option<f64> {
        self.own_cut
    }

    /// Leaves.
    pub fn leaves(&self) -> usize {
        self.leaves
    }

    /// Merges in the order of their heights.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// The partition with k clusters (clamped to 1 … n), numbered by their first leaf.
    ///
    /// ```
    /// use segcut_core::{Merge, MergeTree};
    /// let merges = vec![Merge { nodes: [0, 2], height: 1.0 }, Merge { nodes: [3, 1], height: 2.0 }];
    /// let tree = MergeTree::new(3, merges)?;
    /// assert_eq!(tree.cut_k(2).labels(), [0, 1, 0]);
    /// assert_eq!(tree.cut_height(0.5).k(), 3);
    /// # Ok::<(), segcut_core::MergeTreeError>(())
    /// ```
    pub fn cut_k(&self, k: usize) -> Partition {
        self.after(self.leaves.saturating_sub(k.max(1)).min(self.merges.len()))
    }

    /// The partition after all merges of at most this height.
    pub fn cut_height(&self, height: f64) -> Partition {
        self.after(self.merges.partition_point(|m| m.height <= height))
    }

    fn after(&self, merges: usize) -> Partition {
        let total = self.leaves + merges;
        let mut root: Vec<u32> = (0..total as u32).collect();
        for (index, merge) in self.merges[..merges].iter().enumerate().rev() {
            let parent = root[self.leaves + index];
            for node in merge.nodes {
                root[node as usize] = parent;
            }
        }
        Partition::compact(&root[..self.leaves])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(a: u32, b: u32, height: f64) -> Merge {
        Merge { nodes: [a, b], height }
    }

    #[test]
    fn cuts_nest() {
        let tree = MergeTree::new(4, vec![merge(2, 3, 1.0), merge(0, 1, 1.0), merge(4, 5, 3.0)]).unwrap();
        assert_eq!(tree.cut_k(4).labels(), [0, 1, 2, 3]);
        assert_eq!(tree.cut_k(3).labels(), [0, 1, 2, 2]);
        assert_eq!(tree.cut_k(2).labels(), [0, 0, 1, 1]);
        assert_eq!(tree.cut_k(0).labels(), [0, 0, 0, 0]);
        assert_eq!(tree.cut_height(1.0).labels(), [0, 0, 1, 1]);
        assert_eq!(tree.cut_height(9.0).k(), 1);
    }

    #[test]
    fn broken_trees_are_refused() {
        assert!(matches!(MergeTree::new(3, vec![]), Err(MergeTreeError::Count { .. })));
        assert!(matches!(MergeTree::new(2, vec![merge(0, 0, 1.0)]), Err(MergeTreeError::Node { index: 0, node: 0 })));
        assert!(matches!(MergeTree::new(2, vec![merge(0, 2, 1.0)]), Err(MergeTreeError::Node { index: 0, node: 2 })));
        assert!(matches!(
            MergeTree::new(3, vec![merge(0, 1, 2.0), merge(3, 2, 1.0)]),
            Err(MergeTreeError::Height { index: 1 })
        ));
        assert!(MergeTree::new(0, vec![]).is_ok());
    }
}
