//! Weak edges dropped, the parts that stay connected are the clusters.

use crate::linkage::LinkageError;
use segcut_core::{Affinity, Clusterer, Clustering, Context, RegionGraph, SparseAffinity, StageError};
use segcut_graph::components;
use serde::{Deserialize, Serialize};

/// Parameters of [`Threshold`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThresholdParams {
    /// Edges below this weight are dropped.
    pub min_weight: f64,
}

impl Default for ThresholdParams {
    fn default() -> Self {
        Self { min_weight: 0.5 }
    }
}

/// Graph → components of its edges with at least `min_weight`.
///
/// The counterpart of scikit-image's `cut_threshold` for affinities (there: distances above a threshold go).
///
/// ```
/// use segcut_core::{Affinity, Clusterer, Context, RegionGraph, SparseAffinity};
/// use segcut_multicut::{Threshold, ThresholdParams};
/// let path = SparseAffinity::new(4, vec![[0, 1], [1, 2], [2, 3]], vec![0.9, 0.1, 0.5])?;
/// let graph = RegionGraph::new(Affinity::Sparse(path));
/// let found = Threshold::new(ThresholdParams::default())?.cluster(&graph, &Context::default())?;
/// assert_eq!(found.partition.labels(), [0, 0, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    params: ThresholdParams,
}

impl Threshold {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] where `min_weight` is not a number.
    pub fn new(params: ThresholdParams) -> Result<Self, StageError> {
        if params.min_weight.is_nan() {
            return Err(StageError::parameter("cluster.min_weight", params.min_weight, "a number"));
        }
        Ok(Self { params })
    }
}

impl Clusterer for Threshold {
    fn cluster(&self, graph: &RegionGraph, _context: &Context) -> Result<Clustering, StageError> {
        let affinity = graph.affinity().sparse().ok_or(LinkageError::NoEdges)?;
        let strong = affinity.edges().iter().zip(affinity.weights()).filter(|&(_, &w)| w >= self.params.min_weight);
        let edges: Vec<[u32; 2]> = strong.map(|(&edge, _)| edge).collect();
        let ones = vec![1.0; edges.len()];
        let kept = SparseAffinity::new(affinity.n(), edges, ones).map_err(StageError::data)?;
        Ok(Clustering::converged(components(&Affinity::Sparse(kept))))
    }
}
