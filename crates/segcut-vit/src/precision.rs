//! In which numbers a network computes.

use serde::{Deserialize, Serialize};

/// In which numbers a network multiplies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    F32,
    /// Weights, inputs of linear maps, queries and keys as 16-bit whole numbers with a unit per row, summed
    /// in 32 bits; everything else in 32-bit floating point.
    I16,
}

impl Precision {
    /// Whether this processor is faster with it than with [`F32`](Self::F32): 16-bit numbers need AVX-512 VNNI.
    pub fn is_fast(self) -> bool {
        match self {
            Self::F32 => true,
            Self::I16 => segcut_kernel::is_fast(),
        }
    }
}
