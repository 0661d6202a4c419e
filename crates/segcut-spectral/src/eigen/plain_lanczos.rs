//! Connected pencils to their smallest eigenpairs by block Lanczos on c − A, without any factor.

use super::EigenError;
use super::block_lanczos::{BlockLanczos, BlockRitz};
use super::block_search::drift_limit;
use super::fast::measured;
use super::pairs::{Eigenpair, Pairs, Wanted, ended, note};
use super::params::Solver;
use super::row_blocks::{Row, WIDTH};
use super::scaled::Scaled;
use super::smallest::refuse_above;
use crate::pencil::Pencil;
use segcut_core::Context;

/// The k smallest eigenpairs where λ_k is not small beside the largest value, as on graphs of nearest neighbors: the
/// number of products grows with the square root of their ratio.
pub(super) fn plain_lanczos(pencil: &Pencil, wanted: Wanted, context: &Context) -> Result<Pairs, EigenError> {
    let n = pencil.n();
    let limit = wanted.max_steps.min((n - 1) / WIDTH * WIDTH);
    let bytes = 8 * n as u64 * (limit.min(20 * wanted.k) + wanted.k + 16) as u64 + 48 * pencil.edge_count() as u64;
    refuse_above(wanted.max_bytes, Solver::Lanczos, bytes)?;
    let a = Scaled::new(pencil);
    let top = 2.0 * a.size;
    let mut operator = |x: &mut [Row]| {
        let mut y = vec![[0.0; WIDTH]; x.len()];
        a.apply_rows(x, &mut y);
        x.iter_mut().zip(y).for_each(|(x, y)| x.iter_mut().zip(y).for_each(|(x, y)| *x = top * *x - y));
    };
    let mut lanczos = BlockLanczos::new(n, &[&a.null], drift_limit(wanted.tol), wanted.seed);
    let k = (wanted.k - 1).min(limit);
    let (mut history, mut next_check) = (Vec::new(), 4 * k + WIDTH);
    let (ritz, status) = loop {
        lanczos.step(&mut operator);
        if lanczos.len() < next_check.min(limit) {
            continue;
        }
        let ritz = lanczos.ritz().ok_or(EigenError::Dense)?;
        let largest = (top - ritz.values[k - 1]).max(0.0);
        let worst = worst_residual(&lanczos, &ritz, k);
        note(worst / largest, lanczos.len(), context, &mut history);
        let at_limit = (lanczos.len() + WIDTH > limit).then_some(worst / largest);
        if let Some(status) = ended(worst <= a.allowed(largest, wanted), at_limit, context) {
            break (ritz, status);
        }
        next_check = lanczos.len() * 5 / 4;
    };
    let mut found = vec![Eigenpair { value: 0.0, vector: a.null.clone(), residual: 0.0 }];
    found.extend(measured(&a, &lanczos.into_vectors(&ritz, k), k));
    Ok(Pairs { history, ..Pairs::new(found, status, Solver::Lanczos) })
}

/// The worst residual of the first k Ritz pairs.
fn worst_residual(lanczos: &BlockLanczos, ritz: &BlockRitz, k: usize) -> f64 {
    let residual = |pair: usize| lanczos.remainder(ritz, pair).iter().map(|c| c * c).sum::<f64>().sqrt();
    (0..k).map(residual).fold(0.0, f64::max)
}
