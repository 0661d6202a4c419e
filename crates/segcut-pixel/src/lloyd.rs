//! Points → k centres and the nearest centre of each point: how a palette is made for an image.

use multiversion::multiversion;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Centres that are compared at once.
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
    k: usize,
    dims: usize,
    /// One plane per dimension, filled up to whole lanes.
    planes: Vec<f32>,
    /// |c|² / 2 per centre; infinite where there is none.
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
        let k = rows.len() / dims;
        let filled = k.next_multiple_of(LANES);
        let mut planes = vec![0.0; dims * filled];
        let mut half_squares = vec![f32::INFINITY; filled];
        for (i, row) in rows.chunks_exact(dims).enumerate() {
            row.iter().enumerate().for_each(|(d, &value)| planes[d * filled + i] = value);
            half_squares[i] = row.iter().map(|v| v * v).sum::<f32>() / 2.0;
        }
        Self { k, dims, planes, half_squares }
    }

    /// k rows of `dims` values.
    pub fn rows(&self) -> ndarray::Array2<f32> {
        let filled = self.half_squares.len();
        ndarray::Array2::from_shape_fn((self.k, self.dims), |(i, d)| self.planes[d * filled + i])
    }

    /// Writes the nearest centre of each point, the first of equals.
    pub fn nearest(&self, points: &[f32], out: &mut [u32]) {
        match self.dims {
            3 => nearest_of_three(&self.planes, &self.half_squares, points, out),
            _ => nearest_of_any(self, points, out),
        }
    }
}

/// Per lane the smallest |c|²/2 − x·c and its centre, over all blocks of centres; then over the lanes.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn nearest_of_three(planes: &[f32], half_squares: &[f32], points: &[f32], out: &mut [u32]) {
    let filled = half_squares.len();
    let plane = |d: usize| planes[d * filled..(d + 1) * filled].as_chunks::<LANES>().0;
    let (a, b, c) = (plane(0), plane(1), plane(2));
    let squares = half_squares.as_chunks::<LANES>().0;
    for (point, out) in points.as_chunks::<3>().0.iter().zip(out) {
        let (mut best, mut at) = ([f32::INFINITY; LANES], [0u32; LANES]);
        for (block, ((a, b), (c, squares))) in a.iter().zip(b).zip(c.iter().zip(squares)).enumerate() {
            for lane in 0..LANES {
                let score = squares[lane] - point[0] * a[lane] - point[1] * b[lane] - point[2] * c[lane];
                at[lane] = if score < best[lane] { (block * LANES + lane) as u32 } else { at[lane] };
                best[lane] = if score < best[lane] { score } else { best[lane] };
            }
        }
        *out = first_smallest(&best, &at);
    }
}

#[inline(always)]
fn first_smallest(best: &[f32; LANES], at: &[u32; LANES]) -> u32 {
    let least = best.iter().copied().fold(f32::INFINITY, f32::min);
    best.iter().zip(at).filter(|(b, _)| **b == least).map(|(_, &a)| a).min().unwrap_or(0)
}

fn nearest_of_any(centres: &Centres, points: &[f32], out: &mut [u32]) {
    let filled = centres.half_squares.len();
    let mut scores = vec![0.0; filled];
    for (point, out) in points.chunks_exact(centres.dims).zip(out) {
        scores.copy_from_slice(&centres.half_squares);
        for (&value, plane) in point.iter().zip(centres.planes.chunks_exact(filled)) {
            scores.iter_mut().zip(plane).for_each(|(score, c)| *score -= value * c);
        }
        let first = scores.iter().zip(0u32..).min_by(|a, b| a.0.total_cmp(b.0));
        *out = first.map_or(0, |(_, i)| i);
    }
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
