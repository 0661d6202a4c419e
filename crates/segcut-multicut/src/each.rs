//! Every node a cluster.

use segcut_core::{Clusterer, Clustering, Context, Partition, RegionGraph, StageError};
use serde::{Deserialize, Serialize};

/// [`Each`] has no parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EachParams {}

/// Graph → every node its own cluster.
///
/// ```
/// use segcut_core::{Affinity, Clusterer, Context, RegionGraph, SparseAffinity};
/// use segcut_multicut::{Each, EachParams};
/// let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(3, vec![[0, 1]], vec![1.0])?));
/// let found = Each::new(EachParams {})?.cluster(&graph, &Context::default())?;
/// assert_eq!(found.partition.labels(), [0, 1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Each;

impl Each {
    /// Takes the (empty) parameters.
    ///
    /// # Errors
    /// None; the signature is that of every stage.
    pub fn new(_params: EachParams) -> Result<Self, StageError> {
        Ok(Self)
    }
}

impl Clusterer for Each {
    fn cluster(&self, graph: &RegionGraph, _context: &Context) -> Result<Clustering, StageError> {
        Ok(Clustering::converged(Partition::singletons(graph.n())))
    }
}
