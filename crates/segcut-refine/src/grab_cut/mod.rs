//! A mask and a soft map → a mask along the edges of the image, by color models and minimum cuts.

mod boykov_kolmogorov;
mod cells;
mod mixture;
mod open_cells;

use crate::components::connected_components;
use crate::connectivity::Connectivity;
use crate::morphology::{BitRows, Element};
use cells::{Cells, is_gray};
use mixture::{Color, Mixture};
use open_cells::OpenCells;
use segcut_core::{Context, Evidence, LabelMap, Refiner, StageError, Stop, VOID};
use serde::{Deserialize, Serialize};

/// Fewer cells than this make no color model.
const FEWEST: usize = 50;

/// Fewer cells than this that are surely foreground make the mask too doubtful to change.
const FEWEST_SURE: usize = 30;

/// Added to every channel's variance, in Lab units squared.
const VARIANCE: f64 = 1.0;

/// Parameters of [`GrabCut`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrabCutParams {
    /// Side of the cells that are labelled, in pixels.
    pub step: usize,
    /// Gaussians of each class.
    pub components: usize,
    /// Rounds of color models and cut.
    pub iterations: usize,
    /// After a round on larger cells, only cells this near to the outline that it found are cut anew, in cells; 0 cuts all.
    pub band: usize,
    /// Cost of a cut between two cells of one color.
    pub gamma: f64,
    /// What the soft map counts beside the color models.
    pub prior: f64,
    /// Cells below this membership are background for sure.
    pub low: f64,
    /// Cells from this membership on are foreground for sure.
    pub high: f64,
    /// The new mask must overlap the given one by this much (intersection over union), or the given one stays.
    pub overlap: f64,
    /// Pieces of the mask below this share of the largest one are dropped.
    pub keep: f64,
    /// Whether images without color are left as they are.
    pub skip_gray: bool,
}

impl Default for GrabCutParams {
    fn default() -> Self {
        Self {
            step: 2,
            components: 3,
            iterations: 2,
            band: 0,
            gamma: 15.0,
            prior: 1.0,
            low: 0.1,
            high: 0.9,
            overlap: 0.2,
            keep: 0.1,
            skip_gray: true,
        }
    }
}

/// Foreground labels and the clustering's soft memberships → 0 (background) and 1 (foreground) at the image's edges.
///
/// C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004: a mixture of Gaussians in color for each class, and the
/// minimum cut between them with costs that are low along edges, in turn. It differs in Lab for RGB, in cells of
/// `step`×`step` pixels instead of pixels, in the soft map that is added to the color models as
/// prior·ln((x + 0.02) / (1.02 − x)), in what is fixed: not a box's outside but the cells of which the soft map is
/// sure, and in that a round works on cells of half the side of those of the round before (of up to 4 times `step`), with
/// color models of the latter and, with `band`, near the outline that it found.
///
/// Every label above 0 counts as foreground. The mask is only smoothed, not changed, where a class has too few cells for a
/// model, where a round would lose or invert it (`overlap`), and on gray images with `skip_gray`. Without a
/// soft choice between two clusters, all memberships are one half. VOID stays VOID.
///
/// # Determinism
/// No randomness; one thread; the cut is in whole numbers.
///
/// # Cost
/// O(pixels) besides the cuts; about 35 bytes per cell and 90 more for each whose label is open.
#[derive(Debug, Clone)]
pub struct GrabCut {
    params: GrabCutParams,
}

impl GrabCut {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: GrabCutParams) -> Result<Self, StageError> {
        if !(1..=64).contains(&params.step) {
            return Err(StageError::parameter("refine.step", params.step, "from 1 to 64 pixels"));
        }
        if !(1..=16).contains(&params.components) {
            return Err(StageError::parameter("refine.components", params.components, "from 1 to 16"));
        }
        if params.band > 1000 {
            return Err(StageError::parameter("refine.band", params.band, "from 0 to 1000 cells"));
        }
        for (name, value) in [("refine.gamma", params.gamma), ("refine.prior", params.prior)] {
            if !(0.0..=1000.0).contains(&value) {
                return Err(StageError::parameter(name, value, "from 0 to 1000"));
            }
        }
        let shares = [
            ("refine.low", params.low),
            ("refine.high", params.high),
            ("refine.overlap", params.overlap),
            ("refine.keep", params.keep),
        ];
        match shares.into_iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            Some((name, value)) => Err(StageError::parameter(name, value, "from 0 to 1")),
            None => Ok(Self { params }),
        }
    }

    /// The cells' labels after all rounds; none where the given ones should stay.
    fn cut(&self, cells: &Cells, context: &Context) -> Option<Vec<bool>> {
        if (0..cells.soft.len()).filter(|&cell| self.fixed(cells, cell) == Some(true)).count() < FEWEST_SURE {
            return None;
        }
        let larger = self.larger(cells);
        let mut level = larger.last().unwrap_or(cells);
        let mut models = self.models(level, &level.start, None)?;
        let mut mask = self.round(level, &models, None);
        for _ in larger.len() + 1..self.params.iterations {
            models = self.models(level, &mask, Some(&models))?;
            mask = self.round(level, &models, None);
        }
        for at in (0..larger.len()).rev() {
            if context.stopped() != Stop::No {
                return None;
            }
            models = self.models(level, &mask, Some(&models))?;
            level = if at == 0 { cells } else { &larger[at - 1] };
            mask = self.round(level, &models, Some(&level.doubled(&mask)));
        }
        (overlap(&cells.start, &mask) >= self.params.overlap).then_some(mask)
    }

    /// The cells of the earlier rounds, of twice and four times the side; fewer where a class has too few for a model.
    fn larger(&self, cells: &Cells) -> Vec<Cells> {
        let mut larger: Vec<Cells> = Vec::new();
        for _ in 1..self.params.iterations.min(3) {
            let next = larger.last().unwrap_or(cells).halved();
            if next.classes().iter().any(|&count| count < FEWEST) {
                break;
            }
            larger.push(next);
        }
        larger
    }

    /// The minimum cut between two color models; near the outline of `before` alone, where that is given.
    fn round(&self, cells: &Cells, models: &[Mixture; 2], before: Option<&[bool]>) -> Vec<bool> {
        let before = before.filter(|_| self.params.band > 0);
        let near = before.map(|mask| near_outline(mask, cells.width, self.params.band));
        let label = |cell: usize| match (self.fixed(cells, cell), before, &near) {
            (None, Some(mask), Some(near)) if !near[cell] => Some(mask[cell]),
            (fixed, ..) => fixed,
        };
        let given: Vec<Option<bool>> = (0..cells.soft.len()).map(label).collect();
        let mut mask: Vec<bool> = given.iter().map(|given| *given == Some(true)).collect();
        let prior = self.params.prior as f32;
        let preference = |cell: usize| {
            let (color, x) = (&cells.colors[cell], cells.soft[cell]);
            models[1].log_density(color) - models[0].log_density(color) + prior * ((x + 0.02) / (1.02 - x)).ln()
        };
        OpenCells::new(cells, self.params.gamma as f32, &given, preference).label(&mut mask);
        mask
    }

    /// The label of a cell of which the soft map is sure.
    fn fixed(&self, cells: &Cells, cell: usize) -> Option<bool> {
        let x = f64::from(cells.soft[cell]);
        if !cells.valid[cell] || x < self.params.low {
            return Some(false);
        }
        (x >= self.params.high).then_some(true)
    }

    /// The color models of background and foreground; none where a class is too small.
    fn models(&self, cells: &Cells, mask: &[bool], before: Option<&[Mixture; 2]>) -> Option<[Mixture; 2]> {
        let model = |class: usize| {
            let of_class = |cell: &usize| cells.valid[*cell] && usize::from(mask[*cell]) == class;
            let points: Vec<Color> = (0..mask.len()).filter(of_class).map(|cell| cells.colors[cell]).collect();
            match before {
                _ if points.len() < FEWEST => None,
                Some(models) => models[class].refitted(&points, VARIANCE),
                None => Mixture::new(&points, self.params.components, VARIANCE),
            }
        };
        Some([model(0)?, model(1)?])
    }
}

impl Refiner for GrabCut {
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, context: &Context) -> Result<LabelMap, StageError> {
        let skip = self.params.skip_gray && is_gray(evidence.image);
        let soft = memberships(evidence, &labels);
        let cells = (!skip).then(|| Cells::new(evidence.image, &labels, &soft, self.params.step));
        let mask = match cells.and_then(|cells| self.cut(&cells, context).map(|mask| (cells, mask))) {
            Some((cells, mask)) => enlarged(&cells, &mask, &labels, self.params.step),
            None => labels.map_pixels(2, |_, label| u32::from(label > 0)),
        };
        Ok(without_crumbs(mask, self.params.keep))
    }
}

/// The foreground membership of every pixel; one half without a soft choice between two.
fn memberships(evidence: &Evidence<'_>, labels: &LabelMap) -> Vec<f32> {
    let soft = evidence.clustering.soft.as_ref().filter(|soft| soft.ncols() == 2);
    let names = evidence.superpixels.labels();
    match soft {
        Some(soft) if names.len() == labels.labels().len() => {
            names.iter().map(|&name| if name == VOID { 0.0 } else { soft[(name as usize, 1)] as f32 }).collect()
        }
        _ => vec![0.5; labels.labels().len()],
    }
}

/// Intersection over union; 1 for two empty masks.
fn overlap(a: &[bool], b: &[bool]) -> f64 {
    let both = a.iter().zip(b).filter(|(a, b)| **a && **b).count();
    let any = a.iter().zip(b).filter(|(a, b)| **a || **b).count();
    if any == 0 { 1.0 } else { both as f64 / any as f64 }
}

/// Whether both labels are within `reach` cells, along rows and columns.
fn near_outline(mask: &[bool], width: usize, reach: usize) -> Vec<bool> {
    let height = mask.len() / width.max(1);
    let reached = |label: bool| BitRows::of(height, width, mask, |&l| l == label).dilate(&Element::square(reach));
    reached(true).and(&reached(false)).pixels()
}

/// Cells → pixels, bilinearly: a pixel is inside where at least half of its surroundings are.
fn enlarged(cells: &Cells, mask: &[bool], labels: &LabelMap, step: usize) -> LabelMap {
    let value = |y: usize, x: usize| f32::from(u8::from(mask[y * cells.width + x]));
    // Per pixel the cell before it, the one after it, and the share of the latter.
    let place = |pixel: usize, cells: usize| {
        let at = ((pixel as f32 + 0.5) / step as f32 - 0.5).clamp(0.0, cells as f32 - 1.0);
        let low = at as usize;
        (low, (low + 1).min(cells - 1), at - low as f32)
    };
    let columns: Vec<_> = (0..labels.width()).map(|x| place(x, cells.width)).collect();
    let rows: Vec<_> = (0..labels.height()).map(|y| place(y, cells.height)).collect();
    let width = labels.width();
    labels.clone().map_pixels(2, |at, _| {
        let ((top, bottom, down), (left, right, across)) = (rows[at / width], columns[at % width]);
        let upper = value(top, left) * (1.0 - across) + value(top, right) * across;
        let lower = value(bottom, left) * (1.0 - across) + value(bottom, right) * across;
        u32::from(upper * (1.0 - down) + lower * down >= 0.5)
    })
}

/// The mask without its pieces below this share of the largest one.
fn without_crumbs(mask: LabelMap, keep: f64) -> LabelMap {
    let inside = mask.clone().into_labels().into_iter().map(|label| if label == 1 { 0 } else { VOID }).collect();
    let Ok(inside) = LabelMap::new(mask.height(), mask.width(), inside) else { return mask };
    let pieces = connected_components(inside, Connectivity::Eight);
    let sizes = pieces.sizes();
    let least = keep * sizes.iter().copied().max().unwrap_or(0) as f64;
    let names = pieces.labels();
    mask.map_pixels(2, |at, _| u32::from(names[at] != VOID && sizes[names[at] as usize] as f64 >= least))
}

#[cfg(test)]
mod tests;
