//! Merge tree → partition.

use segcut_core::{ClusterCount, MergeTree, Partition, StageError};
use serde::{Deserialize, Serialize};

/// A last merge below this counts as this, so that an image of one color becomes one region.
const LEAST_HEIGHT: f64 = 1e-9;

/// Where a merge tree is cut when no number of clusters is given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeCut {
    /// Merges below threshold · (height of the last merge)^last_exponent are done.
    pub threshold: f64,
    /// 0: the threshold is a height. Above 0, images whose last merge is high are cut higher.
    pub last_exponent: f64,
}

impl Default for TreeCut {
    fn default() -> Self {
        Self { threshold: 4.0, last_exponent: 0.25 }
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
        Ok(())
    }

    /// The partition with k clusters, or under "auto" the one below the threshold.
    ///
    /// The last merge is the last one at a finite height: what no border connects stays apart under
    /// "auto".
    ///
    /// # Examples
    /// ```
    /// use segcut_core::{ClusterCount, Merge, MergeTree};
    /// use segcut_graph::TreeCut;
    /// let tree = MergeTree::new(3, vec![Merge { nodes: [0, 1], height: 2.0 }, Merge { nodes: [3, 2], height: 16.0 }])?;
    /// let cut = TreeCut { threshold: 1.5, last_exponent: 0.25 };
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
        let finite = tree.merges().iter().rev().map(|merge| merge.height).find(|height| height.is_finite());
        self.threshold * finite.unwrap_or(0.0).max(LEAST_HEIGHT).powf(self.last_exponent)
    }
}
