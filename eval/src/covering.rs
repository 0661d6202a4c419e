//! How well the regions of the prediction cover those of the truth.

use crate::Contingency;

/// Common pixels → segmentation covering of the truth by the prediction, 0 to 1.
///
/// The size-weighted mean, over the truth's regions, of the largest intersection over union with a
/// region of the prediction. Arbelaez, Maire, Fowlkes and Malik 2011, eq. 9, as in their benchmark: the
/// truth is covered, not the prediction. No common pixel gives 1.
///
/// # Examples
/// ```
/// use segcut_eval::{Contingency, covering};
/// let table = Contingency::from_labels(&[0, 0, 0, 0], &[0, 0, 0, 1])?;
/// assert_eq!(covering(&table), (3.0 * 0.75 + 1.0 * 0.25) / 4.0);
/// # Ok::<(), segcut_eval::EvalError>(())
/// ```
pub fn covering(table: &Contingency) -> f64 {
    if table.pixels() == 0 {
        return 1.0;
    }
    let mut best = vec![0.0f64; table.truth().len()];
    for cell in table.cells() {
        let slot = &mut best[cell.truth as usize];
        *slot = slot.max(table.iou(cell));
    }
    let weighted: f64 = table.truth().iter().zip(&best).map(|(region, iou)| region.pixels as f64 * iou).sum();
    weighted / table.pixels() as f64 // eq. 9
}
