//! Image to FeatureMap by vision transformers: DINO, DINOv2 and DINOv3 checkpoints as their authors,
//! timm or transformers name them.

mod architecture;
mod attention;
mod block;
mod elementwise;
mod extractor;
mod forward;
mod input;
mod layout;
mod linear;
mod log_bin;
mod network;
#[cfg(feature = "candle")]
mod plain;
mod positions;
mod precision;
mod rotary;
mod tensors;
mod weights;

pub use architecture::{Architecture, Family, Perceptron};
pub use extractor::{UnopenedVit, Vit, VitParams};
pub use forward::{Activations, Facet, Planes, Tap};
pub use input::InputError;
pub use layout::Layout;
pub use network::{CheckpointError, Network};
#[cfg(feature = "candle")]
pub use plain::forward_plain;
pub use positions::Interpolation;
pub use precision::Precision;
pub use tensors::{MAX_BYTES, Tensor, Tensors, TensorsError};
pub use weights::{Weights, WeightsError};
