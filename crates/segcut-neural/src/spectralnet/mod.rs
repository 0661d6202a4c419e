//! Points, nodes and superpixels → clusters by a network that learns the embedding of spectral clustering.

mod assignment;
mod autoencoder;
mod batches;
mod checks;
mod error;
mod inputs;
mod kernel;
mod learner;
mod loss;
mod model;
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
pub use autoencoder::AutoencoderParams;
pub use error::SpectralNetError;
pub use learner::SpectralNet;
pub use model::SpectralNetModel;
pub use params::{
    Activation, BatchScale, Neighbors, Orthogonality, Schedule, Similarity, SpectralNetParams, Standardize,
};
pub use pretraining::Pretraining;
pub use siamese::SiameseParams;
