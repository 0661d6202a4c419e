//! Rows of nodes → outputs of a graph network, and back to gradients.

use super::attention::{Attended, attend, attend_back};
use super::links::Links;
use super::params::EncoderKind;
use super::product::{times, turned_times};
use super::propagation::{Propagation, Scaling};
use crate::exponential::exp;
use multiversion::multiversion;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The graph under a network: its links, normalised as the encoder wants them.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) links: Links,
    propagation: Option<Propagation>,
}

impl Ground {
    pub(crate) fn new(kind: EncoderKind, links: Links) -> Self {
        let scaling = match kind {
            EncoderKind::Gcn => Some(Scaling::Symmetric),
            EncoderKind::Sage => Some(Scaling::Mean),
            EncoderKind::Gat | EncoderKind::Mlp => None,
        };
        let propagation = scaling.map(|scaling| Propagation::new(&links, scaling));
        Self { links, propagation }
    }
}

/// Weights of one layer, or their gradients: for the neighbours, for the node itself, and the bias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layer {
    around: Option<Array2<f32>>,
    attention: Option<[Array1<f32>; 2]>,
    own: Array2<f32>,
    bias: Array1<f32>,
}

/// Layers with SELU between them; the last one reads no neighbours and is linear.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Encoder {
    kind: EncoderKind,
    layers: Vec<Layer>,
}

/// What a forward pass leaves for the backward pass.
#[derive(Debug)]
pub(crate) struct Pass {
    attended: Vec<Option<(Array2<f32>, Attended)>>,
    /// Outputs of the hidden layers before dropout.
    active: Vec<Array2<f32>>,
    /// The same after it: what the next layer reads.
    read: Vec<Array2<f32>>,
    /// Outputs of the last layer.
    pub(crate) out: Array2<f32>,
}

impl Pass {
    /// Outputs of the last hidden layer; of the last layer where none is hidden.
    pub(crate) fn hidden(&self) -> &Array2<f32> {
        self.active.last().unwrap_or(&self.out)
    }
}

impl Encoder {
    /// Weights drawn uniformly by Glorot's rule, biases 0.
    pub(crate) fn draw(kind: EncoderKind, sizes: &[usize], random: &mut ChaCha8Rng) -> Self {
        let mut uniform = |inputs: usize, outputs: usize| {
            let bound = (6.0 / (inputs + outputs).max(1) as f32).sqrt();
            Array2::from_shape_simple_fn((inputs, outputs), || bound * (2.0 * random.random::<f32>() - 1.0))
        };
        let last = sizes.len().saturating_sub(2);
        let layers = sizes.windows(2).enumerate().map(|(at, pair)| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let spread = at < last && kind != EncoderKind::Mlp;
            Layer {
                around: spread.then(|| uniform(inputs, outputs)),
                attention: (spread && kind == EncoderKind::Gat)
                    .then(|| [0, 1].map(|_| uniform(outputs, 1).column(0).to_owned())),
                own: uniform(inputs, outputs),
                bias: Array1::zeros(outputs),
            }
        });
        Self { kind, layers: layers.collect() }
    }

    pub(crate) fn kind(&self) -> EncoderKind {
        self.kind
    }

    pub(crate) fn parameters(&self) -> usize {
        self.layers.iter().flat_map(Layer::arrays).map(<[f32]>::len).sum()
    }

    /// Sizes of the hidden layers.
    pub(crate) fn hidden_sizes(&self) -> impl Iterator<Item = usize> + '_ {
        self.layers.iter().rev().skip(1).rev().map(|layer| layer.bias.len())
    }

    /// Arrays of parameters with their gradients, in a fixed order.
    pub(crate) fn with_gradients<'a>(
        &'a mut self,
        gradients: &'a [Layer],
    ) -> impl Iterator<Item = (&'a mut [f32], &'a [f32])> {
        self.layers.iter_mut().flat_map(Layer::arrays_mut).zip(gradients.iter().flat_map(Layer::arrays))
    }

    /// Every array as a matrix, with its name in files.
    pub(crate) fn matrices(&self) -> impl Iterator<Item = (String, ArrayView2<'_, f32>)> {
        self.layers.iter().enumerate().flat_map(|(at, layer)| {
            let attention = layer.attention.iter().flatten().map(|vector| vector.view().insert_axis(Axis(0)));
            let around = layer.around.iter().map(|matrix| ("around", matrix.view()));
            let named = around.chain(["from", "to"].into_iter().zip(attention));
            let rest = [("own", layer.own.view()), ("bias", layer.bias.view().insert_axis(Axis(0)))];
            named.chain(rest).map(move |(name, matrix)| (format!("layer.{at}.{name}"), matrix))
        })
    }

    /// The same, to be written to.
    pub(crate) fn matrices_mut(&mut self) -> impl Iterator<Item = (String, ArrayViewMut2<'_, f32>)> {
        self.layers.iter_mut().enumerate().flat_map(|(at, layer)| {
            let attention = layer.attention.iter_mut().flatten().map(|vector| vector.view_mut().insert_axis(Axis(0)));
            let around = layer.around.iter_mut().map(|matrix| ("around", matrix.view_mut()));
            let named = around.chain(["from", "to"].into_iter().zip(attention));
            let rest = [("own", layer.own.view_mut()), ("bias", layer.bias.view_mut().insert_axis(Axis(0)))];
            named.chain(rest).map(move |(name, matrix)| (format!("layer.{at}.{name}"), matrix))
        })
    }

    /// Outputs of every node; `masks` (0 or 1 / (1 − rate)) drop outputs of the hidden layers.
    pub(crate) fn forward(&self, ground: &Ground, x: ArrayView2<'_, f32>, masks: &[Array2<f32>]) -> Pass {
        let (mut attended, mut active, mut read) = (Vec::new(), Vec::new(), Vec::<Array2<f32>>::new());
        let mut out = Array2::zeros((x.nrows(), 0));
        for (at, layer) in self.layers.iter().enumerate() {
            let input = read.last().map_or(x.view(), |read| read.view());
            let mut sum = times(input, layer.own.view()) + &layer.bias;
            attended.push(layer.spread(ground, input, &mut sum));
            if at + 1 == self.layers.len() {
                out = sum;
                break;
            }
            let y = selu(sum);
            read.push(masks.get(at).map_or_else(|| y.clone(), |mask| &y * mask));
            active.push(y);
        }
        Pass { attended, active, read, out }
    }

    /// The gradient of all weights from that of the outputs.
    pub(crate) fn backward(
        &self,
        ground: &Ground,
        x: ArrayView2<'_, f32>,
        pass: &Pass,
        masks: &[Array2<f32>],
        of_out: Array2<f32>,
    ) -> Vec<Layer> {
        let (mut gradients, mut outer) = (Vec::new(), of_out);
        for (at, layer) in self.layers.iter().enumerate().rev() {
            let input = at.checked_sub(1).map_or(x.view(), |before| pass.read[before].view());
            let (gradient, of_around) = layer.gradient(ground, input, pass.attended[at].as_ref(), &outer);
            gradients.push(gradient);
            let Some(before) = at.checked_sub(1) else { break };
            let mut of_input = times(outer.view(), layer.own.t());
            if let (Some(of_around), Some(around)) = (of_around, &layer.around) {
                of_input += &times(of_around.view(), around.t());
            }
            if let Some(mask) = masks.get(before) {
                of_input *= mask;
            }
            through_selu(&mut of_input, &pass.active[before]);
            outer = of_input;
        }
        gradients.reverse();
        gradients
    }
}

impl Layer {
    /// Row-major, in a fixed order.
    fn arrays(&self) -> impl Iterator<Item = &[f32]> {
        let attention = self.attention.iter().flatten().map(|v| v.as_slice());
        let matrices = self.around.iter().map(|m| m.as_slice()).chain(attention);
        matrices.chain([self.own.as_slice(), self.bias.as_slice()]).map(Option::unwrap_or_default)
    }

    fn arrays_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let attention = self.attention.iter_mut().flatten().map(|v| v.as_slice_mut());
        let matrices = self.around.iter_mut().map(|m| m.as_slice_mut()).chain(attention);
        matrices.chain([self.own.as_slice_mut(), self.bias.as_slice_mut()]).map(Option::unwrap_or_default)
    }

    /// Adds what comes from the neighbours.
    fn spread(
        &self,
        ground: &Ground,
        input: ArrayView2<'_, f32>,
        sum: &mut Array2<f32>,
    ) -> Option<(Array2<f32>, Attended)> {
        let around = self.around.as_ref()?;
        let h = times(input, around.view());
        if let Some(propagation) = &ground.propagation {
            *sum += &propagation.apply(&ground.links, h.view());
            return None;
        }
        let attended = attend(&ground.links, h.view(), views(self.attention.as_ref()?), None);
        *sum += &attended.out;
        Some((h, attended))
    }

    /// Gradients of the weights, and of what is propagated.
    fn gradient(
        &self,
        ground: &Ground,
        input: ArrayView2<'_, f32>,
        attended: Option<&(Array2<f32>, Attended)>,
        outer: &Array2<f32>,
    ) -> (Self, Option<Array2<f32>>) {
        let (mut of_around, mut attention) = (None, None);
        if self.around.is_some() {
            if let Some(propagation) = &ground.propagation {
                of_around = Some(propagation.apply_turned(&ground.links, outer.view()));
            } else if let (Some((h, pass)), Some(vectors)) = (attended, &self.attention) {
                let (of_h, of_vectors) = attend_back(&ground.links, h.view(), views(vectors), pass, outer.view());
                (of_around, attention) = (Some(of_h), Some(of_vectors));
            }
        }
        let around = of_around.as_ref().map(|g| turned_times(input, g.view()));
        (Self { around, attention, own: turned_times(input, outer.view()), bias: outer.sum_axis(Axis(0)) }, of_around)
    }
}

fn views(vectors: &[Array1<f32>; 2]) -> [ArrayView1<'_, f32>; 2] {
    vectors.each_ref().map(|vector| vector.view())
}

const SELU: [f32; 2] = [1.050_701, 1.673_263_2];

/// λx, or λα(e^x − 1) below 0 (Klambauer et al. 2017, eq. 2).
fn selu(mut x: Array2<f32>) -> Array2<f32> {
    bend(x.as_slice_mut().unwrap_or_default());
    x
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn bend(values: &mut [f32]) {
    let [scale, alpha] = SELU;
    for value in values {
        let below = alpha * (exp(value.min(0.0)) - 1.0);
        *value = scale * (value.max(0.0) + below);
    }
}

/// Times the derivative of SELU, from its output: λ above 0, output + λα below.
fn through_selu(gradient: &mut Array2<f32>, output: &Array2<f32>) {
    if let (Some(gradient), Some(output)) = (gradient.as_slice_mut(), output.as_slice()) {
        slope(gradient, output);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn slope(gradient: &mut [f32], output: &[f32]) {
    let [scale, alpha] = SELU;
    gradient.iter_mut().zip(output).for_each(|(g, &y)| *g *= if y > 0.0 { scale } else { y + scale * alpha });
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use segcut_core::SparseAffinity;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let edges = vec![[0, 1], [0, 4], [1, 2], [2, 3], [2, 5], [4, 5]];
        let affinity = SparseAffinity::new(7, edges, vec![1.0, 2.0, 0.5, 1.0, 3.0, 1.0]).unwrap();
        let x = Array2::from_shape_fn((7, 4), |(i, d)| ((i * 5 + d * 3) % 11) as f32 / 4.7 - 0.93);
        let outer = Array2::from_shape_fn((7, 2), |(i, d)| ((i + 2 * d) % 5) as f32 - 2.0);
        let masks = [Array2::from_shape_fn((7, 5), |(i, d)| if (i + d) % 4 == 0 { 0.0 } else { 4.0 / 3.0 })];
        for kind in [EncoderKind::Gcn, EncoderKind::Sage, EncoderKind::Gat, EncoderKind::Mlp] {
            let ground = Ground::new(kind, Links::of(&affinity));
            let mut encoder = Encoder::draw(kind, &[4, 5, 3, 2], &mut ChaCha8Rng::seed_from_u64(3));
            let pass = encoder.forward(&ground, x.view(), &masks);
            let gradients = encoder.backward(&ground, x.view(), &pass, &masks, outer.clone());
            let found: Vec<f32> = gradients.iter().flat_map(Layer::arrays).flatten().copied().collect();
            assert_eq!(found.len(), encoder.parameters());
            let value = |encoder: &Encoder| {
                let out = encoder.forward(&ground, x.view(), &masks).out;
                out.iter().zip(&outer).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
            };
            for (at, &gradient) in found.iter().enumerate() {
                let mut move_by = |by: f32| {
                    let moved = encoder.layers.iter_mut().flat_map(Layer::arrays_mut).flatten().nth(at);
                    *moved.unwrap() += by;
                    value(&encoder)
                };
                let (up, down) = (move_by(1e-3), move_by(-2e-3));
                move_by(1e-3);
                let slope = (up - down) / 2e-3;
                assert!(
                    (f64::from(gradient) - slope).abs() < 0.02 * slope.abs().max(1.0),
                    "{kind:?} {at}: {gradient} {slope}"
                );
            }
        }
    }
}
