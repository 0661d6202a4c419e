//! Graphs to clusters by the p-Laplacian.

mod clusterer;
mod component_split;
mod criterion;
mod cut_profile;
mod eigenvector;
mod functional;
mod laplacian_factor;
mod limited_memory;
mod line_search;
mod minimize;
mod polish;
mod powers;
mod recursion;
mod threshold;

pub use clusterer::{PSpectral, PSpectralParams, PSpectralResult, StartSize};
pub use criterion::{Criterion, CutKind};
pub use eigenvector::{PEigenParams, PEigenvector, p_eigenvector};
pub use functional::{PFunctional, PValue};
pub use recursion::{Recursion, Split};
pub use threshold::{Threshold, TwoWay, threshold_cut};

pub(crate) use clusterer::{OWN_CUTS, clustering, start_vector};
pub(crate) use component_split::{component_indicators, joined, resolved_components};
pub(crate) use criterion::part;
pub(crate) use recursion::{Candidates, RecursionParams, Splitter, recurse};
pub(crate) use threshold::{Valuation, cut_by};
