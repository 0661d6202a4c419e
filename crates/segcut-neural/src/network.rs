//! Features → memberships, and back to gradients.

mod attention_layer;

use crate::activation::{biased_elu, biased_softmax, column_sums, through_elu, through_softmax, times};
use crate::matrix::{Matrix, Panels};
use crate::spread::{Encoder, Gathering, blocks};
use crate::whole_numbers::WholeNumbers;
use attention_layer::Attended;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use segcut_kernel::Panels16;
use std::ops::Range;

/// Sizes of a network: encoder layers, one hidden layer, clusters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// Width of what the first layer reads.
    pub(crate) inputs: usize,
    /// How an encoder layer reads neighbors.
    pub(crate) encoder: Encoder,
    /// Encoder layers.
    pub(crate) layers: usize,
    /// Outputs of an encoder layer and of the hidden layer.
    pub(crate) hidden: [usize; 2],
    /// Memberships per node.
    pub(crate) clusters: usize,
}

/// One linear layer: an inputs×outputs matrix, behind it the bias, and the two vectors of a layer that attends, in
/// the network's parameters.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    inputs: usize,
    outputs: usize,
    at: usize,
    attends: bool,
}

/// Linear layers with ELU between them and a softmax behind.
///
/// The first `encoder` layers are graph convolutions; what the first gathers from neighbors is already in its input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Network {
    layers: Vec<Layer>,
    encoder: usize,
    pub(crate) parameters: Vec<f32>,
}

/// What the network reads of one graph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// Features, gathered once.
    pub(crate) x: &'a Matrix,
    /// The same in whole numbers, which are then multiplied instead.
    pub(crate) whole: Option<&'a WholeNumbers>,
    /// How further encoder layers gather.
    pub(crate) gathering: &'a Gathering,
}

/// Outputs and gradients of every layer, kept from one epoch to the next.
#[derive(Debug)]
pub(crate) struct Pass {
    outputs: Vec<Matrix>,
    gathered: Vec<Matrix>,
    attended: Vec<Option<Attended>>,
    dropped: Matrix,
    gradients: Vec<Matrix>,
    rounded: Panels16,
}

impl Pass {
    pub(crate) fn new(network: &Network, n: usize) -> Self {
        let outputs: Vec<Matrix> = network.layers.iter().map(|layer| Matrix::zeros(n, layer.outputs)).collect();
        let dropped = Matrix::zeros(n, network.hidden_outputs());
        let gathered = vec![Matrix::default(); network.encoder];
        let attended = gathered.iter().map(|_| None).collect();
        Self { gradients: outputs.clone(), outputs, gathered, attended, dropped, rounded: Panels16::default() }
    }

    /// n×K memberships.
    pub(crate) fn s(&self) -> &Matrix {
        &self.outputs[self.outputs.len() - 1]
    }

    /// The memberships, and where their gradient goes.
    pub(crate) fn s_and_gradient(&mut self) -> (&Matrix, &mut Matrix) {
        let last = self.outputs.len() - 1;
        (&self.outputs[last], &mut self.gradients[last])
    }
}

impl Network {
    /// The layers, with parameters 0.
    pub(crate) fn new(shape: &Shape) -> Self {
        let [first, second] = shape.hidden;
        let deeper = (1..shape.layers).map(|_| (blocks(shape.encoder) * first, first));
        let sizes = std::iter::once((shape.inputs, first)).chain(deeper);
        let sizes = sizes.chain([(first, second), (second, shape.clusters)]);
        let mut len = 0;
        let layer = |(place, (inputs, outputs))| {
            let attends = shape.encoder == Encoder::Gat && place < shape.layers;
            let layer = Layer { inputs, outputs, at: len, attends };
            len = layer.vectors().end;
            layer
        };
        let layers = sizes.enumerate().map(layer).collect();
        Self { layers, encoder: shape.layers, parameters: vec![0.0; len] }
    }

    /// Draws the parameters as the published code does: convolutions uniform by Glorot's rule with bias 0, the
    /// others uniform within 1/√inputs.
    pub(crate) fn draw(shape: &Shape, random: &mut ChaCha8Rng) -> Self {
        let mut network = Self::new(shape);
        for (at, layer) in network.layers.iter().enumerate() {
            let convolution = at < network.encoder;
            let glorot = (6.0 / (layer.inputs + layer.outputs).max(1) as f32).sqrt();
            let bound = if convolution { glorot } else { 1.0 / (layer.inputs.max(1) as f32).sqrt() };
            let drawn = if convolution { layer.matrix() } else { layer.at..layer.bias().end };
            network.parameters[drawn].fill_with(|| bound * (2.0 * random.random::<f32>() - 1.0));
            let bound = (6.0 / (1 + layer.outputs) as f32).sqrt();
            network.parameters[layer.vectors()].fill_with(|| bound * (2.0 * random.random::<f32>() - 1.0));
        }
        network
    }

    /// Every array of parameters in their order: its name in files, its rows where it is a matrix, and its length.
    pub(crate) fn arrays(&self) -> impl Iterator<Item = (String, Option<usize>, usize)> {
        self.layers.iter().enumerate().flat_map(|(at, layer)| {
            let named = [
                ("weight", Some(layer.inputs), layer.matrix()),
                ("bias", None, layer.bias()),
                ("attention", Some(2), layer.vectors()),
            ];
            let held = named.into_iter().filter(|(.., range)| !range.is_empty());
            held.map(move |(name, rows, range)| (format!("layer.{at}.{name}"), rows, range.len()))
        })
    }

    fn hidden_outputs(&self) -> usize {
        self.layers[self.encoder].outputs
    }

    /// How many values a dropout mask of n nodes has.
    pub(crate) fn mask_len(&self, n: usize) -> usize {
        n * self.hidden_outputs()
    }

    /// Memberships; `mask` (0 or 1 / (1 − rate)) drops outputs of the hidden layer.
    pub(crate) fn forward(&self, inputs: Inputs<'_>, mask: Option<&[f32]>, pass: &mut Pass) {
        let last = self.layers.len() - 1;
        for (at, layer) in self.layers.iter().enumerate() {
            if let (true, Some(neighbors)) = (layer.attends, &inputs.gathering.neighbors) {
                self.attend(at, (inputs.x, neighbors), pass);
                continue;
            }
            if 0 < at && at < self.encoder {
                pass.gathered[at] = inputs.gathering.gather(&pass.outputs[at - 1]);
            }
            if let (true, Some(mask)) = (at == last, mask) {
                times(&mut pass.dropped.values, &pass.outputs[at - 1].values, mask);
            }
            let (before, rest) = pass.outputs.split_at_mut(at);
            let input = match at {
                0 => inputs.x,
                _ if at < self.encoder => &pass.gathered[at],
                _ if at == last && mask.is_some() => &pass.dropped,
                _ => &before[at - 1],
            };
            let bias = &self.parameters[layer.bias()];
            let weights = &self.parameters[layer.matrix()];
            if let (0, Some(whole)) = (at, inputs.whole) {
                pass.rounded.round(weights, layer.outputs);
                whole.product(&pass.rounded, &mut rest[0], |rows| biased_elu(rows, bias));
                continue;
            }
            rest[0].set_product(input, &Panels::new(weights, layer.outputs), |_, rows| match at == last {
                true => biased_softmax(rows, bias),
                false => biased_elu(rows, bias),
            });
        }
    }

    /// The gradient of all parameters, from that of the memberships, which the pass holds.
    pub(crate) fn backward(&self, inputs: Inputs<'_>, mask: Option<&[f32]>, pass: &mut Pass, gradient: &mut [f32]) {
        let last = self.layers.len() - 1;
        for (at, layer) in self.layers.iter().enumerate().rev() {
            let (before, rest) = pass.gradients.split_at_mut(at);
            let own = &mut rest[0];
            if at == last {
                through_softmax(&mut own.values, &pass.outputs[at].values, layer.outputs);
            } else {
                through_elu(&mut own.values, &pass.outputs[at].values);
            }
            if let (true, Some(neighbors)) = (layer.attends, &inputs.gathering.neighbors) {
                self.attend_back(at, (inputs.x, neighbors), pass, gradient);
                continue;
            }
            let input = match at {
                0 => inputs.x,
                _ if at < self.encoder => &pass.gathered[at],
                _ if at == last && mask.is_some() => &pass.dropped,
                _ => &pass.outputs[at - 1],
            };
            match inputs.whole {
                Some(whole) if at == 0 => {
                    pass.rounded.round(&own.values, layer.outputs);
                    whole.transposed_product(&pass.rounded, &mut gradient[layer.matrix()]);
                }
                _ => input.transposed_product(own, &mut gradient[layer.matrix()]),
            }
            column_sums(&own.values, &mut gradient[layer.bias()]);
            let Some(previous) = before.last_mut() else { continue };
            let turned = Panels::transposed(&self.parameters[layer.matrix()], layer.outputs);
            if at < self.encoder {
                let mut gathered = Matrix::zeros(own.rows, layer.inputs);
                gathered.set_product(own, &turned, |_, _| {});
                *previous = inputs.gathering.scatter(&gathered);
            } else {
                previous.set_product(own, &turned, |_, _| {});
            }
            if let (true, Some(mask)) = (at == last, mask) {
                previous.values.iter_mut().zip(mask).for_each(|(g, m)| *g *= m);
            }
        }
    }
}

impl Layer {
    fn matrix(&self) -> Range<usize> {
        self.at..self.at + self.inputs * self.outputs
    }

    fn bias(&self) -> Range<usize> {
        self.matrix().end..self.at + (self.inputs + 1) * self.outputs
    }

    fn vectors(&self) -> Range<usize> {
        let len = if self.attends { 2 * self.outputs } else { 0 };
        self.bias().end..self.bias().end + len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spread::Spread;
    use ndarray::{Array2, Axis};
    use rand::SeedableRng;
    use segcut_core::{Affinity, SparseAffinity};

    pub(super) const N: usize = 7;

    pub(super) fn ring() -> Affinity {
        let mut edges: Vec<[u32; 2]> = (1..N as u32).map(|v| [v - 1, v]).collect();
        edges.insert(1, [0, N as u32 - 1]);
        let weights = (0..edges.len()).map(|e| 0.5 + e as f64 / 4.0).collect();
        Affinity::Sparse(SparseAffinity::new(N, edges, weights).unwrap())
    }

    /// The gathering of an encoder as a matrix in double precision, column block by column block.
    fn gathering(encoder: Encoder) -> Vec<Array2<f64>> {
        let affinity = ring();
        let columns: Vec<_> = (0..N).map(|i| affinity.apply(&Array2::<f64>::eye(N).row(i).to_owned())).collect();
        let mut a = Array2::from_shape_fn((N, N), |(i, j)| columns[j][i]);
        if encoder == Encoder::Gcn {
            a += &Array2::<f64>::eye(N);
        }
        let d = a.sum_axis(Axis(1));
        let scaled = Array2::from_shape_fn((N, N), |(i, j)| match encoder {
            Encoder::Sage => a[[i, j]] / d[i],
            _ => a[[i, j]] / (d[i] * d[j]).sqrt(),
        });
        if encoder == Encoder::Gcn { vec![scaled] } else { vec![Array2::eye(N), scaled] }
    }

    /// The same in double precision: Σ S ∘ `outer`.
    fn plain(network: &Network, values: &[f64], x: &Array2<f64>, mask: &[f32], encoder: Encoder) -> f64 {
        let spread = gathering(encoder);
        let gather = |h: &Array2<f64>| {
            let parts: Vec<_> = spread.iter().map(|a| a.dot(h)).collect();
            ndarray::concatenate(Axis(1), &parts.iter().map(|p| p.view()).collect::<Vec<_>>()).unwrap()
        };
        let mut h = x.clone();
        for (at, layer) in network.layers.iter().enumerate() {
            if at < network.encoder {
                h = gather(&h);
            }
            let matrix =
                Array2::from_shape_vec((layer.inputs, layer.outputs), values[layer.matrix()].to_vec()).unwrap();
            h = h.dot(&matrix) + ndarray::ArrayView1::from(&values[layer.bias()]);
            if at + 1 < network.layers.len() {
                h.mapv_inplace(|v| if v > 0.0 { v } else { v.exp_m1() });
            }
            if at == network.encoder {
                h.indexed_iter_mut().for_each(|((i, j), v)| *v *= f64::from(mask[i * layer.outputs + j]));
            }
        }
        let exps = h.mapv(f64::exp);
        let s = &exps / &exps.sum_axis(Axis(1)).insert_axis(Axis(1));
        s.indexed_iter().map(|((i, c), s)| s * f64::from(outer(i, c))).sum()
    }

    pub(super) fn outer(i: usize, c: usize) -> f32 {
        ((i + 2 * c) % 5) as f32 - 2.0
    }

    fn check(encoder: Encoder, layers: usize) {
        let inputs = 5 * blocks(encoder);
        let shape = Shape { inputs, encoder, layers, hidden: [4, 3], clusters: 2 };
        let network = Network::draw(&shape, &mut ChaCha8Rng::seed_from_u64(3));
        let x = Array2::from_shape_fn((N, 5), |(i, d)| ((i * 5 + d * 3) % 11) as f64 / 5.0 - 1.0);
        let mask: Vec<f32> = (0..3 * N).map(|at| if at % 4 == 0 { 0.0 } else { 4.0 / 3.0 }).collect();
        let spread = Spread::new(encoder, &ring(), 0.0);
        let gathered = spread.gather(&Matrix::from_array(x.mapv(|v| v as f32).view()));
        let gathering = Gathering { parts: vec![spread], neighbors: None };
        let inputs = Inputs { x: &gathered, whole: None, gathering: &gathering };
        let mut pass = Pass::new(&network, N);
        network.forward(inputs, Some(&mask), &mut pass);
        let value: f32 = (0..2 * N).map(|at| pass.s().values[at] * outer(at / 2, at % 2)).sum();
        let (_, of_s) = pass.s_and_gradient();
        of_s.values.iter_mut().enumerate().for_each(|(at, g)| *g = outer(at / 2, at % 2));
        let mut gradient = vec![0.0; network.parameters.len()];
        network.backward(inputs, Some(&mask), &mut pass, &mut gradient);
        let values: Vec<f64> = network.parameters.iter().map(|&v| f64::from(v)).collect();
        assert!((f64::from(value) - plain(&network, &values, &x, &mask, encoder)).abs() < 1e-5);
        for (at, &found) in gradient.iter().enumerate() {
            let moved = |by: f64| {
                let mut values = values.clone();
                values[at] += by;
                plain(&network, &values, &x, &mask, encoder)
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((f64::from(found) - slope).abs() < 2e-5, "{encoder:?} {layers} {at}: {found} {slope}");
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        for encoder in [Encoder::Gcn, Encoder::Sage, Encoder::Arma] {
            (1..4).for_each(|layers| check(encoder, layers));
        }
    }
}
