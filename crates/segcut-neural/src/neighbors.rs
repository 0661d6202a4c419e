//! An affinity → the neighbors of every node that an encoder attends to.

use crate::community::attention::log_weights;
use crate::community::links::Links;
use crate::operator::formed;
use segcut_core::{Affinity, GramAffinity};

/// The largest dense affinity whose pairs are listed; they take 300 MB.
pub(crate) const LARGEST_ATTENDED: usize = 4096;

/// Pairs of different nodes with a positive weight.
#[derive(Debug)]
pub(crate) struct Neighbors {
    pub(crate) links: Links,
    /// Logarithms of the weights.
    pub(crate) logs: Vec<f32>,
}

impl Neighbors {
    /// The positive entries of the affinity + shift.
    ///
    /// # Cost
    /// O(m) sparse, O(n²·d) for factors.
    pub(crate) fn new(affinity: &Affinity, shift: f64) -> Self {
        Self::of(match affinity {
            Affinity::Sparse(sparse) => {
                let weighted = sparse.edges().iter().zip(sparse.weights());
                let kept = weighted.map(|(&e, &w)| (e, (w + shift) as f32)).filter(|&(_, w)| w > 0.0);
                Links::new(sparse.n(), kept.flat_map(|([u, v], w)| [(u, v, w), (v, u, w)]))
            }
            Affinity::Gram(gram) => pairs(gram, shift),
        })
    }

    /// Graphs as one, without edges between them.
    pub(crate) fn union(graphs: &[Self]) -> Self {
        let n = graphs.iter().map(|graph| graph.links.n()).sum();
        let firsts = graphs.iter().scan(0, |first, graph| {
            let own = *first;
            *first += graph.links.n() as u32;
            Some(own)
        });
        let entries = graphs.iter().zip(firsts).flat_map(|(graph, first)| {
            let row = move |u: u32| graph.links.row(u as usize).map(move |(v, w)| (first + u, first + v, w));
            (0..graph.links.n() as u32).flat_map(row)
        });
        Self::of(Links::new(n, entries))
    }

    fn of(links: Links) -> Self {
        Self { logs: log_weights(&links), links }
    }

    /// How many numbers are held, and made in a pass.
    pub(crate) fn numbers(&self) -> usize {
        5 * self.logs.len()
    }
}

fn pairs(gram: &GramAffinity, shift: f64) -> Links {
    let full = formed(gram, shift);
    let row = |u: usize| (0u32..).zip(full.row(u)).map(move |(v, &w)| (u as u32, v, w));
    let kept = (0..full.rows).flat_map(row).filter(|&(u, v, w)| u != v && w > 0.0);
    Links::new(full.rows, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::SparseAffinity;

    fn rows(neighbors: &Neighbors) -> Vec<Vec<(u32, f32)>> {
        (0..neighbors.links.n()).map(|i| neighbors.links.row(i).collect()).collect()
    }

    #[test]
    fn only_positive_weights_are_neighbors() {
        let sparse = SparseAffinity::new(3, vec![[0, 1], [0, 2], [1, 2]], vec![1.0, 0.25, 2.0]).unwrap();
        let found = Neighbors::new(&Affinity::Sparse(sparse), -0.5);
        assert_eq!(rows(&found), [vec![(1, 0.5)], vec![(0, 0.5), (2, 1.5)], vec![(1, 1.5)]]);
        assert_eq!(found.logs, [0.5f32.ln(), 0.0, 0.5f32.ln(), 1.5f32.ln(), 0.0, 1.5f32.ln(), 0.0]);
        let factors = array![[1.0f32, 0.0], [0.5, 1.0], [-1.0, 1.0]];
        let gram = GramAffinity { factors, clip: true, shift: 0.0, diagonal: None };
        let found = Neighbors::new(&Affinity::Gram(gram), 0.0);
        assert_eq!(rows(&found), [vec![(1, 0.5)], vec![(0, 0.5), (2, 0.5)], vec![(1, 0.5)]]);
    }

    #[test]
    fn a_union_has_the_neighbors_of_its_parts() {
        let path = || {
            let sparse = SparseAffinity::new(2, vec![[0, 1]], vec![2.0]).unwrap();
            Neighbors::new(&Affinity::Sparse(sparse), 0.0)
        };
        let both = Neighbors::union(&[path(), path()]);
        assert_eq!(rows(&both), [[(1, 2.0)], [(0, 2.0)], [(3, 2.0)], [(2, 2.0)]]);
    }
}
