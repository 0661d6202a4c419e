//! Large pencils: block Lanczos on (A + σ)⁻¹, four columns at a time.

use super::EigenError;
use super::block_lanczos::{BlockLanczos, BlockRitz};
use super::fast::measured;
use super::pairs::{Eigenpair, Wanted, ended, note};
use super::row_blocks::{Row, WIDTH};
use super::shifted::Shifted;
use segcut_core::{Context, Status};

/// The most blocks between two checks.
const STRIDE: usize = 6;

/// Eigenpairs beside those found already, from random vectors.
pub(super) fn block_search(
    shifted: &Shifted<'_>,
    sigma: f64,
    found: &[Eigenpair],
    wanted: Wanted,
    (context, history): (&Context, &mut Vec<f64>),
) -> Result<(Vec<Eigenpair>, Status), EigenError> {
    let factor = shifted.factor(sigma)?.into_rows();
    let n = shifted.a.pencil.n();
    let avoid: Vec<&[f64]> = found.iter().map(|pair| &pair.vector[..]).collect();
    let mut lanczos = BlockLanczos::new(n, &avoid, drift_limit(wanted.tol), wanted.seed);
    let limit = wanted.max_steps.min((n - found.len()) / WIDTH * WIDTH);
    let mut next_check = 5 * wanted.k / 2 + WIDTH;
    let (ritz, status) = loop {
        lanczos.step(&mut |x: &mut [Row]| factor.solve(x));
        if lanczos.len() < next_check && lanczos.len() < limit {
            continue;
        }
        let ritz = lanczos.ritz().ok_or(EigenError::Dense)?;
        let residual = worst_residual(shifted, (&lanczos, &ritz), sigma, wanted);
        note(residual * wanted.tol, lanczos.len(), context, history);
        context.report("eigenvectors", (residual.max(1.0).log10() / -8.0 + 1.0).clamp(0.0, 1.0));
        let at_limit = (lanczos.len() >= limit).then_some(residual * wanted.tol);
        if let Some(status) = ended(residual <= 1.0, at_limit, context) {
            break (ritz, status);
        }
        next_check = lanczos.len() + WIDTH * blocks_to_go(history, residual);
    };
    drop(factor);
    let k = wanted.k.min(ritz.values.len());
    Ok((measured(&shifted.a, &lanczos.into_vectors(&ritz, k), k), status))
}

/// Products of basis vectors that leave residuals alone: √ε at most.
pub(super) fn drift_limit(tol: f64) -> f64 {
    (1e-5 * tol).clamp(1e-11, 1e-8)
}

/// Blocks until the residual, over what is allowed, should be 1: it falls geometrically.
fn blocks_to_go(history: &[f64], residual: f64) -> usize {
    let [.., before, now] = history else { return 2 };
    let rate = (before / now).ln() / 2.0;
    if rate > 0.0 { ((residual.ln() / rate * 0.8) as usize).clamp(1, STRIDE) } else { 2 }
}

/// The worst residual of the first k Ritz pairs over what is allowed.
///
/// A·u − λ·u = −(A + σ)·V·c/θ with V the next block and c the remainder's coordinates, so that the Gram matrix of
/// A·V gives all residuals; σ is beyond their digits.
fn worst_residual(
    shifted: &Shifted<'_>,
    (lanczos, ritz): (&BlockLanczos, &BlockRitz),
    sigma: f64,
    wanted: Wanted,
) -> f64 {
    let k = wanted.k.min(ritz.values.len());
    let largest = (ritz.values[k - 1].recip() - sigma).max(0.0);
    // The dense eigenvectors of T carry errors of ε·θ₁/θ_k.
    let noise = 64.0 * f64::EPSILON * shifted.a.size * ritz.values[0] / ritz.values[k - 1];
    let allowed = shifted.a.allowed(largest, wanted).max(noise);
    let gram = shifted.a.gram_of_product(lanczos.next());
    let residual = |pair: usize| {
        let c = lanczos.remainder(ritz, pair);
        let square: f64 = (0..WIDTH).map(|i| (0..WIDTH).map(|j| c[i] * gram[i][j] * c[j]).sum::<f64>()).sum();
        square.max(0.0).sqrt() / ritz.values[pair]
    };
    (0..k).map(residual).fold(0.0, f64::max) / allowed
}
