//! The same network and losses in candle, whose automatic gradient the written-out one must equal.

use crate::deepcut::prepared;
use crate::matrix::Matrix;
use crate::network::{Network, Pass, Shape};
use crate::params::{DeepCutParams, Objective};
use crate::spread::{Encoder, blocks};
use candle_core::{D, DType, Device, Result, Tensor, Var};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segcut_core::{Affinity, GramAffinity};

const N: usize = 24;
const DIMS: usize = 6;
const HIDDEN: [usize; 2] = [5, 4];
const CLUSTERS: usize = 3;

fn tensor(rows: usize, cols: usize, values: impl Iterator<Item = f64>) -> Result<Tensor> {
    Tensor::from_vec(values.collect::<Vec<_>>(), (rows, cols), &Device::Cpu)
}

fn graph(clip: bool) -> GramAffinity {
    let factors = Array2::from_shape_fn((N, DIMS), |(i, d)| ((i * 7 + d * 5) % 13) as f32 / 6.0 - 0.9);
    GramAffinity { factors, clip, shift: 0.0, diagonal: None }
}

/// The positive weights, scaled as the encoder says.
fn spread(encoder: Encoder, w: &Tensor) -> Result<Tensor> {
    let a = w.relu()?;
    let degrees = a.sum_keepdim(1)?;
    match encoder {
        Encoder::Sage => a.broadcast_div(&degrees),
        _ => {
            let root = degrees.sqrt()?;
            a.broadcast_div(&root)?.broadcast_div(&root.t()?)
        }
    }
}

/// The positive weights, 1 on the diagonal, times what attention (vectors from, to) makes of rows, times these rows.
fn attended(h: &Tensor, w: &Tensor, vectors: &Tensor) -> Result<Tensor> {
    let scores = h.matmul(&vectors.t()?)?;
    let raw = scores.narrow(1, 0, 1)?.broadcast_add(&scores.narrow(1, 1, 1)?.t()?)?;
    let leaky = (raw.relu()? - (raw.neg()?.relu()? * 0.2)?)?;
    let own = Tensor::eye(N, DType::F64, &Device::Cpu)?;
    let shares = (((w.relu()? * (1.0 - &own)?)? + own)? * leaky.exp()?)?;
    shares.broadcast_div(&shares.sum_keepdim(1)?)?.matmul(h)
}

/// Memberships from parameters that candle follows.
fn memberships(layers: &[Vec<Var>], x: &Tensor, w: &Tensor, encoder: Encoder) -> Result<Tensor> {
    let encoders = layers.len() - 2;
    let mut h = x.clone();
    for (at, layer) in layers.iter().enumerate() {
        h = match encoder {
            _ if at >= encoders => h.matmul(&layer[0])?,
            Encoder::Gat => attended(&h.matmul(&layer[0])?, w, &layer[2])?,
            Encoder::Gcn => spread(encoder, w)?.matmul(&h)?.matmul(&layer[0])?,
            _ => Tensor::cat(&[&h, &spread(encoder, w)?.matmul(&h)?], 1)?.matmul(&layer[0])?,
        };
        h = h.broadcast_add(&layer[1])?;
        if at + 1 < layers.len() {
            h = h.elu(1.0)?;
        }
    }
    let exps = h.broadcast_sub(&h.max_keepdim(D::Minus1)?)?.exp()?;
    exps.broadcast_div(&exps.sum_keepdim(1)?)
}

fn loss(objective: Objective, w: &Tensor, s: &Tensor) -> Result<Tensor> {
    let inside = (s * w.matmul(s)?)?.sum_all()?;
    if objective == Objective::Correlation {
        return inside.neg();
    }
    let volume = s.sqr()?.broadcast_mul(&w.sum_keepdim(1)?)?.sum_all()?;
    let gram = s.t()?.matmul(s)?;
    let norm = gram.sqr()?.sum_all()?.sqrt()?;
    let target = (Tensor::eye(CLUSTERS, DType::F64, &Device::Cpu)? / (CLUSTERS as f64).sqrt())?;
    let apart = (gram.broadcast_div(&norm)? - target)?.sqr()?.sum_all()?.sqrt()?;
    (inside / volume)?.neg()? + apart
}

fn check(objective: Objective, encoder: Encoder, layers: usize) -> Result<()> {
    let gram = graph(objective == Objective::Ncut);
    let shift = if objective == Objective::Ncut { 0.0 } else { -1.5 };
    let w = tensor(N, N, (0..N * N).map(|at| gram.weight(at / N, at % N) + shift))?;
    let x = tensor(N, DIMS, gram.factors.iter().map(|&v| f64::from(v)))?;
    let params = DeepCutParams { objective, encoder, layers, hidden: HIDDEN, ..DeepCutParams::default() };
    let inputs = blocks(encoder) * DIMS;
    let shape = Shape { inputs, encoder, layers, hidden: HIDDEN, clusters: CLUSTERS };
    let network = Network::draw(&shape, &mut ChaCha8Rng::seed_from_u64(9));
    let features = Matrix::from_array(gram.factors.view());
    let graph = prepared(&params, &Affinity::Gram(gram), shift, features).unwrap();
    let mut pass = Pass::new(&network, N);
    network.forward(graph.inputs(), None, &mut pass);
    let (s, of_s) = pass.s_and_gradient();
    let value = graph.loss.of(s, of_s);
    let mut gradient = vec![0.0; network.parameters.len()];
    network.backward(graph.inputs(), None, &mut pass, &mut gradient);

    let mut values = network.parameters.iter().map(|&v| f64::from(v));
    let mut vars: Vec<Vec<Var>> = Vec::new();
    for (name, rows, len) in network.arrays() {
        let rows = rows.unwrap_or(1);
        let var = Var::from_tensor(&tensor(rows, len / rows, values.by_ref().take(len))?)?;
        match vars.last_mut() {
            Some(layer) if !name.ends_with("weight") => layer.push(var),
            _ => vars.push(vec![var]),
        }
    }
    let twin = loss(objective, &w, &memberships(&vars, &x, &w, encoder)?)?;
    let wanted = twin.to_scalar::<f64>()?;
    assert!((value - wanted).abs() < 1e-5 * wanted.abs().max(1.0), "{objective:?} {encoder:?}: {value} {wanted}");
    let gradients = twin.backward()?;
    let mut twins = Vec::new();
    for var in vars.iter().flatten() {
        let of_var = gradients.get(var).map_or_else(|| var.zeros_like(), |g| Ok(g.clone()))?;
        twins.extend(of_var.flatten_all()?.to_vec1::<f64>()?);
    }
    assert_eq!(twins.len(), gradient.len());
    let largest = twins.iter().fold(0.0f64, |most, g| most.max(g.abs()));
    for (at, (found, wanted)) in gradient.iter().zip(&twins).enumerate() {
        let apart = (f64::from(*found) - wanted).abs();
        assert!(apart < 1e-5 * largest.max(1.0), "{objective:?} {encoder:?} {layers} {at}: {found} {wanted}");
    }
    Ok(())
}

#[test]
fn gradients_are_those_of_candle() {
    for objective in [Objective::Ncut, Objective::Correlation] {
        for encoder in [Encoder::Gcn, Encoder::Sage, Encoder::Arma, Encoder::Gat] {
            for layers in [1, 2] {
                check(objective, encoder, layers).unwrap();
            }
        }
    }
}
