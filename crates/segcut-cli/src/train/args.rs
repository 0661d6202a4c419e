//! The options of `segcut train`.

use crate::args::{DecodeArgs, FeatureArgs, ParallelArgs};
use crate::cluster::args::{ClusterArgs, Format, GraphArgs, Method, TuningArgs};
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
    /// What learns [default: spectralnet]
    #[arg(long, value_enum, conflicts_with = "recipe")]
    pub method: Option<Method>,
    /// Take the method from a recipe instead [default for images: spectralnet-slic, deepcut-cosegment]
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: Option<String>,
    /// Change one value of the recipe (repeatable), for example cluster.epochs=50
    #[arg(long = "set", value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    /// Number of clusters, or auto
    #[arg(long, value_name = "N|auto")]
    pub k: Option<String>,
    /// Seed of every random choice
    #[arg(long, value_name = "S")]
    pub seed: Option<u32>,
    /// What INPUT is [default: told by its name and its first line]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Start over where the folder holds a model or unfinished training
    #[arg(long)]
    pub overwrite: bool,
    /// The graph of the points
    #[command(flatten)]
    pub graph: GraphArgs,
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
        let method = self.recipe.is_none().then(|| self.method.unwrap_or(Method::Spectralnet));
        ClusterArgs {
            input: self.input.clone(),
            output: PathBuf::new(),
            report: None,
            format: self.format,
            method,
            recipe: self.recipe.clone(),
            set: self.set.clone(),
            k: self.k.clone(),
            seed: self.seed,
            graph: self.graph.clone(),
            tuning: TuningArgs::default(),
            truth: None,
            threads: self.parallel.threads,
            max_memory: self.parallel.max_memory,
        }
    }
}
