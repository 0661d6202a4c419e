//! The value of a cut in two parts, by name.

use crate::pencil::Laplacian;
use serde::{Deserialize, Serialize};

/// What a part is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutKind {
    /// Volume: the sum of the degrees.
    #[default]
    Normalized,
    /// Number of nodes.
    Ratio,
}

impl CutKind {
    /// The Laplacian whose mass it is.
    pub fn laplacian(self) -> Laplacian {
        match self {
            Self::Normalized => Laplacian::Normalized,
            Self::Ratio => Laplacian::Unnormalized,
        }
    }
}

/// What a cut costs, from its two parts: cut(A, rest)/size(A) and the same of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The sum of the parts: N-cut or ratio cut.
    Cut,
    /// The larger part: normalized or ratio Cheeger cut.
    #[default]
    Cheeger,
    /// The weight of the cut, where neither side has more than (1 + imbalance)·⌈n/2⌉ nodes.
    Balanced,
}

impl Criterion {
    /// The cost of two parts; for [`Criterion::Balanced`] the parts stand for their cut itself.
    pub fn of(self, parts: [f64; 2]) -> f64 {
        match self {
            Self::Cut => parts[0] + parts[1],
            Self::Cheeger | Self::Balanced => parts[0].max(parts[1]),
        }
    }
}

/// Cut over size; a side without weight across costs nothing, whatever its size.
pub(crate) fn part(cut: f64, size: f64) -> f64 {
    if cut > 0.0 { cut / size } else { 0.0 }
}
