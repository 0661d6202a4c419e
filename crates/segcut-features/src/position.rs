//! Image → place of each pixel.

use crate::row_map::row_map;
use segcut_core::{BandSource, Context, FeatureExtractor, Features, Image, StageError};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The unit of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionUnit {
    /// The image's longer side, so that values run from 0 to 1.
    Image,
    /// One pixel.
    Pixel,
}

/// Parameters of [`Position`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PositionParams {
    /// The unit of a position.
    pub unit: PositionUnit,
}

impl Default for PositionParams {
    fn default() -> Self {
        Self { unit: PositionUnit::Image }
    }
}

/// Image → map `position`: (row, column) of each pixel.
///
/// # Units
/// Pixels, or shares of the longer side minus one pixel; both axes have the same unit.
#[derive(Debug, Clone, Default)]
pub struct Position {
    params: PositionParams,
}

impl Position {
    /// An extractor; every value of the parameters is allowed.
    pub fn new(params: PositionParams) -> Self {
        Self { params }
    }
}

impl FeatureExtractor for Position {
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| {
            let longer = image.height().max(image.width()) - 1;
            let unit = match self.params.unit {
                PositionUnit::Image => longer.max(1) as f32,
                PositionUnit::Pixel => 1.0,
            };
            let map = row_map("position", image, 2, PositionRows { width: image.width(), unit })?;
            Ok(Features { maps: vec![map], attention: None })
        };
        images.iter().map(one).collect()
    }
}

struct PositionRows {
    width: usize,
    unit: f32,
}

impl BandSource for PositionRows {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        for (row, line) in rows.zip(out.chunks_exact_mut(2 * self.width)) {
            for (column, cell) in line.chunks_exact_mut(2).enumerate() {
                cell.copy_from_slice(&[row as f32 / self.unit, column as f32 / self.unit]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, Samples};

    #[test]
    fn the_longer_side_is_one() {
        let image = Image::new(2, 3, ColorSpace::Gray, Samples::U8(vec![0; 6])).unwrap();
        let of = |unit| {
            let position = Position::new(PositionParams { unit });
            let features = position.extract(std::slice::from_ref(&image), &Context::default()).unwrap();
            features[0].maps[0].held_values().unwrap().to_vec()
        };
        assert_eq!(of(PositionUnit::Image), [0.0, 0.0, 0.0, 0.5, 0.0, 1.0, 0.5, 0.0, 0.5, 0.5, 0.5, 1.0]);
        assert_eq!(of(PositionUnit::Pixel)[10..], [1.0, 2.0]);
    }
}
