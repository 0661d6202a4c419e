//! A clustering → what is told of it.

use crate::exit::Failure;
use segcut::{CutValues, cut_values};
use segcut_core::{Affinity, Partition, RegionGraph, Status};
use segcut_eval::{Contingency, adjusted_rand_index, matched_accuracy, normalized_mutual_information};
use serde::Serialize;

/// Everything that `--json` tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// The method.
    pub method: String,
    /// Nodes or points.
    pub n: usize,
    /// Clusters.
    pub k: usize,
    /// Edges of the graph, where there is one.
    pub edges: Option<usize>,
    /// Cut values of the clusters.
    #[serde(flatten)]
    pub values: Values,
    /// From the start of the program to the end of the scores.
    pub seconds: f64,
    /// Of these, reading files.
    pub seconds_read: f64,
    /// How the computation ended.
    pub status: &'static str,
    /// What a user should know.
    pub notes: Vec<String>,
    /// Agreement with the truth.
    #[serde(flatten)]
    pub scores: Option<Scores>,
}

/// Values of a partition on its graph; none without a graph.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Values {
    /// Weight between clusters, each edge once.
    pub cut: Option<f64>,
    /// Σ cut / volume.
    pub ncut: Option<f64>,
    /// Σ cut / size.
    pub ratio_cut: Option<f64>,
    /// Largest cut / volume.
    pub cheeger: Option<f64>,
    /// Newman's modularity.
    pub modularity: Option<f64>,
    /// Mean conductance.
    pub conductance: Option<f64>,
}

impl Values {
    /// The values of a partition.
    pub fn of(affinity: &Affinity, partition: &Partition) -> Result<Self, Failure> {
        let found: CutValues = cut_values(affinity, partition).map_err(Failure::inputs)?;
        Ok(Self {
            cut: Some(found.total()),
            ncut: Some(found.ncut()),
            ratio_cut: Some(found.ratio_cut()),
            cheeger: Some(found.cheeger()),
            modularity: Some(found.modularity()),
            conductance: Some(found.conductance()),
        })
    }

    /// Names and values, those that there are.
    pub fn named(&self) -> Vec<(&'static str, f64)> {
        let all = [
            ("ncut", self.ncut),
            ("ratio_cut", self.ratio_cut),
            ("cheeger", self.cheeger),
            ("modularity", self.modularity),
            ("conductance", self.conductance),
            ("cut", self.cut),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Agreement with true labels; nodes without one are left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scores {
    /// Normalized mutual information.
    pub nmi: f64,
    /// Adjusted Rand index.
    pub ari: f64,
    /// Share of nodes in matched clusters, with the best matching.
    pub accuracy: f64,
    /// Nodes with a true label.
    pub scored: u64,
}

impl Scores {
    /// Labels against the truth.
    pub fn of(labels: &[u32], truth: &[u32]) -> Result<Self, Failure> {
        let table = Contingency::from_labels(labels, truth).map_err(Failure::inputs)?;
        Ok(Self {
            nmi: normalized_mutual_information(&table),
            ari: adjusted_rand_index(&table),
            accuracy: matched_accuracy(&table),
            scored: table.pixels(),
        })
    }

    /// Names and values.
    pub fn named(&self) -> [(&'static str, f64); 3] {
        [("nmi", self.nmi), ("ari", self.ari), ("accuracy", self.accuracy)]
    }
}

/// A status as one word.
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Converged => "converged",
        Status::IterationLimit { .. } => "iteration_limit",
        Status::Cancelled => "cancelled",
        Status::TimedOut => "timed_out",
    }
}

/// Edges, where the graph has some of its own.
pub fn edges(graph: &RegionGraph) -> Option<usize> {
    graph.affinity().sparse().map(|sparse| sparse.edges().len())
}
