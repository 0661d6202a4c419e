//! Gradients → steps, with decoupled weight decay.

use multiversion::multiversion;

/// Parameters of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AdamWParams {
    pub(crate) learning_rate: f32,
    pub(crate) weight_decay: f32,
}

const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// AdamW (Loshchilov & Hutter 2019, algorithm 2) over all parameters in a fixed order, with PyTorch's other defaults.
#[derive(Debug, Clone)]
pub(crate) struct AdamW {
    params: AdamWParams,
    mean: Vec<f32>,
    square: Vec<f32>,
    steps: i32,
}

/// What one step shares over all parameters.
#[derive(Debug, Clone, Copy)]
struct Factors {
    keep: f32,
    size: f32,
    root: f32,
}

impl AdamW {
    pub(crate) fn new(params: AdamWParams, len: usize) -> Self {
        Self { params, mean: vec![0.0; len], square: vec![0.0; len], steps: 0 }
    }

    /// Steps of another size from here on.
    pub(crate) fn set_learning_rate(&mut self, learning_rate: f32) {
        self.params.learning_rate = learning_rate;
    }

    /// Steps done and both moments, to go on later.
    pub(crate) fn state(&self) -> (i32, &[f32], &[f32]) {
        (self.steps, &self.mean, &self.square)
    }

    /// Goes on from a state of as many parameters; whether it was one.
    pub(crate) fn restore(&mut self, steps: i32, mean: Vec<f32>, square: Vec<f32>) -> bool {
        let fits = mean.len() == self.mean.len() && square.len() == self.square.len() && steps >= 0;
        if fits {
            (self.steps, self.mean, self.square) = (steps, mean, square);
        }
        fits
    }

    /// One step; arrays of parameters with their gradients, always in the same order.
    pub(crate) fn step<'a>(&mut self, arrays: impl Iterator<Item = (&'a mut [f32], &'a [f32])>) {
        self.steps += 1;
        let AdamWParams { learning_rate, weight_decay } = self.params;
        let [mean_bias, square_bias] = BETA.map(|beta| (1.0 - f64::from(beta).powi(self.steps)) as f32);
        let factors = Factors {
            keep: 1.0 - learning_rate * weight_decay,
            size: learning_rate / mean_bias,
            root: 1.0 / square_bias.sqrt(),
        };
        let (mut mean, mut square) = (&mut self.mean[..], &mut self.square[..]);
        for (weights, gradient) in arrays {
            let len = weights.len();
            let (own_mean, rest_mean) = mean.split_at_mut(len);
            let (own_square, rest_square) = square.split_at_mut(len);
            update(weights, gradient, (own_mean, own_square), factors);
            (mean, square) = (rest_mean, rest_square);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn update(weights: &mut [f32], gradient: &[f32], (mean, square): (&mut [f32], &mut [f32]), factors: Factors) {
    let moments = mean.iter_mut().zip(square);
    for ((weight, &g), (mean, square)) in weights.iter_mut().zip(gradient).zip(moments) {
        *mean += (1.0 - BETA[0]) * (g - *mean);
        *square = BETA[1] * *square + (1.0 - BETA[1]) * g * g;
        *weight = *weight * factors.keep - factors.size * *mean / (square.sqrt() * factors.root + EPSILON);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_learning_rate_against_the_sign() {
        let mut adam = AdamW::new(AdamWParams { learning_rate: 0.1, weight_decay: 0.0 }, 2);
        let (mut first, mut second) = ([1.0], [-1.0]);
        adam.step([(&mut first[..], &[3.0][..]), (&mut second[..], &[-0.5][..])].into_iter());
        assert!((first[0] - 0.9).abs() < 1e-6 && (second[0] + 0.9).abs() < 1e-6);
    }

    #[test]
    fn decay_alone_shrinks() {
        let mut adam = AdamW::new(AdamWParams { learning_rate: 0.1, weight_decay: 0.5 }, 1);
        let mut weights = [2.0];
        adam.step([(&mut weights[..], &[0.0][..])].into_iter());
        assert!((weights[0] - 1.9).abs() < 1e-6);
    }
}
