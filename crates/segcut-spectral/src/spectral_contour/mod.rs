//! Image → contour strength by the eigenvectors of an affinity that is learned from the image itself.

mod evidence;
mod filter_energy;
mod grid_level;
mod multilevel;
mod oriented_gradient;
mod principal_axes;
mod subspace_iteration;
mod working_image;

use evidence::{PaletteSize, palettes};
use multilevel::{Embedding, smallest_of_grid};
use oriented_gradient::{OrientedGradient, WeightedPanel};
use rayon::prelude::*;
use segcut_core::{BandSource, Context, FeatureExtractor, FeatureMap, Features, Grid, Image, StageError};
use segcut_graph::{PmiTable, pmi_grid};
use segcut_pixel::{Bilinear, GuidedFilter, LANES, Lanes, RowShape};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use thiserror::Error;
use working_image::{WorkingImage, reduced};

/// Pixels of the working image to a cell of the eigenvectors' grid, at most.
const STEP: usize = 4;

/// Cells to each side of the guided filter's window.
const GUIDE_RADIUS: usize = 3;

/// Least eigenvalue: f32 weights tell no smaller ones apart.
const LEAST_VALUE: f64 = 1e-6;

/// Mean of Σ|derivative|/√λ per vector, over the oriented strengths of BSDS500's training images.
const MEAN: f64 = 0.672;

/// Parameters of [`SpectralContour`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpectralContourParams {
    /// Longer side of the grid whose eigenvectors are found, in cells. The image is reduced to four times this.
    pub side: usize,
    /// Cells within this distance are joined.
    pub radius: f64,
    /// Eigenvectors.
    pub vectors: usize,
    /// Colors of each palette.
    pub colors: usize,
    /// Whether energies of oriented filters are a third feature beside colors and their variances.
    pub energies: bool,
    /// How co-occurrences become mutual information.
    pub table: PmiTable,
    /// What is added to the variances in the guided filter: smaller keeps weaker edges, with L, a, b over 100.
    pub epsilon: f32,
    /// Standard deviation of the derivative, in cells of the finer grid.
    pub sigma: f64,
    /// Directions in which strength is measured, evenly spread over half a turn.
    pub orientations: usize,
    /// Whether the map has one value per orientation, or the largest of them.
    pub oriented: bool,
}

impl Default for SpectralContourParams {
    fn default() -> Self {
        Self {
            side: 121,
            radius: 4.0,
            vectors: 26,
            colors: 64,
            energies: false,
            table: PmiTable::default(),
            epsilon: 3e-4,
            sigma: 0.7,
            orientations: 8,
            oriented: true,
        }
    }
}

/// A strength that is not finite: samples far beyond their range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the spectral contour is not finite: f32 samples must lie between 0 and 1")]
struct NotFinite;

/// Image → map `spectral_contour`: how strongly the smallest N-cut eigenvectors of a learned affinity change.
///
/// The affinity is pointwise mutual information (Isola et al., Crisp boundary detection using pointwise mutual
/// information, ECCV 2014) of color and color variance (and of filter energies, where `energies` is on), [`pmi_grid`] on
/// the cells of a coarse grid: two colors that
/// lie side by side all over the image attract each other though they differ, so texture makes no contour. Its
/// eigenvectors v_k are brought back along the edges of the image (guided filter, He et al. 2013) to half the cells'
/// size, scaled to unit variance, and
///
/// strength(θ) = Σ_k |∂v_k/∂θ⊥| / √λ_k
///
/// (Arbeláez et al. 2011, eq. 11) is enlarged to the image. Orientation o of m has the tangent angle o·π/m, from
/// the direction of the columns towards that of the rows.
///
/// # Shapes
/// One value per pixel and orientation, or one per pixel where `oriented` is off. Rows are computed as they are read.
///
/// # Units
/// The mean over orientations and pixels is about 1 on photographs (BSDS500), whatever the number of vectors; strong
/// boundaries reach 5 to 20, and texture and plain areas have 0.5 to 1, because every vector changes somewhere. The scale
/// is the same for all images: do not stretch it per image. Beside local strength that is brought to mean 1
/// too, weight 1 each is best within 0.5 to 2. An image without any evidence (constant within half a step of L)
/// has strength 0.
///
/// # Determinism
/// The context's seed draws the palettes' samples and the first vectors.
///
/// # Cost
/// O(H·W) to reduce the image; all else depends on `side` alone.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
/// use segcut_spectral::{SpectralContour, SpectralContourParams};
/// let halves: Vec<u8> = (0..64 * 64).map(|i| if i % 64 < 32 { 50 } else { 200 }).collect();
/// let image = Image::new(64, 64, ColorSpace::Gray, Samples::U8(halves))?;
/// let contour = SpectralContour::new(SpectralContourParams { oriented: false, ..Default::default() })?;
/// let features = contour.extract(std::slice::from_ref(&image), &Context::default())?;
/// let mut row = [0.0; 64];
/// features[0].maps[0].read_rows(30..31, &mut row);
/// assert!(row[31] > 5.0 * row[16] && row[32] > 5.0 * row[48]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SpectralContour {
    params: SpectralContourParams,
}

impl SpectralContour {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: SpectralContourParams) -> Result<Self, StageError> {
        let checks = [
            ("spectral_contour.side", params.side as f64, 8.0..=1024.0, "from 8 to 1024 cells"),
            ("spectral_contour.radius", params.radius, 1.0..=10.0, "from 1 to 10 cells"),
            ("spectral_contour.vectors", params.vectors as f64, 1.0..=128.0, "from 1 to 128"),
            ("spectral_contour.colors", params.colors as f64, 2.0..=1024.0, "from 2 to 1024"),
            ("spectral_contour.epsilon", f64::from(params.epsilon), 1e-6..=1.0, "from 0.000001 to 1"),
            ("spectral_contour.sigma", params.sigma, 0.3..=5.0, "from 0.3 to 5 cells"),
            ("spectral_contour.orientations", params.orientations as f64, 2.0..=64.0, "from 2 to 64"),
        ];
        if let Some((name, value, _, must)) = checks.into_iter().find(|(_, value, range, _)| !range.contains(value)) {
            return Err(StageError::parameter(name, value, must));
        }
        params.table.check()?;
        Ok(Self { params })
    }

    fn map(&self, image: &Image, context: &Context) -> Result<FeatureMap<'static>, StageError> {
        let size = [image.height(), image.width()];
        let dims = if self.params.oriented { self.params.orientations } else { 1 };
        let (strength, cells) = self.strength(image, context)?;
        if strength.iter().any(|value| !value.is_finite()) {
            return Err(StageError::data(NotFinite));
        }
        let rows = ContourRows(Bilinear::new(strength, [cells[0], cells[1], dims], size));
        Ok(FeatureMap::banded("spectral_contour", Grid::pixels(size[0], size[1]), dims, Box::new(rows)))
    }

    /// The strengths on the finer grid, and its rows and columns.
    fn strength(&self, image: &Image, context: &Context) -> Result<(Vec<f32>, [usize; 2]), StageError> {
        let params = &self.params;
        let image = WorkingImage::new(image, STEP * params.side)?;
        let size = [image.shape.height, image.shape.width];
        let cells = reduced(size, params.side);
        let fine = reduced(size, (2 * cells[0].max(cells[1])).min(size[0].max(size[1])));
        let dims = if params.oriented { params.orientations } else { 1 };
        let none = || (vec![0.0; fine[0] * fine[1] * dims], fine);
        let size = PaletteSize { cells, colors: params.colors, seed: context.seed, energies: params.energies };
        let palettes = palettes(&image, size)?;
        if palettes.is_empty() {
            return Ok(none());
        }
        let affinity = pmi_grid(&palettes, &params.table, params.radius).map_err(StageError::data)?;
        let embedding = smallest_of_grid(affinity, params.vectors, context)?;
        if embedding.values.is_empty() {
            return Ok(none());
        }
        let guide = image.area_means(&image.values, fine);
        let shape = RowShape { height: fine[0], width: fine[1], channels: image.shape.channels };
        let guide = GuidedFilter::new(&guide, shape, GUIDE_RADIUS, params.epsilon);
        // A cell of the coarse grid is this many of the finer one: derivatives are those per cell of the coarse grid.
        let ratio = fine[0].max(fine[1]) as f64 / cells[0].max(cells[1]) as f64;
        let unit = ratio * params.radius / (4.0 * MEAN * embedding.values.len() as f64);
        let panels = enlarged(embedding, cells, fine, &guide, unit);
        let strength = OrientedGradient::new(params.sigma, params.orientations).strength(&panels, fine);
        Ok((if params.oriented { strength } else { largest(&strength, params.orientations) }, fine))
    }
}

/// Eigenvectors brought to the finer grid along the edges of the guide, with their weights.
fn enlarged(
    embedding: Embedding,
    cells: [usize; 2],
    fine: [usize; 2],
    guide: &GuidedFilter,
    unit: f64,
) -> Vec<WeightedPanel> {
    let Embedding { values, panels } = embedding;
    let enlarge = |(p, panel): (usize, Vec<Lanes>)| {
        let coarse = Bilinear::new(panel.into_flattened(), [cells[0], cells[1], LANES], fine);
        let mut vectors: Vec<Lanes> = vec![[0.0; LANES]; fine[0] * fine[1]];
        coarse.rows(0..fine[0], vectors.as_flattened_mut());
        let deviations = deviations(&vectors);
        vectors.iter_mut().for_each(|lanes| lanes.iter_mut().zip(&deviations).for_each(|(v, d)| *v *= inverse(*d)));
        let vectors = guide.filter(&vectors);
        let weight = |(lane, deviation): (usize, f32)| match values.get(p * LANES + lane) {
            Some(value) => unit as f32 * inverse(deviation) / value.max(LEAST_VALUE).sqrt() as f32,
            None => 0.0,
        };
        let after = self::deviations(&vectors);
        let weights = std::array::from_fn(|lane| weight((lane, after[lane])));
        WeightedPanel { vectors, weights }
    };
    panels.into_par_iter().enumerate().map(enlarge).collect()
}

/// 1/x, and 0 for 0.
fn inverse(x: f32) -> f32 {
    if x > 0.0 { 1.0 / x } else { 0.0 }
}

/// The standard deviation of every lane.
fn deviations(vectors: &[Lanes]) -> Lanes {
    let count = vectors.len().max(1) as f64;
    let mut sums = [[0.0f64; LANES]; 2];
    for lanes in vectors {
        for (lane, &value) in lanes.iter().enumerate() {
            let value = f64::from(value);
            sums[0][lane] += value;
            sums[1][lane] += value * value;
        }
    }
    std::array::from_fn(|lane| {
        let mean = sums[0][lane] / count;
        (sums[1][lane] / count - mean * mean).max(0.0).sqrt() as f32
    })
}

fn largest(strength: &[f32], orientations: usize) -> Vec<f32> {
    strength.chunks_exact(orientations).map(|all| all.iter().copied().fold(0.0, f32::max)).collect()
}

impl FeatureExtractor for SpectralContour {
    /// # Errors
    /// Samples that are not between 0 and 1 by far ([`StageError::Data`]), a failed decomposition, or a stop.
    fn extract<'a>(&self, images: &'a [Image], context: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| Ok(Features { maps: vec![self.map(image, context)?], attention: None });
        images.iter().map(one).collect()
    }
}

/// Strengths, enlarged to the image as they are read.
struct ContourRows(Bilinear);

impl BandSource for ContourRows {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        self.0.rows(rows, out);
    }
}

#[cfg(test)]
mod tests;
