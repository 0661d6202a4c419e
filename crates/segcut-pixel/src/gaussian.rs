//! Gaussian blur by two one-dimensional passes.

use rayon::prelude::*;
use std::ops::Range;
use thiserror::Error;

/// The standard deviation is negative or not finite, or too large to be useful.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("the blur's sigma is {sigma}; it must be from 0 to 1000 pixels")]
pub struct GaussianError {
    /// The refused value.
    pub sigma: f64,
}

/// Size of rows that are blurred: row-major, channels interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowShape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Values per pixel; each channel is blurred on its own.
    pub channels: usize,
}

impl RowShape {
    fn row(&self) -> usize {
        self.width * self.channels
    }
}

/// Rows that are blurred by one task; fixed, so that results do not depend on the threads.
const BAND: usize = 32;

/// A separable Gaussian kernel.
///
/// As `scipy.ndimage.gaussian_filter` with its defaults: weights exp(−x²/2σ²) at whole pixels up to
/// round(4σ), normalised; beyond the frame the image is reflected (d c b a | a b c d | d c b a).
/// kornia's `gaussian_blur` pads with zeros and darkens the frame, which is why this one exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    /// The centre and one side.
    weights: Vec<f32>,
}

impl Gaussian {
    /// The kernel of a standard deviation in pixels; 0 leaves images as they are.
    ///
    /// # Errors
    /// [`GaussianError`].
    pub fn new(sigma: f64) -> Result<Self, GaussianError> {
        if !(0.0..=1000.0).contains(&sigma) {
            return Err(GaussianError { sigma });
        }
        let radius = (4.0 * sigma + 0.5) as usize;
        let scale = if sigma > 0.0 { -0.5 / (sigma * sigma) } else { 0.0 };
        let half: Vec<f64> = (0..=radius).map(|x| ((x * x) as f64 * scale).exp()).collect();
        let sum = 2.0 * half.iter().sum::<f64>() - half[0];
        Ok(Self { weights: half.iter().map(|w| (w / sum) as f32).collect() })
    }

    /// Pixels to each side that a blurred pixel depends on.
    pub fn radius(&self) -> usize {
        self.weights.len() - 1
    }

    /// The weight of the centre, then those of one side; centre + 2·side = 1.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Values of a whole image → blurred values.
    ///
    /// # Panics
    /// Where `values` do not fill the shape.
    ///
    /// # Determinism
    /// The bands have a fixed size; any number of threads gives the same bytes.
    ///
    /// # Examples
    /// ```
    /// use segcut_pixel::{Gaussian, RowShape};
    /// let shape = RowShape { height: 1, width: 5, channels: 1 };
    /// let blurred = Gaussian::new(0.5)?.blur(&[0.0, 0.0, 1.0, 0.0, 0.0], shape);
    /// assert!(blurred[2] > 0.7 && (blurred.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    /// # Ok::<(), segcut_pixel::GaussianError>(())
    /// ```
    pub fn blur(&self, values: &[f32], shape: RowShape) -> Vec<f32> {
        let row = shape.row();
        assert_eq!(values.len(), shape.height * row, "values fill the shape");
        if self.radius() == 0 || values.is_empty() {
            return values.to_vec();
        }
        let mut out = vec![0.0; values.len()];
        out.par_chunks_mut(BAND * row).enumerate().for_each(|(band, out)| {
            let first = band * BAND;
            let source = |rows: Range<usize>, buffer: &mut [f32]| {
                buffer.copy_from_slice(&values[rows.start * row..rows.end * row]);
            };
            self.rows(shape, first..first + out.len() / row, source, out);
        });
        out
    }

    /// Rows of a source that makes rows on demand → those rows, blurred.
    ///
    /// The source is asked for the rows and the kernel's radius above and below, within the image.
    ///
    /// # Panics
    /// Where the rows leave the shape or `out` has another length.
    pub fn rows(
        &self,
        shape: RowShape,
        rows: Range<usize>,
        source: impl FnOnce(Range<usize>, &mut [f32]),
        out: &mut [f32],
    ) {
        let row = shape.row();
        assert!(rows.end <= shape.height && out.len() == rows.len() * row, "rows outside the shape");
        if rows.is_empty() || row == 0 {
            return;
        }
        let needed = self.needed(&rows, shape.height);
        let mut input = vec![0.0; needed.len() * row];
        source(needed.clone(), &mut input);
        let at = |y: usize| &input[(y - needed.start) * row..(y - needed.start + 1) * row];
        let mut padded = vec![0.0; row + 2 * self.radius() * shape.channels];
        for (y, out) in rows.zip(out.chunks_exact_mut(row)) {
            self.vertical(y, shape.height, at, out);
            self.horizontal(shape, out, &mut padded);
        }
    }

    /// The source rows that the blurred rows read.
    fn needed(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        let radius = self.radius();
        if radius >= height {
            return 0..height;
        }
        // Reflection at a frame stays within `radius` rows of that frame.
        let start = if rows.end + radius > height { rows.start.min(height - radius) } else { rows.start };
        let end = if rows.start < radius { rows.end.max(radius) } else { rows.end };
        start.saturating_sub(radius)..(end + radius).min(height)
    }

    fn vertical<'a>(&self, y: usize, height: usize, at: impl Fn(usize) -> &'a [f32], out: &mut [f32]) {
        let centre = self.weights[0];
        out.iter_mut().zip(at(y)).for_each(|(out, v)| *out = centre * v);
        for (x, &weight) in self.weights.iter().enumerate().skip(1) {
            let above = at(reflect(y as isize - x as isize, height));
            let below = at(reflect((y + x) as isize, height));
            out.iter_mut().zip(above.iter().zip(below)).for_each(|(out, (a, b))| *out += weight * (a + b));
        }
    }

    fn horizontal(&self, shape: RowShape, row: &mut [f32], padded: &mut [f32]) {
        let (c, radius) = (shape.channels, self.radius());
        for (x, pixel) in padded.chunks_exact_mut(c).enumerate() {
            let from = reflect(x as isize - radius as isize, shape.width) * c;
            pixel.copy_from_slice(&row[from..from + c]);
        }
        let len = row.len();
        let from = |shift: usize| &padded[shift * c..shift * c + len];
        row.iter_mut().zip(from(radius)).for_each(|(out, v)| *out = self.weights[0] * v);
        for (x, &weight) in self.weights.iter().enumerate().skip(1) {
            let sides = from(radius - x).iter().zip(from(radius + x));
            row.iter_mut().zip(sides).for_each(|(out, (a, b))| *out += weight * (a + b));
        }
    }
}

/// The index inside 0 … n−1 that an index beyond the frame mirrors, the frame's pixels counted twice.
pub fn reflect(index: isize, n: usize) -> usize {
    let n = n as isize;
    let i = index.rem_euclid(2 * n);
    (if i < n { i } else { 2 * n - 1 - i }) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scipy_agrees() {
        let fixture = include_str!("../../../tests/oracle/scipy/gaussian_filter.csv");
        let mut lines = fixture.lines().filter(|line| !line.starts_with('#'));
        let mut cases = 0;
        while let (Some(head), Some(input), Some(output)) = (lines.next(), lines.next(), lines.next()) {
            let numbers = |line: &str| line.split(',').map(|v| v.parse::<f64>().unwrap()).collect::<Vec<_>>();
            let head = numbers(head);
            let shape = RowShape { height: head[0] as usize, width: head[1] as usize, channels: 1 };
            let input: Vec<f32> = numbers(input).iter().map(|&v| v as f32).collect();
            let blurred = Gaussian::new(head[2]).unwrap().blur(&input, shape);
            for (a, b) in blurred.iter().zip(numbers(output)) {
                assert!((f64::from(*a) - b).abs() < 1e-5, "{shape:?}: {a} instead of {b}");
            }
            cases += 1;
        }
        assert_eq!(cases, 6);
    }

    #[test]
    fn bands_and_channels_do_not_change_values() {
        let shape = RowShape { height: 70, width: 9, channels: 2 };
        let values: Vec<f32> = (0..70 * 18).map(|i| ((i * i) % 101) as f32).collect();
        let gaussian = Gaussian::new(2.0).unwrap();
        let whole = gaussian.blur(&values, shape);
        for rows in [0..1, 0..70, 3..5, 30..66, 69..70] {
            let mut band = vec![0.0; rows.len() * 18];
            let source = |r: Range<usize>, b: &mut [f32]| b.copy_from_slice(&values[r.start * 18..r.end * 18]);
            gaussian.rows(shape, rows.clone(), source, &mut band);
            assert_eq!(band, whole[rows.start * 18..rows.end * 18]);
        }
        let one: Vec<f32> = values.iter().step_by(2).copied().collect();
        let alone = gaussian.blur(&one, RowShape { channels: 1, ..shape });
        assert!(alone.iter().zip(whole.iter().step_by(2)).all(|(a, b)| a == b));
    }

    #[test]
    fn bad_sigmas_are_refused_and_zero_keeps_the_image() {
        for sigma in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Gaussian::new(sigma).is_err());
        }
        let shape = RowShape { height: 1, width: 3, channels: 1 };
        assert_eq!(Gaussian::new(0.0).unwrap().blur(&[1.0, 2.0, 4.0], shape), [1.0, 2.0, 4.0]);
    }
}
