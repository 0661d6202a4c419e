//! Times the forward pass of a ViT-S with random weights: `time_vit PATCH PIXELS THREADS REPEATS`.
//!
//! Prints the median of the wall milliseconds. Used by tests/peers/vit/compare.py.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use segcut_vit::{Facet, Interpolation, Network, Planes, Tap, Tensor, Tensors};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|arg| arg.parse()).collect::<Result<_, _>>()?;
    let &[patch, pixels, threads, repeats] = numbers.as_slice() else {
        return Err("usage: time_vit PATCH PIXELS THREADS REPEATS".into());
    };
    let network = Network::from_tensors(small(patch))?;
    let values: Vec<f32> = (0..3 * pixels * pixels).map(|i| (i % 251) as f32 / 125.0 - 1.0).collect();
    let planes = Planes { values: &values, height: pixels, width: pixels };
    let positions = Interpolation::Offset;
    let tap = Tap { layer: 11, facet: Facet::Token, stride: patch, positions, epsilon: 1e-6 };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let time = || {
        let start = Instant::now();
        let tokens = network.forward(planes, &tap).tokens;
        assert!(tokens.iter().all(|v| v.is_finite()));
        start.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = pool.install(|| (0..repeats.max(1)).map(|_| time()).collect());
    times.sort_by(f64::total_cmp);
    println!("{:.1}", times[times.len() / 2]);
    Ok(())
}

/// DINO's ViT-S with numbers of the size that trained weights have.
fn small(patch: usize) -> Tensors {
    let (dim, side) = (384, 224 / patch);
    let mut shapes: Vec<(String, Vec<usize>)> = vec![
        ("cls_token".into(), vec![1, 1, dim]),
        ("pos_embed".into(), vec![1, side * side + 1, dim]),
        ("patch_embed.proj.weight".into(), vec![dim, 3, patch, patch]),
        ("patch_embed.proj.bias".into(), vec![dim]),
        ("norm.weight".into(), vec![dim]),
        ("norm.bias".into(), vec![dim]),
    ];
    for block in 0..12 {
        for norm in ["norm1", "norm2"] {
            shapes.push((format!("blocks.{block}.{norm}.weight"), vec![dim]));
            shapes.push((format!("blocks.{block}.{norm}.bias"), vec![dim]));
        }
        for (name, outputs, inputs) in
            [("attn.qkv", 3 * dim, dim), ("attn.proj", dim, dim), ("mlp.fc1", 4 * dim, dim), ("mlp.fc2", dim, 4 * dim)]
        {
            shapes.push((format!("blocks.{block}.{name}.weight"), vec![outputs, inputs]));
            shapes.push((format!("blocks.{block}.{name}.bias"), vec![outputs]));
        }
    }
    let number = |i: usize| ((i.wrapping_mul(2_654_435_761) >> 7) % 2001) as f32 / 1e3 - 1.0;
    let tensor = |shape: Vec<usize>| {
        let values = (0..shape.iter().product()).map(|i| 0.05 * number(i)).collect();
        Tensor { shape, values }
    };
    Tensors(shapes.into_iter().map(|(name, shape)| (name, tensor(shape))).collect::<BTreeMap<_, _>>())
}
