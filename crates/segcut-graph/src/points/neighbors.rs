//! Which points are near which.

use super::brute_force::BruteForce;
use super::kd_tree::kd_tree;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// Coordinates of the points in a tree.
const TREE_DIMS: usize = 8;

/// A point near another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbor {
    pub(super) node: u32,
    /// Squared Euclidean distance.
    pub(super) distance2: f64,
}

/// Finds nearest points of a range of points, by distance, then by number.
pub(super) trait Nearest: Sync {
    /// The `count` nearest other points of every point in the range (fewer where there are no more).
    fn nearest(&self, rows: Range<usize>, count: usize) -> Vec<Vec<Neighbor>>;

    /// Points that are best asked for together.
    fn block(&self) -> usize;
}

/// Finds every neighbour: the same lists whatever the method.
pub(super) trait Search: Nearest {
    /// All other points whose squared distance is at most `radius2`.
    fn within(&self, rows: Range<usize>, radius2: f64) -> Vec<Vec<Neighbor>>;
}

/// Whether so many coordinates make a tree slower than trying all pairs.
pub(super) fn tree_is_slow(dims: usize) -> bool {
    dims > TREE_DIMS
}

/// The method that is fast for so many coordinates.
pub(super) fn search<'a>(points: &'a ArrayView2<'a, f64>) -> Box<dyn Search + 'a> {
    if tree_is_slow(points.ncols()) {
        return Box::new(BruteForce::new(points));
    }
    kd_tree(points)
}

/// The numbers of the `count` nearest other points of every point, the nearest first.
pub(crate) fn neighbors_of(points: ArrayView2<'_, f64>, count: usize) -> Vec<Vec<u32>> {
    let search = search(&points);
    let lists = for_all(points.nrows(), &*search, |rows| search.nearest(rows, count));
    lists.into_iter().map(|list| list.into_iter().map(|near| near.node).collect()).collect()
}

/// Runs a question over all points, in blocks, on all threads.
pub(super) fn for_all(
    n: usize,
    search: &dyn Nearest,
    ask: impl Fn(Range<usize>) -> Vec<Vec<Neighbor>> + Sync,
) -> Vec<Vec<Neighbor>> {
    let block = search.block().max(1);
    let starts: Vec<usize> = (0..n).step_by(block).collect();
    let lists: Vec<_> = starts.into_par_iter().map(|start| ask(start..(start + block).min(n))).collect();
    lists.into_iter().flatten().collect()
}

/// Σ (a − b)², in the order of the coordinates.
pub(super) fn distance2(points: &ArrayView2<'_, f64>, a: usize, b: usize) -> f64 {
    let (a, b) = (points.index_axis(Axis(0), a), points.index_axis(Axis(0), b));
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Sorts by distance, then by number, and keeps the first `count`.
pub(super) fn keep_nearest(mut found: Vec<Neighbor>, count: usize) -> Vec<Neighbor> {
    let order = |a: &Neighbor, b: &Neighbor| a.distance2.total_cmp(&b.distance2).then(a.node.cmp(&b.node));
    if found.len() > count && count > 0 {
        found.select_nth_unstable_by(count - 1, order);
    }
    found.truncate(count);
    found.sort_unstable_by(order);
    found
}

/// Points minus the mean of every column, in rows that lie together.
pub(super) fn centered(points: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut centered = points.as_standard_layout().into_owned();
    let n = points.nrows().max(1) as f64;
    for mut column in centered.columns_mut() {
        let mean = column.iter().map(|x| x / n).sum::<f64>();
        column.mapv_inplace(|x| x - mean);
    }
    centered
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(points: &ArrayView2<'_, f64>, i: usize, keep: impl Fn(f64) -> bool, count: usize) -> Vec<Neighbor> {
        let others = (0..points.nrows()).filter(|&j| j != i);
        let near = others.map(|j| Neighbor { node: j as u32, distance2: distance2(points, i, j) });
        keep_nearest(near.filter(|near| keep(near.distance2)).collect(), count)
    }

    proptest! {
        #[test]
        fn tree_and_brute_force_give_the_same_lists(
            dims in 1usize..10,
            cells in prop::collection::vec(-3i8..4, 1..400),
            count in 1usize..12,
            radius2 in 0.0f64..9.0,
        ) {
            // Whole numbers make ties and duplicates.
            let n = cells.len() / dims;
            let values = cells[..n * dims].iter().map(|&c| f64::from(c)).collect();
            let points = Array2::from_shape_vec((n, dims), values).unwrap();
            let view = points.view();
            let brute = BruteForce::new(&view);
            let fast = search(&view);
            for method in [&brute as &dyn Search, &*fast] {
                for i in 0..n {
                    prop_assert_eq!(&method.nearest(i..i + 1, count)[0], &plain(&view, i, |_| true, count));
                    prop_assert_eq!(&method.within(i..i + 1, radius2)[0], &plain(&view, i, |d| d <= radius2, n));
                }
            }
        }
    }

    #[test]
    fn close_pairs_far_from_the_origin_are_told_apart() {
        // Norms of 1e8 beside distances of 1e-3: products alone would lose them.
        let values = (0..40).flat_map(|i| (0..12).map(move |d| 1e8 + 1e-3 * f64::from(i * (d + 1)))).collect();
        let points = Array2::from_shape_vec((40, 12), values).unwrap();
        let view = points.view();
        let brute = BruteForce::new(&view);
        for i in 0..40 {
            assert_eq!(brute.nearest(i..i + 1, 3)[0], plain(&view, i, |_| true, 3));
        }
    }
}
