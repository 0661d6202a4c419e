//! Edges → the neighbors of every node.

use segcut_core::SparseAffinity;

/// Both directions of every edge, grouped by node.
#[derive(Debug, Clone)]
pub(crate) struct Neighbors {
    offsets: Vec<usize>,
    nodes: Vec<u32>,
    weights: Vec<f64>,
}

impl Neighbors {
    /// Sorted upper edges of n nodes with their weights; neighbors come in rising order.
    pub(crate) fn new(n: usize, edges: &[[u32; 2]], weights: &[f64]) -> Self {
        let mut offsets = vec![0; n + 1];
        for &[u, v] in edges {
            offsets[u as usize + 1] += 1;
            offsets[v as usize + 1] += 1;
        }
        for node in 0..n {
            offsets[node + 1] += offsets[node];
        }
        let mut place = offsets.clone();
        let (mut nodes, mut both) = (vec![0; 2 * edges.len()], vec![0.0; 2 * edges.len()]);
        // Lower neighbors first: the edges (u, v) with v fixed come in the order of u, before those of v itself.
        let mut put = |from: u32, to: u32, weight: f64| {
            let at = &mut place[from as usize];
            (nodes[*at], both[*at]) = (to, weight);
            *at += 1;
        };
        edges.iter().zip(weights).for_each(|(&[u, v], &weight)| put(v, u, weight));
        edges.iter().zip(weights).for_each(|(&[u, v], &weight)| put(u, v, weight));
        Self { offsets, nodes, weights: both }
    }

    pub(crate) fn of(affinity: &SparseAffinity) -> Self {
        Self::new(affinity.n(), affinity.edges(), affinity.weights())
    }

    /// The entries of all rows, one row after another; `offsets` holds where each starts, and the end.
    pub(crate) fn from_rows(offsets: Vec<usize>, nodes: Vec<u32>, weights: Vec<f64>) -> Self {
        Self { offsets, nodes, weights }
    }

    pub(crate) fn n(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The sum of all weights, both directions.
    pub(crate) fn total(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// The mean weight; 0 without edges.
    pub(crate) fn mean_weight(&self) -> f64 {
        self.total() / self.weights.len().max(1) as f64
    }

    /// (neighbor, weight) of a node.
    pub(crate) fn row(&self, node: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let range = self.offsets[node]..self.offsets[node + 1];
        self.nodes[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_both_directions_in_order() {
        let found = Neighbors::new(4, &[[0, 2], [0, 3], [1, 2]], &[1.0, 2.0, 3.0]);
        let row = |node| found.row(node).collect::<Vec<_>>();
        assert_eq!(row(0), [(2, 1.0), (3, 2.0)]);
        assert_eq!(row(1), [(2, 3.0)]);
        assert_eq!(row(2), [(0, 1.0), (1, 3.0)]);
        assert_eq!((row(3), found.n()), (vec![(0, 2.0)], 4));
    }
}
