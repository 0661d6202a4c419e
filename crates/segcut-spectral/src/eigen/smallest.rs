//! Any pencil to its k smallest eigenpairs: component by component, by the solver that fits.

use super::EigenError;
use super::dense::dense_smallest;
use super::pairs::{Eigenpair, Pairs, Wanted};
use super::params::{EigenParams, Solver};
use super::shift_invert::shift_invert;
use super::spectrum::{Merged, Spectrum};
use crate::pencil::Pencil;
use segcut_core::{Context, Start, Status};

/// Components up to this size are solved by the dense solver under `auto`.
const DENSE: usize = 48;

/// Pencil → its k smallest eigenpairs (fewer where n < k).
///
/// A disconnected graph is solved component by component and the spectra are merged: each component brings one
/// zero. A component without mass (an isolated node of the normalized problem) brings the value 0 with the
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
    let components = pencil.components();
    let start = start_vector(pencil.n(), context);
    let per_component = (params.k + 1).saturating_sub(components.len()).max(1);
    let mut merged = Merged::new();
    let mut place = vec![u32::MAX; pencil.n()];
    for (index, nodes) in components.iter().enumerate() {
        let part = pencil.induced(nodes, &mut place);
        let start: Option<Vec<f64>> = start.as_ref().map(|s| nodes.iter().map(|&i| s[i as usize]).collect());
        let pairs = solve_connected(&part, params, per_component, start.as_deref(), context)?;
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
    let dense = match params.solver {
        Solver::Auto => part.n() <= DENSE,
        Solver::Dense => true,
        Solver::ShiftInvert => false,
    };
    if dense {
        let (n, solver) = (part.n() as u64, Solver::Dense);
        refuse_above(params.max_bytes, solver, 8 * 4 * n * n)?;
        let mut found = dense_smallest(part, k)?;
        found[0] = Eigenpair { value: 0.0, vector: null, residual: 0.0 };
        return Ok(Pairs { certified: Some(true), ..Pairs::new(found, Status::Converged, solver) });
    }
    let wanted = Wanted {
        k,
        tol: params.tol,
        floor: 0.0,
        max_steps: params.max_iter,
        certify: params.certify,
        seed: context.seed,
        max_bytes: params.max_bytes,
    };
    shift_invert(part, wanted, start, context)
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
