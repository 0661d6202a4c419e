//! One region number per pixel.

use crate::Mask;
use thiserror::Error;

/// The label of pixels outside the valid mask.
pub const VOID: u32 = u32::MAX;

/// Why labels make no label map.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LabelMapError {
    /// The number of labels is not H·W.
    #[error("{found} labels do not fill {height}x{width} (height x width)")]
    Length {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// How many labels were given.
        found: usize,
    },
    /// A label is not below n.
    #[error("label {label} at row {row}, column {column} is not below n = {n}")]
    Range {
        /// The label.
        label: u32,
        /// Row.
        row: usize,
        /// Column.
        column: usize,
        /// The number of regions.
        n: usize,
    },
}

/// H×W region numbers (u32, row-major, from 0), [`VOID`] outside the valid mask.
///
/// Superpixels and the final segmentation are this one type.
///
/// *Guarantees*: every label is below [`n`](Self::n) or VOID.
///
/// *Not enforced*: that every number below n occurs ([`compact`](Self::compact) renumbers), that a
/// region is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMap {
    height: usize,
    width: usize,
    labels: Vec<u32>,
    n: usize,
}

impl LabelMap {
    /// A label map; n is the largest label + 1.
    ///
    /// # Errors
    /// [`LabelMapError::Length`].
    pub fn new(height: usize, width: usize, labels: Vec<u32>) -> Result<Self, LabelMapError> {
        if labels.len() != height * width {
            return Err(LabelMapError::Length { height, width, found: labels.len() });
        }
        let n = labels.iter().filter(|&&l| l != VOID).max().map_or(0, |&l| l as usize + 1);
        Ok(Self { height, width, labels, n })
    }

    /// A label map with a given number of regions, of which some may be empty.
    ///
    /// # Errors
    /// [`LabelMapError`] where the length or a label does not fit.
    pub fn with_n(height: usize, width: usize, labels: Vec<u32>, n: usize) -> Result<Self, LabelMapError> {
        if labels.len() != height * width {
            return Err(LabelMapError::Length { height, width, found: labels.len() });
        }
        if let Some(at) = labels.iter().position(|&l| l != VOID && l as usize >= n) {
            return Err(LabelMapError::Range { label: labels[at], row: at / width, column: at % width, n });
        }
        Ok(Self { height, width, labels, n })
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Labels are below this.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Row-major labels.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The labels, given away.
    pub fn into_labels(self) -> Vec<u32> {
        self.labels
    }

    /// Pixels per region.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.n];
        for run in self.labels.chunk_by(|a, b| a == b).filter(|run| run[0] != VOID) {
            sizes[run[0] as usize] += run.len();
        }
        sizes
    }

    /// The same regions numbered without gaps, in the order of their first pixel.
    ///
    /// ```
    /// use segcut_core::{LabelMap, VOID};
    /// let map = LabelMap::new(1, 4, vec![7, VOID, 2, 7])?.compact();
    /// assert_eq!(map.labels(), [0, VOID, 1, 0]);
    /// assert_eq!(map.n(), 2);
    /// # Ok::<(), segcut_core::LabelMapError>(())
    /// ```
    #[must_use]
    pub fn compact(mut self) -> Self {
        let mut names = vec![VOID; self.n];
        let mut next = 0;
        for label in self.labels.iter_mut().filter(|l| **l != VOID) {
            let name = &mut names[*label as usize];
            if *name == VOID {
                *name = next;
                next += 1;
            }
            *label = *name;
        }
        self.n = next as usize;
        self
    }

    /// The same map with every label but VOID replaced by `f(pixel index, label)`, which is below `n`.
    ///
    /// # Panics
    /// Where `f` gives a label that is not below `n`.
    ///
    /// ```
    /// use segcut_core::{LabelMap, VOID};
    /// let map = LabelMap::new(1, 3, vec![0, VOID, 1])?.map_pixels(4, |_, label| 3 - label);
    /// assert_eq!((map.labels(), map.n()), (&[3, VOID, 2][..], 4));
    /// # Ok::<(), segcut_core::LabelMapError>(())
    /// ```
    #[must_use]
    pub fn map_pixels(mut self, n: usize, mut f: impl FnMut(usize, u32) -> u32) -> Self {
        let mut end = 0;
        for (at, label) in self.labels.iter_mut().enumerate().filter(|(_, l)| **l != VOID) {
            *label = f(at, *label);
            end = end.max(*label as usize + 1);
        }
        assert!(end <= n, "label {} is not below n = {n}", end.wrapping_sub(1));
        self.n = n;
        self
    }

    /// Where the label is not VOID.
    pub fn valid(&self) -> Mask {
        let mut mask = Mask::filled(self.height, self.width, true);
        for (bit, &label) in mask.bits_mut().iter_mut().zip(&self.labels) {
            *bit = label != VOID;
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_checked() {
        assert!(matches!(LabelMap::new(2, 2, vec![0; 3]), Err(LabelMapError::Length { found: 3, .. })));
        assert!(matches!(
            LabelMap::with_n(2, 2, vec![0, 1, 2, 0], 2),
            Err(LabelMapError::Range { label: 2, row: 1, column: 0, n: 2 })
        ));
        assert_eq!(LabelMap::new(1, 2, vec![VOID, VOID]).unwrap().n(), 0);
        assert_eq!(LabelMap::new(1, 3, vec![1, VOID, 1]).unwrap().sizes(), [0, 2]);
    }
}
