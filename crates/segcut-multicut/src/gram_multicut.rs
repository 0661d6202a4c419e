//! Factors of a dense signed matrix → clusters, without the matrix.

use ndarray::ArrayView2;
use segcut_core::{Context, Stop};

/// W = F·Fᵀ + shift off the diagonal, by the sums of factors over clusters: the weight between two clusters is
/// S_a·S_b + shift·n_a·n_b, with S the sum of the members' rows.
///
/// The moves on the complete graph after Abbas & Swoboda, ClusterFuG (ICML 2023), whose costs have this form.
///
/// # Cost
/// O(n·d) memory. Contraction O(n²·d) plus O(k·d) per changed best partner; a round of moves O(n·k·d).
#[derive(Debug)]
pub(crate) struct GramMulticut {
    dims: usize,
    shift: f64,
    /// n×d rows.
    factors: Vec<f64>,
    /// Sums over the members of every cluster.
    sums: Vec<f64>,
    sizes: Vec<usize>,
    label: Vec<u32>,
}

impl GramMulticut {
    /// Clusters by label; labels are below n.
    pub(crate) fn new(factors: ArrayView2<'_, f32>, shift: f64, label: Vec<u32>) -> Self {
        let (n, dims) = factors.dim();
        let factors: Vec<f64> = factors.iter().map(|&x| f64::from(x)).collect();
        let mut found = Self { dims, shift, factors, sums: vec![0.0; n * dims], sizes: vec![0; n], label };
        for node in 0..n {
            found.shift_node(node, found.label[node] as usize, 1.0);
        }
        found
    }

    pub(crate) fn into_labels(self) -> Vec<u32> {
        self.label
    }

    fn row(&self, node: usize) -> &[f64] {
        &self.factors[node * self.dims..(node + 1) * self.dims]
    }

    fn sum(&self, cluster: usize) -> &[f64] {
        &self.sums[cluster * self.dims..(cluster + 1) * self.dims]
    }

    /// Adds (or, by −1, takes away) a node's row to a cluster's sum.
    fn shift_node(&mut self, node: usize, cluster: usize, sign: f64) {
        let row = &self.factors[node * self.dims..(node + 1) * self.dims];
        let sum = &mut self.sums[cluster * self.dims..(cluster + 1) * self.dims];
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += sign * x);
        self.sizes[cluster] = if sign > 0.0 { self.sizes[cluster] + 1 } else { self.sizes[cluster] - 1 };
    }

    fn between(&self, a: usize, b: usize) -> f64 {
        dot(self.sum(a), self.sum(b)) + self.shift * (self.sizes[a] * self.sizes[b]) as f64
    }

    /// Joins the pair of clusters with the largest weight until none is positive, or until `clusters` are left.
    /// Whether any were joined.
    pub(crate) fn contract(&mut self, clusters: Option<usize>, context: &Context) -> bool {
        let mut alive: Vec<usize> = (0..self.sizes.len()).filter(|&c| self.sizes[c] > 0).collect();
        let mut best = vec![(f64::NEG_INFINITY, usize::MAX); self.sizes.len()];
        for (at, &a) in alive.iter().enumerate() {
            for &b in &alive[at + 1..] {
                let weight = self.between(a, b);
                raise(&mut best[a], weight, b);
                raise(&mut best[b], weight, a);
            }
        }
        let start = alive.len();
        while alive.len() > clusters.unwrap_or(1) && context.stopped() == Stop::No {
            let Some(&a) = alive.iter().max_by(|&&a, &&b| best[a].0.total_cmp(&best[b].0).then(b.cmp(&a))) else {
                break;
            };
            if clusters.is_none() && best[a].0 <= 0.0 {
                break;
            }
            let (keep, gone) = (a.min(best[a].1), a.max(best[a].1));
            self.join(keep, gone);
            alive.retain(|&c| c != gone);
            self.refresh(keep, gone, &alive, &mut best);
        }
        alive.len() < start
    }

    fn join(&mut self, keep: usize, gone: usize) {
        let (head, tail) = self.sums.split_at_mut(gone * self.dims);
        let kept = &mut head[keep * self.dims..(keep + 1) * self.dims];
        kept.iter_mut().zip(&tail[..self.dims]).for_each(|(s, x)| *s += x);
        self.sizes[keep] += std::mem::take(&mut self.sizes[gone]);
        tail[..self.dims].fill(0.0);
        self.label.iter_mut().filter(|label| **label as usize == gone).for_each(|label| *label = keep as u32);
    }

    /// Best partners after `gone` went into `keep`.
    fn refresh(&self, keep: usize, gone: usize, alive: &[usize], best: &mut [(f64, usize)]) {
        best[keep] = (f64::NEG_INFINITY, usize::MAX);
        for &c in alive.iter().filter(|&&c| c != keep) {
            let weight = self.between(keep, c);
            raise(&mut best[keep], weight, c);
            let lost = best[c].1 == keep || best[c].1 == gone;
            if !lost || weight >= best[c].0 {
                raise(&mut best[c], weight, keep);
                if lost {
                    best[c] = (weight, keep);
                }
                continue;
            }
            best[c] = (f64::NEG_INFINITY, usize::MAX);
            for &other in alive.iter().filter(|&&other| other != c) {
                let weight = self.between(c, other);
                raise(&mut best[c], weight, other);
            }
        }
    }

    /// Moves every node in turn to the cluster (or to one of its own) where it gains most. Whether any moved.
    pub(crate) fn move_nodes(&mut self, context: &Context) -> bool {
        let mut moved = false;
        for node in 0..self.label.len() {
            if context.stopped() != Stop::No {
                break;
            }
            moved |= self.move_node(node);
        }
        moved
    }

    fn move_node(&mut self, node: usize) -> bool {
        let own = self.label[node] as usize;
        self.shift_node(node, own, -1.0);
        let row = self.row(node);
        let value = |c: usize| dot(row, self.sum(c)) + self.shift * self.sizes[c] as f64;
        let mut best = (value(own), own);
        let least = best.0 + 1e-9 * dot(row, row).abs();
        let filled = (0..self.sizes.len()).filter(|&c| self.sizes[c] > 0 && c != own);
        for cluster in filled.chain(self.sizes.iter().position(|&size| size == 0)) {
            let found = if self.sizes[cluster] == 0 { 0.0 } else { value(cluster) };
            if found > best.0 && found > least {
                best = (found, cluster);
            }
        }
        self.shift_node(node, best.1, 1.0);
        self.label[node] = best.1 as u32;
        best.1 != own
    }
}

fn raise(best: &mut (f64, usize), weight: f64, partner: usize) {
    if weight > best.0 || (weight == best.0 && partner < best.1) {
        *best = (weight, partner);
    }
}

/// Eight sums side by side, added in a fixed order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (chunks_a, chunks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(x, y)| x * y).sum::<f64>();
    for (x, y) in chunks_a.zip(chunks_b) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge_contraction;
    use ndarray::Array2;
    use proptest::prelude::*;
    use segcut_core::Partition;

    fn weight(f: &Array2<f32>, shift: f64, u: usize, v: usize) -> f64 {
        f.row(u).iter().zip(f.row(v)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() + shift
    }

    fn inside(f: &Array2<f32>, shift: f64, labels: &[u32]) -> f64 {
        let n = labels.len();
        let pairs = (0..n).flat_map(|u| (u + 1..n).map(move |v| (u, v))).filter(|&(u, v)| labels[u] == labels[v]);
        pairs.map(|(u, v)| weight(f, shift, u, v)).sum()
    }

    proptest! {
        #[test]
        fn contraction_is_that_of_the_formed_matrix(values in proptest::collection::vec(-1.0f32..1.0, 36), k in 1usize..4) {
            let (f, shift) = (Array2::from_shape_vec((12, 3), values).unwrap(), -0.2);
            let edges: Vec<[u32; 2]> = (0..12u32).flat_map(|u| (u + 1..12).map(move |v| [u, v])).collect();
            let weights: Vec<f64> = edges.iter().map(|e| weight(&f, shift, e[0] as usize, e[1] as usize)).collect();
            for clusters in [None, Some(k)] {
                let mut gram = GramMulticut::new(f.view(), shift, (0..12).collect());
                gram.contract(clusters, &Context::default());
                let wanted = edge_contraction(12, &edges, &weights, clusters);
                prop_assert_eq!(Partition::compact(&gram.label), Partition::compact(&wanted));
                let before = inside(&f, shift, &wanted);
                while gram.move_nodes(&Context::default()) {}
                prop_assert!(inside(&f, shift, &gram.label) >= before - 1e-9);
            }
        }
    }
}
