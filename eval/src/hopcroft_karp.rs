//! Maximum one-to-one matching of a bipartite graph.

use std::collections::VecDeque;

/// No partner, no layer.
const NONE: u32 = u32::MAX;

/// A bipartite graph: the right neighbours of every left node, one list after the other.
#[derive(Debug, Clone)]
pub(crate) struct Bipartite {
    starts: Vec<u32>,
    neighbours: Vec<u32>,
    right: usize,
}

/// Which nodes have a partner.
#[derive(Debug, Clone)]
pub(crate) struct Matching {
    left: Vec<u32>,
    right: Vec<u32>,
}

impl Bipartite {
    /// A graph from its edges (left, right); each node keeps the order of its edges.
    pub(crate) fn new(left: usize, right: usize, edges: &[[u32; 2]]) -> Self {
        let mut starts = vec![0u32; left + 2];
        for &[l, _] in edges {
            starts[l as usize + 2] += 1;
        }
        for i in 2..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut neighbours = vec![0; edges.len()];
        for &[l, r] in edges {
            let slot = &mut starts[l as usize + 1];
            neighbours[*slot as usize] = r;
            *slot += 1;
        }
        starts.pop();
        Self { starts, neighbours, right }
    }

    fn of(&self, left: u32) -> &[u32] {
        &self.neighbours[self.starts[left as usize] as usize..self.starts[left as usize + 1] as usize]
    }
}

impl Matching {
    /// The first edge of the list whose ends are both free is taken, then the next.
    pub(crate) fn greedy(left: usize, right: usize, edges: &[[u32; 2]]) -> Self {
        let mut matching = Self { left: vec![NONE; left], right: vec![NONE; right] };
        for &[l, r] in edges {
            if matching.left[l as usize] == NONE && matching.right[r as usize] == NONE {
                matching.join(l, r);
            }
        }
        matching
    }

    /// Left nodes that have a partner.
    pub(crate) fn matched_left(&self) -> impl Iterator<Item = usize> + '_ {
        self.left.iter().enumerate().filter(|(_, r)| **r != NONE).map(|(l, _)| l)
    }

    /// The number of pairs.
    pub(crate) fn pairs(&self) -> usize {
        self.matched_left().count()
    }

    fn join(&mut self, left: u32, right: u32) {
        self.left[left as usize] = right;
        self.right[right as usize] = left;
    }

    /// Makes the number of pairs as large as possible; nodes that have a partner keep one.
    ///
    /// Hopcroft and Karp 1973: phases of shortest augmenting paths, without recursion.
    ///
    /// # Cost
    /// O(edges·√nodes).
    pub(crate) fn grow(mut self, graph: &Bipartite) -> Self {
        debug_assert_eq!(self.right.len(), graph.right, "the matching is of this graph");
        let mut free: Vec<u32> =
            (0..self.left.len() as u32).filter(|&l| self.left[l as usize] == NONE && !graph.of(l).is_empty()).collect();
        let mut layer = vec![NONE; self.left.len()];
        let mut next = vec![0u32; self.left.len()];
        while self.layers(graph, &free, &mut layer) {
            next.fill(0);
            for &root in &free {
                self.augment(graph, root, &mut layer, &mut next);
            }
            free.retain(|&l| self.left[l as usize] == NONE);
        }
        self
    }

    /// Left nodes by their distance from a free one, as far as the nearest free right node; whether there is one.
    fn layers(&self, graph: &Bipartite, free: &[u32], layer: &mut [u32]) -> bool {
        layer.fill(NONE);
        let mut queue: VecDeque<u32> = free.iter().copied().collect();
        free.iter().for_each(|&l| layer[l as usize] = 0);
        let mut last = NONE;
        while let Some(l) = queue.pop_front() {
            let depth = layer[l as usize];
            if depth >= last {
                break;
            }
            for &r in graph.of(l) {
                let partner = self.right[r as usize];
                if partner == NONE {
                    last = depth + 1;
                } else if layer[partner as usize] == NONE {
                    layer[partner as usize] = depth + 1;
                    queue.push_back(partner);
                }
            }
        }
        last != NONE
    }

    /// Follows the layers from a free left node to a free right one and flips the path.
    fn augment(&mut self, graph: &Bipartite, root: u32, layer: &mut [u32], next: &mut [u32]) {
        let mut path = vec![root];
        while let Some(&l) = path.last() {
            let Some(&r) = graph.of(l).get(next[l as usize] as usize) else {
                layer[l as usize] = NONE;
                path.pop();
                continue;
            };
            next[l as usize] += 1;
            let partner = self.right[r as usize];
            if partner == NONE {
                return self.flip(graph, &path, next);
            }
            if layer[partner as usize] != NONE && layer[partner as usize] == layer[l as usize] + 1 {
                path.push(partner);
            }
        }
    }

    /// Gives every left node of the path the neighbour it was left by.
    fn flip(&mut self, graph: &Bipartite, path: &[u32], next: &[u32]) {
        for &l in path {
            let r = graph.of(l)[next[l as usize] as usize - 1];
            self.join(l, r);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Kuhn's plain augmenting search.
    fn plain(left: usize, right: usize, edges: &[[u32; 2]]) -> usize {
        fn search(l: u32, edges: &[[u32; 2]], partner: &mut [u32], seen: &mut [bool]) -> bool {
            for &[_, r] in edges.iter().filter(|e| e[0] == l) {
                let r = r as usize;
                if std::mem::replace(&mut seen[r], true) {
                    continue;
                }
                if partner[r] == NONE || search(partner[r], edges, partner, seen) {
                    partner[r] = l;
                    return true;
                }
            }
            false
        }
        let mut partner = vec![NONE; right];
        (0..left as u32).filter(|&l| search(l, edges, &mut partner, &mut vec![false; right])).count()
    }

    proptest! {
        #[test]
        fn as_many_pairs_as_the_plain_search(edges in prop::collection::vec([0u32..14, 0u32..11], 0..60)) {
            let greedy = Matching::greedy(14, 11, &edges);
            let kept: Vec<usize> = greedy.matched_left().collect();
            let grown = greedy.grow(&Bipartite::new(14, 11, &edges));
            prop_assert_eq!(grown.pairs(), plain(14, 11, &edges));
            for (l, &r) in grown.left.iter().enumerate().filter(|(_, r)| **r != NONE) {
                prop_assert!(edges.contains(&[l as u32, r]));
                prop_assert_eq!(grown.right[r as usize] as usize, l);
            }
            prop_assert!(kept.iter().all(|&l| grown.left[l] != NONE));
        }
    }
}
