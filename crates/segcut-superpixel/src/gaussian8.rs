//! Gaussian blur of 8-bit planes in 16-bit arithmetic.

use multiversion::multiversion;
use segcut_pixel::{Gaussian, GaussianError};
use std::ops::Range;

/// The kernel of [`Gaussian`] in 256ths; each pass rounds to 8 bits.
pub(crate) struct Gaussian8 {
    /// The centre and one side; centre + 2·side = 256.
    weights: Vec<u16>,
}

/// Up to here 256ths hold the kernel well.
pub(crate) const WIDEST_SIGMA: f64 = 2.0;

impl Gaussian8 {
    pub(crate) fn new(sigma: f64) -> Result<Self, GaussianError> {
        let exact = Gaussian::new(sigma)?;
        let mut weights: Vec<u16> = exact.weights().iter().map(|w| (w * 256.0).round() as u16).collect();
        weights.truncate(weights.iter().rposition(|&w| w > 0).map_or(1, |last| last + 1));
        weights[0] = 256 - 2 * weights[1..].iter().sum::<u16>();
        Ok(Self { weights })
    }

    /// The rows of an image that blurred rows depend on.
    pub(crate) fn needed(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        let radius = self.weights.len() as isize - 1;
        let (start, end) = (rows.start as isize, rows.end as isize);
        let beyond = (start - radius..start).chain(end..end + radius).map(|y| reflected(y, height));
        beyond.fold(rows.clone(), |span, y| span.start.min(y)..span.end.max(y + 1))
    }

    /// Row `y` of `height`, blurred; `source` holds the rows from `first` on.
    pub(crate) fn row(&self, (y, height): (usize, usize), (source, first): (&[u8], usize), out: &mut [u8]) {
        let (width, radius) = (out.len(), self.weights.len() - 1);
        let line = |dy: isize| &source[(reflected(y as isize + dy, height) - first) * width..][..width];
        let mut padded = vec![0u8; width + 2 * radius];
        let mut sums = vec![0u16; width];
        start(&mut sums, line(0), self.weights[0]);
        for (i, &weight) in self.weights.iter().enumerate().skip(1) {
            add(&mut sums, [line(-(i as isize)), line(i as isize)], weight);
        }
        round(&sums, &mut padded[radius..radius + width]);
        for i in 1..=radius {
            padded[radius - i] = padded[radius + reflected(-(i as isize), width)];
            padded[radius + width + i - 1] = padded[radius + reflected((width + i) as isize - 1, width)];
        }
        start(&mut sums, &padded[radius..], self.weights[0]);
        for (i, &weight) in self.weights.iter().enumerate().skip(1) {
            add(&mut sums, [&padded[radius - i..], &padded[radius + i..]], weight);
        }
        round(&sums, out);
    }
}

/// Reflection at the frame: d c b a | a b c d | d c b a.
fn reflected(i: isize, n: usize) -> usize {
    let period = 2 * n as isize;
    let i = i.rem_euclid(period);
    i.min(period - 1 - i) as usize
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn start(sums: &mut [u16], values: &[u8], weight: u16) {
    sums.iter_mut().zip(values).for_each(|(sum, &v)| *sum = 128 + u16::from(v) * weight);
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn add(sums: &mut [u16], [a, b]: [&[u8]; 2], weight: u16) {
    for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
        *sum += (u16::from(a) + u16::from(b)) * weight;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn round(sums: &[u16], out: &mut [u8]) {
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = (sum >> 8) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_pixel::RowShape;

    #[test]
    fn the_blur_is_the_exact_one_within_two_steps() {
        let (height, width) = (9, 70);
        let bytes: Vec<u8> = (0..height * width).map(|i| (i * i * 31 % 251) as u8).collect();
        let floats: Vec<f32> = bytes.iter().map(|&v| f32::from(v)).collect();
        for sigma in [0.0, 0.4, 0.7, 1.3, 2.0] {
            let exact = Gaussian::new(sigma).unwrap().blur(&floats, RowShape { height, width, channels: 1 });
            let blur = Gaussian8::new(sigma).unwrap();
            for y in 0..height {
                let needed = blur.needed(&(y..y + 1), height);
                let mut row = vec![0; width];
                blur.row((y, height), (&bytes[needed.start * width..needed.end * width], needed.start), &mut row);
                for (fast, exact) in row.iter().zip(&exact[y * width..]) {
                    assert!((f32::from(*fast) - exact).abs() <= 2.0, "{sigma}: {fast} {exact}");
                }
            }
        }
    }
}
