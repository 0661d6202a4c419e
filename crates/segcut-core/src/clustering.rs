//! What a clusterer returns.

use crate::{MergeTree, Partition};
use ndarray::Array2;

/// How a computation ended. It travels with the result; it is never a panic or a silent change of method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Status {
    /// The stopping rule was met.
    Converged,
    /// The iteration limit came first.
    IterationLimit {
        /// What was left of the stopping rule's quantity.
        residual: f64,
    },
    /// The caller cancelled; the result is the best so far.
    Cancelled,
    /// The caller's time was up; the result is the best so far.
    TimedOut,
}

impl Status {
    /// How two computations end together: as the first one that did not converge.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Converged { other } else { self }
    }
}

/// What a user should know about a result.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// Fewer clusters than asked.
    KReduced {
        /// Asked.
        asked: usize,
        /// Made.
        made: usize,
    },
    /// The graph falls into parts that no edge connects.
    Components(usize),
    /// The eigenvalues could not be certified as the smallest ones.
    NotCertified,
    /// Diagonal entries were dropped.
    DiagonalDropped,
    /// The number of clusters that the clusterer chose.
    KChosen(usize),
    /// Columns of a learned embedding that depend on the others: they carry no information.
    Collapsed {
        /// Columns.
        dims: usize,
        /// Of these, independent ones.
        rank: usize,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KReduced { asked, made } => write!(f, "k reduced from {asked} to {made}"),
            Self::Components(n) => write!(f, "the graph has {n} components"),
            Self::NotCertified => write!(f, "eigenvalues not certified"),
            Self::DiagonalDropped => write!(f, "diagonal dropped"),
            Self::KChosen(k) => write!(f, "k chosen: {k}"),
            Self::Collapsed { dims, rank } => write!(f, "the embedding collapsed to {rank} of {dims} dimensions"),
        }
    }
}

/// A partition of the nodes with how it came about.
///
/// *Not enforced*: that the optional parts have n rows (their makers' duty).
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// The cluster of each node.
    pub partition: Partition,
    /// How the computation ended.
    pub status: Status,
    /// What a user should know.
    pub notes: Vec<Note>,
    /// n×k memberships; rows sum to 1.
    pub soft: Option<Array2<f64>>,
    /// n×m coordinates, for example eigenvectors.
    pub embedding: Option<Array2<f64>>,
    /// Eigenvalues that belong to the embedding's columns.
    pub eigenvalues: Option<Vec<f64>>,
    /// The hierarchy, where there is one.
    pub tree: Option<MergeTree>,
    /// The partitions on the way of a method that splits again and again, the first in two; empty for other methods.
    pub steps: Vec<Partition>,
    /// The loss of every epoch of a clusterer that was trained; empty for others.
    pub losses: Vec<f64>,
}

impl Clustering {
    /// A converged clustering with nothing but its partition.
    pub fn converged(partition: Partition) -> Self {
        Self {
            partition,
            status: Status::Converged,
            notes: Vec::new(),
            soft: None,
            embedding: None,
            eigenvalues: None,
            tree: None,
            steps: Vec::new(),
            losses: Vec::new(),
        }
    }
}
