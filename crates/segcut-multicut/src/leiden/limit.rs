//! Communities → at most k of them.

use super::level::{Level, WeightTo};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Joins communities, the smallest mass first, with the one where quality gains most or loses least, until `k`
/// are left. A community without edges goes to the one of least mass.
///
/// Returns the label of each of the level's nodes, below k.
///
/// # Cost
/// O(m·log n) where the level is sparse; without edges O(c) per join.
pub(super) fn limit(level: &Level, rate: f64, k: usize) -> Vec<u32> {
    let n = level.n();
    let mut clusters = Joined { parent: (0..n as u32).collect(), members: (0..n as u32).map(|c| vec![c]).collect() };
    let mut mass = level.mass.clone();
    let mut heap: BinaryHeap<Reverse<(Mass, u32)>> = (0..).zip(&mass).map(|(c, &m)| Reverse((Mass(m), c))).collect();
    let mut to = WeightTo::new(n);
    let mut left = n;
    while left > k {
        let Some(Reverse((Mass(m), small))) = heap.pop() else { break };
        if clusters.parent[small as usize] != small || m != mass[small as usize] {
            continue;
        }
        for &node in &clusters.members[small as usize] {
            level.graph.row(node as usize).for_each(|(other, w)| to.add(clusters.parent[other as usize], w));
        }
        let mut best: Option<(f64, u32)> = None;
        for (other, weight) in to.entries().filter(|&(other, _)| other != small) {
            let gain = weight - rate * m * mass[other as usize];
            if best.is_none_or(|(value, c)| gain > value || (gain == value && other < c)) {
                best = Some((gain, other));
            }
        }
        to.clear();
        let smallest_other = || {
            let others = (0..n as u32).filter(|&c| c != small && clusters.parent[c as usize] == c);
            others.min_by(|&a, &b| mass[a as usize].total_cmp(&mass[b as usize]))
        };
        let Some(target) = best.map(|(_, target)| target).or_else(smallest_other) else { break };
        clusters.join(target, small);
        mass[target as usize] += m;
        heap.push(Reverse((Mass(mass[target as usize]), target)));
        left -= 1;
    }
    clusters.parent
}

struct Joined {
    parent: Vec<u32>,
    members: Vec<Vec<u32>>,
}

impl Joined {
    fn join(&mut self, keep: u32, gone: u32) {
        let members = std::mem::take(&mut self.members[gone as usize]);
        members.iter().for_each(|&node| self.parent[node as usize] = keep);
        self.members[keep as usize].extend(members);
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Mass(f64);

impl Eq for Mass {}

impl PartialOrd for Mass {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Mass {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
