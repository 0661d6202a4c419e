//! Graph → communities of high modularity.

mod level;
mod limit;
mod moves;

use crate::neighbors::Neighbors;
use level::{Level, renumber};
use limit::limit;
use moves::{move_nodes, refine};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segcut_core::{
    ClusterCount, Clusterer, Clustering, Context, Note, Partition, RegionGraph, SparseAffinity, StageError, Start,
    Status, Stop,
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
    /// Bound on iterations of one run; a run ends when one gains nothing.
    pub iterations: usize,
    /// The best of this many runs with different random orders.
    pub runs: usize,
}

impl Default for LeidenParams {
    fn default() -> Self {
        Self { k: ClusterCount::Auto, quality: Quality::Modularity, resolution: 1.0, iterations: 20, runs: 3 }
    }
}

/// RegionGraph → communities by the Leiden algorithm.
///
/// Traag, Waltman & van Eck, From Louvain to Leiden (Scientific Reports 2019): moving nodes, refining, aggregating
/// the refined parts, until nothing changes; θ of the refinement is 0.01 mean weights. Differs: the best of several
/// runs is kept.
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

    /// One run: labels numbered from 0, and whether its last iteration changed nothing.
    fn run(&self, level: &Level, rate: f64, start: Vec<u32>, context: &Context, seed: u64) -> (Vec<u32>, bool) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut labels, mut value) = (start, f64::NEG_INFINITY);
        for _ in 0..self.params.iterations {
            labels = iterate(level, rate, labels, &mut random);
            let now = quality(level, rate, &labels);
            if now <= value + 1e-12 * now.abs() {
                return (labels, true);
            }
            value = now;
            if context.stopped() != Stop::No {
                break;
            }
        }
        (labels, false)
    }
}

/// Moves, refines and aggregates up to the level where every cluster is one node.
fn iterate(level: &Level, rate: f64, mut labels: Vec<u32>, random: &mut ChaCha8Rng) -> Vec<u32> {
    let n = level.n();
    // The node of the current level that holds a node of the graph.
    let mut holder: Vec<u32> = (0..n as u32).collect();
    let mut current = level.clone();
    loop {
        move_nodes(&current, rate, &mut labels, random);
        let k = renumber(&mut labels, current.n());
        if k == current.n() {
            break;
        }
        let mut parts = refine(&current, rate, &labels, random);
        let mut made = renumber(&mut parts, current.n());
        if made == current.n() {
            (parts, made) = (labels.clone(), k);
        }
        let mut above = vec![0; made];
        parts.iter().zip(&labels).for_each(|(&part, &label)| above[part as usize] = label);
        current = current.aggregate(&parts, made);
        holder.iter_mut().for_each(|node| *node = parts[*node as usize]);
        labels = above;
    }
    let mut flat: Vec<u32> = holder.iter().map(|&node| labels[node as usize]).collect();
    renumber(&mut flat, n);
    flat
}

/// Σ over clusters of the weight inside (edges twice) − rate·M_C².
fn quality(level: &Level, rate: f64, labels: &[u32]) -> f64 {
    let inside = |v: usize| level.graph.row(v).filter(move |&(u, _)| labels[u as usize] == labels[v]).map(|(_, w)| w);
    let inside: f64 = (0..level.n()).flat_map(inside).sum();
    inside - rate * level.masses(labels, level.n()).iter().map(|m| m * m).sum::<f64>()
}

impl Clusterer for Leiden {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let sparse = graph.affinity().sparse().ok_or(LeidenError::NoEdges).map_err(StageError::data)?;
        if let Some(edge) = sparse.weights().iter().position(|&w| w < 0.0) {
            return Err(StageError::data(LeidenError::Negative { edge, weight: sparse.weights()[edge] }));
        }
        let n = sparse.n();
        let mut start = match &context.start {
            Some(Start::Partition(start)) if start.n() == n => {
                Some(Partition::compact(start.labels()).labels().to_vec())
            }
            Some(Start::Partition(start)) => {
                return Err(StageError::data(LeidenError::Start { start: start.n(), n }));
            }
            _ => None,
        };
        let (level, rate) = self.level(sparse);
        let mut best: Option<(f64, Vec<u32>, bool)> = None;
        for run in 0..self.params.runs as u64 {
            let start = start.take().unwrap_or_else(|| (0..n as u32).collect());
            let (labels, done) = self.run(&level, rate, start, context, context.seed.wrapping_add(run));
            let value = quality(&level, rate, &labels);
            if best.as_ref().is_none_or(|(most, ..)| value > *most) {
                best = Some((value, labels, done));
            }
            if context.stopped() != Stop::No {
                break;
            }
        }
        let (_, labels, done) = best.unwrap_or_default();
        Ok(self.finish(&level, rate, labels, (done, context.stopped())))
    }
}

impl Leiden {
    fn finish(&self, level: &Level, rate: f64, mut labels: Vec<u32>, (done, stop): (bool, Stop)) -> Clustering {
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
        clustering.status = match stop {
            Stop::Cancelled => Status::Cancelled,
            Stop::TimedOut => Status::TimedOut,
            Stop::No if done => Status::Converged,
            Stop::No => Status::IterationLimit { residual: 1.0 },
        };
        clustering
    }
}
