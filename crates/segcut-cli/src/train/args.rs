//! The options of `segcut train`.

use super::augment::Augment;
use crate::args::{DecodeArgs, FeatureArgs, ParallelArgs};
use crate::cluster::args::{ClusterArgs, Method, TaskArgs, TuningArgs};
use clap::Args;
use std::path::PathBuf;

/// `segcut train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Points, a graph or an edge list, as for segcut cluster; or a folder of images
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// Folder of the model: model.safetensors, recipe.toml, losses.csv; unfinished training in it goes on
    #[arg(short, long, value_name = "MODEL")]
    pub output: PathBuf,
    /// What learns
    #[command(flatten)]
    pub task: TaskArgs,
    /// Folder for report.html with the loss and the embedding, losses.csv and recipe.toml
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// Changed copies of every image that are learned from besides, for a folder of images
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub augment: Vec<Augment>,
    /// Start over where the folder holds a model or unfinished training
    #[arg(long)]
    pub overwrite: bool,
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

impl TrainArgs {
    /// The same input and options for `segcut cluster`.
    pub fn as_cluster(&self) -> ClusterArgs {
        let mut task = self.task.clone();
        task.method = task.recipe.is_none().then(|| task.method.unwrap_or(Method::Spectralnet));
        ClusterArgs {
            input: self.input.clone(),
            output: PathBuf::new(),
            report: None,
            task,
            tuning: TuningArgs::default(),
            truth: None,
            threads: self.parallel.threads,
            max_memory: self.parallel.max_memory,
        }
    }
}
