//! Image → local texture per pixel.

use crate::color::{ColorKind, ColorRows};
use crate::gradient::GaussianGradient;
use crate::row_map::row_map;
use segcut_core::{BandSource, ColorSpace, Context, FeatureExtractor, Features, Image, StageError};
use segcut_pixel::RowShape;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Parameters of [`Texture`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextureParams {
    /// Standard deviations of the Gaussians, in pixels; four values per pixel for each.
    pub sigmas: Vec<f64>,
}

impl Default for TextureParams {
    fn default() -> Self {
        Self { sigmas: vec![1.0, 2.0] }
    }
}

const ORIENTATIONS: usize = 4;

/// Image → map `texture`: how strongly brightness changes in four directions, at each scale.
///
/// Absolute responses of Gaussian derivative filters at 0°, 90°, 45° and 135°, the oriented
/// first-derivative part of the filter bank of Leung & Malik 2001. They are not smoothed: pooling
/// over regions averages them, which tells strong texture from weak and its direction.
///
/// # Units
/// L (0 to 100) of the step that has this response. A multi-band image has the mean of its channels
/// instead.
///
/// # Cost
/// O(H·W·Σ sigmas).
#[derive(Debug, Clone)]
pub struct Texture {
    gradients: Vec<GaussianGradient>,
}

impl Texture {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: &TextureParams) -> Result<Self, StageError> {
        if params.sigmas.is_empty() {
            return Err(StageError::parameter("texture.sigmas", "[]", "at least one sigma"));
        }
        let gradient = |&sigma: &f64| {
            let refused = || StageError::parameter("texture.sigmas", sigma, "from 0.3 to 20 pixels");
            if !(0.3..=20.0).contains(&sigma) {
                return Err(refused());
            }
            GaussianGradient::new(sigma).map_err(|_| refused())
        };
        Ok(Self { gradients: params.sigmas.iter().map(gradient).collect::<Result<_, _>>()? })
    }
}

impl FeatureExtractor for Texture {
    /// # Errors
    /// A response that is not finite (f32 samples far beyond 1), inside a [`StageError::Data`].
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| {
            let rows = TextureRows { image, gradients: self.gradients.clone() };
            let map = row_map("texture", image, ORIENTATIONS * self.gradients.len(), rows)?;
            Ok(Features { maps: vec![map], attention: None })
        };
        images.iter().map(one).collect()
    }
}

struct TextureRows<'a> {
    image: &'a Image,
    gradients: Vec<GaussianGradient>,
}

impl TextureRows<'_> {
    fn brightness(&self, rows: Range<usize>) -> Vec<f32> {
        let colors = ColorRows::new(self.image, ColorKind::Lab);
        let mut values = vec![0.0; rows.len() * self.image.width() * colors.dims()];
        colors.fill(rows, &mut values);
        let pixels = values.chunks_exact(colors.dims());
        match self.image.space() {
            ColorSpace::Multiband => pixels.map(|p| p.iter().sum::<f32>() / p.len() as f32).collect(),
            _ => pixels.map(|p| p[0]).collect(),
        }
    }
}

impl BandSource for TextureRows<'_> {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        let (height, width) = (self.image.height(), self.image.width());
        let shape = RowShape { height, width, channels: 1 };
        let halos = self.gradients.iter().map(|gradient| gradient.halo(&rows, height));
        let span = halos.fold(rows.clone(), |a, b| a.start.min(b.start)..a.end.max(b.end));
        let brightness = self.brightness(span.clone());
        let dims = ORIENTATIONS * self.gradients.len();
        for (scale, gradient) in self.gradients.iter().enumerate() {
            let source = |rows: Range<usize>, out: &mut [f32]| {
                let start = (rows.start - span.start) * width;
                out.copy_from_slice(&brightness[start..start + out.len()]);
            };
            gradient.rows(shape, rows.clone(), source, |i, gx, gy| {
                let line = out[i * width * dims..(i + 1) * width * dims].chunks_exact_mut(dims);
                for (cell, (&x, &y)) in line.zip(gx.iter().zip(gy)) {
                    cell[ORIENTATIONS * scale..][..ORIENTATIONS].copy_from_slice(&responses(x, y));
                }
            });
        }
    }
}

fn responses(x: f32, y: f32) -> [f32; ORIENTATIONS] {
    let diagonal = std::f32::consts::FRAC_1_SQRT_2;
    [x.abs(), y.abs(), (x + y).abs() * diagonal, (x - y).abs() * diagonal]
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::Samples;

    #[test]
    fn stripes_answer_in_their_own_direction() {
        let stripes = (0..32 * 32).map(|i| f32::from(u8::from(i % 32 % 8 < 4))).collect();
        let image = Image::new(32, 32, ColorSpace::Gray, Samples::F32(stripes)).unwrap();
        let texture = Texture::new(&TextureParams::default()).unwrap();
        let features = texture.extract(std::slice::from_ref(&image), &Context::default()).unwrap();
        let values = features[0].maps[0].held_values().unwrap();
        let mean = |dim: usize| values.iter().skip(dim).step_by(8).sum::<f32>() / 1024.0;
        assert!(mean(0) > 20.0 && mean(1) < 1e-3 && (mean(2) - mean(3)).abs() < 1e-3);
    }

    #[test]
    fn rows_do_not_depend_on_the_cut() {
        let samples = (0..70 * 9 * 2).map(|i| ((i * i) % 65_521) as u16).collect();
        let image = Image::new(70, 9, ColorSpace::Multiband, Samples::U16(samples)).unwrap();
        let gradients = Texture::new(&TextureParams::default()).unwrap().gradients;
        let source = TextureRows { image: &image, gradients };
        let mut whole = vec![0.0; 70 * 72];
        source.fill(0..70, &mut whole);
        for cut in [1, 5, 33, 69] {
            let mut parts = vec![9.0; 70 * 72];
            let (top, bottom) = parts.split_at_mut(cut * 72);
            source.fill(0..cut, top);
            source.fill(cut..70, bottom);
            assert_eq!(whole, parts);
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        for sigmas in [vec![], vec![1.0, f64::NAN], vec![0.1]] {
            let error = Texture::new(&TextureParams { sigmas }).unwrap_err().to_string();
            assert!(error.starts_with("texture.sigmas = "), "{error}");
        }
    }
}
