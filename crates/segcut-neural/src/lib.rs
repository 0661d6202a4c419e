//! Graph to Clustering by neural networks.
//!
//! ```text
//! RegionGraph ─► features gathered from neighbors, once ─► two layers ─► memberships ─► N-cut or correlation loss
//!                                                             ▲──── written-out gradients, AdamW ────┘
//! ```
//!
//! [`DeepCut`] trains one small network per graph, or one over many graphs, which [`DeepCutModel`] keeps; [`SpectralNet`]
//! learns the eigenvectors of spectral clustering.

mod activation;
mod adamw;
#[cfg(test)]
mod candle_twin;
mod community;
mod deepcut;
mod exponential;
mod inputs;
mod learner;
mod loss;
mod matrix;
mod model;
mod model_file;
mod neighbors;
mod network;
mod operator;
mod params;
mod spectralnet;
mod spread;
mod symmetric;
mod target;
mod training;
mod whole_numbers;

pub use community::{
    Community, CommunityAssign, CommunityError, CommunityLoss, CommunityModel, CommunityParams, CommunityStart,
    CountBy, EncoderKind,
};
pub use deepcut::DeepCut;
pub use inputs::DeepCutError;
pub use model::DeepCutModel;
pub use model_file::ModelError;
pub use params::{DeepCutParams, Labels, Objective, Precision, StartVectors};
pub use spectralnet::{
    Activation, Assign, AugmentationParams, AutoencoderParams, BatchScale, ConvolutionParams, GraphEncoderParams,
    Neighbors, Orthogonality, Pretraining, Schedule, SiameseParams, Similarity, SpectralNet, SpectralNetError,
    SpectralNetModel, SpectralNetParams, Standardize, Vectors,
};
pub use spread::Encoder;
