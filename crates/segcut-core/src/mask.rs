//! H×W booleans.

use thiserror::Error;

/// Two maps that belong together differ in size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("sizes differ: {left_height}x{left_width} and {right_height}x{right_width} (height x width)")]
pub struct SizeMismatch {
    /// Rows of the first.
    pub left_height: usize,
    /// Columns of the first.
    pub left_width: usize,
    /// Rows of the second.
    pub right_height: usize,
    /// Columns of the second.
    pub right_width: usize,
}

/// H×W booleans, row-major; `true` is inside.
///
/// *Guarantees*: `bits().len() == height * width`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    height: usize,
    width: usize,
    bits: Vec<bool>,
}

impl Mask {
    /// A mask from row-major bits.
    ///
    /// # Errors
    /// [`SizeMismatch`] where the number of bits is not height·width (the right side reads 1×len).
    pub fn new(height: usize, width: usize, bits: Vec<bool>) -> Result<Self, SizeMismatch> {
        if bits.len() != height * width {
            return Err(SizeMismatch {
                left_height: height,
                left_width: width,
                right_height: 1,
                right_width: bits.len(),
            });
        }
        Ok(Self { height, width, bits })
    }

    /// A mask with one value everywhere.
    pub fn filled(height: usize, width: usize, value: bool) -> Self {
        Self { height, width, bits: vec![value; height * width] }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row-major bits.
    pub fn bits(&self) -> &[bool] {
        &self.bits
    }

    /// Row-major bits, to change in place.
    pub fn bits_mut(&mut self) -> &mut [bool] {
        &mut self.bits
    }

    /// The bits, given away.
    pub fn into_bits(self) -> Vec<bool> {
        self.bits
    }

    /// How many pixels are inside.
    pub fn count(&self) -> usize {
        self.bits.iter().filter(|&&b| b).count()
    }
}
