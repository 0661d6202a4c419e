//! Rows computed on demand → a feature map that is held where it is small.

use rayon::prelude::*;
use segcut_core::{BandSource, FeatureMap, Grid, Image, StageError};

/// Values up to which a map is computed at once and held (16 MiB): its readers then share the work.
const HELD: usize = 1 << 22;

/// Rows per task of a held map; fixed, so that the work is cut alike for any number of threads.
const BAND: usize = 512;

/// A map with one cell per pixel of the image.
///
/// # Errors
/// A held value that is not finite, inside a [`StageError`].
pub(crate) fn row_map<'a>(
    name: &str,
    image: &Image,
    dims: usize,
    source: impl BandSource + 'a,
) -> Result<FeatureMap<'a>, StageError> {
    let grid = Grid::pixels(image.height(), image.width());
    let row = image.width() * dims;
    if image.height() * row > HELD {
        return Ok(FeatureMap::banded(name, grid, dims, Box::new(source)));
    }
    let mut values = vec![0.0; image.height() * row];
    values.par_chunks_mut(BAND * row).enumerate().for_each(|(band, out)| {
        let first = band * BAND;
        source.fill(first..first + out.len() / row, out);
    });
    FeatureMap::held(name, grid, dims, values).map_err(StageError::data)
}
