//! Features of nodes to clusters.

use crate::assign::{KMeansParams, kmeans};
use ndarray::Array2;
use segcut_core::{ClusterCount, Clusterer, Clustering, Context, Note, Partition, RegionGraph, StageError, Status};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Parameters of [`NodeKMeans`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeKMeansParams {
    /// Clusters, at least 1; "auto" is refused.
    pub k: ClusterCount,
    /// Starts; the best one wins.
    pub n_init: usize,
    /// Rounds per start.
    pub max_iter: usize,
    /// A start ends when the squared shift of the centers is at most this share of the mean column variance.
    pub tol: f64,
}

impl Default for NodeKMeansParams {
    fn default() -> Self {
        let KMeansParams { k, n_init, max_iter, tol } = KMeansParams::default();
        Self { k: ClusterCount::Fixed(k), n_init, max_iter, tol }
    }
}

/// A graph whose nodes have no features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("k-means clusters features, and the nodes have none")]
pub struct NoFeatures;

/// RegionGraph → clusters of its nodes' features by k-means; edges play no part.
///
/// Features are used as they are: scale them before. See [`kmeans`] for the method.
///
/// # Errors
/// Construction refuses k = 0 and "auto"; clustering refuses nodes without features.
///
/// # Determinism
/// The context's seed draws the starts.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, ClusterCount, Clusterer, Context, FeatureBlock, RegionGraph, SparseAffinity};
/// use segcut_spectral::{NodeKMeans, NodeKMeansParams};
/// let nodes = Affinity::Sparse(SparseAffinity::new(3, vec![], vec![])?);
/// let block = FeatureBlock { name: "x".into(), dims: 1, values: vec![0.0, 9.0, 0.1], bins: vec![] };
/// let graph = RegionGraph::new(nodes).with_features(vec![block])?;
/// let params = NodeKMeansParams { k: ClusterCount::Fixed(2), ..NodeKMeansParams::default() };
/// let found = NodeKMeans::new(params)?.cluster(&graph, &Context::default())?;
/// assert_eq!(found.partition.labels(), [0, 1, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NodeKMeans {
    params: NodeKMeansParams,
    k: usize,
}

impl NodeKMeans {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: NodeKMeansParams) -> Result<Self, StageError> {
        let k = match params.k {
            ClusterCount::Auto => {
                return Err(StageError::parameter("cluster.k", "auto", "a number from 1: k-means chooses no k"));
            }
            ClusterCount::Fixed(k) => k,
        };
        if k < 1 {
            return Err(StageError::parameter("cluster.k", k, "at least 1"));
        }
        for (name, value) in [("cluster.n_init", params.n_init), ("cluster.max_iter", params.max_iter)] {
            if value < 1 {
                return Err(StageError::parameter(name, value, "at least 1"));
            }
        }
        if !(params.tol >= 0.0 && params.tol.is_finite()) {
            return Err(StageError::parameter("cluster.tol", params.tol, "a finite number from 0"));
        }
        Ok(Self { params, k })
    }
}

impl Clusterer for NodeKMeans {
    fn needs_edges(&self) -> bool {
        false
    }

    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let dims = graph.features().iter().map(|block| block.dims).sum();
        if dims == 0 {
            return Err(StageError::data(NoFeatures));
        }
        let mut rows = Array2::zeros((graph.n(), dims));
        for (node, mut row) in rows.rows_mut().into_iter().enumerate() {
            let values = graph.features().iter().flat_map(|block| block.row(node));
            row.iter_mut().zip(values).for_each(|(cell, &value)| *cell = f64::from(value));
        }
        let NodeKMeansParams { n_init, max_iter, tol, .. } = self.params;
        let k = self.k.min(graph.n().max(1));
        let found = kmeans(rows.view(), &KMeansParams { k, n_init, max_iter, tol }, context.seed);
        let mut clustering = Clustering::converged(Partition::compact(&found.labels));
        if !found.converged {
            clustering.status = Status::IterationLimit { residual: f64::NAN };
        }
        let made = clustering.partition.k();
        if made < self.k {
            clustering.notes.push(Note::KReduced { asked: self.k, made });
        }
        Ok(clustering)
    }
}
