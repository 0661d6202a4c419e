//! LabelMap and FeatureMaps to RegionGraph; cut values, Laplacians, merge trees.

mod adjacency;
mod edge_weight;
mod geometry;
mod pair_table;
mod pool;
mod rag;
mod ring;

pub use adjacency::Adjacency;
pub use edge_weight::Scale;
pub use geometry::geometry;
pub use pool::pool;
pub use rag::{Rag, RagError, RagParams};
