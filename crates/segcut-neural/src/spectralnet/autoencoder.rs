//! Rows of features → short codes that tell them.

use super::params::Activation;
use super::perceptron::{Last, Layer, Perceptron};
use super::pretraining::{Pretraining, Steps, rows};
use crate::adamw::{AdamW, AdamWParams};
use ndarray::{Array2, ArrayView2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, StageError};
use serde::{Deserialize, Serialize};

/// A network that codes features before SpectralNet reads them (`[cluster.autoencoder]`); the defaults are those of
/// the authors' package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutoencoderParams {
    /// Outputs of the encoder's hidden layers; the decoder has them in the other order.
    pub hidden: Vec<usize>,
    /// Values of a code.
    pub code: usize,
    /// How it is trained.
    pub training: Pretraining,
}

impl Default for AutoencoderParams {
    fn default() -> Self {
        Self { hidden: vec![512, 512, 2048], code: 10, training: Pretraining::default() }
    }
}

impl AutoencoderParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        if self.code == 0 {
            return Err(StageError::parameter("cluster.autoencoder.code", self.code, "at least 1"));
        }
        self.training.check(&self.hidden)
    }

    /// Inputs, hidden layers and code.
    pub(crate) fn sizes(&self, inputs: usize) -> Vec<usize> {
        [inputs].into_iter().chain(self.hidden.iter().copied()).chain([self.code]).collect()
    }

    /// Layers of the encoder → the network that makes codes.
    pub(crate) fn encoder(layers: Vec<Layer>) -> Perceptron {
        Perceptron { layers, activation: Activation::Relu, last: Last::Linear }
    }

    /// Trains encoder and decoder on the squared error of what comes back (section 4 of Shaham et al. 2018), and keeps
    /// the encoder.
    pub(crate) fn learn(&self, x: ArrayView2<'_, f32>, seed: u64, context: &Context) -> Result<Perceptron, StageError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(STREAM);
        let sizes = self.sizes(x.ncols());
        let back: Vec<usize> = sizes.iter().rev().copied().collect();
        let mut draw = |sizes: &[usize]| Perceptron::draw(sizes, Activation::Relu, Last::Linear, &mut random);
        let mut pair = Pair::new([draw(&sizes), draw(&back)]);
        let step = |pair: &mut Pair, at: &[usize], rate: f64| pair.step(rows(x, at).view(), rate);
        let value = |pair: &Pair, at: &[usize]| pair.error(rows(x, at).view());
        let steps = Steps { name: "autoencoder", step: &step, value: &value };
        self.training.run(&mut pair, x.nrows(), &steps, &mut random, context)?;
        Ok(pair.encoder)
    }
}

/// The stream of random numbers of the autoencoder.
const STREAM: u64 = u64::MAX - 2;

/// Encoder and decoder with their optimiser.
struct Pair {
    encoder: Perceptron,
    decoder: Perceptron,
    adam: AdamW,
}

impl Pair {
    fn new([encoder, decoder]: [Perceptron; 2]) -> Self {
        let params = AdamWParams { learning_rate: 0.0, weight_decay: 0.0 };
        let adam = AdamW::new(params, encoder.parameters() + decoder.parameters());
        Self { encoder, decoder, adam }
    }

    /// One step; the error before it.
    fn step(&mut self, x: ArrayView2<'_, f32>, rate: f64) -> f64 {
        let codes = self.encoder.forward(x);
        let back = self.decoder.forward(codes.last().view());
        let rest = back.last() - &x;
        let error = mean_square(&rest);
        let of_outputs = rest * (2.0 / x.len().max(1) as f32);
        let (decoder, of_codes) = self.decoder.backward_to_input(codes.last().view(), &back, of_outputs);
        let encoder = self.encoder.backward(x, &codes, of_codes);
        self.adam.set_learning_rate(rate as f32);
        let arrays = self.encoder.with_gradients(&encoder).chain(self.decoder.with_gradients(&decoder));
        self.adam.step(arrays);
        error
    }

    /// Mean squared difference of rows and what comes back of them.
    fn error(&self, x: ArrayView2<'_, f32>) -> f64 {
        let codes = self.encoder.forward(x);
        mean_square(&(self.decoder.forward(codes.last().view()).last() - &x))
    }
}

fn mean_square(rest: &Array2<f32>) -> f64 {
    rest.iter().map(|&r| f64::from(r) * f64::from(r)).sum::<f64>() / rest.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_on_a_line_are_told_by_one_number() {
        let x = Array2::from_shape_fn((200, 4), |(i, j)| (i as f32 / 100.0 - 1.0) * (j as f32 - 1.5));
        let training = Pretraining { epochs: 80, batch: 32, learning_rate: 5e-3, ..Pretraining::default() };
        let params = AutoencoderParams { hidden: vec![16], code: 1, training };
        let encoder = params.learn(x.view(), 1, &Context::default()).unwrap();
        let codes = encoder.forward(x.view());
        let code = codes.last().column(0);
        let rises = code.windows(2).into_iter().filter(|pair| pair[1] > pair[0]).count();
        assert!(rises == 0 || rises == 199, "{rises}");
        let spread = code.fold(f32::MIN, |a, &b| a.max(b)) - code.fold(f32::MAX, |a, &b| a.min(b));
        assert!(spread > 0.1, "{spread}");
    }

    #[test]
    fn gradients_through_the_decoder_are_those_of_finite_differences() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut draw = |sizes: &[usize]| Perceptron::draw(sizes, Activation::LeakyRelu, Last::Linear, &mut random);
        let decoder = draw(&[2, 5, 3]);
        let x = Array2::from_shape_fn((4, 2), |(i, j)| (i as f32 - 1.3) * 0.4 + j as f32 * 0.3);
        let value = |x: &Array2<f32>| decoder.forward(x.view()).last().mapv(|v| f64::from(v * v)).sum();
        let outputs = decoder.forward(x.view());
        let (_, found) = decoder.backward_to_input(x.view(), &outputs, outputs.last() * 2.0);
        for (at, &slope) in found.indexed_iter() {
            let moved = |by: f32| {
                let mut x = x.clone();
                x[at] += by;
                value(&x)
            };
            let wanted = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((f64::from(slope) - wanted).abs() < 1e-3 * wanted.abs().max(1.0), "{at:?} {slope} {wanted}");
        }
    }
}
