//! Superpixels and annotators to the scores of the superpixel literature.

use crate::boundary::{disc, positions};
use crate::error::same_size;
use crate::{Annotation, Contingency, EvalError, compactness, edge_map};
use segcut_core::{LabelMap, Mask};
use serde::{Deserialize, Serialize};

/// Scores of one image's superpixels; those against the truth are means over annotators.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SuperpixelScores {
    /// Share of stored boundary pixels within Euclidean 2 px of a superpixel boundary.
    pub boundary_recall: f64,
    /// Undersegmentation error after Neubert and Protzel; lower is better.
    pub undersegmentation_error: f64,
    /// Achievable segmentation accuracy.
    pub asa: f64,
    /// Compactness after Schick et al.
    pub compactness: f64,
    /// Superpixels that have pixels.
    pub regions: f64,
}

/// Superpixels and annotators → scores.
///
/// The superpixel boundary is the Berkeley edge map, not thinned. Pixels that are VOID in a pair of maps
/// are left out of its table; an annotator without boundary pixels has recall 1.
///
/// # Errors
/// [`EvalError::Size`], [`EvalError::NoTruth`].
///
/// # Examples
/// ```
/// use segcut_core::LabelMap;
/// use segcut_eval::{Annotation, score_superpixels};
/// let grid = LabelMap::new(4, 4, (0..16).map(|i| i % 4 / 2 + i / 8 * 2).collect())?;
/// let truth = LabelMap::new(4, 4, (0..16).map(|i| i % 4 / 2).collect())?;
/// let scores = score_superpixels(&grid, &[Annotation::new(truth)])?;
/// assert_eq!((scores.boundary_recall, scores.undersegmentation_error, scores.asa), (1.0, 0.0, 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn score_superpixels(superpixels: &LabelMap, truth: &[Annotation]) -> Result<SuperpixelScores, EvalError> {
    if truth.is_empty() {
        return Err(EvalError::NoTruth);
    }
    let edges = edge_map(superpixels);
    let mut mean = SuperpixelScores {
        compactness: compactness(superpixels),
        regions: superpixels.sizes().iter().filter(|&&size| size > 0).count() as f64,
        ..SuperpixelScores::default()
    };
    let share = 1.0 / truth.len() as f64;
    for annotator in truth {
        let table = Contingency::new(superpixels, annotator.labels())?;
        mean.boundary_recall += share * boundary_recall(&edges, annotator.boundary(), 2.0)?;
        mean.undersegmentation_error += share * undersegmentation_error(&table);
        mean.asa += share * achievable_accuracy(&table);
    }
    Ok(mean)
}

/// Superpixel boundary and stored boundary → share of the stored pixels with a superpixel boundary pixel within reach.
///
/// Several stored pixels may meet the same one. No stored pixel gives 1.
///
/// # Errors
/// [`EvalError::Size`].
pub fn boundary_recall(edges: &Mask, stored: &Mask, reach: f64) -> Result<f64, EvalError> {
    same_size(edges, stored)?;
    let stored = positions(stored);
    if stored.is_empty() {
        return Ok(1.0);
    }
    let offsets = disc(reach);
    let [height, width] = [edges.height(), edges.width()];
    let set = |row: usize, column: usize| row < height && column < width && edges.bits()[row * width + column];
    let near = |[row, column]: &[usize; 2]| {
        offsets.iter().any(|&[down, right]| set(row.wrapping_add_signed(down), column.wrapping_add_signed(right)))
    };
    Ok(stored.iter().filter(|&at| near(at)).count() as f64 / stored.len() as f64)
}

/// Common pixels → undersegmentation error, 0 where every superpixel lies in one region of the truth.
///
/// Σ over overlapping pairs of min(|s ∩ g|, |s ∖ g|), over N; Neubert and Protzel 2012. No common pixel gives 0.
pub fn undersegmentation_error(table: &Contingency) -> f64 {
    if table.pixels() == 0 {
        return 0.0;
    }
    let leak = |cell: &crate::Cell| cell.pixels.min(table.prediction()[cell.prediction as usize].pixels - cell.pixels);
    table.cells().iter().map(leak).sum::<u64>() as f64 / table.pixels() as f64
}

/// Common pixels → share of pixels that are right when every superpixel takes its most frequent truth region.
///
/// Achievable segmentation accuracy, Liu, Tuzel, Ramalingam and Chellappa 2011. No common pixel gives 1.
pub fn achievable_accuracy(table: &Contingency) -> f64 {
    if table.pixels() == 0 {
        return 1.0;
    }
    let mut best = vec![0u64; table.prediction().len()];
    for cell in table.cells() {
        let slot = &mut best[cell.prediction as usize];
        *slot = cell.pixels.max(*slot);
    }
    best.iter().sum::<u64>() as f64 / table.pixels() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_checked_leak() {
        // One superpixel of 4 with a truth border through it (3 | 1), one of 2 inside.
        let table = Contingency::from_labels(&[0, 0, 0, 0, 1, 1], &[0, 0, 0, 1, 1, 1]).unwrap();
        assert_eq!(undersegmentation_error(&table), 2.0 / 6.0);
        assert_eq!(achievable_accuracy(&table), 5.0 / 6.0);
    }

    #[test]
    fn recall_reaches_two_pixels() {
        let mask = |set: &[usize]| Mask::new(1, 6, (0..6).map(|i| set.contains(&i)).collect()).unwrap();
        assert_eq!(boundary_recall(&mask(&[0]), &mask(&[2, 3]), 2.0).unwrap(), 0.5);
        assert_eq!(boundary_recall(&mask(&[]), &mask(&[]), 2.0).unwrap(), 1.0);
        assert_eq!(boundary_recall(&mask(&[]), &mask(&[1]), 2.0).unwrap(), 0.0);
    }
}
