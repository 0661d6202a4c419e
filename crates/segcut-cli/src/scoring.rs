//! A label map against the truth of its image → scores.

use crate::args::Task;
use segcut_core::{LabelMap, Mask};
use segcut_eval::{
    Annotation, BETA_SQUARED, BoundaryCounts, EvalError, ImageScores, MaskCounts, SuperpixelScores, mask_boundary,
    score_image, score_superpixels,
};
use segcut_io::dataset;
use segcut_io::truth::Truth;
use serde::{Deserialize, Serialize};

/// How far apart the outlines of a mask and its truth may be, in pixels.
const OUTLINE: f64 = 2.0;

/// The scores of one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Score {
    /// Regions against annotators, or against classes as regions.
    Regions(Box<ImageScores>),
    /// A mask: labels above 0 are the foreground.
    Mask(MaskScore),
    /// Superpixels against annotators.
    Superpixels(SuperpixelScores),
}

/// The scores of one mask.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MaskScore {
    /// Pixels by prediction and truth.
    #[serde(flatten)]
    pub counts: MaskCounts,
    /// Outlines within 2 pixels.
    pub boundary: BoundaryCounts,
}

impl MaskScore {
    /// Compares a mask with the truth.
    pub fn new(prediction: &Mask, truth: &Mask, valid: Option<&Mask>) -> Result<Self, EvalError> {
        let counts = MaskCounts::new(prediction, truth, valid)?;
        Ok(Self { counts, boundary: mask_boundary(prediction, truth, valid, OUTLINE)? })
    }
}

impl Score {
    /// Compares a label map with the truth.
    ///
    /// A mask truth compares labels above 0 with the object, unless regions are asked for.
    pub fn new(prediction: &LabelMap, truth: Truth, task: Option<Task>) -> Result<Self, EvalError> {
        match (truth, task) {
            (Truth::Mask { mask, valid }, None | Some(Task::Mask)) => {
                Ok(Self::Mask(MaskScore::new(&foreground(prediction), &mask, valid.as_ref())?))
            }
            (truth, Some(Task::Superpixels)) => {
                Ok(Self::Superpixels(score_superpixels(prediction, &annotations(truth)?)?))
            }
            (truth, _) => Ok(Self::Regions(Box::new(score_image(prediction, &annotations(truth)?)?))),
        }
    }

    /// Names and values, in the order of scores.csv.
    pub fn columns(&self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Regions(s) => vec![
                ("covering", s.regions.covering),
                ("pri", s.regions.pri),
                ("voi", s.regions.voi),
                ("f", s.boundary.diagonal.f()),
                ("precision", s.boundary.diagonal.precision()),
                ("recall", s.boundary.diagonal.recall()),
                ("f_1px", s.boundary.px1.f()),
                ("f_2px", s.boundary.px2.f()),
                ("ari", s.regions.ari),
                ("nmi", s.regions.nmi),
                ("miou", s.regions.miou),
                ("pixel_accuracy", s.regions.pixel_accuracy),
            ],
            Self::Mask(MaskScore { counts: c, boundary }) => vec![
                ("iou", c.iou()),
                ("pixel_accuracy", c.accuracy()),
                ("precision", c.precision()),
                ("recall", c.recall()),
                ("f_beta", c.f_beta(BETA_SQUARED)),
                ("mae", 1.0 - c.accuracy()),
                ("f_2px", boundary.f()),
            ],
            Self::Superpixels(s) => vec![
                ("boundary_recall", s.boundary_recall),
                ("undersegmentation_error", s.undersegmentation_error),
                ("asa", s.asa),
                ("compactness", s.compactness),
            ],
        }
    }

    /// The one score by which images are ranked: covering, IoU or achievable accuracy.
    pub fn main(&self) -> (&'static str, f64) {
        match self {
            Self::Regions(s) => ("covering", s.regions.covering),
            Self::Mask(mask) => ("iou", mask.counts.iou()),
            Self::Superpixels(s) => ("asa", s.asa),
        }
    }
}

/// Where the label is above 0. VOID is background.
pub fn foreground(labels: &LabelMap) -> Mask {
    let mut mask = Mask::filled(labels.height(), labels.width(), false);
    for (bit, &label) in mask.bits_mut().iter_mut().zip(labels.labels()) {
        *bit = label > 0 && label != segcut_core::VOID;
    }
    mask
}

/// The truth as annotators: classes are one annotator's regions, a mask is two regions.
fn annotations(truth: Truth) -> Result<Vec<Annotation>, EvalError> {
    match truth {
        Truth::Regions { annotators } => annotators
            .into_iter()
            .map(|a| match a.boundaries {
                Some(boundary) => Annotation::with_boundary(a.labels, boundary),
                None => Ok(Annotation::new(a.labels)),
            })
            .collect(),
        Truth::Semantic(labels) => Ok(vec![Annotation::new(labels)]),
        Truth::Mask { mask, .. } => Ok(vec![Annotation::new(two_regions(&mask)?)]),
    }
}

fn two_regions(mask: &Mask) -> Result<LabelMap, EvalError> {
    let found = mask.bits().len();
    LabelMap::new(mask.height(), mask.width(), mask.bits().iter().map(|&bit| u32::from(bit)).collect())
        .map_err(|_| EvalError::Length { expected: mask.height() * mask.width(), found })
}

/// The task that the data set's description asks for.
pub fn task_of(asked: Option<Task>, described: Option<dataset::Task>) -> Option<Task> {
    asked.or(match described {
        Some(dataset::Task::Regions) => Some(Task::Regions),
        Some(dataset::Task::Mask) => Some(Task::Mask),
        Some(dataset::Task::Semantic) => Some(Task::Semantic),
        None => None,
    })
}
