//! Points to first centers, and many points to a weighted few.

use ndarray::Array2;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// n rows of d values with weights, 1 where there are none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighted<'a> {
    pub(super) rows: &'a [f64],
    pub(super) d: usize,
    pub(super) weights: Option<&'a [f64]>,
}

impl Weighted<'_> {
    pub(super) fn n(&self) -> usize {
        self.rows.len() / self.d
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.d..(i + 1) * self.d]
    }

    pub(super) fn weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[i])
    }

    pub(super) fn square_distance(&self, i: usize, center: &[f64]) -> f64 {
        self.row(i).iter().zip(center).map(|(x, y)| (x - y) * (x - y)).sum()
    }
}

/// Greedy k-means++ (Arthur & Vassilvitskii 2007): every center is the best of 2 + ln k points drawn by their
/// weighted squared distance.
pub(super) fn plus_plus(points: &Weighted<'_>, k: usize, random: &mut ChaCha8Rng) -> Array2<f64> {
    let (n, d) = (points.n(), points.d);
    let candidates = 2 + (k as f64).ln() as usize;
    let weights: Vec<f64> = (0..n).map(|i| points.weight(i)).collect();
    let first = draw(&weights, random.random::<f64>() * weights.iter().sum::<f64>());
    let mut centers = points.row(first).to_vec();
    let mut nearest = vec![f64::INFINITY; n];
    let mut trial = vec![0.0; n];
    closer(points, points.row(first), &nearest, &mut trial);
    std::mem::swap(&mut nearest, &mut trial);
    let mut best_trial = nearest.clone();
    for _ in 1..k {
        let total: f64 = nearest.iter().sum();
        let mut best = (f64::INFINITY, first);
        for _ in 0..candidates {
            let pick = draw(&nearest, random.random::<f64>() * total);
            let potential = closer(points, points.row(pick), &nearest, &mut trial);
            if potential < best.0 {
                best = (potential, pick);
                std::mem::swap(&mut trial, &mut best_trial);
            }
        }
        centers.extend_from_slice(points.row(best.1));
        nearest.copy_from_slice(&best_trial);
    }
    Array2::from_shape_fn((k, d), |(c, j)| centers[c * d + j])
}

/// The smaller of the known and the new weighted squared distances, and their sum.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn closer(points: &Weighted<'_>, center: &[f64], known: &[f64], out: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    for (i, (out, (row, &known))) in out.iter_mut().zip(points.rows.chunks_exact(points.d).zip(known)).enumerate() {
        let mut sums = [0.0f64; 4];
        let (rows, rest) = row.as_chunks::<4>();
        let (centers, rest_center) = center.as_chunks::<4>();
        for (x, y) in rows.iter().zip(centers) {
            for lane in 0..4 {
                sums[lane] += (x[lane] - y[lane]) * (x[lane] - y[lane]);
            }
        }
        let rest: f64 = rest.iter().zip(rest_center).map(|(x, y)| (x - y) * (x - y)).sum();
        let weight = points.weights.map_or(1.0, |weights| weights[i]);
        *out = known.min(weight * (sums[0] + sums[1] + sums[2] + sums[3] + rest));
        sum += *out;
    }
    sum
}

/// The index at which the running sum passes the target.
fn draw(weights: &[f64], mut target: f64) -> usize {
    for (i, &w) in weights.iter().enumerate() {
        target -= w;
        if target < 0.0 {
            return i;
        }
    }
    weights.iter().rposition(|&w| w > 0.0).unwrap_or(0)
}

/// `size` rows drawn with probability ½·1/n + ½·‖x − mean‖²/Σ and weighted by its inverse, so that sums over them
/// estimate sums over all: a lightweight coreset (Bachem, Lucic & Krause 2018, algorithm 1). The mean must be 0.
pub(super) fn coreset(points: &Weighted<'_>, size: usize, random: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
    let n = points.n();
    let squares: Vec<f64> = points.rows.chunks_exact(points.d).map(|r| r.iter().map(|x| x * x).sum()).collect();
    let total: f64 = squares.iter().sum();
    let share = |i: usize| {
        let far = if total > 0.0 { squares[i] / total } else { 1.0 / n as f64 };
        0.5 / n as f64 + 0.5 * far
    };
    // Systematic sampling: one draw, then equal steps through the running sum.
    let step = 1.0 / size as f64;
    let mut next = step * random.random::<f64>();
    let (mut rows, mut weights) = (Vec::with_capacity(size * points.d), Vec::with_capacity(size));
    let mut running = 0.0;
    for i in 0..n {
        let share = share(i);
        running += share;
        let mut times = 0;
        while running > next && weights.len() < size {
            next += step;
            times += 1;
        }
        if times > 0 {
            rows.extend_from_slice(points.row(i));
            weights.push(f64::from(times) * step / share);
        }
    }
    (rows, weights)
}
