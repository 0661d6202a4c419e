//! Graph → clusters by a small graph network trained on that graph alone.

use crate::loss::Loss;
use crate::network::Network;
use crate::operator::Operator;
use crate::propagate::propagate;
use crate::training::{Trained, Training};
use ndarray::{Array2, Axis, concatenate};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segcut_core::{
    Affinity, ClusterCount, Clusterer, Clustering, Context, FeatureBlock, Note, Partition, RegionGraph, StageError,
    Start,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a network cannot be trained on a graph.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeepCutError {
    /// No node features and no factors.
    #[error("the network needs node features; this graph has none{}", named(.wanted))]
    NoFeatures {
        /// The names that were asked for; empty for all means.
        wanted: Vec<String>,
    },
    /// A feature is NaN or infinite.
    #[error("feature {dim} of node {node} is not finite")]
    NotFinite {
        /// The node.
        node: usize,
        /// The dimension.
        dim: usize,
    },
    /// The matrix of a clipped dense affinity would be too large.
    #[error("a dense affinity clipped at zero is formed up to {LARGEST_FORMED} nodes, not {n}")]
    TooDense {
        /// Nodes.
        n: usize,
    },
    /// A start of another graph.
    #[error("the start has {start} nodes, the graph {n}")]
    Start {
        /// Nodes of the start.
        start: usize,
        /// Nodes of the graph.
        n: usize,
    },
}

fn named(wanted: &[String]) -> String {
    if wanted.is_empty() { String::new() } else { format!(" named {}", wanted.join(", ")) }
}

/// The largest dense graph whose weights are clipped at zero; its matrix takes 1 GiB.
const LARGEST_FORMED: usize = 16_384;

/// What the network minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// −tr(SᵀWS) / tr(SᵀDS) + ‖SᵀS/‖SᵀS‖ − I/√K‖ (Bianchi et al. 2020).
    #[default]
    Ncut,
    /// −Σ over pairs of (w − c)·(SSᵀ), c = the largest weight / `alpha`.
    Correlation,
}

/// Which memberships become labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// A pass after the last step, without dropout.
    #[default]
    Evaluation,
    /// The last training pass, with dropout, before its step: as published.
    Training,
}

/// Parameters of [`DeepCut`]; the defaults are ours, the recipes named after the paper set its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepCutParams {
    /// Clusters; `"auto"`: at most `k_max`, clusters without nodes are left out.
    pub k: ClusterCount,
    /// The most clusters under `k = "auto"`.
    pub k_max: usize,
    /// What is minimised.
    pub objective: Objective,
    /// Correlation: the largest weight is divided by this; larger values give fewer clusters.
    pub alpha: f64,
    /// Names of the feature blocks that the network reads; empty: all means, side by side.
    pub features: Vec<String>,
    /// Factor of a feature block, by its name; 1 where it is not named.
    pub scales: BTreeMap<String, f64>,
    /// Whether every feature is shifted and scaled to mean 0 and variance 1.
    pub standardize: bool,
    /// Outputs of the convolution and of the layer behind it.
    pub hidden: [usize; 2],
    /// Share of the second layer's outputs that a training pass drops.
    pub dropout: f64,
    /// Step size of AdamW.
    pub learning_rate: f64,
    /// Weight decay of AdamW.
    pub weight_decay: f64,
    /// Bound on passes.
    pub epochs: usize,
    /// Training ends when the mean loss of ten epochs falls by less than this share; 0: never early.
    pub tolerance: f64,
    /// Epochs of learning a partition that the caller gives as a start.
    pub warm_up: usize,
    /// Which memberships become labels.
    pub labels: Labels,
}

impl Default for DeepCutParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::Auto,
            k_max: 10,
            objective: Objective::Ncut,
            alpha: 3.0,
            features: Vec::new(),
            scales: BTreeMap::new(),
            standardize: true,
            hidden: [64, 32],
            dropout: 0.0,
            learning_rate: 1e-2,
            weight_decay: 0.01,
            epochs: 300,
            tolerance: 1e-4,
            warm_up: 50,
            labels: Labels::Evaluation,
        }
    }
}

/// RegionGraph → clusters by a graph network that is trained on this graph with a cut as its loss.
///
/// Aflalo, Bagon, Kashti & Eldar, DeepCut: Unsupervised Segmentation using Graph Neural Networks Clustering
/// (ICCVW 2023), section 3: one graph convolution, one hidden layer, softmax. Published: hidden sizes 64 and 32,
/// dropout 0.25, AdamW with step 1e-3 and decay 0.01, 10 or 100 epochs, `standardize = false`,
/// `labels = "training"`, `tolerance = 0`; correlation with k = 10. Differs: the propagated features are computed
/// once, as with one convolution they are constant; gradients are written out; the network is drawn from the
/// seed, so that all graphs of one seed start from the same network, which is what keeps cluster numbers
/// comparable from image to image (clusters without nodes keep their number where k is given).
///
/// Vectors given as a start in the [`Context`] are read as further features; a partition is learned first, for
/// `warm_up` epochs of cross-entropy. Feature blocks of histograms are left out unless named. A graph without
/// feature blocks but with factors is read by its factors.
///
/// # Errors
/// [`DeepCutError`] as [`StageError::Data`]; construction refuses parameters out of range.
///
/// # Determinism
/// The seed draws the network and the dropout. One thread.
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
        let refuse = |name, value: &dyn std::fmt::Display, must| Err(StageError::parameter(name, value, must));
        let p = &params;
        if p.k == ClusterCount::Fixed(0) {
            return refuse("cluster.k", &0, "\"auto\" or at least 1");
        }
        let counts = [("cluster.k_max", p.k_max), ("cluster.epochs", p.epochs)];
        let counts = counts.into_iter().chain(p.hidden.map(|size| ("cluster.hidden", size)));
        for (name, value) in counts {
            if value == 0 {
                return refuse(name, &value, "at least 1");
            }
        }
        if !(0.0..1.0).contains(&p.dropout) {
            return refuse("cluster.dropout", &p.dropout, "at least 0 and below 1");
        }
        for (name, value) in [("cluster.alpha", p.alpha), ("cluster.learning_rate", p.learning_rate)] {
            if !(value.is_finite() && value > 0.0) {
                return refuse(name, &value, "finite and above 0");
            }
        }
        for (name, value) in [("cluster.weight_decay", p.weight_decay), ("cluster.tolerance", p.tolerance)] {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(name, &value, "finite and at least 0");
            }
        }
        Ok(Self { params })
    }

    fn clusters(&self, n: usize) -> usize {
        self.params.k.fixed().unwrap_or(self.params.k_max).min(n)
    }

    fn inputs(&self, graph: &RegionGraph, context: &Context) -> Result<Array2<f32>, DeepCutError> {
        let mut x = features(graph, &self.params)?;
        if let Some(Start::Vectors(vectors)) = &context.start {
            if vectors.nrows() != graph.n() {
                return Err(DeepCutError::Start { start: vectors.nrows(), n: graph.n() });
            }
            let vectors = standardized(vectors.mapv(|v| v as f32));
            x = concatenate(Axis(1), &[x.view(), vectors.view()]).unwrap_or(x);
        }
        if let Some(((node, dim), _)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(DeepCutError::NotFinite { node, dim });
        }
        Ok(if self.params.standardize { standardized(x) } else { x })
    }

    /// What is added to every weight.
    fn shift(&self, affinity: &Affinity) -> f64 {
        match self.params.objective {
            Objective::Ncut => 0.0,
            Objective::Correlation => -largest(affinity) / self.params.alpha,
        }
    }

    fn train(&self, graph: &RegionGraph, context: &Context) -> Result<Trained, DeepCutError> {
        let (n, affinity) = (graph.n(), graph.affinity());
        if matches!(affinity, Affinity::Gram(gram) if gram.clip) && n > LARGEST_FORMED {
            return Err(DeepCutError::TooDense { n });
        }
        let shift = self.shift(affinity);
        let x = propagate(affinity, shift, self.inputs(graph, context)?.view());
        let loss = Loss::new(self.params.objective, Operator::new(affinity, shift), n);
        let mut random = ChaCha8Rng::seed_from_u64(context.seed);
        let [first, second] = self.params.hidden;
        let network = Network::draw([x.ncols(), first, second, self.clusters(n)], &mut random);
        let mut training = Training::new(&self.params, network, random);
        if let Some(Start::Partition(start)) = &context.start {
            if start.n() != n {
                return Err(DeepCutError::Start { start: start.n(), n });
            }
            training.learn(x.view(), start, self.params.warm_up);
        }
        Ok(training.run(x.view(), &loss, context))
    }
}

/// The named blocks side by side; without names all means, or the factors where there are none.
fn features(graph: &RegionGraph, params: &DeepCutParams) -> Result<Array2<f32>, DeepCutError> {
    let wanted = &params.features;
    let missing = || DeepCutError::NoFeatures { wanted: wanted.to_vec() };
    let blocks: Vec<&FeatureBlock> = if wanted.is_empty() {
        graph.features().iter().filter(|block| block.bins.is_empty()).collect()
    } else {
        wanted.iter().map(|name| graph.feature(name)).collect::<Option<_>>().ok_or_else(missing)?
    };
    let dims: usize = blocks.iter().map(|block| block.dims).sum();
    match graph.affinity() {
        Affinity::Gram(gram) if dims == 0 => Ok(gram.factors.clone()),
        _ if dims == 0 => Err(missing()),
        _ => {
            let scale = |block: &FeatureBlock| params.scales.get(&block.name).map_or(1.0, |&scale| scale as f32);
            let row = |node| blocks.iter().flat_map(move |b| b.row(node).iter().map(move |x| x * scale(b)));
            let values = (0..graph.n()).flat_map(row).collect();
            Array2::from_shape_vec((graph.n(), dims), values).map_err(|_| missing())
        }
    }
}

/// Columns shifted and scaled to mean 0 and variance 1; a constant column becomes 0.
fn standardized(mut x: Array2<f32>) -> Array2<f32> {
    for mut column in x.columns_mut() {
        let n = column.len().max(1) as f64;
        let mean = column.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = column.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        let scale = if variance > 1e-12 * mean * mean { variance.sqrt().recip() } else { 0.0 };
        column.mapv_inplace(|v| ((f64::from(v) - mean) * scale) as f32);
    }
    x
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
        let trained = self.train(graph, context).map_err(StageError::data)?;
        let k = self.clusters(n);
        let labels: Vec<u32> = trained.s.rows().into_iter().map(|row| most(row.iter().copied())).collect();
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
            clustering.soft = Some(trained.s.mapv(f64::from));
        }
        if let Some(loss) = trained.losses.last() {
            context.detail(|| format!("deepcut: {} epochs, loss {loss:.6}", trained.losses.len()));
        }
        Ok(clustering)
    }
}

/// The place of the largest value; the first among equals.
fn most(values: impl Iterator<Item = f32>) -> u32 {
    let best = (0..).zip(values).fold((0, f32::NEG_INFINITY), |best, (at, v)| if v > best.1 { (at, v) } else { best });
    best.0
}
