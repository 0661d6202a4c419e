//! Any pencil to its k smallest eigenpairs: component by component, by the solver that fits.

use super::EigenError;
use super::dense::dense_smallest;
use super::fast::fast;
use super::lobpcg::lobpcg;
use super::pairs::{Eigenpair, Pairs, Wanted};
use super::params::{EigenParams, Solver};
use super::plain_lanczos::plain_lanczos;
use super::shift_invert::shift_invert;
use super::spectrum::{Merged, Spectrum};
use crate::pencil::Pencil;
use segcut_core::{Context, Start, Status};
use std::borrow::Cow;

/// Components up to this size are solved by the dense solver, except where `shift_invert` is asked.
const DENSE: usize = 48;

/// Lanczos without a factor would go through all of a space of this size.
const ALL_OF: usize = 256;

/// The bytes that `auto` spends on a factor where there is no limit.
const AUTO_BYTES: u64 = 2 << 30;

/// Pencil → its k smallest eigenpairs (fewer where n < k).
///
/// A disconnected graph is solved component by component and the spectra are merged: each component brings one
/// zero. Edges below 1e-14 of the degrees of both ends do not connect: what they separate has a value that f64 cannot
/// tell from 0. A component without mass (an isolated node of the normalized problem) brings the value 0 with the
/// vector 1 on its node.
///
/// # Errors
/// [`EigenError`] where a factorization fails.
///
/// # Determinism
/// The context's seed gives the start vectors; signs and order are fixed.
///
/// # Examples
/// ```
/// use segcut_core::{Context, SparseAffinity};
/// use segcut_spectral::{EigenParams, Laplacian, Pencil, smallest};
/// let path = SparseAffinity::new(3, vec![[0, 1], [1, 2]], vec![1.0, 1.0])?;
/// let pencil = Pencil::new(&path, Laplacian::Unnormalized, 0.0)?;
/// let spectrum = smallest(&pencil, &EigenParams { k: 3, ..EigenParams::default() }, &Context::default())?;
/// assert!((spectrum.values[1] - 1.0).abs() < 1e-12 && (spectrum.values[2] - 3.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn smallest(pencil: &Pencil, params: &EigenParams, context: &Context) -> Result<Spectrum, EigenError> {
    let components = pencil.resolved_components();
    let start = start_vector(pencil.n(), context);
    let per_component = (params.k + 1).saturating_sub(components.len()).max(1);
    let mut merged = Merged::new();
    let mut place = vec![u32::MAX; pencil.n()];
    for (index, nodes) in components.iter().enumerate() {
        let part = match components.len() {
            1 => Cow::Borrowed(pencil),
            _ => Cow::Owned(pencil.induced(nodes, &mut place)),
        };
        let start: Option<Vec<f64>> = start.as_ref().map(|s| nodes.iter().map(|&i| s[i as usize]).collect());
        let pairs = solve_connected(&part, params, per_component, start.as_deref(), context)?;
        if !pairs.vectors.iter().flatten().all(|v| v.is_finite()) {
            return Err(EigenError::NotFinite);
        }
        merged.add(index, &part, pairs);
    }
    Ok(merged.finish(pencil, components, params.k))
}

/// The pairs of one connected pencil, the null vector exact.
pub(crate) fn solve_connected(
    part: &Pencil,
    params: &EigenParams,
    k: usize,
    start: Option<&[f64]>,
    context: &Context,
) -> Result<Pairs, EigenError> {
    let k = k.min(part.n());
    let null = null_vector(part);
    if k == 1 || part.n() == 1 {
        let found = vec![Eigenpair { value: 0.0, vector: null, residual: 0.0 }];
        return Ok(Pairs { certified: Some(true), ..Pairs::new(found, Status::Converged, Solver::Dense) });
    }
    let wanted = Wanted::of(params, k, context.seed);
    // Blocks of vectors need room.
    let small = part.n() <= DENSE.max(2 * k);
    let small = small || (params.solver == Solver::Lanczos && part.n() <= ALL_OF);
    match params.solver {
        Solver::Dense => dense(part, wanted, null),
        Solver::ShiftInvert => shift_invert(part, wanted, start, context),
        _ if small => dense(part, wanted, null),
        Solver::Auto => auto(part, wanted, start, context),
        Solver::Lobpcg => lobpcg(part, wanted, context),
        Solver::Lanczos => plain_lanczos(part, wanted, context),
        Solver::Fast => fast(part, wanted, context),
    }
}

fn dense(part: &Pencil, wanted: Wanted, null: Vec<f64>) -> Result<Pairs, EigenError> {
    let n = part.n() as u64;
    refuse_above(wanted.max_bytes, Solver::Dense, 8 * 4 * n * n)?;
    let mut found = dense_smallest(part, wanted.k)?;
    found[0] = Eigenpair { value: 0.0, vector: null, residual: 0.0 };
    Ok(Pairs { certified: Some(true), ..Pairs::new(found, Status::Converged, Solver::Dense) })
}

/// Shift-invert where its estimate fits, else LOBPCG.
fn auto(part: &Pencil, wanted: Wanted, start: Option<&[f64]>, context: &Context) -> Result<Pairs, EigenError> {
    let limited = Wanted { max_bytes: Some(wanted.max_bytes.unwrap_or(AUTO_BYTES)), ..wanted };
    match shift_invert(part, limited, start, context) {
        Err(EigenError::TooBig { .. } | EigenError::TooLarge | EigenError::OutOfMemory) => {
            context.detail(|| "eigenvectors: the factor is too big, LOBPCG takes over".to_owned());
            lobpcg(part, wanted, context)
        }
        other => other,
    }
}

/// An error where the estimate is above the limit.
pub(super) fn refuse_above(limit: Option<u64>, solver: Solver, bytes: u64) -> Result<(), EigenError> {
    match limit {
        Some(limit) if bytes > limit => Err(EigenError::TooBig { solver, bytes, limit }),
        _ => Ok(()),
    }
}

fn null_vector(part: &Pencil) -> Vec<f64> {
    let total: f64 = part.mass().iter().sum();
    if total > 0.0 {
        return part.mass().iter().map(|m| (m / total).sqrt()).collect();
    }
    vec![(part.n() as f64).sqrt().recip(); part.n()]
}

fn start_vector(n: usize, context: &Context) -> Option<Vec<f64>> {
    match &context.start {
        Some(Start::Vectors(vectors)) if vectors.nrows() == n => {
            Some(vectors.rows().into_iter().map(|r| r.sum()).collect())
        }
        _ => None,
    }
}
