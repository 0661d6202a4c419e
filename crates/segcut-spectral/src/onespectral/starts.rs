//! Random vectors from which the 1-spectral descent starts.

use crate::pencil::Pencil;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The most steps of the walk are 2 to this power, less one factor of 2.
const SCALES: usize = 9;

/// One vector per run: uniform noise after 0, 1, 2, 4, … 128 steps of the lazy random walk, then from 0 again.
///
/// Noise at several scales: rough vectors lead to small parts, smooth ones to balanced cuts.
///
/// # Determinism
/// Start r depends on the seed and r only.
pub(super) fn walked_noise(pencil: &Pencil, runs: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let degrees: Vec<f64> = (0..pencil.n()).map(|i| pencil.degree(i)).collect();
    let start = |run: usize| {
        let mut x: Vec<f64> = (0..pencil.n()).map(|_| random.random::<f64>() - 0.5).collect();
        for _ in 0..(1usize << (run % SCALES)) / 2 {
            x = walked(pencil, &degrees, &x);
        }
        x
    };
    (0..runs).map(start).collect()
}

/// ½ (x + D⁻¹·W·x).
fn walked(pencil: &Pencil, degrees: &[f64], x: &[f64]) -> Vec<f64> {
    let mean = |i: usize| {
        let (neighbors, weights) = pencil.row(i);
        let sum: f64 = neighbors.iter().zip(weights).map(|(&j, w)| w * x[j as usize]).sum();
        if degrees[i] > 0.0 { sum / degrees[i] } else { x[i] }
    };
    (0..x.len()).map(|i| 0.5 * (x[i] + mean(i))).collect()
}
