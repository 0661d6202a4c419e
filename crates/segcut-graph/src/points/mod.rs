//! Points → graph of near points.

mod brute_force;
mod graph;
mod kd_tree;
mod kernel;
mod navigable;
mod neighbors;
mod params;

pub use graph::PointGraph;
pub use kernel::Kernel;
pub(crate) use neighbors::neighbors_of;
pub use params::{Approximate, PointAffinity, PointGraphError, PointGraphParams, Symmetry};
