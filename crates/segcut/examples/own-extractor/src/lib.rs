//! An extractor of one's own, put into a recipe of segcut: copy this crate and change [`Opponent`].
//!
//! ```
//! use own_extractor::{Opponent, pipeline};
//! use segcut_core::{ColorSpace, Context, Image, Samples};
//! // The left half is red, the right half green.
//! let pixels = (0..32 * 48).flat_map(|i| if i % 48 < 24 { [200, 40, 40] } else { [40, 160, 40] }).collect();
//! let image = Image::new(32, 48, ColorSpace::Srgb, Samples::U8(pixels))?;
//! let done = pipeline("tokencut", Opponent { cell: 4 })?.segment(&image, &Context::default())?;
//! assert_ne!(done.labels.labels()[0], done.labels.labels()[47]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use segcut::{Pipeline, RecipeError, Registry, recipe_named};
use segcut_core::{Context, FeatureExtractor, FeatureMap, Features, Grid, Image, Samples, StageError};

/// Image → map `vit` of mean opponent colors (red against green, blue against yellow) per cell.
///
/// The map has the name that the recipe's graph asks for. Any numbers will do: those of a network that you run
/// yourself, too.
#[derive(Debug, Clone, Copy)]
pub struct Opponent {
    /// Pixels per side of a cell.
    pub cell: usize,
}

impl FeatureExtractor for Opponent {
    /// # Errors
    /// An image that is not 8-bit RGB.
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        images.iter().map(|image| self.one(image)).collect()
    }
}

impl Opponent {
    fn one<'a>(&self, image: &Image) -> Result<Features<'a>, StageError> {
        let (Samples::U8(samples), 3) = (image.samples(), image.channels()) else {
            return Err(StageError::parameter("features", image.channels(), "three channels of 8 bits"));
        };
        let cell = self.cell.max(1);
        let (rows, cols) = (image.height().div_ceil(cell), image.width().div_ceil(cell));
        let mut sums = vec![[0.0f32; 3]; rows * cols];
        for (at, pixel) in samples.chunks_exact(3).enumerate() {
            let (y, x) = (at / image.width(), at % image.width());
            let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(|v| f32::from(v) / 255.0);
            let sum = &mut sums[y / cell * cols + x / cell];
            *sum = [sum[0] + r - g, sum[1] + b - (r + g) / 2.0, sum[2] + 1.0];
        }
        let values = sums.into_iter().flat_map(|[a, b, count]| [a / count, b / count]).collect();
        // The first cell's centre lies half a cell from the frame.
        let middle = cell as f64 / 2.0 - 0.5;
        let grid = Grid { rows, cols, step: [cell as f64; 2], origin: [middle; 2] };
        let map = FeatureMap::held("vit", grid, 2, values).map_err(StageError::data)?;
        Ok(Features { maps: vec![map], attention: None })
    }
}

/// A recipe of segcut's with an extractor of one's own in place of its network: no weights are opened.
///
/// # Errors
/// [`RecipeError`] where there is no recipe of this name.
pub fn pipeline(name: &str, extractor: impl FeatureExtractor + 'static) -> Result<Pipeline, RecipeError> {
    Ok(Pipeline::from_recipe(&recipe_named(name)?, &Registry::without_weights())?.with_extractor(extractor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::ColorSpace;

    #[test]
    fn superpixels_take_the_cells_of_the_extractor() {
        let pixels = (0..40 * 40).flat_map(|i| if i / 40 < 20 { [250, 20, 20] } else { [20, 20, 250] }).collect();
        let image = Image::new(40, 40, ColorSpace::Srgb, Samples::U8(pixels)).unwrap();
        let pipeline = pipeline("ncut-dino-superpixels", Opponent { cell: 5 }).unwrap();
        let prepared = pipeline.prepare(&image, &Context::default()).unwrap();
        assert_eq!(prepared.graph().features()[0].dims, 2);
        let done = pipeline.finish(&prepared, &Context::default()).unwrap();
        assert_eq!(done.labels.labels().len(), image.pixels());
    }
}
