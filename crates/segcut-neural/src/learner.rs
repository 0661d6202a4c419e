//! Many graphs → one trained network.

use crate::deepcut::{DeepCut, check_size, prepared, shape, shift};
use crate::inputs::{DeepCutError, Moments, Standard, features};
use crate::model::DeepCutModel;
use crate::model_file::ModelFile;
use crate::network::{Network, Pass};
use crate::params::DeepCutParams;
use crate::spread::blocks;
use crate::training::{Prepared, Training, status_of};
use ndarray::ArrayView1;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use segcut_core::{
    Checkpoint, ClusterCount, Context, Fitted, GraphSource, Learner, RegionGraph, StageError, Status, Stop,
};

/// The kind of the file of unfinished training.
const KIND: &str = "deepcut_training";

/// Bytes of prepared batches that are held from one epoch to the next; the others are made again.
const HELD: usize = 1 << 30;

/// Batches of graphs, and how their features are scaled.
struct Folder<'a> {
    params: &'a DeepCutParams,
    graphs: &'a mut dyn GraphSource,
    standard: Standard,
    /// Numbers of graphs.
    batches: Vec<Vec<usize>>,
    held: Vec<Option<Prepared>>,
    bytes: usize,
}

impl<'a> Folder<'a> {
    /// Reads every graph once, for the mean and variance of its features; graphs without nodes are left out.
    fn new(params: &'a DeepCutParams, graphs: &'a mut dyn GraphSource, context: &Context) -> Result<Self, StageError> {
        let (mut moments, mut used) = (Moments::default(), Vec::new());
        let mut width = None;
        for index in 0..graphs.len() {
            context.report("reading", index as f64 / graphs.len() as f64);
            let graph = graphs.graph(index)?;
            if graph.n() == 0 {
                continue;
            }
            check_size(params, graph.affinity())?;
            let x = features(&graph, params)?;
            let wanted = *width.get_or_insert(x.cols);
            if x.cols != wanted {
                return Err(DeepCutError::Width { wanted, found: x.cols }.into());
            }
            moments.add(&x);
            used.push(index);
        }
        let Some(width) = width else { return Err(DeepCutError::NoGraphs.into()) };
        used.shuffle(&mut ChaCha8Rng::seed_from_u64(context.seed));
        let batches: Vec<Vec<usize>> = used.chunks(params.batch).map(<[usize]>::to_vec).collect();
        let standard = if params.standardize { moments.standard() } else { Standard::identity(width) };
        let held = batches.iter().map(|_| None).collect();
        Ok(Self { params, graphs, standard, batches, held, bytes: 0 })
    }

    /// One batch, held or made again.
    fn take(&mut self, batch: usize) -> Result<Prepared, StageError> {
        if let Some(held) = self.held[batch].take() {
            self.bytes -= held.bytes();
            return Ok(held);
        }
        let graphs = self.batches[batch].iter().map(|&index| {
            let graph = self.graphs.graph(index)?;
            Ok(prepared_graph(self.params, &self.standard, &graph)?)
        });
        Ok(Prepared::union(graphs.collect::<Result<_, StageError>>()?, self.params))
    }

    fn give_back(&mut self, batch: usize, prepared: Prepared) {
        if self.bytes + prepared.bytes() <= HELD {
            self.bytes += prepared.bytes();
            self.held[batch] = Some(prepared);
        }
    }
}

/// What a network that was trained on features of this scale reads of a graph.
pub(crate) fn prepared_graph(
    params: &DeepCutParams,
    standard: &Standard,
    graph: &RegionGraph,
) -> Result<Prepared, DeepCutError> {
    check_size(params, graph.affinity())?;
    let mut x = features(graph, params)?;
    let wanted = standard.center.len();
    if x.cols != wanted {
        return Err(DeepCutError::Width { wanted, found: x.cols });
    }
    standard.apply(&mut x);
    prepared(params, graph.affinity(), shift(params, graph.affinity()), x)
}

impl Learner for DeepCut {
    /// Optimises one network over many graphs (co-segmentation): a batch of graphs is one graph without edges between
    /// its parts, so a cluster may be missing in a single image. Features are scaled by their mean and variance over
    /// all graphs. A cluster number means the same in every image that the model labels.
    fn fit(
        &self,
        graphs: &mut dyn GraphSource,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Fitted, StageError> {
        let params = self.params();
        let mut folder = Folder::new(params, graphs, context)?;
        let inputs = blocks(params.encoder) * folder.standard.center.len();
        let shape = shape(params, inputs, params.clusters(usize::MAX));
        let network = Network::draw(&shape, &mut ChaCha8Rng::seed_from_u64(context.seed));
        let mut training = Training::new(params, network, ChaCha8Rng::seed_from_u64(context.seed));
        let mut losses = Vec::new();
        if let Some(kept) = checkpoint.kept() {
            losses = restore(&mut training, &kept)?;
        }
        let mut status = status_of(&losses, params.tolerance);
        while losses.len() < params.epochs && matches!(status, Status::IterationLimit { .. }) {
            let stop = context.stopped();
            if stop != Stop::No {
                return Err(StageError::Stopped(stop));
            }
            losses.push(epoch(&mut training, &mut folder, (context.seed, losses.len()))?);
            status = status_of(&losses, params.tolerance);
            checkpoint.keep(&state(&training, &losses).map_err(StageError::data)?)?;
            context.report("deepcut", losses.len() as f64 / params.epochs as f64);
        }
        let standard = folder.standard;
        let params = DeepCutParams { k: ClusterCount::Fixed(shape.clusters), ..params.clone() };
        let model = DeepCutModel { params, standard, network: training.into_network() };
        if self.params().tolerance == 0.0 {
            status = Status::Converged;
        }
        Ok(Fitted { model: Box::new(model), status, notes: Vec::new(), losses })
    }
}

/// One step per batch, in an order of the epoch's own; the mean loss.
fn epoch(training: &mut Training<'_>, folder: &mut Folder<'_>, (seed, epoch): (u64, usize)) -> Result<f64, StageError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(epoch as u64 + 1);
    let mut order: Vec<usize> = (0..folder.batches.len()).collect();
    order.shuffle(&mut random);
    training.reseed(random);
    let mut sum = 0.0;
    for &batch in &order {
        let graph = folder.take(batch)?;
        let mut pass = Pass::new(training.network(), graph.n());
        sum += training.step(graph.inputs(), &mut pass, |s, gradient| graph.loss.of(s, gradient));
        folder.give_back(batch, graph);
    }
    Ok(sum / order.len().max(1) as f64)
}

fn state(training: &Training<'_>, losses: &[f64]) -> std::io::Result<Vec<u8>> {
    let mut file = ModelFile::default();
    let (steps, mean, square) = training.adam().state();
    file.put_vector("parameters", ArrayView1::from(&training.network().parameters[..]));
    file.put_vector("mean", ArrayView1::from(mean));
    file.put_vector("square", ArrayView1::from(square));
    file.put_vector("steps", ArrayView1::from(&[f64::from(steps)][..]));
    file.put_vector("losses", ArrayView1::from(losses));
    file.to_bytes(KIND)
}

fn restore(training: &mut Training<'_>, bytes: &[u8]) -> Result<Vec<f64>, StageError> {
    let file = ModelFile::read(KIND, bytes).map_err(StageError::data)?;
    let vector = |name: &str| file.vector(name, None).map_err(StageError::data);
    let narrow = |name: &str| vector(name).map(|values| values.mapv(|x| x as f32).to_vec());
    let steps = vector("steps")?.first().copied().unwrap_or(-1.0) as i32;
    if !training.restore(narrow("parameters")?, steps, [narrow("mean")?, narrow("square")?]) {
        return Err(DeepCutError::State.into());
    }
    Ok(vector("losses")?.to_vec())
}
