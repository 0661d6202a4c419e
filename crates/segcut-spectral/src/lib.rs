//! Graph to Clustering by eigenvectors: normalized cut and its assignments.
//!
//! ```text
//! SparseAffinity ─► Pencil (L, M) ─► smallest ─► Spectrum ─► kmeans | discretize | cluster_qr | threshold ─► labels
//! ```
//!
//! [`Ncut`] is the stage that does all of it; the pieces are public for other rooms. Solvers run on one thread
//! and give the same bytes at any thread count.

mod assign;
mod eigen;
mod kernels;
mod ncut;
mod node_kmeans;
mod onespectral;
mod pencil;
mod plaplacian;
mod ranking;
mod spectral_contour;

pub use assign::{
    Assign, KMeans, KMeansParams, ThresholdCut, best_threshold, cluster_qr, discretize, even_thresholds, kmeans,
};
pub use eigen::{Certificate, EigenError, EigenParams, Solver, Spectrum, smallest};
pub use ncut::{AutoK, Method, Ncut, NcutParams, RecursiveParams, SpectralMerge, eigengap, recursive_ncut};
pub use node_kmeans::{NoFeatures, NodeKMeans, NodeKMeansParams};
pub use onespectral::{OneSpectral, OneSpectralParams, OneSpectralResult};
pub use pencil::{Laplacian, Pencil, PencilError};
pub use plaplacian::{
    Criterion, CutKind, PEigenParams, PEigenvector, PFunctional, PSpectral, PSpectralParams, PSpectralResult, PValue,
    Recursion, Split, StartSize, Threshold, TwoWay, p_eigenvector, threshold_cut,
};
pub use ranking::{ManifoldRanking, ManifoldRankingParams, RankingError, RobustBackground, RobustBackgroundParams};
pub use spectral_contour::{SpectralContour, SpectralContourParams};
