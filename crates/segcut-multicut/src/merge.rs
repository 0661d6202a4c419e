//! Hierarchical merging as a clusterer.

use crate::linkage::{Linkage, Regions};
use segcut_core::{ClusterCount, Clusterer, Clustering, Context, MergeTree, Note, Partition, RegionGraph, StageError};
use segcut_graph::{MergeCost, TreeCut, greedy_merging};
use serde::{Deserialize, Serialize};

/// Parameters of [`Merge`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MergeParams {
    /// Clusters: a number, or "auto": by `threshold` where given, else by the largest gap of heights.
    pub k: ClusterCount,
    /// Under "auto": merge while the next pair is less unlike than this · (height of a late merge)^last_exponent.
    pub threshold: Option<f64>,
    /// 0: the threshold is a height. Above 0, images whose late merge is high are cut higher.
    pub last_exponent: f64,
    /// The late merge is that of this many clusters into one less; 2 is the last merge ([`TreeCut`]).
    pub last_k: usize,
    /// The smallest k that the largest gap may give.
    pub k_min: usize,
    /// The largest k that the largest gap may give.
    pub k_max: usize,
    /// How unlike two regions are.
    pub linkage: Linkage,
    /// The feature block for distances; empty: all blocks side by side.
    pub feature: String,
    /// Linkage `region`: the terms of the cost.
    pub cost: MergeCost,
}

impl Default for MergeParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::Auto,
            threshold: None,
            last_exponent: 0.0,
            last_k: 2,
            k_min: 2,
            k_max: 40,
            linkage: Linkage::Region,
            feature: String::new(),
            cost: MergeCost::default(),
        }
    }
}

/// RegionGraph → a hierarchy by merging the most alike neighbors first, and one cut of it.
///
/// With `linkage = "mean"` and a `threshold` this is scikit-image's `merge_hierarchical` with its example's
/// `weight_mean_color` (mean features, weighted by size; ties go to the older regions instead of the heap's
/// order). The other linkages are described at [`Linkage`]. Sizes are those of the graph's geometry, 1 without.
///
/// Components that no edge connects are never merged by a threshold; a fixed k below their number joins them at
/// an infinite height.
///
/// # Errors
/// Construction refuses parameters out of range; clustering refuses Gram affinities and graphs that lack the
/// columns that the linkage reads.
///
/// # Determinism
/// No randomness; ties go to the nodes made earlier.
///
/// # Cost
/// O(m·log m) for region graphs of m edges.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, ClusterCount, Clusterer, Context, RegionGraph, SparseAffinity};
/// use segcut_multicut::{Linkage, Merge, MergeParams};
/// let path = SparseAffinity::new(4, vec![[0, 1], [1, 2], [2, 3]], vec![0.9, 0.1, 0.8])?;
/// let graph = RegionGraph::new(Affinity::Sparse(path));
/// let params = MergeParams { k: ClusterCount::Fixed(2), linkage: Linkage::Affinity, ..MergeParams::default() };
/// let found = Merge::new(params)?.cluster(&graph, &Context::default())?;
/// assert_eq!(found.partition.labels(), [0, 0, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    params: MergeParams,
}

impl Merge {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: MergeParams) -> Result<Self, StageError> {
        if params.k == ClusterCount::Fixed(0) {
            return Err(StageError::parameter("cluster.k", 0, "\"auto\" or at least 1"));
        }
        if params.threshold.is_some_and(f64::is_nan) {
            return Err(StageError::parameter("cluster.threshold", f64::NAN, "a number"));
        }
        if params.k_min < 1 {
            return Err(StageError::parameter("cluster.k_min", params.k_min, "at least 1"));
        }
        if params.k_max < params.k_min {
            return Err(StageError::parameter("cluster.k_max", params.k_max, "at least k_min"));
        }
        params.cost.check()?;
        let merge = Self { params };
        merge.rule_at(0.0).check()?;
        Ok(merge)
    }

    /// The whole hierarchy.
    fn tree(&self, graph: &RegionGraph) -> Result<MergeTree, StageError> {
        let p = &self.params;
        if p.linkage == Linkage::Region {
            return p.cost.tree(graph, None).map_err(StageError::data);
        }
        let (mut regions, borders) = Regions::new(graph, p.linkage, &p.feature)?;
        greedy_merging(graph.n(), &borders, &mut regions).map_err(StageError::data)
    }

    /// The rule of the threshold, where there is one.
    fn rule(&self) -> Option<TreeCut> {
        self.params.threshold.map(|threshold| self.rule_at(threshold))
    }

    fn rule_at(&self, threshold: f64) -> TreeCut {
        TreeCut { threshold, last_exponent: self.params.last_exponent, last_k: self.params.last_k }
    }

    fn cut(&self, tree: &MergeTree) -> Partition {
        let p = &self.params;
        match (p.k, self.rule()) {
            (ClusterCount::Fixed(k), _) => tree.cut_k(k),
            (ClusterCount::Auto, Some(rule)) => rule.cut(tree, ClusterCount::Auto),
            (ClusterCount::Auto, None) => tree.cut_k(largest_gap(tree, p.k_min, p.k_max)),
        }
    }
}

/// The k in `low ..= high` after which the height rises most.
fn largest_gap(tree: &MergeTree, low: usize, high: usize) -> usize {
    let n = tree.leaves();
    let heights = tree.merges();
    // Going from k to k − 1 clusters is merge n − k; infinite heights join components.
    let parts = 1 + heights.iter().filter(|m| m.height.is_infinite()).count();
    let low = low.max(parts).min(n);
    let mut best = (low, f64::NEG_INFINITY);
    for k in low.max(2)..=high.max(low).min(n.saturating_sub(1)) {
        let gap = heights[n - k].height - heights[n - k - 1].height;
        if k > parts && gap > best.1 {
            best = (k, gap);
        }
    }
    best.0
}

impl Clusterer for Merge {
    fn cluster(&self, graph: &RegionGraph, _context: &Context) -> Result<Clustering, StageError> {
        let tree = self.tree(graph)?;
        let partition = self.cut(&tree);
        let made = partition.k();
        let mut clustering = Clustering::converged(partition);
        match self.params.k {
            ClusterCount::Auto => clustering.notes.push(Note::KChosen(made)),
            ClusterCount::Fixed(asked) if made < asked => clustering.notes.push(Note::KReduced { asked, made }),
            ClusterCount::Fixed(_) => {}
        }
        let parts = 1 + tree.merges().iter().filter(|m| m.height.is_infinite()).count();
        if parts > 1 {
            clustering.notes.push(Note::Components(parts));
        }
        let own_cut = self.rule().map(|rule| rule.height(&tree));
        clustering.tree = Some(match own_cut {
            Some(height) => tree.with_own_cut(height),
            None => tree,
        });
        Ok(clustering)
    }
}
