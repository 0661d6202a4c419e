//! Points to clusters by k-means.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Rows per task; fixed, so that sums are the same at any thread count.
const CHUNK: usize = 2048;

/// Number of clusters, restarts and limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KMeansParams {
    /// Clusters.
    pub k: usize,
    /// Starts; the one with the smallest inertia wins.
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
/// 2 + ln k candidates per center). k is clamped to n (to 1 at least); a cluster that runs empty takes the point
/// farthest from its center. Equal points may leave clusters empty; ties go to the smaller label.
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
    let points = points.as_standard_layout();
    let points = points.view();
    let k = params.k.clamp(1, points.nrows().max(1));
    let tolerance = params.tol * mean_variance(points);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut best: Option<KMeans> = None;
    for _ in 0..if k == 1 { 1 } else { params.n_init.max(1) } {
        let start = plus_plus(points, k, &mut random);
        let found = lloyd(points, start, params.max_iter, tolerance);
        if best.as_ref().is_none_or(|b| found.inertia < b.inertia) {
            best = Some(found);
        }
    }
    best.unwrap_or_else(|| lloyd(points, Array2::zeros((k, points.ncols())), 0, 0.0))
}

fn mean_variance(points: ArrayView2<'_, f64>) -> f64 {
    if points.is_empty() {
        return 0.0;
    }
    points.var_axis(Axis(0), 0.0).mean().unwrap_or(0.0)
}

fn square_distance(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    match (a.to_slice(), b.to_slice()) {
        (Some(a), Some(b)) => squares(a, b),
        _ => a.iter().zip(&b).map(|(x, y)| (x - y) * (x - y)).sum(),
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn squares(a: &[f64], b: &[f64]) -> f64 {
    let (chunks_a, rest_a) = a.as_chunks::<4>();
    let (chunks_b, rest_b) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (x, y) in chunks_a.iter().zip(chunks_b) {
        for lane in 0..4 {
            sums[lane] += (x[lane] - y[lane]) * (x[lane] - y[lane]);
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(x, y)| (x - y) * (x - y)).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// Greedy k-means++: every center is the best of a few points drawn by their squared distance.
fn plus_plus(points: ArrayView2<'_, f64>, k: usize, random: &mut ChaCha8Rng) -> Array2<f64> {
    let (n, d) = points.dim();
    let mut centers = Array2::zeros((k, d));
    if n == 0 {
        return centers;
    }
    let candidates = 2 + (k as f64).ln() as usize;
    let first = random.random_range(0..n);
    centers.row_mut(0).assign(&points.row(first));
    let mut nearest = distances(points, points.row(first), None);
    for c in 1..k {
        let total: f64 = nearest.iter().sum();
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..candidates {
            let pick = draw(&nearest, random.random::<f64>() * total);
            let trial = distances(points, points.row(pick), Some(&nearest));
            let potential = trial.iter().sum();
            if best.as_ref().is_none_or(|b| potential < b.0) {
                best = Some((potential, pick, trial));
            }
        }
        if let Some((_, pick, trial)) = best {
            centers.row_mut(c).assign(&points.row(pick));
            nearest = trial;
        }
    }
    centers
}

fn draw(weights: &[f64], mut target: f64) -> usize {
    for (i, &w) in weights.iter().enumerate() {
        target -= w;
        if target < 0.0 {
            return i;
        }
    }
    weights.iter().rposition(|&w| w > 0.0).unwrap_or(0)
}

/// Squared distances to a center, or the smaller of them and those known.
fn distances(points: ArrayView2<'_, f64>, center: ArrayView1<'_, f64>, known: Option<&[f64]>) -> Vec<f64> {
    let distance = |i: usize| {
        let fresh = square_distance(points.row(i), center);
        known.map_or(fresh, |known| fresh.min(known[i]))
    };
    (0..points.nrows()).into_par_iter().with_min_len(CHUNK).map(distance).collect()
}

/// A point's cluster and Hamerly's bounds: at most `upper` from its center, at least `lower` from any other.
#[derive(Debug, Clone, Copy)]
struct Bound {
    label: u32,
    upper: f64,
    lower: f64,
}

fn lloyd(points: ArrayView2<'_, f64>, mut centers: Array2<f64>, max_iter: usize, tolerance: f64) -> KMeans {
    let mut bounds: Vec<Bound> =
        (0..points.nrows()).into_par_iter().with_min_len(CHUNK).map(|i| nearest_two(points.row(i), &centers)).collect();
    let (mut iterations, mut converged) = (0, false);
    while iterations < max_iter && !converged {
        iterations += 1;
        let new = means(points, &mut bounds, &centers);
        let shifts: Vec<f64> =
            new.rows().into_iter().zip(centers.rows()).map(|(a, b)| square_distance(a, b).sqrt()).collect();
        centers = new;
        converged = shifts.iter().map(|s| s * s).sum::<f64>() <= tolerance;
        move_bounds(points, &centers, &shifts, &mut bounds);
    }
    let labels: Vec<u32> = bounds.iter().map(|b| b.label).collect();
    let inertia =
        labels.iter().enumerate().map(|(i, &l)| square_distance(points.row(i), centers.row(l as usize))).sum();
    KMeans { labels, centers, inertia, iterations, converged }
}

fn nearest_two(point: ArrayView1<'_, f64>, centers: &Array2<f64>) -> Bound {
    let mut bound = Bound { label: 0, upper: f64::INFINITY, lower: f64::INFINITY };
    for (c, center) in centers.rows().into_iter().enumerate() {
        let distance = square_distance(point, center);
        if distance < bound.upper {
            bound = Bound { label: c as u32, upper: distance, lower: bound.upper };
        } else if distance < bound.lower {
            bound.lower = distance;
        }
    }
    Bound { upper: bound.upper.sqrt(), lower: bound.lower.sqrt(), ..bound }
}

/// Cluster means in fixed chunks; an empty cluster takes the point farthest from its own center.
fn means(points: ArrayView2<'_, f64>, bounds: &mut [Bound], old: &Array2<f64>) -> Array2<f64> {
    let (k, d) = old.dim();
    let partial = |(chunk, bounds): (usize, &[Bound])| {
        let mut sums = Array2::<f64>::zeros((k, d));
        let mut counts = vec![0usize; k];
        for (i, bound) in bounds.iter().enumerate() {
            let mut sum = sums.row_mut(bound.label as usize);
            sum += &points.row(chunk * CHUNK + i);
            counts[bound.label as usize] += 1;
        }
        (sums, counts)
    };
    let parts: Vec<_> = bounds.par_chunks(CHUNK).enumerate().map(partial).collect();
    let mut sums = Array2::<f64>::zeros((k, d));
    let mut counts = vec![0usize; k];
    for (part, part_counts) in parts {
        sums += &part;
        counts.iter_mut().zip(part_counts).for_each(|(c, p)| *c += p);
    }
    for empty in 0..k {
        if counts[empty] == 0 {
            refill(points, bounds, (&mut sums, &mut counts), (old, empty));
        }
    }
    for (mut sum, (&count, old)) in sums.rows_mut().into_iter().zip(counts.iter().zip(old.rows())) {
        if count > 0 { sum /= count as f64 } else { sum.assign(&old) }
    }
    sums
}

fn refill(
    points: ArrayView2<'_, f64>,
    bounds: &mut [Bound],
    (sums, counts): (&mut Array2<f64>, &mut [usize]),
    (old, empty): (&Array2<f64>, usize),
) {
    let distance = |(i, b): (usize, &Bound)| (square_distance(points.row(i), old.row(b.label as usize)), i);
    let spare = bounds.iter().enumerate().filter(|(_, b)| counts[b.label as usize] > 1).map(distance);
    let Some((far, i)) = spare.reduce(|a, b| if b.0 > a.0 { b } else { a }) else { return };
    if far == 0.0 {
        return;
    }
    let from = bounds[i].label as usize;
    let mut sum = sums.row_mut(from);
    sum -= &points.row(i);
    counts[from] -= 1;
    sums.row_mut(empty).assign(&points.row(i));
    counts[empty] = 1;
    // The bounds are void: the next pass looks at all centers.
    bounds[i] = Bound { label: empty as u32, upper: f64::INFINITY, lower: 0.0 };
}

/// Moves the bounds with the centers and finds the new nearest center where they do not settle it.
fn move_bounds(points: ArrayView2<'_, f64>, centers: &Array2<f64>, shifts: &[f64], bounds: &mut [Bound]) {
    let half_gap = half_gaps(centers);
    let largest = shifts.iter().copied().fold(0.0, f64::max);
    let update = |(chunk, bounds): (usize, &mut [Bound])| {
        for (i, bound) in bounds.iter_mut().enumerate() {
            let own = bound.label as usize;
            bound.upper += shifts[own];
            bound.lower -= largest;
            let settled = half_gap[own].max(bound.lower);
            if bound.upper < settled {
                continue;
            }
            let point = points.row(chunk * CHUNK + i);
            bound.upper = square_distance(point, centers.row(own)).sqrt();
            if bound.upper >= settled {
                *bound = nearest_two(point, centers);
            }
        }
    };
    bounds.par_chunks_mut(CHUNK).enumerate().for_each(update);
}

/// Half the distance from each center to the next one.
fn half_gaps(centers: &Array2<f64>) -> Vec<f64> {
    let k = centers.nrows();
    let gap = |c: usize| {
        let others = (0..k).filter(|&o| o != c).map(|o| square_distance(centers.row(c), centers.row(o)));
        0.5 * others.fold(f64::INFINITY, f64::min).sqrt()
    };
    (0..k).map(gap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(n: usize, d: usize, seed: u64) -> Array2<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Array2::from_shape_fn((n, d), |(i, _)| (i % 5) as f64 + 0.8 * random.random::<f64>())
    }

    /// Lloyd without bounds.
    fn plain(points: ArrayView2<'_, f64>, mut centers: Array2<f64>, rounds: usize) -> (Vec<u32>, Array2<f64>) {
        let label = |centers: &Array2<f64>| -> Vec<Bound> {
            points.rows().into_iter().map(|p| nearest_two(p, centers)).collect()
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
            let start = plus_plus(points.view(), 7, &mut ChaCha8Rng::seed_from_u64(seed));
            let fast = lloyd(points.view(), start.clone(), 9, -1.0);
            let (labels, centers) = plain(points.view(), start, 9);
            assert_eq!(fast.labels, labels);
            assert_eq!(fast.centers, centers);
        }
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
