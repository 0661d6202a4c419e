//! Labels → labels on which all pairs of pixels agree best, by mean field.

use super::permutohedral::Permutohedral;
use super::{Classes, share, weight, width};
use crate::colors::colors;
use segcut_core::{Context, Evidence, Image, LabelMap, Refiner, StageError, Stop, VOID};
use segcut_pixel::{Gaussian, RowShape};
use serde::{Deserialize, Serialize};

/// Added to the sums by which messages are divided.
const TINY: f32 = 1e-20;

/// Parameters of [`DenseCrf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DenseCrfParams {
    /// Weight of pairs that are near in place and color.
    pub appearance: f64,
    /// Their standard deviation of place, in pixels.
    pub sigma_space: f64,
    /// Their standard deviation of color, in Lab units.
    pub sigma_color: f64,
    /// Weight of pairs that are near in place.
    pub smoothness: f64,
    /// Their standard deviation, in pixels.
    pub sigma_smooth: f64,
    /// How likely the given label is right.
    pub certainty: f64,
    /// Rounds of mean field.
    pub iterations: usize,
    /// Every label must keep this overlap (intersection over union) with what it was, or all stay as they were.
    pub overlap: f64,
}

impl Default for DenseCrfParams {
    fn default() -> Self {
        Self {
            appearance: 10.0,
            sigma_space: 80.0,
            sigma_color: 5.0,
            smoothness: 3.0,
            sigma_smooth: 3.0,
            certainty: 0.7,
            iterations: 5,
            overlap: 0.5,
        }
    }
}

/// Labels → labels of a fully connected random field.
///
/// P. Krähenbühl, V. Koltun, "Efficient inference in fully connected CRFs with Gaussian edge potentials", NIPS 2011: the cost
/// of a pixel's label is −ln `certainty` for the given one, and that of the rest, shared evenly, for any other; two pixels
/// of different labels cost a Gaussian of their places and colors and one of their places alone (eq. 3); mean field
/// (algorithm 1) with filters for the messages. It differs in Lab for RGB, in Gaussians that are scaled to
/// sum to 1 around every pixel (the first symmetrically), and in a plain Gaussian blur for the second.
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
/// O(pixels · labels · iterations); about 100 bytes per pixel and 12 per pixel and label.
///
/// # Examples
/// ```
/// # use segcut_core::{Affinity, Clustering, ColorSpace, Image, Partition, RegionGraph, Samples, SparseAffinity};
/// use segcut_core::{Context, Evidence, LabelMap, Refiner};
/// use segcut_refine::{DenseCrf, DenseCrfParams};
/// // The image's edge is between the columns 7 and 8, the mask's a column later.
/// let image = Image::new(16, 16, ColorSpace::Gray, Samples::U8((0..256).map(|i| if i % 16 < 8 { 30 } else { 200 }).collect()))?;
/// let labels = LabelMap::new(16, 16, (0..256).map(|i| u32::from(i % 16 > 8)).collect())?;
/// # let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(2, vec![], vec![])?));
/// # let clustering = Clustering::converged(Partition::singletons(2));
/// # let evidence =
/// #     Evidence { image: &image, superpixels: &labels, graph: &graph, clustering: &clustering, attention: None };
/// let found = DenseCrf::new(DenseCrfParams::default())?.refine(&evidence, labels.clone(), &Context::default())?;
/// assert_eq!(found.labels()[..16], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DenseCrf {
    params: DenseCrfParams,
    blur: Gaussian,
}

impl DenseCrf {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: DenseCrfParams) -> Result<Self, StageError> {
        width("refine.sigma_space", params.sigma_space)?;
        width("refine.sigma_color", params.sigma_color)?;
        weight("refine.appearance", params.appearance)?;
        weight("refine.smoothness", params.smoothness)?;
        share("refine.overlap", params.overlap)?;
        if !(params.certainty > 0.0 && params.certainty < 1.0) {
            return Err(StageError::parameter("refine.certainty", params.certainty, "between 0 and 1"));
        }
        if !(1..=1000).contains(&params.iterations) {
            return Err(StageError::parameter("refine.iterations", params.iterations, "from 1 to 1000"));
        }
        let bad = |_| StageError::parameter("refine.sigma_smooth", params.sigma_smooth, "from 0 to 1000");
        let blur = Gaussian::new(params.sigma_smooth).map_err(bad)?;
        Ok(Self { params, blur })
    }

    fn lattice(&self, image: &Image, classes: &Classes) -> Permutohedral {
        let (space, color) = (1.0 / self.params.sigma_space as f32, 1.0 / self.params.sigma_color as f32);
        let colors = colors(image);
        let pixels = classes.of_pixel.iter().zip(colors.as_chunks::<3>().0).enumerate();
        Permutohedral::new(pixels.map(|(at, (&class, c))| {
            let (y, x) = ((at / image.width()) as f32, (at % image.width()) as f32);
            (class != VOID).then(|| [y * space, x * space, c[0] * color, c[1] * color, c[2] * color])
        }))
    }

    /// −(cost of the pixel's own evidence), per label.
    fn evidence(&self, classes: &Classes) -> Vec<f32> {
        let count = classes.count();
        let right = self.params.certainty.ln() as f32;
        let wrong = ((1.0 - self.params.certainty) / (count - 1) as f64).ln() as f32;
        let of_pixel = |&own: &u32| (0..count as u32).map(move |class| if class == own { right } else { wrong });
        classes.of_pixel.iter().flat_map(of_pixel).collect()
    }

    /// How likely every label is at every pixel, after all rounds (algorithm 1).
    fn mean_field(&self, image: &Image, classes: &Classes, context: &Context) -> Vec<f32> {
        let count = classes.count();
        let shape = RowShape { height: image.height(), width: image.width(), channels: count };
        let lattice = self.lattice(image, classes);
        let ones: Vec<f32> = classes.plane_of_all().collect();
        let scale: Vec<f32> = lattice.filter(&ones, 1).iter().map(|sum| 1.0 / (sum + TINY).sqrt()).collect();
        let evidence = self.evidence(classes);
        let mut belief = evidence.clone();
        normalize(&mut belief, &ones, count);
        let weights = [self.params.appearance as f32, self.params.smoothness as f32];
        for _ in 0..self.params.iterations {
            if context.stopped() != Stop::No {
                break;
            }
            let near = self.blur.blur(&belief, shape);
            times(&mut belief, &scale, count);
            let mut alike = lattice.filter(&belief, count);
            times(&mut alike, &scale, count);
            let messages = alike.iter().zip(&near).map(|(a, n)| weights[0] * a + weights[1] * n);
            belief.iter_mut().zip(&evidence).zip(messages).for_each(|((b, e), m)| *b = e + m);
            normalize(&mut belief, &ones, count);
        }
        belief
    }
}

impl Refiner for DenseCrf {
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, context: &Context) -> Result<LabelMap, StageError> {
        let classes = Classes::new(evidence.image, &labels).map_err(StageError::data)?;
        if classes.count() < 2 {
            return Ok(labels);
        }
        let belief = self.mean_field(evidence.image, &classes, context);
        let best =
            |values: &[f32]| (0..).zip(values).fold((0, f32::MIN), |a, (i, &v)| if v > a.1 { (i, v) } else { a }).0;
        let now: Vec<u32> = belief.chunks_exact(classes.count()).map(best).collect();
        Ok(classes.gated(labels, &now, self.params.overlap))
    }
}

/// Every pixel's values times its scale.
fn times(values: &mut [f32], scale: &[f32], count: usize) {
    for (values, scale) in values.chunks_exact_mut(count).zip(scale) {
        values.iter_mut().for_each(|v| *v *= scale);
    }
}

/// Logarithms → likelihoods that sum to 1 at every pixel, 0 at those outside.
fn normalize(values: &mut [f32], inside: &[f32], count: usize) {
    for (values, inside) in values.chunks_exact_mut(count).zip(inside) {
        let highest = values.iter().copied().fold(f32::MIN, f32::max);
        values.iter_mut().for_each(|v| *v = (*v - highest).exp());
        let share = inside / values.iter().sum::<f32>();
        values.iter_mut().for_each(|v| *v *= share);
    }
}
