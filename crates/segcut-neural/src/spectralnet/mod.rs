//! Points, nodes and superpixels → clusters by a network that learns the embedding of spectral clustering.

mod batches;
mod error;
mod inputs;
mod kernel;
mod learner;
mod loss;
mod model;
mod orthonormal;
mod params;
mod perceptron;
mod ritz;
mod sampler;
mod state;
#[cfg(test)]
mod tests;
mod training;

pub use error::SpectralNetError;
pub use learner::SpectralNet;
pub use model::SpectralNetModel;
pub use params::{
    Activation, BatchScale, Neighbors, Orthogonality, Schedule, Similarity, SpectralNetParams, Standardize,
};
