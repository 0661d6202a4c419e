//! The options of `segcut cluster`.

use crate::args::RecipeChange;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `segcut cluster`.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// Points (.csv, .npy, .npz), a graph (.mtx, .mtx.gz; scipy's sparse .npz with --format graph) or an edge list (.csv,
    /// .txt); - reads text from stdin
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// Table of labels to write: id,label and, for methods that split again and again, label_k2 … label_k; a network
    /// whose training is interrupted leaves its state beside it, and the same command goes on from there
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Folder for report.html, its pictures and recipe.toml
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// What is done
    #[command(flatten)]
    pub task: TaskArgs,
    /// The method
    #[command(flatten)]
    pub tuning: TuningArgs,
    /// True labels: a file, or the name of a column of INPUT; -1 is not scored
    #[arg(long, value_name = "FILE|COLUMN")]
    pub truth: Option<String>,
    /// Threads [default: as many as cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Memory that may be taken, for example 3G [default: 80 % of what is free]
    #[arg(long, value_name = "SIZE", value_parser = crate::args::parse_size)]
    pub max_memory: Option<u64>,
}

/// What `segcut cluster` and `segcut train` are told alike: the kind of input, its graph, and what groups the nodes.
#[derive(Debug, Clone, Args)]
pub struct TaskArgs {
    /// What INPUT is [default: told by its name and its first line]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// How the nodes are grouped [default: spectral; of segcut train: spectralnet]
    #[arg(long, value_enum, conflicts_with = "recipe")]
    pub method: Option<Method>,
    /// Take the method from a recipe instead [default of segcut train for images: spectralnet-slic, deepcut-cosegment]
    #[arg(long, value_name = "NAME|FILE|MODEL")]
    pub recipe: Option<String>,
    /// Changes of the recipe
    #[command(flatten)]
    pub change: RecipeChange,
    /// The graph of the points
    #[command(flatten)]
    pub graph: GraphArgs,
}

/// How points, edges or an array become a graph.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Graph")]
pub struct GraphArgs {
    /// Which points are joined, or that INPUT holds the similarities [default: nearest_neighbors]
    #[arg(long, value_enum)]
    pub affinity: Option<AffinityName>,
    /// Nearest points of each point, itself counted [default: 10]
    #[arg(long, value_name = "N")]
    pub n_neighbors: Option<usize>,
    /// Factor in exp(-gamma d²) [default: 1]
    #[arg(long, value_name = "G")]
    pub gamma: Option<f64>,
    /// Largest distance of joined points, for affinity epsilon
    #[arg(long, value_name = "D")]
    pub epsilon: Option<f64>,
    /// How a distance becomes a weight [default: gaussian for rbf, connectivity otherwise]
    #[arg(long, value_enum)]
    pub kernel: Option<KernelName>,
    /// What becomes of one-sided neighbours: half the weight, the whole weight, or no edge [default: mean]
    #[arg(long, value_enum)]
    pub symmetry: Option<SymmetryName>,
    /// Whether some nearest points may be missed for speed [default: auto, above 30,000 points of more than 8 columns]
    #[arg(long, value_enum)]
    pub approximate: Option<ApproximateName>,
    /// What becomes of a graph whose two directions differ
    #[arg(long, value_enum, default_value_t = DirectedName::Refuse)]
    pub directed: DirectedName,
    /// Features of the nodes: .npy, .npz, .mtx or .csv, one row per node
    #[arg(long, value_name = "FILE")]
    pub features: Option<PathBuf>,
    /// Least number of nodes of an edge list
    #[arg(long, value_name = "N")]
    pub nodes: Option<usize>,
    /// Cells of an array that are nodes: a .npy of its shape, 0 for those that are not
    #[arg(long, value_name = "FILE")]
    pub mask: Option<PathBuf>,
    /// Neighbours of a cell of an array: 4 (6 in three dimensions) or 8 (26) [default: 4]
    #[arg(long, value_name = "4|8")]
    pub connectivity: Option<u8>,
    /// Cells of an array within this distance are joined [default: 1]
    #[arg(long, value_name = "D")]
    pub radius: Option<f64>,
    /// Steepness of an array's weights, exp(-beta g / std) + 1e-6 [default: 10]
    #[arg(long, value_name = "B")]
    pub beta: Option<f64>,
}

/// Parameters of the methods.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Method")]
pub struct TuningArgs {
    /// Eigen-solver of spectral, for example auto, dense or shift_invert
    #[arg(long, value_name = "NAME")]
    pub solver: Option<String>,
    /// When iterations end
    #[arg(long, value_name = "T")]
    pub tol: Option<f64>,
    /// How eigenvectors become clusters [default: kmeans]
    #[arg(long, value_enum)]
    pub assign: Option<AssignName>,
    /// Where the second vector is cut
    #[arg(long, value_enum)]
    pub threshold: Option<ThresholdName>,
    /// Exponent of pspectral, above 1 and at most 2 [default: 1.2]
    #[arg(long, value_name = "P")]
    pub p: Option<f64>,
    /// Exponent that the vector of --start belongs to [default: 2]
    #[arg(long, value_name = "P")]
    pub p_start: Option<f64>,
    /// Start: a vector (.npy, .csv) or a table of labels
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
    /// Size of a part: its volume or its number of nodes [default: normalized]
    #[arg(long, value_enum)]
    pub cut: Option<CutName>,
    /// What pspectral and onespectral minimize
    #[arg(long, value_enum)]
    pub criterion: Option<CriterionName>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        pub enum $name {
            $($(#[$variant_doc])* #[value(name = $word)] $variant,)+
        }

        impl $name {
            /// The word on the command line and in recipes.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words!(
    /// What an input is.
    Format {
        /// Rows of coordinates
        Points = "points",
        /// A matrix of similarities
        Graph = "graph",
        /// Rows of two nodes and a weight
        Edges = "edges",
        /// A .npy image or volume: its cells are joined by their gradients
        Array = "array",
    }
);
words!(
    /// How nodes are grouped.
    Method {
        /// Eigenvectors of the graph's Laplacian
        Spectral = "spectral",
        /// k-means on the coordinates or features
        Kmeans = "kmeans",
        /// Eigenvectors of the graph p-Laplacian
        Pspectral = "pspectral",
        /// Inverse power method for the 1-Laplacian
        Onespectral = "onespectral",
        /// A network that learns the embedding of spectral clustering from features; see segcut train
        Spectralnet = "spectralnet",
        /// A graph network with the N-cut or the correlation loss on features of the nodes; see segcut train
        Deepcut = "deepcut",
        /// Communities of large modularity
        Leiden = "leiden",
        /// Communities by a graph network, from attributes and edges or from edges alone
        Gcn = "gcn",
        /// Communities by the modularity loss of a graph network, from random weights
        Dmon = "dmon",
        /// Correlation clustering by edge contraction and moves; edges may be negative
        Multicut = "multicut",
    }
);
words!(
    /// Which points are joined.
    AffinityName {
        /// All, with a Gaussian kernel
        Rbf = "rbf",
        /// Those within --epsilon
        Epsilon = "epsilon",
        /// The --n-neighbors nearest
        NearestNeighbors = "nearest_neighbors",
        /// INPUT is a square table of similarities
        Precomputed = "precomputed",
    }
);
words!(
    /// How a distance becomes a weight.
    KernelName {
        /// 1
        Connectivity = "connectivity",
        /// exp(-gamma d²)
        Gaussian = "gaussian",
        /// exp(-d² / (s s')), s the distance to the 7th neighbour
        Local = "local",
    }
);
words!(
    /// What becomes of one-sided neighbours.
    SymmetryName {
        /// Half the weight
        Mean = "mean",
        /// The whole weight
        Union = "union",
        /// No edge
        Mutual = "mutual",
    }
);
words!(
    /// Whether nearest points may be missed.
    ApproximateName {
        /// Where trying all pairs takes longer
        Auto = "auto",
        /// Yes
        Always = "always",
        /// No
        Never = "never",
    }
);
/// What becomes of directed input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DirectedName {
    /// An error
    Refuse,
    /// The larger weight
    Max,
    /// Half the sum
    Mean,
    /// The sum
    Sum,
}

words!(
    /// How eigenvectors become clusters.
    AssignName {
        /// k-means on their rows
        Kmeans = "kmeans",
        /// The nearest rotation to an indicator
        Discretize = "discretize",
        /// Pivoted QR
        ClusterQr = "cluster_qr",
        /// Sign of the second vector
        Sign = "sign",
        /// Best threshold of the second vector
        Threshold = "threshold",
    }
);
words!(
    /// Where a vector is cut.
    ThresholdName {
        /// At 0
        Zero = "zero",
        /// At the median
        Median = "median",
        /// At the mean
        Mean = "mean",
        /// Where the cut is best
        Best = "best",
    }
);
words!(
    /// Size of a part.
    CutName {
        /// Sum of degrees
        Normalized = "normalized",
        /// Number of nodes
        Ratio = "ratio",
    }
);
words!(
    /// What is minimized.
    CriterionName {
        /// Sum over the parts
        Cut = "cut",
        /// The larger part
        Cheeger = "cheeger",
        /// Cut of two sides of about equal size
        Balanced = "balanced",
    }
);
