//! `segcut cluster`: points, graphs and edge lists → labels, scores and a report.

pub mod args;
pub mod input;
mod page;
pub mod plane;
pub mod recipe;
pub mod results;
mod resume;
mod truth;
pub mod watch;

use crate::args::Talk;
use crate::budget::Budget;
use crate::exit::{Code, Failure, Outcome};
use crate::print::{note, out, out_json};
use crate::signals::Signals;
use crate::unfinished::{self, Unfinished};
use args::ClusterArgs;
use input::{Nodes, block, edgeless};
use ndarray::Array2;
use page::Page;
use recipe::{Chosen, choose};
use results::{Scores, Told, Values, edges, status_word};
use segcut::{PointAffinity, PointGraph};
use segcut_core::{Affinity, Checkpoint, Clustering, RegionGraph, StageError, Start, Unkept};
use segcut_io::npy::{NpyData, write_npy};
use segcut_io::shown;
use segcut_io::tables::write_labels;
use std::fmt::Display;
use std::time::Instant;
use watch::Watch;

/// Bytes that an edge of a graph of points may take until it is clustered.
const EDGE_BYTES: u64 = 96;

/// Reads, clusters, scores and writes.
pub fn cluster(args: &ClusterArgs, talk: Talk) -> Outcome {
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    if args.threads == Some(0) {
        return Err(Failure::usage("--threads must be at least 1"));
    }
    let max_bytes = Budget::from_flag(args.max_memory).total();
    let chosen = choose(args, max_bytes)?;
    let signals = Signals::install().map_err(Failure::output)?;
    let watch = Watch::new(talk, &signals);
    watch.stage("reading");
    let mut job = Job::read(args, chosen, max_bytes)?;
    let seconds_read = start.elapsed().as_secs_f64();
    let done = in_pool(args.threads, || job.run(args, &watch, max_bytes))?;
    watch.finish();
    if let Some(code) = signals.code() {
        job.interrupted(args)?;
        return Ok(code);
    }
    let (graph, clustering) = done?;
    let told = Told { seconds_read, ..job.told(&graph, &clustering)? };
    write(args, &job.nodes, &clustering)?;
    if job.unfinished.is_some() {
        unfinished::remove(&resume::prefix(args))?;
    }
    let told = Told { seconds: start.elapsed().as_secs_f64(), ..told };
    if let Some(folder) = &args.report {
        let Job { chosen, nodes, truth, .. } = &job;
        let truth = truth.as_deref();
        Page { folder, chosen, nodes, graph: &graph, clustering: &clustering, truth, told: &told }.write()?;
    }
    tell(args, talk, &told)
}

/// Runs the work on so many threads, as many as cores where none are asked for.
pub fn in_pool<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let threads = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Failure::output(format!("cannot start threads: {e}")))?;
    Ok(pool.install(work))
}

/// What was read, and what is to be done with it.
struct Job {
    chosen: Chosen,
    nodes: Nodes,
    truth: Option<Vec<u32>>,
    start: Option<Start>,
    /// Where a network's training keeps its state.
    unfinished: Option<Unfinished>,
}

impl Job {
    fn read(args: &ClusterArgs, chosen: Chosen, max_bytes: u64) -> Result<Self, Failure> {
        let truth = truth::truth(args, max_bytes)?;
        let nodes = input::read(args, max_bytes, truth.as_ref().map_or(0, truth::Truth::nodes), chosen.learned)?;
        if let Some(k) = chosen.k.filter(|&k| k > nodes.n) {
            return Err(Failure::usage(format!("k = {k} is more than the {} nodes", nodes.n)));
        }
        let truth = truth.map(|truth| truth.labels(&nodes)).transpose()?;
        let start = truth::start(args, nodes.n, max_bytes)?;
        Ok(Self { chosen, nodes, truth, start, unfinished: None })
    }

    fn run(&mut self, args: &ClusterArgs, watch: &Watch, max_bytes: u64) -> Result<(RegionGraph, Clustering), Failure> {
        let named = |e: &dyn Display| Failure::inputs(format!("{}: {e}", shown(&args.input)));
        watch.stage("graph");
        let graph = graph(&mut self.nodes, &self.chosen, max_bytes, named)?;
        self.unfinished = resume::unfinished(args, &self.chosen, &graph, self.start.as_ref())?;
        if self.unfinished.as_ref().is_some_and(Unfinished::goes_on) {
            watch.stage("unfinished training goes on");
        }
        watch.stage(&self.chosen.method);
        let context = watch.context(self.chosen.grouping.seed(), self.start.take());
        let mut unkept = Unkept;
        let checkpoint: &mut dyn Checkpoint = match &mut self.unfinished {
            Some(unfinished) => unfinished,
            None => &mut unkept,
        };
        let clustering = self.chosen.grouping.clusterer().cluster_resumed(&graph, checkpoint, &context);
        let clustering = clustering.map_err(|error| match error {
            StageError::Parameter { .. } => Failure::usage(error),
            other => named(&other),
        })?;
        Ok((graph, clustering))
    }

    /// Writes the state of a network's training.
    fn interrupted(&mut self, args: &ClusterArgs) -> Result<(), Failure> {
        let Some(unfinished) = &mut self.unfinished else { return Ok(()) };
        if unfinished.interrupted()? {
            note(&format!("{}: the same command goes on from the last epoch", shown(&args.output)));
        }
        Ok(())
    }

    fn told(&self, graph: &RegionGraph, clustering: &Clustering) -> Result<Told, Failure> {
        let labels = clustering.partition.labels();
        let scores = self.truth.as_ref().map(|truth| Scores::of(labels, truth)).transpose()?;
        let has_graph = self.nodes.points.is_none() || self.chosen.needs_graph;
        let edges = edges(graph).filter(|&edges| has_graph && (edges > 0 || self.chosen.needs_graph));
        let values = match edges {
            Some(_) => Values::of(graph.affinity(), &clustering.partition)?,
            None => Values::default(),
        };
        let mut notes = self.nodes.notes.clone();
        notes.extend(clustering.notes.iter().map(ToString::to_string));
        Ok(Told {
            method: self.chosen.method.clone(),
            n: self.nodes.n,
            k: clustering.partition.k(),
            edges,
            values,
            seconds: 0.0,
            seconds_read: 0.0,
            status: status_word(clustering.status),
            notes,
            scores,
        })
    }
}

/// The input's own graph, or one of its points, with the points as features.
pub fn graph(
    nodes: &mut Nodes,
    chosen: &Chosen,
    max_bytes: u64,
    named: impl Fn(&dyn Display) -> Failure,
) -> Result<RegionGraph, Failure> {
    let given = nodes.graph.take();
    let Some(points) = &nodes.points else {
        return given.map_or_else(|| edgeless(nodes.n), Ok);
    };
    let affinity = if chosen.needs_graph {
        let most = usize::try_from(max_bytes / EDGE_BYTES).unwrap_or(usize::MAX);
        let builder = neighbors_clamped(chosen, nodes.n, &mut nodes.notes)?;
        builder.build(points.view(), most).map_err(|e| named(&e))?
    } else {
        return with_points(given.map_or_else(|| edgeless(nodes.n), Ok)?, points, chosen.learned);
    };
    let graph = RegionGraph::new(Affinity::Sparse(affinity));
    match given {
        Some(features) => graph.with_features(features.features().to_vec()).map_err(Failure::inputs),
        None => with_points(graph, points, chosen.learned),
    }
}

fn with_points(graph: RegionGraph, points: &Array2<f64>, as_is: bool) -> Result<RegionGraph, Failure> {
    if graph.features().is_empty() {
        return graph.with_features(vec![block("points", points, as_is)]).map_err(Failure::inputs);
    }
    Ok(graph)
}

/// The default number of neighbours may be more than there are points, and is then half of them, since joining all to all
/// tells nothing apart; one that was asked for may not.
fn neighbors_clamped(chosen: &Chosen, n: usize, notes: &mut Vec<String>) -> Result<PointGraph, Failure> {
    let builder = chosen.grouping.points();
    let mut params = builder.params().clone();
    let nearest = params.affinity == PointAffinity::NearestNeighbors;
    if !nearest || chosen.neighbors_asked || params.n_neighbors <= n || n == 0 {
        return Ok(builder.clone());
    }
    params.n_neighbors = n.div_ceil(2).max(2).min(n);
    notes.push(format!("few points: n_neighbors = {} (a point counts as its own neighbour)", params.n_neighbors));
    PointGraph::new(params).map_err(Failure::usage)
}

/// `labels.csv`; for an array and a name that ends with `.npy` the labels in its shape, −1 outside the mask.
fn write(args: &ClusterArgs, nodes: &Nodes, clustering: &Clustering) -> Result<(), Failure> {
    let labels = clustering.partition.labels();
    if args.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy")) {
        let (shape, cells) = match &nodes.array {
            Some((shape, cells)) => (shape.clone(), cells.clone()),
            None => (vec![nodes.n], (0..nodes.n as u32).collect()),
        };
        let mut values = vec![-1.0f32; shape.iter().product()];
        cells.iter().zip(labels).for_each(|(&cell, &label)| values[cell as usize] = label as f32);
        return write_npy(&args.output, &shape, NpyData::F32(&values)).map_err(Failure::output);
    }
    let mut columns = vec![("label".to_string(), labels.to_vec())];
    let steps = clustering.steps.iter();
    columns.extend(steps.map(|step| (format!("label_k{}", step.k()), step.labels().to_vec())));
    write_labels(&args.output, nodes.ids.as_deref(), &columns).map_err(Failure::output)
}

fn tell(args: &ClusterArgs, talk: Talk, told: &Told) -> Outcome {
    if talk.json {
        return out_json(told);
    }
    if talk.quiet {
        return Ok(Code::Fine);
    }
    for line in &told.notes {
        note(&format!("note: {line}"));
    }
    out(&format!("{}: {} nodes in {} clusters ({})", args.output.display(), told.n, told.k, told.status))?;
    let scores = told.scores.iter().flat_map(Scores::named);
    for (name, value) in told.values.named().into_iter().chain(scores) {
        out(&format!("{name:>12}  {value:.6}"))?;
    }
    Ok(Code::Fine)
}
