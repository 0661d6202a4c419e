//! What the solvers of one connected pencil take and give.

use super::params::Solver;
use segcut_core::Status;

/// What to find and when to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Eigenpairs, the null vector included.
    pub(crate) k: usize,
    /// Bound on ‖A·u − λ·u‖ / λ_k.
    pub(crate) tol: f64,
    /// Residuals up to this are small enough whatever λ_k.
    pub(crate) floor: f64,
    /// Limit of Lanczos steps.
    pub(crate) max_steps: usize,
    /// Whether to count the eigenvalues below λ_k by an inertia.
    pub(crate) certify: bool,
    /// Seed of the start vectors.
    pub(crate) seed: u64,
    /// Limit of the estimated bytes.
    pub(crate) max_bytes: Option<u64>,
}

/// Eigenpairs of one connected pencil in its own node order.
#[derive(Debug)]
pub(crate) struct Pairs {
    /// Ascending.
    pub(crate) values: Vec<f64>,
    /// Unit vectors u of A.
    pub(crate) vectors: Vec<Vec<f64>>,
    pub(crate) status: Status,
    /// Whether no eigenvalue was missed; `None` where it was not asked or could not be told.
    pub(crate) certified: Option<bool>,
    pub(crate) solver: Solver,
    /// The worst residual over λ_k at every check.
    pub(crate) history: Vec<f64>,
}

impl Pairs {
    /// Pairs of a direct method.
    pub(super) fn exact(values: Vec<f64>, vectors: Vec<Vec<f64>>) -> Self {
        let (status, certified) = (Status::Converged, Some(true));
        Self { values, vectors, status, certified, solver: Solver::Dense, history: Vec::new() }
    }
}
