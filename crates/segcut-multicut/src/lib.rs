//! Graph to Clustering by combinatorial moves: hierarchical merging.
//!
//! [`Merge`] joins regions pair by pair and keeps the hierarchy; [`Threshold`] drops weak edges; [`Each`] leaves
//! every region alone.

mod each;
mod linkage;
mod merge;
mod threshold;

pub use each::{Each, EachParams};
pub use linkage::{Linkage, LinkageError};
pub use merge::{Merge, MergeParams};
pub use threshold::{Threshold, ThresholdParams};
