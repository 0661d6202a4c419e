//! Clusters on signed edges → better ones, by moves between two clusters, joins and splits.

use crate::neighbors::Neighbors;
use segcut_core::{Context, Partition, Stop};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Moves after the best state at which a sequence ends.
const PATIENCE: usize = 300;
/// Gains below this share of the largest weight are rounding.
const EPSILON: f64 = 1e-12;

/// Kernighan & Lin with joins: labels → labels with at least the same weight inside clusters.
///
/// Keuper et al. (ICCV 2015), algorithm 2: for each pair of neighboring clusters the best of a sequence of single
/// moves between them and of joining them, and for each cluster the best sequence of moves into a new one, until
/// a round changes nothing, at most `rounds`. Differs: only clusters that changed in the round before are
/// tried again, and a sequence ends 300 moves after its best state.
///
/// Returns the labels and whether the last round changed nothing.
///
/// # Cost
/// A round is O(m·log n) for each of a node's cluster's neighbors.
pub(crate) fn kernighan_lin(
    graph: &Neighbors,
    start: &Partition,
    rounds: usize,
    context: &Context,
) -> (Vec<u32>, bool) {
    let mut state = State::new(graph, start);
    for _ in 0..rounds {
        let before = std::mem::take(&mut state.changed);
        for [a, b] in state.neighboring(&before) {
            if context.stopped() != Stop::No {
                return (state.finish(), false);
            }
            state.improve(a, b);
        }
        for cluster in 0..state.members.len() as u32 {
            if before.contains(&cluster) || state.changed.contains(&cluster) {
                state.split(cluster);
            }
        }
        if state.changed.is_empty() {
            return (state.finish(), true);
        }
    }
    (state.finish(), false)
}

struct State<'a> {
    graph: &'a Neighbors,
    label: Vec<u32>,
    members: Vec<Vec<u32>>,
    /// Clusters whose members changed in this round.
    changed: BTreeSet<u32>,
    smallest_gain: f64,
    /// Per node: weight to the other cluster minus weight to its own, while a sequence runs.
    gain: Vec<f64>,
    moved: Vec<bool>,
}

impl<'a> State<'a> {
    fn new(graph: &'a Neighbors, start: &Partition) -> Self {
        let label = start.labels().to_vec();
        let mut members = vec![Vec::new(); start.k()];
        (0..).zip(&label).for_each(|(node, &cluster)| members[cluster as usize].push(node));
        let largest = (0..graph.n()).flat_map(|node| graph.row(node)).map(|(_, w)| w.abs()).fold(0.0, f64::max);
        let changed = (0..start.k() as u32).collect();
        let n = graph.n();
        let (gain, moved) = (vec![0.0; n], vec![false; n]);
        Self { graph, label, members, changed, smallest_gain: EPSILON * largest, gain, moved }
    }

    fn finish(self) -> Vec<u32> {
        self.label
    }

    /// Pairs of clusters with an edge between them of which one is in `clusters`.
    fn neighboring(&self, clusters: &BTreeSet<u32>) -> Vec<[u32; 2]> {
        let mut pairs = Vec::new();
        for &cluster in clusters {
            for &node in &self.members[cluster as usize] {
                let others = self.graph.row(node as usize).map(|(other, _)| self.label[other as usize]);
                pairs.extend(others.filter(|&o| o != cluster).map(|o| [o.min(cluster), o.max(cluster)]));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The better of joining two clusters and of moving nodes between them, where it gains.
    fn improve(&mut self, a: u32, b: u32) {
        if self.members[a as usize].is_empty() || self.members[b as usize].is_empty() {
            return;
        }
        let (between, candidates) = self.measure(a, b);
        let (order, kept, gain) = self.sequence([a, b], candidates);
        if between > gain && between > self.smallest_gain {
            self.undo(&order, [a, b]);
            let gone = std::mem::take(&mut self.members[b as usize]);
            gone.iter().for_each(|&node| self.label[node as usize] = a);
            self.members[a as usize].extend(gone);
            self.changed.extend([a, b]);
            return;
        }
        let kept = if gain > self.smallest_gain { kept } else { 0 };
        self.undo(&order[kept..], [a, b]);
        self.settle([a, b], &order[..kept]);
    }

    /// Moves some nodes of a cluster into a new one, where it gains.
    fn split(&mut self, cluster: u32) {
        if self.members[cluster as usize].len() < 2 {
            return;
        }
        let new = self.members.len() as u32;
        self.members.push(Vec::new());
        self.measure(cluster, new);
        let candidates = self.members[cluster as usize].clone();
        let (order, kept, gain) = self.sequence([cluster, new], candidates);
        let gains = gain > self.smallest_gain && kept < self.members[cluster as usize].len();
        let kept = if gains { kept } else { 0 };
        self.undo(&order[kept..], [cluster, new]);
        self.settle([cluster, new], &order[..kept]);
        if !gains {
            self.members.pop();
        }
    }

    /// Gains of the members of two clusters, the weight between them and the nodes on their border.
    fn measure(&mut self, a: u32, b: u32) -> (f64, Vec<u32>) {
        let (mut between, mut border) = (0.0, Vec::new());
        for &node in self.members[a as usize].iter().chain(&self.members[b as usize]) {
            let own = self.label[node as usize];
            let other = if own == a { b } else { a };
            let (mut inside, mut across, mut touches) = (0.0, 0.0, false);
            for (neighbor, weight) in self.graph.row(node as usize) {
                let label = self.label[neighbor as usize];
                inside += if label == own { weight } else { 0.0 };
                across += if label == other { weight } else { 0.0 };
                touches |= label == other;
            }
            self.gain[node as usize] = across - inside;
            between += if own == a { across } else { 0.0 };
            if touches {
                border.push(node);
            }
        }
        (between, border)
    }

    /// Moves nodes between two clusters, best gain first, each once: the order, how many of them make the best
    /// state, and its gain.
    fn sequence(&mut self, pair: [u32; 2], candidates: Vec<u32>) -> (Vec<u32>, usize, f64) {
        let entry = |gain: f64, node: u32| (Gain(gain), Reverse(node));
        let mut heap: BinaryHeap<_> = candidates.into_iter().map(|v| entry(self.gain[v as usize], v)).collect();
        let (mut order, mut best, mut total) = (Vec::new(), (0, 0.0), 0.0);
        while let Some((Gain(gain), Reverse(node))) = heap.pop() {
            if self.moved[node as usize] || gain != self.gain[node as usize] {
                continue;
            }
            self.moved[node as usize] = true;
            order.push(node);
            total += gain;
            let from = self.label[node as usize];
            self.label[node as usize] = if from == pair[0] { pair[1] } else { pair[0] };
            for (neighbor, weight) in self.graph.row(node as usize) {
                let label = self.label[neighbor as usize];
                if self.moved[neighbor as usize] || !pair.contains(&label) {
                    continue;
                }
                let gain = &mut self.gain[neighbor as usize];
                *gain += if label == from { 2.0 * weight } else { -2.0 * weight };
                heap.push(entry(*gain, neighbor));
            }
            if total > best.1 {
                best = (order.len(), total);
            }
            if order.len() > best.0 + PATIENCE {
                break;
            }
        }
        order.iter().for_each(|&node| self.moved[node as usize] = false);
        (order, best.0, best.1)
    }

    fn undo(&mut self, nodes: &[u32], [a, b]: [u32; 2]) {
        for &node in nodes {
            let label = &mut self.label[node as usize];
            *label = if *label == a { b } else { a };
        }
    }

    /// Member lists after moves.
    fn settle(&mut self, [a, b]: [u32; 2], moved: &[u32]) {
        if moved.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.members[a as usize]);
        all.append(&mut self.members[b as usize]);
        for node in all {
            self.members[self.label[node as usize] as usize].push(node);
        }
        self.changed.extend([a, b]);
    }
}

/// A gain, ordered.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Gain(f64);

impl Eq for Gain {}

impl PartialOrd for Gain {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Gain {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge_contraction;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn inside(edges: &[[u32; 2]], weights: &[f64], labels: &[u32]) -> f64 {
        let pairs = edges.iter().zip(weights).filter(|(e, _)| labels[e[0] as usize] == labels[e[1] as usize]);
        pairs.map(|(_, w)| w).sum()
    }

    /// The largest weight inside over all partitions of n nodes.
    fn optimum(n: usize, edges: &[[u32; 2]], weights: &[f64]) -> f64 {
        fn extend(labels: &mut Vec<u32>, k: u32, n: usize, best: &mut dyn FnMut(&[u32])) {
            if labels.len() == n {
                return best(labels);
            }
            for label in 0..=k {
                labels.push(label);
                extend(labels, k.max(label + 1), n, best);
                labels.pop();
            }
        }
        let mut best = f64::NEG_INFINITY;
        extend(&mut Vec::new(), 0, n, &mut |labels| best = best.max(inside(edges, weights, labels)));
        best
    }

    fn run(n: usize, edges: &[[u32; 2]], weights: &[f64]) -> (f64, f64) {
        let start = edge_contraction(n, edges, weights, None);
        let graph = Neighbors::new(n, edges, weights);
        let (found, _) = kernighan_lin(&graph, &Partition::compact(&start), 50, &Context::default());
        (inside(edges, weights, &start), inside(edges, weights, &found))
    }

    fn complete(n: u32) -> Vec<[u32; 2]> {
        (0..n).flat_map(|u| (u + 1..n).map(move |v| [u, v])).collect()
    }

    proptest! {
        #[test]
        fn moves_never_lose_and_the_optimum_bounds(weights in proptest::collection::vec(-1.0f64..1.0, 21)) {
            let (greedy, moved) = run(7, &complete(7), &weights);
            let best = optimum(7, &complete(7), &weights);
            prop_assert!(moved >= greedy - 1e-12 && moved <= best + 1e-12);
        }
    }

    #[test]
    fn moves_come_near_the_optimum_of_random_signs() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut sums = [0.0; 3];
        for _ in 0..60 {
            let weights: Vec<f64> = (0..21).map(|_| random.random::<f64>() - 0.5).collect();
            let (greedy, moved) = run(7, &complete(7), &weights);
            let best = optimum(7, &complete(7), &weights);
            sums.iter_mut().zip([greedy, moved, best]).for_each(|(sum, value)| *sum += value);
        }
        assert!(sums[0] < sums[1] && sums[1] > 0.98 * sums[2], "{sums:?}");
    }

    #[test]
    fn a_planted_partition_is_found_from_any_start() {
        let truth = [0u32, 1, 0, 2, 1, 0, 2, 2];
        let edges = complete(8);
        let same = |e: &[u32; 2]| truth[e[0] as usize] == truth[e[1] as usize];
        let weights: Vec<f64> = edges.iter().map(|e| if same(e) { 1.0 } else { -0.5 }).collect();
        let graph = Neighbors::new(8, &edges, &weights);
        for start in [Partition::whole(8), Partition::singletons(8), Partition::compact(&[0, 0, 0, 0, 1, 1, 1, 1])] {
            let (found, done) = kernighan_lin(&graph, &start, 50, &Context::default());
            assert_eq!((Partition::compact(&found), done), (Partition::compact(&truth), true));
        }
    }
}
