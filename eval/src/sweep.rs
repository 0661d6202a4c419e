//! Scores of a set of images at several settings to the best setting and the best per image.

use crate::{BoundaryCounts, BoundaryScores, EvalError, ImageScores, RegionScores};
use serde::Serialize;

/// Scores at each setting of a swept parameter, image by image.
///
/// One setting is a sweep too: its best per set and per image are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    settings: Vec<String>,
    images: Vec<Vec<ImageScores>>,
}

/// The scores of a set at one setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingScores {
    /// The setting's name.
    pub setting: String,
    /// Means over images, of which each is a mean over annotators; for covering, images weigh as their
    /// truth's pixels.
    #[serde(flatten)]
    pub regions: RegionScores,
    /// Boundary F of the counts summed over images, within 0.0075 of the diagonal.
    pub f: f64,
    /// Its precision.
    pub f_precision: f64,
    /// Its recall.
    pub f_recall: f64,
    /// Boundary F within 1 pixel.
    pub f_1px: f64,
    /// Boundary F within 2 pixels.
    pub f_2px: f64,
    /// Mean number of regions.
    pub region_count: f64,
}

/// A score at the one setting that is best for the set, and with every image's own best setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    /// At the best setting for the set (optimal data set scale).
    pub ods: f64,
    /// That setting; the first of equals.
    pub setting: String,
    /// With the best setting of each image (optimal image scale).
    pub ois: f64,
}

/// What a sweep comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepScores {
    /// Images.
    pub images: usize,
    /// Covering.
    pub covering: Best,
    /// Probabilistic Rand index.
    pub pri: Best,
    /// Variation of information in bits; lowest is best.
    pub voi: Best,
    /// Boundary F within 0.0075 of the diagonal.
    pub f: Best,
    /// Boundary F within 1 pixel.
    pub f_1px: Best,
    /// Boundary F within 2 pixels.
    pub f_2px: Best,
    /// Mean IoU after matching.
    pub miou: Best,
    /// Each setting, in the order given.
    pub settings: Vec<SettingScores>,
}

impl Sweep {
    /// A sweep over named settings, without images yet.
    pub fn new(settings: Vec<String>) -> Self {
        Self { settings, images: Vec::new() }
    }

    /// Adds an image's scores, one per setting in their order.
    ///
    /// # Errors
    /// [`EvalError::Settings`] where their number differs.
    pub fn add(&mut self, scores: Vec<ImageScores>) -> Result<(), EvalError> {
        if scores.len() != self.settings.len() {
            return Err(EvalError::Settings { settings: self.settings.len(), found: scores.len() });
        }
        self.images.push(scores);
        Ok(())
    }

    /// The scores of the set; none without images or settings.
    ///
    /// Region scores are averaged over images; covering weighs every image by its truth's pixels, summed over
    /// annotators, since the Berkeley benchmark pools the regions of all annotators of all images. Boundary counts are summed over images before F is formed, at one setting
    /// for ODS and at each image's best F for OIS (Arbelaez et al. 2011; without their interpolation between
    /// neighbouring thresholds).
    pub fn scores(&self) -> Option<SweepScores> {
        if self.images.is_empty() || self.settings.is_empty() {
            return None;
        }
        Some(SweepScores {
            images: self.images.len(),
            covering: self.best_mean(|s| s.regions.covering, f64::gt, |s| s.truth_pixels as f64),
            pri: self.best_mean(|s| s.regions.pri, f64::gt, |_| 1.0),
            voi: self.best_mean(|s| s.regions.voi, f64::lt, |_| 1.0),
            f: self.best_f(|b| b.diagonal),
            f_1px: self.best_f(|b| b.px1),
            f_2px: self.best_f(|b| b.px2),
            miou: self.best_mean(|s| s.regions.miou, f64::gt, |_| 1.0),
            settings: (0..self.settings.len()).map(|setting| self.setting(setting)).collect(),
        })
    }

    /// The weighted mean over images of one score of each; the plain mean where all weights are 0.
    fn mean(&self, values: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
        let weight: f64 = values.clone().map(|(_, weight)| weight).sum();
        if weight == 0.0 {
            return values.map(|(value, _)| value).sum::<f64>() / self.images.len() as f64;
        }
        values.map(|(value, weight)| value * weight).sum::<f64>() / weight
    }

    fn counts(&self, setting: usize, pick: fn(&BoundaryScores) -> BoundaryCounts) -> BoundaryCounts {
        self.images.iter().map(|image| pick(&image[setting].boundary)).sum()
    }

    fn best_mean(&self, score: Score, better: fn(&f64, &f64) -> bool, weight: Score) -> Best {
        let set = |setting: usize| self.setting_mean(setting, score, weight);
        let means: Vec<f64> = (0..self.settings.len()).map(set).collect();
        let first = first_best(&means, better);
        let own = |image: &Vec<ImageScores>| {
            let values: Vec<f64> = image.iter().map(score).collect();
            (values[first_best(&values, better)], weight(&image[0]))
        };
        Best { ods: means[first], setting: self.settings[first].clone(), ois: self.mean(self.images.iter().map(own)) }
    }

    fn setting_mean(&self, setting: usize, score: Score, weight: Score) -> f64 {
        self.mean(self.images.iter().map(|image| (score(&image[setting]), weight(&image[setting]))))
    }

    fn best_f(&self, pick: fn(&BoundaryScores) -> BoundaryCounts) -> Best {
        let set: Vec<f64> = (0..self.settings.len()).map(|setting| self.counts(setting, pick).f()).collect();
        let first = first_best(&set, f64::gt);
        let own = |image: &Vec<ImageScores>| {
            let values: Vec<f64> = image.iter().map(|scores| pick(&scores.boundary).f()).collect();
            pick(&image[first_best(&values, f64::gt)].boundary)
        };
        let ois: BoundaryCounts = self.images.iter().map(own).sum();
        Best { ods: set[first], setting: self.settings[first].clone(), ois: ois.f() }
    }

    fn setting(&self, setting: usize) -> SettingScores {
        let mean = |score: Score| self.setting_mean(setting, score, |_| 1.0);
        let diagonal = self.counts(setting, |b| b.diagonal);
        SettingScores {
            setting: self.settings[setting].clone(),
            regions: RegionScores {
                covering: self.setting_mean(setting, |s| s.regions.covering, |s| s.truth_pixels as f64),
                pri: mean(|s| s.regions.pri),
                voi: mean(|s| s.regions.voi),
                ari: mean(|s| s.regions.ari),
                nmi: mean(|s| s.regions.nmi),
                miou: mean(|s| s.regions.miou),
                pixel_accuracy: mean(|s| s.regions.pixel_accuracy),
            },
            f: diagonal.f(),
            f_precision: diagonal.precision(),
            f_recall: diagonal.recall(),
            f_1px: self.counts(setting, |b| b.px1).f(),
            f_2px: self.counts(setting, |b| b.px2).f(),
            region_count: mean(|s| s.region_count as f64),
        }
    }
}

/// A number of one image at one setting.
type Score = fn(&ImageScores) -> f64;

/// The first index whose value no other betters.
fn first_best(values: &[f64], better: fn(&f64, &f64) -> bool) -> usize {
    (1..values.len()).fold(0, |best, index| if better(&values[index], &values[best]) { index } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(covering: f64, voi: f64, matched: u64) -> ImageScores {
        let counts = BoundaryCounts { matched_prediction: matched, prediction: 10, matched_truth: matched, truth: 10 };
        ImageScores {
            regions: RegionScores { covering, voi, ..RegionScores::default() },
            boundary: BoundaryScores { diagonal: counts, px1: counts, px2: counts },
            region_count: 2,
            annotators: 1,
            truth_pixels: 100,
        }
    }

    #[test]
    fn best_of_the_set_and_of_each_image() {
        let mut sweep = Sweep::new(vec!["2".into(), "4".into()]);
        assert_eq!(sweep.scores(), None);
        sweep.add(vec![scores(0.5, 2.0, 9), scores(0.7, 1.0, 4)]).unwrap();
        sweep.add(vec![scores(0.6, 3.0, 1), scores(0.5, 3.5, 2)]).unwrap();
        let all = sweep.scores().unwrap();
        assert!((all.covering.ods - 0.6).abs() < 1e-12 && (all.covering.ois - 0.65).abs() < 1e-12);
        assert_eq!((all.covering.setting.as_str(), all.voi.setting.as_str(), all.f.setting.as_str()), ("4", "4", "2"));
        assert_eq!((all.voi.ods, all.voi.ois), (2.25, 2.0));
        assert!((all.f.ods - 0.5).abs() < 1e-12 && (all.f.ois - 0.55).abs() < 1e-12);
        assert_eq!(sweep.add(vec![]), Err(EvalError::Settings { settings: 2, found: 0 }));
    }
}
