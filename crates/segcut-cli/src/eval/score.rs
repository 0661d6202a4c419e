//! The predictions for one image and its truth → scores, one per setting.

use super::predictions::{Form, Predicted, Predictions};
use crate::args::Task;
use crate::image_job::Failed;
use crate::scoring::{MaskScore, Score};
use segcut_core::{LabelMap, Mask};
use segcut_eval::{BETA_SQUARED, Labels, MaxFProtocol, SemanticCounts, SemanticScores, SoftCounts, UltrametricMap};
use segcut_io::labels::{LabelOptions, read_field, read_labels};
use segcut_io::truth::Truth;
use std::fmt::Display;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The scores of one prediction.
#[derive(Debug, Clone)]
pub enum Scored {
    /// A label map, or a mask made of one.
    Labels(Score),
    /// A gray mask: as a binary one, cut above one half, and as it is.
    Gray {
        /// [`Score::Mask`] of the binary mask.
        binary: Score,
        /// Pixels by level.
        soft: Box<SoftCounts>,
    },
    /// Classes.
    Semantic(SemanticScores),
}

/// What every image of the command shares.
#[derive(Debug)]
pub struct Scorer<'a> {
    /// The predictions.
    pub predictions: &'a Predictions,
    /// What is scored.
    pub task: Option<Task>,
    /// Classes of the whole set, per setting.
    pub semantic: &'a Mutex<Vec<SemanticCounts>>,
}

impl Scored {
    /// Names and values, in the order of scores.csv.
    pub fn columns(&self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Labels(score) => {
                let regions = match score {
                    Score::Regions(scores) => Some(("regions", scores.region_count as f64)),
                    Score::Superpixels(scores) => Some(("regions", scores.regions)),
                    Score::Mask(_) => None,
                };
                score.columns().into_iter().chain(regions).collect()
            }
            Self::Gray { binary, soft } => {
                let own = |(name, value)| (name, if name == "mae" { soft.mae() } else { value });
                let best = SoftCounts::max_f(std::slice::from_ref(soft), BETA_SQUARED, MaxFProtocol::PerImage);
                let best = best.map(|best| ("max_f", best.value));
                binary.columns().into_iter().map(own).chain(best).collect()
            }
            Self::Semantic(scores) => vec![("miou", scores.miou), ("pixel_accuracy", scores.pixel_accuracy)],
        }
    }

    /// As a score of the kind that runs have; classes have none.
    pub fn plain(&self) -> Option<&Score> {
        match self {
            Self::Labels(score) | Self::Gray { binary: score, .. } => Some(score),
            Self::Semantic(_) => None,
        }
    }
}

impl Scorer<'_> {
    /// Scores every setting of one image.
    pub fn image(&self, image: &Predicted, truth: Truth) -> Result<Vec<Scored>, Failed> {
        if self.predictions.form == Form::Ultrametric {
            return self.heights(image, &truth);
        }
        let mut scores = Vec::with_capacity(image.files.len());
        let mut classes = Vec::new();
        for (file, setting) in image.files.iter().zip(&self.predictions.settings) {
            let Some(file) = file else {
                return Err(Failed::error("eval/missing", &format!("{}: no prediction at {setting}", image.id)));
            };
            if self.is_gray(file, &truth)? {
                scores.push(gray(file, &truth)?);
                continue;
            }
            let labels = read_labels(file, &LabelOptions::default()).map_err(|e| Failed::error("eval/read", &e))?;
            check_size(file, (labels.height(), labels.width()), &truth)?;
            if self.task == Some(Task::Semantic) {
                scores.push(semantic(file, &labels, &truth)?);
                classes.push(labels);
            } else {
                scores.push(Scored::Labels(self.labels(file, &labels, &truth)?));
            }
        }
        self.count_classes(&classes, &truth)?;
        Ok(scores)
    }

    fn labels(&self, file: &Path, labels: &LabelMap, truth: &Truth) -> Result<Score, Failed> {
        if self.task == Some(Task::Mask) && !matches!(truth, Truth::Mask { .. }) {
            return Err(fault(file, "the truth is several annotators' regions, not a mask"));
        }
        Score::new(labels, truth.clone(), self.task).map_err(|e| fault(file, e))
    }

    /// Whether the file is a gray mask: where a mask is scored, everything but label maps, which are known by their
    /// names or their palette.
    fn is_gray(&self, file: &Path, truth: &Truth) -> Result<bool, Failed> {
        let scored = matches!((truth, self.task), (Truth::Mask { .. }, None | Some(Task::Mask)));
        Ok(scored
            && match self.predictions.form {
                Form::Mask => true,
                Form::Plain => !has_palette(file).map_err(|e| fault(file, e))?,
                Form::Labels | Form::Ultrametric => false,
            })
    }

    /// Cuts an ultrametric map at every height. A cut that is equal to the one before has its scores.
    fn heights(&self, image: &Predicted, truth: &Truth) -> Result<Vec<Scored>, Failed> {
        let Some(file) = image.files.iter().flatten().next() else { return Ok(Vec::new()) };
        let field = read_field(file, &LabelOptions::default()).map_err(|e| Failed::error("eval/read", &e))?;
        let map = UltrametricMap::new(field.height(), field.width(), field.values()).map_err(|e| fault(file, e))?;
        check_size(file, (field.height() / 2, field.width() / 2), truth)?;
        let mut last: Option<(LabelMap, Scored)> = None;
        let mut scores = Vec::with_capacity(self.predictions.heights.len());
        for &height in &self.predictions.heights {
            let labels = map.cut(height).map_err(|e| fault(file, e))?;
            let scored = match last.take() {
                Some((before, scored)) if before == labels => scored,
                _ => Scored::Labels(self.labels(file, &labels, truth)?),
            };
            scores.push(scored.clone());
            last = Some((labels, scored));
        }
        Ok(scores)
    }

    /// Adds an image whose every setting was scored to the classes of the set. The order of images does not matter:
    /// these are counts.
    fn count_classes(&self, classes: &[LabelMap], truth: &Truth) -> Result<(), Failed> {
        let Truth::Semantic(truth) = truth else { return Ok(()) };
        let mut counts = self.semantic.lock().unwrap_or_else(PoisonError::into_inner);
        for (labels, counts) in classes.iter().zip(counts.iter_mut()) {
            counts.add(labels, truth).map_err(|e| Failed::error("eval/score", &e))?;
        }
        Ok(())
    }
}

fn fault(file: &Path, error: impl Display) -> Failed {
    Failed::error("eval/score", &format!("{}: {error}", file.display()))
}

fn check_size(file: &Path, (height, width): (usize, usize), truth: &Truth) -> Result<(), Failed> {
    let checked = truth.check_size(height, width);
    checked.map_err(|e| Failed::error("eval/size", &format!("{}: prediction and truth: {e}", file.display())))
}

fn semantic(file: &Path, labels: &LabelMap, truth: &Truth) -> Result<Scored, Failed> {
    let Truth::Semantic(truth) = truth else { return Err(fault(file, "the truth is no single map of classes")) };
    let mut counts = SemanticCounts::default();
    counts.add(labels, truth).map_err(|e| fault(file, e))?;
    Ok(Scored::Semantic(counts.scores(Labels::Classes)))
}

/// A gray mask against a mask. A file of 8 bits with only 0 and 1 is a mask of 0 and 1.
fn gray(file: &Path, truth: &Truth) -> Result<Scored, Failed> {
    let Truth::Mask { mask, valid } = truth else { return Err(fault(file, "the truth is no mask")) };
    let field = read_field(file, &LabelOptions::default()).map_err(|e| Failed::error("eval/read", &e))?;
    check_size(file, (field.height(), field.width()), truth)?;
    let (height, width) = (field.height(), field.width());
    let values = stretched(field.into_values());
    let bits = values.iter().map(|&value| value > 0.5).collect();
    let binary = Mask::new(height, width, bits).map_err(|e| fault(file, e))?;
    let counts = MaskScore::new(&binary, mask, valid.as_ref()).map_err(|e| fault(file, e))?;
    let soft = SoftCounts::new(&values, mask, valid.as_ref()).map_err(|e| fault(file, e))?;
    Ok(Scored::Gray { binary: Score::Mask(counts), soft: Box::new(soft) })
}

fn stretched(mut values: Vec<f32>) -> Vec<f32> {
    let one = (1.0f64 / 255.0) as f32;
    if values.iter().all(|&value| value == 0.0 || value == one) {
        values.iter_mut().for_each(|value| *value = f32::from(u8::from(*value > 0.0)));
    }
    values
}

/// Whether a PNG is indexed: its header says so in byte 25. Other files have no palette.
fn has_palette(file: &Path) -> std::io::Result<bool> {
    let mut header = Vec::new();
    std::fs::File::open(file)?.take(26).read_to_end(&mut header)?;
    Ok(header.starts_with(b"\x89PNG") && header.get(25) == Some(&3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_of_zero_and_one_are_masks() {
        let one = (1.0f64 / 255.0) as f32;
        assert_eq!(stretched(vec![0.0, one, one]), [0.0, 1.0, 1.0]);
        assert_eq!(stretched(vec![0.0, one, 2.0 * one]), [0.0, one, 2.0 * one]);
    }
}
