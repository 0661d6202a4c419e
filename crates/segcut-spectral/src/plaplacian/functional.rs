//! A node vector to the p-Laplacian's functional F_p, its centre and its gradient.

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

    pub(crate) fn edges(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        self.edges.iter().zip(&self.weights).map(|(&[i, j], &w)| (i as usize, j as usize, w))
    }

    /// v_i − v_j of every edge.
    pub(super) fn differences(&self, v: &[f64]) -> Vec<f64> {
        self.edges.iter().map(|&[i, j]| v[i as usize] - v[j as usize]).collect()
    }

    /// Value, size and centre at a vector.
    pub fn at(&self, v: &[f64]) -> PValue {
        let p = self.p;
        let energy = self.edges().map(|(i, j, w)| w * (v[i] - v[j]).abs().powf(p)).sum();
        let centre = self.centre(v);
        let size = v.iter().zip(self.pencil.mass()).map(|(v, s)| s * (v - centre).abs().powf(p)).sum();
        PValue { energy, size, centre }
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
        let centre = self.centre(v);
        let (mut energy, mut energy_slope) = (0.0, 0.0);
        for ((d, slope), w) in differences.iter().zip(slopes).zip(&self.weights) {
            let flux = w * signed_power(*d, self.p - 1.0);
            energy += flux * d;
            energy_slope += flux * slope;
        }
        let (mut size, mut size_slope) = (0.0, 0.0);
        for ((v, slope), s) in v.iter().zip(direction).zip(self.pencil.mass()) {
            let power = s * signed_power(v - centre, self.p - 1.0);
            size += power * (v - centre);
            size_slope += power * slope;
        }
        (PValue { energy, size, centre }, [self.p * energy_slope, self.p * size_slope])
    }

    /// argmin_c Σ_i s_i |v_i − c|^p: the root of the increasing function Σ s_i φ_p(c − v_i).
    ///
    /// Newton's steps, kept in a bracket that each step shrinks.
    pub fn centre(&self, v: &[f64]) -> f64 {
        let mass = self.pencil.mass();
        let (mut low, mut high) = bounds(v);
        let total: f64 = mass.iter().sum();
        if total <= 0.0 || low == high {
            return low + 0.5 * (high - low);
        }
        let mut c = v.iter().zip(mass).map(|(v, s)| v * s).sum::<f64>() / total;
        for _ in 0..CENTRE_STEPS {
            let (slope, curvature) = self.slope(v, c);
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
            let still = (next - c).abs() <= 2.0 * f64::EPSILON * next.abs().max(c.abs());
            c = next;
            if still {
                break;
            }
        }
        c
    }

    /// Σ s_i φ_p(c − v_i) and its derivative.
    fn slope(&self, v: &[f64], c: f64) -> (f64, f64) {
        let (mut slope, mut curvature) = (0.0, 0.0);
        for (v, s) in v.iter().zip(self.pencil.mass()) {
            let x = c - v;
            if x != 0.0 {
                let power = s * x.abs().powf(self.p - 2.0);
                slope += power * x;
                curvature += (self.p - 1.0) * power;
            }
        }
        (slope, curvature)
    }

    /// The gradient: g_i = (p/size) (Σ_j w_ij φ_p(v_i − v_j) − F s_i φ_p(v_i − c)), φ_p(x) = |x|^{p−1} sign x.
    ///
    /// Bühler & Hein 2009, section 3; the centre's own derivative vanishes because it minimizes the size.
    pub fn gradient(&self, v: &[f64], at: &PValue) -> Vec<f64> {
        let p = self.p;
        let value = at.value();
        let size_part = |(v, s): (&f64, &f64)| -value * s * signed_power(v - at.centre, p - 1.0);
        let mut gradient: Vec<f64> = v.iter().zip(self.pencil.mass()).map(size_part).collect();
        for (i, j, w) in self.edges() {
            let flux = w * signed_power(v[i] - v[j], p - 1.0);
            gradient[i] += flux;
            gradient[j] -= flux;
        }
        gradient.iter_mut().for_each(|g| *g *= p / at.size);
        gradient
    }
}

/// |x|^e with the sign of x.
pub(super) fn signed_power(x: f64, e: f64) -> f64 {
    x.abs().powf(e).copysign(x)
}

pub(super) fn bounds(v: &[f64]) -> (f64, f64) {
    v.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
}
