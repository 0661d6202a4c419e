//! Gradients → steps, with decoupled weight decay.

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

impl AdamW {
    pub(crate) fn new(params: AdamWParams, len: usize) -> Self {
        Self { params, mean: vec![0.0; len], square: vec![0.0; len], steps: 0 }
    }

    /// One step; every parameter comes with its gradient, always in the same order.
    pub(crate) fn step<'a>(&mut self, parameters: impl Iterator<Item = (&'a mut f32, f32)>) {
        self.steps += 1;
        let AdamWParams { learning_rate, weight_decay } = self.params;
        let [mean_bias, square_bias] = BETA.map(|beta| (1.0 - f64::from(beta).powi(self.steps)) as f32);
        let (size, root) = (learning_rate / mean_bias, square_bias.sqrt());
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((weight, g), (mean, square)) in parameters.zip(moments) {
            *weight -= learning_rate * weight_decay * *weight;
            *mean += (1.0 - BETA[0]) * (g - *mean);
            *square = BETA[1] * *square + (1.0 - BETA[1]) * g * g;
            *weight -= size * *mean / (square.sqrt() / root + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_learning_rate_against_the_sign() {
        let mut adam = AdamW::new(AdamWParams { learning_rate: 0.1, weight_decay: 0.0 }, 2);
        let mut weights = [1.0, -1.0];
        adam.step(weights.iter_mut().zip([3.0, -0.5]));
        assert!((weights[0] - 0.9).abs() < 1e-6 && (weights[1] + 0.9).abs() < 1e-6);
    }

    #[test]
    fn decay_alone_shrinks() {
        let mut adam = AdamW::new(AdamWParams { learning_rate: 0.1, weight_decay: 0.5 }, 1);
        let mut weights = [2.0];
        adam.step(weights.iter_mut().zip([0.0]));
        assert!((weights[0] - 1.9).abs() < 1e-6);
    }
}
