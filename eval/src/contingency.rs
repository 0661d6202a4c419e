//! Two label maps to the table of their common pixels.

use crate::EvalError;
use crate::error::same_size;
use segcut_core::{LabelMap, VOID};

/// Pixels that carry one label in the prediction and one in the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Index into the prediction's regions.
    pub prediction: u32,
    /// Index into the truth's regions.
    pub truth: u32,
    /// Common pixels, at least 1.
    pub pixels: u64,
}

/// A label and its pixels, among those that are valid in both maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The label as it stands in the map.
    pub label: u32,
    /// Its pixels, at least 1.
    pub pixels: u64,
}

/// The common pixels of every pair of regions, as a sorted sparse table.
///
/// Pixels that are [`VOID`] in either map are left out of both. Labels without pixels do not occur.
///
/// *Guarantees*: cells sorted by (prediction, truth), none empty; regions sorted by label; the
/// regions' pixels are the sums of their cells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contingency {
    cells: Vec<Cell>,
    prediction: Vec<Region>,
    truth: Vec<Region>,
    pixels: u64,
}

impl Contingency {
    /// The table of two maps of one size.
    ///
    /// # Errors
    /// [`EvalError::Size`].
    ///
    /// # Cost
    /// One pass over the pixels, and a sort of the horizontal runs of equal label pairs.
    ///
    /// # Examples
    /// ```
    /// use segcut_core::{LabelMap, VOID};
    /// use segcut_eval::Contingency;
    /// let prediction = LabelMap::new(1, 4, vec![0, 0, 5, 5])?;
    /// let truth = LabelMap::new(1, 4, vec![1, 2, 2, VOID])?;
    /// let table = Contingency::new(&prediction, &truth)?;
    /// assert_eq!((table.cells().len(), table.pixels()), (3, 3));
    /// assert_eq!(table.prediction()[1].label, 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(prediction: &LabelMap, truth: &LabelMap) -> Result<Self, EvalError> {
        same_size(prediction, truth)?;
        Self::from_labels(prediction.labels(), truth.labels())
    }

    /// The table of two lists of labels, for points and nodes.
    ///
    /// # Errors
    /// [`EvalError::Length`].
    pub fn from_labels(prediction: &[u32], truth: &[u32]) -> Result<Self, EvalError> {
        let mut counter = PairCounter::default();
        counter.add(prediction, truth)?;
        Ok(counter.table())
    }

    /// Pairs of regions that share pixels.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Regions of the prediction.
    pub fn prediction(&self) -> &[Region] {
        &self.prediction
    }

    /// Regions of the truth.
    pub fn truth(&self) -> &[Region] {
        &self.truth
    }

    /// Pixels that are valid in both maps.
    pub fn pixels(&self) -> u64 {
        self.pixels
    }

    /// Intersection over union of a cell's two regions.
    pub fn iou(&self, cell: &Cell) -> f64 {
        let union = self.prediction[cell.prediction as usize].pixels + self.truth[cell.truth as usize].pixels;
        cell.pixels as f64 / (union - cell.pixels) as f64
    }
}

/// Counts pairs of labels over one or several maps.
#[derive(Debug, Clone, Default)]
pub(crate) struct PairCounter {
    runs: Vec<(u64, u64)>,
    folded: usize,
}

/// Runs are sorted and merged whenever there are this many more than twice the distinct pairs.
const RUN_BUFFER: usize = 1 << 16;

impl PairCounter {
    /// Adds the pairs of two lists; pairs with a VOID are left out.
    pub(crate) fn add(&mut self, prediction: &[u32], truth: &[u32]) -> Result<(), EvalError> {
        if prediction.len() != truth.len() {
            return Err(EvalError::Length { expected: truth.len(), found: prediction.len() });
        }
        let mut run = (u64::MAX, 0);
        for (&p, &t) in prediction.iter().zip(truth) {
            let key = u64::from(p) << 32 | u64::from(t);
            if key == run.0 {
                run.1 += 1;
                continue;
            }
            self.push(run);
            run = (key, 1);
        }
        self.push(run);
        Ok(())
    }

    fn push(&mut self, run: (u64, u64)) {
        let [prediction, truth] = split(run.0);
        if run.1 == 0 || prediction == VOID || truth == VOID {
            return;
        }
        self.runs.push(run);
        if self.runs.len() >= 2 * self.folded + RUN_BUFFER {
            self.fold();
        }
    }

    fn fold(&mut self) {
        let largest = |side: usize| self.runs.iter().map(|run| split(run.0)[side] as usize).max().unwrap_or(0);
        let rows = largest(0) + 1;
        let columns = largest(1) + 1;
        if rows.saturating_mul(columns) <= self.runs.len() {
            self.fold_dense(rows, columns);
        } else {
            self.fold_sorted();
        }
        self.folded = self.runs.len();
    }

    /// Adds the runs of equal pairs up in a full table; for tables no larger than the list.
    fn fold_dense(&mut self, rows: usize, columns: usize) {
        let mut table = vec![0u64; rows * columns];
        for &(key, pixels) in &self.runs {
            let [row, column] = split(key);
            table[row as usize * columns + column as usize] += pixels;
        }
        let key = |place: usize| ((place / columns) as u64) << 32 | (place % columns) as u64;
        let filled = table.into_iter().enumerate().filter(|(_, pixels)| *pixels > 0);
        self.runs = filled.map(|(place, pixels)| (key(place), pixels)).collect();
    }

    /// Adds the runs of equal pairs up after sorting them.
    fn fold_sorted(&mut self) {
        self.runs.sort_unstable_by_key(|run| run.0);
        self.runs.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
    }

    /// The table of all pairs so far.
    pub(crate) fn table(mut self) -> Contingency {
        self.fold();
        let sums = |side: usize| {
            let mut parts: Vec<Region> =
                self.runs.iter().map(|&(key, pixels)| Region { label: split(key)[side], pixels }).collect();
            parts.sort_unstable_by_key(|part| part.label);
            parts.dedup_by(|next, kept| {
                let same = next.label == kept.label;
                if same {
                    kept.pixels += next.pixels;
                }
                same
            });
            parts
        };
        let (prediction, truth) = (sums(0), sums(1));
        let place = |regions: &[Region], label: u32| regions.partition_point(|r| r.label < label) as u32;
        let cell = |&(key, pixels): &(u64, u64)| {
            let [p, t] = split(key);
            Cell { prediction: place(&prediction, p), truth: place(&truth, t), pixels }
        };
        let cells = self.runs.iter().map(cell).collect();
        let pixels = self.runs.iter().map(|run| run.1).sum();
        Contingency { cells, prediction, truth, pixels }
    }
}

fn split(key: u64) -> [u32; 2] {
    [(key >> 32) as u32, key as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_must_agree() {
        let (a, b) = (LabelMap::new(1, 2, vec![0; 2]).unwrap(), LabelMap::new(2, 1, vec![0; 2]).unwrap());
        assert!(matches!(Contingency::new(&a, &b), Err(EvalError::Size(_))));
    }

    #[test]
    fn the_dense_and_the_sorted_way_agree() {
        let runs: Vec<(u64, u64)> = (0..500u64).map(|i| (((i * 7 % 5) << 32) | (i * 11 % 9), i % 4 + 1)).collect();
        let counter = PairCounter { runs, folded: 0 };
        let (mut dense, mut sorted) = (counter.clone(), counter);
        dense.fold_dense(5, 9);
        sorted.fold_sorted();
        assert_eq!(dense.runs, sorted.runs);
    }

    #[test]
    fn a_long_noisy_map_counts_as_a_short_one() {
        let labels = |step: u64| (0..200_000u64).map(|i| (i * step % 101) as u32).collect::<Vec<_>>();
        let table = Contingency::from_labels(&labels(7919), &labels(104_729)).unwrap();
        assert_eq!(table.pixels(), 200_000);
        let mut plain = std::collections::BTreeMap::new();
        for pair in labels(7919).into_iter().zip(labels(104_729)) {
            *plain.entry(pair).or_insert(0u64) += 1;
        }
        let found: Vec<_> = table.cells().iter().map(|c| ((c.prediction, c.truth), c.pixels)).collect();
        assert_eq!(found, plain.into_iter().collect::<Vec<_>>());
    }
}
