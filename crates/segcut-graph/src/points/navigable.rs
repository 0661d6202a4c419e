//! Neighbours by a navigable graph of the points, for many points of many coordinates.

use super::brute_force::BruteForce;
use super::neighbors::{Nearest, Neighbor, centered, distance2, keep_nearest};
use instant_distance::{Builder, Heuristic, Hnsw, Point, PointId, Search};
use multiversion::multiversion;
use ndarray::ArrayView2;
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Candidates that are kept while a point is entered.
const ENTERED: usize = 64;

/// Candidates that are kept while neighbours are looked for, at least.
const LOOKED_FOR: usize = 64;

/// The seeds of the orders in which points are entered.
const SEEDS: [u64; 2] = [0, 1];

/// Two hierarchical navigable small worlds.
///
/// Malkov & Yashunin, Efficient and robust approximate nearest neighbor search using hierarchical navigable small world
/// graphs, TPAMI 2018, by the crate instant-distance, in single precision; distances that are returned are computed
/// anew. Links that their algorithm 4 discards are not kept, which makes entering a point twelve times as fast; since a
/// few points of clusters that lie apart are then entered in the wrong one, two graphs are made, in two orders, and
/// the nearest of what both find are returned. Points are entered one after the other, on one thread, so that the
/// graphs are always the same.
pub(super) struct Navigable<'a> {
    points: &'a ArrayView2<'a, f64>,
    worlds: Vec<World>,
    /// For points of which the graphs find too few neighbours; made for the first of them.
    exact: OnceLock<BruteForce<'a>>,
}

struct World {
    graph: Hnsw<Place>,
    /// Numbers of the rows in the graph.
    numbers: Vec<PointId>,
    /// Rows of the graph's numbers.
    rows: Vec<u32>,
}

/// A point's coordinates, within ±1.
#[derive(Clone)]
struct Place(Arc<[f32]>);

impl Point for Place {
    fn distance(&self, other: &Self) -> f32 {
        square(&self.0, &other.0)
    }
}

const LANES: usize = 16;

/// Σ (a − b)².
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn square(a: &[f32], b: &[f32]) -> f32 {
    let (firsts, seconds) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = firsts.remainder().iter().zip(seconds.remainder());
    let rest: f32 = rest.map(|(x, y)| (x - y) * (x - y)).sum();
    let mut sums = [0.0f32; LANES];
    for (first, second) in firsts.zip(seconds) {
        for lane in 0..LANES {
            let apart = first[lane] - second[lane];
            sums[lane] += apart * apart;
        }
    }
    sums.iter().sum::<f32>() + rest
}

impl<'a> Navigable<'a> {
    /// Enters all points, to be asked for `count` neighbours.
    pub(super) fn new(points: &'a ArrayView2<'a, f64>, count: usize) -> Result<Self, ThreadPoolBuildError> {
        let centered = centered(points.view());
        let largest = centered.iter().fold(f64::MIN_POSITIVE, |a, x| a.max(x.abs()));
        let place = |row: ndarray::ArrayView1<'_, f64>| Place(row.iter().map(|x| (x / largest) as f32).collect());
        let places: Vec<Place> = centered.rows().into_iter().map(place).collect();
        let links = Heuristic { extend_candidates: false, keep_pruned: false };
        let builder = Builder::default().select_heuristic(Some(links)).ef_construction(ENTERED);
        let builder = builder.ef_search(LOOKED_FOR.max(2 * count + 2));
        // On several threads the order in which points are entered would be that of chance.
        let alone = ThreadPoolBuilder::new().num_threads(1).build()?;
        let world = |seed| World::new(alone.install(|| builder.clone().seed(seed).build_hnsw(places.clone())));
        Ok(Self { points, worlds: SEEDS.into_iter().map(world).collect(), exact: OnceLock::new() })
    }

    fn found(&self, i: usize, search: &mut Search) -> Vec<Neighbor> {
        let mut nodes: Vec<u32> = self.worlds.iter().flat_map(|world| world.near(i, search)).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let others = nodes.into_iter().filter(|&node| node as usize != i);
        others.map(|node| Neighbor { node, distance2: distance2(self.points, i, node as usize) }).collect()
    }
}

impl World {
    fn new((graph, numbers): (Hnsw<Place>, Vec<PointId>)) -> Self {
        let mut rows = vec![0; numbers.len()];
        for (row, number) in (0..).zip(&numbers) {
            rows[number.into_inner() as usize] = row;
        }
        Self { graph, numbers, rows }
    }

    /// Points that may be the nearest, itself among them.
    fn near(&self, i: usize, search: &mut Search) -> Vec<u32> {
        let near = self.graph.search(&self.graph[self.numbers[i]], search);
        near.map(|item| self.rows[item.pid.into_inner() as usize]).collect()
    }
}

impl Nearest for Navigable<'_> {
    fn nearest(&self, rows: Range<usize>, count: usize) -> Vec<Vec<Neighbor>> {
        let wanted = count.min(self.points.nrows().saturating_sub(1));
        let mut search = Search::default();
        let nearest = |i: usize| match self.found(i, &mut search) {
            // A graph that fell apart would leave lists short.
            found if found.len() < wanted => {
                self.exact.get_or_init(|| BruteForce::new(self.points)).nearest(i..i + 1, count).concat()
            }
            found => keep_nearest(found, count),
        };
        rows.map(nearest).collect()
    }

    fn block(&self) -> usize {
        256
    }
}

#[cfg(test)]
mod tests {
    use super::super::neighbors::{for_all, search};
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Points about `clusters` centers, each cluster spread along three directions.
    fn drawn(n: usize, dims: usize, clusters: usize, seed: u64) -> Array2<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = |rows: usize, cols: usize| {
            Array2::from_shape_simple_fn((rows, cols), || 2.0 * random.random::<f64>() - 1.0)
        };
        let (centers, directions, places) = (uniform(clusters, dims), uniform(3 * clusters, dims), uniform(n, 3));
        Array2::from_shape_fn((n, dims), |(i, d)| {
            let cluster = i % clusters;
            3.0 * centers[[cluster, d]] + (0..3).map(|t| places[[i, t]] * directions[[3 * cluster + t, d]]).sum::<f64>()
        })
    }

    fn lists(points: &Array2<f64>, count: usize) -> Vec<Vec<Neighbor>> {
        let view = points.view();
        let graph = Navigable::new(&view, count).unwrap();
        for_all(points.nrows(), &graph, |rows| graph.nearest(rows, count))
    }

    /// Share of the lists that is as near as the nearest are.
    fn recall(points: &Array2<f64>, count: usize) -> f64 {
        let (view, found) = (points.view(), lists(points, count));
        let exact = search(&view);
        let truth = for_all(points.nrows(), &*exact, |rows| exact.nearest(rows, count));
        let near = |(found, truth): (&Vec<Neighbor>, &Vec<Neighbor>)| {
            let last = truth.last().map_or(0.0, |near| near.distance2);
            found.iter().filter(|near| near.distance2 <= last).count()
        };
        let hits: usize = found.iter().zip(&truth).map(near).sum();
        hits as f64 / (points.nrows() * count) as f64
    }

    #[test]
    fn most_neighbours_are_found() {
        for (n, dims, clusters) in [(1200, 10, 5), (800, 64, 1), (500, 200, 10)] {
            let found = recall(&drawn(n, dims, clusters, 7), 9);
            assert!(found > 0.99, "{n}x{dims}: {found}");
        }
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let noise = Array2::from_shape_simple_fn((1000, 12), || random.random::<f64>());
        let found = recall(&noise, 9);
        assert!(found > 0.95, "noise: {found}");
    }

    #[test]
    fn lists_do_not_depend_on_the_threads() {
        let points = drawn(600, 20, 4, 3);
        let run = |threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| lists(&points, 7))
        };
        let one = run(1);
        assert!([2, 4].into_iter().all(|threads| run(threads) == one));
    }

    proptest! {
        #[test]
        fn every_list_is_full_and_sorted(
            dims in 1usize..12,
            cells in prop::collection::vec(-2i8..3, 1..200),
            count in 0usize..12,
            scale in prop::sample::select(vec![1e-160, 1.0, 1e140]),
        ) {
            // Whole numbers make ties and duplicates.
            let n = cells.len() / dims;
            let values = cells[..n * dims].iter().map(|&c| scale * f64::from(c)).collect();
            let points = Array2::from_shape_vec((n, dims), values).unwrap();
            for (i, list) in lists(&points, count).iter().enumerate() {
                prop_assert_eq!(list.len(), count.min(n - 1));
                prop_assert!(list.iter().all(|near| near.node as usize != i));
                prop_assert!(list.windows(2).all(|two| two[0].distance2 <= two[1].distance2));
                let mut nodes: Vec<u32> = list.iter().map(|near| near.node).collect();
                nodes.sort_unstable();
                nodes.dedup();
                prop_assert_eq!(nodes.len(), list.len());
            }
        }
    }
}
