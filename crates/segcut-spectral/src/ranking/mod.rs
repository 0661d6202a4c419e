//! Graphs of image regions → foreground and background, by what reaches the frame.

mod error;
mod manifold_ranking;
mod memberships;
mod propagator;
mod robust_background;

pub use error::RankingError;
pub use manifold_ranking::{ManifoldRanking, ManifoldRankingParams};
pub use robust_background::{RobustBackground, RobustBackgroundParams};
