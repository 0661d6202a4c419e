//! Many small communities → k, joined pair by pair.

use super::links::Links;
use super::modularity_moves::{Moves, shares};
use ndarray::{Array1, Array2};

/// Labels below `many` → labels below k: the pair whose joining raises modularity + `attributes`·mean cosine most, or
/// lowers it least, becomes one community until k are left (Newman 2004, Fast algorithm for detecting community structure
/// in networks, with agreement beside modularity).
///
/// # Cost
/// O(m + many²·d) where d are the columns of the rows.
pub(super) fn join(moves: &Moves<'_>, labels: &mut [u32], many: usize) {
    let mut pairs = Pairs::new(moves, labels, many);
    let mut name: Vec<u32> = (0..many as u32).collect();
    for _ in moves.k..many {
        let Some((keep, gone)) = pairs.best() else { break };
        pairs.join(keep, gone);
        name.iter_mut().filter(|name| **name == gone as u32).for_each(|name| *name = keep as u32);
    }
    let left: Vec<usize> = (0..many).filter(|&c| pairs.alive[c]).collect();
    let mut place = vec![0; many];
    (0..).zip(&left).for_each(|(at, &c)| place[c] = at);
    labels.iter_mut().for_each(|label| *label = place[name[*label as usize] as usize]);
}

/// What joining any two communities gains.
struct Pairs {
    attributes: f64,
    /// Share of the volume on edges between communities, both directions together.
    between: Array2<f64>,
    shares: Vec<f64>,
    /// Sum of the rows of each, divided by the number of nodes.
    sums: Vec<Array1<f64>>,
    alive: Vec<bool>,
    gains: Array2<f64>,
}

impl Pairs {
    fn new(moves: &Moves<'_>, labels: &[u32], many: usize) -> Self {
        let n = moves.links.n().max(1) as f64;
        let mut sums = vec![Array1::zeros(moves.rows.ncols()); many];
        for (row, &label) in moves.rows.rows().into_iter().zip(labels) {
            sums[label as usize].zip_mut_with(&row, |sum, &x| *sum += f64::from(x) / n);
        }
        let mut pairs = Self {
            attributes: moves.attributes,
            between: between(moves.links, labels, many),
            shares: shares(moves.links, labels, many),
            sums,
            alive: vec![true; many],
            gains: Array2::from_elem((many, many), f64::NEG_INFINITY),
        };
        (0..many).for_each(|c| pairs.refresh(c));
        pairs
    }

    fn gain(&self, a: usize, b: usize) -> f64 {
        let length = |x: &Array1<f64>| x.dot(x).sqrt();
        let (one, other) = (&self.sums[a], &self.sums[b]);
        let agreement = length(&(one + other)) - length(one) - length(other);
        self.between[[a, b]] - 2.0 * self.shares[a] * self.shares[b] + self.attributes * agreement
    }

    /// The gains of all pairs with a community.
    fn refresh(&mut self, c: usize) {
        for other in (0..self.alive.len()).filter(|&other| other != c) {
            let gain = if self.alive[c] && self.alive[other] { self.gain(c, other) } else { f64::NEG_INFINITY };
            self.gains[[c.min(other), c.max(other)]] = gain;
        }
    }

    /// The first of the best pairs.
    fn best(&self) -> Option<(usize, usize)> {
        let better = |best: Option<((usize, usize), f64)>, (at, &gain): ((usize, usize), &f64)| {
            let improves = gain > best.map_or(f64::NEG_INFINITY, |(_, most)| most);
            if improves { Some((at, gain)) } else { best }
        };
        self.gains.indexed_iter().fold(None, better).map(|(pair, _)| pair)
    }

    fn join(&mut self, keep: usize, gone: usize) {
        let row = self.between.row(gone).to_owned();
        self.between.row_mut(keep).zip_mut_with(&row, |sum, x| *sum += x);
        self.between.column_mut(keep).zip_mut_with(&row, |sum, x| *sum += x);
        self.between[[keep, keep]] = 0.0;
        self.shares[keep] += self.shares[gone];
        let sum = std::mem::take(&mut self.sums[gone]);
        self.sums[keep] += &sum;
        self.alive[gone] = false;
        self.refresh(gone);
        self.refresh(keep);
    }
}

/// The share of the volume on the edges between communities, both directions together.
fn between(links: &Links, labels: &[u32], many: usize) -> Array2<f64> {
    let (volume, mut between) = (links.volume(), Array2::zeros((many, many)));
    for (i, &label) in labels.iter().enumerate().filter(|_| volume > 0.0) {
        for (other, w) in
            links.row(i).map(|(other, w)| (labels[other as usize], w)).filter(|&(other, _)| other != label)
        {
            between[[label as usize, other as usize]] += 2.0 * f64::from(w) / volume;
        }
    }
    between
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::community::modularity_moves::modularity;
    use proptest::prelude::*;
    use segcut_core::SparseAffinity;

    #[test]
    fn parts_become_triangles() {
        // Two triangles and a bridge, in three parts.
        let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]];
        let links = Links::of(&SparseAffinity::new(6, edges, vec![1.0; 7]).unwrap());
        let rows = Array2::from_shape_fn((6, 2), |(i, d)| if i / 3 == d { 1.0 } else { 0.0 });
        let moves = Moves { links: &links, rows: rows.view(), attributes: 1.0, k: 2, centers: None };
        let mut labels = [0, 0, 2, 1, 1, 1];
        let pairs = Pairs::new(&moves, &labels, 3);
        let gain = modularity(&links, &[0, 0, 0, 1, 1, 1], 2) - modularity(&links, &labels, 3);
        assert!((pairs.gain(0, 2) - gain).abs() < 1e-6);
        join(&moves, &mut labels, 3);
        assert_eq!(labels, [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn without_edges_alike_rows_are_joined() {
        let links = Links::of(&SparseAffinity::new(4, Vec::new(), Vec::new()).unwrap());
        let rows = Array2::from_shape_fn((4, 2), |(i, d)| if i % 2 == d { 1.0 } else { 0.0 });
        let moves = Moves { links: &links, rows: rows.view(), attributes: 1.0, k: 2, centers: None };
        let mut labels = [0, 1, 2, 3];
        join(&moves, &mut labels, 4);
        assert_eq!(labels, [0, 1, 0, 1]);
    }

    proptest! {
        #[test]
        fn exactly_k_are_left_and_nodes_stay_together(
            pairs in proptest::collection::btree_set((0u32..14, 0u32..14), 0..40),
            labels in proptest::collection::vec(0u32..6, 14),
            k in 1usize..6,
        ) {
            let edges: Vec<[u32; 2]> = pairs.into_iter().filter(|(u, v)| u < v).map(|(u, v)| [u, v]).collect();
            let weights = vec![1.0; edges.len()];
            let links = Links::of(&SparseAffinity::new(14, edges, weights).unwrap());
            let rows = Array2::from_shape_fn((14, 2), |(i, d)| if i % 2 == d { 1.0 } else { 0.0 });
            let moves = Moves { links: &links, rows: rows.view(), attributes: 1.0, k, centers: None };
            let mut joined = labels.clone();
            join(&moves, &mut joined, 6);
            prop_assert!(joined.iter().all(|&label| (label as usize) < k));
            for (i, j) in (0..14).flat_map(|i| (0..i).map(move |j| (i, j))) {
                prop_assert!(labels[i] != labels[j] || joined[i] == joined[j]);
            }
        }
    }
}
