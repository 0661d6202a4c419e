//! An image → changed copies of it that a learner sees besides.

use clap::ValueEnum;
use segcut_core::{Image, ImageError, Mask, Samples};

/// A change that leaves the regions of an image as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Augment {
    /// A copy in the mirror, left for right
    Flip,
    /// A darker and a brighter copy: samples times 0.75, and times 1.25 up to the largest value
    Brightness,
}

/// Factors of the samples of darker and brighter copies.
const FACTORS: [f32; 2] = [0.75, 1.25];

impl Augment {
    /// The changed copies, each under a name of its own.
    ///
    /// # Errors
    /// [`ImageError`], where a sample leaves the range of numbers.
    pub fn copies(self, image: &Image) -> Result<Vec<Image>, ImageError> {
        match self {
            Self::Flip => Ok(vec![mirrored(image)?]),
            Self::Brightness => FACTORS.into_iter().map(|factor| brightened(image, factor)).collect(),
        }
    }
}

fn mirrored(image: &Image) -> Result<Image, ImageError> {
    let (width, channels) = (image.width(), image.channels());
    let samples = match image.samples() {
        Samples::U8(values) => Samples::U8(turned(values, width, channels)),
        Samples::U16(values) => Samples::U16(turned(values, width, channels)),
        Samples::F32(values) => Samples::F32(turned(values, width, channels)),
    };
    let valid =
        image.valid().map(|mask| Mask::new(image.height(), width, turned(mask.bits(), width, 1))).transpose()?;
    let found = Image::with_mask(image.height(), width, image.space(), samples, valid)?;
    Ok(found.with_id(format!("{}.mirrored", image.id())))
}

/// Every line with its pixels in the other order.
fn turned<T: Copy>(values: &[T], width: usize, channels: usize) -> Vec<T> {
    let lines = values.chunks_exact(width * channels);
    lines.flat_map(|line| line.chunks_exact(channels).rev().flatten().copied()).collect()
}

fn brightened(image: &Image, factor: f32) -> Result<Image, ImageError> {
    let samples = match image.samples() {
        Samples::U8(values) => Samples::U8(values.iter().map(|&v| (f32::from(v) * factor).round() as u8).collect()),
        Samples::U16(values) => Samples::U16(values.iter().map(|&v| (f32::from(v) * factor).round() as u16).collect()),
        Samples::F32(values) => Samples::F32(values.iter().map(|v| v * factor).collect()),
    };
    let found = Image::with_mask(image.height(), image.width(), image.space(), samples, image.valid().cloned())?;
    Ok(found.with_id(format!("{}.{factor}", image.id())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::ColorSpace;

    #[test]
    fn copies_are_mirrored_darker_and_brighter() {
        let samples = Samples::U8(vec![0, 100, 200, 4, 104, 240]);
        let mask = Mask::new(2, 3, vec![true, true, false, true, true, true]).unwrap();
        let image = Image::with_mask(2, 3, ColorSpace::Gray, samples, Some(mask)).unwrap().with_id("a");
        let [mirrored] = &Augment::Flip.copies(&image).unwrap()[..] else { panic!("one copy") };
        assert_eq!(mirrored.samples(), &Samples::U8(vec![200, 100, 0, 240, 104, 4]));
        assert_eq!(mirrored.valid().unwrap().bits(), [false, true, true, true, true, true]);
        assert_eq!(mirrored.id(), "a.mirrored");
        let [darker, brighter] = &Augment::Brightness.copies(&image).unwrap()[..] else { panic!("two copies") };
        assert_eq!(darker.samples(), &Samples::U8(vec![0, 75, 150, 3, 78, 180]));
        assert_eq!(brighter.samples(), &Samples::U8(vec![0, 125, 250, 5, 130, 255]));
        assert_eq!((darker.id(), brighter.id()), ("a.0.75", "a.1.25"));
        let color = Image::new(1, 2, ColorSpace::Srgb, Samples::U16(vec![1, 2, 3, 4, 5, 6])).unwrap();
        let [mirrored] = &Augment::Flip.copies(&color).unwrap()[..] else { panic!("one copy") };
        assert_eq!(mirrored.samples(), &Samples::U16(vec![4, 5, 6, 1, 2, 3]));
    }
}
