//! What the networks before SpectralNet share: their parameters, and steps over shuffled batches.

use super::plateau::{Plateau, PlateauRule};
use ndarray::{Array2, ArrayView2, Axis};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, StageError, Stop};
use serde::{Deserialize, Serialize};

/// How a network that comes before SpectralNet is trained: Adam with steps that shrink on a plateau of the validation
/// loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pretraining {
    /// Passes over the data, at most.
    pub epochs: usize,
    /// Rows or pairs per batch.
    pub batch: usize,
    /// First size of steps.
    pub learning_rate: f64,
    /// Factor of the learning rate on a plateau.
    pub decay: f64,
    /// Epochs without a better validation loss that make a plateau.
    pub patience: usize,
    /// Learning rate below which training ends.
    pub least_rate: f64,
    /// Share of the data that decides on plateaus and is not trained on.
    pub validation: f64,
}

impl Default for Pretraining {
    /// As the authors' package trains its autoencoder.
    fn default() -> Self {
        Self {
            epochs: 40,
            batch: 256,
            learning_rate: 1e-3,
            decay: 0.1,
            patience: 10,
            least_rate: 1e-7,
            validation: 0.1,
        }
    }
}

impl Pretraining {
    pub(crate) fn check(&self, hidden: &[usize]) -> Result<(), StageError> {
        let counts = [("training.epochs", self.epochs), ("training.batch", self.batch)];
        let sizes = hidden.iter().map(|&size| ("hidden", size));
        for (name, value) in counts.into_iter().chain(sizes) {
            if value == 0 {
                return Err(StageError::parameter(name, value, "at least 1"));
            }
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(StageError::parameter("training.learning_rate", self.learning_rate, "finite and above 0"));
        }
        if !(self.decay > 0.0 && self.decay < 1.0) {
            return Err(StageError::parameter("training.decay", self.decay, "between 0 and 1"));
        }
        if !(0.0..=0.5).contains(&self.validation) {
            return Err(StageError::parameter("training.validation", self.validation, "from 0 to 0.5"));
        }
        Ok(())
    }

    /// Epochs over `count` things: `step` trains on some of them at a rate, `value` tells their loss. Returns the last
    /// validation loss (training loss, without a validation part).
    pub(crate) fn run<N>(
        &self,
        network: &mut N,
        count: usize,
        steps: &Steps<'_, N>,
        random: &mut ChaCha8Rng,
        context: &Context,
    ) -> Result<f64, StageError> {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(random);
        let held = order.split_off(count - (self.validation * count as f64) as usize);
        let rule = PlateauRule { decay: self.decay, patience: self.patience, least_rate: self.least_rate };
        let mut plateau = Plateau::new(self.learning_rate);
        let mut last = f64::INFINITY;
        for epoch in 0..self.epochs {
            let stop = context.stopped();
            if stop != Stop::No {
                return Err(StageError::Stopped(stop));
            }
            order.shuffle(random);
            let batches = order.chunks(self.batch);
            let parts = batches.len().max(1) as f64;
            let sum: f64 = batches.map(|batch| (steps.step)(network, batch, plateau.rate)).sum();
            last = if held.is_empty() { sum / parts } else { (steps.value)(network, &held) };
            context.report(steps.name, (epoch + 1) as f64 / self.epochs as f64);
            context.detail(|| format!("{}, epoch {} of {}: loss {last:.6}", steps.name, epoch + 1, self.epochs));
            if !last.is_finite() || plateau.ends(last, rule) {
                break;
            }
        }
        Ok(last)
    }
}

/// What is done with the numbers of some rows or pairs; both give their mean loss.
pub(crate) struct Steps<'a, N> {
    pub(crate) name: &'static str,
    pub(crate) step: &'a dyn Fn(&mut N, &[usize], f64) -> f64,
    pub(crate) value: &'a dyn Fn(&N, &[usize]) -> f64,
}

/// Some rows of a matrix.
pub(crate) fn rows(x: ArrayView2<'_, f32>, at: &[usize]) -> Array2<f32> {
    x.select(Axis(0), at)
}
