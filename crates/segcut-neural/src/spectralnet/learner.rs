//! Graphs → a trained network.

use super::augmentation::AugmentationParams;
use super::batches::Neighborhoods;
use super::convolution::picture;
use super::error::SpectralNetError;
use super::inputs::{Scaling, features};
use super::loss::Moments;
use super::model::{SpectralNetModel, embedded, encoded};
use super::network::{Edges, Network};
use super::params::{Neighbors, Similarity, SpectralNetParams};
use super::perceptron::Perceptron;
use super::ritz::{Ritz, rayleigh_ritz};
use super::sampler::{Rows, Sampler};
use super::state;
use super::training::Training;
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segcut_core::{
    Affinity, Checkpoint, ClusterCount, Clusterer, Clustering, Context, Fitted, GraphSource, Learner, Note, Partition,
    RegionGraph, SparseAffinity, StageError, Status, Unkept,
};
use segcut_spectral::{KMeansParams, eigengap, kmeans};

/// Node features → clusters by a network whose outputs become the eigenvectors of the graph's Laplacian.
///
/// Shaham et al., SpectralNet: spectral clustering using deep neural networks, ICLR 2018. A batch's outputs Y cost
/// Σ w_uv·|z_u − z_v|², z being Y made orthonormal (eq. 5 and 6); k-means on the embedding gives the clusters, and its
/// centers are stored. As a [`Learner`] it learns from the nodes of many graphs and returns a model that labels
/// others; as a [`Clusterer`] it learns from the graph that it is to cluster.
///
/// Differs from the paper by default: nodes count by their degree, so that the embedding is that of the normalized
/// cut; the constant eigenvector is taken out; where the graph has edges, batches are made of neighbours in it (else
/// neighbours are found within random batches, as in the paper); the gradient flows through the
/// orthonormalisation (`orthogonality = "fixed"` holds it fixed); and the outputs are at the end turned to the
/// Rayleigh-Ritz vectors of all nodes in their span (with `refit`, in that of the last hidden layer).
///
/// # Errors
/// [`SpectralNetError`] as [`StageError::Data`]; construction refuses parameters out of range.
///
/// # Determinism
/// The seed draws the network, the batches and the starts of k-means. One thread but for k-means, whose result does
/// not depend on their number. Interrupted training that goes on ends at the same model.
///
/// # Cost
/// Per epoch O(n·p) for p weights and O(m·k) for m edges; the refit O(n·h² + m·h) for h outputs of the last hidden
/// layer.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, ClusterCount, Clusterer, Context, FeatureBlock, RegionGraph, SparseAffinity};
/// use segcut_neural::{SpectralNet, SpectralNetParams};
/// // Two chains of 40 points, far apart.
/// let x: Vec<f32> = (0..80).flat_map(|i| [0.1 * (i % 40) as f32, if i < 40 { 0.0 } else { 2.0 }]).collect();
/// let edges: Vec<[u32; 2]> = (0..79).filter(|i| i % 40 != 39).map(|i| [i, i + 1]).collect();
/// let weights = vec![1.0; edges.len()];
/// let block = FeatureBlock { name: "points".into(), dims: 2, values: x, bins: vec![] };
/// let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(80, edges, weights)?)).with_features(vec![block])?;
/// let params = SpectralNetParams { k: ClusterCount::Fixed(2), ..SpectralNetParams::default() };
/// let labels = SpectralNet::new(params)?.cluster(&graph, &Context::default())?.partition;
/// assert!((0..80).all(|i| (labels.labels()[i] == labels.labels()[0]) == (i < 40)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SpectralNet {
    params: SpectralNetParams,
}

/// Nodes of all graphs, one after the other.
struct Nodes {
    x: Array2<f32>,
    scaling: Scaling,
    /// What made `x` of the scaled features.
    encoder: Option<Perceptron>,
    /// Where the siamese network puts the nodes.
    places: Option<Array2<f32>>,
    graph: Option<Neighborhoods>,
}

impl SpectralNet {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: SpectralNetParams) -> Result<Self, StageError> {
        params.check()?;
        Ok(Self { params })
    }

    fn train(
        &self,
        nodes: &Nodes,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<(SpectralNetModel, Fit), StageError> {
        let params = &self.params;
        let inputs = nodes.x.ncols();
        let network = self.network(inputs, context.seed)?;
        let sampler = self.sampler(nodes, &network, context)?;
        let mut training = Training::new(params, network, params.epochs_of(nodes.x.nrows()));
        if let Some(kept) = checkpoint.kept() {
            state::read(&mut training, inputs, &kept)?;
        }
        let status = training.run(&sampler, checkpoint, context)?;
        let Training { network, losses, rank, .. } = training;
        let ritz = refit(&network, params, &sampler, sampler.large()).map_err(StageError::data)?;
        let mut notes = Vec::new();
        if rank < params.outputs() {
            notes.push(Note::Collapsed { dims: params.outputs(), rank });
        }
        let model = self.grouped(nodes, network, ritz, &mut notes, context.seed);
        Ok((model, Fit { status, notes, losses }))
    }

    fn network(&self, inputs: usize, seed: u64) -> Result<Network, StageError> {
        let (params, unfit) = (&self.params, SpectralNetError::Picture { features: inputs, shape: self.params.shape });
        let pictures = params.augmentation.as_ref().is_some_and(AugmentationParams::reads_pictures);
        if pictures && picture(params.shape, inputs).is_none() {
            return Err(StageError::data(unfit));
        }
        Network::draw(params, inputs, &mut ChaCha8Rng::seed_from_u64(seed)).ok_or_else(|| StageError::data(unfit))
    }

    /// The training nodes, with the factor of the kernel's scale that gives the clearest gap behind the k-th Ritz
    /// value of the validation part (of all nodes, without one) after a fifth of the epochs.
    fn sampler<'a>(
        &'a self,
        nodes: &'a Nodes,
        network: &Network,
        context: &Context,
    ) -> Result<Sampler<'a>, StageError> {
        let make = || Sampler::new(&self.params, nodes.view(), context.seed);
        let Neighbors { sigma, sigmas, .. } = &self.params.neighbors;
        if sigmas.is_empty() || nodes.graph.is_some() {
            return Ok(make());
        }
        let epochs = self.params.epochs_of(nodes.x.nrows()).div_ceil(5);
        let mut best = (f64::INFINITY, *sigma);
        for &sigma in [sigma].into_iter().chain(sigmas) {
            let sampler = make().with_sigma(sigma);
            let mut training = Training::new(&self.params, network.clone(), epochs);
            training.run(&sampler, &mut Unkept, context)?;
            let batches = sampler.validation().map_or_else(|| sampler.large(), |held| vec![held.nodes]);
            let ritz = refit(&training.network, &self.params, &sampler, batches).map_err(StageError::data)?;
            let ratio = match &ritz.values[..] {
                [.., inside, outside] => inside / outside.max(f64::MIN_POSITIVE),
                _ => f64::INFINITY,
            };
            context.detail(|| format!("sigma {sigma}: ratio of Ritz values {ratio:.6}"));
            if ratio < best.0 {
                best = (ratio, sigma);
            }
        }
        Ok(make().with_sigma(best.1))
    }

    /// k-means on the embedding of the training nodes.
    fn grouped(
        &self,
        nodes: &Nodes,
        network: Network,
        mut ritz: Ritz,
        notes: &mut Vec<Note>,
        seed: u64,
    ) -> SpectralNetModel {
        let params = self.params.clone();
        let k = params.k.fixed().unwrap_or_else(|| {
            let values: Vec<f64> = [0.0].into_iter().chain(ritz.values.iter().copied()).collect();
            let k = eigengap(&values, 2, params.k_max);
            notes.push(Note::KChosen(k));
            k
        });
        let columns = params.dims.unwrap_or(k.max(2) - 1).min(ritz.map.ncols());
        ritz.map = ritz.map.slice(s![.., ..columns]).to_owned();
        ritz.values.truncate(columns);
        let (n_init, scaling, encoder) = (params.n_init, nodes.scaling.clone(), nodes.encoder.clone());
        let mut model = SpectralNetModel { params, scaling, encoder, network, ritz, centers: Array2::zeros((0, 0)) };
        let edges = model.edges(nodes.graph.as_ref());
        let embedding = embedded(&model.ritz, model.returned(nodes.x.view(), Edges(&edges)).view());
        let found = kmeans(embedding.view(), &KMeansParams { k, n_init, ..KMeansParams::default() }, seed);
        model.centers = found.centers;
        model
    }

    fn nodes(&self, graphs: &mut dyn GraphSource, context: &Context) -> Result<Nodes, StageError> {
        let (blocks, edges) = self.read(graphs, context)?;
        let views: Vec<ArrayView2<'_, f32>> = blocks.iter().map(|block| block.view()).collect();
        let rows = concatenate(Axis(0), &views).map_err(|_| StageError::data(SpectralNetError::Empty))?;
        if rows.nrows() == 0 {
            return Err(StageError::data(SpectralNetError::Empty));
        }
        if let Some(k) = self.params.k.fixed().filter(|&k| k > rows.nrows()) {
            return Err(StageError::data(SpectralNetError::Clusters { k, n: rows.nrows() }));
        }
        let scaling = Scaling::learn(&rows, self.params.standardize);
        let joined = edges.len() == blocks.len() && edges.iter().any(|graph| !graph.edges().is_empty());
        let reads = self.params.similarity == Similarity::Graph || joined;
        let graph = reads.then(|| Neighborhoods::new(&edges, self.params.normalized));
        if self.params.graph_encoder.is_some() && graph.is_none() {
            return Err(StageError::data(SpectralNetError::NoEdges));
        }
        let (mut x, mut encoder) = (scaling.apply(rows), None);
        if let Some(autoencoder) = &self.params.autoencoder {
            let learned = autoencoder.learn(x.view(), context.seed, context)?;
            x = encoded(&learned, x.view());
            encoder = Some(learned);
        }
        let siamese = self.params.siamese.as_ref().filter(|_| graph.is_none());
        let places = siamese.map(|siamese| siamese.learn(x.view(), context.seed, context)).transpose()?;
        Ok(Nodes { x, scaling, encoder, places, graph })
    }

    /// The features of all graphs, and the edges of those that have some that the loss reads.
    fn read(&self, graphs: &mut dyn GraphSource, context: &Context) -> Result<Read, StageError> {
        let (mut blocks, mut edges): Read = (Vec::new(), Vec::new());
        for graph in 0..graphs.len() {
            context.report("reading", graph as f64 / graphs.len() as f64);
            let one = graphs.graph(graph)?;
            let rows = features(&one, &self.params).map_err(StageError::data)?;
            let wanted = blocks.first().map_or(rows.ncols(), Array2::ncols);
            if rows.ncols() != wanted {
                let found = rows.ncols();
                return Err(StageError::data(SpectralNetError::Features { graph, found, wanted }));
            }
            blocks.push(rows);
            match (one.affinity(), self.params.similarity) {
                _ if self.params.batch_neighbors() => {}
                (Affinity::Sparse(sparse), _) => edges.push(sparse.clone()),
                (Affinity::Gram(_), Similarity::Auto) => {}
                (Affinity::Gram(_), _) => return Err(StageError::data(SpectralNetError::Dense)),
            }
        }
        Ok((blocks, edges))
    }
}

/// Features and edges, graph by graph.
type Read = (Vec<Array2<f32>>, Vec<SparseAffinity>);

impl Nodes {
    fn view(&self) -> Rows<'_> {
        let places = self.places.as_ref().unwrap_or(&self.x).view();
        Rows { x: self.x.view(), places, graph: self.graph.as_ref() }
    }
}

/// How training went.
struct Fit {
    status: Status,
    notes: Vec<Note>,
    losses: Vec<f64>,
}

/// The last linear map, from the moments of these groups of nodes.
fn refit(
    network: &Network,
    params: &SpectralNetParams,
    sampler: &Sampler<'_>,
    groups: Vec<Vec<u32>>,
) -> Result<Ritz, SpectralNetError> {
    let mut sum: Option<(f64, Moments)> = None;
    for nodes in groups {
        let batch = sampler.batch(nodes);
        let read = network.returned(sampler.rows(&batch.nodes).view(), Edges::of(&batch), params.refit);
        let mass: f64 = batch.mass.iter().map(|&m| f64::from(m)).sum();
        let one = Moments::of(read.view(), &batch, true);
        sum = Some(match sum {
            None => (mass, one),
            Some((before, moments)) => (before + mass, joined(moments, before, one, mass)),
        });
    }
    let (_, moments) = sum.ok_or(SpectralNetError::Empty)?;
    rayleigh_ritz(&moments, params.columns() + 1, params.ridge)
}

/// Moments of two sets of nodes, weighted by their masses.
fn joined(a: Moments, mass_a: f64, b: Moments, mass_b: f64) -> Moments {
    let (p, q) = (mass_a / (mass_a + mass_b), mass_b / (mass_a + mass_b));
    let between: Array1<f64> = &a.mean - &b.mean;
    let outer = between.view().insert_axis(Axis(1)).dot(&between.view().insert_axis(Axis(0)));
    Moments {
        mean: a.mean * p + b.mean * q,
        gram: a.gram * p + b.gram * q + outer * (p * q),
        energy: a.energy * p + b.energy * q,
        spread: Array2::zeros((0, 0)),
    }
}

impl Clusterer for SpectralNet {
    fn needs_edges(&self) -> bool {
        self.params.similarity == Similarity::Graph || self.params.reads_edges()
    }

    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        self.cluster_resumed(graph, &mut Unkept, context)
    }

    fn cluster_resumed(
        &self,
        graph: &RegionGraph,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Clustering, StageError> {
        let n = graph.n();
        if n < 2 {
            return Ok(Clustering::converged(Partition::whole(n)));
        }
        let k = self.params.k.fixed().map(|k| k.min(n));
        let clamped = Self {
            params: SpectralNetParams { k: k.map_or(ClusterCount::Auto, ClusterCount::Fixed), ..self.params.clone() },
        };
        let nodes = clamped.nodes(&mut std::slice::from_ref(graph), context)?;
        let (model, fit) = clamped.train(&nodes, checkpoint, context)?;
        let found = model.clustering(graph, nodes.x.view(), context.seed)?;
        let mut notes = fit.notes;
        let made = found.partition.sizes().iter().filter(|&&size| size > 0).count();
        if let Some(asked) = self.params.k.fixed().filter(|&asked| made < asked) {
            notes.push(Note::KReduced { asked, made });
        }
        Ok(Clustering { status: fit.status, notes, losses: fit.losses, ..found })
    }
}

impl Learner for SpectralNet {
    fn needs_edges(&self) -> bool {
        self.params.similarity == Similarity::Graph || self.params.reads_edges()
    }

    fn fit(
        &self,
        graphs: &mut dyn GraphSource,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Fitted, StageError> {
        let nodes = self.nodes(graphs, context)?;
        let (model, Fit { status, notes, losses }) = self.train(&nodes, checkpoint, context)?;
        Ok(Fitted { model: Box::new(model), status, notes, losses })
    }
}
