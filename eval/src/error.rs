//! Why a prediction cannot be scored.

use segcut_core::{LabelMap, Mask, SizeMismatch};
use thiserror::Error;

/// Why a prediction cannot be scored. Nothing is ever resized to fit.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// Two maps of one image differ in size.
    #[error(transparent)]
    Size(#[from] SizeMismatch),
    /// An image came without ground truth.
    #[error("there is no ground truth to score against")]
    NoTruth,
    /// Two label lists, or a soft map and its mask, differ in length.
    #[error("{found} values where there must be {expected}")]
    Length {
        /// The number of values there must be.
        expected: usize,
        /// The number of values given.
        found: usize,
    },
    /// A value of a soft map is not in [0, 1].
    #[error("soft map value {value} at index {index} is not in [0, 1]")]
    SoftValue {
        /// Row-major index.
        index: usize,
        /// The value.
        value: f32,
    },
    /// An image of a sweep has not one score per setting.
    #[error("an image has {found} scores for {settings} settings")]
    Settings {
        /// Settings of the sweep.
        settings: usize,
        /// Scores given.
        found: usize,
    },
    /// An ultrametric map does not have an odd number of rows and columns, 3 at least.
    #[error("an ultrametric map is (2H+1)x(2W+1), not {height}x{width} with {found} values")]
    Ultrametric {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Values.
        found: usize,
    },
}

/// Rows and columns of a map.
pub(crate) trait Sized2 {
    /// Rows, columns.
    fn size(&self) -> [usize; 2];
}

impl Sized2 for LabelMap {
    fn size(&self) -> [usize; 2] {
        [self.height(), self.width()]
    }
}

impl Sized2 for Mask {
    fn size(&self) -> [usize; 2] {
        [self.height(), self.width()]
    }
}

/// Refuses two maps of different size.
pub(crate) fn same_size(left: &impl Sized2, right: &impl Sized2) -> Result<(), SizeMismatch> {
    let ([left_height, left_width], [right_height, right_width]) = (left.size(), right.size());
    if [left_height, left_width] == [right_height, right_width] {
        return Ok(());
    }
    Err(SizeMismatch { left_height, left_width, right_height, right_width })
}
