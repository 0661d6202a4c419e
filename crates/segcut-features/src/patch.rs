//! Image → the pixels around each cell of a grid.

use crate::coarse_grid::coarse_grid;
use crate::color::{ColorKind, ColorRows};
use segcut_core::{BandSource, Context, FeatureExtractor, FeatureMap, Features, Image, StageError};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Parameters of [`Patch`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchParams {
    /// Pixels from one cell to the next.
    pub step: usize,
    /// Side of the square of pixels around a cell's centre.
    pub side: usize,
    /// Which numbers describe a pixel.
    pub space: ColorKind,
}

impl Default for PatchParams {
    fn default() -> Self {
        Self { step: 8, side: 16, space: ColorKind::Lab }
    }
}

/// Image → map `patch`: per cell a small picture, line by line, the channels of a pixel together.
///
/// It is what convolutions read (SpectralNet's `convolution`, with `shape = [side, side, channels]`). The superpixels
/// that fit are those of `kind = "grid", from = "features"`; over others, patches are averaged as every map is. Beyond
/// the image its border is repeated.
///
/// # Shapes
/// ⌈height / step⌉ × ⌈width / step⌉ cells of side² times the channels.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
/// use segcut_features::{ColorKind, Patch, PatchParams};
/// let image = Image::new(2, 2, ColorSpace::Srgb, Samples::U8((0..12).collect()))?;
/// let patch = Patch::new(PatchParams { step: 2, side: 2, space: ColorKind::Rgb })?;
/// let features = patch.extract(std::slice::from_ref(&image), &Context::default())?;
/// let mut values = [0.0; 12];
/// features[0].maps[0].read_rows(0..1, &mut values);
/// assert!((0..12).all(|i| values[i] == i as f32));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Patch {
    params: PatchParams,
}

/// The largest side and step.
const MOST: usize = 256;

impl Patch {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] for a step or side that is 0 or above 256.
    pub fn new(params: PatchParams) -> Result<Self, StageError> {
        let sides = [("features.step", params.step), ("features.side", params.side)];
        match sides.into_iter().find(|(_, value)| !(1..=MOST).contains(value)) {
            Some((name, value)) => Err(StageError::parameter(name, value, "from 1 to 256")),
            None => Ok(Self { params }),
        }
    }
}

impl FeatureExtractor for Patch {
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let PatchParams { step, side, space } = self.params;
        let one = |image: &'a Image| {
            let grid = coarse_grid(image, step);
            let colors = ColorRows::new(image, space);
            let dims = side * side * colors.dims();
            let source = PatchRows { colors, height: image.height(), width: image.width(), step, side };
            Features { maps: vec![FeatureMap::banded("patch", grid, dims, Box::new(source))], attention: None }
        };
        Ok(images.iter().map(one).collect())
    }
}

/// Patches of an image, by rows of cells.
struct PatchRows<'a> {
    colors: ColorRows<'a>,
    height: usize,
    width: usize,
    step: usize,
    side: usize,
}

impl PatchRows<'_> {
    /// Pixel of a patch of the cell `cell`, `by` pixels from its first one, of `most` pixels.
    fn pixel(&self, cell: usize, by: usize, most: usize) -> usize {
        (cell * self.step + self.step / 2 + by).saturating_sub(self.side / 2).min(most - 1)
    }
}

impl BandSource for PatchRows<'_> {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        let (channels, side) = (self.colors.dims(), self.side);
        let (cells, line) = (self.width.div_ceil(self.step), self.width * channels);
        let patch = side * side * channels;
        for (row, out) in rows.zip(out.chunks_exact_mut(cells * patch)) {
            let [first, last] = [0, side - 1].map(|by| self.pixel(row, by, self.height));
            let mut colors = vec![0.0; (last + 1 - first) * line];
            self.colors.fill(first..last + 1, &mut colors);
            for (at, pixel) in out.chunks_exact_mut(channels).enumerate() {
                let (cell, i, j) = (at / (side * side), at / side % side, at % side);
                let (y, x) = (self.pixel(row, i, self.height) - first, self.pixel(cell, j, self.width));
                pixel.copy_from_slice(&colors[y * line + x * channels..][..channels]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, Samples};

    #[test]
    fn patches_overlap_and_repeat_the_border() {
        let image = Image::new(3, 5, ColorSpace::Gray, Samples::F32((0..15).map(|v| v as f32).collect())).unwrap();
        let patch = Patch::new(PatchParams { step: 2, side: 4, space: ColorKind::Bands }).unwrap();
        let features = patch.extract(std::slice::from_ref(&image), &Context::default()).unwrap();
        let map = &features[0].maps[0];
        assert_eq!((map.grid().rows, map.grid().cols, map.dims()), (2, 3, 16));
        let mut values = vec![0.0; 48];
        map.read_rows(0..1, &mut values);
        // Rows and columns −1 to 2 of the image.
        let first = [0, 0, 1, 2, 0, 0, 1, 2, 5, 5, 6, 7, 10, 10, 11, 12].map(|v| v as f32);
        assert_eq!(values[..16], first);
        map.read_rows(1..2, &mut values);
        // Rows 1 to 4 and columns 3 to 6.
        let last = [8, 9, 9, 9, 13, 14, 14, 14, 13, 14, 14, 14, 13, 14, 14, 14].map(|v| v as f32);
        assert_eq!(values[32..], last);
        assert!(Patch::new(PatchParams { side: 0, ..PatchParams::default() }).is_err());
    }
}
