//! One exponent: a start vector to a local minimum of F_p by preconditioned conjugate gradients.

use super::functional::{PFunctional, PValue};
use super::laplacian_factor::LaplacianFactor;
use crate::eigen::EigenError;
use crate::kernels::{axpy, dot};
use segcut_core::{Context, Status, Stop};

/// Differences below this share of the largest one do not raise the preconditioner's weights further.
const FLOOR: f64 = 1e-6;
/// Directions in a row that lower F_p by less than a tenth of the tolerance before the search ends.
const STILL: usize = 10;
/// Evaluations of F_p along one direction.
const LINE_STEPS: usize = 12;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stopping {
    /// Bound on the relative decrease that the preconditioned gradient promises.
    pub(super) tol: f64,
    /// Directions.
    pub(super) max_iter: usize,
}

/// A vector with its value, centred, of size 1.
#[derive(Debug, Clone)]
pub(super) struct Minimum {
    pub(super) v: Vec<f64>,
    pub(super) status: Status,
    pub(super) iterations: usize,
}

/// Start vector → local minimum of F_p.
///
/// The direction is −L⁺·g with L the Laplacian of the weights w_ij |v_i − v_j|^(p−2) at the iterate: a full step
/// minimizes a quadratic function that lies above the linearized problem, so it never raises F_p (iterative
/// reweighting inside the inverse power method of Hein & Bühler 2010). Polak-Ribière conjugation and a line
/// search make it fast. Differs from Bühler & Hein 2009, section 4.2, who take Newton steps with the same
/// matrix times p − 1 and fall back to gradient steps.
pub(super) fn minimize(
    functional: &PFunctional<'_>,
    factor: &mut LaplacianFactor,
    start: &[f64],
    stopping: Stopping,
    context: &Context,
) -> Result<Minimum, EigenError> {
    let mut point = Point::new(functional, start.to_vec());
    let mut before: Option<Step> = None;
    let mut status = Status::IterationLimit { residual: f64::INFINITY };
    let mut iterations = 0;
    let mut still = 0;
    while iterations < stopping.max_iter {
        let gradient = functional.gradient(&point.v, &point.at);
        let mut solved = gradient.clone();
        factor.solve(&reweighted(functional, &point.differences), &mut solved)?;
        let power = dot(&gradient, &solved);
        let promised = power / (functional.exponent().powi(2) * point.at.value());
        if promised <= stopping.tol || promised.is_nan() || still >= STILL {
            status = Status::Converged;
            break;
        }
        status = Status::IterationLimit { residual: promised };
        if let Some(stopped) = stopped(context) {
            status = stopped;
            break;
        }
        let step = conjugate(Step { gradient, solved, power, direction: Vec::new() }, before.as_ref());
        let value = point.at.value();
        let moved = line_search(functional, &mut point, &step);
        iterations += 1;
        let fell = 1.0 - point.at.value() / value;
        still = if fell >= 0.1 * stopping.tol { 0 } else { still + if moved { 1 } else { STILL / 2 } };
        before = moved.then_some(step);
    }
    Ok(Minimum { v: point.v, status, iterations })
}

fn stopped(context: &Context) -> Option<Status> {
    match context.stopped() {
        Stop::No => None,
        Stop::Cancelled => Some(Status::Cancelled),
        Stop::TimedOut => Some(Status::TimedOut),
    }
}

/// The current vector with what depends on it.
struct Point {
    v: Vec<f64>,
    differences: Vec<f64>,
    at: PValue,
}

impl Point {
    /// Centres and scales to size 1.
    fn new(functional: &PFunctional<'_>, mut v: Vec<f64>) -> Self {
        let at = functional.at(&v);
        let scale = at.size.powf(-1.0 / functional.exponent());
        v.iter_mut().for_each(|v| *v = (*v - at.centre) * scale);
        let differences = functional.differences(&v);
        let at = PValue { energy: at.energy / at.size, size: 1.0, centre: 0.0 };
        Self { v, differences, at }
    }
}

struct Step {
    gradient: Vec<f64>,
    /// L⁺·gradient.
    solved: Vec<f64>,
    /// gradientᵀ·L⁺·gradient.
    power: f64,
    direction: Vec<f64>,
}

/// Polak & Ribière's direction, restarted where it does not descend.
fn conjugate(mut step: Step, before: Option<&Step>) -> Step {
    step.direction = step.solved.iter().map(|x| -x).collect();
    if let Some(before) = before {
        let beta = (step.power - dot(&before.gradient, &step.solved)) / before.power;
        if beta > 0.0 && beta < 10.0 {
            let descends = -step.power + beta * dot(&step.gradient, &before.direction) < -0.1 * step.power;
            if descends {
                axpy(beta, &before.direction, &mut step.direction);
            }
        }
    }
    step
}

/// w_e (d_e² + ε²)^((p−2)/2), with ε a small share of the largest difference.
fn reweighted(functional: &PFunctional<'_>, differences: &[f64]) -> Vec<f64> {
    let exponent = 0.5 * (functional.exponent() - 2.0);
    let largest = differences.iter().fold(0.0f64, |a, d| a.max(d.abs()));
    let floor = (FLOOR * largest).powi(2);
    let weight = |((_, _, w), d): ((_, _, f64), &f64)| w * (d * d + floor).powf(exponent);
    functional.edges().zip(differences).map(weight).collect()
}

/// Moves the point to about the minimum of F_p along the direction; false where F_p does not fall.
fn line_search(functional: &PFunctional<'_>, point: &mut Point, step: &Step) -> bool {
    let slopes = functional.differences(&step.direction);
    let line = Line { functional, point, direction: &step.direction, slopes: &slopes };
    // With size 1, F'(0)·t for t = 1/p is what the majorizing quadratic promises twice.
    let first = 1.0 / functional.exponent();
    let (t, at) = line.search(first);
    if at.value() >= point.at.value() {
        return false;
    }
    let mut v = std::mem::take(&mut point.v);
    axpy(t, &step.direction, &mut v);
    *point = Point::new(functional, v);
    true
}

struct Line<'a> {
    functional: &'a PFunctional<'a>,
    point: &'a Point,
    direction: &'a [f64],
    slopes: &'a [f64],
}

impl Line<'_> {
    /// Brackets a zero of the derivative by doubling, then closes in by secants kept inside the bracket.
    fn search(&self, first: f64) -> (f64, PValue) {
        let (_, slope) = self.eval(0.0);
        let (mut low, mut low_slope) = (0.0, slope);
        let mut high: Option<(f64, f64)> = None;
        let mut best = (0.0, self.point.at);
        let mut t = first;
        for _ in 0..LINE_STEPS {
            let (at, derivative) = self.eval(t);
            if at.value() < best.1.value() {
                best = (t, at);
            }
            if derivative.abs() <= 0.05 * slope.abs() && at.value() <= best.1.value() {
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
        let v: Vec<f64> = self.point.v.iter().zip(self.direction).map(|(v, d)| v + t * d).collect();
        let differences: Vec<f64> = self.point.differences.iter().zip(self.slopes).map(|(d, s)| d + t * s).collect();
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
