//! Prediction and truth to scores: pure functions on label maps and masks, no file access.
//!
//! | task | of one image | of a set |
//! |---|---|---|
//! | regions and boundaries | [`score_image`] | [`Sweep`] |
//! | superpixels | [`score_superpixels`] | means |
//! | binary and soft masks | [`MaskCounts`], [`SoftCounts`] | [`MaskScores::of`], [`SoftCounts::max_f`] |
//! | classes and clusters | — | [`SemanticCounts`] |
//! | partitions of points and nodes | [`Contingency::from_labels`] and the functions that take it | — |
//!
//! What holds everywhere: two maps of different size are an [`EvalError::Size`], nothing is resized. Pixels that are
//! [`VOID`](segcut_core::VOID) in either map are left out of both, so whoever reads files turns ignored labels
//! into VOID. Empty against empty is perfect (1, or 0 where lower is better). All scores are f64, sums
//! run in a fixed order, and no score is NaN.

mod annotation;
mod augmenting_paths;
mod boundary;
mod compactness;
mod contingency;
mod covering;
mod edge_map;
mod error;
mod hungarian;
mod information;
mod mask_boundary;
mod masks;
mod rand_index;
mod regions;
mod semantic;
mod soft_masks;
mod superpixels;
mod sweep;
mod thinning;
mod ultrametric;

pub use annotation::Annotation;
pub use boundary::{BoundaryCounts, Tolerance, score_boundary};
pub use compactness::compactness;
pub use contingency::{Cell, Contingency, Region};
pub use covering::covering;
pub use edge_map::{boundary, edge_map};
pub use error::EvalError;
pub use hungarian::{Overlap, best_matching, matched_accuracy, matched_mean_iou};
pub use information::{normalized_mutual_information, variation_of_information};
pub use mask_boundary::mask_boundary;
pub use masks::{BETA_SQUARED, MaskCounts, MaskScores};
pub use rand_index::{adjusted_rand_index, rand_index};
pub use regions::{
    BoundaryScores, ImageScores, RegionScores, score_boundaries, score_image, score_regions, truth_pixels,
};
pub use semantic::{ClassScore, Labels, SemanticCounts, SemanticScores};
pub use soft_masks::{LEVELS, MaxF, MaxFProtocol, SoftCounts};
pub use superpixels::{
    SuperpixelScores, achievable_accuracy, boundary_recall, score_superpixels, undersegmentation_error,
};
pub use sweep::{Best, SettingScores, Sweep, SweepScores};
pub use thinning::thin;
pub use ultrametric::UltrametricMap;
