//! A set of nodes to a set with a lower balanced cut, by passes of single moves.

use super::inverse_power::CutSet;
use crate::pencil::Pencil;
use crate::plaplacian::{Criterion, part};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Moves after the last improvement at which a pass ends.
const PATIENCE: usize = 60;
/// Bound on passes.
const PASSES: usize = 20;

/// Passes of moves until one does not lower the criterion.
///
/// Fiduccia & Mattheyses 1982: each node moves at most once a pass, the one that lowers the cut most first,
/// worsening moves included; the best state of the pass is kept. Differs by the criterion, a balanced cut
/// in place of a bound on sizes, and by an end `PATIENCE` moves after the last improvement.
pub(crate) fn improve(pencil: &Pencil, criterion: Criterion, start: CutSet) -> CutSet {
    let mut best = start;
    for _ in 0..PASSES {
        let mut pass = Pass::new(pencil, criterion, &best.above);
        let Some(better) = pass.run(best.value) else { break };
        best = better;
    }
    best
}

struct Pass<'a> {
    pencil: &'a Pencil,
    criterion: Criterion,
    above: Vec<bool>,
    /// Weight to the other side minus weight to the own side.
    gain: Vec<f64>,
    moved: Vec<bool>,
    cut: f64,
    sizes: [f64; 2],
    counts: [usize; 2],
    heap: BinaryHeap<Move>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Move {
    gain: f64,
    node: u32,
}

impl Eq for Move {}

impl PartialOrd for Move {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Move {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.node.cmp(&self.node))
    }
}

impl<'a> Pass<'a> {
    fn new(pencil: &'a Pencil, criterion: Criterion, above: &[bool]) -> Self {
        let n = pencil.n();
        let mut pass = Self {
            pencil,
            criterion,
            above: above.to_vec(),
            gain: vec![0.0; n],
            moved: vec![false; n],
            cut: 0.0,
            sizes: [0.0; 2],
            counts: [0; 2],
            heap: BinaryHeap::new(),
        };
        for i in 0..n {
            let (mut other, mut own) = (0.0, 0.0);
            let (neighbors, weights) = pencil.row(i);
            for (&j, &w) in neighbors.iter().zip(weights) {
                *(if above[i] == above[j as usize] { &mut own } else { &mut other }) += w;
            }
            pass.gain[i] = other - own;
            pass.cut += 0.5 * other;
            pass.sizes[usize::from(above[i])] += pencil.mass()[i];
            pass.counts[usize::from(above[i])] += 1;
            if other > 0.0 {
                pass.heap.push(Move { gain: other - own, node: i as u32 });
            }
        }
        pass
    }

    /// The best state of the pass, where it is below `value`.
    fn run(&mut self, value: f64) -> Option<CutSet> {
        let mut order: Vec<usize> = Vec::new();
        let mut best = (value, 0);
        while let Some(next) = self.heap.pop() {
            let i = next.node as usize;
            let last_of_side = self.counts[usize::from(self.above[i])] == 1;
            if self.moved[i] || next.gain != self.gain[i] || last_of_side {
                continue;
            }
            self.shift(i);
            order.push(i);
            let now = self.criterion.of([part(self.cut, self.sizes[0]), part(self.cut, self.sizes[1])]);
            if now < best.0 * (1.0 - 1e-12) && self.cut > 1e-12 * self.sizes[0].min(self.sizes[1]) {
                best = (now, order.len());
            }
            if order.len() > best.1 + PATIENCE {
                break;
            }
        }
        if best.1 == 0 {
            return None;
        }
        order[best.1..].iter().for_each(|&i| self.above[i] = !self.above[i]);
        Some(CutSet { above: std::mem::take(&mut self.above), value: best.0 })
    }

    fn shift(&mut self, i: usize) {
        let from = usize::from(self.above[i]);
        self.above[i] = !self.above[i];
        self.moved[i] = true;
        self.cut -= self.gain[i];
        self.sizes[from] -= self.pencil.mass()[i];
        self.sizes[1 - from] += self.pencil.mass()[i];
        self.counts[from] -= 1;
        self.counts[1 - from] += 1;
        let (neighbors, weights) = self.pencil.row(i);
        for (&j, &w) in neighbors.iter().zip(weights) {
            let j = j as usize;
            self.gain[j] += if self.above[j] == self.above[i] { -2.0 * w } else { 2.0 * w };
            if !self.moved[j] {
                self.heap.push(Move { gain: self.gain[j], node: j as u32 });
            }
        }
    }
}
