//! Signed edges → clusters, by contracting the heaviest edge first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const NONE: u32 = u32::MAX;

/// Greedy additive edge contraction: signed edges → one label per node, from 0 in the order of first nodes.
///
/// Keuper et al., Efficient Decomposition of Image and Mesh Graphs by Lifted Multicuts (ICCV 2015), algorithm 1,
/// on plain multicuts: the edge of largest weight is contracted, parallel edges add up, until no weight is
/// positive (`clusters` = `None`) or until so many clusters are left, whatever the signs. The components of the
/// graph are never joined. Equal weights go in the order of the edges.
///
/// # Panics
/// Where an edge names a node that is not below `n`, or there are not as many weights as edges.
///
/// # Cost
/// O(m·log m) plus min(deg, deg) per relocated edge; memory linear in n + m.
///
/// # Examples
/// ```
/// use segcut_multicut::edge_contraction;
/// let edges = [[0, 1], [0, 2], [1, 2], [2, 3]];
/// // 0 and 1 join first; then the two edges to node 2 add up to −1.
/// assert_eq!(edge_contraction(4, &edges, &[3.0, 2.0, -3.0, 1.0], None), [0, 0, 1, 1]);
/// ```
pub fn edge_contraction(n: usize, edges: &[[u32; 2]], weights: &[f64], clusters: Option<usize>) -> Vec<u32> {
    assert_eq!(edges.len(), weights.len(), "one weight per edge");
    let mut graph = Contraction::new(n, edges, weights);
    let mut queue = Queue::new(weights, clusters.is_none());
    let mut left = n;
    while left > clusters.unwrap_or(1) {
        let Some(edge) = queue.pop(&graph.weight) else { break };
        graph.contract(edge, &mut queue);
        left -= 1;
    }
    graph.labels()
}

/// A total order on weights as an unsigned number: larger weight, larger key.
fn key(weight: f64) -> u64 {
    let bits = weight.to_bits();
    bits ^ (((bits as i64) >> 63) as u64 | 1 << 63)
}

/// The heaviest edge first; an entry whose weight has changed since is skipped.
struct Queue {
    only_positive: bool,
    /// Weights as they were at the start, lightest first.
    start: Vec<(u64, Reverse<u32>)>,
    /// Weights that came about by adding.
    sums: BinaryHeap<(u64, Reverse<u32>)>,
}

impl Queue {
    fn new(weights: &[f64], only_positive: bool) -> Self {
        let entries = (0..).zip(weights).filter(|&(_, &weight)| weight > 0.0 || !only_positive);
        let mut start: Vec<_> = entries.map(|(edge, &weight)| (key(weight), Reverse(edge))).collect();
        start.sort_unstable();
        Self { only_positive, start, sums: BinaryHeap::new() }
    }

    fn push(&mut self, edge: u32, weight: f64) {
        if weight > 0.0 || !self.only_positive {
            self.sums.push((key(weight), Reverse(edge)));
        }
    }

    fn pop(&mut self, weights: &[f64]) -> Option<u32> {
        loop {
            let from_sums = self.sums.peek() > self.start.last();
            let entry = if from_sums { self.sums.pop() } else { self.start.pop() };
            let (found, Reverse(edge)) = entry?;
            let weight = weights[edge as usize];
            if !weight.is_nan() && found == key(weight) {
                return Some(edge);
            }
        }
    }
}

/// Half of an edge, in the doubly linked list of the node it starts from. Edge e has the halves 2e and 2e + 1.
struct Half {
    to: u32,
    next: u32,
    previous: u32,
}

struct Contraction {
    halves: Vec<Half>,
    /// Per edge; NaN once it is gone.
    weight: Vec<f64>,
    first: Vec<u32>,
    degree: Vec<u32>,
    /// The node that a contracted node went into.
    parent: Vec<u32>,
    /// Node → the half that leads to it from the kept node, while that one is being joined.
    half_to: Vec<u32>,
}

impl Contraction {
    fn new(n: usize, edges: &[[u32; 2]], weights: &[f64]) -> Self {
        let mut graph = Self {
            halves: Vec::with_capacity(2 * edges.len()),
            weight: weights.to_vec(),
            first: vec![NONE; n],
            degree: vec![0; n],
            parent: (0..n as u32).collect(),
            half_to: vec![NONE; n],
        };
        for &[u, v] in edges {
            for (from, to) in [(u, v), (v, u)] {
                graph.halves.push(Half { to, next: NONE, previous: NONE });
                graph.link(from, graph.halves.len() as u32 - 1);
            }
        }
        graph
    }

    fn link(&mut self, node: u32, half: u32) {
        let next = std::mem::replace(&mut self.first[node as usize], half);
        if next != NONE {
            self.halves[next as usize].previous = half;
        }
        let entry = &mut self.halves[half as usize];
        (entry.next, entry.previous) = (next, NONE);
        self.degree[node as usize] += 1;
    }

    fn unlink(&mut self, node: u32, half: u32) {
        let Half { next, previous, .. } = self.halves[half as usize];
        match previous {
            NONE => self.first[node as usize] = next,
            previous => self.halves[previous as usize].next = next,
        }
        if next != NONE {
            self.halves[next as usize].previous = previous;
        }
        self.degree[node as usize] -= 1;
    }

    fn remove(&mut self, edge: u32) {
        let (a, b) = (self.halves[2 * edge as usize].to, self.halves[2 * edge as usize + 1].to);
        self.unlink(b, 2 * edge);
        self.unlink(a, 2 * edge + 1);
        self.weight[edge as usize] = f64::NAN;
    }

    /// Joins the ends of an edge; the one with more edges is kept.
    fn contract(&mut self, edge: u32, queue: &mut Queue) {
        let ends = [self.halves[2 * edge as usize].to, self.halves[2 * edge as usize + 1].to];
        self.remove(edge);
        let [a, b] = ends.map(|node| (self.degree[node as usize], Reverse(node)));
        let (keep, gone) = if a > b { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
        self.parent[gone as usize] = keep;
        let marked = self.mark(keep, gone);
        let mut half = self.first[gone as usize];
        while half != NONE {
            let next = self.halves[half as usize].next;
            self.relocate(half, keep, marked, queue);
            half = next;
        }
        if marked {
            self.each_half(keep, |graph, half| graph.half_to[graph.halves[half as usize].to as usize] = NONE);
        }
    }

    /// Whether marking the neighbors of `keep` costs less than looking for each of `gone`'s in a list; if so, it
    /// is done.
    fn mark(&mut self, keep: u32, gone: u32) -> bool {
        let degree = self.degree[keep as usize];
        let mut scans = 0;
        self.each_half(gone, |graph, half| scans += graph.degree[graph.halves[half as usize].to as usize].min(degree));
        let marks = scans > degree + self.degree[gone as usize];
        if marks {
            self.each_half(keep, |graph, half| graph.half_to[graph.halves[half as usize].to as usize] = half);
        }
        marks
    }

    fn each_half(&mut self, node: u32, mut visit: impl FnMut(&mut Self, u32)) {
        let mut half = self.first[node as usize];
        while half != NONE {
            visit(self, half);
            half = self.halves[half as usize].next;
        }
    }

    /// Moves half an edge of a node that is gone to the kept one, or adds its weight to the edge that is there.
    fn relocate(&mut self, half: u32, keep: u32, marked: bool, queue: &mut Queue) {
        let other = self.halves[half as usize].to;
        let found = if marked { self.half_to[other as usize] } else { self.half_between(keep, other) };
        if found == NONE {
            self.halves[(half ^ 1) as usize].to = keep;
            self.link(keep, half);
            return;
        }
        self.unlink(other, half ^ 1);
        let (edge, sum) = (found / 2, self.weight[found as usize / 2] + self.weight[half as usize / 2]);
        self.weight[half as usize / 2] = f64::NAN;
        self.weight[edge as usize] = sum;
        queue.push(edge, sum);
    }

    /// A half of the edge between two nodes, looked for in the shorter list.
    fn half_between(&self, a: u32, b: u32) -> u32 {
        let (list, wanted) = if self.degree[a as usize] < self.degree[b as usize] { (a, b) } else { (b, a) };
        let mut half = self.first[list as usize];
        while half != NONE && self.halves[half as usize].to != wanted {
            half = self.halves[half as usize].next;
        }
        half
    }

    fn labels(mut self) -> Vec<u32> {
        for node in 0..self.parent.len() {
            let mut root = node as u32;
            while self.parent[root as usize] != root {
                root = self.parent[root as usize];
            }
            let mut walk = node as u32;
            while self.parent[walk as usize] != root {
                walk = std::mem::replace(&mut self.parent[walk as usize], root);
            }
        }
        let mut names = vec![NONE; self.parent.len()];
        let mut next = 0;
        for root in &mut self.parent {
            let name = &mut names[*root as usize];
            if *name == NONE {
                *name = next;
                next += 1;
            }
            *root = *name;
        }
        self.parent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use segcut_core::Partition;

    /// The same by a matrix and a search for its largest entry.
    fn by_matrix(n: usize, edges: &[[u32; 2]], weights: &[f64], clusters: Option<usize>) -> Vec<u32> {
        let mut matrix = vec![vec![None; n]; n];
        for (&[u, v], &w) in edges.iter().zip(weights) {
            (matrix[u as usize][v as usize], matrix[v as usize][u as usize]) = (Some(w), Some(w));
        }
        let mut labels: Vec<u32> = (0..n as u32).collect();
        let mut left = n;
        while left > clusters.unwrap_or(1) {
            let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
            let present = pairs.filter_map(|(a, b)| matrix[a][b].map(|w: f64| (w, a, b)));
            let Some((weight, a, b)) = present.max_by(|x, y| x.0.total_cmp(&y.0)) else { break };
            if clusters.is_none() && weight <= 0.0 {
                break;
            }
            for x in (0..n).filter(|&x| x != a && x != b) {
                let sum = match (matrix[a][x], matrix[b][x]) {
                    (Some(p), Some(q)) => Some(p + q),
                    (p, q) => p.or(q),
                };
                (matrix[a][x], matrix[x][a]) = (sum, sum);
                (matrix[b][x], matrix[x][b]) = (None, None);
            }
            (matrix[a][b], matrix[b][a]) = (None, None);
            labels.iter_mut().filter(|label| **label == b as u32).for_each(|label| *label = a as u32);
            left -= 1;
        }
        Partition::compact(&labels).labels().to_vec()
    }

    fn graphs() -> impl Strategy<Value = (usize, Vec<[u32; 2]>, Vec<f64>)> {
        (2usize..14).prop_flat_map(|n| {
            let weight = prop_oneof![3 => -1.0f64..1.0, 2 => Just(f64::NAN)];
            proptest::collection::vec(weight, n * (n - 1) / 2).prop_map(move |all| {
                let pairs = (0..n as u32).flat_map(|u| (u + 1..n as u32).map(move |v| [u, v]));
                let (edges, weights) = pairs.zip(all).filter(|(_, w)| !w.is_nan()).unzip();
                (n, edges, weights)
            })
        })
    }

    proptest! {
        #[test]
        fn lists_and_matrix_agree((n, edges, weights) in graphs(), k in 1usize..5) {
            for clusters in [None, Some(k)] {
                let found = edge_contraction(n, &edges, &weights, clusters);
                prop_assert_eq!(found, by_matrix(n, &edges, &weights, clusters));
            }
        }
    }

    #[test]
    fn signs_alone_decide_the_extremes() {
        let edges = [[0, 1], [0, 2], [1, 2]];
        assert_eq!(edge_contraction(3, &edges, &[1.0, 2.0, 3.0], None), [0, 0, 0]);
        assert_eq!(edge_contraction(3, &edges, &[-1.0, -2.0, 0.0], None), [0, 1, 2]);
        assert_eq!(edge_contraction(1, &[], &[], None), [0]);
        assert!(edge_contraction(0, &[], &[], None).is_empty());
    }

    #[test]
    fn a_number_of_clusters_goes_on_past_zero_and_stops_at_components() {
        let edges = [[0, 1], [1, 2], [3, 4]];
        assert_eq!(edge_contraction(5, &edges, &[-1.0, -2.0, -3.0], Some(4)), [0, 0, 1, 2, 3]);
        assert_eq!(edge_contraction(5, &edges, &[-1.0, -2.0, -3.0], Some(1)), [0, 0, 0, 1, 1]);
    }
}
