//! A clusterer whose result starts another one.

use segcut_core::{Clusterer, Clustering, Context, RegionGraph, StageError, Start, Status};
use serde::{Deserialize, Serialize};

/// What the second clusterer starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Give {
    /// The clusters.
    #[default]
    Partition,
    /// The coordinates of the nodes, such as eigenvectors; the clusters, where there are none.
    Embedding,
    /// The soft memberships as vectors; the clusters, where there are none.
    Memberships,
}

/// What is handed on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarmStartParams {
    /// What the second clusterer starts from. Default: the clusters.
    pub give: Give,
}

/// A clusterer that wraps two others: `first` cuts the graph, and `then` cuts the same graph from there.
///
/// The start is handed on as that of the [`Context`], so neither of the two knows the other. The result is that
/// of `then`; where `first` did not come to its end, its status is told.
pub struct WarmStart {
    params: WarmStartParams,
    first: Box<dyn Clusterer>,
    then: Box<dyn Clusterer>,
}

impl std::fmt::Debug for WarmStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WarmStart").field("params", &self.params).finish_non_exhaustive()
    }
}

impl WarmStart {
    /// Wraps two clusterers.
    pub fn new(params: WarmStartParams, first: Box<dyn Clusterer>, then: Box<dyn Clusterer>) -> Self {
        Self { params, first, then }
    }

    fn start(&self, found: Clustering) -> Start {
        let vectors = match self.params.give {
            Give::Partition => None,
            Give::Embedding => found.embedding,
            Give::Memberships => found.soft,
        };
        vectors.map_or(Start::Partition(found.partition), Start::Vectors)
    }
}

impl Clusterer for WarmStart {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let found = self.first.cluster(graph, context)?;
        let status = found.status;
        if matches!(status, Status::Cancelled | Status::TimedOut) {
            return Ok(found);
        }
        let context = Context { start: Some(self.start(found)), ..context.clone() };
        let result = self.then.cluster(graph, &context)?;
        Ok(Clustering { status: result.status.and(status), ..result })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use segcut_core::{Affinity, Partition, SparseAffinity};

    /// Every node on its own, with coordinates and memberships.
    struct Singly;
    impl Clusterer for Singly {
        fn cluster(&self, graph: &RegionGraph, _: &Context) -> Result<Clustering, StageError> {
            let embedding = Array2::from_shape_fn((graph.n(), 1), |(i, _)| i as f64);
            let status = Status::IterationLimit { residual: 0.5 };
            let soft = Some(Array2::eye(graph.n()));
            let embedding = Some(embedding);
            let bare = Clustering::converged(Partition::singletons(graph.n()));
            Ok(Clustering { status, soft, embedding, ..bare })
        }
    }

    /// As many clusters as the start has labels or columns.
    struct Columns;
    impl Clusterer for Columns {
        fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
            let k = match &context.start {
                Some(Start::Partition(start)) => start.k(),
                Some(Start::Vectors(vectors)) => 10 + vectors.ncols(),
                None => 0,
            };
            Ok(Clustering::converged(Partition::new(vec![0; graph.n()], k).map_err(StageError::data)?))
        }
    }

    #[test]
    fn the_second_starts_where_the_first_ended() {
        let edges = SparseAffinity::new(3, vec![[0, 1]], vec![1.0]).unwrap();
        let graph = RegionGraph::new(Affinity::Sparse(edges));
        for (give, k) in [(Give::Partition, 3), (Give::Embedding, 11), (Give::Memberships, 13)] {
            let clusterer = WarmStart::new(WarmStartParams { give }, Box::new(Singly), Box::new(Columns));
            let found = clusterer.cluster(&graph, &Context::default()).unwrap();
            assert_eq!(found.partition.k(), k);
            assert_eq!(found.status, Status::IterationLimit { residual: 0.5 });
        }
    }
}
