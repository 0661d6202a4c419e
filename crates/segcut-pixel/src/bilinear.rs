//! Cells of a grid → pixels of a finer one, between the cells' centres.

use std::ops::Range;

/// Cells (row-major, channels interleaved) that are read at the pixels of an image that they cover.
///
/// The value at a pixel is bilinear between the four centres around it; beyond the outermost centres it stays.
///
/// # Examples
/// ```
/// let cells = segcut_pixel::Bilinear::new(vec![0.0, 1.0], [1, 2, 1], [1, 4]);
/// let mut row = [9.0; 4];
/// cells.rows(0..1, &mut row);
/// assert_eq!(row, [0.0, 0.25, 0.75, 1.0]);
/// ```
#[derive(Debug, Clone)]
pub struct Bilinear {
    values: Vec<f32>,
    channels: usize,
    /// Cells in a row, times the channels.
    row: usize,
    down: Vec<Between>,
    across: Vec<Between>,
}

/// The two cells around a pixel, and how far it is from the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Between {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) share: f32,
}

/// For each of `pixels` the two of `cells` around it.
pub(crate) fn between(pixels: usize, cells: usize) -> Vec<Between> {
    let place = |pixel: usize| {
        let at = ((2 * pixel + 1) as f64 * cells as f64 / (2 * pixels) as f64 - 0.5).clamp(0.0, (cells - 1) as f64);
        let first = at as usize;
        Between { first, second: (first + 1).min(cells - 1), share: (at - first as f64) as f32 }
    };
    (0..pixels).map(place).collect()
}

impl Bilinear {
    /// Cells of (rows, columns, channels) over an image of `size` (rows, columns).
    ///
    /// # Panics
    /// Where the values do not fill the cells, or there are none.
    pub fn new(values: Vec<f32>, [rows, columns, channels]: [usize; 3], size: [usize; 2]) -> Self {
        assert!(!values.is_empty() && values.len() == rows * columns * channels, "values fill the cells");
        let (down, across) = (between(size[0], rows), between(size[1], columns));
        Self { values, channels, row: columns * channels, down, across }
    }

    /// Writes rows of pixels (width·channels values each).
    ///
    /// # Panics
    /// Where the rows leave the image or `out` has another length.
    pub fn rows(&self, rows: Range<usize>, out: &mut [f32]) {
        assert_eq!(out.len(), rows.len() * self.across.len() * self.channels, "out takes the rows");
        let mut mixed = vec![0.0; self.row];
        for (place, out) in self.down[rows].iter().zip(out.chunks_exact_mut(self.across.len() * self.channels)) {
            let line = |row: usize| &self.values[row * self.row..(row + 1) * self.row];
            for (mixed, (a, b)) in mixed.iter_mut().zip(line(place.first).iter().zip(line(place.second))) {
                *mixed = a + place.share * (b - a);
            }
            for (place, out) in self.across.iter().zip(out.chunks_exact_mut(self.channels)) {
                let cell = |at: usize| &mixed[at * self.channels..(at + 1) * self.channels];
                for (out, (a, b)) in out.iter_mut().zip(cell(place.first).iter().zip(cell(place.second))) {
                    *out = a + place.share * (b - a);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_stays_a_plane_between_the_centres() {
        let cells: Vec<f32> = (0..4).flat_map(|y| (0..5).map(move |x| (10 * y + x) as f32)).collect();
        let pixels = Bilinear::new(cells, [4, 5, 1], [12, 10]);
        let mut all = vec![0.0; 120];
        pixels.rows(0..12, &mut all);
        for y in 2..10 {
            for x in 1..9 {
                let expected = 10.0 * ((y as f32 + 0.5) / 3.0 - 0.5) + (x as f32 + 0.5) / 2.0 - 0.5;
                assert!((all[y * 10 + x] - expected).abs() < 1e-4);
            }
        }
        let mut band = vec![0.0; 30];
        pixels.rows(5..8, &mut band);
        assert_eq!(band, all[50..80]);
    }
}
