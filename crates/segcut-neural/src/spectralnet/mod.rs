//! Points, nodes and superpixels → clusters by a network that learns the embedding of spectral clustering.

mod assignment;
mod augmentation;
mod autoencoder;
mod batches;
mod checks;
mod convolution;
mod error;
mod inputs;
mod kernel;
mod learner;
mod loss;
mod model;
mod network;
mod orthonormal;
mod params;
mod perceptron;
mod plateau;
mod pretraining;
mod ritz;
mod sampler;
mod siamese;
mod state;
mod surroundings;
#[cfg(test)]
mod tests;
mod training;

pub use assignment::{Assign, Vectors};
pub use augmentation::AugmentationParams;
pub use autoencoder::AutoencoderParams;
pub use convolution::ConvolutionParams;
pub use error::SpectralNetError;
pub use learner::SpectralNet;
pub use model::SpectralNetModel;
pub use network::GraphEncoderParams;
pub use params::{
    Activation, BatchScale, Neighbors, Orthogonality, Schedule, Similarity, SpectralNetParams, Standardize,
};
pub use pretraining::Pretraining;
pub use siamese::SiameseParams;
