//! Image → map of patch descriptors.

use crate::forward::{Activations, Facet, Tap};
use crate::input::{HeldPlanes, InputSize};
use crate::log_bin::log_bin;
use crate::network::Network;
use crate::positions::Interpolation;
use crate::precision::Precision;
use crate::weights::{Weights, WeightsError};
use segcut_core::{Context, FeatureExtractor, FeatureMap, Features, Grid, Image, StageError, Stop};
use segcut_pixel::Filter;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// The most images that go through the network together.
const BATCH: usize = 8;

/// The most patches of a batch: memory goes with them.
const BATCH_PATCHES: usize = 8192;

/// Settings of [`Vit`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VitParams {
    /// The safetensors file, or the name of weights that the program knows.
    pub weights: String,
    /// The SHA-256 that the file must have; none: any. A resolved recipe states that of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Which block: 0 is the first, −1 the last.
    pub layer: i64,
    /// Which of its numbers.
    pub facet: Facet,
    /// Pixels of the input from one patch to the next; 0: the patch's side.
    pub stride: usize,
    /// Side of the square that every image is resized to; 0: keep the shape.
    pub side: usize,
    /// Longer side of the input at most, where the shape is kept; 0: no limit.
    pub max_side: usize,
    /// How images are resized.
    pub filter: Filter,
    /// How learned positions are brought to the grid; by default as the checkpoint's own code base does.
    pub positions: Option<Interpolation>,
    /// Apply the network's last layer norm to tokens.
    pub norm: bool,
    /// Scale every descriptor to length 1.
    pub unit: bool,
    /// Join each patch's surroundings to its descriptor: 17 times the dimensions.
    pub log_bin: bool,
    /// In which numbers the network multiplies; `i16` where the processor has AVX-512 VNNI, and `f32` elsewhere.
    pub precision: Precision,
}

impl Default for VitParams {
    fn default() -> Self {
        Self {
            weights: String::new(),
            sha256: None,
            layer: -1,
            facet: Facet::Key,
            stride: 0,
            side: 0,
            max_side: 0,
            filter: Filter::Bicubic,
            positions: None,
            norm: false,
            unit: false,
            log_bin: false,
            precision: Precision::F32,
        }
    }
}

/// Image → map `vit` of one descriptor per patch, and the class token's attention.
///
/// Images are resized to whole patches (Pillow's bicubic), scaled to 0 … 1 and normalised by
/// ImageNet's mean and deviation; gray images stand for all three channels.
///
/// # Shapes
/// rows = (height' − patch) / stride + 1 of the resized height', likewise columns; dim numbers
/// (384 for S, 768 for B, 1,024 for L), 17 times as many with `log_bin`.
///
/// Neighbours in a slice of images that have one input size go through the network together, up to eight of them.
///
/// # Determinism
/// The same at any number of threads, and for an image alone.
#[derive(Debug, Clone)]
pub struct Vit {
    network: Arc<Network>,
    params: VitParams,
    tap: Tap,
}

impl Vit {
    /// Opens the file that `params.weights` names.
    ///
    /// # Errors
    /// [`WeightsError`] inside a [`StageError::Data`], or [`StageError::Parameter`].
    pub fn open(params: VitParams) -> Result<Self, StageError> {
        let weights = Weights::open(Path::new(&params.weights)).map_err(StageError::data)?;
        Self::from_weights(&weights, params)
    }

    /// An extractor over weights that were read; their digest is filled in.
    ///
    /// # Errors
    /// [`WeightsError::Digest`] inside a [`StageError::Data`] where `params.sha256` is another one, or
    /// [`StageError::Parameter`].
    pub fn from_weights(weights: &Weights, params: VitParams) -> Result<Self, StageError> {
        let found = weights.sha256();
        if let Some(expected) = params.sha256.clone().filter(|expected| !expected.eq_ignore_ascii_case(found)) {
            let (weights, found) = (params.weights, found.to_string());
            return Err(StageError::data(WeightsError::Digest { weights, expected, found }));
        }
        Self::new(weights.network().clone(), VitParams { sha256: Some(found.to_string()), ..params })
    }

    /// An extractor over a network that is in memory; `params.weights` and its digest are not read.
    ///
    /// # Errors
    /// [`StageError::Parameter`] for a layer that the network does not have, or a stride above its patch.
    pub fn new(network: Arc<Network>, params: VitParams) -> Result<Self, StageError> {
        let architecture = network.architecture();
        let depth = architecture.depth as i64;
        let layer = if params.layer < 0 { params.layer + depth } else { params.layer };
        if !(0..depth).contains(&layer) {
            return Err(StageError::parameter("features.layer", params.layer, "a block of the network (−1: the last)"));
        }
        if params.stride > architecture.patch {
            return Err(StageError::parameter("features.stride", params.stride, "at most the patch's side"));
        }
        let own = Interpolation::of(network.layout(), architecture.family, architecture.registers);
        let tap = Tap {
            layer: layer as usize,
            facet: params.facet,
            stride: if params.stride == 0 { architecture.patch } else { params.stride },
            positions: params.positions.unwrap_or(own),
            epsilon: network.epsilon(),
        };
        let rounded = params.precision == Precision::I16 && Precision::I16.is_fast();
        let network = if rounded { Arc::new(network.rounded()) } else { network };
        Ok(Self { network, params, tap })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The settings.
    pub fn params(&self) -> &VitParams {
        &self.params
    }

    fn size(&self, image: &Image) -> InputSize {
        InputSize::choose(image, self.params.side, self.params.max_side, self.network.architecture().patch)
    }

    /// How many of the first images go through the network together: those of one size, within limits.
    fn batch(&self, images: &[Image]) -> usize {
        let Some(first) = images.first() else { return 0 };
        let size = self.size(first);
        let [rows, cols] = self.network.grid(size.height, size.width, self.tap.stride);
        let most = (BATCH_PATCHES / (rows * cols).max(1)).clamp(1, BATCH);
        images.iter().take(most).take_while(|image| self.size(image) == size).count()
    }

    /// Images of one input size → their features.
    fn together<'a>(&self, images: &[Image]) -> Result<Vec<Features<'a>>, StageError> {
        let planes = |image| HeldPlanes::new(image, self.size(image), self.params.filter).map_err(StageError::data);
        let held = images.iter().map(planes).collect::<Result<Vec<_>, _>>()?;
        let planes: Vec<_> = held.iter().map(HeldPlanes::planes).collect();
        let out = self.network.forward_batch(&planes, &self.tap);
        images.iter().zip(out).map(|(image, out)| self.features(image, out)).collect()
    }

    fn features<'a>(&self, image: &Image, out: Activations) -> Result<Features<'a>, StageError> {
        let patch = self.network.architecture().patch;
        let grid = self.size(image).grid(image, [out.rows, out.cols], patch, self.tap.stride);
        let descriptors = self.descriptors(out.tokens, &grid);
        let dims = descriptors.len() / (grid.rows * grid.cols);
        let map = FeatureMap::held("vit", grid, dims, descriptors).map_err(StageError::data)?;
        let attention = FeatureMap::held("attention", grid, 1, out.attention).map_err(StageError::data)?;
        Ok(Features { maps: vec![map], attention: Some(attention) })
    }

    /// Tokens → the patches' descriptors as the settings want them.
    fn descriptors(&self, tokens: Vec<f32>, grid: &Grid) -> Vec<f32> {
        let architecture = self.network.architecture();
        let normed = self.params.norm && self.tap.facet == Facet::Token;
        let mut tokens = if normed { self.network.normalise(&tokens, self.tap.epsilon) } else { tokens };
        let mut patches = tokens.split_off(architecture.prefix() * architecture.dim);
        if self.params.log_bin {
            patches = log_bin(&patches, [grid.rows, grid.cols]);
        }
        if self.params.unit {
            let dims = patches.len() / (grid.rows * grid.cols);
            patches.chunks_exact_mut(dims).for_each(scale_to_unit);
        }
        patches
    }
}

/// Zero stays zero.
fn scale_to_unit(descriptor: &mut [f32]) {
    let length = descriptor.iter().map(|v| v * v).sum::<f32>().sqrt();
    if length > 0.0 {
        descriptor.iter_mut().for_each(|v| *v /= length);
    }
}

impl FeatureExtractor for Vit {
    /// # Errors
    /// An image of two or more than three channels, inside a [`StageError::Data`].
    fn extract<'a>(&self, images: &'a [Image], context: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let mut all = Vec::with_capacity(images.len());
        while all.len() < images.len() {
            if let stop @ (Stop::Cancelled | Stop::TimedOut) = context.stopped() {
                return Err(StageError::Stopped(stop));
            }
            let rest = &images[all.len()..];
            all.extend(self.together(&rest[..self.batch(rest)])?);
        }
        Ok(all)
    }
}

/// Stands for a [`Vit`] whose weights are not opened: to check and to show a recipe, or to put another extractor in
/// its place.
#[derive(Debug, Clone, PartialEq)]
pub struct UnopenedVit {
    weights: String,
}

impl UnopenedVit {
    /// Takes the settings; the weights are not looked for.
    ///
    /// # Errors
    /// None; the signature is that of every stage.
    pub fn new(params: VitParams) -> Result<Self, StageError> {
        Ok(Self { weights: params.weights })
    }
}

impl FeatureExtractor for UnopenedVit {
    /// # Errors
    /// Always [`WeightsError::NotOpened`], inside a [`StageError::Data`].
    fn extract<'a>(&self, _: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        Err(StageError::data(WeightsError::NotOpened { weights: self.weights.clone() }))
    }
}
