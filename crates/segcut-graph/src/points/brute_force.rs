//! Neighbours by trying all pairs, for many coordinates.

use super::neighbors::{Nearest, Neighbor, Search, centered, distance2, keep_nearest};
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;

/// Products that are held at a time.
const HELD: usize = 1 << 21;

/// All pairs by matrix products.
///
/// |a − b|² = |a|² + |b|² − 2·a·b of the centered points says which pairs may be near, up to the rounding of the sums;
/// those are computed anew from their differences, so the result is that of the plain sums.
pub(super) struct BruteForce<'a> {
    points: &'a ArrayView2<'a, f64>,
    centered: Array2<f64>,
    norms: Vec<f64>,
    /// Bound on the rounding of a squared distance that is made from products, over the sum of both norms.
    rounding: f64,
}

impl<'a> BruteForce<'a> {
    pub(super) fn new(points: &'a ArrayView2<'a, f64>) -> Self {
        let centered = centered(points.view());
        let norms = centered.rows().into_iter().map(|row| row.dot(&row)).collect();
        // Centering moves every coordinate by half a unit in its own last place, which is one of the largest value's.
        let largest = points.iter().fold(0.0f64, |a, x| a.max(x.abs()));
        let spread = centered.iter().fold(f64::MIN_POSITIVE, |a, x| a.max(x.abs()));
        let rounding = f64::EPSILON * (4.0 * points.ncols() as f64 + 16.0) * (1.0 + largest / spread);
        Self { points, centered, norms, rounding }
    }

    /// Per row the others whose approximate distance passes, with exact distances.
    fn candidates(&self, rows: Range<usize>, bound: impl Fn(&mut Vec<f64>) -> f64) -> Vec<Vec<Neighbor>> {
        let block = self.centered.slice(s![rows.clone(), ..]);
        let products = block.dot(&self.centered.t());
        let largest = self.norms.iter().copied().fold(0.0, f64::max);
        let mut distances = Vec::with_capacity(self.norms.len());
        let row = |(i, products): (usize, ndarray::ArrayView1<'_, f64>)| {
            let slack = self.rounding * (self.norms[i] + largest);
            distances.clear();
            distances.extend(products.iter().zip(&self.norms).map(|(p, norm)| self.norms[i] + norm - 2.0 * p));
            distances[i] = f64::INFINITY;
            let near = distances.clone();
            let bound = bound(&mut distances) + 2.0 * slack;
            let passing = near.iter().enumerate().filter(|&(j, d)| j != i && *d <= bound);
            passing.map(|(j, _)| Neighbor { node: j as u32, distance2: distance2(self.points, i, j) }).collect()
        };
        rows.zip(products.rows()).map(row).collect()
    }
}

impl Nearest for BruteForce<'_> {
    fn nearest(&self, rows: Range<usize>, count: usize) -> Vec<Vec<Neighbor>> {
        let bound = |distances: &mut Vec<f64>| match count.checked_sub(1) {
            None => f64::NEG_INFINITY,
            Some(rank) if rank + 1 < distances.len() => *distances.select_nth_unstable_by(rank, f64::total_cmp).1,
            Some(_) => f64::INFINITY,
        };
        self.candidates(rows, bound).into_iter().map(|found| keep_nearest(found, count)).collect()
    }

    fn block(&self) -> usize {
        (HELD / self.norms.len().max(1)).clamp(1, 256)
    }
}

impl Search for BruteForce<'_> {
    fn within(&self, rows: Range<usize>, radius2: f64) -> Vec<Vec<Neighbor>> {
        let passing = self.candidates(rows, |_| radius2).into_iter();
        let near = passing.map(|found| found.into_iter().filter(|near| near.distance2 <= radius2).collect());
        near.map(|found| keep_nearest(found, usize::MAX)).collect()
    }
}
