//! Image → numbers of palette colors on a coarse grid.

use crate::coarse_grid::coarse_grid;
use crate::color::{ColorKind, ColorRows};
use crate::local_variance::VarianceRows;
use segcut_core::{BandSource, Codes, ColorSpace, Context, FeatureExtractor, FeatureMap, Features, Image, StageError};
use segcut_pixel::{Lloyd, centres};
use serde::{Deserialize, Serialize};

/// What of the colors is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The mean of each cell: map `palette`.
    #[default]
    Mean,
    /// The fourth root of each channel's variance within 5×5 pixels, averaged over each cell: map
    /// `palette_variance`.
    Variance,
}

/// In which unit a palette's colors are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaletteUnit {
    /// L/100, a/255 and b/255 over the largest range of the three in the image.
    #[default]
    Range,
    /// Those of the color space: L from 0 to 100, a and b; the largest sample of a channel is 100.
    Lab,
}

/// Parameters of [`Palette`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaletteParams {
    /// What of the colors is coded.
    pub statistic: Statistic,
    /// In which unit the colors are coded and the codebook is given.
    pub unit: PaletteUnit,
    /// Colors of the palette.
    pub colors: usize,
    /// Side of the cells whose mean colors are coded, in pixels.
    pub step: usize,
    /// Cells from which the palette is made.
    pub sample: usize,
    /// Steps of Lloyd's k-means.
    pub steps: usize,
}

impl Default for PaletteParams {
    fn default() -> Self {
        Self { statistic: Statistic::Mean, unit: PaletteUnit::Range, colors: 64, step: 4, sample: 6000, steps: 8 }
    }
}

impl Statistic {
    fn map_name(self) -> &'static str {
        match self {
            Self::Mean => "palette",
            Self::Variance => "palette_variance",
        }
    }
}

/// Image → map `palette` (or `palette_variance`): for each cell of the coarse grid the number of its color in a palette made
/// for this image.
///
/// Colors are L/100, a/255, b/255 (the channels of a multi-band image), averaged over cells and divided
/// by the largest range of the three, so that the palette's codebook fills an image of any contrast
/// alike; or plain Lab ([`PaletteUnit`]). The palette is the k-means of a random sample of cells.
///
/// # Determinism
/// The context's seed draws the sample and the first colors.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
/// use segcut_features::{Palette, PaletteParams};
/// let image = Image::new(4, 8, ColorSpace::Gray, Samples::U8([0, 0, 0, 0, 255, 255, 255, 255].repeat(4)))?;
/// let palette = Palette::new(PaletteParams { colors: 2, ..PaletteParams::default() })?;
/// let features = palette.extract(std::slice::from_ref(&image), &Context::default())?;
/// let map = &features[0].maps[0];
/// let codes = map.held_values().unwrap();
/// assert_eq!((codes.len(), map.codes().unwrap().bins()), (2, &[2][..]));
/// assert_ne!(codes[0], codes[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Palette {
    params: PaletteParams,
}

impl Palette {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: PaletteParams) -> Result<Self, StageError> {
        if !(2..=1024).contains(&params.colors) {
            return Err(StageError::parameter("palette.colors", params.colors, "from 2 to 1024"));
        }
        if !(1..=64).contains(&params.step) {
            return Err(StageError::parameter("palette.step", params.step, "from 1 to 64 pixels"));
        }
        if params.sample < 1 {
            return Err(StageError::parameter("palette.sample", params.sample, "at least 1"));
        }
        if !(1..=1000).contains(&params.steps) {
            return Err(StageError::parameter("palette.steps", params.steps, "from 1 to 1000"));
        }
        Ok(Self { params })
    }

    fn map(&self, image: &Image, seed: u64) -> Result<FeatureMap<'static>, StageError> {
        let PaletteParams { statistic, unit, colors, step, sample, steps } = self.params;
        let source = ColorRows::new(image, ColorKind::Lab);
        let dims = source.dims();
        let mut cells = match statistic {
            Statistic::Mean => cell_means(image, &source, step),
            Statistic::Variance => cell_means(image, &VarianceRows::new(&source, image), step),
        };
        let chroma = if image.space() == ColorSpace::Multiband { 0.01 } else { 1.0 / 255.0 };
        if unit == PaletteUnit::Range {
            divide_by_range(&mut cells, dims, chroma);
        }
        let centres = centres(&cells, dims, &Lloyd { k: colors, sample, steps }, seed);
        let mut codes = vec![0; cells.len() / dims];
        centres.nearest(&cells, &mut codes);
        let grid = coarse_grid(image, step);
        let values = codes.into_iter().map(|code| code as f32).collect();
        let map = FeatureMap::held(statistic.map_name(), grid, 1, values).map_err(StageError::data)?;
        Ok(match Codes::palette(centres.rows()) {
            Some(codes) => map.with_codes(codes),
            None => map,
        })
    }
}

impl FeatureExtractor for Palette {
    fn extract<'a>(&self, images: &'a [Image], context: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| Ok(Features { maps: vec![self.map(image, context.seed)?], attention: None });
        images.iter().map(one).collect()
    }
}

/// Means of step×step pixels; at the ends, of those that are there.
fn cell_means(image: &Image, source: &impl BandSource, step: usize) -> Vec<f32> {
    let (dims, width) = (ColorRows::new(image, ColorKind::Lab).dims(), image.width());
    let cols = width.div_ceil(step);
    let mut means = Vec::with_capacity(image.height().div_ceil(step) * cols * dims);
    let mut rows = vec![0.0; step * width * dims];
    let mut down = vec![0.0f32; width * dims];
    for top in (0..image.height()).step_by(step) {
        let bottom = (top + step).min(image.height());
        let rows = &mut rows[..(bottom - top) * width * dims];
        source.fill(top..bottom, rows);
        down.fill(0.0);
        for row in rows.chunks_exact(width * dims) {
            down.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        for cell in down.chunks(step * dims) {
            let pixels = (cell.len() / dims * (bottom - top)) as f32;
            means.extend((0..dims).map(|d| cell[d..].iter().step_by(dims).sum::<f32>() / pixels));
        }
    }
    means
}

/// The first channel times 1/100, the others times `chroma`, over the largest range of a channel (at least 0.001).
fn divide_by_range(cells: &mut [f32], dims: usize, chroma: f32) {
    let unit = |d: usize| if d > 0 { chroma } else { 0.01 };
    let mut ends = vec![(f32::INFINITY, f32::NEG_INFINITY); dims];
    for cell in cells.chunks_exact_mut(dims) {
        for (d, (value, (low, high))) in cell.iter_mut().zip(&mut ends).enumerate() {
            *value *= unit(d);
            (*low, *high) = (low.min(*value), high.max(*value));
        }
    }
    let range = ends.iter().map(|(low, high)| high - low).fold(1e-3, f32::max);
    cells.iter_mut().for_each(|value| *value /= range);
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::Samples;

    fn image() -> Image {
        let samples = (0..50 * 37 * 3).map(|i| ((i / 3 % 37 / 10) * 60 + i % 3 * 20) as u8).collect();
        Image::new(50, 37, ColorSpace::Srgb, Samples::U8(samples)).unwrap()
    }

    #[test]
    fn every_cell_has_the_nearest_color() {
        let palette = Palette::new(PaletteParams { colors: 5, ..PaletteParams::default() }).unwrap();
        let map = palette.map(&image(), 3).unwrap();
        assert_eq!((map.grid().rows, map.grid().cols, map.grid().origin), (13, 10, [1.5; 2]));
        let source = image();
        let mut cells = cell_means(&source, &ColorRows::new(&source, ColorKind::Lab), 4);
        divide_by_range(&mut cells, 3, 1.0 / 255.0);
        let book = map.codes().unwrap().codebook().unwrap();
        let distance = |cell: &[f32], i: usize| cell.iter().zip(book.row(i)).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        for (cell, &code) in cells.chunks(3).zip(map.held_values().unwrap()) {
            let least = (0..5).map(|i| distance(cell, i)).fold(f32::INFINITY, f32::min);
            assert!(distance(cell, code as usize) <= least + 1e-6);
        }
    }

    #[test]
    fn cells_at_the_ends_average_what_is_there() {
        let image = Image::new(2, 3, ColorSpace::Multiband, Samples::F32(vec![0.0, 0.2, 0.5, 0.2, 0.4, 0.7])).unwrap();
        let means = cell_means(&image, &ColorRows::new(&image, ColorKind::Lab), 2);
        assert!(means.iter().zip([20.0, 60.0]).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn a_constant_image_has_a_palette() {
        let image = Image::new(9, 9, ColorSpace::Srgb, Samples::U8(vec![80; 243])).unwrap();
        let map = Palette::new(PaletteParams::default()).unwrap().map(&image, 0).unwrap();
        assert_eq!(map.codes().unwrap().bins(), [9]);
    }

    #[test]
    fn bad_parameters_are_named() {
        let refused = |params| Palette::new(params).unwrap_err().to_string();
        let base = PaletteParams::default;
        assert!(refused(PaletteParams { colors: 1, ..base() }).starts_with("palette.colors = 1"));
        assert!(refused(PaletteParams { step: 0, ..base() }).starts_with("palette.step = 0"));
        assert!(refused(PaletteParams { steps: 0, ..base() }).starts_with("palette.steps = 0"));
    }
}
