//! A level of a grid → its smallest N-cut eigenvectors, by subspace iteration with Chebyshev filters.

use super::grid_level::{GridLevel, Panel, Recurrence};
use crate::eigen::EigenError;
use faer::{Mat, Side};
use multiversion::multiversion;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use segcut_pixel::{LANES, Lanes};

/// Degree of the polynomial between two orthogonalizations.
const DEGREE: usize = 10;

/// Directions with less than this share of the largest are lost in f32.
const LOST: f64 = 1e-5;

/// Cells whose products are summed in f32.
const CHUNK: usize = 256;

/// Vectors over one level: u = D^½·v in panels of [`LANES`] columns.
///
/// Zhou, Saad, Tiago & Chelikowsky 2006 (Chebyshev-filtered subspace iteration): a polynomial that is small on
/// the unwanted eigenvalues and large on the wanted ones, then Rayleigh-Ritz. The null vector D^½·1 is kept out.
///
/// # Determinism
/// Panels are independent and sums run over fixed chunks: any number of threads gives the same bytes.
#[derive(Debug)]
pub(super) struct Subspace<'a> {
    level: &'a GridLevel,
    panels: Vec<Panel>,
    /// Eigenvalues of N, falling; one per vector that is not lost.
    values: Vec<f64>,
    random: ChaCha8Rng,
}

impl<'a> Subspace<'a> {
    /// Random vectors.
    pub(super) fn random(level: &'a GridLevel, panels: usize, seed: u64) -> Self {
        let panels = (0..panels).map(|_| level.panel()).collect();
        let mut subspace = Self { level, panels, values: Vec::new(), random: ChaCha8Rng::seed_from_u64(seed) };
        subspace.replace_lost();
        subspace
    }

    /// The vectors of the halved level, constant over its cells.
    pub(super) fn refined(self, level: &'a GridLevel) -> Self {
        let refine = |coarse: &Panel| {
            let mut panel = level.panel();
            for ((out, parent), root) in panel.cells_mut().iter_mut().zip(level.parents()).zip(level.roots()) {
                let scale = root / self.level.roots()[parent];
                *out = coarse.cells()[parent].map(|value| scale * value);
            }
            panel
        };
        Self { level, panels: self.panels.iter().map(refine).collect(), values: self.values, random: self.random }
    }

    /// 1 − the eigenvalues of N, rising: those of the N-cut.
    pub(super) fn values(&self) -> Vec<f64> {
        self.values.iter().map(|value| 1.0 - value).collect()
    }

    /// Filters the vectors and turns them into the best approximations of eigenvectors in their span.
    pub(super) fn iterate(&mut self) -> Result<(), EigenError> {
        // Eigenvalues of N from −1 to that of the last vector are unwanted.
        let cut = self.values.last().copied().unwrap_or(0.5).clamp(-0.5, 0.999) as f32;
        let (centre, half) = ((cut - 1.0) / 2.0, (cut + 1.0) / 2.0);
        let level = self.level;
        self.panels.par_iter_mut().for_each(|panel| {
            let mut previous = level.panel();
            level.advance(Recurrence { product: 1.0 / half, own: -centre / half }, panel, &mut previous);
            for _ in 1..DEGREE {
                std::mem::swap(panel, &mut previous);
                level.advance(Recurrence { product: 2.0 / half, own: -2.0 * centre / half }, panel, &mut previous);
            }
            std::mem::swap(panel, &mut previous);
        });
        self.rayleigh_ritz()
    }

    fn rayleigh_ritz(&mut self) -> Result<(), EigenError> {
        self.deflate();
        let level = self.level;
        let products = self.panels.par_iter().map(|panel| {
            let mut out = level.panel();
            level.advance(Recurrence { product: 1.0, own: 0.0 }, panel, &mut out);
            out
        });
        let products: Vec<Panel> = products.collect();
        let (gram, projected) = (gram(&self.panels, &self.panels), gram(&self.panels, &products));
        let (values, rotation) = ritz(&gram, &projected)?;
        let cells = level.n();
        let rotated = (0..self.panels.len()).into_par_iter().map(|q| {
            let mut out = level.panel();
            for (p, panel) in self.panels.iter().enumerate() {
                let block =
                    std::array::from_fn(|i| std::array::from_fn(|j| rotation[(p * LANES + i, q * LANES + j)] as f32));
                add_rotated(panel.cells(), &block, &mut out.cells_mut()[..cells]);
            }
            out
        });
        self.panels = rotated.collect();
        self.values = values;
        self.replace_lost();
        Ok(())
    }

    /// Takes the unit null vector out of every vector.
    fn deflate(&mut self) {
        let roots = self.level.roots();
        let total: f64 = roots.iter().map(|&r| f64::from(r).powi(2)).sum();
        self.panels.par_iter_mut().for_each(|panel| {
            let mut sums = [0.0f64; LANES];
            for (lanes, &root) in panel.cells().iter().zip(roots) {
                sums.iter_mut().zip(lanes).for_each(|(sum, &value)| *sum += f64::from(root * value));
            }
            let shares = sums.map(|sum| (sum / total) as f32);
            for (lanes, root) in panel.cells_mut().iter_mut().zip(roots) {
                lanes.iter_mut().zip(shares).for_each(|(value, share)| *value -= share * root);
            }
        });
    }

    /// New random vectors in the place of those that were lost.
    fn replace_lost(&mut self) {
        let kept = self.values.len();
        for (p, panel) in self.panels.iter_mut().enumerate() {
            for lane in (0..LANES).filter(|lane| p * LANES + lane >= kept) {
                let random = &mut self.random;
                panel.cells_mut().iter_mut().for_each(|lanes| lanes[lane] = random.random::<f32>() - 0.5);
            }
        }
    }

    /// The first `wanted` eigenvectors v of L·v = λ·D·v with their values by squared differences; the other lanes
    /// are 0.
    pub(super) fn finish(self, wanted: usize) -> (Vec<f64>, Vec<Vec<Lanes>>) {
        let (mut values, mut panels) = (Vec::new(), Vec::new());
        let kept = wanted.min(self.values.len());
        for (p, panel) in self.panels.iter().enumerate().take(kept.div_ceil(LANES)) {
            let lanes_kept = (kept - p * LANES).min(LANES);
            let scaled = panel.cells().iter().zip(self.level.roots()).map(|(lanes, root)| {
                std::array::from_fn(|lane| if lane < lanes_kept { lanes[lane] / root } else { 0.0 })
            });
            let vectors: Vec<Lanes> = scaled.collect();
            values.extend_from_slice(&self.level.rayleigh(&vectors)[..lanes_kept]);
            panels.push(vectors);
        }
        (values, panels)
    }
}

/// The eigenpairs of the projected problem: values of N, falling, and the rotation into their vectors.
///
/// Columns of the rotation beyond the values are 0.
fn ritz(gram: &Mat<f64>, projected: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>), EigenError> {
    let b = gram.nrows();
    let inverse = |i: usize| if gram[(i, i)] > 0.0 { gram[(i, i)].sqrt().recip() } else { 0.0 };
    let scale: Vec<f64> = (0..b).map(inverse).collect();
    let unit = Mat::from_fn(b, b, |i, j| 0.5 * (gram[(i, j)] + gram[(j, i)]) * scale[i] * scale[j]);
    let basis = unit.self_adjoint_eigen(Side::Lower).map_err(|_| EigenError::Dense)?;
    let largest = basis.S()[b - 1];
    let kept: Vec<usize> = (0..b).rev().filter(|&j| basis.S()[j] > LOST * largest).collect();
    let whitened = Mat::from_fn(b, kept.len(), |i, j| scale[i] * basis.U()[(i, kept[j])] / basis.S()[kept[j]].sqrt());
    let symmetric = Mat::from_fn(b, b, |i, j| 0.5 * (projected[(i, j)] + projected[(j, i)]));
    let small = whitened.transpose() * &symmetric * &whitened;
    let pairs = small.self_adjoint_eigen(Side::Lower).map_err(|_| EigenError::Dense)?;
    let rotation = &whitened * pairs.U();
    let k = kept.len();
    let values = (0..k).map(|j| pairs.S()[k - 1 - j]).collect();
    Ok((values, Mat::from_fn(b, b, |i, j| if j < k { rotation[(i, k - 1 - j)] } else { 0.0 })))
}

/// AᵀB where it is symmetric: blocks below the diagonal are mirrored.
fn gram(a: &[Panel], b: &[Panel]) -> Mat<f64> {
    let count = a.len();
    let pairs: Vec<(usize, usize)> = (0..count).flat_map(|p| (p..count).map(move |q| (p, q))).collect();
    let blocks: Vec<_> = pairs.par_iter().map(|&(p, q)| products(a[p].cells(), b[q].cells())).collect();
    let size = count * LANES;
    let entry = |i: usize, j: usize| {
        let (p, q) = (i / LANES, j / LANES);
        // Rows of blocks before row p hold count, count − 1, … of them.
        blocks[p * (2 * count + 1 - p) / 2 + q - p][i % LANES][j % LANES]
    };
    Mat::from_fn(size, size, |i, j| if i / LANES <= j / LANES { entry(i, j) } else { entry(j, i) })
}

/// Rows of a product that are summed at once: what the registers hold.
const ROWS: usize = 4;

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn products(a: &[Lanes], b: &[Lanes]) -> [[f64; LANES]; LANES] {
    let mut total = [[0.0f64; LANES]; LANES];
    for (a, b) in a.chunks(CHUNK).zip(b.chunks(CHUNK)) {
        for (rows, total) in total.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
            add_products(a, b, rows, total);
        }
    }
    total
}

/// Adds the products of [`ROWS`] of a's columns with all of b's.
#[inline(always)]
fn add_products(a: &[Lanes], b: &[Lanes], rows: usize, total: &mut [[f64; LANES]; ROWS]) {
    let mut sums = [[0.0f32; LANES]; ROWS];
    for (a, b) in a.iter().zip(b) {
        for (sums, factor) in sums.iter_mut().zip(&a.as_chunks::<ROWS>().0[rows]) {
            sums.iter_mut().zip(b).for_each(|(sum, value)| *sum += factor * value);
        }
    }
    for (total, sum) in total.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
        *total += f64::from(*sum);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn add_rotated(from: &[Lanes], block: &[Lanes; LANES], out: &mut [Lanes]) {
    for (from, out) in from.iter().zip(out) {
        let mut sums = *out;
        for (value, row) in from.iter().zip(block) {
            for lane in 0..LANES {
                sums[lane] += value * row[lane];
            }
        }
        *out = sums;
    }
}
