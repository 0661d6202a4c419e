//! Soft masks and their truth to mean absolute error and F over thresholds.

use crate::EvalError;
use crate::error::same_size;
use crate::masks::f_beta;
use segcut_core::Mask;
use serde::Serialize;

/// Levels at which a soft mask is cut.
pub const LEVELS: usize = 256;

/// A value this little below a level still reaches it, so that v/255 in f32 reaches level v.
const LEVEL_SLACK: f64 = 1e-3;

/// How a set's largest F is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxFProtocol {
    /// F of every image at every threshold, averaged over images; the best threshold of that curve
    /// (PySODMetrics, "max F" of recent tables).
    MeanOfF,
    /// Precision and recall averaged over images at every threshold, F of the averages; the best threshold
    /// (Borji et al. 2015).
    FOfMeans,
    /// The best threshold of each image, averaged over images.
    PerImage,
}

/// The largest F of a set and the threshold that reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MaxF {
    /// F.
    pub value: f64,
    /// In [0, 1]; none where every image has its own.
    pub threshold: Option<f64>,
    /// How it was formed.
    pub protocol: MaxFProtocol,
}

/// A soft mask against a binary truth: pixels by level, and the error.
#[derive(Debug, Clone, PartialEq)]
pub struct SoftCounts {
    /// Pixels inside the truth that reach each level.
    inside: Vec<u64>,
    /// Pixels outside the truth that reach each level.
    outside: Vec<u64>,
    error: f64,
}

impl SoftCounts {
    /// Counts one image's values in [0, 1], row-major; pixels outside `valid` are left out.
    ///
    /// # Errors
    /// [`EvalError`] where a size does not fit or a value is outside [0, 1].
    ///
    /// # Examples
    /// ```
    /// use segcut_core::Mask;
    /// use segcut_eval::{BETA_SQUARED, MaxFProtocol, SoftCounts};
    /// let truth = Mask::new(1, 4, vec![true, true, false, false])?;
    /// let counts = SoftCounts::new(&[0.75, 0.5, 0.25, 0.0], &truth, None)?;
    /// assert_eq!(counts.mae(), 0.25);
    /// let best = SoftCounts::max_f(&[counts], BETA_SQUARED, MaxFProtocol::MeanOfF);
    /// assert_eq!(best.map(|b| b.value), Some(1.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(soft: &[f32], truth: &Mask, valid: Option<&Mask>) -> Result<Self, EvalError> {
        if soft.len() != truth.bits().len() {
            return Err(EvalError::Length { expected: truth.bits().len(), found: soft.len() });
        }
        if let Some(valid) = valid {
            same_size(truth, valid)?;
        }
        let mut counts = Self { inside: vec![0; LEVELS], outside: vec![0; LEVELS], error: 0.0 };
        for (index, (&value, &within)) in soft.iter().zip(truth.bits()).enumerate() {
            if valid.is_some_and(|valid| !valid.bits()[index]) {
                continue;
            }
            if !(0.0..=1.0).contains(&value) {
                return Err(EvalError::SoftValue { index, value });
            }
            let level = (f64::from(value) * (LEVELS - 1) as f64 + LEVEL_SLACK) as usize;
            let side = if within { &mut counts.inside } else { &mut counts.outside };
            side[level] += 1;
            counts.error += (f64::from(value) - f64::from(u8::from(within))).abs();
        }
        accumulate_from_top(&mut counts.inside);
        accumulate_from_top(&mut counts.outside);
        Ok(counts)
    }

    /// Mean absolute difference of soft mask and truth; 0 where no pixel is valid.
    pub fn mae(&self) -> f64 {
        let all = self.inside[0] + self.outside[0];
        if all == 0 { 0.0 } else { self.error / all as f64 }
    }

    /// Precision and recall of the pixels that reach a level; the empty cases are those of [`MaskCounts`](crate::MaskCounts).
    ///
    /// # Panics
    /// Where the level is not below [`LEVELS`].
    pub fn precision_recall(&self, level: usize) -> [f64; 2] {
        let counts = crate::MaskCounts {
            true_positive: self.inside[level],
            false_positive: self.outside[level],
            false_negative: self.inside[0] - self.inside[level],
            true_negative: self.outside[0] - self.outside[level],
        };
        [counts.precision(), counts.recall()]
    }

    /// Images → the largest F over 256 thresholds t/255 (a pixel is inside from the threshold on); none for no image.
    pub fn max_f(images: &[Self], beta_squared: f64, protocol: MaxFProtocol) -> Option<MaxF> {
        if images.is_empty() {
            return None;
        }
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / images.len() as f64;
        let f = |image: &Self, level: usize| {
            let [precision, recall] = image.precision_recall(level);
            f_beta(precision, recall, beta_squared)
        };
        let at = |level: usize| match protocol {
            MaxFProtocol::FOfMeans => {
                let side = |k: usize| mean(&mut images.iter().map(|image| image.precision_recall(level)[k]));
                f_beta(side(0), side(1), beta_squared)
            }
            _ => mean(&mut images.iter().map(|image| f(image, level))),
        };
        if protocol == MaxFProtocol::PerImage {
            let best = |image: &Self| (0..LEVELS).map(|level| f(image, level)).fold(0.0, f64::max);
            return Some(MaxF { value: mean(&mut images.iter().map(best)), threshold: None, protocol });
        }
        let curve: Vec<f64> = (0..LEVELS).map(at).collect();
        let best = (0..LEVELS).fold(0, |best, level| if curve[level] > curve[best] { level } else { best });
        let threshold = Some(best as f64 / (LEVELS - 1) as f64);
        Some(MaxF { value: curve[best], threshold, protocol })
    }
}

fn accumulate_from_top(counts: &mut [u64]) {
    for level in (1..counts.len()).rev() {
        counts[level - 1] += counts[level];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_reaches_its_own_level() {
        let truth = Mask::filled(1, 256, true);
        let soft: Vec<f32> = (0..=255u8).map(|v| f32::from(v) / 255.0).collect();
        let counts = SoftCounts::new(&soft, &truth, None).unwrap();
        assert!((0..LEVELS).all(|level| counts.inside[level] == (LEVELS - level) as u64));
    }

    #[test]
    fn values_and_lengths_are_checked() {
        let truth = Mask::filled(1, 2, true);
        assert!(matches!(SoftCounts::new(&[0.0], &truth, None), Err(EvalError::Length { .. })));
        for bad in [f32::NAN, 1.5, -0.1] {
            assert!(matches!(SoftCounts::new(&[0.0, bad], &truth, None), Err(EvalError::SoftValue { index: 1, .. })));
        }
    }
}
