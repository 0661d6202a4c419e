//! Any pencil to its k smallest eigenpairs: component by component, by the solver that fits.

use super::EigenError;
use super::dense::dense_smallest;
use super::shift_invert::{Pairs, Wanted, shift_invert};
use crate::pencil::Pencil;
use ndarray::Array2;
use segcut_core::{Context, Start, Status};
use serde::{Deserialize, Serialize};

/// Components up to this size are solved by the dense solver under `auto`.
const DENSE: usize = 48;

/// How eigenpairs are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// Dense for small components, else shift-invert.
    #[default]
    Auto,
    /// All eigenpairs of the full matrix: O(n³).
    Dense,
    /// Lanczos with a sparse Cholesky factor.
    ShiftInvert,
}

/// What to find and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EigenParams {
    /// Eigenpairs.
    pub k: usize,
    /// Bound on ‖A·u − λ·u‖ / λ_k with A = M^-½ L M^-½ and unit u, as far as f64 attains it: 32·ε·max Aᵢᵢ, on
    /// more than 6,000 nodes 64·ε·λ_k/λ₂·max Aᵢᵢ.
    pub tol: f64,
    /// Limit of products with the inverse, per component.
    pub max_iter: usize,
    /// The solver.
    pub solver: Solver,
    /// Whether the sparse solver counts the eigenvalues below λ_k by an inertia, to show that none is missing.
    pub certify: bool,
}

impl Default for EigenParams {
    fn default() -> Self {
        Self { k: 2, tol: 1e-6, max_iter: 1000, solver: Solver::Auto, certify: true }
    }
}

/// Whether the values are known to be the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// The inertia shows that none is missing (dense solutions: all values were computed).
    Complete,
    /// The inertia shows that some are missing.
    Missing,
    /// Not asked, or the inertia could not be told.
    Unknown,
}

/// The smallest eigenpairs of L·x = λ·M·x.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Ascending; equal ones in the order of their components' first nodes.
    pub values: Vec<f64>,
    /// n×k; columns have xᵀM·x = 1 and a positive entry of largest magnitude (the first among equals).
    pub vectors: Array2<f64>,
    /// ‖A·u − λ·u‖ for u = M^½ x.
    pub residuals: Vec<f64>,
    /// The component that each pair belongs to; its vector is zero elsewhere.
    pub component: Vec<usize>,
    /// The components of the graph.
    pub components: Vec<Vec<u32>>,
    /// How the computation ended.
    pub status: Status,
    /// Whether the values are known to be the smallest.
    pub certificate: Certificate,
}

/// Pencil → its k smallest eigenpairs (fewer where n < k).
///
/// A disconnected graph is solved component by component and the spectra are merged: each component brings one
/// zero. A component without mass (an isolated node of the normalized problem) brings the value 0 with the
/// vector 1 on its node.
///
/// # Errors
/// [`EigenError`] where a factorization fails.
///
/// # Determinism
/// The context's seed gives the start vectors; signs and order are fixed.
///
/// # Examples
/// ```
/// use segcut_core::{Context, SparseAffinity};
/// use segcut_spectral::{EigenParams, Laplacian, Pencil, smallest};
/// let path = SparseAffinity::new(3, vec![[0, 1], [1, 2]], vec![1.0, 1.0])?;
/// let pencil = Pencil::new(&path, Laplacian::Unnormalized, 0.0)?;
/// let spectrum = smallest(&pencil, &EigenParams { k: 3, ..EigenParams::default() }, &Context::default())?;
/// assert!((spectrum.values[1] - 1.0).abs() < 1e-12 && (spectrum.values[2] - 3.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn smallest(pencil: &Pencil, params: &EigenParams, context: &Context) -> Result<Spectrum, EigenError> {
    let components = pencil.components();
    let start = start_vector(pencil.n(), context);
    let per_component = (params.k + 1).saturating_sub(components.len()).max(1);
    let mut merged = Merged { status: Status::Converged, certificate: Certificate::Complete, pairs: Vec::new() };
    let mut place = vec![u32::MAX; pencil.n()];
    for (index, nodes) in components.iter().enumerate() {
        let part = pencil.induced(nodes, &mut place);
        let start: Option<Vec<f64>> = start.as_ref().map(|s| nodes.iter().map(|&i| s[i as usize]).collect());
        let pairs = solve_connected(&part, params, per_component, start.as_deref(), context)?;
        merged.add(index, &part, pairs);
    }
    Ok(merged.finish(pencil, components, params.k))
}

/// The pairs of one connected pencil, the null vector exact.
pub(crate) fn solve_connected(
    part: &Pencil,
    params: &EigenParams,
    k: usize,
    start: Option<&[f64]>,
    context: &Context,
) -> Result<Pairs, EigenError> {
    let k = k.min(part.n());
    let null = null_vector(part);
    if k == 1 || part.n() == 1 {
        let certified = Some(true);
        return Ok(Pairs { values: vec![0.0], vectors: vec![null], status: Status::Converged, certified });
    }
    let dense = match params.solver {
        Solver::Auto => part.n() <= DENSE,
        Solver::Dense => true,
        Solver::ShiftInvert => false,
    };
    if dense {
        let (values, mut vectors): (Vec<f64>, Vec<_>) = dense_smallest(part, k)?.into_iter().unzip();
        vectors[0] = null;
        let values = std::iter::once(0.0).chain(values.into_iter().skip(1).map(|v| v.max(0.0))).collect();
        return Ok(Pairs { values, vectors, status: Status::Converged, certified: Some(true) });
    }
    let (tol, max_steps, certify) = (params.tol, params.max_iter, params.certify);
    shift_invert(part, Wanted { k, tol, floor: 0.0, max_steps, certify, seed: context.seed }, start, context)
}

fn null_vector(part: &Pencil) -> Vec<f64> {
    let total: f64 = part.mass().iter().sum();
    if total > 0.0 {
        return part.mass().iter().map(|m| (m / total).sqrt()).collect();
    }
    vec![(part.n() as f64).sqrt().recip(); part.n()]
}

fn start_vector(n: usize, context: &Context) -> Option<Vec<f64>> {
    match &context.start {
        Some(Start::Vectors(vectors)) if vectors.nrows() == n => {
            Some(vectors.rows().into_iter().map(|r| r.sum()).collect())
        }
        _ => None,
    }
}

/// One pair of the merged spectrum: x and its residual on the component's nodes.
struct Pair {
    value: f64,
    component: usize,
    x: Vec<f64>,
    residual: f64,
}

struct Merged {
    status: Status,
    certificate: Certificate,
    pairs: Vec<Pair>,
}

impl Merged {
    fn add(&mut self, component: usize, part: &Pencil, pairs: Pairs) {
        if self.status == Status::Converged {
            self.status = pairs.status;
        }
        self.certificate = match (self.certificate, pairs.certified) {
            (Certificate::Missing, _) | (_, Some(false)) => Certificate::Missing,
            (Certificate::Complete, Some(true)) => Certificate::Complete,
            _ => Certificate::Unknown,
        };
        for (value, u) in pairs.values.into_iter().zip(pairs.vectors) {
            let residual = residual(part, value, &u);
            let x = with_fixed_sign(part, u);
            self.pairs.push(Pair { value, component, x, residual });
        }
    }

    fn finish(mut self, pencil: &Pencil, components: Vec<Vec<u32>>, k: usize) -> Spectrum {
        self.pairs.sort_by(|a, b| a.value.total_cmp(&b.value));
        self.pairs.truncate(k);
        let mut vectors = Array2::zeros((pencil.n(), self.pairs.len()));
        for (column, pair) in self.pairs.iter().enumerate() {
            for (&i, &x) in components[pair.component].iter().zip(&pair.x) {
                vectors[[i as usize, column]] = x;
            }
        }
        Spectrum {
            values: self.pairs.iter().map(|p| p.value).collect(),
            vectors,
            residuals: self.pairs.iter().map(|p| p.residual).collect(),
            component: self.pairs.iter().map(|p| p.component).collect(),
            components,
            status: self.status,
            certificate: self.certificate,
        }
    }
}

fn residual(part: &Pencil, value: f64, u: &[f64]) -> f64 {
    let roots: Vec<f64> = part.mass().iter().map(|m| m.sqrt()).collect();
    let x: Vec<f64> = u.iter().zip(&roots).map(|(u, r)| if *r > 0.0 { u / r } else { 0.0 }).collect();
    let mut y = vec![0.0; x.len()];
    part.apply(&x, &mut y);
    let square = |((y, r), u): ((&f64, &f64), &f64)| if *r > 0.0 { (y / r - value * u).powi(2) } else { 0.0 };
    y.iter().zip(&roots).zip(u).map(square).sum::<f64>().sqrt()
}

/// u → x = M^-½ u with its entry of largest magnitude positive.
fn with_fixed_sign(part: &Pencil, mut u: Vec<f64>) -> Vec<f64> {
    for (x, &m) in u.iter_mut().zip(part.mass()) {
        if m > 0.0 {
            *x /= m.sqrt();
        }
    }
    let largest = u.iter().fold(0.0f64, |a, x| a.max(x.abs()));
    // Entries of equal magnitude differ by rounding: the first one within it decides.
    let decides = u.iter().find(|x| x.abs() >= largest * (1.0 - 1e-9));
    if decides.is_some_and(|&x| x < 0.0) {
        u.iter_mut().for_each(|x| *x = -*x);
    }
    u
}
