//! Labels → labels smoothed in place and color, by a linear system on a bilateral grid.

use super::bilateral_grid::BilateralGrid;
use super::{Classes, share, weight, width};
use crate::colors::colors;
use segcut_core::{Context, Evidence, Image, LabelMap, Refiner, StageError, Stop, VOID};
use serde::{Deserialize, Serialize};

/// Rounds of making the blur bistochastic.
const ROUNDS: usize = 10;

/// Parameters of [`BilateralSolver`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BilateralSolverParams {
    /// Side of a cell, in pixels.
    pub sigma_space: f64,
    /// Side of a cell in lightness, in Lab units.
    pub sigma_luma: f64,
    /// Side of a cell in a and b, in Lab units.
    pub sigma_chroma: f64,
    /// λ: what smoothness counts beside the given labels.
    pub smoothness: f64,
    /// Confidence in the given labels.
    pub confidence: f64,
    /// The most steps of conjugate gradients.
    pub iterations: usize,
    /// The steps end where the residual has fallen to this share of the right side.
    pub tolerance: f64,
    /// Every label must keep this overlap (intersection over union) with what it was, or all stay as they were.
    pub overlap: f64,
}

impl Default for BilateralSolverParams {
    fn default() -> Self {
        Self {
            sigma_space: 24.0,
            sigma_luma: 4.0,
            sigma_chroma: 4.0,
            smoothness: 256.0,
            confidence: 0.999,
            iterations: 25,
            tolerance: 1e-5,
            overlap: 0.5,
        }
    }
}

/// Labels → labels that are even where place and color are.
///
/// J. T. Barron, B. Poole, "The fast bilateral solver", ECCV 2016: of all maps that are constant on the cells of a
/// grid in place and color, the one that is near the given label and smooth in the blur of that grid (eq. 3 to 8);
/// a pixel takes the label whose map is highest there. It differs in Lab for the paper's YUV.
///
/// Labels stay as they were where any of them would lose too much of itself (`overlap`). VOID stays VOID, and has no part.
///
/// # Errors
/// [`EdgeAwareError`](crate::EdgeAwareError) inside a [`StageError::Data`].
///
/// # Determinism
/// No randomness; one thread.
///
/// # Cost
/// O(pixels + cells · iterations) per label.
///
/// # Examples
/// ```
/// # use segcut_core::{Affinity, Clustering, ColorSpace, Image, Partition, RegionGraph, Samples, SparseAffinity};
/// use segcut_core::{Context, Evidence, LabelMap, Refiner};
/// use segcut_refine::{BilateralSolver, BilateralSolverParams};
/// // The image's edge is between the columns 7 and 8, the mask's a column later.
/// let image = Image::new(16, 16, ColorSpace::Gray, Samples::U8((0..256).map(|i| if i % 16 < 8 { 30 } else { 200 }).collect()))?;
/// let labels = LabelMap::new(16, 16, (0..256).map(|i| u32::from(i % 16 > 8)).collect())?;
/// # let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(2, vec![], vec![])?));
/// # let clustering = Clustering::converged(Partition::singletons(2));
/// # let evidence =
/// #     Evidence { image: &image, superpixels: &labels, graph: &graph, clustering: &clustering, attention: None };
/// let found = BilateralSolver::new(BilateralSolverParams::default())?.refine(&evidence, labels.clone(), &Context::default())?;
/// assert_eq!(found.labels()[..16], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct BilateralSolver {
    params: BilateralSolverParams,
}

impl BilateralSolver {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: BilateralSolverParams) -> Result<Self, StageError> {
        width("refine.sigma_space", params.sigma_space)?;
        width("refine.sigma_luma", params.sigma_luma)?;
        width("refine.sigma_chroma", params.sigma_chroma)?;
        weight("refine.smoothness", params.smoothness)?;
        share("refine.tolerance", params.tolerance)?;
        share("refine.overlap", params.overlap)?;
        if !(params.confidence > 0.0 && params.confidence <= 1.0) {
            return Err(StageError::parameter("refine.confidence", params.confidence, "above 0, at most 1"));
        }
        match params.iterations {
            0 | 10_001.. => Err(StageError::parameter("refine.iterations", params.iterations, "from 1 to 10000")),
            _ => Ok(Self { params }),
        }
    }

    fn grid(&self, image: &Image, classes: &Classes) -> BilateralGrid {
        let space = 1.0 / self.params.sigma_space as f32;
        let [luma, chroma] = [self.params.sigma_luma, self.params.sigma_chroma].map(|sigma| 1.0 / sigma as f32);
        let colors = colors(image);
        let pixels = classes.of_pixel.iter().zip(colors.as_chunks::<3>().0).enumerate();
        let places = pixels.map(|(at, (&class, color))| {
            let (y, x) = ((at / image.width()) as f32, (at % image.width()) as f32);
            let place = [y * space, x * space, color[0] * luma, color[1] * chroma, color[2] * chroma];
            // A cast clamps to the range of i16.
            (class != VOID).then(|| place.map(|axis| axis.round() as i16))
        });
        BilateralGrid::new(places, ROUNDS)
    }

    /// The cells' values of one label, by conjugate gradients with the diagonal as preconditioner.
    fn solve(&self, grid: &BilateralGrid, target: impl Iterator<Item = f32>, context: &Context) -> Vec<f64> {
        let (lambda, confidence) = (self.params.smoothness, self.params.confidence);
        let weights: Vec<f64> = grid.splat(std::iter::repeat(confidence as f32));
        let right: Vec<f64> = grid.splat(target).into_iter().map(|sum| confidence * sum).collect();
        let times = |v: &[f64]| -> Vec<f64> {
            let rough = grid.roughness(v);
            (0..v.len()).map(|i| lambda * rough[i] + weights[i] * v[i]).collect() // eq. 8
        };
        let inverse: Vec<f64> =
            grid.diagonal().iter().zip(&weights).map(|(d, w)| 1.0 / (lambda * d + w).max(1e-9)).collect();
        let mut found: Vec<f64> = right.iter().zip(&weights).map(|(b, w)| b / w).collect();
        let mut residual: Vec<f64> = times(&found).iter().zip(&right).map(|(a, b)| b - a).collect();
        let mut direction: Vec<f64> = residual.iter().zip(&inverse).map(|(r, d)| r * d).collect();
        let mut energy = dot(&residual, &direction);
        let enough = self.params.tolerance.powi(2) * dot(&right, &right);
        for _ in 0..self.params.iterations {
            if dot(&residual, &residual) <= enough || context.stopped() != Stop::No {
                break;
            }
            let image = times(&direction);
            let step = energy / dot(&direction, &image).max(f64::MIN_POSITIVE);
            found.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d);
            residual.iter_mut().zip(&image).for_each(|(r, i)| *r -= step * i);
            let before = energy;
            energy = residual.iter().zip(&inverse).map(|(r, d)| r * r * d).sum();
            let keep = energy / before.max(f64::MIN_POSITIVE);
            let fresh = residual.iter().zip(&inverse).map(|(r, d)| r * d);
            direction.iter_mut().zip(fresh).for_each(|(d, fresh)| *d = fresh + keep * *d);
        }
        found
    }
}

impl Refiner for BilateralSolver {
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, context: &Context) -> Result<LabelMap, StageError> {
        let classes = Classes::new(evidence.image, &labels).map_err(StageError::data)?;
        if classes.count() < 2 {
            return Ok(labels);
        }
        let grid = self.grid(evidence.image, &classes);
        // The maps of all labels sum to 1: of two, the second says all.
        let first = usize::from(classes.count() == 2);
        let mut best = vec![(if first == 1 { 0.5 } else { f64::NEG_INFINITY }, 0u32); grid.len()];
        for class in first..classes.count() {
            let solved = self.solve(&grid, classes.plane(class), context);
            best.iter_mut().zip(solved).filter(|(best, value)| *value > best.0).for_each(|(best, value)| {
                *best = (value, class as u32);
            });
        }
        let now = |&cell: &u32| if cell == BilateralGrid::NOWHERE { VOID } else { best[cell as usize].1 };
        let now: Vec<u32> = grid.of_pixel.iter().map(now).collect();
        Ok(classes.gated(labels, &now, self.params.overlap))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
