//! What happens to an image before any stage sees it.

use segcut_core::{Image, Samples, StageError};
use segcut_pixel::{Gaussian, RowShape, interpolate, resize, scaled_rows, whole_blur};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The table `[image]` of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageParams {
    /// Bands to take from a multi-band file, from 1; read by whoever decodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bands: Option<Vec<usize>>,
    /// The longer side is brought down to this many pixels; labels come back at full size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_side: Option<usize>,
    /// Both sides are multiplied by this, before `max_side`. Between 0 and 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescale: Option<f64>,
    /// Standard deviation of a Gaussian blur, in pixels of the original; 0 for none.
    pub blur_sigma: f64,
    /// Whether blurred samples of 8-bit images are cut to whole numbers after each axis, as scipy's `gaussian_filter` does.
    pub blur_whole: bool,
    /// Whether a smaller image averages the pixels that it leaves out; else it interpolates between the nearest
    /// four (scikit-image's `rescale(anti_aliasing=False)`).
    pub antialias: bool,
}

impl Default for ImageParams {
    fn default() -> Self {
        Self { bands: None, max_side: None, rescale: None, blur_sigma: 0.0, blur_whole: false, antialias: true }
    }
}

impl ImageParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        if self.max_side == Some(0) {
            return Err(StageError::parameter("image.max_side", 0, "at least 1"));
        }
        if let Some(rescale) = self.rescale.filter(|r| !(*r > 0.0 && *r <= 1.0)) {
            return Err(StageError::parameter("image.rescale", rescale, "above 0 and at most 1"));
        }
        if !(self.blur_sigma >= 0.0 && self.blur_sigma.is_finite()) {
            return Err(StageError::parameter("image.blur_sigma", self.blur_sigma, "0 or more"));
        }
        Ok(())
    }

    /// The image that the stages see.
    pub(crate) fn apply<'a>(&self, image: &'a Image) -> Result<Cow<'a, Image>, StageError> {
        let mut working = Cow::Borrowed(image);
        if self.blur_sigma > 0.0 {
            working = Cow::Owned(blurred(&working, self)?);
        }
        let (height, width) = self.working_size(image.height(), image.width());
        if (height, width) != (image.height(), image.width()) {
            let smaller = if self.antialias { resize } else { interpolate };
            working = Cow::Owned(smaller(&working, height, width).map_err(StageError::data)?);
        }
        Ok(working)
    }

    fn working_size(&self, height: usize, width: usize) -> (usize, usize) {
        let mut factor = self.rescale.unwrap_or(1.0);
        let longer = height.max(width) as f64 * factor;
        if let Some(max_side) = self.max_side {
            factor *= (max_side as f64 / longer).min(1.0);
        }
        let side = |n: usize| ((n as f64 * factor).round() as usize).max(1);
        (side(height), side(width))
    }
}

/// The image after a Gaussian blur, as f32 samples in 0 to 1. Samples outside the valid mask count as
/// they are stored.
fn blurred(image: &Image, params: &ImageParams) -> Result<Image, StageError> {
    let shape = RowShape { height: image.height(), width: image.width(), channels: image.channels() };
    let values = match image.samples() {
        Samples::U8(samples) if params.blur_whole => {
            let samples: Vec<f64> = samples.iter().map(|&sample| sample.into()).collect();
            let blurred = whole_blur(&samples, shape, params.blur_sigma).map_err(StageError::data)?;
            blurred.iter().map(|sample| (sample / 255.0) as f32).collect()
        }
        _ => {
            let mut values = vec![0.0; image.samples().len()];
            scaled_rows(image, 0..image.height(), &mut values);
            Gaussian::new(params.blur_sigma).map_err(StageError::data)?.blur(&values, shape)
        }
    };
    Image::with_mask(image.height(), image.width(), image.space(), Samples::F32(values), image.valid().cloned())
        .map(|blurred| blurred.with_id(image.id()))
        .map_err(StageError::data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_is_bounded() {
        let params = ImageParams { max_side: Some(64), ..ImageParams::default() };
        assert_eq!(params.working_size(321, 481), (43, 64));
        assert_eq!(params.working_size(10, 20), (10, 20));
        assert_eq!(params.working_size(1, 6400), (1, 64));
        let half = ImageParams { rescale: Some(0.5), ..params };
        assert_eq!(half.working_size(100, 60), (50, 30));
    }

    #[test]
    fn blurred_samples_of_8_bits_may_be_whole() {
        let samples = Samples::U8([0, 0, 100, 0, 0].into());
        let image = Image::new(1, 5, segcut_core::ColorSpace::Gray, samples).unwrap();
        let params = ImageParams { blur_sigma: 0.5, blur_whole: true, ..ImageParams::default() };
        let Samples::F32(values) = params.apply(&image).unwrap().samples().clone() else { unreachable!("f32") };
        assert_eq!(values[..], [0.0, 10.0, 78.0, 10.0, 0.0].map(|v: f32| v / 255.0));
    }

    #[test]
    fn bad_values_are_refused() {
        for rescale in [0.0, 1.5, f64::NAN] {
            assert!(ImageParams { rescale: Some(rescale), ..ImageParams::default() }.check().is_err());
        }
        assert!(ImageParams { blur_sigma: -1.0, ..ImageParams::default() }.check().is_err());
    }
}
