//! Signed affinities → clusters, their number included.

use crate::bias::Bias;
use crate::edge_contraction::edge_contraction;
use crate::gram_multicut::GramMulticut;
use crate::kernighan_lin::kernighan_lin;
use crate::neighbors::Neighbors;
use segcut_core::{
    Affinity, ClusterCount, Clusterer, Clustering, Context, GramAffinity, Note, Partition, RegionGraph, StageError,
    Start, Status,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest dense graph whose weights are clipped at zero: such a matrix has no factors and is formed.
const LARGEST_FORMED: usize = 4096;

/// Why a graph has no multicut.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum MulticutError {
    /// Log odds are taken of shares.
    #[error("log_odds needs weights from 0 to 1; edge {edge} has {weight}")]
    NotShare {
        /// The edge's place.
        edge: usize,
        /// Its weight.
        weight: f64,
    },
    /// A dense matrix would have to be formed.
    #[error("a dense affinity clipped at zero has no factors; it is formed up to {LARGEST_FORMED} nodes, not {n}")]
    TooDense {
        /// Nodes.
        n: usize,
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

/// How an affinity becomes a signed weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedWeight {
    /// w − bias.
    #[default]
    Difference,
    /// ln(w / (1 − w)) − ln(bias / (1 − bias)), for affinities that are probabilities (Andres et al. 2011).
    LogOdds,
}

/// What follows greedy contraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moves {
    /// Nothing.
    None,
    /// Kernighan & Lin's moves with joins; on factors, moves of single nodes and joins.
    #[default]
    KernighanLin,
}

/// Parameters of [`Multicut`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MulticutParams {
    /// `"auto"`: as many clusters as maximise the objective. A number: contraction goes on or ends there, and
    /// no moves follow.
    pub k: ClusterCount,
    /// The affinity that counts as zero.
    pub bias: Bias,
    /// How an affinity becomes a signed weight.
    pub weights: SignedWeight,
    /// Signed weights are multiplied by (border length)^this, where the graph knows it.
    pub border_exponent: f64,
    /// What follows contraction.
    pub moves: Moves,
    /// Bound on rounds of moves.
    pub rounds: usize,
}

impl Default for MulticutParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::Auto,
            bias: Bias::Auto,
            weights: SignedWeight::Difference,
            border_exponent: 0.0,
            moves: Moves::KernighanLin,
            rounds: 25,
        }
    }
}

/// RegionGraph → the clusters that keep the most signed weight inside: correlation clustering, or the multicut.
///
/// Objective: max Σ over pairs in one cluster of (affinity − bias), the diagonal left out (Bansal et al. 2004;
/// DeepCut's correlation loss, Aflalo et al. 2023, is its relaxation with at most 10 clusters). Solved by
/// [`edge_contraction`], then by Kernighan & Lin's moves (Keuper et al. 2015). The number of clusters follows
/// from the bias; there is no seed.
///
/// A Gram affinity without clipping is never formed: weights between clusters are products of sums of factors.
/// A partition in the [`Context`] takes the place of contraction.
///
/// # Errors
/// [`MulticutError`] as [`StageError::Data`]; construction refuses parameters out of range.
///
/// # Determinism
/// No randomness; ties go to the first edge.
///
/// # Cost
/// Sparse: O(m·log m) and memory linear in the edges. Gram of n×d factors: O(n²·d) time, O(n·d) memory.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, Clusterer, Context, RegionGraph, SparseAffinity};
/// use segcut_multicut::{Bias, Multicut, MulticutParams};
/// let path = SparseAffinity::new(4, vec![[0, 1], [1, 2], [2, 3]], vec![0.9, 0.1, 0.8])?;
/// let graph = RegionGraph::new(Affinity::Sparse(path));
/// let params = MulticutParams { bias: Bias::Fixed(0.5), ..MulticutParams::default() };
/// let found = Multicut::new(params)?.cluster(&graph, &Context::default())?;
/// assert_eq!(found.partition.labels(), [0, 0, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Multicut {
    params: MulticutParams,
}

impl Multicut {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: MulticutParams) -> Result<Self, StageError> {
        if params.k == ClusterCount::Fixed(0) {
            return Err(StageError::parameter("cluster.k", 0, "\"auto\" or at least 1"));
        }
        if !params.border_exponent.is_finite() {
            return Err(StageError::parameter("cluster.border_exponent", params.border_exponent, "finite"));
        }
        match (params.weights, params.bias) {
            (SignedWeight::LogOdds, Bias::Fixed(bias)) if bias <= 0.0 || bias >= 1.0 => {
                Err(StageError::parameter("cluster.bias", bias, "between 0 and 1 for log_odds"))
            }
            _ => Ok(Self { params }),
        }
    }

    fn signed(&self, graph: &RegionGraph, weights: &[f64], bias: f64) -> Result<Vec<f64>, MulticutError> {
        let mut signed: Vec<f64> = match self.params.weights {
            SignedWeight::Difference => weights.iter().map(|w| w - bias).collect(),
            SignedWeight::LogOdds => {
                if let Some(edge) = weights.iter().position(|w| !(0.0..=1.0).contains(w)) {
                    return Err(MulticutError::NotShare { edge, weight: weights[edge] });
                }
                weights.iter().map(|&w| log_odds(w) - log_odds(bias)).collect()
            }
        };
        if let (Some(lengths), true) = (&graph.edge_columns().border_length, self.params.border_exponent != 0.0) {
            let factors = lengths.iter().map(|&length| f64::from(length).max(1.0).powf(self.params.border_exponent));
            signed.iter_mut().zip(factors).for_each(|(weight, factor)| *weight *= factor);
        }
        Ok(signed)
    }

    /// Labels, and whether the moves ended by themselves.
    fn on_edges(
        &self,
        n: usize,
        edges: &[[u32; 2]],
        signed: &[f64],
        context: &Context,
    ) -> Result<(Vec<u32>, bool), MulticutError> {
        let start = match start(context, n)? {
            Some(start) => start,
            None => Partition::compact(&edge_contraction(n, edges, signed, self.params.k.fixed())),
        };
        if self.params.moves == Moves::None || self.params.k != ClusterCount::Auto {
            return Ok((start.labels().to_vec(), true));
        }
        Ok(kernighan_lin(&Neighbors::new(n, edges, signed), &start, self.params.rounds, context))
    }

    fn on_factors(&self, gram: &GramAffinity, bias: f64, context: &Context) -> Result<(Vec<u32>, bool), MulticutError> {
        let n = gram.factors.nrows();
        let k = self.params.k.fixed();
        let given = start(context, n)?;
        let started = given.is_some();
        let labels = given.map_or_else(|| (0..n as u32).collect(), |start| start.labels().to_vec());
        let mut clusters = GramMulticut::new(gram.factors.view(), gram.shift - bias, labels);
        if !started {
            clusters.contract(k, context);
        }
        if self.params.moves == Moves::None || k.is_some() {
            return Ok((clusters.into_labels(), true));
        }
        for _ in 0..self.params.rounds {
            let moved = clusters.move_nodes(context);
            let joined = clusters.contract(None, context);
            if !moved && !joined {
                return Ok((clusters.into_labels(), true));
            }
        }
        Ok((clusters.into_labels(), false))
    }

    fn solve(&self, graph: &RegionGraph, context: &Context) -> Result<(Vec<u32>, bool), MulticutError> {
        let bias = self.params.bias.of(graph.affinity());
        match graph.affinity() {
            Affinity::Sparse(sparse) => {
                let signed = self.signed(graph, sparse.weights(), bias)?;
                self.on_edges(sparse.n(), sparse.edges(), &signed, context)
            }
            Affinity::Gram(gram) if !gram.clip && self.params.weights == SignedWeight::Difference => {
                self.on_factors(gram, bias, context)
            }
            Affinity::Gram(gram) => {
                let n = gram.factors.nrows();
                if n > LARGEST_FORMED {
                    return Err(MulticutError::TooDense { n });
                }
                let edges: Vec<[u32; 2]> = (0..n as u32).flat_map(|u| (u + 1..n as u32).map(move |v| [u, v])).collect();
                let weights: Vec<f64> = edges.iter().map(|&[u, v]| gram.weight(u as usize, v as usize)).collect();
                let signed = self.signed(graph, &weights, bias)?;
                self.on_edges(n, &edges, &signed, context)
            }
        }
    }
}

/// Shares nearer to 0 or 1 than this count as this near.
const NEAREST: f64 = 1e-6;

fn log_odds(share: f64) -> f64 {
    let share = share.clamp(NEAREST, 1.0 - NEAREST);
    (share / (1.0 - share)).ln()
}

fn start(context: &Context, n: usize) -> Result<Option<Partition>, MulticutError> {
    match &context.start {
        Some(Start::Partition(start)) if start.n() != n => Err(MulticutError::Start { start: start.n(), n }),
        Some(Start::Partition(start)) => Ok(Some(Partition::compact(start.labels()))),
        _ => Ok(None),
    }
}

/// Clusters beyond k (components that no edge connects) go into the last one, smallest first to go.
pub(crate) fn at_most(labels: &[u32], k: usize) -> Partition {
    let found = Partition::compact(labels);
    if found.k() <= k {
        return found;
    }
    let sizes = found.sizes();
    let mut order: Vec<usize> = (0..found.k()).collect();
    order.sort_by_key(|&c| (std::cmp::Reverse(sizes[c]), c));
    let mut name = vec![0; found.k()];
    (0..).zip(order).for_each(|(rank, cluster)| name[cluster] = (rank as u32).min(k as u32 - 1));
    let labels: Vec<u32> = found.labels().iter().map(|&label| name[label as usize]).collect();
    Partition::compact(&labels)
}

impl Clusterer for Multicut {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let (labels, done) = self.solve(graph, context).map_err(StageError::data)?;
        let fixed = self.params.k.fixed();
        let mut clustering = Clustering::converged(at_most(&labels, fixed.unwrap_or(usize::MAX)));
        let made = clustering.partition.k();
        match fixed {
            None => clustering.notes.push(Note::KChosen(made)),
            Some(asked) if made < asked => clustering.notes.push(Note::KReduced { asked, made }),
            Some(_) => {}
        }
        let own = if done { Status::Converged } else { Status::IterationLimit { residual: 1.0 } };
        clustering.status = context.ended().unwrap_or(own);
        Ok(clustering)
    }
}
