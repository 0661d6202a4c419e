//! `segcut train`: points, nodes or a folder of images → the folder of a model.

pub mod args;
mod augment;
mod folder;
mod images;
mod page;

use crate::args::{RecipeArgs, Talk};
use crate::budget::Budget;
use crate::cluster::results::status_word;
use crate::cluster::watch::Watch;
use crate::cluster::{in_pool, input, recipe};
use crate::exit::{Code, Failure, Outcome};
use crate::features::describing;
use crate::print::{note, out, out_json};
use crate::recipe_choice::{choose, pipeline, refusal};
use crate::signals::Signals;
use args::TrainArgs;
use folder::ModelFolder;
use images::ImageGraphs;
use page::Page;
use segcut::learner;
use segcut_core::{Fitted, GraphSource, Learner, StageError};
use segcut_io::dataset::Dataset;
use segcut_io::hash::{sha256, sha256_file};
use segcut_io::shown;
use serde::Serialize;
use std::fmt::Display;
use std::time::Instant;

/// What `--json` tells of a training.
#[derive(Debug, Serialize)]
struct Told {
    method: String,
    /// Nodes learned from.
    n: usize,
    epochs: usize,
    loss: Option<f64>,
    seconds: f64,
    status: &'static str,
    notes: Vec<String>,
    /// Images that failed.
    failed: usize,
}

/// What is to be learned, from what.
struct Task {
    learner: Box<dyn Learner>,
    graphs: Box<dyn GraphSource + Send>,
    resolved: toml::Table,
    seed: u64,
    /// A checksum of the input.
    checksum: String,
    n: usize,
    failed: usize,
}

/// Reads, learns and writes the model.
pub fn train(args: &TrainArgs, talk: Talk) -> Outcome {
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    if args.parallel.threads == Some(0) {
        return Err(Failure::usage("--threads must be at least 1"));
    }
    let signals = Signals::install().map_err(Failure::output)?;
    let mut task = if args.input.is_dir() { of_images(args, &signals, talk)? } else { of_nodes(args, &signals, talk)? };
    if let Some(code) = signals.code() {
        return Ok(code);
    }
    let plan = toml::to_string(&task.resolved).map_err(Failure::output)?;
    let plan = format!("# input {}\n{plan}", task.checksum);
    let mut folder = ModelFolder::take(&args.output, &plan, args.overwrite)?;
    if folder.goes_on() && !talk.quiet {
        note(&format!("{}: unfinished training goes on", shown(&args.output)));
    }
    let watch = Watch::new(talk, &signals);
    let context = watch.context(task.seed, None);
    let fitted = in_pool(args.parallel.threads, || task.learner.fit(&mut *task.graphs, folder.checkpoint(), &context))?;
    watch.finish();
    let fitted = match fitted {
        Err(StageError::Stopped(_)) => {
            folder.interrupted()?;
            return Ok(signals.code().unwrap_or(Code::Interrupted));
        }
        Err(refused @ StageError::Parameter { .. }) => return Err(Failure::usage(refused)),
        other => other.map_err(|e| named(args, &e))?,
    };
    let kind = task.resolved["cluster"].get("kind").and_then(|kind| kind.as_str()).unwrap_or_default();
    let method = kind.to_string();
    folder.finish(&fitted, task.resolved.clone())?;
    let told = Told {
        method,
        n: task.n,
        epochs: fitted.losses.len(),
        loss: fitted.losses.last().copied(),
        seconds: start.elapsed().as_secs_f64(),
        status: status_word(fitted.status),
        notes: fitted.notes.iter().map(ToString::to_string).collect(),
        failed: task.failed,
    };
    if let Some(folder) = &args.report {
        let Task { graphs, resolved, .. } = &mut task;
        let page = Page { folder, told: &told, fitted: &fitted, resolved, context: &context };
        in_pool(args.parallel.threads, || page.write(&mut **graphs))??;
    }
    tell(args, talk, &told, &fitted)
}

fn named(args: &TrainArgs, error: &dyn Display) -> Failure {
    Failure::inputs(format!("{}: {error}", shown(&args.input)))
}

/// Points, a graph or an edge list.
fn of_nodes(args: &TrainArgs, signals: &Signals, talk: Talk) -> Result<Task, Failure> {
    if !args.augment.is_empty() {
        return Err(Failure::usage("--augment is for a folder of images; for rows there is cluster.augmentation"));
    }
    let options = args.as_cluster();
    let max_bytes = Budget::from_flag(args.parallel.max_memory).total();
    let chosen = recipe::choose(&options, max_bytes)?;
    let learner = learner(&chosen.recipe, &describing()).map_err(refusal)?;
    let checksum = sha256_file(&args.input).map_err(Failure::no_input)?;
    let watch = Watch::new(talk, signals);
    watch.stage("reading");
    let mut nodes = input::read(&options, max_bytes, 0, true)?;
    if let Some(k) = chosen.k.filter(|&k| k > nodes.n) {
        return Err(Failure::usage(format!("k = {k} is more than the {} nodes", nodes.n)));
    }
    watch.stage("graph");
    let graph =
        in_pool(args.parallel.threads, || crate::cluster::graph(&mut nodes, &chosen, max_bytes, |e| named(args, e)))??;
    watch.finish();
    for line in nodes.notes.iter().filter(|_| !talk.quiet) {
        note(&format!("note: {line}"));
    }
    let (resolved, seed) = (chosen.grouping.resolved().clone(), chosen.grouping.seed());
    let n = graph.n();
    Ok(Task { learner, graphs: Box::new([graph]), resolved, seed, checksum, n, failed: 0 })
}

/// The images of a folder, through the recipe's superpixels, features and graph.
fn of_images(args: &TrainArgs, signals: &Signals, talk: Talk) -> Result<Task, Failure> {
    let name = match (&args.task.recipe, args.task.method) {
        (Some(name), _) => name.clone(),
        (None, None | Some(crate::cluster::args::Method::Spectralnet)) => "spectralnet-slic".to_string(),
        (None, Some(crate::cluster::args::Method::Deepcut)) => "deepcut-cosegment".to_string(),
        (None, Some(method)) => {
            let method = method.word();
            return Err(Failure::usage(format!("--method {method} has no recipe for images: give one by --recipe")));
        }
    };
    let change = args.task.change.clone();
    let recipe = choose(&RecipeArgs { recipe: name, change, features: args.features.clone() })?;
    let learner = learner(&recipe, &describing()).map_err(refusal)?;
    let pipeline = pipeline(&recipe, args.features.cache.as_deref())?;
    let data = Dataset::open(&args.input, std::slice::from_ref(&args.output)).map_err(Failure::no_input)?;
    let named: Vec<String> = data
        .items
        .iter()
        .map(|item| format!("{} {}\n", item.id, std::fs::metadata(&item.image).map_or(0, |about| about.len())))
        .collect();
    let checksum = sha256(format!("{}{:?}", named.concat(), args.augment).as_bytes());
    let graphs = ImageGraphs::prepare(args, &data, &pipeline, signals, talk.quiet)?;
    let (resolved, seed) = (pipeline.resolved().clone(), pipeline.seed());
    let (n, failed) = (graphs.nodes(), graphs.failed);
    Ok(Task { learner, graphs: Box::new(graphs), resolved, seed, checksum, n, failed })
}

fn tell(args: &TrainArgs, talk: Talk, told: &Told, fitted: &Fitted) -> Outcome {
    let code = if told.failed == 0 { Code::Fine } else { Code::Inputs };
    if talk.json {
        return out_json(told).map(|_| code);
    }
    if talk.quiet {
        return Ok(code);
    }
    for line in &told.notes {
        note(&format!("note: {line}"));
    }
    let loss = fitted.losses.last().map(|loss| format!(", loss {loss:.6}")).unwrap_or_default();
    let (model, n, epochs, status) = (shown(&args.output), told.n, told.epochs, told.status);
    out(&format!("{model}: {n} nodes, {epochs} epochs{loss} ({status})"))?;
    Ok(code)
}
