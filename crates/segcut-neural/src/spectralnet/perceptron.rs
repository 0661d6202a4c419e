//! Rows of features → rows of outputs by fully connected layers, and back to gradients.

use super::params::Activation;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// inputs×outputs weights and the bias of one layer, or their gradients.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) matrix: Array2<f32>,
    pub(crate) bias: Array1<f32>,
}

impl Layer {
    /// Weights and biases uniform within 1/√inputs, PyTorch's default.
    pub(crate) fn draw([inputs, outputs]: [usize; 2], random: &mut ChaCha8Rng) -> Self {
        let bound = 1.0 / (inputs.max(1) as f32).sqrt();
        let mut uniform = || bound * (2.0 * random.random::<f32>() - 1.0);
        let matrix = Array2::from_shape_simple_fn((inputs, outputs), &mut uniform);
        Self { matrix, bias: Array1::from_shape_simple_fn(outputs, uniform) }
    }

    pub(crate) fn len(&self) -> usize {
        self.matrix.len() + self.bias.len()
    }
}

/// Inputs and outputs of every layer, from the inputs of the first and the outputs of all.
pub(crate) fn pairs(sizes: &[usize]) -> Vec<[usize; 2]> {
    sizes.windows(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// Weights with their gradients, in a fixed order.
pub(crate) fn paired<'a>(
    layers: &'a mut [Layer],
    gradients: &'a [Layer],
) -> impl Iterator<Item = (&'a mut [f32], &'a [f32])> {
    layers.iter_mut().zip(gradients).flat_map(|(layer, gradient)| {
        let matrix = (layer.matrix.as_slice_mut(), gradient.matrix.as_slice());
        let bias = (layer.bias.as_slice_mut(), gradient.bias.as_slice());
        [matrix, bias].into_iter().filter_map(|(own, gradient)| own.zip(gradient))
    })
}

/// What stands behind the last layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    Linear,
    Tanh,
    Relu,
}

/// Fully connected layers; the activation stands between them.
#[derive(Debug, Clone)]
pub(crate) struct Perceptron {
    pub(crate) layers: Vec<Layer>,
    pub(crate) activation: Activation,
    pub(crate) last: Last,
}

/// The outputs of every layer, the last ones last.
#[derive(Debug)]
pub(crate) struct Outputs(pub(crate) Vec<Array2<f32>>);

impl Outputs {
    /// What the network returns.
    pub(crate) fn last(&self) -> &Array2<f32> {
        &self.0[self.0.len() - 1]
    }
}

impl Perceptron {
    /// Layers that are drawn. `sizes` begins with the inputs.
    pub(crate) fn draw(sizes: &[usize], activation: Activation, last: Last, random: &mut ChaCha8Rng) -> Self {
        Self { layers: pairs(sizes).into_iter().map(|sides| Layer::draw(sides, random)).collect(), activation, last }
    }

    /// Inputs, hidden layers and outputs.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let inputs = self.layers.first().map(|layer| layer.matrix.nrows());
        inputs.into_iter().chain(self.layers.iter().map(|layer| layer.matrix.ncols())).collect()
    }

    pub(crate) fn parameters(&self) -> usize {
        self.layers.iter().map(Layer::len).sum()
    }

    /// Outputs of every layer.
    pub(crate) fn forward(&self, x: ArrayView2<'_, f32>) -> Outputs {
        let mut outputs: Vec<Array2<f32>> = Vec::with_capacity(self.layers.len());
        for (at, layer) in self.layers.iter().enumerate() {
            let input = outputs.last().map_or(x, |output| output.view());
            let mut output = input.dot(&layer.matrix);
            let last = at + 1 == self.layers.len();
            let slope = self.activation.slope();
            output += &layer.bias;
            match (last, self.last) {
                (false, _) => output.mapv_inplace(|v| v.max(slope * v)),
                (true, Last::Tanh) => output.mapv_inplace(f32::tanh),
                (true, Last::Relu) => output.mapv_inplace(|v| v.max(0.0)),
                (true, Last::Linear) => {}
            }
            outputs.push(output);
        }
        Outputs(outputs)
    }

    /// How many outputs the last hidden layer has.
    pub(crate) fn hidden_size(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.matrix.nrows())
    }

    /// The gradient of all parameters from that of the outputs.
    pub(crate) fn backward(&self, x: ArrayView2<'_, f32>, outputs: &Outputs, of_outputs: Array2<f32>) -> Vec<Layer> {
        self.descend(x, outputs, of_outputs).0
    }

    /// As [`backward`](Self::backward), with the gradient of the inputs.
    pub(crate) fn backward_to_input(
        &self,
        x: ArrayView2<'_, f32>,
        outputs: &Outputs,
        of_outputs: Array2<f32>,
    ) -> (Vec<Layer>, Array2<f32>) {
        let (gradients, outer) = self.descend(x, outputs, of_outputs);
        let of_input = self.layers.first().map(|layer| outer.dot(&layer.matrix.t()));
        (gradients, of_input.unwrap_or(outer))
    }

    /// The gradients of all layers, and that of the first layer's sums.
    fn descend(&self, x: ArrayView2<'_, f32>, outputs: &Outputs, of_outputs: Array2<f32>) -> (Vec<Layer>, Array2<f32>) {
        let mut gradients = Vec::with_capacity(self.layers.len());
        let mut outer = of_outputs;
        match self.last {
            Last::Linear => {}
            Last::Tanh => Zip::from(&mut outer).and(outputs.last()).for_each(|g, &y| *g *= 1.0 - y * y),
            Last::Relu => {
                Zip::from(&mut outer).and(outputs.last()).for_each(|g, &y| *g *= f32::from(u8::from(y > 0.0)))
            }
        }
        for at in (0..self.layers.len()).rev() {
            let input = if at == 0 { x } else { outputs.0[at - 1].view() };
            let matrix = input.t().dot(&outer).as_standard_layout().into_owned();
            gradients.push(Layer { matrix, bias: outer.sum_axis(Axis(0)) });
            if at == 0 {
                break;
            }
            outer = outer.dot(&self.layers[at].matrix.t());
            let slope = self.activation.slope();
            Zip::from(&mut outer).and(&outputs.0[at - 1]).for_each(|g, &y| *g *= if y > 0.0 { 1.0 } else { slope });
        }
        gradients.reverse();
        (gradients, outer)
    }

    /// Parameters with their gradients, in a fixed order.
    pub(crate) fn with_gradients<'a>(
        &'a mut self,
        gradients: &'a [Layer],
    ) -> impl Iterator<Item = (&'a mut [f32], &'a [f32])> {
        paired(&mut self.layers, gradients)
    }
}
