//! A connected graph to the second eigenvector of its p-Laplacian, by continuation in p.

use super::functional::PFunctional;
use super::laplacian_factor::LaplacianFactor;
use super::minimize::{Minimum, Stopping, minimize};
use crate::eigen::{EigenError, EigenParams, solve_connected};
use crate::pencil::Pencil;
use segcut_core::{Context, Status};

/// Which eigenvector, and when to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PEigenParams {
    /// The exponent, in (1, 2].
    pub p: f64,
    /// The exponent that the start vector belongs to, from p to 2.
    pub p_start: f64,
    /// Bound on the relative decrease of F_p that the preconditioned gradient still promises; ten directions in a
    /// row that lower F_p by less than a tenth of it end the search too.
    pub tol: f64,
    /// The same at intermediate exponents.
    pub tol_path: f64,
    /// Limit of directions per exponent.
    pub max_iter: usize,
    /// Directions in a row that leave the best Cheeger cut as it is before an exponent ends; 0 for no such end.
    pub settled: usize,
    /// The most bytes that the standard eigenvector's solver and the factor may need, by their estimates.
    pub max_bytes: Option<u64>,
}

impl Default for PEigenParams {
    fn default() -> Self {
        Self { p: 1.1, p_start: 2.0, tol: 2e-8, tol_path: 1e-2, max_iter: 200, settled: 0, max_bytes: None }
    }
}

/// A local minimum of F_p.
#[derive(Debug, Clone, PartialEq)]
pub struct PEigenvector {
    /// The vector with its centre at 0.
    pub vector: Vec<f64>,
    /// F_p of the vector: the eigenvalue.
    pub eigenvalue: f64,
    /// The same vector with Σ s·u = 0: the minimizer of the functional that subtracts the centre itself.
    pub minimizer: Vec<f64>,
    /// ‖gradient of F_p‖₂ / √n.
    pub gradient_norm: f64,
    /// How the last exponent ended.
    pub status: Status,
    /// Directions over all exponents.
    pub iterations: usize,
}

/// Connected graph → second eigenvector of its p-Laplacian.
///
/// Bühler & Hein, Spectral clustering based on the graph p-Laplacian, ICML 2009: exponents fall from `p_start`
/// to p by factors of 0.9, each minimum starts the next (algorithm 1). Without a start vector the standard
/// eigenvector (p = 2) starts. The minimization differs: conjugate gradients preconditioned by the reweighted
/// Laplacian. A graph of one node gives zeros.
///
/// # Errors
/// [`EigenError`] where a factorization fails.
///
/// # Panics
/// Where the graph is not connected or `start` does not have one value per node.
///
/// # Determinism
/// The context's seed gives the start of the standard eigenvector; its entry of largest magnitude is positive.
///
/// # Cost
/// One sparse factorization and about five evaluations of F_p a direction.
///
/// # Examples
/// ```
/// use segcut_core::{Context, SparseAffinity};
/// use segcut_spectral::{Laplacian, PEigenParams, Pencil, p_eigenvector};
/// let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]];
/// let triangles = SparseAffinity::new(6, edges, vec![1.0, 1.0, 1.0, 0.1, 1.0, 1.0, 1.0])?;
/// let pencil = Pencil::new(&triangles, Laplacian::Normalized, 0.0)?;
/// let found = p_eigenvector(&pencil, &PEigenParams::default(), None, &Context::default())?;
/// // Near p = 1 the value comes close to the Cheeger cut 0.1/6.1 and the vector to an indicator.
/// assert!(found.eigenvalue < 0.1 / 6.1 * 1.1 && found.eigenvalue > 0.1 / 6.1 * 0.9);
/// assert!((found.vector[0] / found.vector[5] + 1.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn p_eigenvector(
    pencil: &Pencil,
    params: &PEigenParams,
    start: Option<&[f64]>,
    context: &Context,
) -> Result<PEigenvector, EigenError> {
    assert!(start.is_none_or(|s| s.len() == pencil.n()), "one start value per node");
    if pencil.n() < 2 {
        return Ok(trivial(pencil.n()));
    }
    let (mut v, mut status) = match start {
        Some(start) => (start.to_vec(), Status::Converged),
        None => standard(pencil, params.max_bytes, context)?,
    };
    orient(&mut v);
    let mut iterations = 0;
    let mut functional = PFunctional::new(pencil, params.p_start);
    if params.p < 2.0 || start.is_some() {
        let mut factor = LaplacianFactor::within(pencil, params.max_bytes)?;
        for p in exponents(params.p_start, params.p) {
            functional = functional.with_exponent(p);
            let last = p == params.p;
            let tol = if last { params.tol } else { params.tol_path };
            let stopping = Stopping { tol, max_iter: params.max_iter, settled: params.settled };
            let found: Minimum = minimize(&functional, &mut factor, &v, stopping, context)?;
            (v, status) = (found.v, found.status);
            iterations += found.iterations;
        }
    }
    Ok(finish(&functional, v, status, iterations))
}

/// The exponents after p_start down to p: Bühler & Hein's factor 0.9, the last two evened by a square root.
fn exponents(p_start: f64, p: f64) -> Vec<f64> {
    let mut all = Vec::new();
    let mut now = p_start;
    while 0.9 * now > p {
        let next = 0.9 * now;
        now = if 0.9 * next < p { (p * now).sqrt() } else { next };
        all.push(now);
    }
    all.push(p);
    all
}

/// The second generalized eigenvector of (L, M).
pub(super) fn standard(
    pencil: &Pencil,
    max_bytes: Option<u64>,
    context: &Context,
) -> Result<(Vec<f64>, Status), EigenError> {
    let params = EigenParams { k: 2, tol: 1e-10, certify: false, max_bytes, ..EigenParams::default() };
    let seeded = Context { start: None, ..context.clone() };
    let mut pairs = solve_connected(pencil, &params, 2, None, &seeded)?;
    let u = pairs.vectors.pop().unwrap_or_default();
    let scaled = u.iter().zip(pencil.mass()).map(|(u, m)| u / m.sqrt());
    Ok((scaled.collect(), pairs.status))
}

fn trivial(n: usize) -> PEigenvector {
    PEigenvector {
        vector: vec![0.0; n],
        eigenvalue: 0.0,
        minimizer: vec![0.0; n],
        gradient_norm: 0.0,
        status: Status::Converged,
        iterations: 0,
    }
}

/// Scales to the 2-norm 1 and centres; the largest entry positive.
pub(super) fn finish(functional: &PFunctional<'_>, mut v: Vec<f64>, status: Status, iterations: usize) -> PEigenvector {
    let at = functional.at(&v);
    v.iter_mut().for_each(|x| *x -= at.centre);
    let length = crate::kernels::norm(&v);
    if length > 0.0 {
        v.iter_mut().for_each(|x| *x /= length);
    }
    let at = functional.at(&v);
    let gradient = functional.gradient(&v, &at);
    let mass = functional.pencil().mass();
    let total: f64 = mass.iter().sum();
    let mean = if total > 0.0 { v.iter().zip(mass).map(|(v, s)| v * s).sum::<f64>() / total } else { 0.0 };
    PEigenvector {
        eigenvalue: if at.size > 0.0 { at.value() } else { 0.0 },
        minimizer: v.iter().map(|x| x - mean).collect(),
        gradient_norm: crate::kernels::norm(&gradient) / (v.len() as f64).sqrt(),
        vector: v,
        status,
        iterations,
    }
}

/// The entry of largest magnitude positive, the first one within rounding.
pub(super) fn orient(vector: &mut [f64]) {
    let largest = vector.iter().fold(0.0f64, |a, x| a.max(x.abs()));
    let decides = vector.iter().find(|x| x.abs() >= largest * (1.0 - 1e-9));
    if decides.is_some_and(|&x| x < 0.0) {
        vector.iter_mut().for_each(|x| *x = -*x);
    }
}
