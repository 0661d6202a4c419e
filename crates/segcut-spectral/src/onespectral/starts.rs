//! Random vectors from which the 1-spectral descent starts.

use crate::pencil::Pencil;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Uniform noise, one vector per run.
///
/// # Determinism
/// Start r depends on the seed and r only.
pub(super) fn noise(pencil: &Pencil, runs: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..runs).map(|_| (0..pencil.n()).map(|_| random.random::<f64>() - 0.5).collect()).collect()
}
