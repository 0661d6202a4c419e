//! H×W×C samples as they were decoded.

use crate::{Mask, SizeMismatch};
use thiserror::Error;

/// Row-major, channel-interleaved samples of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// 0 to 255.
    U8(Vec<u8>),
    /// 0 to 65,535.
    U16(Vec<u16>),
    /// Any finite value; color images use 0 to 1.
    F32(Vec<f32>),
}

impl Samples {
    /// The number of samples (H·W·C).
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::F32(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the channels mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorSpace {
    /// One channel of brightness (sRGB transfer curve where it came from a photograph).
    Gray,
    /// Three channels, sRGB with its transfer curve.
    Srgb,
    /// Any number of channels without a color meaning (remote sensing, stacks).
    Multiband,
}

/// Why samples make no image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A side is 0.
    #[error("the image is empty: {height}x{width} (height x width) with {channels} channels")]
    Empty {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Channels.
        channels: usize,
    },
    /// The number of samples is not H·W·C.
    #[error("{found} samples do not fill {height}x{width}x{channels} (height x width x channels)")]
    Length {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Channels.
        channels: usize,
        /// How many samples were given.
        found: usize,
    },
    /// The color space wants another number of channels.
    #[error("{space:?} does not have {channels} channels")]
    Channels {
        /// The color space.
        space: ColorSpace,
        /// How many channels were given.
        channels: usize,
    },
    /// A sample inside the valid mask is NaN or infinite.
    #[error("the sample at row {row}, column {column}, channel {channel} is not finite")]
    NotFinite {
        /// Row.
        row: usize,
        /// Column.
        column: usize,
        /// Channel.
        channel: usize,
    },
    /// The valid mask has another size.
    #[error("the valid mask does not fit: {0}")]
    MaskSize(#[from] SizeMismatch),
    /// The valid mask is false everywhere.
    #[error("no pixel is valid (fully transparent, or no data)")]
    MaskEmpty,
}

/// H×W×C samples with their meaning, an optional valid mask and a name.
///
/// *Guarantees*: at least one pixel and one channel; `samples().len() == height·width·channels`;
/// Gray has one channel and Srgb three; f32 samples are finite where the pixel is valid (and are set
/// to 0 elsewhere); at least one pixel is valid.
///
/// *Not enforced*: the range of f32 samples; the id (used in messages and for seeds) may be empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    height: usize,
    width: usize,
    channels: usize,
    space: ColorSpace,
    samples: Samples,
    valid: Option<Mask>,
    id: String,
}

impl Image {
    /// An image whose pixels are all valid. `channels` follows from the sample count.
    ///
    /// # Errors
    /// [`ImageError`] where a guarantee of the type does not hold.
    pub fn new(height: usize, width: usize, space: ColorSpace, samples: Samples) -> Result<Self, ImageError> {
        Self::with_mask(height, width, space, samples, None)
    }

    /// An image with a valid mask; an all-true mask is dropped.
    ///
    /// # Errors
    /// [`ImageError`] where a guarantee of the type does not hold.
    pub fn with_mask(
        height: usize,
        width: usize,
        space: ColorSpace,
        mut samples: Samples,
        valid: Option<Mask>,
    ) -> Result<Self, ImageError> {
        let channels = channels_of(height, width, space, samples.len())?;
        let valid = checked_mask(height, width, valid)?;
        if let Samples::F32(values) = &mut samples {
            check_finite(values, width, channels, valid.as_ref())?;
        }
        Ok(Self { height, width, channels, space, samples, valid, id: String::new() })
    }

    /// The same image under a name (a file stem, as a rule).
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Samples per pixel.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// H·W.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// What the channels mean.
    pub fn space(&self) -> ColorSpace {
        self.space
    }

    /// Row-major, channel-interleaved samples.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The valid pixels, or `None` where all are.
    pub fn valid(&self) -> Option<&Mask> {
        self.valid.as_ref()
    }

    /// The name.
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn channels_of(height: usize, width: usize, space: ColorSpace, found: usize) -> Result<usize, ImageError> {
    let pixels = height.saturating_mul(width);
    let channels = found.checked_div(pixels).unwrap_or(0);
    if pixels == 0 || channels == 0 {
        return Err(ImageError::Empty { height, width, channels });
    }
    if channels * pixels != found {
        return Err(ImageError::Length { height, width, channels, found });
    }
    match (space, channels) {
        (ColorSpace::Gray, 1) | (ColorSpace::Srgb, 3) | (ColorSpace::Multiband, _) => Ok(channels),
        _ => Err(ImageError::Channels { space, channels }),
    }
}

fn checked_mask(height: usize, width: usize, valid: Option<Mask>) -> Result<Option<Mask>, ImageError> {
    let Some(mask) = valid else { return Ok(None) };
    if (mask.height(), mask.width()) != (height, width) {
        return Err(ImageError::MaskSize(SizeMismatch {
            left_height: height,
            left_width: width,
            right_height: mask.height(),
            right_width: mask.width(),
        }));
    }
    match mask.count() {
        0 => Err(ImageError::MaskEmpty),
        n if n == height * width => Ok(None),
        _ => Ok(Some(mask)),
    }
}

fn check_finite(values: &mut [f32], width: usize, channels: usize, valid: Option<&Mask>) -> Result<(), ImageError> {
    for (pixel, samples) in values.chunks_exact_mut(channels).enumerate() {
        if valid.is_some_and(|mask| !mask.bits()[pixel]) {
            samples.fill(0.0);
        } else if let Some(channel) = samples.iter().position(|v| !v.is_finite()) {
            return Err(ImageError::NotFinite { row: pixel / width, column: pixel % width, channel });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_follow_from_the_sample_count() {
        let image = Image::new(2, 2, ColorSpace::Multiband, Samples::U8(vec![0; 20])).unwrap();
        assert_eq!(image.channels(), 5);
        assert!(matches!(
            Image::new(2, 2, ColorSpace::Srgb, Samples::U8(vec![0; 4])),
            Err(ImageError::Channels { channels: 1, .. })
        ));
        assert!(matches!(
            Image::new(2, 2, ColorSpace::Multiband, Samples::U8(vec![0; 5])),
            Err(ImageError::Length { found: 5, .. })
        ));
        assert!(matches!(Image::new(0, 2, ColorSpace::Gray, Samples::U8(vec![])), Err(ImageError::Empty { .. })));
    }

    #[test]
    fn nan_is_refused_where_valid_and_cleared_elsewhere() {
        let samples = || Samples::F32(vec![1.0, f32::NAN]);
        assert!(matches!(
            Image::new(1, 2, ColorSpace::Gray, samples()),
            Err(ImageError::NotFinite { row: 0, column: 1, channel: 0 })
        ));
        let mask = Mask::new(1, 2, vec![true, false]).unwrap();
        let image = Image::with_mask(1, 2, ColorSpace::Gray, samples(), Some(mask)).unwrap();
        assert_eq!(image.samples(), &Samples::F32(vec![1.0, 0.0]));
        let none = Mask::filled(1, 2, false);
        assert_eq!(Image::with_mask(1, 2, ColorSpace::Gray, samples(), Some(none)), Err(ImageError::MaskEmpty));
    }
}
