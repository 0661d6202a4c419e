//! LabelMap and FeatureMaps to RegionGraph; cut values, Laplacians, merge trees.

mod adjacency;
mod components;
mod contract;
mod cut_values;
mod distance;
mod edge_weight;
mod geometry;
mod histogram;
mod laplacian;
mod merge_cost;
mod pair_table;
mod pmi;
mod pool;
mod rag;
mod region_merging;
mod region_parts;
mod ring;
mod subgraph;
mod tree_cut;
mod ultrametric_contour;

pub use adjacency::Adjacency;
pub use components::components;
pub use contract::{ContractError, contract};
pub use cut_values::{CutValues, PartitionSize, cut_values};
pub use edge_weight::Scale;
pub use geometry::geometry;
pub use laplacian::{degrees, laplacian, normalized_laplacian};
pub use merge_cost::{MergeCost, MergeCostError};
pub use pmi::{Pmi, PmiParams, PmiTable, pmi_table};
pub use pool::pool;
pub use rag::{Rag, RagError, RagParams};
pub use region_merging::{Border, Regions, SizeFactor, region_merging};
pub use subgraph::{SubgraphError, subgraph};
pub use tree_cut::TreeCut;
pub use ultrametric_contour::{LeafCount, ultrametric_contour};
