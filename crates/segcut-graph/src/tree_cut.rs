//! Merge tree → partition.

use segcut_core::{ClusterCount, MergeTree, Partition, StageError};
use serde::{Deserialize, Serialize};

/// A last merge below this counts as this, so that an image of one color becomes one region.
const LEAST_HEIGHT: f64 = 1e-9;

/// A late merge below this share of the last one counts as this share: drawings have few regions, and what is merged
/// before them is nearly nothing.
const LEAST_SHARE: f64 = 0.05;

/// Where a merge tree is cut when no number of clusters is given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeCut {
    /// Merges below threshold · (height of a late merge)^last_exponent are done.
    pub threshold: f64,
    /// 0: the threshold is a height. Above 0, images whose late merge is high are cut higher.
    pub last_exponent: f64,
    /// The late merge is that of this many clusters into one less; 2 is the last merge.
    pub last_k: usize,
}

impl Default for TreeCut {
    fn default() -> Self {
        Self { threshold: 4.0, last_exponent: 0.25, last_k: 2 }
    }
}

impl TreeCut {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn check(&self) -> Result<(), StageError> {
        if !(self.threshold >= 0.0 && self.threshold.is_finite()) {
            return Err(StageError::parameter("cut.threshold", self.threshold, "finite and at least 0"));
        }
        if !(0.0..=1.0).contains(&self.last_exponent) {
            return Err(StageError::parameter("cut.last_exponent", self.last_exponent, "from 0 to 1"));
        }
        if self.last_k < 2 {
            return Err(StageError::parameter("cut.last_k", self.last_k, "at least 2"));
        }
        Ok(())
    }

    /// The partition with k clusters, or under "auto" the one below the threshold.
    ///
    /// The last merge is the last one at a finite height: what no border connects stays apart under
    /// "auto". Where there are fewer merges than `last_k` asks for, the first one is taken; a late merge below a
    /// twentieth of the last one counts as that.
    ///
    /// # Examples
    /// ```
    /// use segcut_core::{ClusterCount, Merge, MergeTree};
    /// use segcut_graph::TreeCut;
    /// let tree = MergeTree::new(3, vec![Merge { nodes: [0, 1], height: 2.0 }, Merge { nodes: [3, 2], height: 16.0 }])?;
    /// let cut = TreeCut { threshold: 1.5, last_exponent: 0.25, last_k: 2 };
    /// assert_eq!(cut.cut(&tree, ClusterCount::Auto).labels(), [0, 0, 1]);
    /// assert_eq!(cut.cut(&tree, ClusterCount::Fixed(3)).k(), 3);
    /// # Ok::<(), segcut_core::MergeTreeError>(())
    /// ```
    pub fn cut(&self, tree: &MergeTree, k: ClusterCount) -> Partition {
        match k {
            ClusterCount::Fixed(k) => tree.cut_k(k),
            ClusterCount::Auto => {
                let bound = self.height(tree);
                tree.cut_k(tree.leaves() - tree.merges().partition_point(|merge| merge.height < bound))
            }
        }
    }

    /// The height below which merges are done under "auto".
    pub fn height(&self, tree: &MergeTree) -> f64 {
        let finite = tree.merges().partition_point(|merge| merge.height.is_finite());
        let at = |k: usize| tree.merges()[..finite].get(finite.saturating_sub(k - 1)).map_or(0.0, |merge| merge.height);
        let late = at(self.last_k.max(2)).max(LEAST_SHARE * at(2));
        self.threshold * late.max(LEAST_HEIGHT).powf(self.last_exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::Merge;

    /// Five leaves, merged one by one.
    fn tree(heights: [f64; 4]) -> MergeTree {
        let merge =
            |(i, height): (usize, f64)| Merge { nodes: [if i == 0 { 0 } else { 4 + i as u32 }, i as u32 + 1], height };
        MergeTree::new(5, heights.into_iter().enumerate().map(merge).collect()).unwrap()
    }

    #[test]
    fn the_late_merge_is_counted_from_the_last_finite_one() {
        let height = |last_k, heights| TreeCut { threshold: 1.0, last_exponent: 1.0, last_k }.height(&tree(heights));
        let heights = [1.0, 2.0, 4.0, 8.0];
        assert_eq!([2, 3, 5, 9].map(|k| height(k, heights)), [8.0, 4.0, 1.0, 1.0]);
        assert_eq!(height(3, [1.0, 2.0, 4.0, f64::INFINITY]), 2.0);
        assert_eq!(height(3, [0.0, 0.0, 0.0, 8.0]), 0.4);
        assert_eq!(height(2, [f64::INFINITY; 4]), 1e-9);
        assert!(TreeCut { last_k: 1, ..TreeCut::default() }.check().is_err());
    }
}
