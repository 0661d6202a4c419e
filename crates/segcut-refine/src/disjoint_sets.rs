//! Disjoint sets of numbers 0 … n−1.

/// Disjoint sets with path halving (Tarjan and van Leeuwen 1984); the caller says which root stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct DisjointSets {
    parent: Vec<u32>,
}

impl DisjointSets {
    /// n sets of one member each.
    pub(crate) fn singletons(n: usize) -> Self {
        Self { parent: (0..n as u32).collect() }
    }

    /// Adds a set of one member and returns its number.
    pub(crate) fn push(&mut self) -> u32 {
        let name = self.parent.len() as u32;
        self.parent.push(name);
        name
    }

    /// The root of a member's set.
    pub(crate) fn find(&mut self, mut member: u32) -> u32 {
        while self.parent[member as usize] != member {
            let above = self.parent[self.parent[member as usize] as usize];
            self.parent[member as usize] = above;
            member = above;
        }
        member
    }

    /// Puts the set of root `child` under root `root`.
    pub(crate) fn hang(&mut self, child: u32, root: u32) {
        self.parent[child as usize] = root;
    }

    /// Joins two sets; the smaller root stays.
    pub(crate) fn unite(&mut self, a: u32, b: u32) -> u32 {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        self.hang(high, low);
        low
    }

    /// A number from 0 for every set, in the order of the roots; one entry per member, and how many.
    pub(crate) fn number(mut self) -> (Vec<u32>, usize) {
        let n = self.parent.len() as u32;
        let mut names = vec![0; n as usize];
        let mut next = 0;
        for member in 0..n {
            if self.parent[member as usize] == member {
                names[member as usize] = next;
                next += 1;
            }
        }
        for member in 0..n {
            names[member as usize] = names[self.find(member) as usize];
        }
        (names, next as usize)
    }
}
