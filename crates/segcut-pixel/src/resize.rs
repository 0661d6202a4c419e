//! Images and label maps in other sizes.

use crate::convolution::convolve;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32, InnerPixel, U8, U16};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use segcut_core::{Image, ImageError, LabelMap, LabelMapError, Mask, Samples};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why an image has no such size.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// A side would be 0, or is beyond 2³²−1.
    #[error("an image cannot have {height}x{width} pixels (height x width)")]
    Size {
        /// Rows asked for.
        height: usize,
        /// Columns asked for.
        width: usize,
    },
    /// No valid pixel is left.
    #[error("the smaller image is no image: {0}")]
    Image(#[from] ImageError),
    /// The resizer's own error.
    #[error("resizing failed: {0}")]
    Backend(#[from] fast_image_resize::ResizeError),
}

/// The kernel of a resampling; every one widens with the reduction, as Pillow's do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Triangle: Pillow's `BILINEAR`.
    #[default]
    Bilinear,
    /// Cubic of Keys with a = −0.5: Pillow's `BICUBIC`.
    Bicubic,
    /// Windowed sinc of three lobes: Pillow's `LANCZOS`.
    Lanczos,
}

/// Image → image whose longer side is at most `max_side`; `None` where it already is.
///
/// # Errors
/// [`ResizeError`] for `max_side` 0, or where no valid pixel is left.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Image, Samples};
/// let image = Image::new(2, 8, ColorSpace::Gray, Samples::U8([0, 0, 200, 200].repeat(4)))?;
/// let small = segcut_pixel::shrink(&image, 4)?.expect("larger than 4");
/// assert_eq!((small.height(), small.width()), (1, 4));
/// assert!(segcut_pixel::shrink(&image, 8)?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn shrink(image: &Image, max_side: usize) -> Result<Option<Image>, ResizeError> {
    let longer = image.height().max(image.width());
    if longer <= max_side {
        return Ok(None);
    }
    let scaled = |side: usize| ((side as f64 * max_side as f64 / longer as f64).round() as usize).max(1);
    let (height, width) = (scaled(image.height()), scaled(image.width()));
    if max_side == 0 {
        return Err(ResizeError::Size { height: 0, width: 0 });
    }
    resize(image, height, width).map(Some)
}

/// Image → image of the given size, with the same sample type, color space and id.
///
/// Triangle filter whose support grows with the reduction (Pillow's antialiased `BILINEAR`), first
/// across, then down. The valid mask is taken from the nearest pixel; samples near its edge mix in
/// what lies outside it.
///
/// # Errors
/// [`ResizeError`] for a side of 0, or where no valid pixel is left.
///
/// # Cost
/// One channel of the source is copied at a time.
pub fn resize(image: &Image, height: usize, width: usize) -> Result<Image, ResizeError> {
    resize_by(image, height, width, ResizeAlg::Convolution(FilterType::Bilinear))
}

/// Image → image of the given size by Pillow's kernels, with the same sample type, color space and id.
///
/// 8-bit results are those of Pillow 13, and but for the order of the passes those of its earlier versions; [`resize`] is faster and differs by a level here and
/// there. The valid mask is taken from the nearest pixel.
///
/// # Errors
/// As [`resize`].
pub fn resize_with(image: &Image, height: usize, width: usize, filter: Filter) -> Result<Image, ResizeError> {
    Sizes::new([image.height(), image.width()], [height, width])?;
    let (channels, from, to) = (image.channels(), [image.height(), image.width()], [height, width]);
    let samples = match image.samples() {
        Samples::U8(v) => Samples::U8(convolve(v, channels, from, to, filter)),
        Samples::U16(v) => Samples::U16(convolve(v, channels, from, to, filter)),
        Samples::F32(v) => Samples::F32(convolve(v, channels, from, to, filter)),
    };
    with_samples(image, to, samples)
}

/// Image → image of the given size, each pixel interpolated between the four around its place in the image.
///
/// A smaller image leaves pixels out: blur before, or take [`resize`]. scikit-image's
/// `rescale(order=1, anti_aliasing=False)`.
///
/// # Errors
/// [`ResizeError`] for a side of 0, or where no valid pixel is left.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Image, Samples};
/// let image = Image::new(1, 6, ColorSpace::Gray, Samples::F32(vec![0.0, 1.0, 9.0, 9.0, 3.0, 0.0]))?;
/// let small = segcut_pixel::interpolate(&image, 1, 2)?;
/// assert_eq!(small.samples(), &Samples::F32(vec![1.0, 3.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn interpolate(image: &Image, height: usize, width: usize) -> Result<Image, ResizeError> {
    resize_by(image, height, width, ResizeAlg::Interpolation(FilterType::Bilinear))
}

fn resize_by(image: &Image, height: usize, width: usize, by: ResizeAlg) -> Result<Image, ResizeError> {
    let size = Sizes::new([image.height(), image.width()], [height, width])?;
    let channels = image.channels();
    let samples = match image.samples() {
        Samples::U8(v) => Samples::U8(resize_planes::<U8, u8>(v, channels, size, by)?),
        Samples::U16(v) => Samples::U16(resize_planes::<U16, u16>(v, channels, size, by)?),
        Samples::F32(v) => Samples::F32(resize_planes::<F32, f32>(v, channels, size, by)?),
    };
    with_samples(image, [height, width], samples)
}

/// The image with resized samples; its mask follows.
fn with_samples(image: &Image, [height, width]: [usize; 2], samples: Samples) -> Result<Image, ResizeError> {
    let valid = image.valid().map(|mask| resize_mask(mask, height, width));
    Ok(Image::with_mask(height, width, image.space(), samples, valid)?.with_id(image.id()))
}

/// Label map → label map of another size, each pixel taking the label of the nearest one.
///
/// # Errors
/// [`LabelMapError::Length`] never occurs for a non-empty map; an empty one cannot be enlarged.
///
/// # Examples
/// ```
/// let small = segcut_core::LabelMap::new(1, 2, vec![0, 1])?;
/// let large = segcut_pixel::enlarge_labels(&small, 2, 4)?;
/// assert_eq!(large.labels(), [0, 0, 1, 1, 0, 0, 1, 1]);
/// # Ok::<(), segcut_core::LabelMapError>(())
/// ```
pub fn enlarge_labels(map: &LabelMap, height: usize, width: usize) -> Result<LabelMap, LabelMapError> {
    let labels = nearest(map.labels(), [map.height(), map.width()], [height, width]);
    LabelMap::with_n(height, width, labels, map.n())
}

fn resize_mask(mask: &Mask, height: usize, width: usize) -> Mask {
    let bits = nearest(mask.bits(), [mask.height(), mask.width()], [height, width]);
    let mut resized = Mask::filled(height, width, false);
    resized.bits_mut().copy_from_slice(&bits);
    resized
}

/// The value of the source pixel under each centre.
fn nearest<T: Copy>(values: &[T], from: [usize; 2], to: [usize; 2]) -> Vec<T> {
    if values.is_empty() {
        return Vec::new();
    }
    let source = |i: usize, axis: usize| (2 * i + 1) * from[axis] / (2 * to[axis]);
    let columns: Vec<usize> = (0..to[1]).map(|x| source(x, 1)).collect();
    let rows = (0..to[0]).map(|y| source(y, 0) * from[1]);
    rows.flat_map(|row| columns.iter().map(move |x| values[row + x])).collect()
}

/// Source and destination size, in the resizer's numbers.
#[derive(Clone, Copy)]
struct Sizes {
    from: [u32; 2],
    to: [u32; 2],
}

impl Sizes {
    fn new(from: [usize; 2], to: [usize; 2]) -> Result<Self, ResizeError> {
        let refused = || ResizeError::Size { height: to[0], width: to[1] };
        let side = |s: usize| u32::try_from(s).ok().filter(|&s| s > 0).ok_or_else(refused);
        Ok(Self { from: [side(from[0])?, side(from[1])?], to: [side(to[0])?, side(to[1])?] })
    }
}

/// Resizes the channels one after the other.
fn resize_planes<P, T>(samples: &[T], channels: usize, size: Sizes, by: ResizeAlg) -> Result<Vec<T>, ResizeError>
where
    P: PixelTrait + Plain<T>,
    T: Copy + Default,
{
    let mut out = vec![T::default(); size.to[0] as usize * size.to[1] as usize * channels];
    for channel in 0..channels {
        let plane: Vec<P> = samples[channel..].iter().step_by(channels).map(|&s| P::wrap(s)).collect();
        let resized = resize_plane(&plane, size, by)?;
        let targets = out[channel..].iter_mut().step_by(channels);
        targets.zip(resized.pixels()).for_each(|(out, pixel)| *out = pixel.unwrap());
    }
    Ok(out)
}

/// First the width, then the height, as Pillow does.
fn resize_plane<P: PixelTrait>(plane: &[P], size: Sizes, by: ResizeAlg) -> Result<TypedImage<'static, P>, ResizeError> {
    let refused = |_| ResizeError::Size { height: size.from[0] as usize, width: size.from[1] as usize };
    let source = TypedImageRef::new(size.from[1], size.from[0], plane).map_err(refused)?;
    let options = ResizeOptions::new().resize_alg(by).use_alpha(false);
    let mut resizer = Resizer::new();
    let mut narrow = TypedImage::new(size.to[1], size.from[0]);
    resizer.resize_typed(&source, &mut narrow, &options)?;
    let mut out = TypedImage::new(size.to[1], size.to[0]);
    resizer.resize_typed(&narrow, &mut out, &options)?;
    Ok(out)
}

/// One-channel pixels of the resizer and their sample.
trait Plain<T>: InnerPixel {
    fn wrap(sample: T) -> Self;
    fn unwrap(self) -> T;
}

macro_rules! plain {
    ($($pixel:ty: $sample:ty),*) => {$(
        impl Plain<$sample> for $pixel {
            fn wrap(sample: $sample) -> Self {
                Self::new(sample)
            }
            fn unwrap(self) -> $sample {
                self.0
            }
        }
    )*};
}

plain!(U8: u8, U16: u16, F32: f32);

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, VOID};

    #[test]
    fn halves_are_smooth_averages_in_every_sample_type() {
        let ramp: Vec<u16> = (0..64).flat_map(|_| (0..64u16).flat_map(|x| [x * 4, 252 - x * 4])).collect();
        let bytes = ramp.iter().map(|&v| v as u8).collect();
        let floats = ramp.iter().map(|&v| f32::from(v)).collect();
        for samples in [Samples::U8(bytes), Samples::U16(ramp), Samples::F32(floats)] {
            let image = Image::new(64, 64, ColorSpace::Multiband, samples).unwrap().with_id("ramp");
            let half = resize(&image, 32, 32).unwrap();
            assert_eq!((half.channels(), half.id()), (2, "ramp"));
            let at = |i: usize| match half.samples() {
                Samples::U8(v) => f32::from(v[i]),
                Samples::U16(v) => f32::from(v[i]),
                Samples::F32(v) => v[i],
            };
            for x in 1..31 {
                let mean = (x * 8 + 2) as f32;
                assert!((at((5 * 32 + x) * 2) - mean).abs() <= 1.0);
                assert!((at((5 * 32 + x) * 2 + 1) - (252.0 - mean)).abs() <= 1.0);
            }
        }
    }

    #[test]
    fn masks_follow_and_bad_sizes_are_refused() {
        let mask = Mask::new(2, 4, [true, true, false, false].repeat(2)).unwrap();
        let samples = Samples::U8(vec![9; 8]);
        let image = Image::with_mask(2, 4, ColorSpace::Gray, samples, Some(mask)).unwrap();
        assert_eq!(resize(&image, 1, 2).unwrap().valid().unwrap().bits(), [true, false]);
        assert!(matches!(resize(&image, 0, 2), Err(ResizeError::Size { height: 0, width: 2 })));
        assert!(matches!(shrink(&image, 0), Err(ResizeError::Size { .. })));
        assert_eq!(shrink(&image, 2).unwrap().unwrap().pixels(), 2);
        assert!(matches!(shrink(&image, 1), Err(ResizeError::Image(ImageError::MaskEmpty))));
    }

    #[test]
    fn labels_shrink_and_grow_without_mixing() {
        let map = LabelMap::new(2, 2, vec![0, 5, VOID, 3]).unwrap();
        let large = enlarge_labels(&map, 4, 6).unwrap();
        assert_eq!(large.n(), 6);
        assert_eq!(large.labels()[..6], [0, 0, 0, 5, 5, 5]);
        assert_eq!(enlarge_labels(&large, 2, 2).unwrap(), map);
    }
}
