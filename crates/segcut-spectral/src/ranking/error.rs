//! Why a graph cannot be ranked against the frame, and what is needed for it.

use segcut_core::{FeatureBlock, Geometry, RegionGraph};
use segcut_graph::SIDES;
use thiserror::Error;

/// Why a graph cannot be ranked against the frame.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RankingError {
    /// The graph does not come from an image.
    #[error("the graph has no geometry: ranking against the frame needs regions of an image")]
    NoGeometry,
    /// The graph was not built for ranking.
    #[error("the graph has no block {SIDES} of four columns: use [graph] kind = \"ranking\"")]
    NoSides,
    /// Weights below 0, too large, or no list of edges.
    #[error("the affinity is no list of edges with weights of at least 0")]
    Weights,
}

/// Where the regions lie, and at which sides of the frame.
pub(super) fn frame_of(graph: &RegionGraph) -> Result<(&Geometry, &FeatureBlock), RankingError> {
    let geometry = graph.geometry().ok_or(RankingError::NoGeometry)?;
    let sides = graph.feature(SIDES).filter(|block| block.dims == 4).ok_or(RankingError::NoSides)?;
    Ok((geometry, sides))
}
