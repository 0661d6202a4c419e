//! Node terminals on a graph to a minimum cut, by Dinic's blocking flows.

use crate::pencil::Pencil;
use std::collections::VecDeque;

/// Residuals below this share of an arc's weight count as none.
const ROUNDING: f64 = 1e-14;
/// Terminal flow below this share of a node's gain counts as none.
const SETTLED: f64 = 1e-11;
const UNSEEN: u32 = u32::MAX;

/// Residual capacities of a graph whose edges carry their weight both ways.
#[derive(Debug, Clone)]
pub(crate) struct MaxFlow<'a> {
    pencil: &'a Pencil,
    /// The first arc of each node; arc a of node i leads to its a-th neighbor.
    starts: Vec<usize>,
    reverse: Vec<u32>,
    residual: Vec<f64>,
    /// What still flows in from the source (above 0) or out to the sink (below 0).
    terminal: Vec<f64>,
    limit: Vec<f64>,
    level: Vec<u32>,
    next: Vec<usize>,
}

impl<'a> MaxFlow<'a> {
    pub(crate) fn new(pencil: &'a Pencil) -> Self {
        let n = pencil.n();
        let mut starts = vec![0; n + 1];
        for i in 0..n {
            starts[i + 1] = starts[i] + pencil.row(i).0.len();
        }
        let mut reverse = vec![0u32; starts[n]];
        for i in 0..n {
            for (a, &j) in pencil.row(i).0.iter().enumerate() {
                let back = pencil.row(j as usize).0.partition_point(|&b| (b as usize) < i);
                reverse[starts[i] + a] = (starts[j as usize] + back) as u32;
            }
        }
        Self {
            pencil,
            starts,
            reverse,
            residual: (0..n).flat_map(|i| pencil.row(i).1).copied().collect(),
            terminal: Vec::new(),
            limit: Vec::new(),
            level: vec![UNSEEN; n],
            next: vec![0; n],
        }
    }

    /// The smallest X that minimizes cut(X) − gain(X).
    ///
    /// Dinic 1970; a node of positive gain hangs on the source, one of negative gain on the sink. The flow between
    /// nodes stays from call to call, whatever the gains were (Kohli & Torr 2007), because a node's terminal flow is
    /// its gain less what flows out of it. The pencil's rows must be sorted.
    pub(crate) fn minimum_cut(&mut self, gain: &[f64]) -> Vec<bool> {
        let outflow = |i: usize| {
            let left = &self.residual[self.starts[i]..self.starts[i + 1]];
            self.pencil.row(i).1.iter().zip(left).map(|(w, r)| w - r).sum::<f64>()
        };
        self.terminal = gain.iter().enumerate().map(|(i, g)| g - outflow(i)).collect();
        self.limit = gain.iter().map(|g| g.abs() * SETTLED).collect();
        while self.layers() {
            self.next.copy_from_slice(&self.starts[..self.pencil.n()]);
            let sources: Vec<usize> = (0..gain.len()).filter(|&i| self.level[i] == 0).collect();
            for source in sources {
                while self.augment(source) {}
            }
        }
        self.level.iter().map(|&l| l != UNSEEN).collect()
    }

    fn open(&self, i: usize, arc: usize) -> bool {
        self.residual[arc] > ROUNDING * self.pencil.row(i).1[arc - self.starts[i]]
    }

    fn is_source(&self, i: usize) -> bool {
        self.terminal[i] > self.limit[i]
    }

    fn is_sink(&self, i: usize) -> bool {
        self.terminal[i] < -self.limit[i]
    }

    /// Distances from the sources; whether a sink is reached.
    fn layers(&mut self) -> bool {
        self.level.fill(UNSEEN);
        let mut queue = VecDeque::new();
        for i in 0..self.pencil.n() {
            if self.is_source(i) {
                self.level[i] = 0;
                queue.push_back(i);
            }
        }
        let mut reached = false;
        while let Some(i) = queue.pop_front() {
            reached |= self.is_sink(i);
            for arc in self.starts[i]..self.starts[i + 1] {
                let j = self.pencil.row(i).0[arc - self.starts[i]] as usize;
                if self.level[j] == UNSEEN && self.open(i, arc) {
                    self.level[j] = self.level[i] + 1;
                    queue.push_back(j);
                }
            }
        }
        reached
    }

    /// Pushes flow along one path of rising levels from a source to a sink; false where there is none.
    fn augment(&mut self, source: usize) -> bool {
        if !self.is_source(source) {
            return false;
        }
        let mut path: Vec<usize> = Vec::new();
        let mut at = source;
        while !self.is_sink(at) {
            match self.advance(at) {
                Some((arc, to)) => {
                    path.push(arc);
                    at = to;
                }
                None => {
                    let Some(arc) = path.pop() else { return false };
                    at = self.head(self.reverse[arc] as usize, at);
                    self.next[at] += 1;
                }
            }
        }
        self.push(source, &path, at);
        true
    }

    /// The next open arc to the following level.
    fn advance(&mut self, i: usize) -> Option<(usize, usize)> {
        while self.next[i] < self.starts[i + 1] {
            let arc = self.next[i];
            let j = self.head(arc, i);
            if self.level[j] == self.level[i].wrapping_add(1) && self.open(i, arc) {
                return Some((arc, j));
            }
            self.next[i] += 1;
        }
        None
    }

    /// Where an arc of node i leads.
    fn head(&self, arc: usize, i: usize) -> usize {
        self.pencil.row(i).0[arc - self.starts[i]] as usize
    }

    fn push(&mut self, source: usize, path: &[usize], sink: usize) {
        let least = path.iter().map(|&arc| self.residual[arc]).fold(f64::INFINITY, f64::min);
        let flow = least.min(self.terminal[source]).min(-self.terminal[sink]);
        for &arc in path {
            self.residual[arc] -= flow;
            self.residual[self.reverse[arc] as usize] += flow;
        }
        self.terminal[source] -= flow;
        self.terminal[sink] += flow;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pencil::Laplacian;
    use segcut_core::SparseAffinity;

    #[test]
    fn the_cut_is_the_best_of_all_subsets() {
        let n = 8u32;
        let all = (0..n).flat_map(|u| (u + 1..n).map(move |v| [u, v]));
        let edges: Vec<[u32; 2]> = all.filter(|[u, v]| (u * 3 + v * 5) % 3 != 0).collect();
        let weights: Vec<f64> = edges.iter().map(|[u, v]| f64::from((u + 1) * (v + 2) % 7 + 1) * 0.125).collect();
        let affinity = SparseAffinity::new(n as usize, edges.clone(), weights.clone()).unwrap();
        let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap();
        let mut flow = MaxFlow::new(&pencil);
        for case in 0..50u32 {
            let gain: Vec<f64> = (0..n).map(|i| f64::from((i * 37 + case * 101) % 19) * 0.25 - 2.0).collect();
            let value = |inside: &dyn Fn(u32) -> bool| {
                let cut = edges.iter().zip(&weights).filter(|([u, v], _)| inside(*u) != inside(*v));
                cut.map(|(_, w)| w).sum::<f64>() - (0..n).filter(|&i| inside(i)).map(|i| gain[i as usize]).sum::<f64>()
            };
            let best = (0..1u32 << n).map(|set| value(&|i| set >> i & 1 == 1)).fold(f64::INFINITY, f64::min);
            let found = flow.minimum_cut(&gain);
            assert!((value(&|i| found[i as usize]) - best).abs() < 1e-12);
        }
    }
}
