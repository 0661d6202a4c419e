//! A set of nodes to a set with a lower balanced cut: the inverse power method of the 1-Laplacian.

use super::fista::DualProblem;
use super::kernighan_lin::improve;
use super::max_flow::MaxFlow;
use crate::pencil::Pencil;
use crate::plaplacian::{Criterion, part};
use segcut_core::{Context, Stop};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Bound on the descents; each one lowers the criterion.
const STEPS: usize = 200;
/// Steps on the Euclidean ball, and the iterations of the first one's inner problem.
const SMOOTH_STEPS: usize = 4;
const INNER: usize = 40;
/// Sets above this multiple of the lowest value so far, after single moves, are left.
const HOPELESS: f64 = 3.0;

/// The descent on one graph.
pub(crate) struct InversePower<'a> {
    pencil: &'a Pencil,
    criterion: Criterion,
    flow: MaxFlow<'a>,
    /// Where the descent from a set ends, for every set on the way of an earlier one.
    ends: BTreeMap<Vec<u64>, Rc<CutSet>>,
    /// The lowest value of all ends.
    least: f64,
}

/// A set with the value of its cut.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CutSet {
    pub(crate) above: Vec<bool>,
    pub(crate) value: f64,
}

impl<'a> InversePower<'a> {
    pub(crate) fn new(pencil: &'a Pencil, criterion: Criterion) -> Self {
        Self { pencil, criterion, flow: MaxFlow::new(pencil), ends: BTreeMap::new(), least: f64::INFINITY }
    }

    /// Descends from a set until no step lowers the criterion.
    ///
    /// Hein & Bühler, An inverse power method for nonlinear eigenproblems, NIPS 2010, algorithm 2, with the
    /// balancing functions of Hein & Setzer 2011: f⁺ minimizes R(f) − λ·⟨r(f), f⟩ over a norm's ball. On the ball
    /// of the maximum norm the inner problem is a minimum cut and is solved exactly, so every iterate is a set
    /// (Andersen & Lang 2008 came to the same steps from flows); the paper takes the Euclidean ball and an
    /// approximate solver. For an indicator the steps of the sum and of the Cheeger criterion are the same; a
    /// step that does not lower the criterion ends the descent.
    pub(crate) fn descend(&mut self, start: Vec<bool>, context: &Context) -> Rc<CutSet> {
        let mut best = CutSet { value: self.value(&start), above: start };
        let mut way = Vec::new();
        let end = loop {
            let moved = self.by_moves(best);
            let before = moved.value;
            if before > HOPELESS * self.least {
                break Rc::new(moved);
            }
            let (flowed, known) = self.by_flows(moved, &mut way, context);
            if let Some(end) = known {
                break end;
            }
            if flowed.value >= before * (1.0 - 1e-12) || context.stopped() != Stop::No {
                break Rc::new(flowed);
            }
            best = flowed;
        };
        if context.stopped() == Stop::No {
            way.into_iter().for_each(|set| {
                self.ends.insert(set, Rc::clone(&end));
            });
        }
        self.least = self.least.min(end.value);
        end
    }

    /// Single moves, where they lower the criterion.
    fn by_moves(&self, start: CutSet) -> CutSet {
        let moved = improve(self.pencil, self.criterion, start.clone());
        // Sums that moves carry along lose digits: the value is taken from the edges.
        let value = self.value(&moved.above);
        if value < start.value { CutSet { value, ..moved } } else { start }
    }

    /// Steps from set to set; ends at a set with a known end too.
    fn by_flows(
        &mut self,
        mut best: CutSet,
        way: &mut Vec<Vec<u64>>,
        context: &Context,
    ) -> (CutSet, Option<Rc<CutSet>>) {
        for _ in 0..STEPS {
            let set = packed(&best.above);
            if let Some(end) = self.ends.get(&set) {
                return (best, Some(Rc::clone(end)));
            }
            way.push(set);
            if context.stopped() != Stop::No || !(best.value > 0.0 && best.value.is_finite()) {
                break;
            }
            let above = self.flow.minimum_cut(&self.gain(&best.above));
            let value = self.value(&above);
            if value >= best.value * (1.0 - 1e-14) {
                break;
            }
            best = CutSet { above, value };
        }
        (best, None)
    }

    /// Steps of the method on the Euclidean ball, from a vector to one with a lower ratio R/S.
    ///
    /// Hein & Bühler 2010: inner problems are left early; where a step does not lower the ratio the next one gets
    /// twice the iterations.
    pub(crate) fn smooth_descent(&self, dual: &mut DualProblem, start: &[f64]) -> Vec<f64> {
        let mut f = start.to_vec();
        let (mut gain, mut lambda) = self.ratio(&f);
        let (mut inner, mut scale) = (INNER, 1.0);
        for _ in 0..SMOOTH_STEPS {
            let target: Vec<f64> = gain.iter().map(|g| lambda * g).collect();
            let next = dual.solve(&target, inner, scale);
            let (next_gain, next_lambda) = self.ratio(&next);
            if next_lambda < lambda {
                scale = next_lambda / lambda;
                (f, gain, lambda) = (next, next_gain, next_lambda);
            } else {
                (inner, scale) = (2 * inner, 1.0);
            }
        }
        f
    }

    /// A subgradient of S at a vector and R/S; infinite for constants.
    fn ratio(&self, vector: &[f64]) -> (Vec<f64>, f64) {
        let gain = match self.criterion {
            Criterion::Cut => self.pairwise_gain(vector),
            Criterion::Cheeger | Criterion::Balanced => self.median_gain(vector),
        };
        let size: f64 = gain.iter().zip(vector).map(|(g, x)| g * x).sum();
        let lambda = if size > 0.0 { energy(self.pencil, vector) / size } else { f64::INFINITY };
        (gain, lambda)
    }

    /// λ·r at an indicator: cut/S(C)·s on the set, −cut/S(rest)·s elsewhere, for both criteria.
    fn gain(&self, above: &[bool]) -> Vec<f64> {
        let (cut, sizes) = cut_and_sizes(self.pencil, above);
        let rates = [-part(cut, sizes[0]), part(cut, sizes[1])];
        above.iter().zip(self.pencil.mass()).map(|(&a, s)| s * rates[usize::from(a)]).collect()
    }

    /// Subgradient of Σ s_i |f_i − median|.
    fn median_gain(&self, vector: &[f64]) -> Vec<f64> {
        let mass = self.pencil.mass();
        let median = weighted_median(vector, mass);
        let sum =
            |sign: f64| vector.iter().zip(mass).filter(|(x, _)| (**x - median) * sign > 0.0).map(|(_, s)| s).sum();
        let (above, below): (f64, f64) = (sum(1.0), sum(-1.0));
        let at: f64 = vector.iter().zip(mass).filter(|(x, _)| **x == median).map(|(_, s)| s).sum();
        let middle = if at > 0.0 { -(above - below) / at } else { 0.0 };
        let gain = |(x, s): (&f64, &f64)| if *x == median { s * middle } else { s * (x - median).signum() };
        vector.iter().zip(mass).map(gain).collect()
    }

    /// Subgradient of (1/S) Σ_{i<j} s_i s_j |f_i − f_j|: s_i (S_below − S_above)/S, equal values alike.
    fn pairwise_gain(&self, vector: &[f64]) -> Vec<f64> {
        let mass = self.pencil.mass();
        let total: f64 = mass.iter().sum();
        let mut order: Vec<usize> = (0..vector.len()).collect();
        order.sort_by(|&a, &b| vector[a].total_cmp(&vector[b]));
        let mut gain = vec![0.0; vector.len()];
        let mut below = 0.0;
        for group in order.chunk_by(|&a, &b| vector[a] == vector[b]) {
            let at: f64 = group.iter().map(|&i| mass[i]).sum();
            let above = total - below - at;
            group.iter().for_each(|&i| gain[i] = mass[i] * (below - above) / total);
            below += at;
        }
        gain
    }

    pub(crate) fn value(&self, above: &[bool]) -> f64 {
        let upper = above.iter().filter(|&&a| a).count();
        if upper == 0 || upper == above.len() {
            return f64::INFINITY;
        }
        let (cut, sizes) = cut_and_sizes(self.pencil, above);
        self.criterion.of([part(cut, sizes[0]), part(cut, sizes[1])])
    }
}

/// One bit per node, the same for a set and its complement.
fn packed(above: &[bool]) -> Vec<u64> {
    let flip = above.first().copied().unwrap_or(false);
    let word = |nodes: &[bool]| nodes.iter().enumerate().fold(0, |word, (bit, &a)| word | u64::from(a != flip) << bit);
    above.chunks(64).map(word).collect()
}

/// The weight across, and the sizes of the lower and of the upper side.
fn cut_and_sizes(pencil: &Pencil, above: &[bool]) -> (f64, [f64; 2]) {
    let mut cut = 0.0;
    let mut sizes = [0.0; 2];
    for (i, &side) in above.iter().enumerate() {
        sizes[usize::from(side)] += pencil.mass()[i];
        if side {
            let (neighbors, weights) = pencil.row(i);
            let across = neighbors.iter().zip(weights).filter(|&(&j, _)| !above[j as usize]);
            cut += across.map(|(_, w)| w).sum::<f64>();
        }
    }
    (cut, sizes)
}

/// Σ_{i<j} w_ij |v_i − v_j|.
fn energy(pencil: &Pencil, v: &[f64]) -> f64 {
    let of = |i: usize| {
        let (neighbors, weights) = pencil.row(i);
        neighbors.iter().zip(weights).map(|(&j, w)| w * (v[i] - v[j as usize]).max(0.0)).sum::<f64>()
    };
    (0..v.len()).map(of).sum()
}

/// The smallest value with at least half of the mass at or below it.
fn weighted_median(vector: &[f64], mass: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..vector.len()).collect();
    order.sort_by(|&a, &b| vector[a].total_cmp(&vector[b]));
    let half = 0.5 * mass.iter().sum::<f64>();
    let mut running = 0.0;
    for &i in &order {
        running += mass[i];
        if running >= half {
            return vector[i];
        }
    }
    order.last().map_or(0.0, |&i| vector[i])
}
