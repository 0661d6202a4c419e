//! The forward pass in candle's operators: the readable form, and the one for other devices.

use crate::architecture::{Family, HEAD};
use crate::forward::{Activations, Facet, Planes, Tap};
use crate::linear::Linear;
use crate::network::{Block, Network, Norm};
use crate::positions::interpolate;
use crate::rotary::Rotary;
use candle_core::{D, Device, Result, Tensor};

/// What [`Network::forward`] gives, by candle on a device.
///
/// # Errors
/// candle's own, for a device that fails or has too little memory.
///
/// # Panics
/// As [`Network::forward`].
///
/// # Cost
/// Holds the scores of all heads: 4·heads·tokens² bytes.
pub fn forward_plain(network: &Network, planes: Planes<'_>, tap: &Tap, device: &Device) -> Result<Activations> {
    assert!(tap.layer < network.blocks.len(), "layer {} of {}", tap.layer, network.blocks.len());
    let [rows, cols] = network.grid(planes.height, planes.width, tap.stride);
    let pass = Pass { network, tap, device, rotary: rotary(network, [rows, cols], device)? };
    let mut x = pass.embed(planes, [rows, cols])?;
    for block in &network.blocks[..tap.layer] {
        let parts = pass.parts(block, &x)?;
        x = pass.block(block, &x, &parts)?;
    }
    let last = &network.blocks[tap.layer];
    let parts = pass.parts(last, &x)?;
    let tokens = match tap.facet {
        Facet::Token => pass.block(last, &x, &parts)?,
        Facet::Query => joined(&parts[0])?,
        Facet::Key => joined(&parts[1])?,
        Facet::Value => joined(&parts[2])?,
    };
    let scores = pass.scores(&parts)?.narrow(1, 0, 1)?.mean(0)?.squeeze(0)?;
    let attention = scores.to_vec1::<f32>()?.split_off(network.architecture.prefix());
    Ok(Activations { rows, cols, tokens: tokens.flatten_all()?.to_vec1()?, attention })
}

/// Cosines and sines of the patches, `patches × 64`.
fn rotary(network: &Network, [rows, cols]: [usize; 2], device: &Device) -> Result<Option<[Tensor; 2]>> {
    if network.architecture.family != Family::Dinov3 {
        return Ok(None);
    }
    let rotary = Rotary::new(rows, cols, &network.periods);
    let both = |half: &[f32]| -> Result<Tensor> {
        let half = Tensor::from_slice(half, (rows * cols, HEAD / 2), device)?;
        Tensor::cat(&[&half, &half], 1)
    };
    Ok(Some([both(rotary.cosines())?, both(rotary.sines())?]))
}

/// Heads × tokens × 64 → tokens × dim.
fn joined(part: &Tensor) -> Result<Tensor> {
    part.transpose(0, 1)?.contiguous()?.flatten_from(1)
}

struct Pass<'a> {
    network: &'a Network,
    tap: &'a Tap,
    device: &'a Device,
    rotary: Option<[Tensor; 2]>,
}

impl Pass<'_> {
    fn vector(&self, values: &[f32]) -> Result<Tensor> {
        Tensor::from_slice(values, values.len(), self.device)
    }

    fn linear(&self, x: &Tensor, linear: &Linear) -> Result<Tensor> {
        let weight = Tensor::from_vec(linear.weight(), (linear.outputs, linear.inputs), self.device)?;
        x.matmul(&weight.t()?)?.broadcast_add(&self.vector(linear.bias())?)
    }

    fn norm(&self, x: &Tensor, norm: &Norm) -> Result<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let scaled = centred.broadcast_div(&(variance + f64::from(self.tap.epsilon))?.sqrt()?)?;
        scaled.broadcast_mul(&self.vector(&norm.scale)?)?.broadcast_add(&self.vector(&norm.shift)?)
    }

    fn embed(&self, planes: Planes<'_>, [rows, cols]: [usize; 2]) -> Result<Tensor> {
        let (network, patch) = (self.network, self.network.architecture.patch);
        let image = Tensor::from_slice(planes.values, (1, 3, planes.height, planes.width), self.device)?;
        let dim = network.architecture.dim;
        let kernel = Tensor::from_vec(network.patch.weight(), (dim, 3, patch, patch), self.device)?;
        let patches = image.conv2d(&kernel, 0, self.tap.stride, 1, 1)?.squeeze(0)?.flatten_from(1)?.t()?;
        let mut patches = patches.broadcast_add(&self.vector(network.patch.bias())?)?;
        if network.architecture.positions > 0 {
            let grid =
                interpolate(&network.positions, network.architecture.positions, [rows, cols], self.tap.positions);
            patches = (patches + Tensor::from_vec(grid, (rows * cols, dim), self.device)?)?;
        }
        let class = (self.vector(&network.class)? + self.vector(&network.class_position)?)?.unsqueeze(0)?;
        let registers = network.architecture.registers;
        if registers == 0 {
            return Tensor::cat(&[&class, &patches], 0);
        }
        let registers = Tensor::from_slice(&network.registers, (registers, dim), self.device)?;
        Tensor::cat(&[&class, &registers, &patches], 0)
    }

    /// Queries, keys and values before rotary positions: heads × tokens × 64 each.
    fn parts(&self, block: &Block, x: &Tensor) -> Result<[Tensor; 3]> {
        let heads = self.network.architecture.heads();
        let qkv = self.linear(&self.norm(x, &block.norm1)?, &block.qkv)?;
        let qkv = qkv.reshape((x.dim(0)?, 3, heads, HEAD))?.permute((1, 2, 0, 3))?;
        let part = |i: usize| qkv.get(i)?.contiguous();
        Ok([part(0)?, part(1)?, part(2)?])
    }

    fn turned(&self, part: &Tensor) -> Result<Tensor> {
        let Some([cos, sin]) = &self.rotary else { return Ok(part.clone()) };
        let prefix = self.network.architecture.prefix();
        let patches = part.narrow(1, prefix, part.dim(1)? - prefix)?;
        let halves = [patches.narrow(2, HEAD / 2, HEAD / 2)?.neg()?, patches.narrow(2, 0, HEAD / 2)?];
        let swapped = Tensor::cat(&halves, 2)?;
        let turned = (patches.broadcast_mul(cos)? + swapped.broadcast_mul(sin)?)?;
        Tensor::cat(&[part.narrow(1, 0, prefix)?, turned], 1)
    }

    /// Softmax of queries times keys: heads × tokens × tokens.
    fn scores(&self, [query, key, _]: &[Tensor; 3]) -> Result<Tensor> {
        let keys = self.turned(key)?.transpose(1, 2)?.contiguous()?;
        let scores = (self.turned(query)?.contiguous()?.matmul(&keys)? * (HEAD as f64).sqrt().recip())?;
        let numerators = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
        numerators.broadcast_div(&numerators.sum_keepdim(D::Minus1)?)
    }

    fn block(&self, block: &Block, x: &Tensor, parts: &[Tensor; 3]) -> Result<Tensor> {
        let mixed = joined(&self.scores(parts)?.matmul(&parts[2])?)?;
        let x = (x + self.linear(&mixed, &block.proj)?)?;
        let normed = self.norm(&x, &block.norm2)?;
        let hidden = self.linear(&normed, &block.fc1)?;
        let hidden = match &block.gate {
            None => hidden.gelu_erf()?,
            Some(gate) => (self.linear(&normed, gate)?.silu()? * hidden)?,
        };
        x + self.linear(&hidden, &block.fc2)?
    }
}
