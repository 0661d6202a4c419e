//! Images at half the size, and again: rows of cells, and back to pixels.

use segcut_pixel::RowShape;
use std::ops::Range;

/// Some rows of one scale's image.
pub(crate) struct Level {
    pub(crate) shape: RowShape,
    pub(crate) rows: Range<usize>,
    pub(crate) values: Vec<f32>,
}

/// Rows of cells of `step` pixels that a bilinear reading of `rows` touches.
pub(crate) fn cell_rows(rows: &Range<usize>, step: usize, height: usize) -> Range<usize> {
    let start = (rows.start / step).saturating_sub(1);
    start..((rows.end - 1) / step + 2).min(height)
}

impl Level {
    /// Means of 2×2 cells; at an odd end, of the cells that are there.
    pub(crate) fn halved(&self) -> Self {
        let (width, channels) = (self.shape.width, self.shape.channels);
        let row = width * channels;
        let shape = RowShape { height: self.shape.height.div_ceil(2), width: width.div_ceil(2), channels };
        let mut values = Vec::with_capacity(self.values.len() / 4 + shape.width * channels);
        for pair in self.values.chunks(2 * row) {
            let (above, below) = (&pair[..row], &pair[pair.len() - row..]);
            for (a, b) in above.chunks(2 * channels).zip(below.chunks(2 * channels)) {
                let right = a.len() - channels;
                values.extend((0..channels).map(|c| 0.25 * (a[c] + a[right + c] + b[c] + b[right + c])));
            }
        }
        Self { shape, rows: self.rows.start / 2..self.rows.end.div_ceil(2), values }
    }
}

/// Rows of strengths on cells of `step` pixels.
pub(crate) struct Coarse<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) rows: Range<usize>,
    pub(crate) width: usize,
    pub(crate) step: usize,
}

impl Coarse<'_> {
    /// Adds share · the values, enlarged bilinearly between the cells' centres.
    pub(crate) fn add_enlarged(&self, top: usize, width: usize, share: f32, out: &mut [f32]) {
        let columns: Vec<(usize, usize, f32)> = (0..width).map(|x| between(x, self.step, self.width)).collect();
        let line = |row: usize| &self.values[(row - self.rows.start) * self.width..][..self.width];
        let mut mixed = vec![0.0; self.width];
        for (i, out) in out.chunks_exact_mut(width).enumerate() {
            let (above, below, t) = between(top + i, self.step, self.rows.end);
            for (mixed, (a, b)) in mixed.iter_mut().zip(line(above).iter().zip(line(below))) {
                *mixed = share * (a + t * (b - a));
            }
            if self.step == 1 {
                out.iter_mut().zip(&mixed).for_each(|(out, m)| *out += m);
                continue;
            }
            for (out, &(left, right, t)) in out.iter_mut().zip(&columns) {
                *out += mixed[left] + t * (mixed[right] - mixed[left]);
            }
        }
    }
}

/// The two cells whose centres a pixel lies between, and how far it is from the first.
fn between(pixel: usize, step: usize, cells: usize) -> (usize, usize, f32) {
    let at = ((pixel as f32 + 0.5) / step as f32 - 0.5).max(0.0);
    let first = (at as usize).min(cells - 1);
    (first, (first + 1).min(cells - 1), at - first as f32)
}
