//! `segcut predict`: a trained model and new points, nodes or images → labels.

use crate::args::{DecodeArgs, FeatureArgs, ParallelArgs, RecipeArgs, RecipeChange, Save, SegmentArgs, Talk};
use crate::cluster::args::{ClusterArgs, Format, GraphArgs, TaskArgs, TuningArgs};
use crate::exit::{Failure, Outcome};
use crate::recipe_choice::read_model;
use clap::Args;
use std::path::PathBuf;

/// `segcut predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Folder that segcut train has written
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Points, a graph or an edge list, as for segcut cluster; images or folders for a model of images
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Table of labels to write, id,label; for images a folder
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// What INPUT is [default: told by its name and its first line]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// True labels: a file, or the name of a column of INPUT; -1 is not scored
    #[arg(long, value_name = "FILE|COLUMN")]
    pub truth: Option<String>,
    /// The graph of the points
    #[command(flatten)]
    pub graph: GraphArgs,
    /// What to write of images besides labels and overlay
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub save: Vec<Save>,
    /// Features of networks
    #[command(flatten)]
    pub features: FeatureArgs,
    /// Parallel work
    #[command(flatten)]
    pub parallel: ParallelArgs,
    /// Reading
    #[command(flatten)]
    pub decode: DecodeArgs,
}

/// Labels with a model: that of a recipe for images segments, another one clusters.
pub fn predict(args: &PredictArgs, talk: Talk) -> Outcome {
    let recipe = read_model(&args.model)?;
    let model = args.model.display().to_string();
    if recipe.is_for_images().map_err(Failure::weights)? {
        return crate::segment::segment(&for_images(args, model), talk);
    }
    let [input] = &args.inputs[..] else {
        return Err(Failure::usage("a model of points or nodes labels one INPUT at a time"));
    };
    let cluster = ClusterArgs {
        input: input.clone(),
        output: args.output.clone(),
        report: None,
        task: TaskArgs {
            format: args.format,
            method: None,
            recipe: Some(model),
            change: RecipeChange::default(),
            graph: args.graph.clone(),
        },
        tuning: TuningArgs::default(),
        truth: args.truth.clone(),
        threads: args.parallel.threads,
        max_memory: args.parallel.max_memory,
    };
    crate::cluster::cluster(&cluster, talk)
}

fn for_images(args: &PredictArgs, model: String) -> SegmentArgs {
    SegmentArgs {
        images: args.inputs.clone(),
        output: args.output.clone(),
        save: args.save.clone(),
        start_label: 0,
        timeout_per_image: None,
        recipe: RecipeArgs { recipe: model, change: RecipeChange::default(), features: args.features.clone() },
        parallel: args.parallel.clone(),
        decode: args.decode.clone(),
    }
}
