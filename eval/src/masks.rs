//! A binary mask and its truth to scores.

use crate::EvalError;
use crate::boundary::BoundaryCounts;
use crate::error::same_size;
use segcut_core::Mask;
use serde::{Deserialize, Serialize};

/// β² of the F measure in the saliency literature (Achanta et al. 2009).
pub const BETA_SQUARED: f64 = 0.3;

/// Pixels of one image, or of several when added up, by prediction and truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MaskCounts {
    /// Inside in both.
    pub true_positive: u64,
    /// Inside in the prediction only.
    pub false_positive: u64,
    /// Inside in the truth only.
    pub false_negative: u64,
    /// Outside in both.
    pub true_negative: u64,
}

impl MaskCounts {
    /// Counts the pixels of one image; those outside `valid` are left out.
    ///
    /// # Errors
    /// [`EvalError::Size`].
    ///
    /// # Examples
    /// ```
    /// use segcut_core::Mask;
    /// use segcut_eval::MaskCounts;
    /// let mask = |bits: [bool; 4]| Mask::new(2, 2, bits.to_vec());
    /// let counts = MaskCounts::new(&mask([true, true, false, false])?, &mask([true, false, true, false])?, None)?;
    /// assert_eq!((counts.iou(), counts.precision(), counts.accuracy()), (1.0 / 3.0, 0.5, 0.5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(prediction: &Mask, truth: &Mask, valid: Option<&Mask>) -> Result<Self, EvalError> {
        same_size(prediction, truth)?;
        if let Some(valid) = valid {
            same_size(prediction, valid)?;
        }
        let mut table = [0u64; 4];
        for (index, (&p, &t)) in prediction.bits().iter().zip(truth.bits()).enumerate() {
            let counted = valid.is_none_or(|valid| valid.bits()[index]);
            table[usize::from(p) * 2 + usize::from(t)] += u64::from(counted);
        }
        let [true_negative, false_negative, false_positive, true_positive] = table;
        Ok(Self { true_positive, false_positive, false_negative, true_negative })
    }

    /// Intersection over union; 1 where both are empty.
    pub fn iou(&self) -> f64 {
        self.share(self.true_positive, self.true_positive + self.false_positive + self.false_negative)
    }

    /// Share of pixels that agree; 1 where no pixel is valid.
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positive + self.true_negative;
        let all = right + self.false_positive + self.false_negative;
        if all == 0 { 1.0 } else { right as f64 / all as f64 }
    }

    /// Share of predicted pixels that are right; 1 where both masks are empty, 0 where only the prediction is.
    pub fn precision(&self) -> f64 {
        self.share(self.true_positive, self.true_positive + self.false_positive)
    }

    /// Share of true pixels that are found; 1 where both masks are empty, 0 where only the truth is.
    pub fn recall(&self) -> f64 {
        self.share(self.true_positive, self.true_positive + self.false_negative)
    }

    /// (1 + β²)·P·R / (β²·P + R); 0 where precision and recall are 0.
    pub fn f_beta(&self, beta_squared: f64) -> f64 {
        f_beta(self.precision(), self.recall(), beta_squared)
    }

    fn share(&self, part: u64, all: u64) -> f64 {
        match (all, self.true_positive + self.false_positive + self.false_negative) {
            (_, 0) => 1.0,
            (0, _) => 0.0,
            _ => part as f64 / all as f64,
        }
    }
}

impl std::ops::AddAssign for MaskCounts {
    fn add_assign(&mut self, other: Self) {
        self.true_positive += other.true_positive;
        self.false_positive += other.false_positive;
        self.false_negative += other.false_negative;
        self.true_negative += other.true_negative;
    }
}

/// The weighted harmonic mean of precision and recall, 0 where both are.
pub(crate) fn f_beta(precision: f64, recall: f64, beta_squared: f64) -> f64 {
    let below = beta_squared * precision + recall;
    if below == 0.0 { 0.0 } else { (1.0 + beta_squared) * precision * recall / below }
}

/// Scores of one mask, or their means over a set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MaskScores {
    /// Images.
    pub images: usize,
    /// Intersection over union, the mean over images.
    pub iou: f64,
    /// Intersection over union of the pixels of all images together.
    pub iou_set: f64,
    /// Share of pixels that agree.
    pub pixel_accuracy: f64,
    /// Precision.
    pub precision: f64,
    /// Recall.
    pub recall: f64,
    /// F with β² = 0.3, the mean of the images' own.
    pub f_beta: f64,
    /// Mean absolute error of the binary masks; that of soft maps is [`SoftCounts::mae`](crate::SoftCounts::mae).
    pub mae: f64,
    /// F of the outlines within 2 pixels, the mean of the images' own.
    pub f_2px: f64,
}

impl MaskScores {
    /// Counts of each image, and of its outlines ([`mask_boundary`](crate::mask_boundary)) → means over images; none for no
    /// image, or another number of outlines.
    pub fn of(images: &[MaskCounts], outlines: &[BoundaryCounts]) -> Option<Self> {
        if images.is_empty() || images.len() != outlines.len() {
            return None;
        }
        let mut sum = MaskCounts::default();
        images.iter().for_each(|&counts| sum += counts);
        let mean = |score: fn(&MaskCounts) -> f64| images.iter().map(score).sum::<f64>() / images.len() as f64;
        Some(Self {
            images: images.len(),
            iou: mean(MaskCounts::iou),
            iou_set: sum.iou(),
            pixel_accuracy: mean(MaskCounts::accuracy),
            precision: mean(MaskCounts::precision),
            recall: mean(MaskCounts::recall),
            f_beta: mean(|counts| counts.f_beta(BETA_SQUARED)),
            mae: mean(|counts| 1.0 - counts.accuracy()),
            f_2px: outlines.iter().map(BoundaryCounts::f).sum::<f64>() / outlines.len() as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_masks() {
        let scores = |tp, fp, fneg| {
            let c = MaskCounts { true_positive: tp, false_positive: fp, false_negative: fneg, true_negative: 5 };
            [c.iou(), c.precision(), c.recall(), c.f_beta(BETA_SQUARED)]
        };
        assert_eq!(scores(0, 0, 0), [1.0; 4]);
        assert_eq!(scores(0, 3, 0), [0.0; 4]);
        assert_eq!(scores(0, 0, 3), [0.0; 4]);
        assert_eq!(MaskCounts::default().accuracy(), 1.0);
        assert_eq!(MaskScores::of(&[], &[]), None);
    }

    #[test]
    fn the_set_weighs_pixels_and_the_mean_images() {
        let full = MaskCounts { true_positive: 1, ..MaskCounts::default() };
        let half = MaskCounts { true_positive: 3, false_positive: 3, ..MaskCounts::default() };
        let scores = MaskScores::of(&[full, half], &[BoundaryCounts::default(); 2]).unwrap();
        assert_eq!((scores.iou, scores.iou_set), (0.75, 4.0 / 7.0));
    }

    #[test]
    fn invalid_pixels_are_left_out() {
        let mask = |bits: [bool; 3]| Mask::new(1, 3, bits.to_vec()).unwrap();
        let (p, t, v) = (mask([true, true, false]), mask([true, false, true]), mask([true, false, false]));
        assert_eq!(MaskCounts::new(&p, &t, Some(&v)).unwrap().iou(), 1.0);
    }
}
