//! Neighbours by a k-d tree, for few coordinates.

use super::neighbors::{Nearest, Neighbor, Search, distance2, keep_nearest};
use kiddo::SquaredEuclidean;
use kiddo::immutable::float::kdtree::ImmutableKdTree;
use ndarray::{ArrayView2, Axis};
use std::num::NonZero;
use std::ops::Range;

/// Points per leaf.
const LEAF: usize = 32;

type Tree<const D: usize> = ImmutableKdTree<f64, u32, D, LEAF>;

/// Points of at most 8 coordinates → their tree.
///
/// Friedman, Bentley & Finkel 1977, by the crate kiddo; at equal distances the smaller number is nearer.
pub(super) fn kd_tree<'a>(points: &'a ArrayView2<'a, f64>) -> Box<dyn Search + 'a> {
    match points.ncols() {
        0 | 1 => Box::new(KdTree::<1>::new(points)),
        2 => Box::new(KdTree::<2>::new(points)),
        3 => Box::new(KdTree::<3>::new(points)),
        4 => Box::new(KdTree::<4>::new(points)),
        5 => Box::new(KdTree::<5>::new(points)),
        6 => Box::new(KdTree::<6>::new(points)),
        7 => Box::new(KdTree::<7>::new(points)),
        _ => Box::new(KdTree::<8>::new(points)),
    }
}

struct KdTree<'a, const D: usize> {
    points: &'a ArrayView2<'a, f64>,
    rows: Vec<[f64; D]>,
    tree: Tree<D>,
}

impl<'a, const D: usize> KdTree<'a, D> {
    fn new(points: &'a ArrayView2<'a, f64>) -> Self {
        let row = |i: usize| {
            let row = points.index_axis(Axis(0), i);
            std::array::from_fn(|d| row.get(d).copied().unwrap_or(0.0))
        };
        let rows: Vec<[f64; D]> = (0..points.nrows()).map(row).collect();
        let tree = Tree::new_from_slice(&rows);
        Self { points, rows, tree }
    }

    /// All others within a squared distance, by our own arithmetic.
    fn ball(&self, i: usize, radius2: f64) -> Vec<Neighbor> {
        // The tree's sums may round otherwise than ours.
        let reach = radius2 * (1.0 + 1e-12) + f64::MIN_POSITIVE;
        let found = self.tree.within_unsorted::<SquaredEuclidean>(&self.rows[i], reach);
        let others = found.into_iter().filter(|near| near.item as usize != i);
        let own = others.map(|near| {
            let distance2 = distance2(self.points, i, near.item as usize);
            Neighbor { node: near.item, distance2 }
        });
        own.filter(|near| near.distance2 <= radius2).collect()
    }
}

impl<const D: usize> Nearest for KdTree<'_, D> {
    fn nearest(&self, rows: Range<usize>, count: usize) -> Vec<Vec<Neighbor>> {
        let others = self.rows.len().saturating_sub(1);
        // Itself, and one more than asked for, to see a tie at the end.
        let Some(wanted) = NonZero::new((count + 2).min(others + 1)) else {
            return rows.map(|_| Vec::new()).collect();
        };
        let nearest = |i: usize| {
            let found = self.tree.nearest_n::<SquaredEuclidean>(&self.rows[i], wanted);
            let own = found.iter().filter(|near| near.item as usize != i);
            let own: Vec<Neighbor> = own
                .map(|near| Neighbor { node: near.item, distance2: distance2(self.points, i, near.item as usize) })
                .collect();
            let own = keep_nearest(own, count + 1);
            match own.get(..=count) {
                Some([.., last, beyond]) if beyond.distance2 <= last.distance2 * (1.0 + 1e-12) => {
                    keep_nearest(self.ball(i, last.distance2), count)
                }
                _ => keep_nearest(own, count),
            }
        };
        rows.map(nearest).collect()
    }

    fn block(&self) -> usize {
        256
    }
}

impl<const D: usize> Search for KdTree<'_, D> {
    fn within(&self, rows: Range<usize>, radius2: f64) -> Vec<Vec<Neighbor>> {
        rows.map(|i| keep_nearest(self.ball(i, radius2), usize::MAX)).collect()
    }
}
