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
        let (mut offsets, mut nodes, mut weights) = (vec![0], Vec::new(), Vec::new());
        for (cluster, ends) in (0..).zip(starts.windows(2)) {
            for &node in &members[ends[0]..ends[1]] {
                let row = self.graph.row(node as usize).map(|(other, weight)| (labels[other as usize], weight));
                row.filter(|&(other, _)| other != cluster).for_each(|(other, weight)| to.add(other, weight));
            }
            nodes.extend_from_slice(&to.touched);
            weights.extend(to.entries().map(|(_, weight)| weight));
            offsets.push(nodes.len());
            to.clear();
        }
        Self { graph: Neighbors::from_rows(offsets, nodes, weights), mass: self.masses(labels, k) }
    }

    /// Σ over clusters of the weight inside (edges twice) − rate·M_C², where every node is a cluster and `total` is
    /// the weight inside and between them.
    pub(super) fn quality(&self, rate: f64, total: f64) -> f64 {
        total - self.graph.total() - rate * self.mass.iter().map(|m| m * m).sum::<f64>()
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
    /// Below 0 where nothing was added.
    weight: Vec<f64>,
    pub(super) touched: Vec<u32>,
}

impl WeightTo {
    pub(super) fn new(k: usize) -> Self {
        Self { weight: vec![-1.0; k], touched: Vec::new() }
    }

    /// Adds a weight of at least 0.
    #[inline]
    pub(super) fn add(&mut self, cluster: u32, weight: f64) {
        let sum = &mut self.weight[cluster as usize];
        if *sum < 0.0 {
            self.touched.push(cluster);
            *sum = weight;
        } else {
            *sum += weight;
        }
    }

    pub(super) fn get(&self, cluster: u32) -> f64 {
        self.weight[cluster as usize].max(0.0)
    }

    /// What was added, in the order of `touched`.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.touched.iter().map(|&cluster| (cluster, self.weight[cluster as usize]))
    }

    pub(super) fn clear(&mut self) {
        self.touched.drain(..).for_each(|cluster| self.weight[cluster as usize] = -1.0);
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
        // Inside 1 and 8, both directions; masses 3 and 7.
        assert!((found.quality(0.1, level.graph.total()) - (18.0 - 0.1 * 58.0)).abs() < 1e-12);
    }

    #[test]
    fn numbers_follow_first_nodes() {
        let mut labels = [3, 1, 3, 0];
        assert_eq!(renumber(&mut labels, 4), 3);
        assert_eq!(labels, [0, 1, 0, 2]);
    }
}
