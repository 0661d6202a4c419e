//! Connected sparse pencils to their smallest eigenpairs: Lanczos on (A + σ)⁻¹, A = M^-½ L M^-½.
//!
//! Ericsson & Ruhe 1980. The known null vector is deflated, so σ can be far below the spectrum; residuals are
//! those of A, not of the inverse.

use super::EigenError;
use super::block_search::block_search;
use super::cholesky::minimum_degree;
use super::fast::{measured, side_by_side};
use super::lanczos::Lanczos;
use super::nested_dissection::nested_dissection;
use super::pairs::{Eigenpair, Pairs, Wanted, ended, note};
use super::params::Solver;
use super::shifted::Shifted;
use super::smallest::refuse_above;
use crate::kernels::norm;
use crate::pencil::Pencil;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, Status};

/// σ as a share of the largest diagonal entry of A.
const SHIFT: f64 = 1e-9;

/// Larger pencils are solved block by block: the factor no longer fits into the caches.
const BLOCKS_FROM: usize = 6000;

/// The k smallest eigenpairs; `start` (n values) replaces the random start vector of small pencils.
pub(crate) fn shift_invert(
    pencil: &Pencil,
    wanted: Wanted,
    start: Option<&[f64]>,
    context: &Context,
) -> Result<Pairs, EigenError> {
    let order = elimination_order(pencil)?;
    let permuted = pencil.reordered(&order);
    let start = start.map(|s| order.iter().map(|&i| s[i as usize]).collect());
    let mut pairs = shift_invert_in_order(&permuted, wanted, start, context)?;
    for vector in &mut pairs.vectors {
        let mut original = vec![0.0; vector.len()];
        order.iter().zip(vector.iter()).for_each(|(&i, &x)| original[i as usize] = x);
        *vector = original;
    }
    Ok(pairs)
}

/// Nested dissection where large pencils lie in the plane, else minimum degree.
pub(super) fn elimination_order(pencil: &Pencil) -> Result<Vec<u32>, EigenError> {
    if pencil.n() >= BLOCKS_FROM && !pencil.positions().is_empty() {
        return Ok(nested_dissection(pencil, pencil.positions()));
    }
    minimum_degree(pencil)
}

/// The same for a pencil that stands in a good elimination order already.
pub(crate) fn shift_invert_in_order(
    pencil: &Pencil,
    wanted: Wanted,
    start: Option<Vec<f64>>,
    context: &Context,
) -> Result<Pairs, EigenError> {
    let shifted = Shifted::new(pencil)?;
    refuse_above(wanted.max_bytes, Solver::ShiftInvert, bytes(&shifted, wanted.k))?;
    run(&shifted, wanted, start, context)
}

/// The estimate of the bytes needed.
pub(super) fn bytes(shifted: &Shifted<'_>, k: usize) -> u64 {
    let basis = if shifted.a.pencil.n() < BLOCKS_FROM { 3 * k + 20 } else { 4 * k + 24 };
    shifted.bytes(k, basis)
}

fn run(shifted: &Shifted<'_>, wanted: Wanted, start: Option<Vec<f64>>, context: &Context) -> Result<Pairs, EigenError> {
    let n = shifted.a.pencil.n();
    let mut history = Vec::new();
    let mut found = vec![Eigenpair { value: 0.0, vector: shifted.a.null.clone(), residual: 0.0 }];
    let mut status = Status::Converged;
    let mut certified = None;
    let mut start = start.unwrap_or_else(|| random_start(n, wanted.seed));
    for round in 0..4 {
        let more = (wanted.k - found.len().min(wanted.k)).max(usize::from(round > 0));
        let part = Wanted { k: more, seed: wanted.seed.wrapping_add(round), ..wanted };
        let (new, state) = search(shifted, &found, part, start, (context, &mut history))?;
        if status == Status::Converged {
            status = state;
        }
        found.extend(new);
        found.sort_by(|a, b| a.value.total_cmp(&b.value));
        if !wanted.certify || state != Status::Converged {
            break;
        }
        let values: Vec<f64> = found.iter().map(|pair| pair.value).collect();
        certified = shifted.certify(&values, wanted)?;
        if certified != Some(false) {
            break;
        }
        start = random_start(n, wanted.seed.wrapping_add(round + 1));
    }
    found.truncate(wanted.k);
    Ok(Pairs { certified, history, ..Pairs::new(found, status, Solver::ShiftInvert) })
}

/// Eigenpairs beside those found already, in blocks where the factor is large.
fn search(
    shifted: &Shifted<'_>,
    found: &[Eigenpair],
    wanted: Wanted,
    start: Vec<f64>,
    log: (&Context, &mut Vec<f64>),
) -> Result<(Vec<Eigenpair>, Status), EigenError> {
    if shifted.a.pencil.n() >= BLOCKS_FROM {
        return block_search(shifted, SHIFT * shifted.a.size, found, wanted, log);
    }
    lanczos_search(shifted, found, wanted, start, log)
}

/// The same one vector at a time.
fn lanczos_search(
    shifted: &Shifted<'_>,
    found: &[Eigenpair],
    wanted: Wanted,
    start: Vec<f64>,
    (context, history): (&Context, &mut Vec<f64>),
) -> Result<(Vec<Eigenpair>, Status), EigenError> {
    let deflated: Vec<f64> = found.iter().flat_map(|pair| pair.vector.iter().copied()).collect();
    let room = shifted.a.pencil.n().saturating_sub(found.len());
    let k = wanted.k.min(room);
    if k == 0 {
        return Ok((Vec::new(), Status::Converged));
    }
    let mut lanczos = Lanczos::new(deflated, start, wanted.seed);
    let factor = shifted.factor(SHIFT * shifted.a.size)?;
    let mut operator = |x: &mut [f64]| factor.solve(x, 1);
    let mut next_check = (k + k / 2 + 3).max(6).min(room);
    let status = loop {
        while lanczos.len() < next_check {
            lanczos.step(&mut operator)?;
        }
        let residual = worst_residual(shifted, &lanczos, k, wanted);
        note(residual * wanted.tol, lanczos.len(), context, history);
        let at_limit = (lanczos.len() >= wanted.max_steps).then_some(residual * wanted.tol);
        if let Some(status) = ended(residual <= 1.0 || lanczos.len() >= room, at_limit, context) {
            break status;
        }
        next_check = (lanczos.len() + steps_to_go(history, residual)).min(room);
    };
    let vectors = lanczos.vectors(k).ok_or(EigenError::Dense)?;
    Ok((measured(&shifted.a, &side_by_side(shifted.a.pencil.n(), &vectors), vectors.len()), status))
}

/// Steps until the residual, over what is allowed, should be 1, where it goes on to fall as in the last few steps.
fn steps_to_go(history: &[f64], residual: f64) -> usize {
    let [.., before, now] = history else { return 4 };
    let left = residual.ln() / (before / now).ln();
    if left > 0.0 { ((4.0 * left) as usize).clamp(2, 6) } else { 4 }
}

/// The worst residual of the first k Ritz pairs over what is allowed.
///
/// A·u − λ·u = −(A + σ)·v·β·s/θ with v the next Lanczos vector, so one product gives all residuals.
fn worst_residual(shifted: &Shifted<'_>, lanczos: &Lanczos, k: usize, wanted: Wanted) -> f64 {
    let Some(ritz) = lanczos.ritz() else { return f64::INFINITY };
    let mut product = vec![0.0; shifted.a.pencil.n()];
    shifted.a.apply(lanczos.next(), &mut product);
    let norm_next = norm(&product);
    let largest = (ritz.values[k - 1].recip() - SHIFT * shifted.a.size).max(0.0);
    let allowed = shifted.a.allowed(largest, wanted);
    let residuals = ritz.values[..k].iter().zip(&ritz.residuals).map(|(theta, r)| norm_next * r / theta);
    residuals.fold(0.0, f64::max) / allowed
}

fn random_start(n: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| random.random::<f64>() - 0.5).collect()
}
