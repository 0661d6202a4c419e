//! Image → the grid of its cells of several pixels.

use segcut_core::{Grid, Image};

/// Cells of step×step pixels, the first one in the corner; the last ones may reach beyond the image.
pub(crate) fn coarse_grid(image: &Image, step: usize) -> Grid {
    Grid {
        rows: image.height().div_ceil(step),
        cols: image.width().div_ceil(step),
        step: [step as f64; 2],
        origin: [(step as f64 - 1.0) / 2.0; 2],
    }
}
