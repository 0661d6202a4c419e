//! Samples → samples of another size, as Pillow computes them.

use crate::resize::Filter;
use std::f64::consts::PI;

/// Binary digits of an 8-bit kernel's weights behind the point, as in Pillow.
const DIGITS: u32 = 22;

impl Filter {
    /// Half the width of the kernel, in pixels of the smaller image.
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// The kernel, not normalised.
    fn value(self, x: f64) -> f64 {
        let x = x.abs();
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        match self {
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::Lanczos if x < 3.0 => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }
}

/// A sample with its arithmetic: 8 bits in whole numbers, others in f64.
pub(crate) trait Sample: Copy + Default {
    /// Weights and sums.
    type Number: Copy;

    fn weight(weight: f64) -> Self::Number;
    fn zero() -> Self::Number;
    fn add(sum: Self::Number, weight: Self::Number, sample: Self) -> Self::Number;
    fn finish(sum: Self::Number) -> Self;
}

impl Sample for u8 {
    type Number = i32;

    fn weight(weight: f64) -> i32 {
        (weight * f64::from(1 << DIGITS)).round() as i32
    }

    fn zero() -> i32 {
        1 << (DIGITS - 1)
    }

    fn add(sum: i32, weight: i32, sample: Self) -> i32 {
        sum.wrapping_add(weight.wrapping_mul(i32::from(sample)))
    }

    fn finish(sum: i32) -> Self {
        (sum >> DIGITS).clamp(0, 255) as Self
    }
}

macro_rules! in_f64 {
    ($sample:ty, $finish:expr) => {
        impl Sample for $sample {
            type Number = f64;

            fn weight(weight: f64) -> f64 {
                weight
            }

            fn zero() -> f64 {
                0.0
            }

            fn add(sum: f64, weight: f64, sample: Self) -> f64 {
                sum + weight * f64::from(sample)
            }

            fn finish(sum: f64) -> Self {
                $finish(sum)
            }
        }
    };
}

in_f64!(u16, |sum: f64| sum.round().clamp(0.0, 65_535.0) as u16);
in_f64!(f32, |sum: f64| sum as f32);

/// The source pixels of every target pixel along one axis: the first one and the weights from there.
struct Taps<N> {
    spans: Vec<(usize, Vec<N>)>,
}

impl<N> Taps<N> {
    /// The kernel widens with the reduction; what lies beyond the image is left out, and weights sum to 1.
    fn new(filter: Filter, from: usize, to: usize, number: impl Fn(f64) -> N) -> Self {
        let scale = from as f64 / to as f64;
        let width = scale.max(1.0);
        let span = |target: usize| {
            let center = (target as f64 + 0.5) * scale;
            let reach = filter.support() * width;
            let first = (center - reach + 0.5).max(0.0) as usize;
            let end = ((center + reach + 0.5) as usize).min(from);
            let weights: Vec<f64> = (first..end).map(|i| filter.value((i as f64 - center + 0.5) / width)).collect();
            let sum: f64 = weights.iter().sum();
            (first, weights.into_iter().map(|weight| number(weight / sum)).collect())
        };
        Self { spans: (0..to).map(span).collect() }
    }
}

/// Interleaved samples of `from` rows and columns → the same of `to`, rounded between the two passes to the type of the
/// samples.
///
/// 8 bits are computed in whole numbers with Pillow's precision. The width comes first, as in every Pillow; but as
/// since its version 13, the height does where it shrinks by more than twice as many pixels as the width.
pub(crate) fn convolve<S: Sample>(
    samples: &[S],
    channels: usize,
    from: [usize; 2],
    to: [usize; 2],
    filter: Filter,
) -> Vec<S> {
    let lost = [0, 1].map(|axis| from[axis] as i64 - to[axis] as i64);
    if lost[0] > 0 && lost[0] > 2 * lost[1] {
        let low = down(samples, from[1] * channels, [from[0], to[0]], filter);
        return across(&low, channels, [from[1], to[1]], filter);
    }
    let narrow = across(samples, channels, [from[1], to[1]], filter);
    down(&narrow, to[1] * channels, [from[0], to[0]], filter)
}

fn across<S: Sample>(samples: &[S], channels: usize, [from, to]: [usize; 2], filter: Filter) -> Vec<S> {
    if from == to {
        return samples.to_vec();
    }
    let taps = Taps::new(filter, from, to, S::weight);
    let mut out = Vec::with_capacity(samples.len() / from * to);
    for row in samples.chunks_exact(from * channels) {
        for (first, weights) in &taps.spans {
            let reached = &row[first * channels..(first + weights.len()) * channels];
            for channel in 0..channels {
                let under = reached[channel..].iter().step_by(channels);
                let sum = weights.iter().zip(under).fold(S::zero(), |sum, (&weight, &s)| S::add(sum, weight, s));
                out.push(S::finish(sum));
            }
        }
    }
    out
}

fn down<S: Sample>(samples: &[S], width: usize, [from, to]: [usize; 2], filter: Filter) -> Vec<S> {
    if from == to {
        return samples.to_vec();
    }
    let taps = Taps::new(filter, from, to, S::weight);
    let mut out = Vec::with_capacity(width * to);
    let mut sums = vec![S::zero(); width];
    for (first, weights) in &taps.spans {
        sums.fill(S::zero());
        for (row, &weight) in samples[first * width..].chunks_exact(width).zip(weights) {
            sums.iter_mut().zip(row).for_each(|(sum, &s)| *sum = S::add(*sum, weight, s));
        }
        out.extend(sums.iter().map(|&sum| S::finish(sum)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_at_every_size() {
        for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
            for (from, to) in [(1, 1), (1, 9), (9, 1), (7, 5), (5, 7), (1000, 3)] {
                let taps = Taps::new(filter, from, to, |w| w);
                assert_eq!(taps.spans.len(), to);
                for (first, weights) in taps.spans {
                    assert!(!weights.is_empty() && first + weights.len() <= from);
                    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{filter:?} {from} {to}");
                }
            }
        }
    }

    #[test]
    fn plain_images_stay_plain_and_overshoots_are_cut_off() {
        let plain = convolve(&[77u8; 12], 2, [2, 3], [5, 4], Filter::Lanczos);
        assert_eq!(plain, [77; 40]);
        let step = convolve(&[0u8, 0, 255, 255], 1, [1, 4], [1, 9], Filter::Bicubic);
        assert!(step.is_sorted() && step[0] == 0 && step[8] == 255);
        let high = convolve(&[0u16, 0, 65_535, 65_535], 1, [1, 4], [1, 9], Filter::Bicubic);
        assert!(high.contains(&0) && high.contains(&65_535));
    }
}
