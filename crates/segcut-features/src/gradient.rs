//! Rows of values → their Gaussian gradients.

use segcut_pixel::{Gaussian, GaussianError, RowShape};
use std::ops::Range;

/// Central differences of Gaussian-blurred rows, scaled so that a step of height h between two flat
/// sides has a gradient of at most h (the peak of its response).
#[derive(Debug, Clone)]
pub(crate) struct GaussianGradient {
    gaussian: Gaussian,
    gain: f32,
}

impl GaussianGradient {
    pub(crate) fn new(sigma: f64) -> Result<Self, GaussianError> {
        let gaussian = Gaussian::new(sigma)?;
        let half = gaussian.radius() + 2;
        let step: Vec<f32> = (0..2 * half).map(|i| f32::from(u8::from(i >= half))).collect();
        let shape = RowShape { height: 1, width: step.len(), channels: 1 };
        let response = gaussian.blur(&step, shape);
        let peak = response.windows(3).map(|w| w[2] - w[0]).fold(0.0, f32::max);
        Ok(Self { gaussian, gain: peak.recip() })
    }

    /// Rows around `rows` that the source may be asked for, within `height`.
    pub(crate) fn halo(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        let reach = 2 * self.gaussian.radius() + 1;
        rows.start.saturating_sub(reach)..(rows.end + reach).min(height)
    }

    /// Calls `visit(i, gx, gy)` for each of `rows`: i counts from 0, gx and gy lie like the row's values.
    ///
    /// Beyond the frame, a difference is taken to the frame's own pixel.
    pub(crate) fn rows(
        &self,
        shape: RowShape,
        rows: Range<usize>,
        source: impl FnOnce(Range<usize>, &mut [f32]),
        mut visit: impl FnMut(usize, &[f32], &[f32]),
    ) {
        let (row, channels) = (shape.width * shape.channels, shape.channels);
        let tall = rows.start.saturating_sub(1)..(rows.end + 1).min(shape.height);
        let mut blurred = vec![0.0; tall.len() * row];
        self.gaussian.rows(shape, tall.clone(), source, &mut blurred);
        let line = |y: usize| &blurred[(y - tall.start) * row..(y - tall.start + 1) * row];
        let (mut gx, mut gy) = (vec![0.0; row], vec![0.0; row]);
        for (i, y) in rows.enumerate() {
            let (above, here, below) = (line(y.max(1) - 1), line(y), line((y + 1).min(shape.height - 1)));
            for (g, (a, b)) in gy.iter_mut().zip(above.iter().zip(below)) {
                *g = (b - a) * self.gain;
            }
            self.horizontal(here, channels, &mut gx);
            visit(i, &gx, &gy);
        }
    }

    fn horizontal(&self, line: &[f32], channels: usize, gx: &mut [f32]) {
        let last = line.len() - channels;
        for c in 0..channels {
            gx[c] = (line[channels.min(last) + c] - line[c]) * self.gain;
            gx[last + c] = (line[last + c] - line[last.saturating_sub(channels) + c]) * self.gain;
        }
        if line.len() <= 2 * channels {
            return;
        }
        let ends = line.iter().zip(&line[2 * channels..]);
        for (g, (a, b)) in gx[channels..last].iter_mut().zip(ends) {
            *g = (b - a) * self.gain;
        }
    }
}
