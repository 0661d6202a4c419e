//! The spectra of the components to the spectrum of the graph.

use super::pairs::Pairs;
use super::params::Solver;
use crate::pencil::Pencil;
use ndarray::Array2;
use segcut_core::Status;

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
    /// The components of the graph, edges too weak for f64 left out.
    pub components: Vec<Vec<u32>>,
    /// How the computation ended.
    pub status: Status,
    /// Whether the values are known to be the smallest.
    pub certificate: Certificate,
    /// The solver of the largest component.
    pub solver: Solver,
    /// The worst residual over λ_k at every check of the largest component's iteration; empty for `dense`.
    pub history: Vec<f64>,
}

/// One pair of the merged spectrum: x and its residual on the component's nodes.
struct Pair {
    value: f64,
    component: usize,
    x: Vec<f64>,
    residual: f64,
}

/// What the components solved so far give.
pub(super) struct Merged {
    status: Status,
    certificate: Certificate,
    pairs: Vec<Pair>,
    /// Nodes of the largest component, its solver and its history.
    largest: (usize, Solver, Vec<f64>),
}

impl Merged {
    pub(super) fn new() -> Self {
        let largest = (0, Solver::Dense, Vec::new());
        Self { status: Status::Converged, certificate: Certificate::Complete, pairs: Vec::new(), largest }
    }

    pub(super) fn add(&mut self, component: usize, part: &Pencil, pairs: Pairs) {
        if part.n() > self.largest.0 {
            self.largest = (part.n(), pairs.solver, pairs.history);
        }
        if self.status == Status::Converged {
            self.status = pairs.status;
        }
        self.certificate = match (self.certificate, pairs.certified) {
            (Certificate::Missing, _) | (_, Some(false)) => Certificate::Missing,
            (Certificate::Complete, Some(true)) => Certificate::Complete,
            _ => Certificate::Unknown,
        };
        let inverse = |&m: &f64| if m > 0.0 { m.sqrt().recip() } else { 1.0 };
        let scale: Vec<f64> = part.mass().iter().map(inverse).collect();
        for ((value, u), residual) in pairs.values.into_iter().zip(pairs.vectors).zip(pairs.residuals) {
            let x = with_fixed_sign(&scale, u);
            self.pairs.push(Pair { value, component, x, residual });
        }
    }

    pub(super) fn finish(mut self, pencil: &Pencil, components: Vec<Vec<u32>>, k: usize) -> Spectrum {
        self.pairs.sort_by(|a, b| a.value.total_cmp(&b.value));
        self.pairs.truncate(k);
        let mut vectors = Array2::zeros((pencil.n(), self.pairs.len()));
        for (component, nodes) in components.iter().enumerate() {
            let own: Vec<(usize, &[f64])> = self
                .pairs
                .iter()
                .enumerate()
                .filter(|(_, p)| p.component == component)
                .map(|(c, p)| (c, &p.x[..]))
                .collect();
            for (i, &node) in nodes.iter().enumerate() {
                let mut row = vectors.row_mut(node as usize);
                own.iter().for_each(|(column, x)| row[*column] = x[i]);
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
            solver: self.largest.1,
            history: self.largest.2,
        }
    }
}

/// u → x = M^-½ u with its entry of largest magnitude positive.
fn with_fixed_sign(scale: &[f64], mut u: Vec<f64>) -> Vec<f64> {
    u.iter_mut().zip(scale).for_each(|(x, s)| *x *= s);
    let largest = largest_magnitude(&u);
    // Entries of equal magnitude differ by rounding: the first one within it decides.
    let decides = u.iter().find(|x| x.abs() >= largest * (1.0 - 1e-9));
    if decides.is_some_and(|&x| x < 0.0) {
        u.iter_mut().for_each(|x| *x = -*x);
    }
    u
}

/// The largest magnitude, in eight running ones.
fn largest_magnitude(u: &[f64]) -> f64 {
    let (chunks, rest) = u.as_chunks::<8>();
    let mut largest = [0.0f64; 8];
    for chunk in chunks {
        largest.iter_mut().zip(chunk).for_each(|(a, x)| *a = a.max(x.abs()));
    }
    largest.iter().chain(rest).fold(0.0, |a, x| a.max(x.abs()))
}
