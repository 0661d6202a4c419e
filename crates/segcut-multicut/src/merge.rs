//! Hierarchical merging as a clusterer.

use crate::agglomerate::agglomerate;
use crate::linkage::{Linkage, LinkageError, RegionWeights, Regions};
use segcut_core::{ClusterCount, Clusterer, Clustering, Context, MergeTree, Note, Partition, RegionGraph, StageError};
use serde::{Deserialize, Serialize};

/// Parameters of [`Merge`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MergeParams {
    /// Clusters: a number, or "auto": by `threshold` where given, else by the largest gap of heights.
    pub k: ClusterCount,
    /// Under "auto": merge while the next pair is less unlike than this.
    pub threshold: Option<f64>,
    /// The smallest k that the largest gap may give.
    pub k_min: usize,
    /// The largest k that the largest gap may give.
    pub k_max: usize,
    /// How unlike two regions are.
    pub linkage: Linkage,
    /// The feature block for distances; empty: all blocks side by side.
    pub feature: String,
    /// Linkage `region`: weight of the contour strength.
    pub border_weight: f64,
    /// Linkage `region`: weight of the feature distance.
    pub feature_weight: f64,
    /// Linkage `region`: power of the smaller region's size; from 0 (none) up, small regions merge earlier.
    pub size_power: f64,
}

impl Default for MergeParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::Auto,
            threshold: None,
            k_min: 2,
            k_max: 40,
            linkage: Linkage::Region,
            feature: String::new(),
            border_weight: 0.0,
            feature_weight: 1.0,
            size_power: 0.5,
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
        let refuse = |name, value: &dyn std::fmt::Display, must| Err(StageError::parameter(name, value, must));
        if params.k == ClusterCount::Fixed(0) {
            return refuse("cluster.k", &0, "\"auto\" or at least 1");
        }
        if params.threshold.is_some_and(f64::is_nan) {
            return refuse("cluster.threshold", &f64::NAN, "a number");
        }
        if params.k_min < 1 {
            return refuse("cluster.k_min", &params.k_min, "at least 1");
        }
        if params.k_max < params.k_min {
            return refuse("cluster.k_max", &params.k_max, "at least k_min");
        }
        let weights = [
            ("cluster.border_weight", params.border_weight),
            ("cluster.feature_weight", params.feature_weight),
            ("cluster.size_power", params.size_power),
        ];
        for (name, value) in weights {
            if !(value >= 0.0 && value.is_finite()) {
                return refuse(name, &value, "a finite number from 0");
            }
        }
        Ok(Self { params })
    }

    /// The whole hierarchy.
    fn tree(&self, graph: &RegionGraph) -> Result<MergeTree, StageError> {
        let p = &self.params;
        let affinity = graph.affinity().sparse().ok_or(LinkageError::NoEdges)?;
        let weights = RegionWeights { border: p.border_weight, feature: p.feature_weight, size_power: p.size_power };
        let (regions, borders) = Regions::new(graph, p.linkage, weights, &p.feature)?;
        agglomerate(regions, graph.n(), affinity.edges(), &borders).map_err(StageError::data)
    }

    fn cut(&self, tree: &MergeTree) -> Partition {
        let p = &self.params;
        match (p.k, p.threshold) {
            (ClusterCount::Fixed(k), _) => tree.cut_k(k),
            (ClusterCount::Auto, Some(threshold)) => {
                let done = tree.merges().partition_point(|m| m.height < threshold);
                tree.cut_k(tree.leaves() - done)
            }
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
        clustering.tree = Some(tree);
        Ok(clustering)
    }
}
