//! Outputs of the network → loss and its gradient.

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
    pub(crate) reconstruction: f64,
}

impl Goal<'_> {
    /// The loss of the outputs and its gradient with respect to them.
    pub(crate) fn of(&self, out: &Array2<f32>) -> (f64, Array2<f32>) {
        if self.kind == CommunityLoss::Edge {
            return self.edges(out);
        }
        let s = softmax(out.clone());
        let (mut value, mut gradient) = match self.kind {
            CommunityLoss::Ncut => mincut(self.links, s.view(), self.collapse),
            _ => self.modularity(s.view()),
        };
        if self.reconstruction > 0.0 {
            let (unexplained, of_s) = unexplained(s.view(), self.rows);
            value += self.reconstruction * unexplained;
            gradient.scaled_add(self.reconstruction as f32, &of_s);
        }
        let shared = (&gradient * &s).sum_axis(Axis(1)).insert_axis(Axis(1));
        (value, (gradient - &shared) * &s)
    }

    /// DMoN (Tsitsulin et al. 2023, eq. 3); memberships of a graph without edges only balance.
    pub(super) fn modularity(&self, s: ArrayView2<'_, f32>) -> (f64, Array2<f32>) {
        let (n, k) = s.dim();
        let volume = self.links.volume();
        let sums = s.sum_axis(Axis(0)).mapv(f64::from);
        let norm = sums.mapv(|v| v * v).sum().sqrt();
        let factor = (k as f64).sqrt() / n.max(1) as f64;
        let mut value = self.collapse * (factor * norm - 1.0);
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
        (value, gradient)
    }

    /// Σ over edges of w‖y − y'‖² / Σ w + collapse·‖YᵀDY / tr D − I‖².
    fn edges(&self, y: &Array2<f32>) -> (f64, Array2<f32>) {
        let volume = self.links.volume();
        if volume <= 0.0 {
            return (0.0, Array2::zeros(y.raw_dim()));
        }
        let weighted = y * &Array1::from_vec(self.links.degrees.clone()).insert_axis(Axis(1));
        let rest = &weighted - &self.links.apply(y.view());
        let smooth = 2.0 * inner(y.view(), rest.view()) / volume;
        let mut off = turned_times(y.view(), weighted.view()).mapv(|v| f64::from(v) / volume);
        off.diag_mut().mapv_inplace(|v| v - 1.0);
        let value = smooth + self.collapse * off.mapv(|v| v * v).sum();
        let pull = times(weighted.view(), off.mapv(|v| (4.0 * self.collapse * v / volume) as f32).view());
        (value, rest * (4.0 / volume) as f32 + pull)
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
        let goal = Goal { kind, links: &links, rows: s.view(), collapse: 1.0, reconstruction: 0.0 };
        let dmon = goal.modularity(s.view());
        let mincut = mincut(&links, s.view(), 1.0);
        for (name, (value, gradient)) in [("dmon", dmon), ("mincut", mincut)] {
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
            let goal = Goal { kind, links: &links, rows: rows.view(), collapse: 0.7, reconstruction: 0.5 };
            let (_, gradient) = goal.of(&out);
            for (at, &found) in gradient.indexed_iter() {
                let moved = |by: f32| {
                    let mut out = out.clone();
                    out[at] += by;
                    goal.of(&out).0
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
