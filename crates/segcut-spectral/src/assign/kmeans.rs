//! Points to clusters by k-means.

use super::exchange::exchange;
use super::lanes::Lanes;
use super::plus_plus::{Weighted, coreset, plus_plus};
use ndarray::{Array2, ArrayView2, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// More points than this are started from a coreset.
const CORESET_FROM: usize = 16_384;

/// Starts on a coreset that are continued on all points.
const CONTINUED: usize = 2;

/// Products of a round up to which there are more starts than asked, and exchanges after each.
const FEW: usize = 100_000;

/// How many times as many.
const MORE: usize = 4;

/// Rows per task; fixed, so that sums are the same at any thread count.
const CHUNK: usize = 2048;

/// Number of clusters, restarts and limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KMeansParams {
    /// Clusters.
    pub k: usize,
    /// Starts; the one with the smallest inertia wins. Of few points there are up to four times as many, and
    /// single points change their clusters after the rounds; of many, starts run on a coreset and the best two continue on
    /// all points.
    pub n_init: usize,
    /// Rounds per start.
    pub max_iter: usize,
    /// A start ends when the squared shift of the centers is at most this share of the mean column variance.
    pub tol: f64,
}

impl Default for KMeansParams {
    fn default() -> Self {
        Self { k: 8, n_init: 10, max_iter: 300, tol: 1e-4 }
    }
}

/// Clusters of points.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    /// n labels below k.
    pub labels: Vec<u32>,
    /// k×d centers.
    pub centers: Array2<f64>,
    /// Sum of squared distances to the own center.
    pub inertia: f64,
    /// Rounds of the best start.
    pub iterations: usize,
    /// Whether the best start ended by `tol` and not by `max_iter`.
    pub converged: bool,
}

/// n×d points → k clusters.
///
/// Lloyd's rounds with Hamerly's bounds (SDM 2010) from greedy k-means++ starts (Arthur & Vassilvitskii 2007,
/// 2 + ln k candidates per center), on few points followed by Hartigan's exchanges. More than 16,384 points are started on a lightweight coreset (Bachem, Lucic &
/// Krause 2018): all starts run on it, the best two go on with all points. k is clamped to n (to 1 at least); a
/// cluster that runs empty takes the point farthest from its center. Equal points may leave clusters empty; ties go
/// to the smaller label.
///
/// # Determinism
/// `seed` draws the starts; the result does not depend on the number of threads.
///
/// # Cost
/// O(n·k·d) per round at worst; the bounds skip most of it once the centers settle.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use segcut_spectral::{KMeansParams, kmeans};
/// let points = array![[0.0], [0.2], [9.0], [9.4]];
/// let found = kmeans(points.view(), &KMeansParams { k: 2, ..KMeansParams::default() }, 0);
/// assert!(found.labels[0] == found.labels[1] && found.labels[2] == found.labels[3]);
/// assert!((found.inertia - 0.1).abs() < 1e-12);
/// ```
pub fn kmeans(points: ArrayView2<'_, f64>, params: &KMeansParams, seed: u64) -> KMeans {
    let (n, d) = points.dim();
    let k = params.k.clamp(1, n.max(1));
    if n == 0 || d == 0 {
        return KMeans {
            labels: vec![0; n],
            centers: Array2::zeros((k, d)),
            inertia: 0.0,
            iterations: 0,
            converged: true,
        };
    }
    // Distances are computed from products: centered points lose least to rounding.
    let center = points.sum_axis(Axis(0)) / n as f64;
    let centered = (&points - &center).as_standard_layout().into_owned();
    let all = Weighted { rows: centered.as_slice().unwrap_or_default(), d, weights: None };
    let tolerance = params.tol * all.rows.iter().map(|x| x * x).sum::<f64>() / (n * d) as f64;
    let limits = Limits { max_iter: params.max_iter, tolerance };
    let few = n * k * d <= FEW;
    let starts = if k == 1 { 1 } else { params.n_init.max(1) * (FEW / (n * k * d)).clamp(1, MORE) };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut best = if n > CORESET_FROM.max(8 * k) && k > 1 {
        from_coreset(&all, (k, starts), limits, &mut random)
    } else {
        let found = (0..starts).map(|_| lloyd(&all, plus_plus(&all, k, &mut random), limits));
        smallest(found.map(|found| if few { exchange(&all, found) } else { found }))
    };
    best.centers += &center;
    best
}

/// All starts on a coreset, the best ones on all points.
fn from_coreset(all: &Weighted<'_>, (k, starts): (usize, usize), limits: Limits, random: &mut ChaCha8Rng) -> KMeans {
    let (rows, weights) = coreset(all, (all.n() / 16).clamp(4096, 8192).max(4 * k), random);
    let small = Weighted { rows: &rows, d: all.d, weights: Some(&weights) };
    let mut found: Vec<KMeans> = (0..starts).map(|_| lloyd(&small, plus_plus(&small, k, random), limits)).collect();
    found.sort_by(|a, b| a.inertia.total_cmp(&b.inertia));
    found.truncate(CONTINUED);
    smallest(found.into_iter().map(|start| lloyd(all, start.centers, limits)))
}

fn smallest(found: impl Iterator<Item = KMeans>) -> KMeans {
    let first = |a: KMeans, b: KMeans| if b.inertia < a.inertia { b } else { a };
    let none =
        KMeans { labels: Vec::new(), centers: Array2::zeros((0, 0)), inertia: 0.0, iterations: 0, converged: true };
    found.reduce(first).unwrap_or(none)
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    max_iter: usize,
    /// Of the squared shift of the centers.
    tolerance: f64,
}

/// A point's cluster and Hamerly's bounds: at most `upper` from its center, at least `lower` from any other.
#[derive(Debug, Clone, Copy)]
struct Bound {
    label: u32,
    upper: f64,
    lower: f64,
}

/// What a round needs to know about the centers.
struct Centers {
    lanes: Lanes,
    rows: Vec<f64>,
    /// How far each center moved.
    shifts: Vec<f64>,
    largest_shift: f64,
    /// Half the distance from each center to the next one.
    half_gaps: Vec<f64>,
}

impl Centers {
    fn new(centers: &Array2<f64>, shifts: Vec<f64>) -> Self {
        let k = centers.nrows();
        let gap = |c: usize| {
            let others = (0..k).filter(|&o| o != c).map(|o| square(centers, c, o));
            0.5 * others.fold(f64::INFINITY, f64::min).sqrt()
        };
        let largest_shift = shifts.iter().copied().fold(0.0, f64::max);
        let half_gaps = (0..k).map(gap).collect();
        Self {
            lanes: Lanes::new(centers.view()),
            rows: centers.iter().copied().collect(),
            shifts,
            largest_shift,
            half_gaps,
        }
    }
}

fn square(centers: &Array2<f64>, a: usize, b: usize) -> f64 {
    centers.row(a).iter().zip(centers.row(b)).map(|(x, y)| (x - y) * (x - y)).sum()
}

fn lloyd(points: &Weighted<'_>, mut centers: Array2<f64>, limits: Limits) -> KMeans {
    // Bounds that settle nothing: the first update looks at all centers.
    let mut bounds = vec![Bound { label: 0, upper: f64::INFINITY, lower: 0.0 }; points.n()];
    update(points, &Centers::new(&centers, vec![0.0; centers.nrows()]), &mut bounds);
    let (mut iterations, mut converged) = (0, false);
    while iterations < limits.max_iter && !converged {
        iterations += 1;
        let new = means(points, &mut bounds, &centers);
        let shift = |(a, b): (ndarray::ArrayView1<'_, f64>, ndarray::ArrayView1<'_, f64>)| {
            a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
        };
        let shifts: Vec<f64> = new.rows().into_iter().zip(centers.rows()).map(shift).collect();
        centers = new;
        converged = shifts.iter().map(|s| s * s).sum::<f64>() <= limits.tolerance;
        update(points, &Centers::new(&centers, shifts), &mut bounds);
    }
    let labels: Vec<u32> = bounds.iter().map(|b| b.label).collect();
    let inertia = inertia(points, &labels, &centers);
    KMeans { labels, centers, inertia, iterations, converged }
}

/// The sum of squared distances to the own center, in fixed chunks.
pub(super) fn inertia(points: &Weighted<'_>, labels: &[u32], centers: &Array2<f64>) -> f64 {
    let part = |(chunk, labels): (usize, &[u32])| {
        let square = |(i, &label): (usize, &u32)| {
            let i = chunk * CHUNK + i;
            points.weight(i) * points.square_distance(i, centers.row(label as usize).as_slice().unwrap_or_default())
        };
        labels.iter().enumerate().map(square).sum::<f64>()
    };
    let parts: Vec<f64> = labels.par_chunks(CHUNK).enumerate().map(part).collect();
    parts.into_iter().sum()
}

/// Moves the bounds with the centers and finds the new nearest center where they do not settle it.
fn update(points: &Weighted<'_>, centers: &Centers, bounds: &mut [Bound]) {
    let rows = points.rows.par_chunks(CHUNK * points.d);
    bounds.par_chunks_mut(CHUNK).zip(rows).for_each(|(bounds, rows)| update_chunk(rows, centers, bounds));
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn update_chunk(rows: &[f64], centers: &Centers, bounds: &mut [Bound]) {
    let d = centers.lanes.d();
    for (bound, row) in bounds.iter_mut().zip(rows.chunks_exact(d)) {
        let own = bound.label as usize;
        bound.upper += centers.shifts[own];
        bound.lower -= centers.largest_shift;
        let settled = centers.half_gaps[own].max(bound.lower);
        if bound.upper < settled {
            continue;
        }
        let center = &centers.rows[own * d..(own + 1) * d];
        let square: f64 = row.iter().zip(center).map(|(x, y)| (x - y) * (x - y)).sum();
        bound.upper = square.sqrt();
        if bound.upper >= settled {
            let (label, first, second) = centers.lanes.nearest_two(row);
            *bound = Bound { label, upper: first.sqrt(), lower: second.sqrt() };
        }
    }
}

/// Cluster means in fixed chunks; an empty cluster takes the point farthest from its own center.
fn means(points: &Weighted<'_>, bounds: &mut [Bound], old: &Array2<f64>) -> Array2<f64> {
    let (k, d) = old.dim();
    let parts: Vec<_> = bounds.par_chunks(CHUNK).enumerate().map(|part| sums(points, part, k)).collect();
    let mut sums = vec![0.0; k * d];
    let mut counts = vec![0.0; k];
    for (part, part_counts) in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        counts.iter_mut().zip(part_counts).for_each(|(count, part)| *count += part);
    }
    for empty in 0..k {
        if counts[empty] == 0.0 {
            refill(points, bounds, (&mut sums, &mut counts), (old, empty));
        }
    }
    Array2::from_shape_fn((k, d), |(c, j)| if counts[c] > 0.0 { sums[c * d + j] / counts[c] } else { old[[c, j]] })
}

/// The clusters' sums and weights in one chunk.
fn sums(points: &Weighted<'_>, (chunk, bounds): (usize, &[Bound]), k: usize) -> (Vec<f64>, Vec<f64>) {
    let d = points.d;
    let mut sums = vec![0.0; k * d];
    let mut counts = vec![0.0; k];
    for (i, bound) in bounds.iter().enumerate() {
        let (i, label) = (chunk * CHUNK + i, bound.label as usize);
        let weight = points.weight(i);
        counts[label] += weight;
        let sum = &mut sums[label * d..(label + 1) * d];
        sum.iter_mut().zip(points.row(i)).for_each(|(sum, x)| *sum += weight * x);
    }
    (sums, counts)
}

fn refill(
    points: &Weighted<'_>,
    bounds: &mut [Bound],
    (sums, counts): (&mut [f64], &mut [f64]),
    (old, empty): (&Array2<f64>, usize),
) {
    let d = points.d;
    let distance = |(i, b): (usize, &Bound)| {
        (points.square_distance(i, old.row(b.label as usize).as_slice().unwrap_or_default()), i)
    };
    let spare = bounds.iter().enumerate().filter(|&(i, b)| counts[b.label as usize] > points.weight(i)).map(distance);
    let Some((far, i)) = spare.reduce(|a, b| if b.0 > a.0 { b } else { a }) else { return };
    if far == 0.0 {
        return;
    }
    let (from, weight) = (bounds[i].label as usize, points.weight(i));
    for (j, x) in points.row(i).iter().enumerate() {
        sums[from * d + j] -= weight * x;
        sums[empty * d + j] = weight * x;
    }
    counts[from] -= weight;
    counts[empty] = weight;
    // The bounds are void: the next pass looks at all centers.
    bounds[i] = Bound { label: empty as u32, upper: f64::INFINITY, lower: 0.0 };
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    fn points(n: usize, d: usize, seed: u64) -> Array2<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Array2::from_shape_fn((n, d), |(i, _)| (i % 5) as f64 + 0.8 * random.random::<f64>())
    }

    /// Lloyd without bounds.
    fn plain(points: &Weighted<'_>, mut centers: Array2<f64>, rounds: usize) -> (Vec<u32>, Array2<f64>) {
        let label = |centers: &Array2<f64>| -> Vec<Bound> {
            let lanes = Lanes::new(centers.view());
            (0..points.n())
                .map(|i| Bound { label: lanes.nearest_two(points.row(i)).0, upper: f64::INFINITY, lower: 0.0 })
                .collect()
        };
        let mut bounds = label(&centers);
        for _ in 0..rounds {
            centers = means(points, &mut bounds, &centers);
            bounds = label(&centers);
        }
        (bounds.iter().map(|b| b.label).collect(), centers)
    }

    #[test]
    fn bounds_change_nothing() {
        for seed in 0..5 {
            let points = points(300, 3, seed);
            let all = Weighted { rows: points.as_slice().unwrap(), d: 3, weights: None };
            let start = plus_plus(&all, 7, &mut ChaCha8Rng::seed_from_u64(seed));
            let fast = lloyd(&all, start.clone(), Limits { max_iter: 9, tolerance: -1.0 });
            let (labels, centers) = plain(&all, start, 9);
            assert_eq!(fast.labels, labels);
            assert_eq!(fast.centers, centers);
        }
    }

    #[test]
    fn a_coreset_finds_what_all_points_find() {
        // Five far clusters, one of them tiny.
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let points = Array2::from_shape_fn((20_000, 2), |(i, j)| {
            let cluster = if i % 1000 == 0 { 4 } else { i % 4 };
            random.random::<f64>() + if j == 0 { 10.0 * cluster as f64 } else { 0.0 }
        });
        let found = kmeans(points.view(), &KMeansParams { k: 5, ..KMeansParams::default() }, 0);
        let tiny = found.labels.iter().filter(|&&l| l == found.labels[0]).count();
        assert_eq!(tiny, 20);
        assert!(found.inertia < 20_000.0 * 2.0 / 12.0 * 1.02);
    }

    #[test]
    fn odd_inputs_are_defined() {
        let params = |k| KMeansParams { k, ..KMeansParams::default() };
        assert_eq!(kmeans(Array2::zeros((0, 2)).view(), &params(3), 0).labels, Vec::<u32>::new());
        assert_eq!(kmeans(Array2::ones((4, 2)).view(), &params(3), 0).labels, [0; 4]);
        assert_eq!(kmeans(points(6, 2, 1).view(), &params(1), 0).labels, [0; 6]);
        let mut all = kmeans(points(4, 2, 1).view(), &params(9), 0).labels;
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
        assert_eq!(kmeans(Array2::zeros((5, 0)).view(), &params(2), 0).labels, [0; 5]);
    }

    #[test]
    fn threads_change_nothing() {
        let points = points(9000, 4, 3);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| kmeans(points.view(), &KMeansParams { k: 6, ..KMeansParams::default() }, 5))
        };
        assert_eq!(run(1), run(3));
    }
}
