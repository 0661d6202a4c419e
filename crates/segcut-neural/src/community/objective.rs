//! Outputs of the network → loss and its gradient.

use super::deviation::Deviation;
use super::links::Links;
use super::mincut::{inner, mincut};
use super::params::CommunityLoss;
use super::product::{times, turned_times};
use crate::exponential::exp;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

/// A loss on the outputs of a network over some nodes.
#[derive(Debug)]
pub(crate) struct Goal<'a> {
    pub(crate) kind: CommunityLoss,
    pub(crate) links: &'a Links,
    /// Attributes to be explained, n×d.
    pub(crate) rows: ArrayView2<'a, f32>,
    pub(crate) collapse: f64,
    pub(crate) variance: f64,
    pub(crate) reconstruction: f64,
}

/// A loss, and what of it keeps the outputs from collapsing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Terms {
    /// The whole, with the factors of its terms.
    pub(crate) loss: f64,
    /// The term whose factor is `collapse`: how far the outputs are from even or orthogonal.
    pub(crate) uneven: f64,
    /// The term whose factor is `variance`: how far deviations fall short.
    pub(crate) short: f64,
}

impl Terms {
    /// Adds a share of others.
    pub(crate) fn add(&mut self, share: f64, other: Self) {
        self.loss += share * other.loss;
        self.uneven += share * other.uneven;
        self.short += share * other.short;
    }
}

impl Goal<'_> {
    /// The loss of the outputs and its gradient with respect to them.
    pub(crate) fn of(&self, out: &Array2<f32>) -> (Terms, Array2<f32>) {
        if self.kind == CommunityLoss::Edge {
            let (terms, gradient) = self.edges(out);
            return self.varied(out.view(), 1.0, terms, gradient);
        }
        let s = softmax(out.clone());
        let (mut terms, mut gradient) = match self.kind {
            CommunityLoss::Ncut => mincut(self.links, s.view(), self.collapse),
            _ => self.modularity(s.view()),
        };
        if self.reconstruction > 0.0 {
            let (unexplained, of_s) = unexplained(s.view(), self.rows);
            terms.loss += self.reconstruction * unexplained;
            gradient.scaled_add(self.reconstruction as f32, &of_s);
        }
        let k = s.ncols().max(1) as f64;
        let (terms, gradient) = self.varied(s.view(), (k - 1.0).sqrt() / k, terms, gradient);
        let shared = (&gradient * &s).sum_axis(Axis(1)).insert_axis(Axis(1));
        (terms, (gradient - &shared) * &s)
    }

    /// With the term of the deviations.
    fn varied(
        &self,
        y: ArrayView2<'_, f32>,
        wanted: f64,
        mut terms: Terms,
        mut gradient: Array2<f32>,
    ) -> (Terms, Array2<f32>) {
        let deviation = Deviation::new(y, wanted);
        terms.short = deviation.shortfall();
        if self.variance > 0.0 {
            terms.loss += self.variance * terms.short;
            deviation.pull(y, self.variance, &mut gradient);
        }
        (terms, gradient)
    }

    /// DMoN (Tsitsulin et al. 2023, eq. 3); memberships of a graph without edges only balance.
    pub(super) fn modularity(&self, s: ArrayView2<'_, f32>) -> (Terms, Array2<f32>) {
        let (n, k) = s.dim();
        let volume = self.links.volume();
        let sums = s.sum_axis(Axis(0)).mapv(f64::from);
        let norm = sums.mapv(|v| v * v).sum().sqrt();
        let factor = (k as f64).sqrt() / n.max(1) as f64;
        let uneven = factor * norm - 1.0;
        let mut value = self.collapse * uneven;
        let mut gradient = Array2::zeros(s.raw_dim());
        if volume > 0.0 {
            let around = self.links.apply(s);
            let volumes = Array1::from_vec(self.links.degrees.clone()).dot(&s).mapv(f64::from);
            value -= inner(s, around.view()) / volume - volumes.mapv(|v| (v / volume).powi(2)).sum();
            let means = volumes.mapv(|v| (v / volume) as f32);
            gradient = around;
            for (mut row, &degree) in gradient.rows_mut().into_iter().zip(&self.links.degrees) {
                Zip::from(&mut row).and(&means).for_each(|g, &mean| *g = (degree * mean - *g) * (2.0 / volume) as f32);
            }
        }
        if norm > 0.0 {
            gradient += &sums.mapv(|v| (self.collapse * factor * v / norm) as f32);
        }
        (Terms { loss: value, uneven, short: 0.0 }, gradient)
    }

    /// Σ over edges of w‖y − y'‖² / Σ w + collapse·‖YᵀDY / tr D − I‖².
    fn edges(&self, y: &Array2<f32>) -> (Terms, Array2<f32>) {
        let volume = self.links.volume();
        if volume <= 0.0 {
            return (Terms::default(), Array2::zeros(y.raw_dim()));
        }
        let weighted = y * &Array1::from_vec(self.links.degrees.clone()).insert_axis(Axis(1));
        let rest = &weighted - &self.links.apply(y.view());
        let smooth = 2.0 * inner(y.view(), rest.view()) / volume;
        let mut off = turned_times(y.view(), weighted.view()).mapv(|v| f64::from(v) / volume);
        off.diag_mut().mapv_inplace(|v| v - 1.0);
        let uneven = off.mapv(|v| v * v).sum();
        let terms = Terms { loss: smooth + self.collapse * uneven, uneven, short: 0.0 };
        let pull = times(weighted.view(), off.mapv(|v| (4.0 * self.collapse * v / volume) as f32).view());
        (terms, rest * (4.0 / volume) as f32 + pull)
    }
}

/// The share of the rows' squared length that is left when every node gives up the means of its communities:
/// ‖X − S·M‖² / ‖X‖² with M the means weighted by memberships.
fn unexplained(s: ArrayView2<'_, f32>, x: ArrayView2<'_, f32>) -> (f64, Array2<f32>) {
    let total: f64 = x.iter().map(|&v| f64::from(v).powi(2)).sum();
    if total <= 0.0 {
        return (0.0, Array2::zeros(s.raw_dim()));
    }
    // Products with S and X once each: X − S·M is never formed.
    let sizes = (s.sum_axis(Axis(0)).mapv(f64::from) + 1e-6).insert_axis(Axis(1));
    let sums = turned_times(s, x).mapv(f64::from);
    let overlaps = turned_times(s, s).mapv(f64::from);
    let means = &sums / &sizes;
    let products = means.dot(&means.t());
    let value = (total - 2.0 * (&sums * &means).sum() + (&overlaps * &products).sum()) / total;
    // Through the memberships as factors, and through the means that they weight.
    let through = (&sums - &overlaps.dot(&means)) / &sizes;
    let offset = (&through * &means).sum_axis(Axis(1));
    let narrow = |wide: Array2<f64>| wide.mapv(|v| v as f32);
    let mut gradient = times(x, narrow(&means + &through).t()) - times(s, narrow(products).view());
    let factor = (-2.0 / total) as f32;
    gradient.rows_mut().into_iter().for_each(|mut row| {
        Zip::from(&mut row).and(&offset).for_each(|g, &offset| *g = factor * (*g - offset as f32));
    });
    (value, gradient)
}

/// Rows of memberships from rows of scores.
pub(super) fn softmax(mut x: Array2<f32>) -> Array2<f32> {
    for mut row in x.rows_mut() {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.mapv_inplace(|value| exp(value - most));
        let sum = row.sum();
        row /= sum;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::SparseAffinity;
    use serde_json::Value;

    fn matrix(value: &Value) -> Array2<f32> {
        let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).unwrap();
        Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
    }

    #[test]
    fn losses_and_gradients_on_karate_are_those_of_pytorch() {
        let fixture: Value =
            serde_json::from_str(include_str!("../../../../tests/oracle/gnn_losses/karate.json")).unwrap();
        let edges: Vec<[u32; 2]> = serde_json::from_value(fixture["edges"].clone()).unwrap();
        let weights = vec![1.0; edges.len()];
        let links = Links::of(&SparseAffinity::new(34, edges, weights).unwrap());
        let s = matrix(&fixture["C"]);
        let kind = CommunityLoss::Modularity;
        let goal = Goal { kind, links: &links, rows: s.view(), collapse: 1.0, variance: 0.0, reconstruction: 0.0 };
        let dmon = goal.modularity(s.view());
        let mincut = mincut(&links, s.view(), 1.0);
        for (name, (Terms { loss: value, uneven, .. }, gradient)) in [("dmon", dmon), ("mincut", mincut)] {
            assert!(uneven > 0.0);
            let wanted = fixture[name]["loss"].as_f64().unwrap();
            assert!((value - wanted).abs() < 1e-6, "{name}: {value} {wanted}");
            let of_s = matrix(&fixture[name]["gradient"]);
            assert!((gradient - of_s).iter().all(|d| d.abs() < 1e-6), "{name}");
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let edges = vec![[0, 1], [0, 4], [1, 2], [2, 3], [2, 5], [4, 5]];
        let affinity = SparseAffinity::new(7, edges, vec![1.0, 2.0, 0.5, 1.0, 3.0, 1.0]).unwrap();
        let links = Links::of(&affinity);
        let rows = Array2::from_shape_fn((7, 3), |(i, d)| ((i * 3 + d * 5) % 7) as f32 / 3.0 - 1.0);
        let out = Array2::from_shape_fn((7, 3), |(i, d)| ((i * 5 + d * 3) % 11) as f32 / 5.0 - 1.0);
        for kind in [CommunityLoss::Modularity, CommunityLoss::Ncut, CommunityLoss::Edge] {
            let (links, rows) = (&links, rows.view());
            let goal = Goal { kind, links, rows, collapse: 0.7, variance: 3.0, reconstruction: 0.5 };
            let (terms, gradient) = goal.of(&out);
            assert!(terms.short > 0.0 && terms.uneven != 0.0, "{kind:?} {terms:?}");
            for (at, &found) in gradient.indexed_iter() {
                let moved = |by: f32| {
                    let mut out = out.clone();
                    out[at] += by;
                    goal.of(&out).0.loss
                };
                let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!(
                    (f64::from(found) - slope).abs() < 5e-3 * slope.abs().max(0.1),
                    "{kind:?} {at:?}: {found} {slope}"
                );
            }
        }
    }
}
