//! Points → k centres and the nearest centre of each point: how a palette is made for an image.

use multiversion::multiversion;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Points that are compared with a centre at once.
const LANES: usize = 16;

/// How many centres [`centres`] makes, and with how much work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lloyd {
    /// Centres.
    pub k: usize,
    /// Points drawn for the iterations.
    pub sample: usize,
    /// Iterations.
    pub steps: usize,
}

/// Centres of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Centres {
    dims: usize,
    rows: Vec<f32>,
    /// |c|² / 2 per centre.
    half_squares: Vec<f32>,
}

/// Points → k centres (fewer where there are fewer points), by a fixed number of Lloyd steps (1982) from a random
/// sample of them. A centre that no point is nearest to stays where it is.
///
/// # Shapes
/// `points` is row-major, `dims` values each, at least one point.
///
/// # Panics
/// Where `dims` is 0.
///
/// # Determinism
/// The seed draws the sample and the first centres.
///
/// # Examples
/// ```
/// use segcut_pixel::{Lloyd, centres};
/// let found = centres(&[0.0, 1.0, 10.0, 11.0], 1, &Lloyd { k: 1, sample: 4, steps: 1 }, 0);
/// assert_eq!(found.rows(), ndarray::arr2(&[[5.5]]));
/// ```
pub fn centres(points: &[f32], dims: usize, lloyd: &Lloyd, seed: u64) -> Centres {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count = points.len() / dims;
    let mut order: Vec<u32> = (0..count as u32).collect();
    let sample = lloyd.sample.min(count);
    // Fisher-Yates: the first `sample` are a random choice in random order.
    for i in 0..sample {
        order.swap(i, random.random_range(i..count));
    }
    let row = |&i: &u32| &points[i as usize * dims..(i as usize + 1) * dims];
    let drawn: Vec<f32> = order[..sample].iter().flat_map(row).copied().collect();
    let k = lloyd.k.min(sample);
    let mut means = drawn[..k * dims].to_vec();
    let mut nearest = vec![0; sample];
    for _ in 0..lloyd.steps {
        Centres::new(&means, dims).nearest(&drawn, &mut nearest);
        move_to_means(&drawn, dims, &nearest, &mut means);
    }
    Centres::new(&means, dims)
}

fn move_to_means(points: &[f32], dims: usize, nearest: &[u32], means: &mut [f32]) {
    let mut sums = vec![0.0f64; means.len()];
    let mut counts = vec![0u32; means.len() / dims];
    for (point, &centre) in points.chunks_exact(dims).zip(nearest) {
        counts[centre as usize] += 1;
        for (sum, &value) in sums[centre as usize * dims..].iter_mut().zip(point) {
            *sum += f64::from(value);
        }
    }
    for (i, (mean, sum)) in means.iter_mut().zip(sums).enumerate().filter(|(i, _)| counts[i / dims] > 0) {
        *mean = (sum / f64::from(counts[i / dims])) as f32;
    }
}

impl Centres {
    fn new(rows: &[f32], dims: usize) -> Self {
        let half_squares = rows.chunks_exact(dims).map(|row| row.iter().map(|v| v * v).sum::<f32>() / 2.0).collect();
        Self { dims, rows: rows.to_vec(), half_squares }
    }

    /// k rows of `dims` values.
    pub fn rows(&self) -> ndarray::Array2<f32> {
        ndarray::Array2::from_shape_fn((self.half_squares.len(), self.dims), |(i, d)| self.rows[i * self.dims + d])
    }

    /// Writes the nearest centre of each point, the first of equals.
    pub fn nearest(&self, points: &[f32], out: &mut [u32]) {
        let mut lanes = vec![[0.0; LANES]; self.dims];
        for (points, out) in points.chunks(LANES * self.dims).zip(out.chunks_mut(LANES)) {
            for (lane, point) in points.chunks_exact(self.dims).enumerate() {
                lanes.iter_mut().zip(point).for_each(|(lanes, &value)| lanes[lane] = value);
            }
            out.copy_from_slice(&nearest_of_lanes(&self.rows, &self.half_squares, &lanes)[..out.len()]);
        }
    }
}

/// The centre with the smallest |c|²/2 − x·c in each lane; a value per dimension and lane.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn nearest_of_lanes(rows: &[f32], half_squares: &[f32], points: &[[f32; LANES]]) -> [u32; LANES] {
    // The usual number of dimensions, known to the compiler.
    match points {
        [x, y, z] => nearest_of_each(rows, half_squares, &[*x, *y, *z]),
        _ => nearest_of_each(rows, half_squares, points),
    }
}

#[inline(always)]
fn nearest_of_each(rows: &[f32], half_squares: &[f32], points: &[[f32; LANES]]) -> [u32; LANES] {
    let (mut best, mut at) = ([f32::INFINITY; LANES], [0u32; LANES]);
    for ((centre, &half), i) in rows.chunks_exact(points.len()).zip(half_squares).zip(0u32..) {
        let mut scores = [half; LANES];
        for (values, &c) in points.iter().zip(centre) {
            scores.iter_mut().zip(values).for_each(|(score, value)| *score -= value * c);
        }
        for lane in 0..LANES {
            at[lane] = if scores[lane] < best[lane] { i } else { at[lane] };
            best[lane] = if scores[lane] < best[lane] { scores[lane] } else { best[lane] };
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separate_groups_are_found() {
        let points: Vec<f32> = (0..90).map(|i| (i % 3 * 10) as f32 + (i / 30) as f32 * 0.1).collect();
        // Random starts may share a group; over some seeds, one must find all three.
        let found = (0..10).any(|seed| {
            let centres = centres(&points, 1, &Lloyd { k: 3, sample: 90, steps: 5 }, seed);
            let mut rows: Vec<f32> = centres.rows().iter().copied().collect();
            rows.sort_by(f32::total_cmp);
            rows.iter().zip([0.1, 10.1, 20.1]).all(|(a, b)| (a - b).abs() < 1e-4)
        });
        assert!(found);
    }

    #[test]
    fn fewer_points_than_centres() {
        let centres = centres(&[1.0, 2.0], 1, &Lloyd { k: 5, sample: 9, steps: 2 }, 0);
        assert_eq!(centres.rows().nrows(), 2);
    }

    proptest! {
        #[test]
        fn the_nearest_is_the_plain_nearest(
            values in prop::collection::vec(-1f32..1.0, 12..240), k in 1usize..40, dims in 1usize..5,
        ) {
            let points = &values[..values.len() / dims * dims];
            let centres = centres(points, dims, &Lloyd { k, sample: 30, steps: 2 }, 7);
            let rows = centres.rows();
            let mut found = vec![0; points.len() / dims];
            centres.nearest(points, &mut found);
            let distance = |point: &[f32], i: usize| {
                point.iter().zip(rows.row(i)).map(|(a, b)| (a - b) * (a - b)).sum::<f32>()
            };
            for (point, &found) in points.chunks(dims).zip(&found) {
                let least = (0..rows.nrows()).map(|i| distance(point, i)).fold(f32::INFINITY, f32::min);
                prop_assert!(distance(point, found as usize) <= least + 1e-5);
            }
        }
    }
}
