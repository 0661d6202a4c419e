//! What the solvers of one connected pencil take and give.

use super::params::{EigenParams, Solver};
use segcut_core::{Context, Status};

/// What to find and when to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Eigenpairs, the null vector included.
    pub(crate) k: usize,
    /// Bound on ‖A·u − λ·u‖ / λ_k.
    pub(crate) tol: f64,
    /// Residuals up to this are small enough whatever λ_k.
    pub(crate) floor: f64,
    /// Limit of products with the inverse.
    pub(crate) max_steps: usize,
    /// Whether to count the eigenvalues below λ_k by an inertia.
    pub(crate) certify: bool,
    /// Seed of the start vectors.
    pub(crate) seed: u64,
    /// Limit of the estimated bytes.
    pub(crate) max_bytes: Option<u64>,
}

impl Wanted {
    /// So many pairs, as the parameters say.
    pub(crate) fn of(params: &EigenParams, k: usize, seed: u64) -> Self {
        let &EigenParams { tol, max_iter: max_steps, certify, max_bytes, .. } = params;
        Self { k, tol, floor: 0.0, max_steps, certify, seed, max_bytes }
    }
}

/// An eigenvalue of A, its unit vector u, and ‖A·u − λ·u‖.
#[derive(Debug, Clone)]
pub(crate) struct Eigenpair {
    pub(crate) value: f64,
    pub(crate) vector: Vec<f64>,
    pub(crate) residual: f64,
}

/// Eigenpairs of one connected pencil in its own node order.
#[derive(Debug)]
pub(crate) struct Pairs {
    /// Ascending.
    pub(crate) values: Vec<f64>,
    /// Unit vectors u of A.
    pub(crate) vectors: Vec<Vec<f64>>,
    /// ‖A·u − λ·u‖.
    pub(crate) residuals: Vec<f64>,
    pub(crate) status: Status,
    /// Whether no eigenvalue was missed; `None` where it was not asked or could not be told.
    pub(crate) certified: Option<bool>,
    pub(crate) solver: Solver,
    /// The worst residual over λ_k at every check.
    pub(crate) history: Vec<f64>,
}

impl Pairs {
    /// Pairs, ascending, that a solver found.
    pub(super) fn new(found: Vec<Eigenpair>, status: Status, solver: Solver) -> Self {
        let mut pairs = Self {
            values: Vec::with_capacity(found.len()),
            vectors: Vec::with_capacity(found.len()),
            residuals: Vec::with_capacity(found.len()),
            status,
            certified: None,
            solver,
            history: Vec::new(),
        };
        for pair in found {
            pairs.values.push(pair.value);
            pairs.vectors.push(pair.vector);
            pairs.residuals.push(pair.residual);
        }
        pairs
    }
}

/// Keeps a residual and tells it.
pub(super) fn note(residual: f64, products: usize, context: &Context, history: &mut Vec<f64>) {
    history.push(residual);
    context.detail(|| format!("eigenvectors: residual {residual:.1e} of the last value after {products} products"));
}

/// How an iteration ends at a check: converged, with the residual where it is at its limit, or stopped by the caller; none
/// where it goes on.
pub(super) fn ended(converged: bool, limit: Option<f64>, context: &Context) -> Option<Status> {
    if converged {
        return Some(Status::Converged);
    }
    if let Some(residual) = limit {
        return Some(Status::IterationLimit { residual });
    }
    context.ended()
}
