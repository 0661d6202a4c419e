//! Graph → clusters by a small graph network trained on that graph alone.

use crate::inputs::{DeepCutError, LARGEST_FORMED, features, finite, standardized};
use crate::loss::Loss;
use crate::matrix::Matrix;
use crate::neighbors::{LARGEST_ATTENDED, Neighbors};
use crate::network::{Network, Shape};
use crate::operator::Operator;
use crate::params::{DeepCutParams, Objective, StartVectors};
use crate::spread::{Encoder, Gathering, Spread};
use crate::target::Target;
use crate::training::{Prepared, Trained, Training};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segcut_core::{
    Affinity, ClusterCount, Clusterer, Clustering, Context, Note, Partition, RegionGraph, StageError, Start,
};

/// RegionGraph → clusters by a graph network that is trained on this graph with a cut as its loss.
///
/// Aflalo, Bagon, Kashti & Eldar, DeepCut: Unsupervised Segmentation using Graph Neural Networks Clustering
/// (ICCVW 2023), section 3: one graph convolution, one hidden layer, softmax. Published: hidden sizes 64 and 32,
/// dropout 0.25, AdamW with step 1e-3 and decay 0.01, 10 or 100 epochs, `standardize = false`,
/// `labels = "training"`, `tolerance = 0`; correlation with k = 10. Differs: the propagated features are computed
/// once, as with one convolution they are constant; gradients are written out; the network is drawn from the
/// seed, so that all graphs of one seed start from the same network, which keeps cluster numbers comparable where
/// graphs are alike, and only there (clusters without nodes keep their number where k is given). As a
/// [`Learner`](segcut_core::Learner) it optimises one network over many graphs, and then a number means the same in
/// all of them.
///
/// A partition given as a start in the [`Context`] is learned first, for `warm_up` epochs of cross-entropy, and kept
/// in sight by `attachment`; vectors are further features, or memberships that are learned likewise (`vectors`).
/// Feature blocks of histograms are left out unless named. A graph without
/// feature blocks but with factors is read by its factors.
///
/// # Errors
/// [`DeepCutError`] as [`StageError::Data`]; construction refuses parameters out of range.
///
/// # Determinism
/// The seed draws the network and the dropout. The same bytes at any number of threads, and whatever other graphs are
/// clustered beside this one: many images are learned side by side, each with a network of its own from the same start.
/// Nothing would be shared by stacking them into one larger product, since no two networks are alike after a step.
///
/// # Cost
/// Per epoch O(n·d·h) and one product W·S: O(m·K) sparse, O(n·d·K) factors, O(n²·K) where a dense affinity is
/// clipped at zero, whose matrix is formed.
///
/// # Examples
/// ```
/// use ndarray::Array2;
/// use segcut_core::{Affinity, ClusterCount, Clusterer, Context, GramAffinity, RegionGraph};
/// use segcut_neural::{DeepCut, DeepCutParams};
/// let factors = Array2::from_shape_fn((20, 2), |(i, d)| if i / 10 == d { 1.0 } else { 0.1 });
/// let gram = GramAffinity { factors, clip: true, shift: 0.0, diagonal: None };
/// let params = DeepCutParams { k: ClusterCount::Fixed(2), ..DeepCutParams::default() };
/// let graph = RegionGraph::new(Affinity::Gram(gram));
/// let labels = DeepCut::new(params)?.cluster(&graph, &Context::default())?.partition;
/// assert!((0..20).all(|i| (labels.labels()[i] == labels.labels()[0]) == (i < 10)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DeepCut {
    params: DeepCutParams,
}

impl DeepCut {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: DeepCutParams) -> Result<Self, StageError> {
        params.check()?;
        Ok(Self { params })
    }

    pub(crate) fn params(&self) -> &DeepCutParams {
        &self.params
    }

    fn inputs(&self, graph: &RegionGraph, context: &Context) -> Result<Matrix, DeepCutError> {
        let mut x = features(graph, &self.params)?;
        let vectors = match &context.start {
            Some(Start::Vectors(vectors)) if self.params.vectors == StartVectors::Features => Some(vectors),
            _ => None,
        };
        if let Some(vectors) = vectors {
            if vectors.nrows() != graph.n() {
                return Err(DeepCutError::Start { start: vectors.nrows(), n: graph.n() });
            }
            let vectors = Matrix::from_array(vectors.mapv(|v| v as f32).view());
            finite(&vectors)?;
            x = Matrix::beside(&[&x, &standardized(vectors)]);
        }
        Ok(if self.params.standardize { standardized(x) } else { x })
    }

    fn train(&self, graph: &RegionGraph, context: &Context) -> Result<Trained, DeepCutError> {
        let (n, params) = (graph.n(), &self.params);
        check_size(params, graph.affinity())?;
        let shift = shift(params, graph.affinity());
        let prepared = prepared(params, graph.affinity(), shift, self.inputs(graph, context)?)?;
        let mut random = ChaCha8Rng::seed_from_u64(context.seed);
        let network = Network::draw(&shape(params, prepared.x.cols, params.clusters(n)), &mut random);
        let mut training = Training::new(params, network, random);
        let target = Target::of(context.start.as_ref(), params, [n, params.clusters(n)])?;
        if let Some(target) = &target {
            training.learn(&prepared, target, params.warm_up);
        }
        Ok(training.run(&prepared, target.as_ref(), context))
    }
}

/// The network of these parameters on features that are `inputs` wide once gathered.
pub(crate) fn shape(params: &DeepCutParams, inputs: usize, clusters: usize) -> Shape {
    Shape { inputs, encoder: params.encoder, layers: params.layers, hidden: params.hidden, clusters }
}

/// Refuses dense affinities whose clipped matrix or whose pairs do not fit.
pub(crate) fn check_size(params: &DeepCutParams, affinity: &Affinity) -> Result<(), DeepCutError> {
    let n = affinity.n();
    match affinity {
        Affinity::Gram(_) if params.encoder == Encoder::Gat && n > LARGEST_ATTENDED => {
            Err(DeepCutError::TooManyPairs { n })
        }
        Affinity::Gram(gram) if gram.clip && n > LARGEST_FORMED => Err(DeepCutError::TooDense { n }),
        _ => Ok(()),
    }
}

/// What the network reads of a graph and what it minimises there, weights + `shift`.
pub(crate) fn prepared(
    params: &DeepCutParams,
    affinity: &Affinity,
    shift: f64,
    x: Matrix,
) -> Result<Prepared, DeepCutError> {
    if params.encoder == Encoder::Gat {
        let loss = Loss::new(params.objective, params.balance, Operator::new(affinity, shift), affinity.n());
        let neighbors = Some(Neighbors::new(affinity, shift));
        return checked(Prepared { x, gathering: Gathering { neighbors, ..Gathering::default() }, loss });
    }
    let spread = Spread::new(params.encoder, affinity, shift);
    let operator = match (affinity, spread.held()) {
        // What is gathered from and what is minimised are one matrix, but for its diagonal.
        (Affinity::Gram(gram), Some(full)) if gram.clip && gram.shift + shift == 0.0 => {
            Operator::dense(gram, shift, full)
        }
        _ => Operator::new(affinity, shift),
    };
    let operator = if params.is_rounded() { operator.rounded() } else { operator };
    let loss = Loss::new(params.objective, params.balance, operator, affinity.n());
    let x = spread.gather(&x);
    // With one layer nothing is gathered again.
    let parts = if params.layers > 1 { vec![spread] } else { Vec::new() };
    checked(Prepared { x, gathering: Gathering { parts, neighbors: None }, loss })
}

fn checked(prepared: Prepared) -> Result<Prepared, DeepCutError> {
    let finite = prepared.loss.is_finite() && prepared.x.values.iter().all(|v| v.is_finite());
    if finite { Ok(prepared) } else { Err(DeepCutError::Overflow) }
}

/// What is added to every weight.
pub(crate) fn shift(params: &DeepCutParams, affinity: &Affinity) -> f64 {
    match params.objective {
        Objective::Ncut => 0.0,
        Objective::Correlation => -largest(affinity) / params.alpha,
    }
}

/// The largest entry, diagonal included; that of F·Fᵀ is on its diagonal (Cauchy & Schwarz).
fn largest(affinity: &Affinity) -> f64 {
    let found = match affinity {
        Affinity::Sparse(sparse) => {
            let entries = sparse.weights().iter().chain(sparse.diagonal().into_iter().flatten());
            entries.copied().fold(f64::NEG_INFINITY, f64::max)
        }
        Affinity::Gram(gram) => {
            let norms = gram.factors.rows().into_iter().map(|row| f64::from(row.dot(&row)) + gram.shift);
            norms.fold(f64::NEG_INFINITY, f64::max)
        }
    };
    if found.is_finite() { found } else { 0.0 }
}

impl Clusterer for DeepCut {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let n = graph.n();
        if n == 0 {
            return Ok(Clustering::converged(Partition::whole(0)));
        }
        let trained = self.train(graph, context)?;
        let k = self.params.clusters(n);
        let labels = labels(&trained.s);
        let used = Partition::compact(&labels);
        let mut clustering = match self.params.k {
            ClusterCount::Auto => Clustering::converged(used.clone()),
            ClusterCount::Fixed(_) => Clustering::converged(Partition::new(labels, k).map_err(StageError::data)?),
        };
        match self.params.k {
            ClusterCount::Auto => clustering.notes.push(Note::KChosen(used.k())),
            ClusterCount::Fixed(asked) if used.k() < asked => {
                clustering.notes.push(Note::KReduced { asked, made: used.k() });
            }
            ClusterCount::Fixed(_) => {}
        }
        clustering.status = trained.status;
        if self.params.k != ClusterCount::Auto {
            clustering.soft = Some(trained.s.to_array());
        }
        if let Some(loss) = trained.losses.last() {
            context.detail(|| format!("deepcut: {} epochs, loss {loss:.6}", trained.losses.len()));
        }
        Ok(clustering)
    }
}

/// Per node the place of its largest membership; the first among equals.
pub(crate) fn labels(s: &Matrix) -> Vec<u32> {
    let most = |row: &[f32]| {
        let values = (0..).zip(row.iter().copied());
        values.fold((0, f32::NEG_INFINITY), |best, (at, v)| if v > best.1 { (at, v) } else { best }).0
    };
    s.values.chunks_exact(s.cols.max(1)).map(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use segcut_core::GramAffinity;
    use segcut_graph::subgraph;

    #[test]
    fn what_correlation_takes_away_follows_the_largest_weight_of_a_subgraph() {
        let factors: Array2<f32> = array![[3.0, 0.0], [1.0, 1.0], [0.0, 2.0]];
        let gram = GramAffinity { factors, clip: false, shift: 0.0, diagonal: None };
        let graph = RegionGraph::new(Affinity::Gram(gram));
        let params = DeepCutParams { objective: Objective::Correlation, alpha: 3.0, ..DeepCutParams::default() };
        assert_eq!(shift(&params, graph.affinity()), -3.0);
        let foreground = subgraph(&graph, &[1, 2]).unwrap();
        assert_eq!(shift(&params, foreground.affinity()), -4.0 / 3.0);
    }
}
