//! Image → normalised planes of a size that a network takes.

use crate::forward::Planes;
use rayon::prelude::*;
use segcut_core::{Grid, Image, Samples};
use segcut_pixel::{Filter, ResizeError, resize_with};
use thiserror::Error;

/// Mean and standard deviation of ImageNet's red, green and blue from 0 to 1, which every DINO network
/// was trained with.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Why an image is no input of a network.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// Neither gray nor three channels.
    #[error("a vision transformer reads gray or three channels, and the image has {0}: choose three with --bands")]
    Channels(usize),
    /// The image has no such size.
    #[error(transparent)]
    Resize(#[from] ResizeError),
}

/// Size of a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InputSize {
    pub height: usize,
    pub width: usize,
}

impl InputSize {
    /// A square of `side`, or (for 0) the image's own size limited to `max_side` (0: no limit); rounded to
    /// whole patches.
    pub fn choose(image: &Image, side: usize, max_side: usize, patch: usize) -> Self {
        let whole = |length: f64| ((length / patch as f64).round() as usize).max(1) * patch;
        if side > 0 {
            return Self { height: whole(side as f64), width: whole(side as f64) };
        }
        let longer = image.height().max(image.width());
        let scale = if max_side > 0 && longer > max_side { max_side as f64 / longer as f64 } else { 1.0 };
        Self { height: whole(image.height() as f64 * scale), width: whole(image.width() as f64 * scale) }
    }

    /// Where the centres of patches lie in the image.
    pub fn grid(self, image: &Image, [rows, cols]: [usize; 2], patch: usize, stride: usize) -> Grid {
        let factors = [image.height() as f64 / self.height as f64, image.width() as f64 / self.width as f64];
        Grid {
            rows,
            cols,
            step: factors.map(|factor| stride as f64 * factor),
            origin: factors.map(|factor| patch as f64 / 2.0 * factor - 0.5),
        }
    }
}

/// Three normalised planes that are held.
#[derive(Debug)]
pub(crate) struct HeldPlanes {
    values: Vec<f32>,
    size: InputSize,
}

impl HeldPlanes {
    /// Resizes, scales to 0 … 1 and normalises; gray stands for all three channels.
    pub fn new(image: &Image, size: InputSize, filter: Filter) -> Result<Self, InputError> {
        let channels = image.channels();
        if channels != 1 && channels != 3 {
            return Err(InputError::Channels(channels));
        }
        let resized = resize_with(image, size.height, size.width, filter)?;
        let pixels = size.height * size.width;
        let mut values = vec![0.0; 3 * pixels];
        values.par_chunks_mut(pixels).enumerate().for_each(|(plane, out)| {
            let normalised = |v: f32| (v - MEAN[plane]) / DEVIATION[plane];
            let at = |pixel: usize| pixel * channels + plane % channels;
            match resized.samples() {
                Samples::U8(v) => fill(out, |i| normalised(f32::from(v[at(i)]) / 255.0)),
                Samples::U16(v) => fill(out, |i| normalised(f32::from(v[at(i)]) / 65_535.0)),
                Samples::F32(v) => fill(out, |i| normalised(v[at(i)])),
            }
        });
        Ok(Self { values, size })
    }

    /// A view, channel after channel.
    pub fn planes(&self) -> Planes<'_> {
        Planes { values: &self.values, height: self.size.height, width: self.size.width }
    }
}

fn fill(out: &mut [f32], value: impl Fn(usize) -> f32) {
    out.iter_mut().enumerate().for_each(|(i, out)| *out = value(i));
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::ColorSpace;

    #[test]
    fn sizes_are_whole_patches_and_centres_map_back() {
        let image = Image::new(30, 50, ColorSpace::Gray, Samples::U8(vec![0; 1500])).unwrap();
        let own = InputSize::choose(&image, 0, 0, 16);
        assert_eq!(own, InputSize { height: 32, width: 48 });
        assert_eq!(InputSize::choose(&image, 0, 25, 16), InputSize { height: 16, width: 32 });
        assert_eq!(InputSize::choose(&image, 64, 25, 16), InputSize { height: 64, width: 64 });
        let same = InputSize { height: 30, width: 50 };
        let grid = same.grid(&image, [2, 3], 16, 16);
        assert_eq!((grid.step, grid.origin), ([16.0; 2], [7.5; 2]));
    }

    #[test]
    fn normalised_values_are_those_of_imagenet() {
        let white = Image::new(1, 1, ColorSpace::Srgb, Samples::U16(vec![65_535; 3])).unwrap();
        let planes = HeldPlanes::new(&white, InputSize { height: 2, width: 2 }, Filter::Bicubic).unwrap();
        let expected = [2.248_908_4, 2.428_571_5, 2.64];
        for (plane, value) in planes.values.chunks(4).zip(expected) {
            assert!(plane.iter().all(|v| (v - value).abs() < 1e-4), "{plane:?}");
        }
        let odd = Image::new(1, 1, ColorSpace::Multiband, Samples::U8(vec![0; 5])).unwrap();
        assert!(matches!(HeldPlanes::new(&odd, planes.size, Filter::Bicubic), Err(InputError::Channels(5))));
    }
}
