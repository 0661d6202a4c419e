//! Map of palette colors → the pointwise mutual information of any two of them.

use ndarray::Array2;
use segcut_core::{FeatureMap, StageError};
use serde::{Deserialize, Serialize};

/// Displacements (rows down, columns) at which cells count as side by side.
const SIDE_BY_SIDE: [(usize, isize); 10] =
    [(0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0), (2, 2), (2, -2), (2, -1), (1, -2)];

/// How co-occurrences become mutual information.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PmiTable {
    /// Standard deviation of the kernel over colors, in units of the codebook.
    pub bandwidth: f64,
    /// Exponent of the joint density; 1 is plain mutual information, above it frequent pairs gain.
    pub rho: f64,
    /// Added to both densities, so that rare colors decide nothing.
    pub regularization: f64,
}

impl Default for PmiTable {
    fn default() -> Self {
        Self { bandwidth: 0.03, rho: 1.25, regularization: 100.0 }
    }
}

impl PmiTable {
    /// Checks the values.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn check(&self) -> Result<(), StageError> {
        let all = [
            ("table.bandwidth", self.bandwidth),
            ("table.rho", self.rho),
            ("table.regularization", self.regularization),
        ];
        for (name, value) in all {
            if !(value.is_finite() && value > 0.0) {
                return Err(StageError::parameter(name, value, "finite and above 0"));
            }
        }
        Ok(())
    }
}

/// Map of palette colors → PMI of colors k and l,
///
/// ln((r + P_kl / 2)^ρ / (r + p_k·p_l)).
///
/// J counts how often colors lie 2 to 3 cells apart, both ways, and sums to 1. P = N·J·Nᵀ and p = N·J·1
/// are its densities under a Gaussian kernel N over the codebook (of three dimensions, whatever it has,
/// so that r keeps its meaning). Isola et al. 2014, eq. 2, with ρ there and the kernel density of the
/// pairs taken at the palette's colors alone.
///
/// # Shapes
/// K×K, symmetric; 0×0 for a map that is no palette.
///
/// # Cost
/// O(cells + K³).
///
/// # Examples
/// ```
/// use segcut_core::{Codes, FeatureMap, Grid};
/// use segcut_graph::{PmiTable, pmi_table};
/// let stripes: Vec<f32> = (0..144).map(|i| if i % 12 < 6 { 0.0 } else { 1.0 }).collect();
/// let book = ndarray::arr2(&[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]);
/// let map = FeatureMap::held("palette", Grid::pixels(12, 12), 1, stripes)?.with_codes(Codes::palette(book).unwrap());
/// let table = pmi_table(&map, &PmiTable::default());
/// assert!(table[[0, 0]] > table[[0, 1]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pmi_table(map: &FeatureMap<'_>, params: &PmiTable) -> Array2<f64> {
    let Some(book) = map.codes().and_then(|codes| codes.codebook()) else {
        return Array2::zeros((0, 0));
    };
    let joint = co_occurrence(map, book.nrows());
    let kernel = kernel(book, params.bandwidth);
    let density = kernel.dot(&joint).dot(&kernel.t());
    let alone = kernel.dot(&joint.sum_axis(ndarray::Axis(1)));
    let r = params.regularization;
    Array2::from_shape_fn(density.dim(), |(k, l)| {
        params.rho * (r + density[[k, l]] / 2.0).ln() - (r + alone[k] * alone[l]).ln()
    })
}

/// The code of every cell, at most the last of the colors.
pub(super) fn codes_of(map: &FeatureMap<'_>, colors: usize) -> Vec<usize> {
    let (rows, cols) = (map.grid().rows, map.grid().cols);
    let mut values = vec![0.0; rows * cols];
    map.read_rows(0..rows, &mut values);
    values.iter().map(|&code| (code as usize).min(colors - 1)).collect()
}

/// How often colors lie side by side, both ways; sums to 1 (0 where the map is too small).
fn co_occurrence(map: &FeatureMap<'_>, colors: usize) -> Array2<f64> {
    let (rows, cols) = (map.grid().rows, map.grid().cols);
    let mut counts = vec![0u32; colors * colors];
    let codes = codes_of(map, colors);
    for (down, right) in SIDE_BY_SIDE {
        let shift = right.unsigned_abs();
        if down >= rows || shift >= cols {
            continue;
        }
        let (skip_a, skip_b) = if right < 0 { (shift, 0) } else { (0, shift) };
        for row in 0..rows - down {
            let a = &codes[row * cols + skip_a..][..cols - shift];
            let b = &codes[(row + down) * cols + skip_b..][..cols - shift];
            for (&a, &b) in a.iter().zip(b) {
                counts[a * colors + b] += 1;
            }
        }
    }
    let total = counts.iter().map(|&count| f64::from(count)).sum::<f64>().max(1.0);
    let at = |k: usize, l: usize| f64::from(counts[k * colors + l]);
    Array2::from_shape_fn((colors, colors), |(k, l)| (at(k, l) + at(l, k)) / (2.0 * total))
}

fn kernel(book: &Array2<f32>, bandwidth: f64) -> Array2<f64> {
    let peak = ((2.0 * std::f64::consts::PI).sqrt() * bandwidth).powi(-3);
    Array2::from_shape_fn((book.nrows(), book.nrows()), |(k, l)| {
        let pairs = book.row(k).into_iter().zip(book.row(l));
        let squared: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        peak * (-squared / (2.0 * bandwidth * bandwidth)).exp()
    })
}
