//! Class maps, or unlabeled clusters, of a set of images to scores per class.

use crate::contingency::PairCounter;
use crate::error::same_size;
use crate::{Contingency, EvalError, Overlap, best_matching};
use segcut_core::LabelMap;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the prediction's labels mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// They are class ids, as in the truth.
    Classes,
    /// They are clusters, the same in all images; one to one they take the classes with which they share most pixels.
    Clusters,
}

/// The score of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassScore {
    /// The class id.
    pub class: u32,
    /// Intersection over union over the set.
    pub iou: f64,
    /// Share of the class's true pixels that are found; 0 where there are none.
    pub accuracy: f64,
    /// True pixels.
    pub pixels: u64,
}

/// Scores of a set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SemanticScores {
    /// Images.
    pub images: usize,
    /// Mean IoU over the classes that occur.
    pub miou: f64,
    /// Share of pixels whose class is right.
    pub pixel_accuracy: f64,
    /// Per class, by id.
    pub classes: Vec<ClassScore>,
}

/// Common pixels of classes over a set of images.
#[derive(Debug, Clone, Default)]
pub struct SemanticCounts {
    counter: PairCounter,
    images: usize,
}

impl SemanticCounts {
    /// Adds an image; pixels that are VOID in either map are left out.
    ///
    /// # Errors
    /// [`EvalError::Size`].
    pub fn add(&mut self, prediction: &LabelMap, truth: &LabelMap) -> Result<(), EvalError> {
        same_size(prediction, truth)?;
        self.images += 1;
        self.counter.add(prediction.labels(), truth.labels())
    }

    /// The scores of all images so far.
    ///
    /// IoU is formed from the pixels of the whole set. A class that is in neither map of any image is left out of the
    /// mean; one that is predicted but never true, or true but never predicted, counts 0. Clusters without a
    /// class are wrong everywhere and add no class. No pixel at all gives 1.
    ///
    /// # Examples
    /// ```
    /// use segcut_core::LabelMap;
    /// use segcut_eval::{Labels, SemanticCounts};
    /// let mut counts = SemanticCounts::default();
    /// counts.add(&LabelMap::new(1, 4, vec![9, 9, 9, 5])?, &LabelMap::new(1, 4, vec![0, 0, 1, 1])?)?;
    /// assert_eq!(counts.scores(Labels::Clusters).pixel_accuracy, 0.75);
    /// assert_eq!(counts.scores(Labels::Classes).miou, 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scores(&self, labels: Labels) -> SemanticScores {
        let table = self.counter.clone().table();
        let names = class_names(&table, labels);
        let mut parts: BTreeMap<u32, [u64; 3]> = BTreeMap::new();
        for region in table.truth() {
            parts.entry(region.label).or_default()[1] += region.pixels;
        }
        for (region, name) in table.prediction().iter().zip(&names) {
            if let Some(class) = name {
                parts.entry(*class).or_default()[2] += region.pixels;
            }
        }
        for cell in table.cells() {
            let class = table.truth()[cell.truth as usize].label;
            if names[cell.prediction as usize] == Some(class) {
                parts.entry(class).or_default()[0] += cell.pixels;
            }
        }
        let classes: Vec<ClassScore> = parts.into_iter().map(class_score).collect();
        let hits = |score: &ClassScore| score.accuracy * score.pixels as f64;
        let mean = |sum: f64, over: f64| if over == 0.0 { 1.0 } else { sum / over };
        SemanticScores {
            images: self.images,
            miou: mean(classes.iter().map(|c| c.iou).sum(), classes.len() as f64),
            pixel_accuracy: mean(classes.iter().map(hits).sum(), table.pixels() as f64),
            classes,
        }
    }
}

/// The class that each region of the prediction stands for.
fn class_names(table: &Contingency, labels: Labels) -> Vec<Option<u32>> {
    if labels == Labels::Classes {
        return table.prediction().iter().map(|region| Some(region.label)).collect();
    }
    let mut names = vec![None; table.prediction().len()];
    for cell in best_matching(table, Overlap::Pixels) {
        names[cell.prediction as usize] = Some(table.truth()[cell.truth as usize].label);
    }
    names
}

fn class_score((class, [both, truth, prediction]): (u32, [u64; 3])) -> ClassScore {
    let iou = both as f64 / (truth + prediction - both) as f64;
    let accuracy = if truth == 0 { 0.0 } else { both as f64 / truth as f64 };
    ClassScore { class, iou, accuracy, pixels: truth }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::VOID;

    #[test]
    fn absent_and_invented_classes() {
        let mut counts = SemanticCounts::default();
        let map = |labels: Vec<u32>| LabelMap::new(1, labels.len(), labels).unwrap();
        counts.add(&map(vec![0, 0, 3, 7]), &map(vec![0, 0, 0, VOID])).unwrap();
        counts.add(&map(vec![2, 2]), &map(vec![2, 2])).unwrap();
        let scores = counts.scores(Labels::Classes);
        let ids: Vec<u32> = scores.classes.iter().map(|c| c.class).collect();
        assert_eq!(ids, [0, 2, 3]);
        assert!((scores.miou - (2.0 / 3.0 + 1.0 + 0.0) / 3.0).abs() < 1e-15);
        assert!((scores.pixel_accuracy - 0.8).abs() < 1e-15);
        assert_eq!(SemanticCounts::default().scores(Labels::Clusters).miou, 1.0);
    }
}
