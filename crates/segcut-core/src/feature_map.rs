//! Feature vectors on a regular grid over an image.

use std::ops::Range;
use thiserror::Error;

/// Where the cells of a feature map lie in the image.
///
/// The cell at (row, column) is centred at pixel coordinates
/// `origin + (row, column) * step`, where pixel centres are at whole numbers: a map of single pixels
/// has origin 0 and step 1, ViT patches of 16 have origin 7.5 and step 16. This is the one place that
/// states the mapping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Rows of cells.
    pub rows: usize,
    /// Columns of cells.
    pub cols: usize,
    /// Pixels from one cell's centre to the next: (vertical, horizontal).
    pub step: [f64; 2],
    /// Pixel coordinates of the first cell's centre: (row, column).
    pub origin: [f64; 2],
}

impl Grid {
    /// One cell per pixel.
    pub fn pixels(height: usize, width: usize) -> Self {
        Self { rows: height, cols: width, step: [1.0; 2], origin: [0.0; 2] }
    }

    /// Whether cells are pixels.
    pub fn is_pixels(&self) -> bool {
        self.step == [1.0; 2] && self.origin == [0.0; 2]
    }
}

/// Computes rows of a feature map on demand, so that a map of a large image is never held whole.
pub trait BandSource: Send + Sync {
    /// Writes the rows `rows` into `out` (rows.len()·cols·dims values, row-major, channels interleaved).
    ///
    /// The values of a row do not depend on how the rows are cut into bands.
    fn fill(&self, rows: Range<usize>, out: &mut [f32]);
}

/// Why values make no feature map.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeatureMapError {
    /// The number of values is not rows·cols·dims.
    #[error("{found} values do not fill {rows}x{cols}x{dims} (rows x columns x dimensions)")]
    Length {
        /// Rows of cells.
        rows: usize,
        /// Columns of cells.
        cols: usize,
        /// Values per cell.
        dims: usize,
        /// How many values were given.
        found: usize,
    },
    /// A value is NaN or infinite.
    #[error("feature map {name}: the value at row {row}, column {col}, dimension {dim} is not finite")]
    NotFinite {
        /// The map.
        name: String,
        /// Row of the cell.
        row: usize,
        /// Column of the cell.
        col: usize,
        /// Dimension.
        dim: usize,
    },
}

/// Says that a map's values are numbers of bins, to be counted per region instead of averaged.
///
/// *Guarantees*: at least one bin per dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Codes {
    bins: Vec<usize>,
    smoothing: Vec<f64>,
    codebook: Option<ndarray::Array2<f32>>,
}

impl Codes {
    /// Bins of each dimension; none where a dimension has no bin.
    pub fn new(bins: Vec<usize>) -> Option<Self> {
        let smoothing = vec![0.0; bins.len()];
        (!bins.is_empty() && bins.iter().all(|&b| b > 0)).then_some(Self { bins, smoothing, codebook: None })
    }

    /// One dimension whose code i stands for row i of a codebook, for example a palette of colors.
    pub fn palette(codebook: ndarray::Array2<f32>) -> Option<Self> {
        let codes = Self::new(vec![codebook.nrows()])?;
        Some(Self { codebook: Some(codebook), ..codes })
    }

    /// The same codes whose histograms are blurred along the bins once they are counted: standard
    /// deviations in bins, one per dimension, 0 for none.
    ///
    /// None where there is another number of them than dimensions, or one is negative or not finite.
    pub fn with_smoothing(self, smoothing: Vec<f64>) -> Option<Self> {
        let fits = smoothing.len() == self.bins.len() && smoothing.iter().all(|s| s.is_finite() && *s >= 0.0);
        fits.then_some(Self { smoothing, ..self })
    }

    /// Standard deviation of the blur of each dimension's histogram, in bins.
    pub fn smoothing(&self) -> &[f64] {
        &self.smoothing
    }

    /// Bins of each dimension.
    pub fn bins(&self) -> &[usize] {
        &self.bins
    }

    /// What the codes of a palette stand for.
    pub fn codebook(&self) -> Option<&ndarray::Array2<f32>> {
        self.codebook.as_ref()
    }
}

enum Values<'a> {
    Held(Vec<f32>),
    Bands(Box<dyn BandSource + 'a>),
}

/// rows×cols×d f32 values over an image, held or computed in row bands.
///
/// *Guarantees*: held values fill the grid and are finite.
///
/// *Not enforced*: that a [`BandSource`] writes finite values (its author's duty).
pub struct FeatureMap<'a> {
    name: String,
    dims: usize,
    grid: Grid,
    values: Values<'a>,
    codes: Option<Codes>,
}

impl std::fmt::Debug for FeatureMap<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeatureMap")
            .field("name", &self.name)
            .field("dims", &self.dims)
            .field("grid", &self.grid)
            .finish_non_exhaustive()
    }
}

impl<'a> FeatureMap<'a> {
    /// A map held in memory (row-major, channels interleaved).
    ///
    /// # Errors
    /// [`FeatureMapError`] on a wrong length or a value that is not finite.
    pub fn held(name: impl Into<String>, grid: Grid, dims: usize, values: Vec<f32>) -> Result<Self, FeatureMapError> {
        let name = name.into();
        let Grid { rows, cols, .. } = grid;
        if values.len() != rows * cols * dims {
            return Err(FeatureMapError::Length { rows, cols, dims, found: values.len() });
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let cell = at / dims;
            return Err(FeatureMapError::NotFinite { name, row: cell / cols, col: cell % cols, dim: at % dims });
        }
        Ok(Self { name, dims, grid, values: Values::Held(values), codes: None })
    }

    /// A map that is computed band by band.
    pub fn banded(name: impl Into<String>, grid: Grid, dims: usize, source: Box<dyn BandSource + 'a>) -> Self {
        Self { name: name.into(), dims, grid, values: Values::Bands(source), codes: None }
    }

    /// The same map with its values declared to be codes: whole numbers below the bins of their dimension.
    ///
    /// # Panics
    /// Where the codes have another number of dimensions than the map.
    #[must_use]
    pub fn with_codes(mut self, codes: Codes) -> Self {
        assert_eq!(codes.bins.len(), self.dims, "bins for every dimension");
        self.codes = Some(codes);
        self
    }

    /// What the values count, where they are codes.
    pub fn codes(&self) -> Option<&Codes> {
        self.codes.as_ref()
    }

    /// The name under which it is pooled, for example `lab` or `contour`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Values per cell.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Where the cells lie.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The values where they are held.
    pub fn held_values(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Held(values) => Some(values),
            Values::Bands(_) => None,
        }
    }

    /// Copies or computes rows into `out` (rows.len()·cols·dims values).
    ///
    /// # Panics
    /// Where the range leaves the grid or `out` has another length.
    pub fn read_rows(&self, rows: Range<usize>, out: &mut [f32]) {
        let row = self.grid.cols * self.dims;
        assert!(rows.end <= self.grid.rows && out.len() == rows.len() * row, "band outside the map");
        match &self.values {
            Values::Held(values) => out.copy_from_slice(&values[rows.start * row..rows.end * row]),
            Values::Bands(source) => source.fill(rows, out),
        }
    }
}

/// The feature maps of one image, in the order of the recipe.
pub type FeatureMaps<'a> = [FeatureMap<'a>];

#[cfg(test)]
mod tests {
    use super::*;

    struct Rows;
    impl BandSource for Rows {
        fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
            for (row, out) in rows.zip(out.chunks_exact_mut(2)) {
                out.fill(row as f32);
            }
        }
    }

    #[test]
    fn held_and_banded_maps_read_alike() {
        let grid = Grid::pixels(3, 2);
        let held = FeatureMap::held("row", grid, 1, vec![0.0, 0.0, 1.0, 1.0, 2.0, 2.0]).unwrap();
        let banded = FeatureMap::banded("row", grid, 1, Box::new(Rows));
        for rows in [0..3, 1..2, 2..3] {
            let (mut a, mut b) = (vec![9.0; rows.len() * 2], vec![9.0; rows.len() * 2]);
            held.read_rows(rows.clone(), &mut a);
            banded.read_rows(rows, &mut b);
            assert_eq!(a, b);
        }
    }

    #[test]
    fn nan_is_named() {
        let error = FeatureMap::held("x", Grid::pixels(1, 2), 2, vec![0.0, 0.0, 0.0, f32::NAN]).unwrap_err();
        assert_eq!(error, FeatureMapError::NotFinite { name: "x".into(), row: 0, col: 1, dim: 1 });
    }
}
