//! Why a network cannot be trained.

use thiserror::Error;

/// Why SpectralNet cannot be trained on a graph.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpectralNetError {
    /// No node features.
    #[error("SpectralNet reads node features, and this graph has none{}", named(.wanted))]
    NoFeatures {
        /// The names that were asked for; empty for all.
        wanted: Vec<String>,
    },
    /// A feature is NaN or infinite.
    #[error("feature {dim} of node {node} is not finite")]
    NotFinite {
        /// The node.
        node: usize,
        /// The dimension.
        dim: usize,
    },
    /// Rows that are no pictures of the shape that is needed.
    #[error("{features} features per node are no picture{}: set cluster.shape to its height, width and channels", shaped(.shape))]
    Picture {
        /// Features per node.
        features: usize,
        /// The shape that was asked for.
        shape: Option<[usize; 3]>,
    },
    /// A graph encoder without a graph.
    #[error(
        "cluster.graph_encoder reads edges, and there are none: give a graph, or for points options of one, as --n-neighbors 10"
    )]
    NoEdges,
    /// Graphs whose nodes have different features.
    #[error("graph {graph} has {found} features per node, the first one {wanted}")]
    Features {
        /// The graph's number.
        graph: usize,
        /// Its features.
        found: usize,
        /// Those of the first.
        wanted: usize,
    },
    /// Nothing to learn from.
    #[error("there are no nodes to learn from")]
    Empty,
    /// The loss reads edges, and the affinity has none of its own.
    #[error("SpectralNet reads edges: give the affinity as edges, or set cluster.similarity to \"batch\"")]
    Dense,
    /// An unfinished training of other parameters.
    #[error("the state of the unfinished training fits other parameters")]
    State,
    /// The loss left the range of numbers.
    #[error("the loss is no number any more after epoch {epoch}: a smaller learning_rate may help")]
    Diverged {
        /// The epoch.
        epoch: usize,
    },
    /// More clusters than nodes.
    #[error("k = {k} is more than the {n} nodes")]
    Clusters {
        /// Clusters.
        k: usize,
        /// Nodes.
        n: usize,
    },
    /// The small eigenproblem of the refit failed.
    #[error("the eigenproblem of the last layer did not converge")]
    Ritz,
}

fn shaped(shape: &Option<[usize; 3]>) -> String {
    shape.map(|[height, width, channels]| format!(" of {height}×{width}×{channels}")).unwrap_or_default()
}

fn named(wanted: &[String]) -> String {
    if wanted.is_empty() { String::new() } else { format!(" named {}", wanted.join(", ")) }
}
