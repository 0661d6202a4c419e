//! Ultrametric contour maps to the segmentations at their thresholds.

use crate::EvalError;
use segcut_core::{LabelMap, LabelMapError};

/// An ultrametric contour map of an H×W image on the doubled grid of (2H+1)×(2W+1) values, row-major.
///
/// Pixel (r, c) lies at (2r+1, 2c+1); the value between two neighbouring pixels is the height at which their
/// regions merge (Arbelaez 2006; the `ucm2` of the Berkeley benchmark).
///
/// *Not enforced*: that the heights are ultrametric; the values at corners are not read.
#[derive(Debug, Clone, PartialEq)]
pub struct UltrametricMap<'a> {
    width: usize,
    values: &'a [f32],
}

impl<'a> UltrametricMap<'a> {
    /// Checks and takes a doubled map.
    ///
    /// # Errors
    /// [`EvalError::Ultrametric`] where a side is even or the number of values does not fit.
    pub fn new(height: usize, width: usize, values: &'a [f32]) -> Result<Self, EvalError> {
        let odd = height % 2 == 1 && width % 2 == 1 && height >= 3 && width >= 3;
        if !odd || values.len() != height * width {
            return Err(EvalError::Ultrametric { height, width, found: values.len() });
        }
        Ok(Self { width, values })
    }

    /// The regions after removing every contour of at most this height.
    ///
    /// As `bwlabel(ucm2 <= t)` sampled at the pixels. Scoring a map at thresholds is scoring each cut, as a [`Sweep`](crate::Sweep).
    ///
    /// # Errors
    /// The type is that of [`LabelMap::new`]; a map that was accepted has the right length.
    ///
    /// # Examples
    /// ```
    /// use segcut_eval::UltrametricMap;
    /// let row = [9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0];
    /// let middle = [9.0, 0.0, 0.2, 0.0, 0.6, 0.0, 9.0];
    /// let values = [row, middle, row].concat();
    /// let map = UltrametricMap::new(3, 7, &values)?;
    /// assert_eq!(map.cut(0.2)?.labels(), [0, 0, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cut(&self, threshold: f32) -> Result<LabelMap, LabelMapError> {
        let width = (self.width - 1) / 2;
        let height = (self.values.len() / self.width - 1) / 2;
        let open = |row: usize, column: usize| self.values[row * self.width + column] <= threshold;
        let mut parent: Vec<u32> = (0..(height * width) as u32).collect();
        for row in 0..height {
            for column in 0..width {
                let pixel = row * width + column;
                if column + 1 < width && open(2 * row + 1, 2 * column + 2) {
                    join(&mut parent, pixel, pixel + 1);
                }
                if row + 1 < height && open(2 * row + 2, 2 * column + 1) {
                    join(&mut parent, pixel, pixel + width);
                }
            }
        }
        let mut names = 0;
        for pixel in 0..parent.len() {
            // Roots are the smallest of their set, so a parent is named before its children.
            let up = parent[pixel] as usize;
            parent[pixel] = if up == pixel { names } else { parent[up] };
            names += u32::from(up == pixel);
        }
        LabelMap::new(height, width, parent)
    }
}

fn root(parent: &mut [u32], mut node: usize) -> usize {
    while parent[node] as usize != node {
        parent[node] = parent[parent[node] as usize];
        node = parent[node] as usize;
    }
    node
}

fn join(parent: &mut [u32], a: usize, b: usize) {
    let (a, b) = (root(parent, a), root(parent, b));
    parent[a.max(b)] = a.min(b) as u32;
}
