//! Graphs to clusters by the 1-Laplacian.

mod band;
mod coarse_to_fine;
mod coarsening;
mod fista;
mod inverse_power;
mod kernighan_lin;
mod max_flow;
mod starts;

pub(crate) use coarse_to_fine::{CoarseToFine, LARGE};
pub(crate) use fista::DualProblem;
pub(crate) use inverse_power::{CutSet, InversePower};

use crate::eigen::{EigenError, EigenParams, solve_connected};
use crate::pencil::{Pencil, PencilError};
use crate::plaplacian::{
    Candidates, Criterion, CutKind, OWN_CUTS, PFunctional, Recursion, RecursionParams, Split, Splitter, Threshold,
    Valuation, clustering, component_indicators, cut_by, joined, recurse, resolved_components, start_vector,
};
use segcut_core::{ClusterCount, Clusterer, Clustering, Context, RegionGraph, SparseAffinity, StageError, Status};
use serde::{Deserialize, Serialize};
use starts::walked_noise;
use std::rc::Rc;

/// Parameters of [`OneSpectral`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneSpectralParams {
    /// Clusters, at least 1; "auto" is refused.
    pub k: ClusterCount,
    /// Sizes of parts: volumes (ncut, ncc) or numbers of nodes (rcut, rcc).
    pub cut: CutKind,
    /// What is minimized: the sum of the parts (ncut, rcut) or the larger one (ncc, rcc).
    pub criterion: Criterion,
    /// Random starts besides the standard eigenvector.
    pub runs: usize,
    /// Which cluster is split next.
    pub recursion: Recursion,
    /// The most bytes that the standard eigenvector's solver may need, by its estimate.
    pub max_bytes: Option<u64>,
}

impl Default for OneSpectralParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::Fixed(2),
            cut: CutKind::Normalized,
            criterion: Criterion::Cut,
            runs: 10,
            recursion: Recursion::Own,
            max_bytes: None,
        }
    }
}

/// What [`OneSpectral::run`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct OneSpectralResult {
    /// One entry per split, the last has k clusters; empty for k = 1.
    pub splits: Vec<Split>,
    /// The value of the criterion for two clusters: the eigenvalue of the 1-Laplacian that was reached.
    pub eigenvalue: f64,
    /// How the descents ended.
    pub status: Status,
    /// Components of the whole graph, edges too weak for f64 left out.
    pub components: usize,
}

/// RegionGraph → clusters with a small balanced cut, by the inverse power method for the 1-Laplacian.
///
/// Hein & Bühler, An inverse power method for nonlinear eigenproblems, NIPS 2010; Hein & Setzer, Beyond spectral
/// clustering, NIPS 2011, for the balancing functions of the sum criteria. The ratio R(f)/S(f) has the criterion's
/// value at indicators, so a descent never raises the cut. This one solves each inner problem exactly, as a minimum
/// cut on the unit ball of the maximum norm, where the paper stops a dual method on the Euclidean ball early.
/// Starts: the standard eigenvector, the context's start (a vector or a partition), and `runs` random vectors at
/// several scales. Each is cut at its best threshold before and after a few steps on the Euclidean ball; the sets
/// descend, by single moves and by minimum cuts in turn. The lowest value wins, the first of equals. On more than 8,000
/// nodes the starts search a coarse graph, and its best set is refined on finer ones near its border. Disconnected
/// graphs are treated as by [`PSpectral`](crate::PSpectral).
///
/// # Errors
/// Construction refuses k = 0, "auto" and the balanced criterion; clustering refuses Gram affinities, negative
/// weights and a start of the wrong length.
///
/// # Determinism
/// The context's seed gives the random starts.
///
/// # Cost
/// About five minimum cuts a start, one sparse factorization a cluster.
///
/// # Examples
/// ```
/// use segcut_core::{Context, SparseAffinity};
/// use segcut_spectral::{OneSpectral, OneSpectralParams};
/// // Two triangles and a weak bridge.
/// let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]];
/// let graph = SparseAffinity::new(6, edges, vec![1.0, 1.0, 1.0, 0.1, 1.0, 1.0, 1.0])?;
/// let found = OneSpectral::new(OneSpectralParams::default())?.run(&graph, &Context::default())?;
/// assert!((found.eigenvalue - 0.2 / 6.1).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OneSpectral {
    params: OneSpectralParams,
    k: usize,
}

impl OneSpectral {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: OneSpectralParams) -> Result<Self, StageError> {
        let k = match params.k {
            ClusterCount::Auto => {
                return Err(StageError::parameter("cluster.k", "auto", "a number from 1: 1-spectral chooses no k"));
            }
            ClusterCount::Fixed(0) => return Err(StageError::parameter("cluster.k", 0, "at least 1")),
            ClusterCount::Fixed(k) => k,
        };
        if params.criterion == Criterion::Balanced {
            return Err(StageError::parameter(
                "cluster.criterion",
                "balanced",
                "\"cut\" or \"cheeger\" for 1-spectral clustering",
            ));
        }
        Ok(Self { params, k })
    }

    /// The parameters.
    pub fn params(&self) -> &OneSpectralParams {
        &self.params
    }

    /// Graph → all splits up to k clusters.
    ///
    /// # Errors
    /// [`StageError`] for negative weights, a start of the wrong length, a failed factorization.
    pub fn run(&self, affinity: &SparseAffinity, context: &Context) -> Result<OneSpectralResult, StageError> {
        self.run_pencil(&Pencil::new(affinity, self.params.cut.laplacian(), 0.0)?, context)
    }

    /// The same for a pencil, whose mass stands for the sizes of parts; places of nodes make large factors faster.
    ///
    /// # Errors
    /// [`StageError`] for a start of the wrong length, a failed factorization.
    pub fn run_pencil(&self, pencil: &Pencil, context: &Context) -> Result<OneSpectralResult, StageError> {
        let p = &self.params;
        let params = RecursionParams {
            k: self.k.min(pencil.n()),
            criterion: p.criterion,
            threshold: Threshold::Best,
            imbalance: 0.0,
            recursion: p.recursion,
        };
        let start = start_vector(pencil.n(), context)?;
        let splitter = OneSplitter { stage: self, start: start.as_deref() };
        let (splits, status) = recurse(pencil, params, &splitter, context)?;
        let eigenvalue = splits.first().map_or(0.0, |s| p.criterion.of(s.parts));
        Ok(OneSpectralResult { splits, eigenvalue, status, components: resolved_components(pencil).len() })
    }

    /// The vectors that start descents on a connected graph.
    fn starts(&self, graph: &Pencil, context: &Context) -> Result<(Vec<Vec<f64>>, Status), EigenError> {
        let eigen = EigenParams { certify: false, max_bytes: self.params.max_bytes, ..EigenParams::default() };
        let seeded = Context { start: None, ..context.clone() };
        let mut pairs = solve_connected(graph, &eigen, 2, None, &seeded)?;
        let second = pairs.vectors.pop().unwrap_or_default();
        let scaled = second.iter().zip(graph.mass()).map(|(u, m)| u / m.sqrt()).collect();
        let mut starts = vec![scaled];
        if graph.n() <= LARGE {
            starts.extend(walked_noise(graph, self.params.runs, context.seed));
        }
        Ok((starts, pairs.status))
    }

    /// The best set that a descent from any of the vectors reaches, and the vectors after the smooth descent.
    fn best_set(&self, graph: &Pencil, starts: &[Vec<f64>], context: &Context) -> (Option<Rc<CutSet>>, Vec<Vec<f64>>) {
        if graph.n() > LARGE {
            (self.best_set_of_large(graph, starts, context), Vec::new())
        } else {
            self.best_set_of_small(graph, starts, context)
        }
    }

    /// Vectors and random starts search the coarsest graph; its best set and the vectors' thresholds are refined.
    fn best_set_of_large(&self, graph: &Pencil, starts: &[Vec<f64>], context: &Context) -> Option<Rc<CutSet>> {
        let search = CoarseToFine::new(graph, self.params.criterion);
        let mut coarse: Vec<Vec<f64>> = starts.iter().map(|v| search.restricted(v)).collect();
        coarse.extend(walked_noise(search.coarsest(), self.params.runs, context.seed));
        let mut sets: Vec<CutSet> =
            starts.iter().map(|v| search.thresholded(v, self.params.criterion, context)).collect();
        let (set, _) = self.best_set_of_small(search.coarsest(), &coarse, context);
        sets.extend(set.map(|set| search.prolonged(&set, context)));
        let best = sets.into_iter().reduce(|a, b| if b.value < a.value { b } else { a });
        best.filter(|b| b.value.is_finite()).map(Rc::new)
    }

    fn best_set_of_small(
        &self,
        graph: &Pencil,
        starts: &[Vec<f64>],
        context: &Context,
    ) -> (Option<Rc<CutSet>>, Vec<Vec<f64>>) {
        let criterion = self.params.criterion;
        let mut descent = InversePower::new(graph, criterion);
        let mut dual = DualProblem::new(&PFunctional::new(graph, 2.0), graph.n());
        let mut best: Option<Rc<CutSet>> = None;
        let mut smoothed = Vec::with_capacity(starts.len());
        for vector in starts {
            let smooth = descent.smooth_descent(&mut dual, vector);
            let valuation = Valuation { criterion, imbalance: 0.0, mass: graph.mass(), outside: None };
            for vector in [vector, &smooth] {
                let swept = cut_by(graph, vector, Threshold::Best, &valuation).above;
                let found = descent.descend(swept, context);
                if best.as_ref().is_none_or(|b| found.value < b.value) {
                    best = Some(found);
                }
            }
            smoothed.push(smooth);
        }
        (best.filter(|b| b.value.is_finite()), smoothed)
    }
}

struct OneSplitter<'a> {
    stage: &'a OneSpectral,
    start: Option<&'a [f64]>,
}

impl Splitter for OneSplitter<'_> {
    fn candidates(&self, graph: &Pencil, whole: bool, context: &Context) -> Result<Candidates, EigenError> {
        let components = resolved_components(graph);
        let start = self.start.filter(|_| whole).map(<[f64]>::to_vec);
        if components.len() == 1 {
            let (mut starts, status) = self.stage.starts(graph, context)?;
            starts.extend(start);
            let (set, smoothed) = self.stage.best_set(graph, &starts, context);
            // Inside a larger graph another threshold or start may have the lower value.
            let mut vectors: Vec<Vec<f64>> = starts.into_iter().take(1).chain(smoothed).collect();
            let unpolished = vectors.len();
            vectors.extend(set.map(|set| indicator(&set)));
            return Ok(Candidates { unpolished, vectors, status });
        }
        let mut vectors = component_indicators(graph, &components);
        let mut status = Status::Converged;
        for nodes in components.iter().filter(|nodes| nodes.len() > 1).take(OWN_CUTS) {
            let part = graph.induced(nodes, &mut vec![u32::MAX; graph.n()]);
            let (starts, ended) = self.stage.starts(&part, context)?;
            status = ended;
            if let (Some(set), _) = self.stage.best_set(&part, &starts, context) {
                vectors.extend(joined(graph.n(), nodes, &set.above));
            }
        }
        vectors.extend(start);
        let (set, _) = self.stage.best_set(graph, &vectors, context);
        vectors.extend(set.map(|set| indicator(&set)));
        Ok(Candidates { unpolished: vectors.len(), vectors, status })
    }
}

fn indicator(set: &CutSet) -> Vec<f64> {
    set.above.iter().map(|&a| f64::from(u8::from(a))).collect()
}

impl Clusterer for OneSpectral {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let affinity = graph.affinity().sparse().ok_or(PencilError::NoEdges)?;
        let pencil = Pencil::of_graph(graph, self.params.cut.laplacian(), 0.0)?;
        let found = self.run_pencil(&pencil, context)?;
        let mut clustering = clustering(affinity, found.splits, self.k, found.components);
        clustering.status = found.status;
        clustering.eigenvalues = Some(vec![found.eigenvalue]);
        Ok(clustering)
    }
}
