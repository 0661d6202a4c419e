//! Rows of colors → rows of their local variance.

use crate::color::ColorRows;
use segcut_core::{BandSource, Image};
use std::ops::Range;

/// Pixels to each side of the window.
const REACH: usize = 2;

/// The fourth root of each channel's variance within 5×5 pixels (fewer at the frame).
pub(crate) struct VarianceRows<'a> {
    colors: &'a ColorRows<'a>,
    height: usize,
    width: usize,
}

impl<'a> VarianceRows<'a> {
    pub(crate) fn new(colors: &'a ColorRows<'a>, image: &Image) -> Self {
        Self { colors, height: image.height(), width: image.width() }
    }
}

impl BandSource for VarianceRows<'_> {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        let dims = self.colors.dims();
        let row = self.width * dims;
        let needed = rows.start.saturating_sub(REACH)..(rows.end + REACH).min(self.height);
        let mut values = vec![0.0; needed.len() * row];
        self.colors.fill(needed.clone(), &mut values);
        let mut sums = vec![0.0f32; row];
        let mut squares = vec![0.0f32; row];
        for (y, out) in rows.zip(out.chunks_exact_mut(row)) {
            let window = y.saturating_sub(REACH)..(y + REACH + 1).min(self.height);
            sums.fill(0.0);
            squares.fill(0.0);
            for line in window.clone() {
                let line = &values[(line - needed.start) * row..][..row];
                for ((sum, square), value) in sums.iter_mut().zip(&mut squares).zip(line) {
                    *sum += value;
                    *square += value * value;
                }
            }
            for (x, out) in out.chunks_exact_mut(dims).enumerate() {
                let columns = x.saturating_sub(REACH)..(x + REACH + 1).min(self.width);
                let share = 1.0 / (columns.len() * window.len()) as f32;
                for (d, out) in out.iter_mut().enumerate() {
                    let over = |sums: &[f32]| columns.clone().map(|x| sums[x * dims + d]).sum::<f32>() * share;
                    let mean = over(&sums);
                    *out = (over(&squares) - mean * mean).max(0.0).sqrt().sqrt();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::ColorKind;
    use segcut_core::{ColorSpace, Samples};

    #[test]
    fn a_window_has_its_variance() {
        let samples = vec![0.0, 0.5, 0.0, 0.5, 0.0, 0.5, 0.0, 0.5];
        let image = Image::new(1, 8, ColorSpace::Multiband, Samples::F32(samples)).unwrap();
        let colors = ColorRows::new(&image, ColorKind::Lab);
        let mut out = vec![0.0; 8];
        VarianceRows::new(&colors, &image).fill(0..1, &mut out);
        // 0, 50, 0, 50, 0 has mean 20 and variance 600.
        assert!((out[2] - 600f32.powf(0.25)).abs() < 1e-3, "{}", out[2]);
        // At the frame: 0, 50, 0.
        assert!((out[0] - (5000f32 / 9.0).powf(0.25)).abs() < 1e-3, "{}", out[0]);
    }
}
