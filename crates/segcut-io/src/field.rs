//! One number per pixel.

/// H×W f32 numbers, row-major: a soft mask, an ultrametric contour map, an eigenvector.
///
/// *Not enforced*: finite values, a range.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarField {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl ScalarField {
    /// A field from row-major values, or `None` where their number is not height·width.
    pub fn new(height: usize, width: usize, values: Vec<f32>) -> Option<Self> {
        (height.checked_mul(width) == Some(values.len())).then_some(Self { height, width, values })
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row-major values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values, given away.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}
