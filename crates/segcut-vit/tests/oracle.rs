//! Activations of small random networks against timm and transformers (tests/oracle/vit/generate.py).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use segcut_vit::{Facet, Family, Interpolation, Network, Planes, Tap, Tensor, Tensors};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The reference computes in f32 as well; its own order of sums differs.
const TOLERANCE: f32 = 1e-4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/vit")
}

/// Uniform numbers in [−1, 1) from the FNV-1a hash of a name and splitmix64, as generate.py has them.
fn formula(name: &str, count: usize) -> Vec<f32> {
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    let number = |i: u64| {
        let mut z = seed.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 40) as f64 / f64::from(1 << 23) - 1.0) as f32
    };
    (0..count as u64).map(number).collect()
}

fn weights(name: &str, shape: &[usize]) -> Vec<f32> {
    if name == "rope_embed.periods" {
        return (0..16).map(|i| 100f64.powf(f64::from(i) / 16.0) as f32).collect();
    }
    let scale = shape.len() == 1 && name.ends_with("weight");
    let values = formula(name, shape.iter().product());
    values.into_iter().map(|v| if scale { 1.0 + 0.2 * v } else { 0.2 * v }).collect()
}

fn network(case: &str) -> Network {
    let text = fs::read_to_string(folder().join(format!("{case}.json"))).expect("fixture");
    let meta: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut tensors = BTreeMap::new();
    for (name, shape) in meta["tensors"].as_object().expect("tensors") {
        let shape: Vec<usize> = serde_json::from_value(shape.clone()).expect("shape");
        let values = weights(name, &shape);
        tensors.insert(name.clone(), Tensor { shape, values });
    }
    let network = Network::from_tensors(Tensors(tensors)).unwrap_or_else(|e| panic!("{case}: {e}"));
    assert_eq!(network.architecture().prefix() as u64, meta["prefix"].as_u64().expect("prefix"), "{case}");
    network
}

fn tap(case: &str, network: &Network, facet: Facet, stride: usize) -> Tap {
    let architecture = network.architecture();
    let mut positions = Interpolation::of(network.layout(), architecture.family, architecture.registers);
    if case.starts_with("timm") {
        positions = Interpolation::Antialiased;
    }
    Tap { layer: 1, facet, stride, positions, epsilon: network.epsilon() }
}

/// "48x80s16.key" → (48, 80, 16, "key").
fn parse(name: &str) -> (usize, usize, usize, &str) {
    let (size, what) = name.split_once('.').expect("size.what");
    let (size, stride) = size.split_once('s').expect("stride");
    let (height, width) = size.split_once('x').expect("size");
    let number = |s: &str| s.parse().expect("number");
    (number(height), number(width), number(stride), what)
}

fn check(case: &str) {
    let network = network(case);
    let bytes = fs::read(folder().join(format!("{case}.safetensors"))).expect("fixture");
    let expected = Tensors::from_bytes(&bytes).expect("expected");
    assert!(!expected.0.is_empty(), "{case} has nothing to compare");
    for (name, reference) in &expected.0 {
        let (height, width, stride, what) = parse(name);
        let facet = match what {
            "key" => Facet::Key,
            "query" => Facet::Query,
            "value" => Facet::Value,
            _ => Facet::Token,
        };
        let pixels = formula("pixels", 3 * height * width);
        let planes = Planes { values: &pixels, height, width };
        let out = network.forward(planes, &tap(case, &network, facet, stride));
        let ours = if what == "attention" { &out.attention } else { &out.tokens };
        assert_eq!(ours.len(), reference.values.len(), "{case} {name}");
        let worst = ours.iter().zip(&reference.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < TOLERANCE, "{case} {name}: off by {worst}");
    }
}

#[test]
fn dino_as_its_authors_timm_and_transformers() {
    for case in ["original_dino_s16", "original_dino_s8", "timm_dino_s16", "hf_dino_s16"] {
        check(case);
    }
}

#[test]
fn dinov2_with_and_without_registers() {
    for case in ["original_dinov2", "hf_dinov2", "original_dinov2_reg4", "timm_dinov2_reg4", "hf_dinov2_reg4"] {
        check(case);
    }
}

#[test]
fn dinov3_with_rotary_positions() {
    for case in
        ["original_dinov3", "timm_dinov3", "timm_dinov3_qkvb", "timm_dinov3_plus", "hf_dinov3", "hf_dinov3_plus"]
    {
        check(case);
    }
}

#[test]
fn families_are_told_apart() {
    assert_eq!(network("hf_dino_s16").architecture().family, Family::Dino);
    assert_eq!(network("original_dinov2").architecture().family, Family::Dinov2);
    assert_eq!(network("timm_dinov3_plus").architecture().family, Family::Dinov3);
}

/// The fast form and candle's operators agree on networks of every kind.
#[cfg(feature = "candle")]
#[test]
fn the_plain_form_is_a_twin() {
    use candle_core::Device;
    use segcut_vit::forward_plain;
    for case in ["original_dino_s16", "hf_dinov2_reg4", "timm_dinov3_plus"] {
        let network = network(case);
        let patch = network.architecture().patch;
        let (height, width) = (5 * patch, 3 * patch);
        let pixels = formula("twin", 3 * height * width);
        let planes = Planes { values: &pixels, height, width };
        for facet in [Facet::Token, Facet::Key] {
            let tap = tap(case, &network, facet, patch);
            let fast = network.forward(planes, &tap);
            let plain = forward_plain(&network, planes, &tap, &Device::Cpu).expect("candle");
            assert_eq!((fast.rows, fast.cols), (5, 3));
            let off = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off(&fast.tokens, &plain.tokens) < TOLERANCE, "{case} {facet:?}");
            assert!(off(&fast.attention, &plain.attention) < 1e-5, "{case} {facet:?}");
        }
    }
}

/// Threads and batches share the rows out otherwise, and no number changes.
#[test]
fn threads_and_batches_change_no_bit() {
    let network = network("timm_dinov3_plus");
    let (height, width) = (208, 176);
    let pixels: Vec<Vec<f32>> = ["a", "b", "c"].iter().map(|name| formula(name, 3 * height * width)).collect();
    let images: Vec<Planes> = pixels.iter().map(|values| Planes { values, height, width }).collect();
    let tap = tap("timm_dinov3_plus", &network, Facet::Token, 16);
    let within = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| network.forward_batch(&images, &tap))
    };
    let expected: Vec<_> = images.iter().map(|&image| network.forward(image, &tap)).collect();
    for threads in [1, 2, 4, 8] {
        assert!(within(threads) == expected, "{threads} threads");
    }
    assert!(network.forward_batch(&[], &tap).is_empty());
}

/// 16-bit whole numbers point where f32 does.
#[test]
fn whole_numbers_stay_near() {
    for case in ["original_dino_s8", "hf_dinov2_reg4", "timm_dinov3_plus"] {
        let network = network(case);
        let rounded = network.rounded();
        let side = 9 * network.architecture().patch;
        let pixels = formula("near", 3 * side * side);
        let planes = Planes { values: &pixels, height: side, width: side };
        for facet in [Facet::Token, Facet::Key] {
            let tap = tap(case, &network, facet, network.architecture().patch);
            let (exact, near) = (network.forward(planes, &tap), rounded.forward(planes, &tap));
            let dim = network.architecture().dim;
            for (a, b) in exact.tokens.chunks(dim).zip(near.tokens.chunks(dim)) {
                let dot =
                    |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
                let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
                assert!(cosine > 0.999_99, "{case} {facet:?}: {cosine}");
            }
        }
    }
}
