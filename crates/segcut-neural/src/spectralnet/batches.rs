//! A graph → mini-batches of nodes that are neighbours.

use ndarray::Array1;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use segcut_core::SparseAffinity;

/// Some nodes with the edges between them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Batch {
    /// Their numbers in the whole graph.
    pub(crate) nodes: Vec<u32>,
    /// Places in `nodes`, and the weight.
    pub(crate) edges: Vec<(u32, u32, f32)>,
    /// What a node counts in orthonormality: its degree, or 1.
    pub(crate) mass: Array1<f32>,
}

/// A graph in rows, with the mass of its nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Neighborhoods {
    starts: Vec<usize>,
    ends: Vec<u32>,
    weights: Vec<f32>,
    mass: Vec<f32>,
    total: f64,
}

impl Neighborhoods {
    /// Both directions of every positive edge; negative and zero weights join nothing. Of graphs one after the other,
    /// the nodes are numbered on.
    pub(crate) fn new(graphs: &[SparseAffinity], normalized: bool) -> Self {
        let n = graphs.iter().map(SparseAffinity::n).sum();
        let mut edges = Vec::new();
        let mut first = 0;
        for graph in graphs {
            let kept = graph.edges().iter().zip(graph.weights()).filter(|&(_, &w)| w > 0.0);
            edges.extend(kept.map(|(&[u, v], &w)| (first + u, first + v, w as f32)));
            first += graph.n() as u32;
        }
        let mut starts = vec![0; n + 1];
        for &(u, v, _) in &edges {
            starts[u as usize + 1] += 1;
            starts[v as usize + 1] += 1;
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let (mut ends, mut weights, mut next) = (vec![0; 2 * edges.len()], vec![0.0; 2 * edges.len()], starts.clone());
        for &(u, v, w) in &edges {
            for (from, to) in [(u, v), (v, u)] {
                let at = &mut next[from as usize];
                (ends[*at], weights[*at]) = (to, w);
                *at += 1;
            }
        }
        let degree = |i: usize| weights[starts[i]..starts[i + 1]].iter().sum::<f32>();
        let mut mass: Vec<f32> = (0..n).map(|i| if normalized { degree(i) } else { 1.0 }).collect();
        // A node without edges would be left out of every mean.
        let mean = mass.iter().sum::<f32>() / n.max(1) as f32;
        let least = if mean > 0.0 { 1e-3 * mean } else { 1.0 };
        mass.iter_mut().for_each(|m| *m = m.max(least));
        let total = edges.iter().map(|&(_, _, w)| f64::from(w)).sum();
        Self { starts, ends, weights, mass, total }
    }

    pub(crate) fn n(&self) -> usize {
        self.mass.len()
    }

    fn row(&self, node: u32) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = self.starts[node as usize]..self.starts[node as usize + 1];
        self.ends[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }

    /// Every node of `free` once, in stars of a node and up to `reach` of its neighbours that are not taken yet, so
    /// that groups of about `size` nodes hold many edges. A small rest is left out: it has too few nodes to be made
    /// orthonormal.
    pub(crate) fn stars(&self, free: &[u32], size: usize, reach: usize, random: &mut ChaCha8Rng) -> Vec<Vec<u32>> {
        if free.len() <= size {
            return vec![free.to_vec()];
        }
        let size = free.len().div_ceil(free.len().div_ceil(size));
        let mut order = free.to_vec();
        order.shuffle(random);
        let mut taken = vec![true; self.n()];
        free.iter().for_each(|&u| taken[u as usize] = false);
        let (mut groups, mut nodes) = (Vec::new(), Vec::with_capacity(size + reach));
        for seed in order {
            if std::mem::replace(&mut taken[seed as usize], true) {
                continue;
            }
            nodes.push(seed);
            self.star(seed, reach, &mut taken, &mut nodes, random);
            if nodes.len() >= size {
                groups.push(std::mem::take(&mut nodes));
            }
        }
        if nodes.len() >= size / 2 {
            groups.push(nodes);
        }
        groups
    }

    fn star(&self, seed: u32, reach: usize, taken: &mut [bool], nodes: &mut Vec<u32>, random: &mut ChaCha8Rng) {
        let range = self.starts[seed as usize]..self.starts[seed as usize + 1];
        let ends = &self.ends[range];
        if ends.is_empty() {
            return;
        }
        let first = random.random_range(0..ends.len());
        let around = ends[first..].iter().chain(&ends[..first]);
        let free: Vec<u32> = around.copied().filter(|&v| !taken[v as usize]).take(reach).collect();
        for v in free {
            taken[v as usize] = true;
            nodes.push(v);
        }
    }

    /// These nodes and the edges between them, scaled to as much weight as falls to so many nodes.
    pub(crate) fn batch(&self, mut nodes: Vec<u32>) -> Batch {
        nodes.sort_unstable();
        let mut edges = Vec::new();
        for (place, &u) in (0u32..).zip(&nodes) {
            for (v, weight) in self.row(u).filter(|&(v, _)| v > u) {
                if let Ok(at) = nodes.binary_search(&v) {
                    edges.push((place, at as u32, weight));
                }
            }
        }
        let inside: f64 = edges.iter().map(|e| f64::from(e.2)).sum();
        let share = nodes.len() as f64 / self.n().max(1) as f64;
        let scale = if inside > 0.0 { (self.total * share / inside) as f32 } else { 1.0 };
        edges.iter_mut().for_each(|edge| edge.2 *= scale);
        let mass = nodes.iter().map(|&u| self.mass[u as usize]).collect();
        Batch { nodes, edges, mass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn ring(n: u32) -> SparseAffinity {
        let mut edges: Vec<[u32; 2]> = (0..n - 1).map(|i| [i, i + 1]).collect();
        edges.insert(1, [0, n - 1]);
        SparseAffinity::new(n as usize, edges, vec![2.0; n as usize]).unwrap()
    }

    #[test]
    fn an_epoch_has_every_node_once_and_mostly_with_a_neighbor() {
        let graph = Neighborhoods::new(&[ring(60), ring(40)], true);
        let free: Vec<u32> = (0..100).collect();
        let groups = graph.stars(&free, 25, 4, &mut ChaCha8Rng::seed_from_u64(1));
        let batches: Vec<Batch> = groups.into_iter().map(|nodes| graph.batch(nodes)).collect();
        let mut all: Vec<u32> = batches.iter().flat_map(|b| b.nodes.clone()).collect();
        all.sort_unstable();
        assert!(all.len() > 80 && all.windows(2).all(|pair| pair[0] < pair[1]));
        let edges: usize = batches.iter().map(|b| b.edges.len()).sum();
        assert!(edges > 40, "{edges}");
        assert!(batches.iter().all(|b| b.mass.iter().all(|&m| m == 4.0)));
        let weight: f64 = batches[0].edges.iter().map(|e| f64::from(e.2)).sum();
        assert!((weight - 2.0 * batches[0].nodes.len() as f64).abs() < 1e-3, "{weight}");
    }

    #[test]
    fn a_small_graph_is_one_exact_batch() {
        let graph = Neighborhoods::new(&[ring(10)], false);
        let free: Vec<u32> = (0..10).collect();
        let mut groups = graph.stars(&free, 16, 4, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(groups.len(), 1);
        let batch = graph.batch(groups.remove(0));
        assert_eq!((batch.edges.len(), batch.edges[0].2), (10, 2.0));
        assert!(batch.mass.iter().all(|&m| m == 1.0));
    }
}
