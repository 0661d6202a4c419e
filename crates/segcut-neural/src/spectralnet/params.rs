//! Parameters of SpectralNet.

use super::assignment::{Assign, Vectors};
use super::augmentation::AugmentationParams;
use super::autoencoder::AutoencoderParams;
use super::convolution::ConvolutionParams;
use super::network::GraphEncoderParams;
use super::perceptron::Last;
use super::siamese::SiameseParams;
use segcut_core::ClusterCount;
use segcut_spectral::SpectralMerge;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What stands between the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0.01·x).
    #[default]
    LeakyRelu,
    /// max(x, 0).
    Relu,
}

impl Activation {
    /// The slope below 0.
    pub(crate) fn slope(self) -> f32 {
        match self {
            Self::LeakyRelu => 0.01,
            Self::Relu => 0.0,
        }
    }
}

/// Which similarities the loss reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Similarity {
    /// The edges of the graph; where it has none, as `batch`.
    #[default]
    Auto,
    /// The edges of the graph.
    Graph,
    /// The nearest nodes within each batch, by their features: the authors' way. No edges are needed.
    Batch,
}

/// How the embedding's columns are kept orthonormal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orthogonality {
    /// A linear layer from a batch of its own, held fixed in the gradient step (the paper).
    Fixed,
    /// A linear layer from the batch itself, through which the gradient flows (the package, but for its second batch).
    #[default]
    Through,
    /// No layer: ‖YᵀY − I‖² in the loss.
    Penalty,
}

/// The scale of the Gaussian kernel within a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchScale {
    /// One: the median distance to neighbour number `scale_neighbor`.
    #[default]
    Global,
    /// One per node: the median of the distances to its neighbours.
    Local,
    /// One per pair: √(s_u·s_v), s the distance to neighbour number `scale_neighbor`.
    SelfTuning,
}

/// How features are scaled before the network reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standardize {
    /// As `whole` where no column deviates more than four times as much as the mean column, since columns with one unit
    /// tell by their spread how much they matter; else as `columns`.
    #[default]
    Auto,
    /// Every column to mean 0 and variance 1.
    Columns,
    /// Every column to mean 0, and all by one factor to a mean variance of 1.
    Whole,
    /// Not at all.
    None,
}

/// How the size of steps changes over the epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Along half a cosine, down to 0.
    #[default]
    Cosine,
    /// By `decay` each time that the validation loss has not fallen for `patience` epochs; training ends below
    /// `least_rate`.
    Plateau,
}

/// The similarities within a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Neighbors {
    /// Nearest other nodes of each node.
    pub n_neighbors: usize,
    /// Where the kernel's scale comes from.
    pub scale: BatchScale,
    /// Which neighbour sets the scale.
    pub scale_neighbor: usize,
    /// Factor of the scale.
    pub sigma: f64,
    /// More factors to try, each for a few epochs; the one whose clusters fit the validation part best is taken.
    pub sigmas: Vec<f64>,
}

impl Default for Neighbors {
    fn default() -> Self {
        Self { n_neighbors: 8, scale: BatchScale::Global, scale_neighbor: 1, sigma: 0.7, sigmas: Vec::new() }
    }
}

/// Parameters of [`SpectralNet`](super::SpectralNet). The defaults are those that we measured to be best on the points
/// of `tests/peers/spectralnet`; [`SpectralNetParams::package`] has those of the authors' package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpectralNetParams {
    /// Clusters; "auto" takes the number before the largest gap of the Ritz values, at most `k_max`.
    pub k: ClusterCount,
    /// Largest number of clusters of "auto".
    pub k_max: usize,
    /// Columns of the embedding that k-means reads, besides the constant one; absent: k − 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dims: Option<usize>,
    /// Outputs of the hidden layers; absent: two layers of four times the inputs, at least 64 and at most 256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Vec<usize>>,
    /// What stands between the layers.
    pub activation: Activation,
    /// Whether tanh stands behind the last layer.
    pub squashed: bool,
    /// Names of the feature blocks to read; empty for all that are no histograms.
    pub features: Vec<String>,
    /// Factors of feature blocks, by name.
    pub scales: BTreeMap<String, f64>,
    /// The receptive fields: how often features are averaged with those of the neighbours in the graph before they are
    /// read, one copy of them per number; 0 is the node itself. Above 0, a node's label depends on its neighbours.
    pub hops: Vec<usize>,
    /// Whether a copy of the features less their mean over the graph is read besides: what stands out in an image.
    pub relative: bool,
    /// A network that codes the scaled features before anything else reads them; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoencoder: Option<AutoencoderParams>,
    /// A network whose outputs say which nodes of a batch are near; absent: their features do. Edges of a graph are not
    /// read then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub siamese: Option<SiameseParams>,
    /// Height, width and channels of rows that are pictures; absent: square, of one channel or three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<[usize; 3]>,
    /// Convolutions before the fully connected layers, for rows that are pictures; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub convolution: Option<ConvolutionParams>,
    /// Layers before the fully connected ones that read the neighbours in the graph; absent: none. A node's label
    /// depends on its neighbours then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_encoder: Option<GraphEncoderParams>,
    /// How rows are changed while the network learns; absent: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<AugmentationParams>,
    /// How features are scaled.
    pub standardize: Standardize,
    /// Which similarities the loss reads.
    pub similarity: Similarity,
    /// The similarities within a batch, for `similarity = "batch"`.
    pub neighbors: Neighbors,
    /// Whether nodes count by their degree: normalized cuts; else ratio cuts, as the package.
    pub normalized: bool,
    /// Whether the constant column is taken out of the outputs; else it is one of them, as in the package.
    pub centered: bool,
    /// How columns are kept orthonormal.
    pub orthogonality: Orthogonality,
    /// Factor of the orthogonality penalty.
    pub penalty: f64,
    /// Factor of a term that keeps the outputs' deviations at 1 or above.
    pub variance: f64,
    /// Passes over all nodes.
    pub epochs: usize,
    /// Least number of steps: few nodes get more epochs.
    pub steps: usize,
    /// Nodes per batch, at least 16 times the embedding's columns.
    pub batch: usize,
    /// Neighbours that come with a node into its batch.
    pub reach: usize,
    /// First size of steps (Adam); absent: 0.64 over the width of the widest hidden layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// How it changes.
    pub schedule: Schedule,
    /// Factor of the learning rate on a plateau.
    pub decay: f64,
    /// Epochs without a better validation loss that make a plateau.
    pub patience: usize,
    /// Learning rate below which training ends.
    pub least_rate: f64,
    /// Share of the nodes whose loss decides on plateaus and scales; they are not trained on.
    pub validation: f64,
    /// Whether the last layer is solved for after training: Rayleigh-Ritz on the outputs of the last hidden layer.
    pub refit: bool,
    /// Share of the largest variance below which a direction of the hidden layer is noise to the refit.
    pub ridge: f64,
    /// Starts of k-means.
    pub n_init: usize,
    /// Whose Ritz vectors are the embedding of a graph.
    pub vectors: Vectors,
    /// How the embedding of a graph becomes clusters.
    pub assign: Assign,
    /// Merging, for `assign = "merge"`.
    pub merge: SpectralMerge,
}

impl Default for SpectralNetParams {
    fn default() -> Self {
        Self {
            k: ClusterCount::default(),
            k_max: 20,
            dims: None,
            hidden: None,
            activation: Activation::default(),
            squashed: true,
            features: Vec::new(),
            scales: BTreeMap::new(),
            hops: vec![0],
            relative: false,
            autoencoder: None,
            siamese: None,
            shape: None,
            convolution: None,
            graph_encoder: None,
            augmentation: None,
            standardize: Standardize::default(),
            similarity: Similarity::default(),
            neighbors: Neighbors::default(),
            normalized: true,
            centered: true,
            orthogonality: Orthogonality::default(),
            penalty: 1.0,
            variance: 0.0,
            epochs: 30,
            steps: 800,
            batch: 512,
            reach: 10,
            learning_rate: None,
            schedule: Schedule::default(),
            decay: 0.1,
            patience: 10,
            least_rate: 1e-8,
            validation: 0.0,
            refit: false,
            ridge: 1e-6,
            n_init: 10,
            vectors: Vectors::default(),
            assign: Assign::default(),
            merge: SpectralMerge::default(),
        }
    }
}

impl SpectralNetParams {
    /// The defaults of the authors' package (version 0.1.2), but for k, which it is always given: 1024-1024-512, tanh
    /// behind the last layer, neighbours within batches of 1024, 30 epochs of Adam at 1e-3, no refit. Its gradient
    /// also flows through the weights of a second batch; here the one batch is both.
    pub fn package(k: usize) -> Self {
        Self {
            k: ClusterCount::Fixed(k),
            hidden: Some(vec![1024, 1024, 512]),
            standardize: Standardize::None,
            similarity: Similarity::Batch,
            neighbors: Neighbors {
                n_neighbors: 30,
                scale_neighbor: 15,
                scale: BatchScale::Local,
                ..Neighbors::default()
            },
            normalized: false,
            centered: false,
            steps: 0,
            batch: 1024,
            learning_rate: Some(1e-3),
            schedule: Schedule::Plateau,
            validation: 0.1,
            ..Self::default()
        }
    }

    /// Whether a graph is clustered by its edges as well.
    pub(crate) fn reads_edges(&self) -> bool {
        self.hops != [0]
            || self.graph_encoder.is_some()
            || self.vectors == Vectors::Graph
            || self.assign == Assign::Merge
    }

    /// Columns of the embedding.
    pub(crate) fn columns(&self) -> usize {
        self.dims.unwrap_or_else(|| self.k.fixed().unwrap_or(self.k_max).max(2) - 1)
    }

    /// Outputs of the network.
    pub(crate) fn outputs(&self) -> usize {
        self.columns() + usize::from(!self.centered)
    }

    /// Whether neighbours are found within batches, whatever edges there are.
    pub(crate) fn batch_neighbors(&self) -> bool {
        self.similarity == Similarity::Batch || self.siamese.is_some()
    }

    /// What stands behind the last layer.
    pub(crate) fn last(&self) -> Last {
        if self.squashed { Last::Tanh } else { Last::Linear }
    }

    /// Inputs of the network, for so many features: codes, where there is an autoencoder.
    pub(crate) fn inputs(&self, features: usize) -> usize {
        self.autoencoder.as_ref().map_or(features, |autoencoder| autoencoder.code)
    }

    /// What the fully connected layers read, their hidden layers and outputs, for so many inputs of the network.
    pub(crate) fn sizes(&self, inputs: usize, read: usize) -> Vec<usize> {
        let width = inputs.saturating_mul(4).clamp(64, 256);
        let hidden = self.hidden.clone().unwrap_or_else(|| vec![width, width]);
        [read].into_iter().chain(hidden).chain([self.outputs()]).collect()
    }

    /// The first size of steps of a network with these layers.
    pub(crate) fn first_rate(&self, sizes: &[usize]) -> f64 {
        let hidden = sizes.get(1..sizes.len().saturating_sub(1)).unwrap_or_default();
        let widest = hidden.iter().copied().max().unwrap_or(64);
        self.learning_rate.unwrap_or(0.64 / widest as f64)
    }

    /// Epochs that make as many steps as are asked for, of so many nodes.
    pub(crate) fn epochs_of(&self, nodes: usize) -> usize {
        let batches = nodes.div_ceil(self.batch_size()).max(1);
        self.epochs.max(self.steps.div_ceil(batches))
    }

    /// Nodes per batch.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch.max(16 * self.columns())
    }
}
