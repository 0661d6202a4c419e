//! Squares, or the cells of a feature map.

use segcut_core::{Context, FeatureMaps, Image, LabelMap, Oversegmenter, StageError, VOID};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where the cells come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridFrom {
    /// Squares of [`GridParams::cell`] pixels.
    #[default]
    Cell,
    /// The cells of the first feature map: a pixel belongs to the cell whose centre is nearest.
    Features,
}

/// Settings of [`Grid`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GridParams {
    /// Pixels per side of a square; 1 makes every pixel a region.
    pub cell: usize,
    /// Where the cells come from.
    pub from: GridFrom,
}

impl Default for GridParams {
    fn default() -> Self {
        Self { cell: 16, from: GridFrom::Cell }
    }
}

/// Why an image has no grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GridError {
    /// Cells were to be a feature map's, and there is none.
    #[error("grid from = \"features\" needs a feature map; the recipe has none before the superpixels")]
    NoFeatures,
    /// The first feature map has no cells, or steps that are not above 0.
    #[error("the first feature map has no usable grid ({rows}x{cols} cells)")]
    BadGrid {
        /// Rows of cells.
        rows: usize,
        /// Columns of cells.
        cols: usize,
    },
    /// More than 2³²−2 regions.
    #[error("{0} cells are more than a label map can number")]
    TooMany(usize),
}

/// Image → regular cells, numbered in reading order.
///
/// Cells without a valid pixel are left out; cells at the right and lower frame may be smaller.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, Image, Oversegmenter, Samples};
/// use segcut_superpixel::{Grid, GridParams};
/// let image = Image::new(2, 3, ColorSpace::Gray, Samples::U8(vec![0; 6]))?;
/// let grid = Grid::new(GridParams { cell: 2, ..GridParams::default() })?;
/// let map = grid.oversegment(&image, &[], &Context::default())?;
/// assert_eq!(map.labels(), [0, 0, 1, 0, 0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    params: GridParams,
}

impl Grid {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] for a cell of 0 pixels.
    pub fn new(params: GridParams) -> Result<Self, StageError> {
        if params.cell == 0 {
            return Err(StageError::parameter("superpixels.cell", 0, "at least 1"));
        }
        Ok(Self { params })
    }

    /// The cell of each row or column of pixels.
    fn cells(&self, image: &Image, maps: &FeatureMaps<'_>) -> Result<[Vec<usize>; 2], GridError> {
        let size = [image.height(), image.width()];
        if self.params.from == GridFrom::Cell {
            return Ok(size.map(|s| (0..s).map(|i| i / self.params.cell).collect()));
        }
        let grid = maps.first().ok_or(GridError::NoFeatures)?.grid();
        let count = [grid.rows, grid.cols];
        if count.contains(&0) || grid.step.iter().any(|&s| s.is_nan() || s <= 0.0) {
            return Err(GridError::BadGrid { rows: grid.rows, cols: grid.cols });
        }
        let cell = |axis: usize, i: usize| {
            let nearest = ((i as f64 - grid.origin[axis]) / grid.step[axis]).round();
            nearest.clamp(0.0, (count[axis] - 1) as f64) as usize
        };
        Ok([0, 1].map(|axis| (0..size[axis]).map(|i| cell(axis, i)).collect()))
    }
}

impl Oversegmenter for Grid {
    fn oversegment(&self, image: &Image, maps: &FeatureMaps<'_>, _context: &Context) -> Result<LabelMap, StageError> {
        let [rows, columns] = self.cells(image, maps).map_err(StageError::data)?;
        let across = columns.last().map_or(0, |c| c + 1);
        let cells = rows.last().map_or(0, |r| r + 1) * across;
        if cells >= VOID as usize {
            return Err(StageError::data(GridError::TooMany(cells)));
        }
        let row = |r: &usize| columns.iter().map(move |c| (r * across + c) as u32).collect::<Vec<_>>();
        let mut labels: Vec<u32> = Vec::with_capacity(image.pixels());
        rows.iter().for_each(|r| labels.extend(row(r)));
        if let Some(mask) = image.valid() {
            labels.iter_mut().zip(mask.bits()).filter(|(_, bit)| !**bit).for_each(|(label, _)| *label = VOID);
        }
        let map = LabelMap::with_n(image.height(), image.width(), labels, cells).map_err(StageError::data)?;
        // Cells of a feature map may lie outside the image, masked ones may be empty.
        let plain = image.valid().is_none() && self.params.from == GridFrom::Cell;
        Ok(if plain { map } else { map.compact() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, FeatureMap, Grid as Cells, Mask, Samples};

    fn grid(cell: usize, from: GridFrom) -> Grid {
        Grid::new(GridParams { cell, from }).unwrap()
    }

    fn image(height: usize, width: usize, mask: Option<Vec<bool>>) -> Image {
        let mask = mask.map(|bits| Mask::new(height, width, bits).unwrap());
        let samples = Samples::U8(vec![0; height * width]);
        Image::with_mask(height, width, ColorSpace::Gray, samples, mask).unwrap()
    }

    #[test]
    fn one_pixel_cells_number_the_pixels_and_skip_the_void() {
        let map = grid(1, GridFrom::Cell)
            .oversegment(&image(1, 4, Some(vec![true, false, true, true])), &[], &Context::default())
            .unwrap();
        assert_eq!((map.labels(), map.n()), (&[0, VOID, 1, 2][..], 3));
    }

    #[test]
    fn patches_of_a_feature_map_are_matched() {
        let cells = Cells { rows: 2, cols: 2, step: [2.0; 2], origin: [0.5; 2] };
        let maps = [FeatureMap::held("vit", cells, 1, vec![0.0; 4]).unwrap()];
        let map = grid(9, GridFrom::Features).oversegment(&image(4, 5, None), &maps, &Context::default()).unwrap();
        assert_eq!(map.labels()[..5], [0, 0, 1, 1, 1]);
        assert_eq!((map.labels()[19], map.n()), (3, 4));
    }

    #[test]
    fn bad_settings_are_named() {
        assert!(Grid::new(GridParams { cell: 0, ..GridParams::default() }).is_err());
        let error = grid(1, GridFrom::Features).oversegment(&image(1, 1, None), &[], &Context::default()).unwrap_err();
        assert!(error.to_string().contains("needs a feature map"));
    }
}
