//! A sparse affinity as the neighbours of every node.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use segcut_core::SparseAffinity;

/// Both directions of every edge, by row, in single precision; the diagonal is left out.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    pub(super) offsets: Vec<usize>,
    pub(super) nodes: Vec<u32>,
    pub(super) weights: Vec<f32>,
    /// Row sums.
    pub(super) degrees: Vec<f32>,
}

impl Links {
    pub(crate) fn of(affinity: &SparseAffinity) -> Self {
        let both = affinity.edges().iter().zip(affinity.weights()).flat_map(|(&[u, v], &w)| [(u, v, w), (v, u, w)]);
        Self::new(affinity.n(), both.map(|(u, v, w)| (u, v, w as f32)))
    }

    /// From directed entries; an entry's row keeps the order in which its entries come.
    pub(crate) fn new(n: usize, entries: impl Iterator<Item = (u32, u32, f32)> + Clone) -> Self {
        let mut offsets = vec![0; n + 1];
        entries.clone().for_each(|(u, ..)| offsets[u as usize + 1] += 1);
        (0..n).for_each(|i| offsets[i + 1] += offsets[i]);
        let (mut place, len) = (offsets.clone(), offsets[n]);
        let (mut nodes, mut weights) = (vec![0; len], vec![0.0; len]);
        for (u, v, w) in entries {
            let at = &mut place[u as usize];
            (nodes[*at], weights[*at]) = (v, w);
            *at += 1;
        }
        let degrees = (0..n).map(|i| weights[offsets[i]..offsets[i + 1]].iter().map(|&w| f64::from(w)).sum::<f64>());
        let degrees = degrees.map(|d| d as f32).collect();
        Self { offsets, nodes, weights, degrees }
    }

    pub(crate) fn n(&self) -> usize {
        self.degrees.len()
    }

    /// Neighbours of a node and the weights of the edges to them.
    pub(crate) fn row(&self, i: usize) -> impl Iterator<Item = (u32, f32)> + Clone + '_ {
        let row = self.offsets[i]..self.offsets[i + 1];
        self.nodes[row.clone()].iter().copied().zip(self.weights[row].iter().copied())
    }

    /// Sum of all degrees.
    pub(crate) fn volume(&self) -> f64 {
        self.degrees.iter().map(|&d| f64::from(d)).sum()
    }

    /// A·X.
    pub(crate) fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        product(self, &self.weights, None, x)
    }

    /// The edges between some nodes, which are numbered by their place; `place` is n times `u32::MAX` and is left so.
    pub(crate) fn induced(&self, chosen: &[u32], place: &mut [u32]) -> Self {
        (0..).zip(chosen).for_each(|(at, &node)| place[node as usize] = at);
        let known: &[u32] = place;
        let entries = (0..).zip(chosen).flat_map(|(at, &node)| {
            let row = self.row(node as usize).map(move |(other, w)| (at, known[other as usize], w));
            row.filter(|&(_, other, _)| other != u32::MAX)
        });
        let found = Self::new(chosen.len(), entries);
        chosen.iter().for_each(|&node| place[node as usize] = u32::MAX);
        found
    }

    /// Labels of the connected components, numbered by their first node, and the volume of each.
    pub(crate) fn components(&self) -> (Vec<u32>, Vec<f64>) {
        let (mut labels, mut volumes, mut open) = (vec![u32::MAX; self.n()], Vec::new(), Vec::new());
        for first in 0..self.n() {
            if labels[first] != u32::MAX {
                continue;
            }
            let (name, mut volume) = (volumes.len() as u32, 0.0);
            labels[first] = name;
            open.push(first as u32);
            while let Some(node) = open.pop() {
                volume += f64::from(self.degrees[node as usize]);
                for (other, _) in self.row(node as usize) {
                    if std::mem::replace(&mut labels[other as usize], name) == u32::MAX {
                        open.push(other);
                    }
                }
            }
            volumes.push(volume);
        }
        (labels, volumes)
    }
}

/// Rows of a product that one task makes.
const CHUNK: usize = 1024;

/// Rows of neighbours with other weights, and a diagonal, times X.
pub(super) fn product(links: &Links, weights: &[f32], own: Option<&[f32]>, x: ArrayView2<'_, f32>) -> Array2<f32> {
    let d = x.ncols();
    let x = x.as_standard_layout();
    let mut out = Array2::zeros((links.n(), d));
    let (Some(from), Some(to)) = (x.as_slice(), out.as_slice_mut()) else { return out };
    let factor = Factor { links, weights, own };
    to.par_chunks_mut(CHUNK * d.max(1)).enumerate().for_each(|(at, to)| rows(&factor, from, at * CHUNK, (to, d)));
    out
}

/// The left side of a product.
struct Factor<'a> {
    links: &'a Links,
    weights: &'a [f32],
    own: Option<&'a [f32]>,
}

/// The rows of a product from the `first` on.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn rows(factor: &Factor<'_>, from: &[f32], first: usize, (to, d): (&mut [f32], usize)) {
    let add = |row: &mut [f32], factor: f32, other: usize| {
        row.iter_mut().zip(&from[other * d..(other + 1) * d]).for_each(|(value, x)| *value += factor * x);
    };
    for (i, row) in (first..).zip(to.chunks_exact_mut(d.max(1))) {
        if let Some(own) = factor.own {
            add(row, own[i], i);
        }
        let entries = factor.links.offsets[i]..factor.links.offsets[i + 1];
        for (&other, &weight) in factor.links.nodes[entries.clone()].iter().zip(&factor.weights[entries]) {
            add(row, weight, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn path() -> Links {
        Links::of(&SparseAffinity::new(4, vec![[0, 1], [1, 2]], vec![1.0, 2.0]).unwrap())
    }

    #[test]
    fn products_and_components_of_a_path() {
        let links = path();
        let found = links.apply(array![[1.0f32], [2.0], [3.0], [4.0]].view());
        assert_eq!(found, array![[2.0f32], [7.0], [4.0], [0.0]]);
        assert_eq!(links.components(), (vec![0, 0, 0, 1], vec![6.0, 0.0]));
    }

    #[test]
    fn some_nodes_keep_the_edges_between_them() {
        let (links, mut place) = (path(), vec![u32::MAX; 4]);
        let some = links.induced(&[2, 1, 3], &mut place);
        assert_eq!(some.row(0).collect::<Vec<_>>(), [(1, 2.0)]);
        assert_eq!(some.degrees, [2.0, 2.0, 0.0]);
        assert!(place.iter().all(|&p| p == u32::MAX));
    }
}
