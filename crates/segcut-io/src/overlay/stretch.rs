//! Samples of any range → 0 to 255.

use segcut_core::{ColorSpace, Image, Samples};

/// At most this many values are sorted to find a percentile.
const SAMPLE: usize = 65_536;

/// A linear map to 0 … 255 per shown channel: the value `low` becomes 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    low: [f32; 3],
    scale: [f32; 3],
}

impl Stretch {
    /// The map under which an image is shown (see [`super::Picture::from_image`]).
    pub(super) fn of(image: &Image) -> Self {
        let color = image.space() != ColorSpace::Multiband;
        match image.samples() {
            Samples::U8(_) if color => return Self::ranges([[0.0, 255.0]; 3]),
            Samples::F32(v) if color && v.iter().all(|x| (0.0..=1.0).contains(x)) => {
                return Self::ranges([[0.0, 1.0]; 3]);
            }
            _ => {}
        }
        let shown = if image.channels() < 3 { 1 } else { 3 };
        let spread = spread_pixels(image);
        let values = |channels: std::ops::Range<usize>| {
            let of_pixel = |&pixel: &usize| channels.clone().map(move |c| sample(image, pixel * image.channels() + c));
            spread.iter().flat_map(of_pixel).collect::<Vec<f32>>()
        };
        if color || shown == 1 {
            return Self::ranges([robust_range(values(0..shown)); 3]);
        }
        Self::ranges([0, 1, 2].map(|channel| robust_range(values(channel..channel + 1))))
    }

    fn ranges(ranges: [[f32; 2]; 3]) -> Self {
        let scale = |[low, high]: [f32; 2]| if high > low { 255.0 / (high - low) } else { 0.0 };
        Self { low: ranges.map(|range| range[0]), scale: ranges.map(scale) }
    }

    /// The byte of a value.
    #[inline]
    pub(super) fn byte(&self, channel: usize, value: f32) -> u8 {
        ((value - self.low[channel]) * self.scale[channel] + 0.5) as u8
    }
}

/// Evenly spaced valid pixels; all where there are few.
fn spread_pixels(image: &Image) -> Vec<usize> {
    let step = image.pixels().div_ceil(SAMPLE);
    let valid = |pixel: &usize| image.valid().is_none_or(|mask| mask.bits()[*pixel]);
    let spread: Vec<usize> = (0..image.pixels()).step_by(step).filter(valid).collect();
    if spread.is_empty() { (0..image.pixels()).filter(valid).take(SAMPLE).collect() } else { spread }
}

fn sample(image: &Image, at: usize) -> f32 {
    match image.samples() {
        Samples::U8(v) => v[at].into(),
        Samples::U16(v) => v[at].into(),
        Samples::F32(v) => v[at],
    }
}

/// The 2nd and the 98th percentile of the finite values; 0 and 1 where there are none.
pub(super) fn robust_range(mut values: Vec<f32>) -> [f32; 2] {
    values.retain(|v| v.is_finite());
    if values.is_empty() {
        return [0.0, 1.0];
    }
    values.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    match [at(0.02), at(0.98)] {
        [low, high] if low < high => [low, high],
        _ => [at(0.0), at(1.0)],
    }
}

/// Evenly spaced values of a field, at most 65,536.
pub(super) fn spread_values(values: &[f32]) -> Vec<f32> {
    values.iter().copied().step_by(values.len().div_ceil(SAMPLE).max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(space: ColorSpace, samples: Samples, pixels: usize) -> Vec<u8> {
        let image = Image::new(1, pixels, space, samples).unwrap();
        super::super::Picture::from_image(&image).rgb().to_vec()
    }

    #[test]
    fn outliers_do_not_darken_a_16_bit_image() {
        let mut values: Vec<u16> = (0..100).map(|i| 1000 + i * 10).collect();
        values[99] = 65_535;
        let gray = bytes(ColorSpace::Gray, Samples::U16(values), 100);
        assert_eq!([gray[0], gray[150], gray[297]], [0, 129, 255]);
    }

    #[test]
    fn bands_are_stretched_apart_and_color_together() {
        let values = || Samples::F32(vec![0.0, 0.0, 0.0, 2.0, 4.0, 8.0]);
        assert_eq!(bytes(ColorSpace::Multiband, values(), 2), [0, 0, 0, 255, 255, 255]);
        assert_eq!(bytes(ColorSpace::Srgb, values(), 2), [0, 0, 0, 64, 128, 255]);
        assert_eq!(bytes(ColorSpace::Srgb, Samples::F32(vec![0.0, 0.5, 1.0]), 1), [0, 128, 255]);
    }

    #[test]
    fn a_constant_image_is_black_and_not_nan() {
        assert_eq!(bytes(ColorSpace::Gray, Samples::U16(vec![7; 3]), 3), [0; 9]);
    }
}
