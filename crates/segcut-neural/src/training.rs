//! Gradients and steps, epoch by epoch.

use crate::adamw::{AdamW, AdamWParams};
use crate::deepcut::{DeepCutParams, Labels};
use crate::loss::Loss;
use crate::network::Network;
use ndarray::{Array2, ArrayView2};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, Partition, Status, Stop};

/// Epochs over which the loss is averaged to decide whether it still falls.
const WINDOW: usize = 10;

/// One network while it is trained.
pub(crate) struct Training<'a> {
    params: &'a DeepCutParams,
    network: Network,
    adam: AdamW,
    random: ChaCha8Rng,
}

/// Memberships, how training ended and the loss of every epoch.
pub(crate) struct Trained {
    pub(crate) s: Array2<f32>,
    pub(crate) status: Status,
    pub(crate) losses: Vec<f64>,
}

impl<'a> Training<'a> {
    pub(crate) fn new(params: &'a DeepCutParams, network: Network, random: ChaCha8Rng) -> Self {
        let steps =
            AdamWParams { learning_rate: params.learning_rate as f32, weight_decay: params.weight_decay as f32 };
        let adam = AdamW::new(steps, network.parameters());
        Self { params, network, adam, random }
    }

    /// One step against a gradient that is a function of the memberships; the loss and the memberships before it.
    fn step(
        &mut self,
        x: ArrayView2<'_, f32>,
        loss: impl Fn(ArrayView2<'_, f32>) -> (f64, Array2<f32>),
    ) -> (f64, Array2<f32>) {
        let mask = self.mask(x.nrows());
        let pass = self.network.forward(x, mask.as_ref());
        let (value, gradient) = loss(pass.s.view());
        let gradients = self.network.backward(x, &pass, mask.as_ref(), &gradient);
        self.adam.step(self.network.with_gradients(&gradients));
        (value, pass.s)
    }

    fn mask(&mut self, n: usize) -> Option<Array2<f32>> {
        let keep = 1.0 - self.params.dropout as f32;
        if keep == 1.0 {
            return None;
        }
        let random = &mut self.random;
        let draw = || if random.random::<f32>() < keep { keep.recip() } else { 0.0 };
        Some(Array2::from_shape_simple_fn((n, self.params.hidden[1]), draw))
    }

    /// Cross-entropy toward a partition; its labels beyond the network's clusters are not learned.
    pub(crate) fn learn(&mut self, x: ArrayView2<'_, f32>, start: &Partition, epochs: usize) {
        let share = 1.0 / start.n().max(1) as f32;
        for _ in 0..epochs {
            self.step(x, |s| {
                let mut gradient = Array2::zeros(s.raw_dim());
                for (node, &label) in start.labels().iter().enumerate() {
                    if let Some(&chance) = s.get((node, label as usize)) {
                        gradient[[node, label as usize]] = -share / chance.max(1e-6);
                    }
                }
                (0.0, gradient)
            });
        }
    }

    pub(crate) fn run(mut self, x: ArrayView2<'_, f32>, loss: &Loss, context: &Context) -> Trained {
        let (mut losses, mut last) = (Vec::new(), None);
        let mut status = Status::Converged;
        for epoch in 0..self.params.epochs {
            let (value, s) = self.step(x, |s| loss.of(s));
            losses.push(value);
            last = Some(s);
            context.report("cluster", (epoch + 1) as f64 / self.params.epochs as f64);
            match context.stopped() {
                Stop::No => status = self.status(&losses),
                Stop::Cancelled => status = Status::Cancelled,
                Stop::TimedOut => status = Status::TimedOut,
            }
            if !matches!(status, Status::IterationLimit { .. }) {
                break;
            }
        }
        if self.params.tolerance == 0.0 && matches!(status, Status::IterationLimit { .. }) {
            status = Status::Converged;
        }
        let s = match (self.params.labels, last) {
            (Labels::Training, Some(s)) => s,
            _ => self.network.forward(x, None).s,
        };
        Trained { s, status, losses }
    }

    /// Converged once the mean loss of a window is no longer below that of the one before.
    fn status(&self, losses: &[f64]) -> Status {
        if losses.len() < 2 * WINDOW {
            return Status::IterationLimit { residual: 1.0 };
        }
        let mean = |window: &[f64]| window.iter().sum::<f64>() / WINDOW as f64;
        let now = mean(&losses[losses.len() - WINDOW..]);
        let before = mean(&losses[losses.len() - 2 * WINDOW..losses.len() - WINDOW]);
        let residual = (before - now) / before.abs().max(f64::MIN_POSITIVE);
        match residual < self.params.tolerance && self.params.tolerance > 0.0 {
            true => Status::Converged,
            false => Status::IterationLimit { residual },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deepcut::Objective;
    use crate::network::Layer;
    use crate::operator::Operator;
    use crate::propagate::propagate;
    use rand::SeedableRng;
    use segcut_core::{Affinity, GramAffinity};
    use serde_json::Value;

    fn numbers(value: &Value) -> Vec<f32> {
        value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    }

    fn matrix(value: &Value) -> Array2<f32> {
        let rows: Vec<Vec<f32>> = value.as_array().unwrap().iter().map(numbers).collect();
        Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
    }

    /// The start of the fixture, its features and graph: the losses of every epoch.
    fn losses(fixture: &Value, objective: Objective, run: &Value) -> Vec<f64> {
        let f = matrix(&fixture["features"]);
        let largest = f.rows().into_iter().map(|row| row.dot(&row)).fold(0.0, f32::max);
        let (factors, shift) = match objective {
            Objective::Ncut => (&f / largest.sqrt(), 0.0),
            Objective::Correlation => (f.clone(), -f64::from(largest) / fixture["alpha"].as_f64().unwrap()),
        };
        let clip = objective == Objective::Ncut;
        let affinity = Affinity::Gram(GramAffinity { factors, clip, shift: 0.0, diagonal: None });
        let layers = [0, 1, 2].map(|at| {
            let layer = &run["start"][at];
            Layer { matrix: matrix(&layer["matrix"]), bias: numbers(&layer["bias"]).into() }
        });
        let params = DeepCutParams {
            epochs: run["losses"].as_array().unwrap().len(),
            learning_rate: 1e-3,
            tolerance: 0.0,
            ..DeepCutParams::default()
        };
        let training = Training::new(&params, Network { layers }, ChaCha8Rng::seed_from_u64(0));
        let x = propagate(&affinity, shift, f.view());
        let loss = Loss::new(objective, Operator::new(&affinity, shift), f.nrows());
        training.run(x.view(), &loss, &Context::default()).losses
    }

    #[test]
    fn losses_per_epoch_are_those_of_pytorch() {
        let text = include_str!("../../../tests/oracle/pytorch_deepcut/losses.json");
        let fixture: Value = serde_json::from_str(text).unwrap();
        for (name, objective) in [("ncut", Objective::Ncut), ("correlation", Objective::Correlation)] {
            let found = losses(&fixture, objective, &fixture[name]);
            let wanted = numbers(&fixture[name]["losses"]);
            assert_eq!(found.len(), wanted.len());
            for (epoch, (a, &b)) in found.iter().zip(&wanted).enumerate() {
                let b = f64::from(b);
                assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{name} epoch {epoch}: {a} {b}");
            }
        }
    }
}
