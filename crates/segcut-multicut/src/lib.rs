//! Graph to Clustering by combinatorial moves: hierarchical merging, multicuts, communities.
//!
//! [`Merge`] joins regions pair by pair and keeps the hierarchy; [`Multicut`] finds the clusters, their number
//! included, of signed weights; [`Leiden`] finds communities; [`Threshold`] drops weak edges; [`Each`] leaves every
//! region alone.

mod bias;
mod each;
mod edge_contraction;
mod gram_multicut;
mod kernighan_lin;
mod leiden;
mod linkage;
mod merge;
mod multicut;
mod neighbors;
mod threshold;

pub use bias::Bias;
pub use each::{Each, EachParams};
pub use edge_contraction::edge_contraction;
pub use leiden::{Leiden, LeidenError, LeidenParams, Quality};
pub use linkage::{Linkage, LinkageError};
pub use merge::{Merge, MergeParams};
pub use multicut::{Moves, Multicut, MulticutError, MulticutParams, SignedWeight};
pub use threshold::{Threshold, ThresholdParams};
