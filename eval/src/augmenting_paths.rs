//! Maximum one-to-one matching of a bipartite graph.

/// No partner, not met.
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
    /// Shortest augmenting paths from one free left node after the other (Berge 1957, Kuhn 1955). The nodes
    /// of a search without success are never visited again: no augmenting path leads through them.
    ///
    /// # Cost
    /// All failing searches together visit each edge once; a succeeding one visits the edges near its path, all edges at worst.
    pub(crate) fn grow(mut self, graph: &Bipartite) -> Self {
        debug_assert_eq!(self.right.len(), graph.right, "the matching is of this graph");
        let mut search = Search { seen: vec![NONE; graph.right], from: vec![NONE; graph.right], queue: Vec::new() };
        for root in 0..self.left.len() as u32 {
            if self.left[root as usize] != NONE {
                continue;
            }
            match search.free_right(graph, &self, root) {
                Some(end) => self.flip(end, &search.from),
                None => search.bury(&self),
            }
        }
        self
    }

    /// Gives every left node of the path that ends here the neighbour it came by.
    fn flip(&mut self, end: u32, from: &[u32]) {
        let mut right = end;
        while right != NONE {
            let left = from[right as usize];
            let before = self.left[left as usize];
            self.join(left, right);
            right = before;
        }
    }
}

/// The search tree of one free left node.
struct Search {
    /// The root whose search met a right node last, or [`DEAD`].
    seen: Vec<u32>,
    /// The left node that a right node was met from.
    from: Vec<u32>,
    queue: Vec<u32>,
}

/// No augmenting path leads through this right node.
const DEAD: u32 = u32::MAX - 1;

impl Search {
    /// The nearest free right node along alternating paths, breadth first.
    fn free_right(&mut self, graph: &Bipartite, matching: &Matching, root: u32) -> Option<u32> {
        self.queue.clear();
        self.queue.push(root);
        let mut head = 0;
        while let Some(&left) = self.queue.get(head) {
            head += 1;
            for &right in graph.of(left) {
                let seen = &mut self.seen[right as usize];
                if *seen == root || *seen == DEAD {
                    continue;
                }
                *seen = root;
                self.from[right as usize] = left;
                match matching.right[right as usize] {
                    NONE => return Some(right),
                    partner => self.queue.push(partner),
                }
            }
        }
        None
    }

    /// Takes the nodes of a failed search out of all later ones.
    fn bury(&mut self, matching: &Matching) {
        for &left in &self.queue[1..] {
            self.seen[matching.left[left as usize] as usize] = DEAD;
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
