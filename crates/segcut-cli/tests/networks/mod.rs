//! A small random network as a weight file.
#![allow(dead_code, clippy::unwrap_used)]

use crate::drawn::Numbers;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Width of the tokens: two heads.
const DIM: usize = 128;
/// Pixels per side of a patch.
const PATCH: usize = 8;

/// Tensors of a DINO network of two blocks, under the names of its authors.
pub fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![
        ("cls_token".to_string(), vec![1, 1, DIM]),
        ("pos_embed".to_string(), vec![1, 1 + 4 * 4, DIM]),
        ("patch_embed.proj.weight".to_string(), vec![DIM, 3, PATCH, PATCH]),
        ("patch_embed.proj.bias".to_string(), vec![DIM]),
        ("norm.weight".to_string(), vec![DIM]),
        ("norm.bias".to_string(), vec![DIM]),
    ];
    let linear =
        [("attn.qkv", 3 * DIM, DIM), ("attn.proj", DIM, DIM), ("mlp.fc1", 4 * DIM, DIM), ("mlp.fc2", DIM, 4 * DIM)];
    for block in 0..2 {
        for norm in ["norm1", "norm2"] {
            shapes.push((format!("blocks.{block}.{norm}.weight"), vec![DIM]));
            shapes.push((format!("blocks.{block}.{norm}.bias"), vec![DIM]));
        }
        for (name, outputs, inputs) in linear {
            shapes.push((format!("blocks.{block}.{name}.weight"), vec![outputs, inputs]));
            shapes.push((format!("blocks.{block}.{name}.bias"), vec![outputs]));
        }
    }
    shapes
}

/// The bytes of a safetensors file of random numbers; `change` may spoil a tensor.
pub fn checkpoint(seed: u64, change: impl Fn(&str, &mut Vec<usize>, &mut Vec<f32>)) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut tensors = Vec::new();
    for (name, mut shape) in shapes() {
        let norm = name.contains("norm") && name.ends_with("weight");
        let mut next = || {
            (numbers.next(20_001) as f32 / 10_000.0 - 1.0) * if norm { 0.2 } else { 0.1 } + f32::from(u8::from(norm))
        };
        let mut values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
        change(&name, &mut shape, &mut values);
        tensors.push((name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()));
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}
