//! LabelMap and FeatureMaps to RegionGraph; cut values, Laplacians, merge trees.

mod adjacency;
mod components;
mod contract;
mod cut_values;
mod edge_weight;
mod geometry;
mod histogram;
mod laplacian;
mod pair_table;
mod pool;
mod rag;
mod ring;
mod subgraph;
mod ultrametric_contour;

pub use adjacency::Adjacency;
pub use components::components;
pub use contract::{ContractError, contract};
pub use cut_values::{CutValues, PartitionSize, cut_values};
pub use edge_weight::Scale;
pub use geometry::geometry;
pub use laplacian::{degrees, laplacian, normalized_laplacian};
pub use pool::pool;
pub use rag::{Rag, RagError, RagParams};
pub use subgraph::{SubgraphError, subgraph};
pub use ultrametric_contour::{LeafCount, ultrametric_contour};
