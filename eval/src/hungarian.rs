//! One-to-one matching of unlabeled regions with those of the truth.

use crate::{Cell, Contingency};
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// What a matching makes as large as possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// The sum of common pixels.
    Pixels,
    /// The sum of intersections over unions.
    Iou,
}

/// Intersections over unions are rounded to this fraction of one, since the solver compares integers.
const IOU_UNITS: f64 = (1u64 << 40) as f64;

/// Common pixels → the cells of the best one-to-one matching, sorted by prediction.
///
/// Kuhn 1955, Munkres 1957. Prediction and truth may differ in their number of regions; regions that stay
/// alone, or would only be matched without a common pixel, are in no cell.
///
/// # Cost
/// With s ≤ l regions on the two sides: O(s²·min(l, s²)) time. Every region of the smaller side
/// brings at most its s best partners, which never loses the optimum.
pub fn best_matching(table: &Contingency, overlap: Overlap) -> Vec<Cell> {
    let turned = table.prediction().len() > table.truth().len();
    let ends = |cell: &Cell| {
        let [p, t] = [cell.prediction as usize, cell.truth as usize];
        if turned { [t, p] } else { [p, t] }
    };
    let small = table.prediction().len().min(table.truth().len());
    if small == 0 {
        return Vec::new();
    }
    let weight = |cell: &Cell| match overlap {
        Overlap::Pixels => cell.pixels as i64,
        Overlap::Iou => (table.iou(cell) * IOU_UNITS).round() as i64,
    };
    let entries: Vec<Entry> = table.cells().iter().map(|cell| (ends(cell), weight(cell))).collect();
    let partners = assign(small, &entries);
    table.cells().iter().filter(|cell| partners[ends(cell)[0]] == Some(ends(cell)[1])).copied().collect()
}

/// Row, column and weight of a cell.
type Entry = ([usize; 2], i64);

/// The column of each row in the heaviest assignment; there are at least as many columns as rows.
fn assign(small: usize, entries: &[Entry]) -> Vec<Option<usize>> {
    let mut rows: Vec<Vec<Entry>> = vec![Vec::new(); small];
    for &entry in entries {
        rows[entry.0[0]].push(entry);
    }
    for row in &mut rows {
        row.sort_by_key(|entry| std::cmp::Reverse(entry.1));
        row.truncate(small);
    }
    let mut columns: Vec<usize> = rows.iter().flatten().map(|entry| entry.0[1]).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut weights = Matrix::new(small, columns.len().max(small), 0i64);
    for &([row, column], weight) in rows.iter().flatten() {
        weights[(row, columns.partition_point(|&c| c < column))] = weight;
    }
    let (_, partners) = kuhn_munkres(&weights);
    partners.into_iter().map(|place| columns.get(place).copied()).collect()
}

/// Common pixels → mean over the truth's regions of the IoU with their matched region.
///
/// The matching is the one-to-one matching of the largest sum of IoU; a truth region without a partner counts 0.
/// No common pixel gives 1.
///
/// # Examples
/// ```
/// use segcut_eval::{Contingency, matched_mean_iou};
/// let table = Contingency::from_labels(&[7, 7, 7, 4], &[0, 0, 1, 1])?;
/// assert!((matched_mean_iou(&table) - (2.0 / 3.0 + 0.5) / 2.0).abs() < 1e-12);
/// # Ok::<(), segcut_eval::EvalError>(())
/// ```
pub fn matched_mean_iou(table: &Contingency) -> f64 {
    if table.pixels() == 0 {
        return 1.0;
    }
    let sum: f64 = best_matching(table, Overlap::Iou).iter().map(|cell| table.iou(cell)).sum();
    sum / table.truth().len() as f64
}

/// Common pixels → share of pixels that lie in matched regions, with the matching that makes it largest.
///
/// For points and nodes this is the clustering accuracy. No common pixel gives 1.
pub fn matched_accuracy(table: &Contingency) -> f64 {
    if table.pixels() == 0 {
        return 1.0;
    }
    let hits: u64 = best_matching(table, Overlap::Pixels).iter().map(|cell| cell.pixels).sum();
    hits as f64 / table.pixels() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_iou_may_match_differently() {
        // Prediction 0 is large; truth 0 is small and lies in it.
        let mut prediction = vec![0; 12];
        prediction.extend([1; 3]);
        let mut truth = vec![1; 12];
        truth[..4].fill(0);
        truth.extend([1; 3]);
        let table = Contingency::from_labels(&prediction, &truth).unwrap();
        let pixels = best_matching(&table, Overlap::Pixels);
        assert_eq!(pixels.iter().map(|c| (c.prediction, c.truth)).collect::<Vec<_>>(), [(0, 1)]);
        assert!((matched_accuracy(&table) - 8.0 / 15.0).abs() < 1e-15);
        let iou = matched_mean_iou(&table);
        assert!((iou - (4.0 / 12.0 + 3.0 / 11.0) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_match() {
        let table = Contingency::default();
        assert_eq!((matched_mean_iou(&table), matched_accuracy(&table)), (1.0, 1.0));
    }
}
