//! Pencil to its smallest eigenpairs.

mod aggregation;
mod block_lanczos;
mod block_search;
pub(crate) mod cholesky;
mod dense;
mod elimination_tree;
mod fast;
mod lanczos;
mod ldlt;
mod lobpcg;
mod multigrid;
pub(crate) mod nested_dissection;
mod pairs;
mod params;
mod plain_lanczos;
mod rayleigh_ritz;
mod row_blocks;
mod scaled;
pub(crate) mod shift_invert;
mod shifted;
mod smallest;
mod spectrum;
mod supernodal_solve;
mod tridiagonal;

pub(crate) use pairs::Wanted;
pub use params::{EigenParams, Solver};
pub use smallest::smallest;
pub(crate) use smallest::solve_connected;
pub use spectrum::{Certificate, Spectrum};

use faer::sparse::FaerError;
use segcut_core::StageError;
use thiserror::Error;

/// Why there are no eigenpairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EigenError {
    /// A shifted Laplacian was not positive definite: weights beyond what f64 resolves.
    #[error("the shifted Laplacian is not positive definite in f64")]
    NotPositive,
    /// A value or a vector came out NaN or infinite.
    #[error("an eigenvector is not finite: the graph's weights span more than f64 resolves")]
    NotFinite,
    /// A dense decomposition did not converge.
    #[error("the dense eigenvalue decomposition did not converge")]
    Dense,
    /// The estimate of the bytes needed is above the limit; nothing was allocated.
    #[error("the {solver} solver needs about {bytes} bytes for this graph, more than the limit of {limit}")]
    TooBig {
        /// The solver that was asked, or the thriftiest one that was tried.
        solver: Solver,
        /// The estimate.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The factor does not fit into memory.
    #[error("the factor of the Laplacian does not fit into memory")]
    OutOfMemory,
    /// The factor has more entries than 31-bit indices reach.
    #[error("the factor of the Laplacian has more than 2^31 entries")]
    TooLarge,
}

impl EigenError {
    pub(crate) fn from_faer(error: FaerError) -> Self {
        match error {
            FaerError::OutOfMemory => Self::OutOfMemory,
            _ => Self::TooLarge,
        }
    }
}

impl From<EigenError> for StageError {
    fn from(error: EigenError) -> Self {
        Self::backend("faer", error)
    }
}
