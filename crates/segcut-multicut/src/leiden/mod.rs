//! Graph → communities of high modularity.

mod level;
mod limit;
mod moves;
mod runs;

use crate::neighbors::Neighbors;
use level::Level;
use limit::limit;
use runs::{Bounds, best_run};
use segcut_core::{
    ClusterCount, Clusterer, Clustering, Context, Note, Partition, RegionGraph, SparseAffinity, StageError, Start,
    Status,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a graph has no communities.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LeidenError {
    /// A Gram affinity where edges are needed.
    #[error("Leiden needs a graph with edges; this affinity is given by factors")]
    NoEdges,
    /// Modularity has no meaning for weights below zero.
    #[error("Leiden needs weights of at least 0; edge {edge} has {weight}")]
    Negative {
        /// The edge's place.
        edge: usize,
        /// Its weight.
        weight: f64,
    },
    /// A start of another graph.
    #[error("the start has {start} nodes, the graph {n}")]
    Start {
        /// Nodes of the start.
        start: usize,
        /// Nodes of the graph.
        n: usize,
    },
}

/// What is maximised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Σ over communities of inside / V − resolution·(volume / V)² (Newman & Girvan 2004, Reichardt & Bornholdt 2006).
    #[default]
    Modularity,
    /// The constant Potts model, Σ inside / 2 − resolution·n(n − 1) / 2 (Traag et al. 2011).
    Cpm,
}

/// Parameters of [`Leiden`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeidenParams {
    /// `"auto"`: as many communities as maximise the quality. A number: where more are found, the smallest are
    /// joined to others.
    pub k: ClusterCount,
    /// What is maximised.
    pub quality: Quality,
    /// Larger values give more and smaller communities.
    pub resolution: f64,
    /// Bound on the iterations of the best run, which ends when one gains nothing.
    pub iterations: usize,
    /// Runs with different random orders; after five iterations the best one goes on.
    pub runs: usize,
}

impl Default for LeidenParams {
    fn default() -> Self {
        Self { k: ClusterCount::Auto, quality: Quality::Modularity, resolution: 1.0, iterations: 100, runs: 3 }
    }
}

/// RegionGraph → communities by the Leiden algorithm.
///
/// Traag, Waltman & van Eck, From Louvain to Leiden (Scientific Reports 2019): moving nodes, refining, aggregating
/// the refined parts, until nothing changes; θ of the refinement is 0.01 mean weights. Differs: several runs start, and
/// the best goes on.
///
/// A diagonal counts once in a node's degree, as in [`cut_values`](segcut_graph::cut_values). Nodes without
/// edges are communities of their own. A partition in the [`Context`] is the start of the first run.
///
/// # Errors
/// [`LeidenError`] as [`StageError::Data`]; construction refuses parameters out of range.
///
/// # Determinism
/// Run r draws its orders from the context's seed + r. One thread.
///
/// # Cost
/// Nearly linear in the edges per iteration; memory linear in nodes and edges.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, Clusterer, Context, RegionGraph, SparseAffinity};
/// use segcut_multicut::{Leiden, LeidenParams};
/// // Two triangles and a bridge.
/// let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]];
/// let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(6, edges, vec![1.0; 7])?));
/// let found = Leiden::new(LeidenParams::default())?.cluster(&graph, &Context::default())?;
/// assert_eq!(found.partition.labels(), [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Leiden {
    params: LeidenParams,
}

impl Leiden {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: LeidenParams) -> Result<Self, StageError> {
        if params.k == ClusterCount::Fixed(0) {
            return Err(StageError::parameter("cluster.k", 0, "\"auto\" or at least 1"));
        }
        if !(params.resolution.is_finite() && params.resolution >= 0.0) {
            return Err(StageError::parameter("cluster.resolution", params.resolution, "finite and at least 0"));
        }
        if params.iterations == 0 {
            return Err(StageError::parameter("cluster.iterations", 0, "at least 1"));
        }
        if params.runs == 0 {
            return Err(StageError::parameter("cluster.runs", 0, "at least 1"));
        }
        Ok(Self { params })
    }

    /// The graph with its masses, and the rate of the penalty: resolution / V or resolution.
    fn level(&self, sparse: &SparseAffinity) -> (Level, f64) {
        let graph = Neighbors::of(sparse);
        let n = sparse.n();
        if self.params.quality == Quality::Cpm {
            return (Level { graph, mass: vec![1.0; n] }, self.params.resolution);
        }
        let diagonal = |v: usize| sparse.diagonal().map_or(0.0, |d| d[v]);
        let mass: Vec<f64> = (0..n).map(|v| diagonal(v) + graph.row(v).map(|(_, w)| w).sum::<f64>()).collect();
        let volume: f64 = mass.iter().sum();
        (Level { graph, mass }, if volume > 0.0 { self.params.resolution / volume } else { 0.0 })
    }
}

impl Clusterer for Leiden {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let sparse = graph.affinity().sparse().ok_or(LeidenError::NoEdges).map_err(StageError::data)?;
        if let Some(edge) = sparse.weights().iter().position(|&w| w < 0.0) {
            return Err(StageError::data(LeidenError::Negative { edge, weight: sparse.weights()[edge] }));
        }
        let n = sparse.n();
        let start = match &context.start {
            Some(Start::Partition(start)) if start.n() == n => {
                Some(Partition::compact(start.labels()).labels().to_vec())
            }
            Some(Start::Partition(start)) => {
                return Err(StageError::data(LeidenError::Start { start: start.n(), n }));
            }
            _ => None,
        };
        let (level, rate) = self.level(sparse);
        let bounds = Bounds { runs: self.params.runs, iterations: self.params.iterations };
        let (labels, status) = best_run(&level, rate, bounds, start, context);
        Ok(self.finish(&level, rate, labels, status))
    }
}

impl Leiden {
    fn finish(&self, level: &Level, rate: f64, mut labels: Vec<u32>, status: Status) -> Clustering {
        let made = labels.iter().max().map_or(0, |&label| label as usize + 1);
        let mut note = Note::KChosen(made);
        if let Some(asked) = self.params.k.fixed() {
            if made > asked {
                let joined = limit(&level.aggregate(&labels, made), rate, asked);
                labels.iter_mut().for_each(|label| *label = joined[*label as usize]);
            }
            note = Note::KReduced { asked, made };
        }
        let mut clustering = Clustering::converged(Partition::compact(&labels));
        if self.params.k.fixed().is_none_or(|asked| made < asked) {
            clustering.notes.push(note);
        }
        clustering.status = status;
        clustering
    }
}
