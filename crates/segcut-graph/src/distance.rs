//! Distances between the rows of a feature block that change as regions merge.

use multiversion::multiversion;
use segcut_core::FeatureBlock;

/// A feature block whose rows can be mixed.
pub(crate) struct BlockDistance {
    histograms: bool,
    dims: usize,
    values: Vec<f32>,
}

impl BlockDistance {
    pub(crate) fn new(block: &FeatureBlock) -> Self {
        Self { histograms: !block.bins.is_empty(), dims: block.dims, values: block.values.clone() }
    }

    /// Chi-square distance of histograms, or Euclidean distance of means.
    pub(crate) fn between(&self, a: usize, b: usize) -> f64 {
        let row = |i: usize| &self.values[i * self.dims..(i + 1) * self.dims];
        match self.histograms {
            true => f64::from(chi_square(row(a), row(b))),
            false => euclidean(row(a), row(b)),
        }
    }

    /// Row a becomes (1 − share)·a + share·b.
    pub(crate) fn mix(&mut self, a: usize, b: usize, share: f32) {
        let [a, b] = [a, b].map(|i| i * self.dims..(i + 1) * self.dims);
        let (low, high) = self.values.split_at_mut(a.start.max(b.start));
        let (into, from) = match a.start < b.start {
            true => (&mut low[a], &high[..self.dims]),
            false => (&mut high[..self.dims], &low[b]),
        };
        for (into, &from) in into.iter_mut().zip(from) {
            *into += share * (from - *into);
        }
    }
}

/// ½ Σ (p − q)² / (p + q), where bins that are empty in both add nothing.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn chi_square(p: &[f32], q: &[f32]) -> f32 {
    const LANES: usize = 8;
    let term = |p: f32, q: f32| (p - q) * (p - q) / (p + q + 1e-12);
    let (p, rest_p) = p.as_chunks::<LANES>();
    let (q, rest_q) = q.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (p, q) in p.iter().zip(q) {
        for lane in 0..LANES {
            sums[lane] += term(p[lane], q[lane]);
        }
    }
    let rest: f32 = rest_p.iter().zip(rest_q).map(|(&p, &q)| term(p, q)).sum();
    0.5 * (sums.iter().sum::<f32>() + rest)
}

fn euclidean(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>().sqrt()
}
