//! Graph → communities by a graph network that is trained on that graph.

mod attention;
mod cluster_count;
mod encoder;
mod links;
mod mincut;
mod modularity_moves;
mod objective;
mod params;
mod placement;
mod propagation;
mod receptive_field;
mod sampling;
#[cfg(test)]
mod tests;
mod training;

pub use params::{CommunityAssign, CommunityLoss, CommunityParams, CommunityStart, CountBy, EncoderKind};

use cluster_count::{Evidence, cluster_count};
use encoder::Encoder;
use links::Links;
use modularity_moves::Moves;
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use placement::{small_components, spread_components};
use propagation::{Propagation, Scaling};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use receptive_field::{Attributes, FieldSize, receptive_field, unit_rows};
use segcut_core::{
    Affinity, ClusterCount, Clusterer, Clustering, Context, FeatureBlock, Note, Partition, RegionGraph, SparseAffinity,
    StageError, Start,
};
use segcut_spectral::{KMeansParams, kmeans};
use thiserror::Error;
use training::{Sample, Trained, Training};

/// Why a graph has no communities that a network could learn.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CommunityError {
    /// A Gram affinity where edges are needed.
    #[error("communities need a graph with edges; this affinity is given by factors")]
    NoEdges,
    /// Modularity has no meaning for weights below zero.
    #[error("communities need weights of at least 0; edge {edge} has {weight}")]
    Negative {
        /// The edge's place.
        edge: usize,
        /// Its weight.
        weight: f64,
    },
    /// A block of features that the graph does not have.
    #[error("the graph has no features named {name}")]
    NoFeature {
        /// The name that was asked for.
        name: String,
    },
    /// A feature is NaN or infinite.
    #[error("feature {dim} of node {node} is not finite")]
    NotFinite {
        /// The node.
        node: usize,
        /// The dimension.
        dim: usize,
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

/// RegionGraph → communities by a graph network trained on this graph, with or without attributes of the nodes.
///
/// 1. Attributes are averaged over several receptive fields ([`CommunityParams::hops`]), each kept in its strongest
///    directions with rows of length 1 (Zhang et al. 2019 and Wu et al. 2019 average them; the rows' length is
///    ours). Without attributes every node has a name of its own, so that a field is a spectral embedding.
/// 2. k-means on the fields is what the network learns first.
/// 3. The network is trained with the modularity loss of DMoN (Tsitsulin, Palowitch, Perozzi & Müller, Graph
///    Clustering with Graph Neural Networks, JMLR 2023, eq. 3), the N-cut loss, or kept edges and orthogonality, plus
///    what the communities leave unexplained of the fields.
/// 4. Nodes move between the communities as long as modularity plus agreement with the fields grows.
///
/// DMoN as published: `hops = [0]`, `dims = 256`, `start = "random"`, `reconstruction = 0`, `collapse = 1`, `dropout = 0.5`,
/// `refine_sweeps = 0`; differs in that attributes are reduced to `dims` directions first.
///
/// Without attributes, components of less than a quarter of a community's share of the volume are not read by the
/// network; each goes whole to the community of least volume. A partition in the [`Context`] replaces k-means as the
/// start. Feature blocks of histograms are left out unless named. A diagonal is not read.
///
/// # Errors
/// [`CommunityError`] as [`StageError::Data`]; construction refuses parameters out of range.
///
/// # Determinism
/// The seed draws k-means' starts, the network, dropout, batches and the order of moves. The same bytes at any
/// number of threads.
///
/// # Cost
/// Fields O(n·d·r + m·h·r) for d attributes, r dimensions, h hops; an epoch O(n·r·hidden + m·hidden). Memory
/// O(n·d + m).
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, ClusterCount, Clusterer, Context, RegionGraph, SparseAffinity};
/// use segcut_neural::{Community, CommunityParams};
/// // Two rings of five with all chords, and a bridge.
/// let ring = |first: u32| (0..5).flat_map(move |i| (i + 1..5).map(move |j| [first + i, first + j]));
/// let mut edges: Vec<[u32; 2]> = ring(0).chain(ring(5)).chain([[4, 5]]).collect();
/// edges.sort();
/// let weights = vec![1.0; edges.len()];
/// let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(10, edges, weights)?));
/// let params = CommunityParams { k: ClusterCount::Fixed(2), ..CommunityParams::default() };
/// let labels = Community::new(params)?.cluster(&graph, &Context::default())?.partition;
/// assert!((0..10).all(|i| (labels.labels()[i] == labels.labels()[0]) == (i < 5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Community {
    params: CommunityParams,
}

/// A graph as the network reads it.
struct Read {
    links: Links,
    /// n×d fields side by side, rows of length 1 at most.
    rows: Array2<f32>,
    /// Nodes of components that are placed whole.
    aside: Option<Vec<bool>>,
}

impl Community {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: CommunityParams) -> Result<Self, StageError> {
        params.check()?;
        Ok(Self { params })
    }

    fn read(&self, graph: &RegionGraph, random: &mut ChaCha8Rng) -> Result<Read, CommunityError> {
        let affinity = sparse(graph)?;
        let links = Links::of(affinity);
        let given = attributes(graph, &self.params.features)?;
        let (attributes, aside) = match given {
            Some(x) => (Attributes::Given(unit_rows(x)), None),
            None => {
                let aside = small_components(&links, self.params.k.fixed().unwrap_or(self.params.k_max));
                (Attributes::Names(aside.iter().map(|aside| !aside).collect()), Some(aside))
            }
        };
        let propagation = Propagation::new(&links, Scaling::Symmetric);
        let fields: Vec<Array2<f32>> = self
            .hops(aside.is_some())
            .into_iter()
            .map(|hops| {
                let size = FieldSize { hops, dims: self.params.dims };
                receptive_field(&attributes, &links, &propagation, size, random)
            })
            .collect();
        let views: Vec<ArrayView2<'_, f32>> = fields.iter().map(|field| field.view()).collect();
        let rows = concatenate(Axis(1), &views).unwrap_or_else(|_| Array2::zeros((links.n(), 0)));
        let rows = rows / (fields.len() as f32).sqrt();
        Ok(Read { links, rows, aside })
    }

    /// How far the fields reach; nodes that differ in nothing but their names are told apart by their neighbours.
    fn hops(&self, names: bool) -> Vec<usize> {
        match (self.params.hops.as_slice(), names) {
            ([], false) => vec![4, 8, 16],
            ([], true) => vec![2, 4],
            (hops, names) => hops.iter().map(|&hops| hops.max(usize::from(names))).collect(),
        }
    }

    fn count(
        &self,
        graph: &RegionGraph,
        read: &Read,
        context: &Context,
        random: &mut ChaCha8Rng,
    ) -> Result<usize, StageError> {
        match self.params.k {
            ClusterCount::Fixed(k) => Ok(k.min(read.links.n())),
            ClusterCount::Auto => {
                let affinity = sparse(graph).map_err(StageError::data)?;
                let evidence = Evidence { affinity, links: &read.links, rows: read.rows.view() };
                cluster_count(&evidence, &self.params, context, random)
            }
        }
    }

    /// Labels to learn first.
    fn start(&self, read: &Read, k: usize, context: &Context) -> Result<Option<Vec<u32>>, CommunityError> {
        let n = read.links.n();
        match &context.start {
            Some(Start::Partition(start)) if start.n() != n => {
                return Err(CommunityError::Start { start: start.n(), n });
            }
            Some(Start::Partition(start)) if start.k() <= k => return Ok(Some(start.labels().to_vec())),
            _ => {}
        }
        Ok((self.params.start == CommunityStart::Kmeans).then(|| by_kmeans(&read.rows, k, context.seed)))
    }

    /// The trained network and the graph that it was trained on.
    fn train(
        &self,
        read: Read,
        k: usize,
        start: Option<&[u32]>,
        context: &Context,
        mut random: ChaCha8Rng,
    ) -> (Sample, Trained) {
        let outputs = if self.params.loss == CommunityLoss::Edge { self.params.embedding } else { k };
        let mut sizes = vec![read.rows.ncols()];
        sizes.extend(&self.params.hidden);
        sizes.push(outputs);
        let encoder = Encoder::draw(self.params.encoder, &sizes, &mut random);
        let sample = Sample::new(&encoder, read.links, read.rows);
        let mut training = Training::new(&self.params, encoder, random);
        if let Some(labels) = start.filter(|_| outputs == k && self.params.loss != CommunityLoss::Edge) {
            training.learn(&sample, labels);
        }
        let trained = training.run(&sample, context);
        (sample, trained)
    }
}

impl Clusterer for Community {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        if graph.n() == 0 {
            return Ok(Clustering::converged(Partition::whole(0)));
        }
        let mut random = ChaCha8Rng::seed_from_u64(context.seed);
        let mut read = self.read(graph, &mut random).map_err(StageError::data)?;
        let k = self.count(graph, &read, context, &mut random)?;
        let start = self.start(&read, k, context).map_err(StageError::data)?;
        let aside = read.aside.take();
        let (sample, trained) = self.train(read, k, start.as_deref(), context, random.clone());
        let pass = sample.outputs(&trained.encoder);
        let embed = self.params.loss == CommunityLoss::Edge;
        let mut labels = match (embed, self.params.assign) {
            (true, _) => by_kmeans(&pass.out, k, context.seed),
            (false, CommunityAssign::Kmeans) => by_kmeans(pass.hidden(), k, context.seed),
            (false, CommunityAssign::Argmax) => {
                pass.out.rows().into_iter().map(|row| most(row.iter().copied())).collect()
            }
        };
        if let Some(aside) = &aside {
            spread_components(sample.links(), aside, k, &mut labels);
        }
        let moves = Moves { links: sample.links(), rows: sample.rows(), attributes: self.params.refine_attributes, k };
        let moved = moves.run(&mut labels, self.params.refine_sweeps, &mut random);
        context.detail(|| format!("{} epochs, {moved} nodes moved", trained.losses.len()));
        let partition = Partition::compact(&labels);
        let Trained { status, losses, .. } = trained;
        let mut clustering = Clustering { status, losses, ..Clustering::converged(partition) };
        clustering.notes = notes(self.params.k, clustering.partition.k());
        clustering.embedding = Some(if embed { &pass.out } else { pass.hidden() }.mapv(f64::from));
        Ok(clustering)
    }
}

fn notes(asked: ClusterCount, made: usize) -> Vec<Note> {
    match asked {
        ClusterCount::Auto => vec![Note::KChosen(made)],
        ClusterCount::Fixed(asked) if made < asked => vec![Note::KReduced { asked, made }],
        ClusterCount::Fixed(_) => Vec::new(),
    }
}

fn sparse(graph: &RegionGraph) -> Result<&SparseAffinity, CommunityError> {
    let Affinity::Sparse(affinity) = graph.affinity() else { return Err(CommunityError::NoEdges) };
    match affinity.weights().iter().enumerate().find(|(_, w)| **w < 0.0) {
        Some((edge, &weight)) => Err(CommunityError::Negative { edge, weight }),
        None => Ok(affinity),
    }
}

/// The named blocks side by side, each column less its mean; none where there are no columns.
fn attributes(graph: &RegionGraph, names: &[String]) -> Result<Option<Array2<f32>>, CommunityError> {
    let blocks: Vec<&FeatureBlock> = if names.is_empty() {
        graph.features().iter().filter(|block| block.bins.is_empty()).collect()
    } else {
        let missing = |name: &String| CommunityError::NoFeature { name: name.clone() };
        names.iter().map(|name| graph.feature(name).ok_or_else(|| missing(name))).collect::<Result<_, _>>()?
    };
    let dims: usize = blocks.iter().map(|block| block.dims).sum();
    if dims == 0 {
        return Ok(None);
    }
    let mut x = Array2::zeros((graph.n(), dims));
    for (node, mut row) in x.rows_mut().into_iter().enumerate() {
        let values = blocks.iter().flat_map(|block| block.row(node));
        for (dim, (place, &value)) in row.iter_mut().zip(values).enumerate() {
            if !value.is_finite() {
                return Err(CommunityError::NotFinite { node, dim });
            }
            *place = value;
        }
    }
    let means = x.mapv(f64::from).sum_axis(Axis(0)) / graph.n().max(1) as f64;
    x -= &means.mapv(|mean| mean as f32);
    Ok(Some(x))
}

fn by_kmeans(rows: &Array2<f32>, k: usize, seed: u64) -> Vec<u32> {
    kmeans(rows.mapv(f64::from).view(), &KMeansParams { k, ..KMeansParams::default() }, seed).labels
}

/// The place of the largest value; the first among equals.
fn most(values: impl Iterator<Item = f32>) -> u32 {
    let best = (0..).zip(values).fold((0, f32::NEG_INFINITY), |best, (at, v)| if v > best.1 { (at, v) } else { best });
    best.0
}
