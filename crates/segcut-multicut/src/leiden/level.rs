//! A graph whose nodes carry masses, and the graph of its clusters.

use crate::neighbors::Neighbors;

/// One level of aggregation: weights between nodes, and the mass of each (its degree for modularity, the number
/// of nodes it holds for the constant Potts model).
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) graph: Neighbors,
    pub(super) mass: Vec<f64>,
}

impl Level {
    pub(super) fn n(&self) -> usize {
        self.mass.len()
    }

    /// Masses by cluster; labels are below `k`.
    pub(super) fn masses(&self, labels: &[u32], k: usize) -> Vec<f64> {
        let mut masses = vec![0.0; k];
        labels.iter().zip(&self.mass).for_each(|(&label, mass)| masses[label as usize] += mass);
        masses
    }

    /// The graph whose nodes are the clusters; labels are below `k`.
    pub(super) fn aggregate(&self, labels: &[u32], k: usize) -> Self {
        let (starts, members) = grouped(labels, k);
        let mut to = WeightTo::new(k);
        let (mut edges, mut weights) = (Vec::new(), Vec::new());
        for cluster in 0..k as u32 {
            for &node in &members[starts[cluster as usize]..starts[cluster as usize + 1]] {
                let row = self.graph.row(node as usize).map(|(other, weight)| (labels[other as usize], weight));
                row.filter(|&(other, _)| other > cluster).for_each(|(other, weight)| to.add(other, weight));
            }
            to.touched.sort_unstable();
            for (other, weight) in to.entries() {
                edges.push([cluster, other]);
                weights.push(weight);
            }
            to.clear();
        }
        Self { graph: Neighbors::new(k, &edges, &weights), mass: self.masses(labels, k) }
    }
}

/// Nodes in the order of their clusters, and where each cluster starts.
fn grouped(labels: &[u32], k: usize) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0; k + 1];
    labels.iter().for_each(|&label| starts[label as usize + 1] += 1);
    (0..k).for_each(|c| starts[c + 1] += starts[c]);
    let (mut place, mut nodes) = (starts.clone(), vec![0; labels.len()]);
    for (node, &label) in (0..).zip(labels) {
        nodes[place[label as usize]] = node;
        place[label as usize] += 1;
    }
    (starts, nodes)
}

/// Labels → the same clusters numbered from 0 in the order of their first node, and their number.
pub(super) fn renumber(labels: &mut [u32], bound: usize) -> usize {
    let mut names = vec![u32::MAX; bound];
    let mut next = 0;
    for label in labels {
        let name = &mut names[*label as usize];
        if *name == u32::MAX {
            *name = next;
            next += 1;
        }
        *label = *name;
    }
    next as usize
}

/// Sums of weights by cluster, cleared at the cost of what was touched.
#[derive(Debug)]
pub(super) struct WeightTo {
    weight: Vec<f64>,
    seen: Vec<bool>,
    pub(super) touched: Vec<u32>,
}

impl WeightTo {
    pub(super) fn new(k: usize) -> Self {
        Self { weight: vec![0.0; k], seen: vec![false; k], touched: Vec::new() }
    }

    pub(super) fn add(&mut self, cluster: u32, weight: f64) {
        if !std::mem::replace(&mut self.seen[cluster as usize], true) {
            self.touched.push(cluster);
        }
        self.weight[cluster as usize] += weight;
    }

    pub(super) fn get(&self, cluster: u32) -> f64 {
        self.weight[cluster as usize]
    }

    /// What was added, in the order of `touched`.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.touched.iter().map(|&cluster| (cluster, self.weight[cluster as usize]))
    }

    pub(super) fn clear(&mut self) {
        for cluster in self.touched.drain(..) {
            self.seen[cluster as usize] = false;
            self.weight[cluster as usize] = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_become_nodes() {
        let graph = Neighbors::new(4, &[[0, 1], [0, 2], [1, 3], [2, 3]], &[1.0, 2.0, 4.0, 8.0]);
        let level = Level { graph, mass: vec![1.0, 2.0, 3.0, 4.0] };
        let found = level.aggregate(&[0, 0, 1, 1], 2);
        assert_eq!(found.mass, [3.0, 7.0]);
        assert_eq!(found.graph.row(0).collect::<Vec<_>>(), [(1, 6.0)]);
        assert_eq!(found.graph.row(1).collect::<Vec<_>>(), [(0, 6.0)]);
    }

    #[test]
    fn numbers_follow_first_nodes() {
        let mut labels = [3, 1, 3, 0];
        assert_eq!(renumber(&mut labels, 4), 3);
        assert_eq!(labels, [0, 1, 0, 2]);
    }
}
