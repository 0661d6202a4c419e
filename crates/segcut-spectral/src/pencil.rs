//! SparseAffinity to the matrix pencil (L, M) whose eigenvectors cut the graph.

use segcut_core::{RegionGraph, SparseAffinity, StageError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which Laplacian: the mass M of the generalized problem L·x = λ·M·x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Laplacian {
    /// M = degrees: relaxes the normalized cut.
    #[default]
    Normalized,
    /// M = 1: relaxes the ratio cut.
    Unnormalized,
}

/// Why an affinity makes no pencil.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum PencilError {
    /// A Gram affinity where edges are needed.
    #[error("eigenvectors of the Laplacian need a graph with edges; this affinity is given by factors")]
    NoEdges,
    /// A weight below zero.
    #[error("the weight {weight} of edge ({u}, {v}) is negative: a cut needs weights from 0")]
    Negative {
        /// First end.
        u: u32,
        /// Second end.
        v: u32,
        /// The weight.
        weight: f64,
    },
}

impl From<PencilError> for StageError {
    fn from(error: PencilError) -> Self {
        Self::data(error)
    }
}

/// Edges below this share of the smaller degree of their ends connect nothing that f64 could resolve.
const RESOLVED: f64 = 1e-14;

/// L = D − W in compressed rows (without diagonals) and the diagonal mass M.
///
/// Diagonal weights cancel in L; in M they count only through `self_weight`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pencil {
    offsets: Vec<u32>,
    neighbors: Vec<u32>,
    weights: Vec<f64>,
    mass: Vec<f64>,
    laplacian: Laplacian,
    self_weight: f64,
    /// Empty where unknown.
    positions: Vec<[f64; 2]>,
}

impl Pencil {
    /// Edges to pencil. `self_weight` is added to every degree in the normalized mass (a self loop).
    ///
    /// # Errors
    /// [`PencilError::Negative`].
    pub fn new(affinity: &SparseAffinity, laplacian: Laplacian, self_weight: f64) -> Result<Self, PencilError> {
        for (&[u, v], &weight) in affinity.edges().iter().zip(affinity.weights()) {
            if weight < 0.0 {
                return Err(PencilError::Negative { u, v, weight });
            }
        }
        let n = affinity.n();
        let edges = || affinity.edges().iter().zip(affinity.weights()).filter(|&(_, &w)| w > 0.0);
        let mut offsets = vec![0u32; n + 1];
        for (&[u, v], _) in edges() {
            offsets[u as usize + 1] += 1;
            offsets[v as usize + 1] += 1;
        }
        for i in 0..n {
            offsets[i + 1] += offsets[i];
        }
        let mut next = offsets.clone();
        let mut neighbors = vec![0u32; offsets[n] as usize];
        let mut weights = vec![0.0; offsets[n] as usize];
        // Edges are sorted by (u, v): first the lower neighbors of every node arrive in order, then the upper ones.
        for (flip, (&[u, v], &w)) in edges().map(|e| (true, e)).chain(edges().map(|e| (false, e))) {
            let (row, column) = if flip { (v, u) } else { (u, v) };
            let at = &mut next[row as usize];
            neighbors[*at as usize] = column;
            weights[*at as usize] = w;
            *at += 1;
        }
        Ok(Self { offsets, neighbors, weights, mass: Vec::new(), laplacian, self_weight, positions: Vec::new() }
            .with_mass())
    }

    /// The affinity of a region graph to pencil, with its regions' centroids as places.
    ///
    /// # Errors
    /// [`PencilError::NoEdges`] for an affinity given by factors, [`PencilError::Negative`].
    pub fn of_graph(graph: &RegionGraph, laplacian: Laplacian, self_weight: f64) -> Result<Self, PencilError> {
        let affinity = graph.affinity().sparse().ok_or(PencilError::NoEdges)?;
        let pencil = Self::new(affinity, laplacian, self_weight)?;
        Ok(match graph.geometry() {
            Some(geometry) => pencil.with_positions(&geometry.centroid),
            None => pencil,
        })
    }

    /// The same pencil with a place in the plane for every node: large factors are then ordered by nested
    /// dissection, which is faster than minimum degree. Ignored unless there is one place per node.
    #[must_use]
    pub fn with_positions(mut self, positions: &[[f64; 2]]) -> Self {
        if positions.len() == self.n() && positions.iter().flatten().all(|x| x.is_finite()) {
            self.positions = positions.to_vec();
        }
        self
    }

    /// The places of the nodes; empty where unknown.
    pub fn positions(&self) -> &[[f64; 2]] {
        &self.positions
    }

    fn with_mass(mut self) -> Self {
        self.mass = match self.laplacian {
            Laplacian::Normalized => (0..self.n()).map(|i| self.degree(i) + self.self_weight).collect(),
            Laplacian::Unnormalized => vec![1.0; self.n()],
        };
        self
    }

    /// Nodes.
    pub fn n(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Edges with a weight above 0, each once.
    pub fn edge_count(&self) -> usize {
        self.neighbors.len() / 2
    }

    /// Neighbors and weights of a node, ascending.
    pub fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.offsets[i] as usize..self.offsets[i + 1] as usize;
        (&self.neighbors[range.clone()], &self.weights[range])
    }

    /// The stored weights, row after row, for other weights on the same edges; the mass stays as it is.
    pub(crate) fn weights_mut(&mut self) -> &mut [f64] {
        &mut self.weights
    }

    /// Sum of a node's weights.
    pub fn degree(&self, i: usize) -> f64 {
        self.row(i).1.iter().sum()
    }

    /// The diagonal of M.
    pub fn mass(&self) -> &[f64] {
        &self.mass
    }

    /// y = L·x by differences: (L·x)ᵢ = Σⱼ wᵢⱼ (xᵢ − xⱼ), which keeps small eigenvalues accurate.
    pub fn apply(&self, x: &[f64], y: &mut [f64]) {
        for (i, y) in y.iter_mut().enumerate() {
            let (neighbors, weights) = self.row(i);
            *y = neighbors.iter().zip(weights).map(|(&j, &w)| w * (x[i] - x[j as usize])).sum();
        }
    }

    /// xᵀL·x / xᵀM·x; the numerator is a sum of squares over edges.
    pub fn rayleigh(&self, x: &[f64]) -> f64 {
        let mut cut = 0.0;
        for i in 0..self.n() {
            let (neighbors, weights) = self.row(i);
            for (&j, &w) in neighbors.iter().zip(weights).filter(|&(&j, _)| j as usize > i) {
                let d = x[i] - x[j as usize];
                cut += w * d * d;
            }
        }
        cut / x.iter().zip(&self.mass).map(|(x, m)| m * x * x).sum::<f64>()
    }

    /// The sum over clusters 0 .. k of cut/mass; infinite where a cluster has no mass.
    pub(crate) fn cut_of(&self, labels: &[u32], k: usize) -> f64 {
        let (mut cut, mut mass) = (vec![0.0; k], vec![0.0; k]);
        for (i, &label) in labels.iter().enumerate() {
            let (neighbors, weights) = self.row(i);
            let others = neighbors.iter().zip(weights).filter(|&(&j, _)| labels[j as usize] != label);
            cut[label as usize] += others.map(|(_, w)| w).sum::<f64>();
            mass[label as usize] += self.mass[i];
        }
        cut.iter().zip(&mass).map(|(c, m)| if *m > 0.0 { c / m } else { f64::INFINITY }).sum()
    }

    /// The pencil of the induced subgraph; `nodes` gives the new order. Degrees are the subgraph's own.
    ///
    /// `place` is scratch of n values `u32::MAX`, restored before return.
    pub(crate) fn induced(&self, nodes: &[u32], place: &mut [u32]) -> Self {
        for (new, &old) in nodes.iter().enumerate() {
            place[old as usize] = new as u32;
        }
        let mut offsets = Vec::with_capacity(nodes.len() + 1);
        offsets.push(0);
        let (mut neighbors, mut weights) = (Vec::new(), Vec::new());
        for &old in nodes {
            let (old_neighbors, old_weights) = self.row(old as usize);
            for (&j, &w) in old_neighbors.iter().zip(old_weights) {
                if place[j as usize] != u32::MAX {
                    neighbors.push(place[j as usize]);
                    weights.push(w);
                }
            }
            offsets.push(neighbors.len() as u32);
        }
        for &old in nodes {
            place[old as usize] = u32::MAX;
        }
        let positions = match self.positions.len() {
            0 => Vec::new(),
            _ => nodes.iter().map(|&i| self.positions[i as usize]).collect(),
        };
        let (laplacian, self_weight) = (self.laplacian, self.self_weight);
        let part = Self { offsets, neighbors, weights, mass: Vec::new(), laplacian, self_weight, positions };
        part.with_mass()
    }

    /// The same pencil with its nodes in another order, `order[new] = old`.
    pub(crate) fn reordered(&self, order: &[u32]) -> Self {
        let mut pencil = self.induced(order, &mut vec![u32::MAX; self.n()]);
        pencil.mass = order.iter().map(|&i| self.mass[i as usize]).collect();
        pencil
    }

    /// The pencil of clusters of nodes: weights between them are summed, and so are masses; `cluster` gives one of 0 .. k
    /// for every node. Weights inside a cluster vanish, so rows no longer sum to the mass; cuts and sizes stay exact.
    pub(crate) fn contracted(&self, cluster: &[u32], k: usize) -> Self {
        let (starts, members) = members(cluster, k);
        let (mut offsets, mut neighbors, mut weights) = (vec![0u32], Vec::new(), Vec::new());
        let mut sums = vec![0.0; k];
        let mut row: Vec<u32> = Vec::new();
        for c in 0..k {
            for &i in &members[starts[c] as usize..starts[c + 1] as usize] {
                let (to, with) = self.row(i as usize);
                for (&j, &w) in to.iter().zip(with).filter(|&(&j, _)| cluster[j as usize] as usize != c) {
                    let other = cluster[j as usize];
                    if sums[other as usize] == 0.0 {
                        row.push(other);
                    }
                    sums[other as usize] += w;
                }
            }
            row.sort_unstable();
            weights.extend(row.iter().map(|&other| std::mem::take(&mut sums[other as usize])));
            neighbors.append(&mut row);
            offsets.push(neighbors.len() as u32);
        }
        let mut mass = vec![0.0; k];
        cluster.iter().zip(&self.mass).for_each(|(&c, m)| mass[c as usize] += m);
        let (laplacian, self_weight) = (self.laplacian, self.self_weight);
        Self { offsets, neighbors, weights, mass, laplacian, self_weight, positions: Vec::new() }
    }

    /// The connected components, each a sorted list of nodes, in the order of their first nodes.
    pub fn components(&self) -> Vec<Vec<u32>> {
        self.components_above(0.0)
    }

    /// The components that remain without edges that f64 cannot tell from none: those below 1e-14 of the smaller degree
    /// of their ends, whose cuts are beyond the digits of any eigenvalue.
    pub(crate) fn resolved_components(&self) -> Vec<Vec<u32>> {
        let degrees: Vec<f64> = (0..self.n()).map(|i| self.degree(i)).collect();
        self.components_where(|i, j, w| w > RESOLVED * degrees[i].min(degrees[j]))
    }

    /// The components of the edges (i, j) whose weight is above share·min(Mᵢ, Mⱼ).
    pub(crate) fn components_above(&self, share: f64) -> Vec<Vec<u32>> {
        self.components_where(|i, j, w| w > share * self.mass[i].min(self.mass[j]))
    }

    fn components_where(&self, joins: impl Fn(usize, usize, f64) -> bool) -> Vec<Vec<u32>> {
        let mut seen = vec![false; self.n()];
        let mut components = Vec::new();
        for first in 0..self.n() {
            if seen[first] {
                continue;
            }
            seen[first] = true;
            let mut nodes = vec![first as u32];
            let mut next = 0;
            while next < nodes.len() {
                let i = nodes[next] as usize;
                let (neighbors, weights) = self.row(i);
                for (&j, &w) in neighbors.iter().zip(weights) {
                    if !seen[j as usize] && joins(i, j as usize, w) {
                        seen[j as usize] = true;
                        nodes.push(j);
                    }
                }
                next += 1;
            }
            nodes.sort_unstable();
            components.push(nodes);
        }
        components
    }
}

/// Where the members of every cluster start, and the members, ascending in each.
fn members(cluster: &[u32], k: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; k + 1];
    cluster.iter().for_each(|&c| starts[c as usize + 1] += 1);
    (0..k).for_each(|c| starts[c + 1] += starts[c]);
    let mut next = starts.clone();
    let mut members = vec![0u32; cluster.len()];
    for (&c, i) in cluster.iter().zip(0..) {
        members[next[c as usize] as usize] = i;
        next[c as usize] += 1;
    }
    (starts, members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(weights: &[f64]) -> Pencil {
        let edges = (0..weights.len() as u32).map(|i| [i, i + 1]).collect();
        let affinity = SparseAffinity::new(weights.len() + 1, edges, weights.to_vec()).unwrap();
        Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap()
    }

    #[test]
    fn rows_are_sorted_and_degrees_sum() {
        let pencil = path(&[1.0, 2.0, 4.0]);
        assert_eq!(pencil.row(1), (&[0u32, 2][..], &[1.0, 2.0][..]));
        assert_eq!(pencil.mass(), [1.0, 3.0, 6.0, 4.0]);
        let mut y = [0.0; 4];
        pencil.apply(&[1.0, 0.0, 0.0, 1.0], &mut y);
        assert_eq!(y, [1.0, -1.0, -4.0, 4.0]);
        assert_eq!(pencil.rayleigh(&[1.0, 0.0, 0.0, 1.0]), 1.0);
    }

    #[test]
    fn groups_sum_weights_and_masses() {
        let coarse = path(&[1.0, 2.0, 4.0, 8.0]).contracted(&[0, 0, 1, 1, 1], 2);
        assert_eq!((coarse.row(0), coarse.mass()), ((&[1u32][..], &[2.0][..]), &[4.0, 26.0][..]));
        assert_eq!(coarse.degree(1), 2.0);
    }

    #[test]
    fn zero_weights_connect_nothing() {
        let pencil = path(&[1.0, 0.0, 4.0]);
        assert_eq!(pencil.components(), [vec![0, 1], vec![2, 3]]);
        let part = pencil.induced(&[3, 2], &mut [u32::MAX; 4]);
        assert_eq!((part.n(), part.mass()), (2, &[4.0, 4.0][..]));
    }

    #[test]
    fn contraction_keeps_cuts_and_sizes() {
        let pencil = path(&[1.0, 2.0, 4.0]).contracted(&[0, 1, 1, 2], 3);
        assert_eq!(pencil.row(1), (&[0u32, 2][..], &[1.0, 4.0][..]));
        assert_eq!(pencil.mass(), [1.0, 9.0, 4.0]);
    }

    #[test]
    fn negative_weights_are_refused() {
        let affinity = SparseAffinity::new(2, vec![[0, 1]], vec![-1.0]).unwrap();
        let refused = Pencil::new(&affinity, Laplacian::Normalized, 0.0);
        assert_eq!(refused, Err(PencilError::Negative { u: 0, v: 1, weight: -1.0 }));
    }
}
