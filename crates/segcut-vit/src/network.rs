//! Named tensors → the weights of a network, every shape checked.

use crate::architecture::{Architecture, Family, HEAD, Perceptron};
use crate::layout::{Layout, rename};
use crate::linear::{Dense, Linear};
use crate::precision::Precision;
use crate::tensors::{Tensor, Tensors, TensorsError};
use std::collections::BTreeMap;
use std::io::Read;
use thiserror::Error;

/// How many names an error lists.
const LISTED: usize = 5;

/// Why a checkpoint is no network of ours.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file holds no tensors.
    #[error(transparent)]
    Tensors(#[from] TensorsError),
    /// The names are not those of a vision transformer.
    #[error("not a DINO, DINOv2 or DINOv3 vision transformer: there is no {missing}; it has {found}")]
    Unknown {
        /// What every such network has.
        missing: &'static str,
        /// The first names of the file.
        found: String,
    },
    /// The network's sizes do not fit together.
    #[error("{what} = {value} does not fit: {must}")]
    Size {
        /// Which size.
        what: &'static str,
        /// Its value.
        value: usize,
        /// What it must be.
        must: &'static str,
    },
    /// Expected tensors are not there, or others are.
    #[error("read as {layout:?} {family:?}: missing {missing}; unexpected {unexpected}")]
    Names {
        /// The layout that the names look like.
        layout: Layout,
        /// The generation that the names look like.
        family: Family,
        /// The first missing names and how many more.
        missing: String,
        /// The first unexpected names and how many more.
        unexpected: String,
    },
    /// A tensor has another shape than the network needs.
    #[error("tensor {name} has the shape {found:?}, expected {expected:?}")]
    Shape {
        /// The tensor, under this crate's name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the network needs.
        expected: Vec<usize>,
    },
}

/// Scale and shift of a layer norm.
#[derive(Debug, Clone)]
pub(crate) struct Norm {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// One transformer block; layer scale is multiplied into `proj` and `fc2`.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub norm1: Norm,
    pub qkv: Linear,
    pub proj: Linear,
    pub norm2: Norm,
    pub gate: Option<Linear>,
    pub fc1: Linear,
    pub fc2: Linear,
}

impl Block {
    fn rounded(&self) -> Self {
        Self {
            norm1: self.norm1.clone(),
            qkv: self.qkv.rounded(),
            proj: self.proj.rounded(),
            norm2: self.norm2.clone(),
            gate: self.gate.as_ref().map(Linear::rounded),
            fc1: self.fc1.rounded(),
            fc2: self.fc2.rounded(),
        }
    }
}

/// A vision transformer's weights.
///
/// *Guarantees*: every tensor that the architecture needs is there with its shape, and finite.
#[derive(Debug, Clone)]
pub struct Network {
    pub(crate) architecture: Architecture,
    pub(crate) layout: Layout,
    pub(crate) patch: Linear,
    pub(crate) class: Vec<f32>,
    pub(crate) registers: Vec<f32>,
    /// Learned positions of the grid, row-major, and of the class token (zeros where it has none).
    pub(crate) positions: Vec<f32>,
    pub(crate) class_position: Vec<f32>,
    /// Periods of the rotary positions, in patches.
    pub(crate) periods: Vec<f32>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) norm: Norm,
    pub(crate) precision: Precision,
}

impl Network {
    /// A safetensors file of any of the three code bases → network.
    ///
    /// Names tell the code base, shapes tell the sizes; heads are 64 wide.
    ///
    /// # Errors
    /// [`CheckpointError`] names what is missing, unexpected or of another shape.
    pub fn read(reader: impl Read) -> Result<Self, CheckpointError> {
        Self::from_tensors(Tensors::read(reader)?)
    }

    /// Tensors under the names of any of the three code bases → network.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_tensors(tensors: Tensors) -> Result<Self, CheckpointError> {
        let named = rename(tensors);
        let (layout, mut unexpected) = (named.layout, named.unexpected);
        let mut parts = Parts { tensors: named.tensors, missing: Vec::new() };
        let architecture = infer(&parts, &unexpected)?;
        let network = parts.network(architecture, layout)?;
        unexpected.extend(parts.tensors.into_keys());
        if parts.missing.is_empty() && unexpected.is_empty() {
            return Ok(network);
        }
        let family = network.architecture.family;
        Err(CheckpointError::Names { layout, family, missing: listed(&parts.missing), unexpected: listed(&unexpected) })
    }

    /// Sizes and choices.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The tolerance inside the square root of layer norms that the reference code has.
    pub fn epsilon(&self) -> f32 {
        match (self.architecture.family, self.layout) {
            (Family::Dino, Layout::Transformers) => 1e-12,
            (Family::Dino | Family::Dinov2, _) => 1e-6,
            (Family::Dinov3, _) => 1e-5,
        }
    }

    /// In which numbers it multiplies.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The same network in 16-bit whole numbers ([`Precision::I16`]); the patch embedding stays as it is.
    pub fn rounded(&self) -> Self {
        let blocks = self.blocks.iter().map(Block::rounded).collect();
        Self { blocks, precision: Precision::I16, ..self.clone() }
    }

    /// Whose names the checkpoint has.
    pub fn layout(&self) -> Layout {
        self.layout
    }
}

/// What the tensors' names and shapes say.
fn infer(parts: &Parts, unexpected: &[String]) -> Result<Architecture, CheckpointError> {
    let found = || {
        let names: Vec<String> = parts.tensors.keys().cloned().chain(unexpected.iter().cloned()).collect();
        listed(&names)
    };
    let unknown = |missing| CheckpointError::Unknown { missing, found: found() };
    let patch = parts.shape("patch.weight").filter(|s| s.len() == 4).ok_or_else(|| unknown("patch embedding"))?;
    let depth = (0..).take_while(|i| parts.shape(&format!("blocks.{i}.norm1.weight")).is_some()).count();
    let hidden = parts.shape("blocks.0.fc1.weight").ok_or_else(|| unknown("transformer block"))?[0];
    let registers = parts.shape("register_tokens").map_or(0, |shape| shape[shape.len().saturating_sub(2)]);
    let learned = parts.shape("pos_embed").and_then(|shape| shape.get(1).copied());
    let scaled = parts.shape("blocks.0.ls1").is_some();
    let family = match (learned, scaled) {
        (None, _) => Family::Dinov3,
        (Some(_), true) => Family::Dinov2,
        (Some(_), false) => Family::Dino,
    };
    let (positions, class_position) = match learned {
        None => (0, false),
        Some(count) => square(count)?,
    };
    let gated = parts.shape("blocks.0.gate.weight").is_some();
    let perceptron = if gated { Perceptron::Swiglu } else { Perceptron::Gelu };
    let dim = patch[0];
    if dim == 0 || dim % HEAD != 0 {
        return Err(CheckpointError::Size {
            what: "token width",
            value: dim,
            must: "a multiple of 64 (the width of a head)",
        });
    }
    Ok(Architecture { family, patch: patch[3], dim, depth, hidden, perceptron, registers, positions, class_position })
}

/// Side of the square grid of positions, and whether one more is the class token's.
fn square(count: usize) -> Result<(usize, bool), CheckpointError> {
    let side = count.isqrt();
    if side > 0 && side * side == count {
        return Ok((side, false));
    }
    let side = count.saturating_sub(1).isqrt();
    if side > 0 && side * side + 1 == count {
        return Ok((side, true));
    }
    Err(CheckpointError::Size { what: "learned positions", value: count, must: "a square number, or one more" })
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_string();
    }
    let first = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        n if n > LISTED => format!("{first} and {} more", n - LISTED),
        _ => first,
    }
}

/// Tensors that are taken out one by one, and the names that were wanted in vain.
struct Parts {
    tensors: BTreeMap<String, Tensor>,
    missing: Vec<String>,
}

impl Parts {
    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|tensor| tensor.shape.as_slice())
    }

    /// Values of a tensor of this shape; lengths of 1 in front do not count. Zeros where it is missing.
    fn take(&mut self, name: &str, expected: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let Some(tensor) = self.tensors.remove(name) else {
            self.missing.push(name.to_string());
            return Ok(vec![0.0; expected.iter().product()]);
        };
        let lengths = |shape: &[usize]| shape.iter().copied().skip_while(|&n| n == 1).collect::<Vec<_>>();
        if lengths(&tensor.shape) == lengths(expected) {
            return Ok(tensor.values);
        }
        Err(CheckpointError::Shape { name: name.to_string(), found: tensor.shape, expected: expected.to_vec() })
    }

    fn norm(&mut self, name: &str, dim: usize) -> Result<Norm, CheckpointError> {
        Ok(Norm {
            scale: self.take(&format!("{name}.weight"), &[dim])?,
            shift: self.take(&format!("{name}.bias"), &[dim])?,
        })
    }

    fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Dense, CheckpointError> {
        let weight = self.take(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = self.take(&format!("{name}.bias"), &[outputs])?;
        Ok(Dense { inputs, weight, bias })
    }

    fn network(&mut self, architecture: Architecture, layout: Layout) -> Result<Network, CheckpointError> {
        let Architecture { patch, dim, registers, positions: side, class_position, family, .. } = architecture;
        let count = side * side + usize::from(class_position);
        let mut positions = if side > 0 { self.take("pos_embed", &[count, dim])? } else { Vec::new() };
        let grid = positions.split_off(if class_position { dim } else { 0 });
        let class_position = if positions.is_empty() { vec![0.0; dim] } else { positions };
        let kernel = self.take("patch.weight", &[dim, 3, patch, patch])?;
        let bias = self.take("patch.bias", &[dim])?;
        Ok(Network {
            layout,
            patch: Dense { inputs: 3 * patch * patch, weight: kernel, bias }.packed(),
            class: self.take("cls_token", &[dim])?,
            registers: if registers > 0 { self.take("register_tokens", &[registers, dim])? } else { Vec::new() },
            positions: grid,
            class_position,
            periods: if family == Family::Dinov3 { self.periods()? } else { Vec::new() },
            blocks: (0..architecture.depth).map(|i| self.block(i, &architecture)).collect::<Result<_, _>>()?,
            norm: self.norm("norm", dim)?,
            precision: Precision::F32,
            architecture,
        })
    }

    /// Stored periods, or 100^(2i/32) for the 16 frequencies of a head.
    fn periods(&mut self) -> Result<Vec<f32>, CheckpointError> {
        if self.shape("periods").is_some() {
            return self.take("periods", &[HEAD / 4]);
        }
        Ok((0..HEAD / 4).map(|i| 100f64.powf(2.0 * i as f64 / (HEAD / 2) as f64) as f32).collect())
    }

    fn block(&mut self, index: usize, architecture: &Architecture) -> Result<Block, CheckpointError> {
        let Architecture { dim, hidden, family, perceptron, .. } = *architecture;
        let at = |part: &str| format!("blocks.{index}.{part}");
        let scaled = family != Family::Dino;
        let scale = |parts: &mut Self, name: &str| -> Result<Option<Vec<f32>>, CheckpointError> {
            if scaled { parts.take(&at(name), &[dim]).map(Some) } else { Ok(None) }
        };
        let (ls1, ls2) = (scale(self, "ls1")?, scale(self, "ls2")?);
        let gated = perceptron == Perceptron::Swiglu;
        Ok(Block {
            norm1: self.norm(&at("norm1"), dim)?,
            qkv: self.attention_input(&at(""), architecture)?.packed(),
            proj: self.linear(&at("proj"), dim, dim)?.scaled(ls1.as_deref()).packed(),
            norm2: self.norm(&at("norm2"), dim)?,
            gate: if gated { Some(self.linear(&at("gate"), dim, hidden)?.packed()) } else { None },
            fc1: self.linear(&at("fc1"), dim, hidden)?.packed(),
            fc2: self.linear(&at("fc2"), hidden, dim)?.scaled(ls2.as_deref()).packed(),
        })
    }

    /// Query, key and value maps, stored as one or as three. DINOv3 has no key bias, and timm's form of
    /// it keeps the other two apart or leaves all away.
    fn attention_input(&mut self, block: &str, architecture: &Architecture) -> Result<Dense, CheckpointError> {
        let dim = architecture.dim;
        let name = |part: &str| format!("{block}{part}");
        if self.shape(&name("qkv.weight")).is_none() {
            return self.three_maps(block, dim);
        }
        let weight = self.take(&name("qkv.weight"), &[3 * dim, dim])?;
        let mut bias = vec![0.0; 3 * dim];
        if self.shape(&name("qkv.bias")).is_some() {
            bias = self.take(&name("qkv.bias"), &[3 * dim])?;
        }
        for (part, at) in [("q.bias", 0), ("v.bias", 2)] {
            if self.shape(&name(part)).is_some() {
                bias[at * dim..][..dim].copy_from_slice(&self.take(&name(part), &[dim])?);
            }
        }
        if architecture.family == Family::Dinov3 {
            bias[dim..2 * dim].fill(0.0);
        }
        Ok(Dense { inputs: dim, weight, bias })
    }

    fn three_maps(&mut self, block: &str, dim: usize) -> Result<Dense, CheckpointError> {
        let (mut weight, mut bias) = (Vec::with_capacity(3 * dim * dim), Vec::with_capacity(3 * dim));
        for part in ["q", "k", "v"] {
            weight.extend(self.take(&format!("{block}{part}.weight"), &[dim, dim])?);
            let name = format!("{block}{part}.bias");
            let optional = part == "k" && self.shape(&name).is_none();
            bias.extend(if optional { vec![0.0; dim] } else { self.take(&name, &[dim])? });
        }
        Ok(Dense { inputs: dim, weight, bias })
    }
}
