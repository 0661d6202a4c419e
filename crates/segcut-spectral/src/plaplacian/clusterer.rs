//! The p-Laplacian as a clusterer.

use super::component_split::{component_indicators, joined, resolved_components};
use super::criterion::{Criterion, CutKind};
use super::eigenvector::{PEigenParams, PEigenvector, finish, p_eigenvector, standard};
use super::functional::PFunctional;
use super::polish::polished;
use super::recursion::{Candidates, Recursion, RecursionParams, Split, Splitter, recurse};
use super::threshold::{Threshold, Valuation, cut_by};
use crate::eigen::EigenError;
use crate::pencil::{Pencil, PencilError};
use ndarray::Array2;
use segcut_core::{
    ClusterCount, Clusterer, Clustering, Context, Note, Partition, RegionGraph, SparseAffinity, StageError, Start,
    Status,
};
use serde::{Deserialize, Serialize};

/// Components of a disconnected cluster that are cut themselves.
pub(crate) const OWN_CUTS: usize = 8;

/// Parameters of [`PSpectral`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PSpectralParams {
    /// Clusters, at least 1; "auto" is refused.
    pub k: ClusterCount,
    /// The exponent, above 1 and at most 2.
    pub p: f64,
    /// The exponent that a start vector in the context belongs to, from p to 2.
    pub p_start: f64,
    /// Normalized or ratio cut: the Laplacian and the sizes of parts.
    pub cut: CutKind,
    /// What the thresholds and the recursion minimize.
    pub criterion: Criterion,
    /// The threshold of the first split; later splits use the best one.
    pub threshold: Threshold,
    /// Share by which a side may exceed half of the nodes (criterion "balanced").
    pub imbalance: f64,
    /// Which cluster is split next.
    pub recursion: Recursion,
    /// Whether the cut set starts a 1-spectral descent whose result is kept where it is better (threshold "best",
    /// criteria "cut" and "cheeger").
    pub polish: bool,
    /// Bound on the relative decrease of F_p that is still promised.
    pub tol: f64,
    /// Limit of directions per exponent.
    pub max_iter: usize,
    /// Directions in a row that leave the best Cheeger cut as it is before an exponent ends; 0 goes on to `tol`.
    pub settled: usize,
    /// The most bytes that the standard eigenvector's solver and the factor may need, by their estimates.
    pub max_bytes: Option<u64>,
}

impl Default for PSpectralParams {
    fn default() -> Self {
        let eigen = PEigenParams::default();
        Self {
            k: ClusterCount::Fixed(2),
            p: 1.2,
            p_start: 2.0,
            cut: CutKind::Normalized,
            criterion: Criterion::Cheeger,
            threshold: Threshold::Best,
            imbalance: 0.05,
            recursion: Recursion::Own,
            polish: true,
            tol: eigen.tol,
            max_iter: eigen.max_iter,
            settled: 0,
            max_bytes: None,
        }
    }
}

/// What [`PSpectral::run`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct PSpectralResult {
    /// One entry per split, the last has k clusters; empty for k = 1.
    pub splits: Vec<Split>,
    /// The eigenvector of the whole graph (of a disconnected one: the indicator of its components on two sides).
    pub eigen: PEigenvector,
    /// The worst status of all splits.
    pub status: Status,
    /// Components of the whole graph, edges too weak for f64 left out.
    pub components: usize,
}

/// RegionGraph → clusters by recursive thresholding of second eigenvectors of the graph p-Laplacian.
///
/// Bühler & Hein, Spectral clustering based on the graph p-Laplacian, ICML 2009. As p falls to 1 the best Cheeger
/// cut of the thresholded eigenvector approaches the graph's. With `polish` each cut also starts the 1-spectral
/// descent, and the lower value is kept. Diagonals are dropped with a note. p = 2 without polish is the standard
/// spectral bipartition.
///
/// A cluster whose graph falls apart is cut along its components: two sides of about equal size, one component
/// against the rest, or the cut of one component with the rest on either side, whichever has the lowest value. Edges
/// below 1e-14 of the degrees of their ends do not connect. Isolated nodes are components of size 0 for the normalized cut; a
/// part without weight across costs 0.
///
/// A start in the context, a vector or a partition, replaces the standard eigenvector of the whole graph at
/// exponent `p_start`.
///
/// # Errors
/// Construction refuses parameters out of range; clustering refuses Gram affinities, negative weights and a start
/// of the wrong length.
///
/// # Determinism
/// The context's seed gives the start of the standard eigenvector only. The polish breaks ties by node numbers.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, Clusterer, Context, RegionGraph, SparseAffinity};
/// use segcut_spectral::{PSpectral, PSpectralParams};
/// // Two triangles and a weak bridge.
/// let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]];
/// let graph = SparseAffinity::new(6, edges, vec![1.0, 1.0, 1.0, 0.1, 1.0, 1.0, 1.0])?;
/// let found = PSpectral::new(PSpectralParams::default())?.run(&graph, &Context::default())?;
/// assert!((found.splits[0].cheeger - 0.1 / 6.1).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PSpectral {
    params: PSpectralParams,
    k: usize,
}

impl PSpectral {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: PSpectralParams) -> Result<Self, StageError> {
        let k = match params.k {
            ClusterCount::Auto => {
                return Err(StageError::parameter("cluster.k", "auto", "a number from 1: p-spectral chooses no k"));
            }
            ClusterCount::Fixed(0) => return Err(StageError::parameter("cluster.k", 0, "at least 1")),
            ClusterCount::Fixed(k) => k,
        };
        if !(params.p > 1.0 && params.p <= 2.0) {
            return Err(StageError::parameter("cluster.p", params.p, "above 1 and at most 2"));
        }
        if !(params.p_start >= params.p && params.p_start <= 2.0) {
            return Err(StageError::parameter("cluster.p_start", params.p_start, "from p to 2"));
        }
        if params.imbalance.is_nan() || params.imbalance < 0.0 {
            return Err(StageError::parameter("cluster.imbalance", params.imbalance, "a number from 0"));
        }
        if !(params.tol > 0.0 && params.tol < 1.0) {
            return Err(StageError::parameter("cluster.tol", params.tol, "between 0 and 1"));
        }
        if params.max_iter < 1 {
            return Err(StageError::parameter("cluster.max_iter", params.max_iter, "at least 1"));
        }
        Ok(Self { params, k })
    }

    /// The parameters.
    pub fn params(&self) -> &PSpectralParams {
        &self.params
    }

    /// Graph → all splits up to k clusters and the eigenvector of the whole.
    ///
    /// # Errors
    /// [`StageError`] for negative weights, a start of the wrong length, a failed factorization.
    pub fn run(&self, affinity: &SparseAffinity, context: &Context) -> Result<PSpectralResult, StageError> {
        self.run_pencil(&Pencil::new(affinity, self.params.cut.laplacian(), 0.0)?, context)
    }

    /// The same for a pencil, whose mass stands for the sizes of parts; places of nodes make large factors faster.
    ///
    /// # Errors
    /// [`StageError`] for a start of the wrong length, a failed factorization.
    pub fn run_pencil(&self, pencil: &Pencil, context: &Context) -> Result<PSpectralResult, StageError> {
        let components = resolved_components(pencil).len();
        let eigen = self.eigen_of(pencil, start_vector(pencil.n(), context)?.as_deref(), context)?;
        let p = &self.params;
        let params = RecursionParams {
            k: self.k.min(pencil.n()),
            criterion: p.criterion,
            threshold: p.threshold,
            imbalance: p.imbalance,
            recursion: p.recursion,
        };
        let splitter = PSplitter { stage: self, whole: &eigen };
        let (splits, status) = recurse(pencil, params, &splitter, context)?;
        let status = if status == Status::Converged { eigen.status } else { status };
        Ok(PSpectralResult { splits, eigen, status, components })
    }

    /// The eigenvector of a connected graph, or the indicator of a disconnected one's balanced sides.
    fn eigen_of(&self, graph: &Pencil, start: Option<&[f64]>, context: &Context) -> Result<PEigenvector, EigenError> {
        let p = &self.params;
        let components = resolved_components(graph);
        if components.len() > 1 {
            let packed = component_indicators(graph, &components).swap_remove(0);
            return Ok(finish(&PFunctional::new(graph, p.p), packed, Status::Converged, 0));
        }
        let p_start = if start.is_some() { p.p_start } else { 2.0 };
        let params = PEigenParams {
            p: p.p,
            p_start,
            tol: p.tol,
            max_iter: p.max_iter,
            settled: p.settled,
            max_bytes: p.max_bytes,
            ..PEigenParams::default()
        };
        p_eigenvector(graph, &params, start, context)
    }
}

impl Clusterer for PSpectral {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let affinity = graph.affinity().sparse().ok_or(PencilError::NoEdges)?;
        let pencil = Pencil::of_graph(graph, self.params.cut.laplacian(), 0.0)?;
        let found = self.run_pencil(&pencil, context)?;
        let mut clustering = clustering(affinity, found.splits, self.k, found.components);
        clustering.status = found.status;
        clustering.eigenvalues = Some(vec![found.eigen.eigenvalue]);
        clustering.embedding = Array2::from_shape_vec((affinity.n(), 1), found.eigen.vector).ok();
        Ok(clustering)
    }
}

/// The last split's labels with the notes that every recursive clusterer owes.
pub(crate) fn clustering(affinity: &SparseAffinity, splits: Vec<Split>, asked: usize, components: usize) -> Clustering {
    let step = |split: Split| {
        let k = split.labels.iter().max().map_or(0, |&l| l as usize + 1);
        Partition::new(split.labels, k).ok()
    };
    let steps: Vec<Partition> = splits.into_iter().filter_map(step).collect();
    let mut clustering = Clustering::converged(steps.last().cloned().unwrap_or(Partition::whole(affinity.n())));
    clustering.steps = steps;
    let made = clustering.partition.k();
    if made < asked {
        clustering.notes.push(Note::KReduced { asked, made });
    }
    if components > 1 {
        clustering.notes.push(Note::Components(components));
    }
    if affinity.diagonal().is_some_and(|d| d.iter().any(|&w| w != 0.0)) {
        clustering.notes.push(Note::DiagonalDropped);
    }
    clustering
}

/// A start that does not belong to the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the start has {start} nodes, the graph {graph}")]
pub struct StartSize {
    /// Nodes of the start.
    pub start: usize,
    /// Nodes of the graph.
    pub graph: usize,
}

/// The context's start as a vector: the first column, or the labels of a partition; nothing where it is constant.
pub(crate) fn start_vector(n: usize, context: &Context) -> Result<Option<Vec<f64>>, StageError> {
    let vector: Vec<f64> = match &context.start {
        None => return Ok(None),
        Some(Start::Partition(partition)) => partition.labels().iter().map(|&l| f64::from(l)).collect(),
        Some(Start::Vectors(vectors)) => vectors.rows().into_iter().filter_map(|row| row.first().copied()).collect(),
    };
    if vector.len() != n {
        return Err(StageError::data(StartSize { start: vector.len(), graph: n }));
    }
    let varies = vector.iter().any(|x| x.is_finite() && *x != vector[0]);
    Ok((varies && vector.iter().all(|x| x.is_finite())).then_some(vector))
}

struct PSplitter<'a> {
    stage: &'a PSpectral,
    whole: &'a PEigenvector,
}

impl Splitter for PSplitter<'_> {
    fn candidates(&self, graph: &Pencil, whole: bool, context: &Context) -> Result<Candidates, EigenError> {
        let components = resolved_components(graph);
        let (mut vectors, mut status) = (Vec::new(), Status::Converged);
        if components.len() > 1 {
            vectors = component_indicators(graph, &components);
            for nodes in components.iter().filter(|nodes| nodes.len() > 1).take(OWN_CUTS) {
                let part = graph.induced(nodes, &mut vec![u32::MAX; graph.n()]);
                let eigen = self.stage.eigen_of(&part, None, context)?;
                let cut = cut_by(&part, &eigen.vector, Threshold::Best, &self.stage.valuation(part.mass()));
                vectors.extend(joined(graph.n(), nodes, &cut.above));
            }
        } else if whole {
            vectors.push(self.whole.vector.clone());
        } else {
            let eigen = self.stage.eigen_of(graph, None, context)?;
            status = eigen.status;
            vectors.push(eigen.vector);
        }
        let unpolished = vectors.len();
        if self.stage.polishes() {
            let mut starts = vectors.clone();
            if components.len() == 1 && self.stage.params.p < 2.0 {
                starts.push(standard(graph, self.stage.params.max_bytes, context)?.0);
            }
            vectors.extend(polished(graph, self.stage.params.criterion, &starts, context));
            vectors.extend(starts.split_off(unpolished));
        }
        Ok(Candidates { vectors, unpolished, status })
    }
}

impl PSpectral {
    fn polishes(&self) -> bool {
        self.params.polish && self.params.threshold == Threshold::Best && self.params.criterion != Criterion::Balanced
    }

    fn valuation<'a>(&self, mass: &'a [f64]) -> Valuation<'a> {
        let (criterion, imbalance) = (self.params.criterion, self.params.imbalance);
        Valuation { criterion, imbalance, mass, outside: None }
    }
}
