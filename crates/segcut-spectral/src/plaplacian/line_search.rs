//! A direction to about the minimum of F_p along it.

use super::functional::{PFunctional, PValue};

/// Evaluations of F_p along one direction.
const LINE_STEPS: usize = 12;
/// The share of the first slope at which a search ends.
const FLAT: f64 = 0.2;

/// Points v + t·direction.
pub(super) struct Line<'a> {
    pub(super) functional: &'a PFunctional<'a>,
    pub(super) v: &'a [f64],
    pub(super) differences: &'a [f64],
    pub(super) at: PValue,
    pub(super) direction: &'a [f64],
    /// The differences of the direction.
    pub(super) slopes: &'a [f64],
}

impl Line<'_> {
    /// Brackets a zero of the derivative by doubling, then closes in by secants kept inside the bracket.
    pub(super) fn search(&self, first: f64, slope: f64) -> (f64, PValue) {
        let (mut low, mut low_slope) = (0.0, slope);
        let mut high: Option<(f64, f64)> = None;
        let mut best = (0.0, self.at);
        let mut t = first;
        for _ in 0..LINE_STEPS {
            let (at, derivative) = self.eval(t);
            if at.value() < best.1.value() {
                best = (t, at);
            }
            if derivative.abs() <= FLAT * slope.abs() && at.value() <= best.1.value() {
                break;
            }
            // A value above the best so far lies beyond the minimum whatever its slope.
            if derivative < 0.0 && at.value() <= best.1.value() {
                (low, low_slope) = (t, derivative);
            } else {
                high = Some((t, derivative.max(0.0)));
            }
            t = match high {
                None => 2.0 * t,
                Some((high, high_slope)) => inside(low, low_slope, high, high_slope),
            };
        }
        best
    }

    /// F_p and its derivative at t.
    fn eval(&self, t: f64) -> (PValue, f64) {
        let v: Vec<f64> = self.v.iter().zip(self.direction).map(|(v, d)| v + t * d).collect();
        let differences: Vec<f64> = self.differences.iter().zip(self.slopes).map(|(d, s)| d + t * s).collect();
        let (at, [energy, size]) = self.functional.along(&v, &differences, self.direction, self.slopes);
        (at, (energy - at.value() * size) / at.size)
    }
}

/// The secant's zero, kept away from the ends of the bracket.
fn inside(low: f64, low_slope: f64, high: f64, high_slope: f64) -> f64 {
    let share = low_slope / (low_slope - high_slope);
    let share = if share.is_finite() { share.clamp(0.1, 0.9) } else { 0.5 };
    low + share * (high - low)
}
