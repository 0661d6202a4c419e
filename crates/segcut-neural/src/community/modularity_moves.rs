//! Labels → labels of higher modularity that attributes agree with, by moving nodes.

use super::links::Links;
use super::product::times;
use super::receptive_field::unit_rows;
use ndarray::{Array2, ArrayView2};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What is maximised: modularity + `attributes`·mean cosine of a node's row to the mean direction of its cluster.
#[derive(Debug)]
pub(crate) struct Moves<'a> {
    pub(crate) links: &'a Links,
    /// n×d rows of length 1 at most.
    pub(crate) rows: ArrayView2<'a, f32>,
    pub(crate) attributes: f64,
    pub(crate) k: usize,
    /// k×d directions that stand for the clusters' own mean directions.
    pub(crate) centers: Option<ArrayView2<'a, f32>>,
}

/// Volumes and sizes of communities.
struct Filled {
    volumes: Vec<f64>,
    sizes: Vec<usize>,
}

impl Filled {
    fn new(links: &Links, labels: &[u32], k: usize) -> Self {
        let (mut volumes, mut sizes) = (vec![0.0; k], vec![0; k]);
        for (&label, &degree) in labels.iter().zip(&links.degrees) {
            volumes[label as usize] += f64::from(degree);
            sizes[label as usize] += 1;
        }
        Self { volumes, sizes }
    }
}

impl Moves<'_> {
    /// Sweeps over all nodes in random order until none moves; each goes where the sum gains most. The last node of
    /// a cluster stays, so that no cluster runs empty. Returns the number of moves.
    pub(crate) fn run(&self, labels: &mut [u32], sweeps: usize, random: &mut ChaCha8Rng) -> usize {
        if self.k < 2 {
            return 0;
        }
        let mut filled = Filled::new(self.links, labels, self.k);
        let mut order: Vec<u32> = (0..self.links.n() as u32).collect();
        let mut all = 0;
        for _ in 0..sweeps {
            let pull = self.pull(labels);
            order.shuffle(random);
            let moved = self.sweep(labels, &order, &pull, &mut filled);
            all += moved;
            if moved == 0 {
                break;
            }
        }
        all
    }

    /// One look at every node; how many moved.
    fn sweep(&self, labels: &mut [u32], order: &[u32], pull: &Array2<f32>, filled: &mut Filled) -> usize {
        let (volume, mut moved, mut gains) = (self.links.volume(), 0, vec![0.0; self.k]);
        for &node in order {
            let (i, own) = (node as usize, labels[node as usize] as usize);
            if filled.sizes[own] == 1 {
                continue;
            }
            let degree = f64::from(self.links.degrees[i]);
            filled.volumes[own] -= degree;
            self.gains(labels, &filled.volumes, i, volume, &mut gains);
            gains.iter_mut().zip(pull.row(i)).for_each(|(gain, &pull)| *gain += f64::from(pull));
            let best = most(&gains, own);
            filled.volumes[best] += degree;
            if best != own {
                labels[i] = best as u32;
                filled.sizes[own] -= 1;
                filled.sizes[best] += 1;
                moved += 1;
            }
        }
        moved
    }

    /// What modularity gains when node i joins each of the clusters.
    fn gains(&self, labels: &[u32], volumes: &[f64], i: usize, volume: f64, gains: &mut [f64]) {
        gains.fill(0.0);
        if volume <= 0.0 {
            return;
        }
        self.links.row(i).for_each(|(other, w)| gains[labels[other as usize] as usize] += f64::from(w));
        let degree = f64::from(self.links.degrees[i]);
        for (gain, &inside) in gains.iter_mut().zip(volumes) {
            *gain = 2.0 * (*gain - degree * inside / volume) / volume;
        }
    }

    /// n×k: attributes / n · cosine of every row to the mean direction of every cluster.
    fn pull(&self, labels: &[u32]) -> Array2<f32> {
        let share = (self.attributes / self.links.n().max(1) as f64) as f32;
        match self.centers {
            Some(centers) => times(self.rows, centers.t()) * share,
            None => times(self.rows, mean_directions(self.rows, labels, self.k).t()) * share,
        }
    }
}

/// k×d: the mean of the rows of each cluster, scaled to length 1; 0 for a cluster without rows.
pub(crate) fn mean_directions(rows: ArrayView2<'_, f32>, labels: &[u32], k: usize) -> Array2<f32> {
    let mut centers = Array2::<f32>::zeros((k, rows.ncols()));
    for (row, &label) in rows.rows().into_iter().zip(labels) {
        centers.row_mut(label as usize).scaled_add(1.0, &row);
    }
    unit_rows(centers)
}

/// The place of the largest gain; `own` unless another is larger beyond rounding.
fn most(gains: &[f64], own: usize) -> usize {
    let margin = 1e-12;
    let best = (0..gains.len()).fold(own, |best, c| if gains[c] > gains[best] { c } else { best });
    if gains[best] > gains[own] + margin { best } else { own }
}

/// The share of the volume in each community; labels are below k. 0 without edges.
pub(crate) fn shares(links: &Links, labels: &[u32], k: usize) -> Vec<f64> {
    let (volume, mut shares) = (links.volume(), vec![0.0; k]);
    if volume > 0.0 {
        labels.iter().zip(&links.degrees).for_each(|(&label, &d)| shares[label as usize] += f64::from(d) / volume);
    }
    shares
}

/// Newman's modularity of labels below k; 0 without edges.
pub(crate) fn modularity(links: &Links, labels: &[u32], k: usize) -> f64 {
    let volume = links.volume();
    if volume <= 0.0 {
        return 0.0;
    }
    let inside = |(i, &label): (usize, &u32)| {
        let row = links.row(i).filter(|&(other, _)| labels[other as usize] == label);
        row.map(|(_, w)| f64::from(w)).sum::<f64>()
    };
    let inside: f64 = labels.iter().enumerate().map(inside).sum();
    inside / volume - shares(links, labels, k).iter().map(|share| share * share).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use segcut_core::SparseAffinity;

    fn triangles() -> Links {
        let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]];
        Links::of(&SparseAffinity::new(6, edges, vec![1.0; 7]).unwrap())
    }

    #[test]
    fn triangles_come_together() {
        let (links, rows) = (triangles(), Array2::zeros((6, 1)));
        let moves = Moves { links: &links, rows: rows.view(), attributes: 0.0, k: 2, centers: None };
        let mut labels = [0, 0, 1, 1, 1, 0];
        moves.run(&mut labels, 20, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(labels, [0, 0, 0, 1, 1, 1]);
        assert!((modularity(&links, &labels, 2) - (12.0 / 14.0 - 0.5)).abs() < 1e-9);
    }

    #[test]
    fn attributes_decide_where_edges_do_not() {
        let links = Links::of(&SparseAffinity::new(4, vec![[0, 1]], vec![1.0]).unwrap());
        let rows = Array2::from_shape_fn((4, 2), |(i, d)| f32::from(u8::from(d == i % 2)));
        let moves = Moves { links: &links, rows: rows.view(), attributes: 1e-3, k: 2, centers: None };
        let mut labels = [0, 0, 0, 1];
        moves.run(&mut labels, 20, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(labels, [0, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn modularity_never_falls(pairs in proptest::collection::btree_set((0u32..12, 0u32..12), 1..40), seed in 0u64..50) {
            let edges: Vec<[u32; 2]> = pairs.into_iter().filter(|(u, v)| u < v).map(|(u, v)| [u, v]).collect();
            let weights = vec![1.0; edges.len()];
            let links = Links::of(&SparseAffinity::new(12, edges, weights).unwrap());
            let rows = Array2::zeros((12, 1));
            let moves = Moves { links: &links, rows: rows.view(), attributes: 0.0, k: 3, centers: None };
            let mut labels: Vec<u32> = (0..12).map(|i| i % 3).collect();
            let before = modularity(&links, &labels, 3);
            moves.run(&mut labels, 5, &mut ChaCha8Rng::seed_from_u64(seed));
            prop_assert!(modularity(&links, &labels, 3) >= before - 1e-6);
            prop_assert!((0..3).all(|c| labels.contains(&c)));
        }
    }
}
