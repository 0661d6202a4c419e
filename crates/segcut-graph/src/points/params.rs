//! What makes a graph of points, and why it cannot be made.

use super::kernel::Kernel;
use segcut_core::AffinityError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which pairs of points are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointAffinity {
    /// All pairs whose weight is not 0.
    Rbf,
    /// Pairs at most `epsilon` apart.
    Epsilon,
    /// Every point with its nearest ones.
    #[default]
    NearestNeighbors,
}

/// What becomes of a pair of which only one is among the nearest of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symmetry {
    /// Half the weight: (A + Aᵀ) / 2, as scikit-learn.
    #[default]
    Mean,
    /// The whole weight.
    Union,
    /// No edge.
    Mutual,
}

/// Whether neighbours may be missed for the sake of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approximate {
    /// Where all pairs take longer: more than 8 columns, and more than 30,000 points.
    #[default]
    Auto,
    /// Wherever nearest neighbours are asked for.
    Always,
    /// Every neighbour is found.
    Never,
}

/// How points become a graph. Names and defaults are scikit-learn's `SpectralClustering`'s, where it has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PointGraphParams {
    /// Which pairs are joined.
    pub affinity: PointAffinity,
    /// Nearest points of each point, itself counted.
    pub n_neighbors: usize,
    /// Radius of affinity "epsilon", which needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// How a distance becomes a weight.
    pub kernel: Kernel,
    /// Factor of the squared distance in the Gaussian kernel: 1/(2σ²).
    pub gamma: f64,
    /// Which neighbour sets the scale of the local kernel.
    pub scale_neighbor: usize,
    /// What becomes of one-sided neighbours.
    pub symmetry: Symmetry,
    /// Whether nearest neighbours are found by a navigable graph of the points, which misses some.
    pub approximate: Approximate,
}

impl Default for PointGraphParams {
    fn default() -> Self {
        Self {
            affinity: PointAffinity::default(),
            n_neighbors: 10,
            epsilon: None,
            kernel: Kernel::default(),
            gamma: 1.0,
            scale_neighbor: 7,
            symmetry: Symmetry::default(),
            approximate: Approximate::default(),
        }
    }
}

/// Why points make no graph.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum PointGraphError {
    /// A coordinate is not finite, or so large that squares leave f64.
    #[error("point {point} has the coordinate {value}; coordinates must lie within ±1e150")]
    Coordinate {
        /// The point.
        point: usize,
        /// Its coordinate.
        value: f64,
    },
    /// More neighbours than points.
    #[error("n_neighbors = {n_neighbors} is more than the {n} points (a point counts as its own neighbour)")]
    Neighbors {
        /// Asked for.
        n_neighbors: usize,
        /// Points.
        n: usize,
    },
    /// The graph has more edges than may be held.
    #[error("{n} points make more than {most} edges, all that memory allows; use fewer neighbours or a smaller radius")]
    TooManyEdges {
        /// Points.
        n: usize,
        /// Edges that may be held.
        most: usize,
    },
    /// The system gives no thread for the search.
    #[error("no thread could be started for the approximate search; set approximate to \"never\"")]
    Thread,
    /// The edges make no affinity.
    #[error(transparent)]
    Affinity(#[from] AffinityError),
}
