//! Batches → steps, epoch by epoch.

use super::augmentation::AugmentationParams;
use super::batches::Batch;
use super::error::SpectralNetError;
use super::loss::{Apart, Moments, spectral_loss, through};
use super::network::{Edges, Network};
use super::params::{Orthogonality, Schedule, SpectralNetParams};
use super::plateau::{Plateau, PlateauRule};
use super::sampler::Sampler;
use super::state;
use crate::adamw::{AdamW, AdamWParams};
use ndarray::{Array2, ArrayView2};
use rand_chacha::ChaCha8Rng;
use segcut_core::{Checkpoint, Context, StageError, Status, Stop};

/// A network while it is trained.
pub(crate) struct Training<'a> {
    pub(crate) params: &'a SpectralNetParams,
    pub(crate) network: Network,
    pub(crate) adam: AdamW,
    /// Epochs in all.
    pub(crate) epochs: usize,
    /// Mean loss of every epoch done.
    pub(crate) losses: Vec<f64>,
    /// Learning rate to begin with.
    pub(crate) first: f64,
    /// Learning rate, lowest validation loss, and the epochs since.
    pub(crate) plateau: Plateau,
    /// Least number of independent columns in a batch of the last epoch.
    pub(crate) rank: usize,
}

impl<'a> Training<'a> {
    pub(crate) fn new(params: &'a SpectralNetParams, network: Network, epochs: usize) -> Self {
        let first = params.first_rate(&network.head.sizes());
        let steps = AdamWParams { learning_rate: first as f32, weight_decay: 0.0 };
        let adam = AdamW::new(steps, network.parameters());
        let (plateau, rank) = (Plateau::new(first), params.outputs());
        Self { params, network, adam, epochs, first, losses: Vec::new(), plateau, rank }
    }

    fn apart(&self) -> Apart {
        let SpectralNetParams { orthogonality, penalty, variance, .. } = *self.params;
        Apart { orthogonality, penalty, variance }
    }

    /// One step on a batch; another one, where it is given, sets the orthonormalisation. The loss before it.
    pub(crate) fn step(&mut self, x: ArrayView2<'_, f32>, batch: &Batch, orth: Option<&Moments>) -> f64 {
        let pass = self.network.forward(x, Edges::of(batch));
        let y = pass.last();
        let own = Moments::of(y.view(), batch, self.params.centered);
        let loss = spectral_loss(&own, orth.unwrap_or(&own), self.apart());
        let mut gradient = loss.gradient;
        gradient += &through(y.view(), batch, &own, &own.energy, self.apart());
        let gradients = self.network.backward(x, &pass, gradient);
        self.adam.step(self.network.with_gradients(&gradients));
        self.rank = self.rank.min(loss.rank);
        loss.value
    }

    /// One pass over the training nodes; the mean loss.
    pub(crate) fn epoch(&mut self, sampler: &Sampler<'_>) -> f64 {
        let epoch = self.losses.len();
        let groups = sampler.epoch(epoch);
        let count = groups.len().max(1);
        let mut sum = 0.0;
        self.rank = self.params.outputs();
        let apart = self.params.orthogonality == Orthogonality::Fixed && count > 1;
        let mut random = AugmentationParams::stream(sampler.seed(), epoch);
        for (at, nodes) in groups.iter().enumerate() {
            if self.params.schedule == Schedule::Cosine {
                let done = (epoch as f64 + at as f64 / count as f64) / self.epochs as f64;
                self.plateau.rate = 0.5 * self.first * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos());
            }
            self.adam.set_learning_rate(self.plateau.rate as f32);
            let batch = sampler.batch(nodes.clone());
            let x = self.changed(sampler.rows(&batch.nodes), &mut random);
            let orth = apart.then(|| self.moments(sampler, &sampler.batch(groups[(at + 1) % count].clone())));
            sum += self.step(x.view(), &batch, orth.as_ref());
        }
        sum / count as f64
    }

    fn changed(&self, mut x: Array2<f32>, random: &mut ChaCha8Rng) -> Array2<f32> {
        if let Some(augmentation) = &self.params.augmentation {
            augmentation.change(&mut x, self.params.shape, random);
        }
        x
    }

    fn moments(&self, sampler: &Sampler<'_>, batch: &Batch) -> Moments {
        let pass = self.network.forward(sampler.rows(&batch.nodes).view(), Edges::of(batch));
        Moments::of(pass.last().view(), batch, self.params.centered)
    }

    /// The loss of a batch that is not trained on.
    pub(crate) fn value(&self, sampler: &Sampler<'_>, batch: &Batch) -> f64 {
        let own = self.moments(sampler, batch);
        spectral_loss(&own, &own, self.apart()).value
    }

    /// All epochs that are left. A stop keeps the state and is an error; so is a loss that is no number.
    pub(crate) fn run(
        &mut self,
        sampler: &Sampler<'_>,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Status, StageError> {
        let validation = sampler.validation();
        while self.losses.len() < self.epochs {
            let stop = context.stopped();
            if stop != Stop::No {
                return Err(StageError::Stopped(stop));
            }
            let loss = self.epoch(sampler);
            self.losses.push(loss);
            let epoch = self.losses.len();
            if !loss.is_finite() {
                return Err(StageError::data(SpectralNetError::Diverged { epoch }));
            }
            let told = validation.as_ref().map(|batch| self.value(sampler, batch));
            checkpoint.keep(&state::write(self)?)?;
            context.report("spectralnet", epoch as f64 / self.epochs as f64);
            context.detail(|| {
                let validation = told.map(|v| format!(", validation {v:.6}")).unwrap_or_default();
                let rank = format!("{} of {} columns independent", self.rank, self.params.outputs());
                format!("epoch {epoch} of {}: loss {loss:.6}{validation}, {rank}", self.epochs)
            });
            if self.params.schedule == Schedule::Plateau && self.plateau.ends(told.unwrap_or(loss), self.rule()) {
                return Ok(Status::Converged);
            }
        }
        Ok(self.status())
    }

    fn rule(&self) -> PlateauRule {
        let SpectralNetParams { decay, patience, least_rate, .. } = *self.params;
        PlateauRule { decay, patience, least_rate }
    }

    /// A rate that has fallen to 0 is an end by plan; a constant one only where the loss stands still.
    fn status(&self) -> Status {
        match (self.params.schedule, &self.losses[..]) {
            (Schedule::Plateau, [.., before, last]) => Status::IterationLimit { residual: (before - last).abs() },
            _ => Status::Converged,
        }
    }
}
