//! Points → graph of near points.

mod brute_force;
mod graph;
mod kd_tree;
mod kernel;
mod neighbors;

pub use graph::{PointAffinity, PointGraph, PointGraphError, PointGraphParams, Symmetry};
pub use kernel::Kernel;
pub(crate) use neighbors::neighbors_of;
