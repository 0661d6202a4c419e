//! Palettes → affinity of the cells of their grid by pointwise mutual information.

use super::table::{PmiTable, codes_of, pmi_table};
use crate::{GridAffinity, RagError};
use segcut_core::FeatureMap;

/// Least logarithm of a weight; f32 resolves it.
const LEAST: f32 = -80.0;

/// Palettes on one grid → the affinity of its cells within `radius`: the exponential of the sum over the palettes of the
/// mutual information of two cells' codes ([`pmi_table`]), scaled so that none is above 1.
///
/// Isola et al., Crisp boundary detection using pointwise mutual information, ECCV 2014, eq. 5, with a table of
/// palette colors per feature in place of a density estimate, and all pairs within the radius in place of a sample.
///
/// # Errors
/// [`RagError::NoPalette`] where there is none, or their grids differ.
///
/// # Cost
/// O(cells·radius²) look-ups per palette, beside its table.
///
/// # Examples
/// ```
/// use segcut_core::{Codes, FeatureMap, Grid};
/// use segcut_graph::{PmiTable, pmi_grid};
/// let halves: Vec<f32> = (0..144).map(|i| if i % 12 < 6 { 0.0 } else { 1.0 }).collect();
/// let book = ndarray::arr2(&[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]);
/// let map = FeatureMap::held("palette", Grid::pixels(12, 12), 1, halves)?.with_codes(Codes::palette(book).unwrap());
/// let grid = pmi_grid(&[map], &PmiTable::default(), 1.0)?;
/// // Cell 4 and the one to its right lie within a half, cell 5 and the one to its right do not.
/// assert!(grid.weights_of(5)[0] < 0.5 * grid.weights_of(4)[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pmi_grid(palettes: &[FeatureMap<'_>], table: &PmiTable, radius: f64) -> Result<GridAffinity, RagError> {
    let refused = || RagError::NoPalette { maps: palettes.iter().map(|map| map.name().to_owned()).collect() };
    let grid = palettes.first().map(FeatureMap::grid).ok_or_else(refused)?;
    let mut parts = Vec::with_capacity(palettes.len());
    for map in palettes {
        let book = map.codes().and_then(|codes| codes.codebook()).filter(|_| map.grid() == grid).ok_or_else(refused)?;
        let information: Vec<f32> = pmi_table(map, table).iter().map(|&value| value as f32).collect();
        parts.push((codes_of(map, book.nrows()), information, book.nrows()));
    }
    let most: f32 = parts.iter().map(|(_, table, _)| table.iter().copied().fold(f32::NEG_INFINITY, f32::max)).sum();
    let weight = |a: usize, b: usize| {
        let information: f32 = parts.iter().map(|(codes, table, k)| table[codes[a] * k + codes[b]]).sum();
        (information - most).max(LEAST).exp()
    };
    Ok(GridAffinity::within(radius, [grid.rows, grid.cols], weight))
}
