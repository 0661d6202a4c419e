//! The command line, as typed. Words and exit codes are a contract: scripts rely on them.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Cuts images into meaningful regions without labels, and scores the result.
#[derive(Debug, Parser)]
#[command(
    name = "segcut",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = "Exit codes: 0 all fine, 1 some or all inputs failed, 2 wrong usage or parameters, \
    3 nothing to read or a broken data set, 4 output not writable, full or locked, 5 weights, 130/143 interrupted.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub talk: Talk,
}

/// How much is said, and in which form.
#[derive(Debug, Clone, Copy, Args)]
pub struct Talk {
    /// Print the result as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more (per stage times, notes)
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Draw a scene with known regions, segment it, score it, and write pictures and report.html
    Demo(DemoArgs),
    /// Segment images: STEM.labels.png and STEM.overlay.png for each
    Segment(SegmentArgs),
    /// Segment a data set, resumable, with scores and a report
    Run(RunArgs),
    /// Score label maps, sweeps, masks or ultrametric maps against ground truth
    Eval(EvalArgs),
    /// Run several recipes on the same images and compare them
    Compare(CompareArgs),
    /// Group points or the nodes of a graph: labels, cut values, scores and a report
    Cluster(crate::cluster::args::ClusterArgs),
    /// Learn from points, nodes or a folder of images: a model for segcut predict and for --recipe
    Train(crate::train::args::TrainArgs),
    /// Label new points, nodes or images with a trained model
    Predict(crate::predict::PredictArgs),
    /// List the built-in recipes, or print one with its defaults filled in
    Recipes(RecipesArgs),
    /// List, fetch, check, convert or describe weights of networks
    Weights(crate::weights::args::WeightsArgs),
    /// Write a shell completion script to stdout
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page to stdout
    Man,
}

/// Which recipe runs, with what changed.
#[derive(Debug, Clone, Args)]
pub struct RecipeArgs {
    /// Built-in recipe name, a .toml file, or the folder of a trained model
    #[arg(long, value_name = "NAME|FILE|MODEL", default_value = "ncut-slic-color")]
    pub recipe: String,
    /// What to change in every recipe
    #[command(flatten)]
    pub change: RecipeChange,
    /// Features of networks
    #[command(flatten)]
    pub features: FeatureArgs,
}

/// Where features of networks are kept.
#[derive(Debug, Clone, Default, Args)]
pub struct FeatureArgs {
    /// Keep the features that networks compute in this folder, and use those that are there; runs may share it
    #[arg(long = "feature-cache", value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

/// Changes to a recipe.
#[derive(Debug, Clone, Default, Args)]
pub struct RecipeChange {
    /// Change one value of the recipe (repeatable), for example cluster.k=4 or points.kernel=local
    #[arg(long = "set", value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    /// Number of regions or clusters, or auto: short for --set cluster.k=N
    #[arg(long, value_name = "N|auto")]
    pub k: Option<String>,
    /// Seed of every random choice: short for --set seed=S
    #[arg(long, value_name = "S")]
    pub seed: Option<u32>,
}

/// How many images, and how many threads for each.
#[derive(Debug, Clone, Args)]
pub struct ParallelArgs {
    /// Images at the same time [default: as many as cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Threads per image [default: the cores that --jobs leaves]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Memory that images being worked on may take together, for example 3G [default: 80 % of what is free]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_memory: Option<u64>,
}

/// How image files are read.
#[derive(Debug, Clone, Args)]
pub struct DecodeArgs {
    /// Cut or damaged files: an error, or keep what can be read
    #[arg(long, value_enum, default_value_t = Damaged::Fail)]
    pub damaged: Damaged,
    /// Transparent pixels: left out (mask), shown (ignore), or on white
    #[arg(long, value_enum, default_value_t = Alpha::Mask)]
    pub alpha: Alpha,
    /// Refuse larger images before any memory is taken
    #[arg(long, value_name = "N", default_value_t = 178_956_970)]
    pub max_pixels: u64,
    /// Frame of an animation or page of a TIFF, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub frame: usize,
    /// Bands of a multi-band file, from 1, for example 4,3,2
    #[arg(long, value_name = "B,…", value_delimiter = ',')]
    pub bands: Option<Vec<usize>>,
}

/// What to do with a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Damaged {
    /// It is an error.
    Fail,
    /// What can be read is used, with a warning.
    Keep,
}

/// What to do with transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Alpha {
    /// Fully transparent pixels are void.
    Mask,
    /// Alpha is dropped.
    Ignore,
    /// The image is laid on white.
    White,
}

/// `segcut demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for the pictures and the report
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// The recipe
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// `segcut segment`.
#[derive(Debug, Args)]
pub struct SegmentArgs {
    /// Images or folders; - reads one image from stdin
    #[arg(required = true, value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    /// Folder for the results
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// What to write besides labels and overlay
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,…")]
    pub save: Vec<Save>,
    /// First region number on disk (0 or 1)
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1))]
    pub start_label: u32,
    /// Give up on an image after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub timeout_per_image: Option<Duration>,
    /// The recipe
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// Parallel work
    #[command(flatten)]
    pub parallel: ParallelArgs,
    /// Reading
    #[command(flatten)]
    pub decode: DecodeArgs,
}

/// More results per image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Save {
    /// Superpixel labels and their picture
    Superpixels,
    /// Eigenvectors: STEM.eigenvectors.npy and one picture each
    Eigenvectors,
    /// The region graph as Matrix Market
    Affinity,
    /// Foreground mask of a two-class result (labels above 0)
    Mask,
    /// Soft assignment, one picture per cluster
    Soft,
    /// Ultrametric contour map: STEM.ucm.png, 16-bit, doubled grid, 65535 for the image's largest merge height
    Ucm,
}

/// `segcut run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder of images, with or without a dataset.toml
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Ground truth
    #[command(flatten)]
    pub truth: TruthArgs,
    /// Folder of the run; an unfinished run in it goes on
    #[arg(short, long, value_name = "RUN")]
    pub output: PathBuf,
    /// Run once per value and score the sweep (ODS, OIS), for example cluster.k=2,4,8
    #[arg(long, value_name = "TABLE.KEY=V,V,…")]
    pub sweep: Option<String>,
    /// Start over where the folder holds a run
    #[arg(long)]
    pub overwrite: bool,
    /// This share of the images, for example 2/4; runs of one set may share a folder
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Give up on an image after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub timeout_per_image: Option<Duration>,
    /// Score only the first N images by name
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The recipe
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// Parallel work
    #[command(flatten)]
    pub parallel: ParallelArgs,
    /// Reading
    #[command(flatten)]
    pub decode: DecodeArgs,
}

/// Where the truth is and how it is read.
#[derive(Debug, Clone, Args)]
pub struct TruthArgs {
    /// Ground truth: label PNGs, ID/ANNOTATOR.png, BSDS .mat, or masks
    #[arg(long, value_name = "DIR")]
    pub truth: Option<PathBuf>,
    /// Truth label that is not scored
    #[arg(long, value_name = "N")]
    pub ignore_label: Option<u32>,
    /// Truth values above this are foreground, for masks [default: 127]
    #[arg(long, value_name = "N")]
    pub fg_above: Option<u32>,
    /// What is scored [default: as the data set says]
    #[arg(long, value_enum)]
    pub task: Option<Task>,
    /// Images without truth are no error
    #[arg(long)]
    pub allow_missing: bool,
}

/// What is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Regions against one or more annotators
    Regions,
    /// A foreground mask
    Mask,
    /// Classes with fixed ids
    Semantic,
    /// Superpixels
    Superpixels,
}

/// `segcut eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Predictions: label PNGs, the folder of a run, a folder per swept value, 16-bit ultrametric maps, or gray masks
    #[arg(long, value_name = "DIR")]
    pub pred: PathBuf,
    /// Heights at which ultrametric maps (*.ucm.png) are cut: how many, or a list such as 0.1,0.25 [default: 50]
    #[arg(long, value_name = "N|T,T,…")]
    pub thresholds: Option<String>,
    /// Ground truth
    #[command(flatten)]
    pub truth: TruthArgs,
    /// Write scores.csv and summary.json here
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Images at the same time [default: as many as cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
}

/// `segcut compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Folder of images
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Ground truth
    #[command(flatten)]
    pub truth: TruthArgs,
    /// A recipe (repeat; the first is what the others are compared with)
    #[arg(long = "recipe", value_name = "NAME|FILE", required = true, num_args = 1)]
    pub recipes: Vec<String>,
    /// Changes to every recipe
    #[command(flatten)]
    pub change: RecipeChange,
    /// Features of networks
    #[command(flatten)]
    pub features: FeatureArgs,
    /// Folder for the table and the report
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Only the first N images by name
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Parallel work
    #[command(flatten)]
    pub parallel: ParallelArgs,
    /// Reading
    #[command(flatten)]
    pub decode: DecodeArgs,
}

/// `segcut recipes`.
#[derive(Debug, Args)]
pub struct RecipesArgs {
    /// Print this recipe with its defaults filled in
    pub name: Option<String>,
    /// What to change in it
    #[command(flatten)]
    pub change: RecipeChange,
}

/// A time above 0.
fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|time| !time.is_zero()).ok_or_else(|| format!("{text} is no number of seconds above 0"))
}

/// Bytes from `3G`, `500M`, `64K` or a plain number.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        Some((at, _)) => text.split_at(at),
        None => (text, ""),
    };
    let factor = match unit.to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err(format!("{unit} is no unit; K, M and G are")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{text} is no size such as 3G"))?;
    number.checked_mul(factor).ok_or_else(|| format!("{text} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_above_0() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(["-1", "0", "nan", "inf", "x", "1e30"].iter().all(|text| parse_seconds(text).is_err()));
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("3G"), Ok(3 << 30));
        assert_eq!(parse_size("64KiB"), Ok(64 << 10));
        assert_eq!(parse_size("12"), Ok(12));
        assert!(parse_size("x").is_err() && parse_size("3T").is_err());
    }
}
