//! Gradients and steps over a whole graph, or over mini-batches of it.

use super::encoder::{Encoder, Ground, Pass};
use super::links::Links;
use super::modularity_moves::modularity;
use super::objective::{Goal, Terms, softmax};
use super::params::{CommunityLoss, CommunityParams};
use super::sampling::batches;
use super::state;
use super::streams::{Stream, stream};
use crate::adamw::{AdamW, AdamWParams};
use ndarray::{Array2, ArrayView2, Axis};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use segcut_core::{Checkpoint, Context, StageError, Status, Stop};

/// Epochs on the whole graph, or steps on mini-batches, from one look at the score to the next.
const WINDOW: usize = 10;

/// What the score may rise by where training is not to end early, and still counts as settled.
const SETTLED: f64 = 1e-3;

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

/// One network while it is trained.
pub(crate) struct Training<'a> {
    pub(super) params: &'a CommunityParams,
    pub(super) encoder: Encoder,
    pub(super) adam: AdamW,
    /// The loss of every epoch.
    pub(super) losses: Vec<f64>,
    /// The score before training and after every window.
    pub(super) scores: Vec<f64>,
    seed: u64,
    random: ChaCha8Rng,
}

impl<'a> Training<'a> {
    pub(crate) fn new(params: &'a CommunityParams, encoder: Encoder, seed: u64) -> Self {
        let steps = AdamWParams { learning_rate: params.learning_rate as f32, weight_decay: 0.0 };
        let adam = AdamW::new(steps, encoder.parameters());
        let random = stream(seed, Stream::WarmUp);
        Self { params, encoder, adam, losses: Vec::new(), scores: Vec::new(), seed, random }
    }

    /// Cross-entropy toward labels, `warm_up` steps.
    pub(crate) fn learn(&mut self, sample: &Sample, labels: &[u32], context: &Context) {
        let share = 1.0 / labels.len().max(1) as f32;
        for _ in 0..self.params.warm_up {
            if context.stopped() != Stop::No {
                return;
            }
            self.step(sample, |out| {
                let mut gradient = softmax(out.clone());
                gradient.rows_mut().into_iter().zip(labels).for_each(|(mut row, &label)| row[label as usize] -= 1.0);
                ((), gradient * share)
            });
        }
    }

    /// Epochs until the score has settled, the bound is reached or the caller stops it; the state is kept after every
    /// window and when stopped.
    pub(crate) fn run(
        &mut self,
        sample: &Sample,
        k: usize,
        checkpoint: &mut dyn Checkpoint,
        context: &Context,
    ) -> Result<Status, StageError> {
        let (epochs, window) = (self.params.epochs, self.window(sample));
        let mut place = vec![u32::MAX; sample.rows.nrows()];
        if self.scores.is_empty() {
            self.scores.push(self.score(sample, k));
        }
        while self.losses.len() < epochs && !(self.params.tolerance > 0.0 && self.settled()) {
            let epoch = self.losses.len();
            if let Some(stopped) = context.ended() {
                if epoch > 0 {
                    checkpoint.keep(&state::write(self, k)?)?;
                }
                return Ok(stopped);
            }
            self.random = stream(self.seed, Stream::Epoch(epoch as u64));
            let terms = self.epoch(sample, &mut place);
            self.losses.push(terms.loss);
            if (epoch + 1).is_multiple_of(window) {
                self.scores.push(self.score(sample, k));
                checkpoint.keep(&state::write(self, k)?)?;
            }
            context.report("training", (epoch + 1) as f64 / epochs as f64);
            if epoch.is_multiple_of((epochs / TOLD).max(1)) || epoch + 1 == epochs {
                let Terms { loss, uneven, short } = terms;
                let at = epoch + 1;
                context.detail(|| {
                    format!("epoch {at}: loss {loss:.5}, against collapse {uneven:.5}, variance {short:.5}")
                });
            }
        }
        Ok(if epochs == 0 || self.settled() {
            Status::Converged
        } else {
            Status::IterationLimit { residual: self.rises().next().unwrap_or(1.0).max(0.0) }
        })
    }

    /// Modularity of the labels; less the mean loss of the last window, where the outputs are no memberships.
    fn score(&self, sample: &Sample, k: usize) -> f64 {
        if self.params.loss == CommunityLoss::Edge {
            let last = &self.losses[self.losses.len().saturating_sub(self.window(sample))..];
            return if last.is_empty() { f64::MIN } else { -last.iter().sum::<f64>() / last.len() as f64 };
        }
        let out = sample.outputs(&self.encoder).out;
        modularity(sample.links(), &largest(out.view()), k)
    }

    /// What the score has gained from look to look, the last first; a share of it for the edge loss.
    fn rises(&self) -> impl Iterator<Item = f64> + '_ {
        let share = self.params.loss == CommunityLoss::Edge;
        self.scores.windows(2).rev().map(move |pair| {
            let scale = if share { pair[0].abs().max(f64::MIN_POSITIVE) } else { 1.0 };
            (pair[1] - pair[0]) / scale
        })
    }

    /// Whether the last two looks found nearly nothing gained.
    fn settled(&self) -> bool {
        let tolerance = if self.params.tolerance > 0.0 { self.params.tolerance } else { SETTLED };
        self.scores.len() > 2 && self.rises().take(2).all(|rise| rise <= tolerance)
    }

    /// Epochs from one look at the score to the next.
    fn window(&self, sample: &Sample) -> usize {
        let n = sample.rows.nrows();
        if n <= self.params.whole_up_to { WINDOW } else { (WINDOW / n.div_ceil(self.params.batch)).max(1) }
    }

    /// One step against a gradient that is a function of the outputs; what is told of the loss before it.
    fn step<T>(&mut self, sample: &Sample, loss: impl Fn(&Array2<f32>) -> (T, Array2<f32>)) -> T {
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

    /// A step on the whole graph, or one on each mini-batch; the mean of the terms.
    fn epoch(&mut self, sample: &Sample, place: &mut [u32]) -> Terms {
        if sample.rows.nrows() <= self.params.whole_up_to {
            return self.pull(sample);
        }
        let batches = batches(&sample.ground.links, self.params.batch, self.params.neighbors, &mut self.random);
        let share = 1.0 / batches.len() as f64;
        let mut mean = Terms::default();
        for nodes in batches {
            let some = sample.of(&self.encoder, &nodes, place);
            mean.add(share, self.pull(&some));
        }
        mean
    }

    fn pull(&mut self, sample: &Sample) -> Terms {
        let explain = self.params.loss != CommunityLoss::Edge;
        let goal = Goal {
            kind: self.params.loss,
            links: &sample.ground.links,
            rows: sample.rows.view(),
            collapse: self.params.collapse,
            variance: self.params.variance,
            reconstruction: if explain { self.params.reconstruction } else { 0.0 },
        };
        self.step(sample, |out| goal.of(out))
    }
}

/// The place of the largest value of every row; the first among equals.
pub(super) fn largest(rows: ArrayView2<'_, f32>) -> Vec<u32> {
    let most = |row: ndarray::ArrayView1<'_, f32>| {
        let better = |best: (u32, f32), (at, &v): (u32, &f32)| if v > best.1 { (at, v) } else { best };
        (0..).zip(&row).fold((0, f32::NEG_INFINITY), better).0
    };
    rows.rows().into_iter().map(most).collect()
}
