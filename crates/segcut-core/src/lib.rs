//! The nouns of segcut and the traits of its stages: no algorithm, no file access.
//!
//! ```text
//! Image ─► FeatureExtractor ─► FeatureMap ─┐
//!   └────► Oversegmenter ─► LabelMap ──────┴─► RegionGraph ─► Clusterer ─► Clustering ─► Refiner ─► LabelMap
//! ```
//!
//! Everything before [`RegionGraph`] is vision, everything after it is graphs. Each noun documents
//! what its constructor guarantees and what it leaves to its user.

mod affinity;
mod cluster_count;
mod clustering;
mod context;
mod contour_sum;
mod error;
mod feature_map;
mod image;
mod label_map;
mod mask;
mod merge_tree;
mod partition;
mod region_graph;
mod stages;

pub use affinity::{Affinity, AffinityError, GramAffinity, SparseAffinity};
pub use cluster_count::ClusterCount;
pub use clustering::{Clustering, Note, Status};
pub use context::{Context, Detail, Progress, Start, Stop, StopSignal};
pub use contour_sum::{ContourSum, ContourSumError};
pub use error::StageError;
pub use feature_map::{BandSource, Codes, FeatureMap, FeatureMapError, FeatureMaps, Grid};
pub use image::{ColorSpace, Image, ImageError, Samples};
pub use label_map::{LabelMap, LabelMapError, VOID};
pub use mask::{Mask, SizeMismatch};
pub use merge_tree::{Merge, MergeTree, MergeTreeError};
pub use partition::{Partition, PartitionError};
pub use region_graph::{EdgeColumns, FeatureBlock, Geometry, GraphError, RegionGraph};
pub use stages::{
    Checkpoint, Clusterer, Evidence, FeatureExtractor, Features, Fitted, GraphBuilder, GraphSource, Learner, Model,
    Oversegmenter, Refiner, Unkept,
};
