//! What to find, how, and when to stop.

use serde::{Deserialize, Serialize};

/// How eigenpairs are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// Dense for small components; shift-invert where the symbolic factor says that it fits, else LOBPCG.
    #[default]
    Auto,
    /// All eigenpairs of the full matrix: O(n³).
    Dense,
    /// Lanczos with a sparse Cholesky factor.
    ShiftInvert,
    /// LOBPCG with a multigrid preconditioner: no factor of the whole graph, no certificate.
    Lobpcg,
    /// Lanczos on the matrix itself: no factor, no certificate; for graphs whose λ_k is not small.
    Lanczos,
    /// The solution of a coarse graph, interpolated and smoothed: approximate, with its residual.
    Fast,
}

impl std::fmt::Display for Solver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Dense => "dense",
            Self::ShiftInvert => "shift_invert",
            Self::Lobpcg => "lobpcg",
            Self::Lanczos => "lanczos",
            Self::Fast => "fast",
        })
    }
}

/// What to find and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EigenParams {
    /// Eigenpairs.
    pub k: usize,
    /// Bound on ‖A·u − λ·u‖ / λ_k with A = M^-½ L M^-½ and unit u, as far as f64 attains it: 32·ε·max Aᵢᵢ, on
    /// more than 6,000 nodes 64·ε·λ_k/λ₂·max Aᵢᵢ.
    pub tol: f64,
    /// Limit of products with the inverse, per component.
    pub max_iter: usize,
    /// The solver.
    pub solver: Solver,
    /// Whether the sparse solver counts the eigenvalues below λ_k by an inertia, to show that none is missing.
    pub certify: bool,
    /// The most bytes that a solver may need: one whose estimate is above is refused before it allocates. Without a
    /// limit `auto` keeps to 2 GB where it has the choice.
    pub max_bytes: Option<u64>,
}

impl Default for EigenParams {
    fn default() -> Self {
        Self { k: 2, tol: 1e-6, max_iter: 1000, solver: Solver::Auto, certify: true, max_bytes: None }
    }
}
