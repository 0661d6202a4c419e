//! A node vector to the p-Laplacian's functional F_p, its centre and its gradient.

use super::powers::{centre_slope, power_sums, signed_powers};
use crate::pencil::Pencil;

/// Bound on the Newton steps for the centre.
const CENTRE_STEPS: usize = 100;

/// F_p of one graph: Σ_{i<j} w_ij |v_i − v_j|^p / min_c Σ_i s_i |v_i − c|^p.
///
/// Bühler & Hein, Spectral clustering based on the graph p-Laplacian, ICML 2009, eq. 7 and theorem 3.2, each
/// edge counted once, so that F_2 is the second eigenvalue. s is the pencil's mass.
#[derive(Debug, Clone)]
pub struct PFunctional<'a> {
    pencil: &'a Pencil,
    edges: Vec<[u32; 2]>,
    weights: Vec<f64>,
    p: f64,
}

/// F_p at one vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValue {
    /// Σ_{i<j} w_ij |v_i − v_j|^p.
    pub energy: f64,
    /// Σ_i s_i |v_i − c|^p.
    pub size: f64,
    /// The centre c.
    pub centre: f64,
}

impl PValue {
    /// F_p.
    pub fn value(&self) -> f64 {
        self.energy / self.size
    }
}

impl<'a> PFunctional<'a> {
    /// The functional of a graph for an exponent in (1, 2].
    pub fn new(pencil: &'a Pencil, p: f64) -> Self {
        let (mut edges, mut weights) = (Vec::new(), Vec::new());
        for i in 0..pencil.n() {
            let (neighbors, row) = pencil.row(i);
            for (&j, &w) in neighbors.iter().zip(row).filter(|&(&j, _)| j as usize > i) {
                edges.push([i as u32, j]);
                weights.push(w);
            }
        }
        Self { pencil, edges, weights, p }
    }

    /// The same graph with another exponent.
    pub fn with_exponent(self, p: f64) -> Self {
        Self { p, ..self }
    }

    /// The exponent.
    pub fn exponent(&self) -> f64 {
        self.p
    }

    pub(super) fn pencil(&self) -> &'a Pencil {
        self.pencil
    }

    /// The weight of every upper edge, row after row.
    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        self.edges.iter().zip(&self.weights).map(|(&[i, j], &w)| (i as usize, j as usize, w))
    }

    /// v_i − v_j of every edge.
    pub(super) fn differences(&self, v: &[f64]) -> Vec<f64> {
        self.edges.iter().map(|&[i, j]| v[i as usize] - v[j as usize]).collect()
    }

    /// Value, size and centre at a vector.
    pub fn at(&self, v: &[f64]) -> PValue {
        let differences = self.differences(v);
        self.along(v, &differences, v, &differences).0
    }

    /// Value at a vector, and the derivatives of energy and size along a direction; `differences` and `slopes`
    /// are those of the vector and of the direction.
    pub(super) fn along(
        &self,
        v: &[f64],
        differences: &[f64],
        direction: &[f64],
        slopes: &[f64],
    ) -> (PValue, [f64; 2]) {
        let e = self.p - 1.0;
        let centre = self.centre(v);
        let [energy, energy_slope] = power_sums(differences, slopes, &self.weights, e);
        let centred: Vec<f64> = v.iter().map(|v| v - centre).collect();
        let [size, size_slope] = power_sums(&centred, direction, self.pencil.mass(), e);
        (PValue { energy, size, centre }, [self.p * energy_slope, self.p * size_slope])
    }

    /// argmin_c Σ_i s_i |v_i − c|^p: the root of the increasing function Σ s_i φ_p(c − v_i).
    ///
    /// Newton's steps, kept in a bracket that each step shrinks, to 1e-12 of the values' range.
    pub fn centre(&self, v: &[f64]) -> f64 {
        let mass = self.pencil.mass();
        let (mut low, mut high) = bounds(v);
        let total: f64 = mass.iter().sum();
        if total <= 0.0 || low == high {
            return low + 0.5 * (high - low);
        }
        let accuracy = 1e-12 * (high - low);
        let mut c = if low < 0.0 && high > 0.0 { 0.0 } else { low + 0.5 * (high - low) };
        for _ in 0..CENTRE_STEPS {
            let [slope, curvature] = centre_slope(v, mass, c, self.p);
            if slope == 0.0 {
                break;
            }
            if slope > 0.0 {
                high = c
            } else {
                low = c
            }
            let newton = c - slope / curvature;
            let next = if newton > low && newton < high { newton } else { low + 0.5 * (high - low) };
            let still = (next - c).abs() <= accuracy;
            c = next;
            if still {
                break;
            }
        }
        c
    }

    /// The gradient: g_i = (p/size) (Σ_j w_ij φ_p(v_i − v_j) − F s_i φ_p(v_i − c)), φ_p(x) = |x|^{p−1} sign x.
    ///
    /// Bühler & Hein 2009, section 3; the centre's own derivative vanishes because it minimizes the size. Near p = 1
    /// the centre falls on a node up to rounding, and that node's term is known only from the sum of all, which is 0:
    /// the node nearest to the centre gets what is missing.
    pub fn gradient(&self, v: &[f64], at: &PValue) -> Vec<f64> {
        self.gradient_with(v, &self.differences(v), at)
    }

    /// The gradient, the differences known.
    pub(super) fn gradient_with(&self, v: &[f64], differences: &[f64], at: &PValue) -> Vec<f64> {
        let (e, value) = (self.p - 1.0, at.value());
        let centred: Vec<f64> = v.iter().map(|v| v - at.centre).collect();
        let mut gradient = vec![0.0; v.len()];
        signed_powers(&centred, self.pencil.mass(), e, &mut gradient);
        let sum: f64 = gradient.iter().sum();
        let nearest = (0..v.len()).min_by(|&i, &j| centred[i].abs().total_cmp(&centred[j].abs()));
        nearest.into_iter().for_each(|i| gradient[i] -= sum);
        gradient.iter_mut().for_each(|g| *g *= -value);
        let mut flux = vec![0.0; differences.len()];
        signed_powers(differences, &self.weights, e, &mut flux);
        for (&[i, j], flux) in self.edges.iter().zip(&flux) {
            gradient[i as usize] += flux;
            gradient[j as usize] -= flux;
        }
        gradient.iter_mut().for_each(|g| *g *= self.p / at.size);
        gradient
    }
}

pub(super) fn bounds(v: &[f64]) -> (f64, f64) {
    v.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
}
