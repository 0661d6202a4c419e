//! Features → memberships, and back to gradients.

use crate::exponential::exp;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// inputs×outputs weights and the bias of one layer, or their gradients.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) matrix: Array2<f32>,
    pub(crate) bias: Array1<f32>,
}

/// Three linear layers with ELU between them and a softmax behind.
///
/// The first is the graph convolution, whose propagation is already in its input.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) layers: [Layer; 3],
}

/// What a forward pass leaves for the backward pass.
#[derive(Debug)]
pub(crate) struct Pass {
    first: Array2<f32>,
    second: Array2<f32>,
    dropped: Array2<f32>,
    /// n×K memberships.
    pub(crate) s: Array2<f32>,
}

impl Network {
    /// Draws the parameters as the published code does: the convolution uniform by Glorot's rule with bias 0, the
    /// others uniform within 1/√inputs.
    pub(crate) fn draw(sizes: [usize; 4], random: &mut ChaCha8Rng) -> Self {
        let layers = [0, 1, 2].map(|layer| {
            let (inputs, outputs) = (sizes[layer], sizes[layer + 1]);
            let glorot = (6.0 / (inputs + outputs).max(1) as f32).sqrt();
            let bound = if layer == 0 { glorot } else { 1.0 / (inputs.max(1) as f32).sqrt() };
            let mut uniform = || bound * (2.0 * random.random::<f32>() - 1.0);
            let matrix = Array2::from_shape_simple_fn((inputs, outputs), &mut uniform);
            let bias = if layer == 0 { Array1::zeros(outputs) } else { Array1::from_shape_simple_fn(outputs, uniform) };
            Layer { matrix, bias }
        });
        Self { layers }
    }

    /// Parameters with their gradients, in a fixed order.
    pub(crate) fn with_gradients<'a>(
        &'a mut self,
        gradients: &'a [Layer; 3],
    ) -> impl Iterator<Item = (&'a mut f32, f32)> {
        self.layers.iter_mut().zip(gradients).flat_map(|(layer, gradient)| {
            let matrix = layer.matrix.iter_mut().zip(gradient.matrix.iter().copied());
            matrix.chain(layer.bias.iter_mut().zip(gradient.bias.iter().copied()))
        })
    }

    pub(crate) fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.matrix.len() + layer.bias.len()).sum()
    }

    /// Memberships of propagated features; `mask` (0 or 1 / (1 − rate)) drops outputs of the second hidden layer.
    pub(crate) fn forward(&self, x: ArrayView2<'_, f32>, mask: Option<&Array2<f32>>) -> Pass {
        let first = elu(self.layers[0].of(x));
        let second = elu(self.layers[1].of(first.view()));
        let dropped = mask.map_or_else(|| second.clone(), |mask| &second * mask);
        let s = softmax(self.layers[2].of(dropped.view()));
        Pass { first, second, dropped, s }
    }

    /// The gradient of all parameters from that of the memberships.
    pub(crate) fn backward(
        &self,
        x: ArrayView2<'_, f32>,
        pass: &Pass,
        mask: Option<&Array2<f32>>,
        of_s: &Array2<f32>,
    ) -> [Layer; 3] {
        let shared = (of_s * &pass.s).sum_axis(Axis(1)).insert_axis(Axis(1));
        let third = (of_s - &shared) * &pass.s;
        let mut second = third.dot(&self.layers[2].matrix.t());
        if let Some(mask) = mask {
            second *= mask;
        }
        through_elu(&mut second, &pass.second);
        let mut first = second.dot(&self.layers[1].matrix.t());
        through_elu(&mut first, &pass.first);
        let layer = |input: ArrayView2<'_, f32>, outer: &Array2<f32>| Layer {
            matrix: input.t().dot(outer),
            bias: outer.sum_axis(Axis(0)),
        };
        [layer(x, &first), layer(pass.first.view(), &second), layer(pass.dropped.view(), &third)]
    }
}

impl Layer {
    fn of(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        x.dot(&self.matrix) + &self.bias
    }
}

/// x, or e^x − 1 below 0.
fn elu(mut x: Array2<f32>) -> Array2<f32> {
    for value in &mut x {
        let below = exp(value.min(0.0)) - 1.0;
        *value = value.max(0.0) + below;
    }
    x
}

/// Times the derivative of ELU, from its output: 1 above 0, output + 1 below.
fn through_elu(gradient: &mut Array2<f32>, output: &Array2<f32>) {
    Zip::from(gradient).and(output).for_each(|g, &y| *g *= y.min(0.0) + 1.0);
}

fn softmax(mut x: Array2<f32>) -> Array2<f32> {
    for mut row in x.rows_mut() {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.mapv_inplace(|value| exp(value - most));
        let sum = row.sum();
        row /= sum;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;
    use rand::SeedableRng;

    /// The same in double precision: Σ S ∘ `outer`.
    fn plain(layers: &[(Array2<f64>, Array1<f64>)], x: &Array2<f64>, mask: &Array2<f64>, outer: &Array2<f64>) -> f64 {
        let mut value = x.clone();
        for (at, (matrix, bias)) in layers.iter().enumerate() {
            value = value.dot(matrix) + bias;
            if at < 2 {
                value.mapv_inplace(|v| if v > 0.0 { v } else { v.exp_m1() });
            }
            if at == 1 {
                value *= mask;
            }
        }
        let exps = value.mapv(f64::exp);
        let s = &exps / &exps.sum_axis(Axis(1)).insert_axis(Axis(1));
        (s * outer).sum()
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let network = Network::draw([5, 4, 3, 2], &mut random);
        let x = Array2::from_shape_fn((7, 5), |(i, d)| ((i * 5 + d * 3) % 11) as f64 / 5.0 - 1.0);
        let mask = Array2::from_shape_fn((7, 3), |(i, d)| if (i + d) % 4 == 0 { 0.0 } else { 4.0 / 3.0 });
        let outer = Array2::from_shape_fn((7, 2), |(i, d)| ((i + 2 * d) % 5) as f64 - 2.0);
        let narrow = |a: &Array2<f64>| a.mapv(|v| v as f32);
        let (x32, mask32) = (narrow(&x), narrow(&mask));
        let pass = network.forward(x32.view(), Some(&mask32));
        let gradient = network.backward(x32.view(), &pass, Some(&mask32), &narrow(&outer));
        let wide = |layer: &Layer| (layer.matrix.mapv(f64::from), layer.bias.mapv(f64::from));
        let layers: Vec<_> = network.layers.iter().map(wide).collect();
        let value = f64::from((pass.s * narrow(&outer)).sum());
        assert!((value - plain(&layers, &x, &mask, &outer)).abs() < 1e-5);
        for (place, gradient) in gradient.iter().enumerate() {
            for (at, &found) in gradient.matrix.indexed_iter() {
                let moved = |by: f64| {
                    let mut layers = layers.clone();
                    layers[place].0[at] += by;
                    plain(&layers, &x, &mask, &outer)
                };
                let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((f64::from(found) - slope).abs() < 2e-5, "{place} {at:?}: {found} {slope}");
            }
            for (at, &found) in gradient.bias.indexed_iter() {
                let moved = |by: f64| {
                    let mut layers = layers.clone();
                    layers[place].1[at] += by;
                    plain(&layers, &x, &mask, &outer)
                };
                let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((f64::from(found) - slope).abs() < 2e-5, "{place} {at}: {found} {slope}");
            }
        }
    }
}
