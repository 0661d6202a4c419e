//! A segmentation and its annotators to region and boundary scores.

use crate::annotation::without_void;
use crate::error::same_size;
use crate::{
    Annotation, BoundaryCounts, Contingency, EvalError, Tolerance, adjusted_rand_index, boundary, covering,
    matched_accuracy, matched_mean_iou, normalized_mutual_information, rand_index, score_boundary,
    variation_of_information,
};
use segcut_core::{LabelMap, Mask, VOID};
use serde::{Deserialize, Serialize};

/// Region scores of one image: means over its annotators.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RegionScores {
    /// Covering of the truth, 0 to 1.
    pub covering: f64,
    /// Probabilistic Rand index, 0 to 1.
    pub pri: f64,
    /// Variation of information, bits; lower is better.
    pub voi: f64,
    /// Adjusted Rand index.
    pub ari: f64,
    /// Normalized mutual information, arithmetic.
    pub nmi: f64,
    /// Mean IoU of the truth's regions after one-to-one matching by IoU.
    pub miou: f64,
    /// Share of pixels in matched regions, after one-to-one matching by pixels.
    pub pixel_accuracy: f64,
}

/// Boundary counts of one image at the three tolerances that are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BoundaryScores {
    /// Within 0.0075 of the diagonal.
    pub diagonal: BoundaryCounts,
    /// Within 1 pixel.
    pub px1: BoundaryCounts,
    /// Within 2 pixels.
    pub px2: BoundaryCounts,
}

/// Everything a segmentation of one image is scored by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImageScores {
    /// Means over annotators.
    #[serde(flatten)]
    pub regions: RegionScores,
    /// Matched boundary pixels.
    pub boundary: BoundaryScores,
    /// Regions of the prediction, VOID not counted.
    pub region_count: usize,
    /// Annotators.
    pub annotators: usize,
    /// Pixels of the truth, summed over annotators: the image's weight in the covering of a set.
    pub truth_pixels: u64,
}

/// Prediction and annotators → region scores.
///
/// Each annotator is compared on the pixels that are valid in both maps; the scores are averaged over
/// annotators.
///
/// # Errors
/// [`EvalError::Size`], [`EvalError::NoTruth`].
///
/// # Examples
/// ```
/// use segcut_core::LabelMap;
/// use segcut_eval::score_regions;
/// let prediction = LabelMap::new(2, 2, vec![0, 0, 1, 1])?;
/// let scores = score_regions(&prediction, &[&prediction, &LabelMap::new(2, 2, vec![0; 4])?])?;
/// assert_eq!((scores.covering, scores.voi), (0.75, 0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn score_regions(prediction: &LabelMap, truth: &[&LabelMap]) -> Result<RegionScores, EvalError> {
    if truth.is_empty() {
        return Err(EvalError::NoTruth);
    }
    let mut mean = RegionScores::default();
    let share = 1.0 / truth.len() as f64;
    for annotator in truth {
        let table = Contingency::new(prediction, annotator)?;
        mean.covering += share * covering(&table);
        mean.pri += share * rand_index(&table);
        mean.voi += share * variation_of_information(&table);
        mean.ari += share * adjusted_rand_index(&table);
        mean.nmi += share * normalized_mutual_information(&table);
        mean.miou += share * matched_mean_iou(&table);
        mean.pixel_accuracy += share * matched_accuracy(&table);
    }
    Ok(mean)
}

/// Prediction and annotators → region scores and boundary counts.
///
/// The prediction's boundary is its Berkeley edge map, thinned; the annotators' are the stored ones. Boundary pixels that are
/// VOID in the prediction or in any annotator's map count on neither side.
///
/// # Errors
/// [`EvalError::Size`], [`EvalError::NoTruth`].
pub fn score_image(prediction: &LabelMap, truth: &[Annotation]) -> Result<ImageScores, EvalError> {
    let labels: Vec<&LabelMap> = truth.iter().map(Annotation::labels).collect();
    let regions = score_regions(prediction, &labels)?;
    Ok(ImageScores {
        regions,
        boundary: score_boundaries(prediction, &boundary(prediction), truth)?,
        region_count: prediction.sizes().iter().filter(|&&size| size > 0).count(),
        annotators: truth.len(),
        truth_pixels: truth_pixels(&labels),
    })
}

/// Annotators' maps → their valid pixels, summed over annotators.
pub fn truth_pixels(truth: &[&LabelMap]) -> u64 {
    let valid = |map: &&LabelMap| map.labels().iter().filter(|&&label| label != VOID).count() as u64;
    truth.iter().map(valid).sum()
}

/// A predicted boundary and annotators → counts at the three tolerances; `prediction` tells which pixels are VOID.
///
/// # Errors
/// [`EvalError::Size`], [`EvalError::NoTruth`].
pub fn score_boundaries(
    prediction: &LabelMap,
    drawn: &Mask,
    truth: &[Annotation],
) -> Result<BoundaryScores, EvalError> {
    same_size(prediction, drawn)?;
    for annotator in truth {
        same_size(prediction, annotator.labels())?;
    }
    let keep = |mask: &Mask| {
        let maps = truth.iter().map(Annotation::labels).chain([prediction]);
        maps.fold(mask.clone(), without_void)
    };
    let drawn = keep(drawn);
    let stored: Vec<Mask> = truth.iter().map(|annotator| keep(annotator.boundary())).collect();
    let stored: Vec<&Mask> = stored.iter().collect();
    Ok(BoundaryScores {
        diagonal: score_boundary(&drawn, &stored, Tolerance::BERKELEY)?,
        px1: score_boundary(&drawn, &stored, Tolerance::Pixels(1.0))?,
        px2: score_boundary(&drawn, &stored, Tolerance::Pixels(2.0))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn void_counts_on_neither_side() {
        let prediction = LabelMap::new(2, 4, vec![0, 0, 1, 1, 0, 0, 1, 1]).unwrap();
        let truth = LabelMap::new(2, 4, vec![0, 0, VOID, VOID, 0, 0, VOID, VOID]).unwrap();
        let stored = Mask::new(2, 4, vec![false, true, true, true, false, true, true, true]).unwrap();
        let annotation = Annotation::with_boundary(truth, stored).unwrap();
        let scores = score_image(&prediction, &[annotation]).unwrap();
        assert_eq!((scores.regions.covering, scores.regions.voi, scores.region_count), (1.0, 0.0, 2));
        assert_eq!(scores.boundary.px1.truth, 2);
        assert_eq!(scores.boundary.px1.f(), 1.0);
    }
}
