//! Eigenvectors to clusters by the nearest indicator matrix.

use super::polar::polar_factor;
use crate::pencil::Pencil;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROTATIONS: usize = 20;
const STARTS: usize = 3;

/// The most starts, which few rows have: as many as make up this number of entries.
const MOST: usize = 20;
const ENTRIES: usize = 100_000;

/// Starts look at no more rows than about this, evenly spread.
const SAMPLE: usize = 8192;

/// n×k eigenvectors → n labels below k.
///
/// Yu & Shi, Multiclass spectral clustering, ICCV 2003: rows are scaled to unit length, and a rotation and an
/// indicator matrix are improved in turn. Differs from the paper: 3 to 20 random first rows are tried, the more the
/// fewer entries there are (on about 8,192 evenly spread rows, where there are more), and the best objective wins; where
/// the graph is known ([`Assign::labels`](crate::Assign::labels)) and every row was looked at, the smallest cut. A zero
/// row stays zero and gets the label that zeros get, 0.
///
/// # Determinism
/// `seed` draws the first rows.
///
/// # Cost
/// O(n·k²) per rotation, at most 20 rotations a start.
///
/// # Examples
/// ```
/// use ndarray::array;
/// let vectors = array![[1.0, 1.0], [1.0, 0.9], [1.0, -1.0], [1.0, -1.1]];
/// let labels = segcut_spectral::discretize(vectors.view(), 0);
/// assert!(labels[0] == labels[1] && labels[2] == labels[3] && labels[0] != labels[2]);
/// ```
pub fn discretize(vectors: ArrayView2<'_, f64>, seed: u64) -> Vec<u32> {
    lowest(vectors, seed, &|_| 0.0)
}

/// The same for a graph: among the optima that the starts lead to, the one with the smallest sum of cut over mass.
pub(super) fn discretize_graph(pencil: &Pencil, vectors: ArrayView2<'_, f64>, seed: u64) -> Vec<u32> {
    let k = vectors.ncols();
    lowest(vectors, seed, &|labels| if labels.len() == pencil.n() { pencil.cut_of(labels, k) } else { 0.0 })
}

/// The labels of the optimum with the lowest value, and of equal ones that with the best objective.
fn lowest(vectors: ArrayView2<'_, f64>, seed: u64, value: &dyn Fn(&[u32]) -> f64) -> Vec<u32> {
    let (n, k) = vectors.dim();
    if n == 0 || k <= 1 {
        return vec![0; n];
    }
    let rows = unit_rows(vectors);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let step = n.div_ceil(SAMPLE);
    let sample = rows.slice(s![..;step, ..]).to_owned();
    let mut best: Option<(f64, Improved)> = None;
    for _ in 0..(ENTRIES / (n * k)).clamp(STARTS, MOST) {
        let found = improve(&sample, spread_rows(&sample, random.random_range(0..sample.nrows())));
        let value = value(&found.labels);
        let better =
            |(least, best): &(f64, Improved)| value < *least || (value == *least && found.objective > best.objective);
        if best.as_ref().is_none_or(better) {
            best = Some((value, found));
        }
    }
    match best {
        Some((_, found)) if step > 1 => improve(&rows, found.rotation).labels,
        Some((_, found)) => found.labels,
        None => vec![0; n],
    }
}

/// A local optimum.
struct Improved {
    labels: Vec<u32>,
    rotation: Array2<f64>,
    /// The sum of singular values, to be large.
    objective: f64,
}

/// Columns to equal norm, then rows to unit length (eq. 4, 5).
fn unit_rows(vectors: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut rows = vectors.to_owned();
    for axis in [Axis(1), Axis(0)] {
        for mut lane in rows.axis_iter_mut(axis) {
            let norm = lane.dot(&lane).sqrt();
            if norm > 0.0 {
                lane /= norm;
            }
        }
    }
    rows
}

/// A rotation whose columns are rows as orthogonal to each other as the data have them.
fn spread_rows(rows: &Array2<f64>, first: usize) -> Array2<f64> {
    let (n, k) = rows.dim();
    let mut rotation = Array2::zeros((k, k));
    let mut overlap = Array1::<f64>::zeros(n);
    let mut chosen = first;
    for j in 0..k {
        rotation.column_mut(j).assign(&rows.row(chosen));
        overlap += &rows.dot(&rows.row(chosen)).mapv(f64::abs);
        let least = overlap.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
        chosen = least.map_or(0, |(i, _)| i);
    }
    rotation
}

/// Labels and rotation in turn, until the objective stands still.
fn improve(rows: &Array2<f64>, mut rotation: Array2<f64>) -> Improved {
    let (n, k) = rows.dim();
    let mut labels = vec![0u32; n];
    let mut objective = f64::NEG_INFINITY;
    for _ in 0..ROTATIONS {
        let turned = rows.dot(&rotation);
        let mut sums = Array2::<f64>::zeros((k, k));
        for ((label, turned), row) in labels.iter_mut().zip(turned.rows()).zip(rows.rows()) {
            *label = largest(turned.iter());
            let mut sum = sums.row_mut(*label as usize);
            sum += &row;
        }
        // X̂ᵀ·X = U·S·Vᵀ; the best rotation is V·Uᵀ (eq. 13).
        let Some((factor, sum)) = polar_factor(&sums) else { break };
        if sum <= objective + f64::EPSILON * n as f64 {
            break;
        }
        objective = sum;
        rotation = factor.reversed_axes();
    }
    Improved { labels, rotation, objective }
}

fn largest<'a>(values: impl Iterator<Item = &'a f64>) -> u32 {
    let mut best = (0, f64::NEG_INFINITY);
    for (j, &value) in values.enumerate() {
        if value > best.1 {
            best = (j as u32, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_directions_are_three_clusters() {
        let vectors = Array2::from_shape_fn((9, 3), |(i, j)| if i % 3 == j { 1.0 + i as f64 * 0.01 } else { 0.02 });
        let labels = discretize(vectors.view(), 7);
        for i in 3..9 {
            assert_eq!(labels[i], labels[i - 3]);
        }
        assert!(labels[0] != labels[1] && labels[1] != labels[2] && labels[0] != labels[2]);
    }

    #[test]
    fn odd_shapes_are_defined() {
        assert_eq!(discretize(Array2::zeros((0, 3)).view(), 0), Vec::<u32>::new());
        assert!(discretize(Array2::zeros((4, 3)).view(), 0).iter().all(|&l| l == 0));
        assert!(discretize(Array2::ones((2, 3)).view(), 0).iter().all(|&l| l < 3));
    }
}
