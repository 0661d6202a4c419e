//! Image → color per pixel.

use crate::row_map::row_map;
use segcut_core::{BandSource, ColorSpace, Context, FeatureExtractor, Features, Image, Samples, StageError};
use segcut_pixel::{lab_rows, scaled_rows};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Which numbers describe a color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorKind {
    /// CIE L*a*b* (L from 0 to 100). A multi-band image has none: its channels from 0 to 100 stand for it.
    Lab,
    /// R, G, B from 0 to 255 as they are stored, the unit of scikit-image's `rag_mean_color`; gray is
    /// three times the same. A multi-band image has its channels from 0 to 255.
    Rgb,
    /// Every channel, from 0 to 1.
    Bands,
}

/// Parameters of [`Color`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColorParams {
    /// Which numbers describe a color.
    pub space: ColorKind,
}

impl Default for ColorParams {
    fn default() -> Self {
        Self { space: ColorKind::Lab }
    }
}

/// Image → map `color`: L*a*b*, RGB, or the channels as they are.
///
/// Integer samples are scaled by their type's largest value, so 8-bit and 16-bit copies of an image
/// have the same colors; f32 samples are read as 0 … 1.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
/// use segcut_features::{Color, ColorKind, ColorParams};
/// let image = Image::new(1, 2, ColorSpace::Gray, Samples::U16(vec![0, 65_535]))?;
/// let rgb = Color::new(ColorParams { space: ColorKind::Rgb });
/// let features = rgb.extract(std::slice::from_ref(&image), &Context::default())?;
/// assert_eq!(features[0].maps[0].held_values().unwrap(), [0.0, 0.0, 0.0, 255.0, 255.0, 255.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Color {
    params: ColorParams,
}

impl Color {
    /// An extractor; every value of the parameters is allowed.
    pub fn new(params: ColorParams) -> Self {
        Self { params }
    }
}

impl FeatureExtractor for Color {
    /// # Errors
    /// A color that is not finite (f32 samples far beyond 1), inside a [`StageError::Data`].
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| {
            let rows = ColorRows::new(image, self.params.space);
            let map = row_map("color", image, rows.dims(), rows)?;
            Ok(Features { maps: vec![map], attention: None })
        };
        images.iter().map(one).collect()
    }
}

/// Colors of an image, row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColorRows<'a> {
    image: &'a Image,
    kind: ColorKind,
}

impl<'a> ColorRows<'a> {
    pub(crate) fn new(image: &'a Image, kind: ColorKind) -> Self {
        Self { image, kind }
    }

    /// Values per pixel.
    pub(crate) fn dims(&self) -> usize {
        match (self.kind, self.image.space()) {
            (ColorKind::Bands, _) | (_, ColorSpace::Multiband) => self.image.channels(),
            _ => 3,
        }
    }

    fn channels(&self, rows: Range<usize>, factor: f32, out: &mut [f32]) {
        scaled_rows(self.image, rows, out);
        out.iter_mut().for_each(|value| *value *= factor);
    }

    /// Stored values in units of 1/255 of the type's range: exact for 8-bit samples.
    fn rgb(&self, rows: Range<usize>, out: &mut [f32]) {
        let row = self.image.width() * self.image.channels();
        let span = rows.start * row..rows.end * row;
        let copies = self.dims() / self.image.channels();
        let out = out.chunks_exact_mut(copies);
        match self.image.samples() {
            Samples::U8(v) => out.zip(&v[span]).for_each(|(o, &s)| o.fill(f32::from(s))),
            Samples::U16(v) => out.zip(&v[span]).for_each(|(o, &s)| o.fill(f32::from(s) / 257.0)),
            Samples::F32(v) => out.zip(&v[span]).for_each(|(o, &s)| o.fill(s * 255.0)),
        }
    }
}

impl BandSource for ColorRows<'_> {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        let colored = self.image.space() != ColorSpace::Multiband;
        match self.kind {
            ColorKind::Lab if colored && lab_rows(self.image, rows.clone(), out).is_ok() => {}
            ColorKind::Lab => self.channels(rows, 100.0, out),
            ColorKind::Rgb => self.rgb(rows, out),
            ColorKind::Bands => scaled_rows(self.image, rows, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(image: &Image, space: ColorKind) -> Vec<f32> {
        let color = Color::new(ColorParams { space });
        let features = color.extract(std::slice::from_ref(image), &Context::default()).unwrap();
        features[0].maps[0].held_values().unwrap().to_vec()
    }

    #[test]
    fn eight_bit_rgb_is_exact() {
        let samples: Vec<u8> = (0..=255).flat_map(|v| [v, 255 - v, 7]).collect();
        let image = Image::new(16, 16, ColorSpace::Srgb, Samples::U8(samples.clone())).unwrap();
        assert_eq!(values(&image, ColorKind::Rgb), samples.iter().map(|&v| f32::from(v)).collect::<Vec<_>>());
    }

    #[test]
    fn sixteen_bits_and_floats_have_the_colors_of_eight() {
        let bytes = [12u8, 200, 90, 0, 255, 31];
        let image = |samples| Image::new(1, 2, ColorSpace::Srgb, samples).unwrap();
        let eight = image(Samples::U8(bytes.to_vec()));
        let sixteen = image(Samples::U16(bytes.iter().map(|&v| u16::from(v) * 257).collect()));
        let float = image(Samples::F32(bytes.iter().map(|&v| f32::from(v) / 255.0).collect()));
        for space in [ColorKind::Lab, ColorKind::Rgb, ColorKind::Bands] {
            let expected = values(&eight, space);
            for other in [&sixteen, &float] {
                assert!(values(other, space).iter().zip(&expected).all(|(a, b)| (a - b).abs() < 2e-3));
            }
        }
    }

    #[test]
    fn multi_band_images_keep_their_channels() {
        let image = Image::new(1, 2, ColorSpace::Multiband, Samples::U8(vec![0, 255, 0, 255, 0, 0, 0, 0])).unwrap();
        assert_eq!(values(&image, ColorKind::Lab), [0.0, 100.0, 0.0, 100.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(values(&image, ColorKind::Rgb)[..3], [0.0, 255.0, 0.0]);
        assert_eq!(values(&image, ColorKind::Bands)[..3], [0.0, 1.0, 0.0]);
    }
}
