//! Times the forward pass of a ViT-S with random weights: `time_vit PATCH PIXELS THREADS REPEATS [BATCH [DEPTH [BITS]]]`.
//!
//! Prints milliseconds per image: least and median wall time, least and median processor time of all
//! threads (nan where the system does not tell);
//! then the least cosine of a token to the f32 pass. BITS 16 is `Precision::I16`. Used by tests/peers/vit/compare.py.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use segcut_vit::{Facet, Interpolation, Network, Planes, Tap, Tensor, Tensors};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|arg| arg.parse()).collect::<Result<_, _>>()?;
    let (&[patch, pixels, threads, repeats], rest) = numbers.split_first_chunk().ok_or("too few arguments")?;
    let [batch, depth, bits] = [(0, 1), (1, 12), (2, 32)].map(|(at, usual)| rest.get(at).copied().unwrap_or(usual));
    let network = Network::from_tensors(small(patch, depth))?;
    let values: Vec<f32> = (0..3 * pixels * pixels).map(|i| (i % 251) as f32 / 125.0 - 1.0).collect();
    let images = vec![Planes { values: &values, height: pixels, width: pixels }; batch];
    let positions = Interpolation::Offset;
    let tap = Tap { layer: depth - 1, facet: Facet::Token, stride: patch, positions, epsilon: 1e-6 };
    let exact = network.forward_batch(&images[..1], &tap).swap_remove(0).tokens;
    let network = if bits == 16 { network.rounded() } else { network };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let time = || {
        let (start, cpu) = (Instant::now(), processor_ms());
        let out = network.forward_batch(&images, &tap);
        assert!(out.iter().flat_map(|image| &image.tokens).all(|v| v.is_finite()));
        [start.elapsed().as_secs_f64() * 1e3, processor_ms() - cpu].map(|ms| ms / batch as f64)
    };
    pool.install(time);
    let times: Vec<[f64; 2]> = (0..repeats.max(1)).map(|_| pool.install(time)).collect();
    let [wall, cpu] = [0, 1].map(|which| {
        let mut column: Vec<f64> = times.iter().map(|t| t[which]).collect();
        column.sort_by(f64::total_cmp);
        column
    });
    let cosine = least_cosine(&exact, &network.forward_batch(&images[..1], &tap).swap_remove(0).tokens);
    println!("{:.1} {:.1} {:.1} {:.1} {cosine:.7}", wall[0], wall[wall.len() / 2], cpu[0], cpu[cpu.len() / 2]);
    Ok(())
}

/// Least cosine between the tokens of two passes.
fn least_cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let cosine = |(a, b): (&[f32], &[f32])| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    a.chunks(384).zip(b.chunks(384)).map(cosine).fold(1.0, f64::min)
}

/// Processor time that all threads of this process have had, as Linux tells it.
fn processor_ms() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let spent = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    let spent: Vec<f64> = tasks.filter_map(spent).collect();
    if spent.is_empty() { f64::NAN } else { spent.iter().sum::<f64>() / 1e6 }
}

/// DINO's ViT-S with numbers of the size that trained weights have.
fn small(patch: usize, depth: usize) -> Tensors {
    let (dim, side) = (384, 224 / patch);
    let mut shapes: Vec<(String, Vec<usize>)> = vec![
        ("cls_token".into(), vec![1, 1, dim]),
        ("pos_embed".into(), vec![1, side * side + 1, dim]),
        ("patch_embed.proj.weight".into(), vec![dim, 3, patch, patch]),
        ("patch_embed.proj.bias".into(), vec![dim]),
        ("norm.weight".into(), vec![dim]),
        ("norm.bias".into(), vec![dim]),
    ];
    for block in 0..depth {
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
