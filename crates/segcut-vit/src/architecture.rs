//! What a checkpoint's tensors say about its network.

use serde::Serialize;

/// Width of one attention head: every DINO, DINOv2 and DINOv3 network has 64.
pub(crate) const HEAD: usize = 64;

/// The generation of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// DINO (Caron et al. 2021): learned positions, no layer scale.
    Dino,
    /// DINOv2 (Oquab et al. 2023; registers: Darcet et al. 2023): learned positions, layer scale.
    Dinov2,
    /// DINOv3 (Siméoni et al. 2025): rotary positions, layer scale, storage tokens.
    Dinov3,
}

/// The hidden layer of a block's perceptron.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Perceptron {
    /// GELU with the exact error function.
    Gelu,
    /// SiLU of a gate, times a second projection (SwiGLU, Shazeer 2020).
    Swiglu,
}

/// Sizes and choices of a vision transformer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Architecture {
    /// The generation.
    pub family: Family,
    /// Pixels per side of a patch.
    pub patch: usize,
    /// Numbers per token.
    pub dim: usize,
    /// Blocks.
    pub depth: usize,
    /// Width of the perceptron's hidden layer.
    pub hidden: usize,
    /// Kind of perceptron.
    pub perceptron: Perceptron,
    /// Register (storage) tokens between the class token and the patches.
    pub registers: usize,
    /// Rows and columns of learned positions; 0 for rotary ones.
    pub positions: usize,
    /// Whether the learned positions hold one for the class token.
    pub class_position: bool,
}

impl Architecture {
    /// Attention heads of 64 numbers.
    pub fn heads(&self) -> usize {
        self.dim / HEAD
    }

    /// Tokens before the first patch: the class token and the registers.
    pub fn prefix(&self) -> usize {
        1 + self.registers
    }

    /// Sides of the square images that the network was trained on, where the positions tell.
    pub fn native_side(&self) -> Option<usize> {
        (self.positions > 0).then_some(self.positions * self.patch)
    }

    /// The usual short name, for example `ViT-S/16`, where the sizes are a known set.
    pub fn name(&self) -> Option<String> {
        let plus = self.perceptron == Perceptron::Swiglu;
        let size = match (self.dim, self.depth) {
            (384, 12) => "S",
            (768, 12) => "B",
            (1024, 24) => "L",
            _ => return None,
        };
        Some(format!("ViT-{size}{}/{}", if plus { "+" } else { "" }, self.patch))
    }
}
