//! Labels → labels that follow the image's steps, by a guided filter.

use super::{Classes, share};
use crate::colors::colors;
use segcut_core::{Context, Evidence, LabelMap, Refiner, StageError, VOID};
use segcut_pixel::{GuidedFilter, LANES, Lanes, RowShape};
use serde::{Deserialize, Serialize};

/// Parameters of [`Guided`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuidedParams {
    /// Windows have 2·radius + 1 pixels.
    pub radius: usize,
    /// ε, added to the variances of the color, which is Lab over 100.
    pub epsilon: f64,
    /// Every label must keep this overlap (intersection over union) with what it was, or all stay as they were.
    pub overlap: f64,
}

impl Default for GuidedParams {
    fn default() -> Self {
        Self { radius: 8, epsilon: 1e-3, overlap: 0.5 }
    }
}

/// Labels → labels whose borders are at the steps of the image nearby.
///
/// K. He, J. Sun, X. Tang, "Guided image filtering", PAMI 2013, section 3.5: one map per label, 1 inside, is filtered with
/// the image as guide ([`GuidedFilter`]); a pixel takes the label whose map is highest there, its own on a tie.
///
/// Labels stay as they were where any of them would lose too much of itself (`overlap`). VOID stays VOID.
///
/// # Errors
/// [`EdgeAwareError`](crate::EdgeAwareError) inside a [`StageError::Data`].
///
/// # Determinism
/// No randomness; the same bytes at any number of threads.
///
/// # Cost
/// O(pixels · radius) per 16 labels.
///
/// # Examples
/// ```
/// # use segcut_core::{Affinity, Clustering, ColorSpace, Image, Partition, RegionGraph, Samples, SparseAffinity};
/// use segcut_core::{Context, Evidence, LabelMap, Refiner};
/// use segcut_refine::{Guided, GuidedParams};
/// // The image's edge is between the columns 7 and 8, the mask's a column later.
/// let image = Image::new(16, 16, ColorSpace::Gray, Samples::U8((0..256).map(|i| if i % 16 < 8 { 30 } else { 200 }).collect()))?;
/// let labels = LabelMap::new(16, 16, (0..256).map(|i| u32::from(i % 16 > 8)).collect())?;
/// # let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(2, vec![], vec![])?));
/// # let clustering = Clustering::converged(Partition::singletons(2));
/// # let evidence =
/// #     Evidence { image: &image, superpixels: &labels, graph: &graph, clustering: &clustering, attention: None };
/// let stage = Guided::new(GuidedParams { radius: 3, ..GuidedParams::default() })?;
/// let found = stage.refine(&evidence, labels.clone(), &Context::default())?;
/// assert_eq!(found.labels()[..16], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Guided {
    params: GuidedParams,
}

impl Guided {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: GuidedParams) -> Result<Self, StageError> {
        share("refine.overlap", params.overlap)?;
        if !(1..=1024).contains(&params.radius) {
            return Err(StageError::parameter("refine.radius", params.radius, "from 1 to 1024"));
        }
        match (1e-9..=1e3).contains(&params.epsilon) {
            true => Ok(Self { params }),
            false => Err(StageError::parameter("refine.epsilon", params.epsilon, "from 1e-9 to 1000")),
        }
    }
}

impl Refiner for Guided {
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, _: &Context) -> Result<LabelMap, StageError> {
        let classes = Classes::new(evidence.image, &labels).map_err(StageError::data)?;
        if classes.count() < 2 {
            return Ok(labels);
        }
        let shape = RowShape { height: labels.height(), width: labels.width(), channels: 3 };
        let guide: Vec<f32> = colors(evidence.image).into_iter().map(|c| c / 100.0).collect();
        let filter = GuidedFilter::new(&guide, shape, self.params.radius, self.params.epsilon as f32);
        let mut best = vec![f32::NEG_INFINITY; classes.of_pixel.len()];
        let mut now = vec![VOID; best.len()];
        for start in (0..classes.count()).step_by(LANES) {
            let filtered = filter.filter(&lanes(&classes, start));
            let lanes_here = LANES.min(classes.count() - start);
            for (at, lanes) in filtered.iter().enumerate().filter(|(at, _)| classes.of_pixel[*at] != VOID) {
                for (&value, class) in lanes[..lanes_here].iter().zip(start as u32..) {
                    if value > best[at] || (value == best[at] && class == classes.of_pixel[at]) {
                        (best[at], now[at]) = (value, class);
                    }
                }
            }
        }
        Ok(classes.gated(labels, &now, self.params.overlap))
    }
}

/// The maps of [`LANES`] labels side by side.
fn lanes(classes: &Classes, start: usize) -> Vec<Lanes> {
    let one_hot = |&class: &u32| {
        let mut lanes = [0.0; LANES];
        if let Some(lane) = (class as usize).checked_sub(start).filter(|lane| *lane < LANES) {
            lanes[lane] = 1.0;
        }
        lanes
    };
    classes.of_pixel.iter().map(one_hot).collect()
}
