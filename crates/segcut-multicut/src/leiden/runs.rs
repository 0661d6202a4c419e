//! A start → the best partition of several runs.

use super::level::{Level, renumber};
use super::moves::{move_nodes, refine};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, Status, Stop};

/// Iterations after which only the best run goes on.
const RACE: usize = 5;

/// A gain below this share of the quality is rounding.
const ROUNDING: f64 = 1e-12;

/// How many runs there are, and how long the best one may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) runs: usize,
    pub(super) iterations: usize,
}

/// Labels numbered from 0, and how the best run ended; only the first run begins from a `start`.
pub(super) fn best_run(
    level: &Level,
    rate: f64,
    bounds: Bounds,
    mut start: Option<Vec<u32>>,
    context: &Context,
) -> (Vec<u32>, Status) {
    let mut best: Option<Run> = None;
    for run in 0..bounds.runs as u64 {
        let start = start.take().unwrap_or_else(|| (0..level.n() as u32).collect());
        let mut run = Run::new(start, context.seed.wrapping_add(run));
        run.advance(level, rate, bounds.iterations.min(RACE), context);
        if best.as_ref().is_none_or(|best| run.value > best.value) {
            best = Some(run);
        }
        if context.stopped() != Stop::No {
            break;
        }
    }
    let Some(mut best) = best else { return (Vec::new(), Status::Converged) };
    best.advance(level, rate, bounds.iterations.saturating_sub(RACE), context);
    let done = if best.done { Status::Converged } else { Status::IterationLimit { residual: best.gain } };
    (best.labels, context.ended().unwrap_or(done))
}

/// Iterations from one start with one sequence of random numbers.
struct Run {
    labels: Vec<u32>,
    value: f64,
    /// What the last iteration gained, as a share of the quality.
    gain: f64,
    /// Whether it gained nothing.
    done: bool,
    random: ChaCha8Rng,
}

impl Run {
    fn new(labels: Vec<u32>, seed: u64) -> Self {
        let (value, random) = (f64::NEG_INFINITY, ChaCha8Rng::seed_from_u64(seed));
        Self { labels, value, gain: 1.0, done: false, random }
    }

    /// Up to so many iterations more, until one gains nothing or the caller stops them.
    fn advance(&mut self, level: &Level, rate: f64, iterations: usize, context: &Context) {
        for _ in 0..iterations {
            if self.done || (self.value.is_finite() && context.stopped() != Stop::No) {
                return;
            }
            let value = iterate(level, rate, &mut self.labels, &mut self.random);
            self.gain =
                if self.value.is_finite() { (value - self.value) / value.abs().max(f64::MIN_POSITIVE) } else { 1.0 };
            self.done = self.gain <= ROUNDING;
            self.value = value;
        }
    }
}

/// Moves, refines and aggregates up to the level where every cluster is one node; the quality of the labels that this
/// leaves, numbered from 0.
fn iterate(level: &Level, rate: f64, labels: &mut Vec<u32>, random: &mut ChaCha8Rng) -> f64 {
    // The node of the current level that holds a node of the graph.
    let mut holder: Vec<u32> = (0..level.n() as u32).collect();
    let (mut top, mut named) = (None::<Level>, std::mem::take(labels));
    loop {
        let current = top.as_ref().unwrap_or(level);
        move_nodes(current, rate, &mut named, random);
        let k = renumber(&mut named, current.n());
        if k == current.n() {
            break;
        }
        let mut parts = refine(current, rate, &named, random);
        let mut made = renumber(&mut parts, current.n());
        if made == current.n() {
            (parts, made) = (named.clone(), k);
        }
        let mut above = vec![0; made];
        parts.iter().zip(&named).for_each(|(&part, &label)| above[part as usize] = label);
        let next = current.aggregate(&parts, made);
        holder.iter_mut().for_each(|node| *node = parts[*node as usize]);
        (top, named) = (Some(next), above);
    }
    *labels = holder.iter().map(|&node| named[node as usize]).collect();
    renumber(labels, level.n());
    top.as_ref().unwrap_or(level).quality(rate, level.graph.total())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbors::Neighbors;

    #[test]
    fn the_quality_is_that_of_the_labels() {
        // Four triangles in a ring.
        let mut edges: Vec<[u32; 2]> =
            (0..4).flat_map(|c| [[0, 1], [0, 2], [1, 2]].map(|e| e.map(|v| v + 3 * c))).collect();
        edges.extend([[2, 3], [5, 6], [8, 9], [0, 11]]);
        edges.sort_unstable();
        let graph = Neighbors::new(12, &edges, &[1.0; 16]);
        let mass: Vec<f64> = (0..12).map(|v| graph.row(v).map(|(_, w)| w).sum()).collect();
        let (level, mut labels) = (Level { graph, mass }, (0..12).collect());
        let found = iterate(&level, 1.0 / 32.0, &mut labels, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(labels, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
        assert!((found - (24.0 - 4.0 * 64.0 / 32.0)).abs() < 1e-9);
    }
}
