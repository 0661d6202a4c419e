//! Opening, closing, hole filling and the majority filter.

mod bit_rows;
mod enclosed_regions;
mod hole_filling;
mod majority;
mod opening_closing;

pub(crate) use bit_rows::{BitRows, Element};
use segcut_core::{Context, Evidence, LabelMap, Refiner, StageError};
use serde::{Deserialize, Serialize};

/// What [`Morphology`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Removes what the element does not fit into: foreground (labels ≥ 1) becomes background (0).
    Open,
    /// Adds what the element does not fit into from outside: background becomes foreground, of the nearest
    /// foreground label.
    Close,
    /// Makes background that the foreground encloses foreground, of the nearest foreground label.
    FillHoles,
    /// Gives a region that one other region encloses to that region; for maps without a background.
    FillRegions,
    /// Gives every pixel the most frequent label of the element around it; for maps of any number of regions.
    #[default]
    Majority,
}

/// The structuring element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Side 2·radius + 1.
    Square,
    /// The pixels within Euclidean distance `radius`.
    #[default]
    Disk,
}

/// Parameters of [`Morphology`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MorphologyParams {
    /// What is done. Default: majority.
    pub operation: Operation,
    /// The structuring element of open, close and majority. Default: disk.
    pub shape: Shape,
    /// Its radius in pixels, from 1. Default: 2.
    pub radius: usize,
    /// Holes over this share of the image's pixels are not filled, 0 to 1. Default: 1.
    pub max_hole_share: f64,
}

impl Default for MorphologyParams {
    fn default() -> Self {
        Self { operation: Operation::Majority, shape: Shape::Disk, radius: 2, max_hole_share: 1.0 }
    }
}

/// Smooths the shapes of a segmentation.
///
/// Open, close and fill_holes (Serra 1982) read label 0 as background and labels from 1 as foreground: a mask,
/// or objects on a background. On a map without a background they would take region 0 for it; majority and
/// fill_regions treat all regions alike. VOID and the outside of the image are neither foreground nor background:
/// the element is cut off there, so that opening does not eat the foreground at the frame, while closing fills
/// background at the frame that is too narrow for the cut element; a hole that touches them is open.
///
/// # Determinism
/// Open, close and fill are idempotent. No randomness.
///
/// # Cost
/// O(pixels · radius / 64) for open and close; majority O(radius²) for pixels within the radius of a border.
#[derive(Debug, Clone)]
pub struct Morphology {
    params: MorphologyParams,
    element: Element,
}

impl Morphology {
    /// The stage with its parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] for a radius of 0 or over 4096, or a share outside 0 … 1.
    pub fn new(params: MorphologyParams) -> Result<Self, StageError> {
        if !(1..=4096).contains(&params.radius) {
            return Err(StageError::parameter("refine.radius", params.radius, "from 1 to 4096"));
        }
        if !(0.0..=1.0).contains(&params.max_hole_share) {
            return Err(StageError::parameter("refine.max_hole_share", params.max_hole_share, "from 0 to 1"));
        }
        let element = match params.shape {
            Shape::Square => Element::square(params.radius),
            Shape::Disk => Element::disk(params.radius),
        };
        Ok(Self { params, element })
    }

    fn apply(&self, labels: LabelMap) -> LabelMap {
        let max_hole = (self.params.max_hole_share * labels.labels().len() as f64) as usize;
        match self.params.operation {
            Operation::Open => opening_closing::open(labels, &self.element),
            Operation::Close => opening_closing::close(labels, &self.element),
            Operation::FillHoles => hole_filling::fill_holes(labels, max_hole),
            Operation::FillRegions => enclosed_regions::fill_regions(labels, max_hole),
            Operation::Majority => majority::majority(labels, &self.element),
        }
    }
}

impl Refiner for Morphology {
    fn refine(&self, _: &Evidence<'_>, labels: LabelMap, _: &Context) -> Result<LabelMap, StageError> {
        Ok(self.apply(labels))
    }
}

#[cfg(test)]
mod tests;
