//! Graphs of image regions → foreground and background, by what reaches the frame.

mod manifold_ranking;
mod propagator;

pub use manifold_ranking::{ManifoldRanking, ManifoldRankingParams, RankingError};
