//! The two phases that change clusters: moving nodes fast, and refining.

use super::level::{Level, WeightTo};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Gains below this share of the node's weight are rounding.
const EPSILON: f64 = 1e-12;
/// Randomness of the refinement, in mean weights.
const THETA: f64 = 0.01;

/// A gain below that of the best choice by more than this many θ is never drawn.
const NEVER: f64 = 40.0;

/// Moves nodes to the neighboring cluster (or a new one) with the largest gain until none gains; a node is looked
/// at again when a neighbor has left for another cluster (Traag et al. 2019, algorithm A.2, `MoveNodesFast`).
/// Gain: w(v, C) − rate·m_v·M_C. Labels are below n.
pub(super) fn move_nodes(level: &Level, rate: f64, labels: &mut [u32], random: &mut ChaCha8Rng) {
    let n = level.n();
    let mut clusters = Clusters::new(level, labels);
    let mut queue: VecDeque<u32> = shuffled(n, random).into();
    let mut waits = vec![true; n];
    let mut to = WeightTo::new(n);
    while let Some(node) = queue.pop_front() {
        let v = node as usize;
        waits[v] = false;
        let (own, mass) = (labels[v], level.mass[v]);
        level.graph.row(v).for_each(|(other, weight)| to.add(labels[other as usize], weight));
        let new = clusters.best(&to, rate * mass, mass, own);
        to.clear();
        if new == own {
            continue;
        }
        clusters.shift(mass, own, new);
        labels[v] = new;
        for (other, _) in level.graph.row(v) {
            if labels[other as usize] != new && !std::mem::replace(&mut waits[other as usize], true) {
                queue.push_back(other);
            }
        }
    }
}

/// Masses and sizes of clusters, and those without nodes.
struct Clusters {
    masses: Vec<f64>,
    sizes: Vec<u32>,
    empty: Vec<u32>,
}

impl Clusters {
    fn new(level: &Level, labels: &[u32]) -> Self {
        let n = level.n();
        let mut sizes = vec![0u32; n];
        labels.iter().for_each(|&label| sizes[label as usize] += 1);
        let empty = (0..n as u32).rev().filter(|&c| sizes[c as usize] == 0).collect();
        Self { masses: level.masses(labels, n), sizes, empty }
    }

    /// Where a node of this mass gains most: its own cluster, one that it has weight to, or an empty one.
    fn best(&self, to: &WeightTo, rate: f64, mass: f64, own: u32) -> u32 {
        let stay = to.get(own) - rate * (self.masses[own as usize] - mass);
        let alone = if self.sizes[own as usize] > 1 { self.empty.last().map(|&c| (0.0, c)) } else { None };
        let mut best = (stay + EPSILON * mass, own);
        let others = to.entries().filter(|&(c, _)| c != own);
        let values = others.map(|(c, weight)| (weight - rate * self.masses[c as usize], c));
        for choice in values.chain(alone) {
            if choice.0 > best.0 {
                best = choice;
            }
        }
        best.1
    }

    /// A node of this mass leaves its cluster for another.
    fn shift(&mut self, mass: f64, own: u32, new: u32) {
        self.masses[own as usize] -= mass;
        self.masses[new as usize] += mass;
        self.sizes[own as usize] -= 1;
        self.sizes[new as usize] += 1;
        if self.empty.last() == Some(&new) {
            self.empty.pop();
        }
        if self.sizes[own as usize] == 0 {
            self.empty.push(own);
        }
    }
}

/// Cuts every cluster into well-connected parts: from single nodes, each one that is well connected to its
/// cluster joins, while it is still alone, a well-connected part of it (Traag et al. 2019, algorithm A.2,
/// `MergeNodesSubset`), drawn with probabilities ∝ exp(gain / θ) among gains of at least 0; staying alone gains 0.
/// Returns labels below n.
pub(super) fn refine(level: &Level, rate: f64, labels: &[u32], random: &mut ChaCha8Rng) -> Vec<u32> {
    let n = level.n();
    let cluster_mass = level.masses(labels, n);
    let mut part: Vec<u32> = (0..n as u32).collect();
    let mut mass = level.mass.clone();
    let mut alone = vec![true; n];
    // Weight from a part to the rest of its cluster.
    let mut outward: Vec<f64> = (0..n)
        .map(|v| level.graph.row(v).filter(|&(other, _)| labels[other as usize] == labels[v]).map(|(_, w)| w).sum())
        .collect();
    let well = |outward: f64, mass: f64, cluster: f64| outward >= rate * mass * (cluster - mass);
    let theta = THETA * level.graph.mean_weight();
    let (mut to, mut choices) = (WeightTo::new(n), Vec::new());
    for node in shuffled(n, random) {
        let v = node as usize;
        let cluster = cluster_mass[labels[v] as usize];
        if !alone[v] || !well(outward[v], level.mass[v], cluster) {
            continue;
        }
        let inside = level.graph.row(v).filter(|&(other, _)| labels[other as usize] == labels[v]);
        inside.for_each(|(other, weight)| to.add(part[other as usize], weight));
        choices.clear();
        choices.push((0.0, node, 0.0));
        for (candidate, weight) in to.entries() {
            let c = candidate as usize;
            let gain = weight - rate * level.mass[v] * mass[c];
            if gain >= 0.0 && well(outward[c], mass[c], cluster) {
                choices.push((gain, candidate, weight));
            }
        }
        to.clear();
        if choices.len() == 1 {
            continue;
        }
        let (_, target, weight) = choices[draw(&choices, theta, random)];
        if target == node {
            continue;
        }
        part[v] = target;
        alone[v] = false;
        alone[target as usize] = false;
        mass[target as usize] += level.mass[v];
        outward[target as usize] += outward[v] - 2.0 * weight;
    }
    part
}

/// The place of a choice, drawn ∝ exp(gain / θ).
fn draw(choices: &[(f64, u32, f64)], theta: f64, random: &mut ChaCha8Rng) -> usize {
    let most = choices.iter().map(|c| c.0).fold(0.0, f64::max);
    let chance = |gain: f64| match gain - most {
        0.0 => 1.0,
        less if less < -NEVER * theta => 0.0,
        less => (less / theta).exp(),
    };
    let mut left = random.random::<f64>() * choices.iter().map(|c| chance(c.0)).sum::<f64>();
    for (place, choice) in choices.iter().enumerate() {
        left -= chance(choice.0);
        if left < 0.0 {
            return place;
        }
    }
    choices.len() - 1
}

fn shuffled(n: usize, random: &mut ChaCha8Rng) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.shuffle(random);
    order
}
