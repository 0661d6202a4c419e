//! A graph, or many, → a trained network and the communities that it gives.

use super::Community;
use super::attributes::{Attributes, Columns, Reading, given};
use super::cluster_count::{Evidence, cluster_count, most};
use super::encoder::Encoder;
use super::error::CommunityError;
use super::held_out::hold_out;
use super::joining::join;
use super::links::Links;
use super::model::CommunityModel;
use super::modularity_moves::{Moves, mean_directions, modularity};
use super::params::{CommunityAssign, CommunityLoss, CommunityParams, CommunityStart, CountBy};
use super::placement::{small_components, spread_components};
use super::propagation::{Propagation, Scaling};
use super::receptive_field::{FieldSize, directions};
use super::state::Kept;
use super::streams::{Stream, stream};
use super::training::{Sample, Training, largest};
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rand_chacha::ChaCha8Rng;
use segcut_core::{
    Affinity, Checkpoint, ClusterCount, Context, Fitted, GraphSource, Learner, Note, RegionGraph, SparseAffinity,
    StageError, Start, Status,
};
use segcut_spectral::{KMeans, KMeansParams, kmeans};

/// Share of the edges that judge the number of communities where the description does not.
const HELD_OUT: f64 = 0.1;

/// Nodes with their edges and attributes.
pub(super) struct Nodes<'a> {
    pub(super) affinity: &'a SparseAffinity,
    /// n×d.
    pub(super) given: Option<Array2<f32>>,
}

/// A graph as the network reads it.
struct Read {
    links: Links,
    reading: Reading,
    /// n×R rows.
    rows: Array2<f32>,
    /// Nodes of components that are placed whole.
    aside: Option<Vec<bool>>,
}

/// A trained network and what it makes of the graph that it was trained on.
pub(super) struct Learned {
    pub(super) reading: Reading,
    pub(super) sample: Sample,
    pub(super) encoder: Encoder,
    pub(super) status: Status,
    pub(super) losses: Vec<f64>,
    /// Communities that were looked for.
    pub(super) k: usize,
    pub(super) labels: Vec<u32>,
    /// Centers of k-means on the embedding, where that gives the labels.
    pub(super) groups: Option<Array2<f64>>,
    pub(super) embedding: Array2<f32>,
}

impl Community {
    pub(super) fn learn(
        &self,
        nodes: Nodes<'_>,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Learned, StageError> {
        let kept = checkpoint.kept().map(|bytes| Kept::read(&bytes)).transpose()?;
        let k = match &kept {
            Some(kept) => kept.k,
            None => self.count(&nodes, context)?,
        };
        let mut read = self.read(nodes, context.seed);
        let start = if kept.is_some() { None } else { self.start(&read, k, context).map_err(StageError::data)? };
        let aside = read.aside.take();
        let reading = read.reading;
        let sizes = sizes(&self.params, reading.width(), k);
        let encoder = Encoder::draw(self.params.encoder, &sizes, &mut stream(context.seed, Stream::Network));
        let sample = Sample::new(&encoder, read.links, read.rows);
        let mut training = Training::new(&self.params, encoder, context.seed);
        let start = start.filter(|_| self.params.loss != CommunityLoss::Edge);
        match (&kept, &start) {
            (Some(kept), _) => kept.restore(&mut training, &sizes)?,
            (None, Some(labels)) => training.learn(&sample, labels, context),
            (None, None) => {}
        }
        let status = training.run(&sample, k, checkpoint, context)?;
        let Training { encoder, losses, .. } = training;
        let (embedding, mut found) = self.labels(&sample, &encoder, k, context.seed);
        // Stopped before the first epoch: the network knows nothing yet.
        if let Some(start) = start.filter(|_| losses.is_empty() && self.params.epochs > 0) {
            found.labels = start;
        }
        if let Some(aside) = &aside {
            spread_components(sample.links(), aside, k, &mut found.labels);
        }
        let graph = (sample.links(), sample.rows());
        let moved = self.improve(graph, k, &mut found.labels, stream(context.seed, Stream::Moves));
        context.detail(|| format!("{} epochs, {moved} nodes moved", losses.len()));
        let Found { labels, groups } = found;
        Ok(Learned { reading, sample, encoder, status, losses, k, labels, groups, embedding })
    }

    /// Moves nodes to better communities; how many.
    fn improve(
        &self,
        (links, rows): (&Links, ArrayView2<'_, f32>),
        k: usize,
        labels: &mut [u32],
        mut random: ChaCha8Rng,
    ) -> usize {
        let moves = Moves { links, rows, attributes: self.params.refine_attributes, k, centers: None };
        moves.run(labels, self.params.refine_sweeps, &mut random)
    }

    fn read(&self, nodes: Nodes<'_>, seed: u64) -> Read {
        let links = Links::of(nodes.affinity);
        let (columns, attributes, aside) = match nodes.given {
            Some(x) => {
                let columns = Columns::learn(&x);
                let attributes = columns.attributes(x);
                (columns, attributes, None)
            }
            None => {
                let aside = small_components(&links, self.params.k.fixed().unwrap_or(most(&self.params, links.n())));
                let names = Attributes::Names(aside.iter().map(|aside| !aside).collect());
                (Columns::default(), names, Some(aside))
            }
        };
        let propagation = Propagation::new(&links, Scaling::Symmetric);
        let mut random = stream(seed, Stream::Fields);
        let one = |hops: usize| {
            let size = FieldSize { hops, dims: self.params.dims };
            (hops, directions(&attributes, &links, &propagation, size, &mut random))
        };
        let fields = self.params.reaches(aside.is_some()).into_iter().map(one).collect();
        let reading = Reading { columns, fields };
        let rows = reading.rows(&attributes, &links);
        Read { links, reading, rows, aside }
    }

    fn count(&self, nodes: &Nodes<'_>, context: &Context) -> Result<usize, StageError> {
        let CommunityParams { k_by: by, k_held_out: share, .. } = self.params;
        if let Some(k) = self.params.k.fixed() {
            return Ok(k.min(nodes.affinity.n()));
        }
        if let Some(k) = self.count_by(by, share, nodes, context)? {
            return Ok(k);
        }
        Ok(self.count_by(CountBy::Modularity, share.max(HELD_OUT), nodes, context)?.unwrap_or(1))
    }

    /// The number of communities by a rule, with a share of the edges held out.
    fn count_by(
        &self,
        by: CountBy,
        share: f64,
        nodes: &Nodes<'_>,
        context: &Context,
    ) -> Result<Option<usize>, StageError> {
        let mut random = stream(context.seed, Stream::HeldOut);
        let (kept, held) = hold_out(nodes.affinity, share, &mut random).map_err(StageError::data)?;
        let read = self.read(Nodes { affinity: &kept, given: nodes.given.clone() }, context.seed);
        let evidence = Evidence { by, affinity: &kept, links: &read.links, rows: read.rows.view(), held: &held };
        cluster_count(&evidence, &self.params, context, &mut stream(context.seed, Stream::Count))
    }

    /// Labels to learn first.
    fn start(&self, read: &Read, k: usize, context: &Context) -> Result<Option<Vec<u32>>, CommunityError> {
        let n = read.links.n();
        match &context.start {
            Some(Start::Partition(start)) if start.n() != n => Err(CommunityError::Start { start: start.n(), n }),
            Some(Start::Partition(start)) if start.k() <= k => Ok(Some(start.labels().to_vec())),
            _ if self.params.start == CommunityStart::Random => Ok(None),
            _ => Ok(Some(self.first_labels(read, k, context.seed))),
        }
    }

    /// k-means and moves; where groups are joined too, the one of larger modularity.
    fn first_labels(&self, read: &Read, k: usize, seed: u64) -> Vec<u32> {
        let rows = read.rows.mapv(f64::from);
        let (links, attributes) = (&read.links, self.params.refine_attributes);
        let moves = Moves { links, rows: read.rows.view(), attributes, k, centers: None };
        let start = |many: usize| {
            // What one start of k-means gets wrong, joining mends.
            let n_init = if many > k { 1 } else { KMeansParams::default().n_init };
            let mut labels =
                kmeans(rows.view(), &KMeansParams { k: many, n_init, ..KMeansParams::default() }, seed).labels;
            if many > k {
                join(&moves, &mut labels, many);
            }
            moves.run(&mut labels, self.params.refine_sweeps, &mut stream(seed, Stream::Start));
            labels
        };
        let (direct, many) = (start(k), self.params.groups(read.aside.is_some(), k, links.n()));
        if many == k {
            return direct;
        }
        let joined = start(many);
        if modularity(links, &joined, k) > modularity(links, &direct, k) { joined } else { direct }
    }

    /// The embedding, and the labels that the network gives.
    fn labels(&self, sample: &Sample, encoder: &Encoder, k: usize, seed: u64) -> (Array2<f32>, Found) {
        let pass = sample.outputs(encoder);
        let embed = self.params.loss == CommunityLoss::Edge;
        let embedding = if embed { &pass.out } else { pass.hidden() }.clone();
        if !embed && self.params.assign == CommunityAssign::Argmax {
            return (embedding, Found { labels: largest(pass.out.view()), groups: None });
        }
        let KMeans { labels, centers, .. } = grouped(&embedding, k, seed);
        (embedding, Found { labels, groups: Some(centers) })
    }
}

struct Found {
    labels: Vec<u32>,
    groups: Option<Array2<f64>>,
}

/// Widths of the network from its inputs to its outputs.
pub(super) fn sizes(params: &CommunityParams, inputs: usize, k: usize) -> Vec<usize> {
    [inputs].into_iter().chain(params.hidden.iter().copied()).chain([params.outputs(k)]).collect()
}

fn grouped(rows: &Array2<f32>, k: usize, seed: u64) -> KMeans {
    kmeans(rows.mapv(f64::from).view(), &KMeansParams { k, ..KMeansParams::default() }, seed)
}

/// The edges of a graph, where none is below zero.
pub(super) fn sparse(graph: &RegionGraph) -> Result<&SparseAffinity, CommunityError> {
    let Affinity::Sparse(affinity) = graph.affinity() else { return Err(CommunityError::NoEdges) };
    match affinity.weights().iter().enumerate().find(|(_, w)| **w < 0.0) {
        Some((edge, &weight)) => Err(CommunityError::Negative { edge, weight }),
        None => Ok(affinity),
    }
}

/// All graphs as one, without edges between them.
fn union(
    graphs: &mut dyn GraphSource,
    names: &[String],
    context: &Context,
) -> Result<(SparseAffinity, Array2<f32>), StageError> {
    let (mut edges, mut weights, mut blocks, mut n) = (Vec::new(), Vec::new(), Vec::<Array2<f32>>::new(), 0u32);
    for at in 0..graphs.len() {
        context.report("reading", at as f64 / graphs.len() as f64);
        let graph = graphs.graph(at)?;
        if graph.n() == 0 {
            continue;
        }
        let affinity = sparse(&graph).map_err(StageError::data)?;
        let x = given(&graph, names).map_err(StageError::data)?;
        let x = x.ok_or_else(|| StageError::data(CommunityError::NoAttributes))?;
        let (found, wanted) = (x.ncols(), blocks.first().map_or(x.ncols(), Array2::ncols));
        if found != wanted {
            return Err(StageError::data(CommunityError::Width { graph: at, found, wanted }));
        }
        edges.extend(affinity.edges().iter().map(|edge| edge.map(|node| node + n)));
        weights.extend_from_slice(affinity.weights());
        n += graph.n() as u32;
        blocks.push(x);
    }
    let views: Vec<ArrayView2<'_, f32>> = blocks.iter().map(|block| block.view()).collect();
    let x = concatenate(Axis(0), &views).map_err(|_| StageError::data(CommunityError::Empty))?;
    Ok((SparseAffinity::new(x.nrows(), edges, weights).map_err(StageError::data)?, x))
}

/// What there is to tell of the number of communities.
pub(super) fn notes(asked: ClusterCount, made: usize) -> Vec<Note> {
    match asked {
        ClusterCount::Auto => vec![Note::KChosen(made)],
        ClusterCount::Fixed(asked) if made < asked => vec![Note::KReduced { asked, made }],
        ClusterCount::Fixed(_) => Vec::new(),
    }
}

impl Learner for Community {
    /// Many graphs are one without edges between them. Nodes must have attributes.
    fn fit(
        &self,
        graphs: &mut dyn GraphSource,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Fitted, StageError> {
        let (affinity, x) = union(graphs, &self.params.features, context)?;
        let learned = self.learn(Nodes { affinity: &affinity, given: Some(x) }, checkpoint, context)?;
        if matches!(learned.status, Status::Cancelled | Status::TimedOut) {
            return Err(StageError::Stopped(context.stopped()));
        }
        let Learned { reading, sample, encoder, status, losses, k, labels, groups, .. } = learned;
        let centers = mean_directions(sample.rows(), &labels, k);
        let params = CommunityParams { k: ClusterCount::Fixed(k), ..self.params.clone() };
        let model = CommunityModel { params, reading, encoder, centers, groups };
        Ok(Fitted { model: Box::new(model), status, notes: notes(self.params.k, k), losses })
    }
}
