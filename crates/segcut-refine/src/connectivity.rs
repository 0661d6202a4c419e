//! Which pixels touch each other.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which pixels touch each other; written as 4 or 8 in a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Connectivity {
    /// Pixels that share a side.
    #[default]
    Four,
    /// Pixels that share a side or a corner.
    Eight,
}

/// A connectivity that is neither 4 nor 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("connectivity {0} is refused: it must be 4 or 8")]
pub struct ConnectivityError(pub u8);

impl TryFrom<u8> for Connectivity {
    type Error = ConnectivityError;

    fn try_from(neighbours: u8) -> Result<Self, Self::Error> {
        match neighbours {
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            other => Err(ConnectivityError(other)),
        }
    }
}

impl From<Connectivity> for u8 {
    fn from(connectivity: Connectivity) -> Self {
        match connectivity {
            Connectivity::Four => 4,
            Connectivity::Eight => 8,
        }
    }
}
