//! One exponent: a start vector to a local minimum of F_p by a preconditioned quasi-Newton method.

use super::criterion::Criterion;
use super::functional::{PFunctional, PValue};
use super::laplacian_factor::{LaplacianFactor, LaplacianInverse};
use super::limited_memory::LimitedMemory;
use super::line_search::Line;
use super::powers::floored_powers;
use super::threshold::{Threshold, threshold_cut};
use crate::eigen::EigenError;
use crate::kernels::{axpy, dot};
use segcut_core::{Context, Status};

/// Differences below this share of the largest one do not raise the preconditioner's weights further.
const FLOOR: f64 = 1e-6;
/// Directions in a row that lower F_p by less than a tenth of the tolerance before the search ends.
const STILL: usize = 10;
/// Directions with one preconditioner.
const AGE: usize = 6;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stopping {
    /// Bound on the relative decrease that the direction promises.
    pub(super) tol: f64,
    /// Directions.
    pub(super) max_iter: usize,
    /// Directions in a row that leave the best Cheeger cut as it is; 0 for no such end.
    pub(super) settled: usize,
}

/// A vector of size 1 and how the search for it ended.
#[derive(Debug, Clone)]
pub(super) struct Minimum {
    pub(super) v: Vec<f64>,
    pub(super) status: Status,
    pub(super) iterations: usize,
}

/// Start vector → local minimum of F_p.
///
/// Directions are those of L-BFGS with the inverse of a weighted Laplacian in the place of the unit matrix: L has
/// the weights w_ij |v_i − v_j|^(p−2), so a step −L⁺·g minimizes a quadratic function that lies above the
/// linearized problem and never raises F_p (iterative reweighting inside the inverse power method of Hein & Bühler
/// 2010). L is brought up to date every few directions; the pairs in between make up for its age. Differs from
/// Bühler & Hein 2009, section 4.2, who take Newton steps with the same matrix times p − 1, each with its own
/// solution by MINRES, and fall back to gradient steps.
pub(super) fn minimize(
    functional: &PFunctional<'_>,
    factor: &mut LaplacianFactor,
    start: &[f64],
    stopping: Stopping,
    context: &Context,
) -> Result<Minimum, EigenError> {
    let mut search = Search::new(functional, start.to_vec(), stopping);
    let mut status = None;
    while status.is_none() && search.iterations < stopping.max_iter {
        let weights = reweighted(functional, &search.point.differences);
        let inverse = factor.factorize(&weights)?;
        status = search.with_inverse(&inverse, context)?;
    }
    let status = status.unwrap_or(Status::IterationLimit { residual: search.promised });
    Ok(Minimum { v: search.point.v, status, iterations: search.iterations })
}

/// w_e (d_e² + ε²)^((p−2)/2), with ε a small share of the largest difference.
fn reweighted(functional: &PFunctional<'_>, differences: &[f64]) -> Vec<f64> {
    let exponent = 0.5 * (functional.exponent() - 2.0);
    let largest = differences.iter().fold(0.0f64, |a, d| a.max(d.abs()));
    let floor = (FLOOR * largest).powi(2);
    let mut weights = vec![0.0; differences.len()];
    floored_powers(differences, functional.weights(), floor, exponent, &mut weights);
    weights
}

/// The current vector with what depends on it.
struct Point {
    v: Vec<f64>,
    differences: Vec<f64>,
    at: PValue,
}

impl Point {
    /// Centres and scales to size 1.
    fn new(functional: &PFunctional<'_>, mut v: Vec<f64>, at: PValue) -> Self {
        let scale = at.size.powf(-1.0 / functional.exponent());
        v.iter_mut().for_each(|v| *v = (*v - at.centre) * scale);
        let differences = functional.differences(&v);
        let at = PValue { energy: at.energy / at.size, size: 1.0, centre: 0.0 };
        Self { v, differences, at }
    }
}

struct Search<'a> {
    functional: &'a PFunctional<'a>,
    stopping: Stopping,
    point: Point,
    gradient: Vec<f64>,
    memory: LimitedMemory,
    iterations: usize,
    /// The relative decrease that the last direction promised.
    promised: f64,
    /// Directions in a row that hardly lowered F_p.
    still: usize,
    /// The value of the best cut and the directions since it changed.
    cut: (f64, usize),
}

impl<'a> Search<'a> {
    fn new(functional: &'a PFunctional<'a>, start: Vec<f64>, stopping: Stopping) -> Self {
        let at = functional.at(&start);
        let point = Point::new(functional, start, at);
        let gradient = functional.gradient_with(&point.v, &point.differences, &point.at);
        let (memory, cut) = (LimitedMemory::default(), (f64::INFINITY, 0));
        Self { functional, stopping, point, gradient, memory, iterations: 0, promised: f64::INFINITY, still: 0, cut }
    }

    /// Directions with one preconditioner; the status where the search is over.
    fn with_inverse(
        &mut self,
        inverse: &LaplacianInverse<'_>,
        context: &Context,
    ) -> Result<Option<Status>, EigenError> {
        for age in 0..AGE.min(self.stopping.max_iter - self.iterations) {
            if let Some(status) = context.ended() {
                return Ok(Some(status));
            }
            let direction = self.direction(inverse)?;
            let slope = dot(&self.gradient, &direction);
            self.promised = -0.5 * slope / self.point.at.value();
            if self.promised.is_nan() || self.promised <= self.stopping.tol {
                if age == 0 {
                    return Ok(Some(Status::Converged));
                }
                return Ok(None);
            }
            let moved = self.step(&direction, slope);
            if self.still >= STILL || (!moved && age == 0) || self.settled() {
                return Ok(Some(Status::Converged));
            }
            if !moved {
                self.memory.clear();
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// The quasi-Newton direction, or the preconditioned gradient where that one does not descend.
    fn direction(&mut self, inverse: &LaplacianInverse<'_>) -> Result<Vec<f64>, EigenError> {
        let first = self.functional.exponent().recip();
        let apply = |x: &[f64]| inverse.apply(x);
        let direction = self.memory.direction(&self.gradient, first, apply)?;
        if dot(&direction, &self.gradient) < 0.0 {
            return Ok(direction);
        }
        self.memory.clear();
        self.memory.direction(&self.gradient, first, apply)
    }

    /// Moves to about the minimum of F_p along the direction; false where F_p does not fall.
    fn step(&mut self, direction: &[f64], slope: f64) -> bool {
        self.iterations += 1;
        let Point { v, differences, at } = &self.point;
        let slopes = self.functional.differences(direction);
        let line = Line { functional: self.functional, v, differences, at: *at, direction, slopes: &slopes };
        let (t, reached) = line.search(1.0, slope);
        let before = at.value();
        if reached.value() >= before {
            return false;
        }
        let mut moved = v.clone();
        axpy(t, direction, &mut moved);
        let next = Point::new(self.functional, moved, reached);
        let gradient = self.functional.gradient_with(&next.v, &next.differences, &next.at);
        let step = next.v.iter().zip(&self.point.v).map(|(a, b)| a - b).collect();
        let change = gradient.iter().zip(&self.gradient).map(|(a, b)| a - b).collect();
        self.memory.push(step, change);
        (self.point, self.gradient) = (next, gradient);
        let fell = 1.0 - reached.value() / before;
        self.still = if fell >= 0.1 * self.stopping.tol { 0 } else { self.still + 1 };
        true
    }

    /// Whether the best cut has not changed for long enough.
    fn settled(&mut self) -> bool {
        if self.stopping.settled == 0 {
            return false;
        }
        let pencil = self.functional.pencil();
        let value = threshold_cut(pencil, &self.point.v, Threshold::Best, Criterion::Cheeger, 0.0).value;
        let same = (value - self.cut.0).abs() <= 1e-12 * value;
        self.cut = if same { (value, self.cut.1 + 1) } else { (value, 0) };
        self.cut.1 >= self.stopping.settled
    }
}
