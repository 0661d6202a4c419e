//! The normalized cut as a clusterer.

mod eigengap;
mod kway;
mod merge;
mod recursive;

pub use eigengap::eigengap;
pub use merge::SpectralMerge;
pub use recursive::{RecursiveParams, recursive_ncut};

use crate::assign::Assign;
use crate::eigen::{EigenParams, Solver};
use crate::pencil::{Laplacian, Pencil, PencilError};
use segcut_core::{ClusterCount, Clusterer, Clustering, Context, Note, Partition, RegionGraph, StageError};
use serde::{Deserialize, Serialize};

/// How `k = "auto"` is resolved by the k-way method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoK {
    /// The k before the largest gap λ_{k+1} − λ_k.
    #[default]
    Eigengap,
    /// As many as eigenvalues are below `threshold`.
    NcutThreshold,
}

/// How the graph is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// All clusters at once from k eigenvectors.
    #[default]
    Kway,
    /// In two, again and again (Shi & Malik 2000, section 3; scikit-image's `cut_normalized`).
    Recursive,
}

/// Parameters of [`Ncut`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NcutParams {
    /// Clusters: a number, or "auto". The recursive method stops by its threshold under "auto".
    pub k: ClusterCount,
    /// The smallest k that "auto" gives.
    pub k_min: usize,
    /// The largest k that "auto" gives, connected components aside.
    pub k_max: usize,
    /// How the k-way method resolves "auto".
    pub auto: AutoK,
    /// How rows of the embedding become clusters.
    pub assign: Assign,
    /// k-way or recursive.
    pub method: Method,
    /// Recursive: a part is cut no further where its best cut is not below this. Auto k by `ncut_threshold`: the
    /// bound on the eigenvalues.
    pub threshold: f64,
    /// Recursive: thresholds tried on the second eigenvector.
    pub num_cuts: usize,
    /// The weight of every node's edge to itself; scikit-image's `max_edge` is 1.
    pub max_edge: f64,
    /// Normalized or unnormalized Laplacian (k-way).
    pub laplacian: Laplacian,
    /// The eigen-solver.
    pub solver: Solver,
    /// Residuals over the k-th eigenvalue.
    pub tol: f64,
    /// Limit of products with the inverse.
    pub max_iter: usize,
    /// Whether to check by an inertia that no eigenvalue was missed (k-way).
    pub certify: bool,
    /// The most bytes that the eigen-solver may need, by its estimate.
    pub max_bytes: Option<u64>,
    /// k-way with a fixed k: this many eigenvectors and clusters more, as in scikit-learn's coin example (26 + 3).
    pub extra_vectors: usize,
    /// k-way with a fixed k: this many eigenvalues beyond those of the clusters are told, so that the gap after them shows.
    pub spare_values: usize,
    /// The merging of `assign = "merge"` (k-way).
    pub merge: SpectralMerge,
}

impl Default for NcutParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::Auto,
            k_min: 2,
            k_max: 20,
            auto: AutoK::Eigengap,
            assign: Assign::ClusterQr,
            method: Method::Kway,
            threshold: 0.001,
            num_cuts: 10,
            max_edge: 0.0,
            laplacian: Laplacian::Normalized,
            solver: Solver::Auto,
            tol: 1e-6,
            max_iter: 1000,
            certify: true,
            max_bytes: None,
            extra_vectors: 0,
            spare_values: 0,
            merge: SpectralMerge::default(),
        }
    }
}

impl NcutParams {
    /// Refuses numbers that are out of range by themselves.
    fn check_numbers(&self) -> Result<(), StageError> {
        if self.k == ClusterCount::Fixed(0) {
            return Err(StageError::parameter("cluster.k", 0, "\"auto\" or at least 1"));
        }
        if self.k_min < 1 {
            return Err(StageError::parameter("cluster.k_min", self.k_min, "at least 1"));
        }
        if self.k_max < self.k_min {
            return Err(StageError::parameter("cluster.k_max", self.k_max, "at least k_min"));
        }
        if self.threshold.is_nan() || self.threshold < 0.0 {
            return Err(StageError::parameter("cluster.threshold", self.threshold, "a number from 0"));
        }
        if self.num_cuts < 1 {
            return Err(StageError::parameter("cluster.num_cuts", self.num_cuts, "at least 1"));
        }
        if !(self.max_edge >= 0.0 && self.max_edge.is_finite()) {
            return Err(StageError::parameter("cluster.max_edge", self.max_edge, "a finite number from 0"));
        }
        if !(self.tol > 0.0 && self.tol < 1.0) {
            return Err(StageError::parameter("cluster.tol", self.tol, "between 0 and 1"));
        }
        if self.max_iter < 1 {
            return Err(StageError::parameter("cluster.max_iter", self.max_iter, "at least 1"));
        }
        Ok(())
    }
}

/// RegionGraph → clusters with a small normalized cut.
///
/// Shi & Malik, Normalized cuts and image segmentation, PAMI 2000: the relaxed cut is minimized by the
/// generalized eigenvectors of (D − W)·x = λ·D·x. The k-way method assigns the rows of k eigenvectors to
/// clusters; the recursive one thresholds the second eigenvector of each part. Diagonals of W are dropped with a
/// note: set `max_edge` for self loops.
///
/// Disconnected graphs: a cluster never joins two components while there are clusters to spare; each component
/// gets as many clusters as it has eigenvalues among the k smallest. With fewer clusters than components, the
/// components of largest volume get one each and the others join the cluster that has the smallest volume. Isolated
/// nodes are components of volume 0. Under "auto" every component, isolated nodes included, is kept apart.
///
/// # Errors
/// Construction refuses parameters out of range; clustering refuses Gram affinities and negative weights.
///
/// # Determinism
/// The context's seed gives start vectors of solvers and assignments.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, Clusterer, ClusterCount, Context, RegionGraph, SparseAffinity};
/// use segcut_spectral::{Ncut, NcutParams};
/// // Two triangles and a weak bridge.
/// let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]];
/// let graph = SparseAffinity::new(6, edges, vec![1.0, 1.0, 1.0, 0.1, 1.0, 1.0, 1.0])?;
/// let graph = RegionGraph::new(Affinity::Sparse(graph));
/// let ncut = Ncut::new(NcutParams { k: ClusterCount::Fixed(2), ..NcutParams::default() })?;
/// let found = ncut.cluster(&graph, &Context::default())?;
/// assert_eq!(found.partition.labels(), [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ncut {
    params: NcutParams,
}

impl Ncut {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: NcutParams) -> Result<Self, StageError> {
        params.check_numbers()?;
        let in_two = matches!(params.assign, Assign::Sign | Assign::Mean | Assign::Threshold);
        if params.extra_vectors > 0 && in_two {
            let must = "0 where the second vector is cut in two";
            return Err(StageError::parameter("cluster.extra_vectors", params.extra_vectors, must));
        }
        if in_two && params.method == Method::Kway && params.k != ClusterCount::Fixed(2) {
            return Err(StageError::parameter("cluster.assign", "sign, mean or threshold", "used with k = 2"));
        }
        params.merge.check()?;
        Ok(Self { params })
    }

    /// The parameters.
    pub fn params(&self) -> &NcutParams {
        &self.params
    }

    fn eigen_params(&self, k: usize) -> EigenParams {
        let p = &self.params;
        EigenParams {
            k,
            tol: p.tol,
            max_iter: p.max_iter,
            solver: p.solver,
            certify: p.certify,
            max_bytes: p.max_bytes,
        }
    }
}

impl Clusterer for Ncut {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let affinity = graph.affinity().sparse().ok_or(PencilError::NoEdges)?;
        let laplacian = match self.params.method {
            Method::Kway => self.params.laplacian,
            Method::Recursive => Laplacian::Normalized,
        };
        let pencil = Pencil::of_graph(graph, laplacian, self.params.max_edge)?;
        if pencil.n() == 0 {
            return Ok(Clustering::converged(Partition::whole(0)));
        }
        let mut clustering = match self.params.method {
            Method::Kway if self.params.assign == Assign::Merge => self.merge(graph, &pencil, context)?,
            Method::Kway => self.kway(&pencil, context)?,
            Method::Recursive => self.recursive(&pencil, context)?,
        };
        if affinity.diagonal().is_some_and(|d| d.iter().any(|&w| w != 0.0)) {
            clustering.notes.push(Note::DiagonalDropped);
        }
        Ok(clustering)
    }
}
