//! Gradients and steps over a whole graph, or over mini-batches of it.

use super::encoder::{Encoder, Ground, Pass};
use super::links::Links;
use super::objective::{Goal, softmax};
use super::params::{CommunityLoss, CommunityParams};
use super::sampling::batches;
use crate::adamw::{AdamW, AdamWParams};
use ndarray::{Array2, ArrayView2, Axis};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, Status, Stop};

/// Epochs over which the loss is averaged to decide whether it still falls.
const WINDOW: usize = 10;

/// How many times training tells its loss.
const TOLD: usize = 20;

/// A graph with the rows that the network reads, which are also what its communities are to explain.
#[derive(Debug)]
pub(crate) struct Sample {
    ground: Ground,
    rows: Array2<f32>,
}

impl Sample {
    pub(crate) fn new(encoder: &Encoder, links: Links, rows: Array2<f32>) -> Self {
        Self { ground: Ground::new(encoder.kind(), links), rows }
    }

    /// Outputs without dropout.
    pub(crate) fn outputs(&self, encoder: &Encoder) -> Pass {
        encoder.forward(&self.ground, self.rows.view(), &[])
    }

    pub(crate) fn links(&self) -> &Links {
        &self.ground.links
    }

    pub(crate) fn rows(&self) -> ArrayView2<'_, f32> {
        self.rows.view()
    }

    fn of(&self, encoder: &Encoder, nodes: &[u32], place: &mut [u32]) -> Self {
        let chosen: Vec<usize> = nodes.iter().map(|&node| node as usize).collect();
        Self::new(encoder, self.ground.links.induced(nodes, place), self.rows.select(Axis(0), &chosen))
    }
}

/// How training ended and the loss of every epoch.
#[derive(Debug)]
pub(crate) struct Trained {
    pub(crate) encoder: Encoder,
    pub(crate) status: Status,
    pub(crate) losses: Vec<f64>,
}

/// One network while it is trained.
pub(crate) struct Training<'a> {
    params: &'a CommunityParams,
    encoder: Encoder,
    adam: AdamW,
    random: ChaCha8Rng,
}

impl<'a> Training<'a> {
    pub(crate) fn new(params: &'a CommunityParams, encoder: Encoder, random: ChaCha8Rng) -> Self {
        let steps = AdamWParams { learning_rate: params.learning_rate as f32, weight_decay: 0.0 };
        let adam = AdamW::new(steps, encoder.parameters());
        Self { params, encoder, adam, random }
    }

    /// Cross-entropy toward labels, `warm_up` steps.
    pub(crate) fn learn(&mut self, sample: &Sample, labels: &[u32]) {
        let share = 1.0 / labels.len().max(1) as f32;
        for _ in 0..self.params.warm_up {
            self.step(sample, |out| {
                let mut gradient = softmax(out.clone());
                gradient.rows_mut().into_iter().zip(labels).for_each(|(mut row, &label)| row[label as usize] -= 1.0);
                (0.0, gradient * share)
            });
        }
    }

    /// One step against a gradient that is a function of the outputs; the loss before it.
    fn step(&mut self, sample: &Sample, loss: impl Fn(&Array2<f32>) -> (f64, Array2<f32>)) -> f64 {
        let masks = self.masks(sample.rows.nrows());
        let pass = self.encoder.forward(&sample.ground, sample.rows.view(), &masks);
        let (value, gradient) = loss(&pass.out);
        let gradients = self.encoder.backward(&sample.ground, sample.rows.view(), &pass, &masks, gradient);
        self.adam.step(self.encoder.with_gradients(&gradients));
        value
    }

    fn masks(&mut self, n: usize) -> Vec<Array2<f32>> {
        let keep = 1.0 - self.params.dropout as f32;
        if keep == 1.0 {
            return Vec::new();
        }
        let random = &mut self.random;
        let mut draw = || if random.random::<f32>() < keep { keep.recip() } else { 0.0 };
        self.encoder.hidden_sizes().map(|size| Array2::from_shape_simple_fn((n, size), &mut draw)).collect()
    }

    pub(crate) fn run(mut self, sample: &Sample, context: &Context) -> Trained {
        let (epochs, mut losses) = (self.params.epochs, Vec::new());
        let mut status = Status::Converged;
        let mut place = vec![u32::MAX; sample.rows.nrows()];
        for epoch in 0..epochs {
            losses.push(self.epoch(sample, &mut place));
            context.report("training", (epoch + 1) as f64 / epochs as f64);
            if epoch % (epochs / TOLD).max(1) == 0 || epoch + 1 == epochs {
                context.detail(|| format!("epoch {}: loss {:.5}", epoch + 1, losses[epoch]));
            }
            status = match context.stopped() {
                Stop::No => self.status(&losses),
                Stop::Cancelled => Status::Cancelled,
                Stop::TimedOut => Status::TimedOut,
            };
            if !matches!(status, Status::IterationLimit { .. }) {
                break;
            }
        }
        if self.params.tolerance == 0.0 && matches!(status, Status::IterationLimit { .. }) {
            status = Status::Converged;
        }
        Trained { encoder: self.encoder, status, losses }
    }

    /// A step on the whole graph, or one on each mini-batch; the mean loss.
    fn epoch(&mut self, sample: &Sample, place: &mut [u32]) -> f64 {
        if sample.rows.nrows() <= self.params.whole_up_to {
            return self.pull(sample);
        }
        let batches = batches(&sample.ground.links, self.params.batch, self.params.neighbors, &mut self.random);
        let share = 1.0 / batches.len() as f64;
        let mut mean = 0.0;
        for nodes in batches {
            let some = sample.of(&self.encoder, &nodes, place);
            mean += share * self.pull(&some);
        }
        mean
    }

    fn pull(&mut self, sample: &Sample) -> f64 {
        let explain = self.params.loss != CommunityLoss::Edge;
        let goal = Goal {
            kind: self.params.loss,
            links: &sample.ground.links,
            rows: sample.rows.view(),
            collapse: self.params.collapse,
            reconstruction: if explain { self.params.reconstruction } else { 0.0 },
        };
        self.step(sample, |out| goal.of(out))
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
