//! Why a graph has no communities, or a model no use.

use thiserror::Error;

/// Why a graph has no communities that a network could learn.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CommunityError {
    /// A Gram affinity where edges are needed.
    #[error("communities need a graph with edges; this affinity is given by factors")]
    NoEdges,
    /// Modularity has no meaning for weights below zero.
    #[error("communities need weights of at least 0; edge {edge} has {weight}")]
    Negative {
        /// The edge's place.
        edge: usize,
        /// Its weight.
        weight: f64,
    },
    /// A block of features that the graph does not have.
    #[error("the graph has no features named {name}")]
    NoFeature {
        /// The name that was asked for.
        name: String,
    },
    /// A feature is NaN or infinite.
    #[error("feature {dim} of node {node} is not finite")]
    NotFinite {
        /// The node.
        node: usize,
        /// The dimension.
        dim: usize,
    },
    /// A start of another graph.
    #[error("the start has {start} nodes, the graph {n}")]
    Start {
        /// Nodes of the start.
        start: usize,
        /// Nodes of the graph.
        n: usize,
    },
    /// Nothing to learn from.
    #[error("there are no nodes to learn from")]
    Empty,
    /// A model that would know nodes by their names only.
    #[error(
        "a model of communities needs attributes of the nodes: without them it knows no node but those it has seen"
    )]
    NoAttributes,
    /// Graphs whose attributes differ in number.
    #[error("graph {graph} has {found} attributes per node, the first {wanted}")]
    Width {
        /// The graph.
        graph: usize,
        /// Its attributes.
        found: usize,
        /// Those of the first.
        wanted: usize,
    },
    /// The state of unfinished training does not fit.
    #[error("the state of unfinished training is that of another graph or of other parameters")]
    State,
}
