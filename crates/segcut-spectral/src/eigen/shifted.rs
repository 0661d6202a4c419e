//! A connected pencil in elimination order with the structure of its factors.

use super::EigenError;
use super::cholesky::{Analysis, Factor};
use super::pairs::Wanted;
use super::scaled::Scaled;
use crate::pencil::Pencil;

/// A pencil and the symbolic factor of A + σ.
pub(super) struct Shifted<'a> {
    pub(super) a: Scaled<'a>,
    analysis: Analysis,
}

impl<'a> Shifted<'a> {
    pub(super) fn new(pencil: &'a Pencil) -> Result<Self, EigenError> {
        Ok(Self { a: Scaled::new(pencil), analysis: Analysis::new(pencil)? })
    }

    /// The factor of A + σ.
    pub(super) fn factor(&self, sigma: f64) -> Result<Factor<'_>, EigenError> {
        self.analysis.factorize(self.a.pencil, &self.a.scale, &self.shifted(sigma))
    }

    /// The estimate of the bytes that a basis of so many vectors needs beside the factor, the k results and the
    /// pencil.
    pub(super) fn bytes(&self, k: usize, basis: usize) -> u64 {
        let n = self.a.pencil.n() as u64;
        self.analysis.bytes() + 8 * n * (basis as u64 + 2 * k as u64 + 8) + 48 * self.a.pencil.edge_count() as u64
    }

    /// The diagonal of A + σ·1.
    fn shifted(&self, sigma: f64) -> Vec<f64> {
        self.a.diagonal.iter().map(|d| d + sigma).collect()
    }

    /// Whether exactly the values found, ascending, lie below a point just above λ_k; none where λ_k itself is no more than
    /// rounding errors.
    pub(super) fn certify(&self, values: &[f64], wanted: Wanted) -> Result<Option<bool>, EigenError> {
        let last = values[wanted.k.min(values.len()) - 1];
        if last <= self.a.allowed(0.0, wanted) {
            return Ok(None);
        }
        let margin = (2.0 * self.a.allowed(last, wanted)).max(1e-9 * last);
        let mu = last + margin;
        let known = values.iter().filter(|value| **value < mu).count();
        let count = self.analysis.count_negative(self.a.pencil, &self.a.scale, &self.shifted(-mu))?;
        Ok(count.map(|count| count <= known))
    }
}
