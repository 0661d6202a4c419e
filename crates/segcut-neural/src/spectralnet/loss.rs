//! Outputs of a batch → spectral loss and its gradients.

use super::batches::Batch;
use super::orthonormal::orthonormal;
use super::params::Orthogonality;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

/// Share of a column's squared mean below which its variance is rounding of f32.
const CONSTANT: f64 = 1e-12;

/// What a batch tells of outputs Y: the mass-weighted mean and Gram matrix (of the centered outputs) and YᵀLY, all
/// divided by the batch's mass.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments {
    pub(crate) mean: Array1<f64>,
    pub(crate) gram: Array2<f64>,
    pub(crate) energy: Array2<f64>,
    /// L·Y divided by the mass, f32.
    pub(crate) spread: Array2<f32>,
}

impl Moments {
    pub(crate) fn of(y: ArrayView2<'_, f32>, batch: &Batch, centered: bool) -> Self {
        let total: f64 = batch.mass.iter().map(|&m| f64::from(m)).sum::<f64>().max(f64::MIN_POSITIVE);
        let share = batch.mass.mapv(|m| f64::from(m) / total);
        let mut mean = Array1::<f64>::zeros(y.ncols());
        if centered {
            Zip::from(y.rows())
                .and(&share)
                .for_each(|row, &m| mean.zip_mut_with(&row, |sum, &v| *sum += m * f64::from(v)));
        }
        // Centered before they are multiplied: columns that hardly vary would drown in rounding.
        let rest = y.mapv(f64::from) - &mean;
        let weighted = &rest * &share.view().insert_axis(Axis(1));
        let mut gram = weighted.t().dot(&rest);
        let constant = |j: &usize| gram[[*j, *j]] <= CONSTANT * mean[*j] * mean[*j];
        for j in (0..y.ncols()).filter(constant).collect::<Vec<usize>>() {
            gram.row_mut(j).fill(0.0);
            gram.column_mut(j).fill(0.0);
        }
        let spread = laplacian(y, batch, (1.0 / total) as f32);
        let energy = product(y, spread.view());
        Self { mean, gram, energy, spread }
    }
}

/// AᵀB, summed in f64 over blocks of rows.
fn product(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f64> {
    let mut sum = Array2::<f64>::zeros((a.ncols(), b.ncols()));
    for (a, b) in a.axis_chunks_iter(Axis(0), 256).zip(b.axis_chunks_iter(Axis(0), 256)) {
        sum += &a.mapv(f64::from).t().dot(&b.mapv(f64::from));
    }
    sum
}

/// (D − W)·Y of the batch's edges, times a factor.
fn laplacian(y: ArrayView2<'_, f32>, batch: &Batch, factor: f32) -> Array2<f32> {
    let k = y.ncols();
    let y = y.as_standard_layout();
    let mut spread = vec![0.0f32; y.len()];
    let rows = y.as_slice().unwrap_or_default();
    for &(u, v, weight) in &batch.edges {
        let (u, v) = (u as usize * k, v as usize * k);
        for c in 0..k {
            let flow = factor * weight * (rows[u + c] - rows[v + c]);
            spread[u + c] += flow;
            spread[v + c] -= flow;
        }
    }
    Array2::from_shape_vec(y.raw_dim(), spread).unwrap_or_else(|_| Array2::zeros(y.raw_dim()))
}

/// The loss of a batch and its gradient with respect to the outputs.
#[derive(Debug)]
pub(crate) struct Loss {
    /// Σ w_uv |z_u − z_v|² over the batch's mass, z the orthonormalised outputs: the sum of Ritz values.
    pub(crate) value: f64,
    /// With respect to the outputs of the batch.
    pub(crate) gradient: Array2<f32>,
    /// Independent columns.
    pub(crate) rank: usize,
}

/// How the outputs are kept apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Apart {
    pub(crate) orthogonality: Orthogonality,
    /// Factor of ‖G − I‖², for [`Orthogonality::Penalty`].
    pub(crate) penalty: f64,
    /// Factor of Σ max(0, 1 − √G_jj)² / k.
    pub(crate) variance: f64,
}

/// tr(WᵀSW) with S = YᵀLY and W the orthonormalisation of `orth`, a batch's moments (Shaham et al. 2018, eq. 5 with
/// the orthogonality of eq. 6; divided by the mass in place of m²).
///
/// With the weights held fixed, as the paper does, ∂/∂Y = 2·LY·WWᵀ. Where the gradient flows through them,
/// WWᵀ = G⁻¹ and ∂/∂Y_orth = −2·M(Y_orth − μ)·G⁻¹SG⁻¹ comes besides ([`through`]).
pub(crate) fn spectral_loss(y: &Moments, orth: &Moments, apart: Apart) -> Loss {
    let k = y.gram.nrows();
    if apart.orthogonality == Orthogonality::Penalty {
        let rest = &orth.gram - &Array2::<f64>::eye(k);
        let value = y.energy.diag().sum() + apart.penalty * rest.iter().map(|x| x * x).sum::<f64>();
        let rank = orthonormal(orth.gram.view()).rank;
        return Loss { value, gradient: &y.spread * 2.0, rank };
    }
    let found = orthonormal(orth.gram.view());
    let inverse = found.weights.dot(&found.weights.t());
    let value = (&inverse * &y.energy).sum();
    let gradient = y.spread.dot(&inverse.mapv(|x| (2.0 * x) as f32));
    Loss { value, gradient, rank: found.rank }
}

/// The gradient that reaches the outputs of the orthonormalisation batch through their Gram matrix.
pub(crate) fn through(
    outputs: ArrayView2<'_, f32>,
    batch: &Batch,
    orth: &Moments,
    energy: &Array2<f64>,
    apart: Apart,
) -> Array2<f32> {
    let of_gram = gradient_of_gram(orth, energy, apart);
    let total: f64 = batch.mass.iter().map(|&m| f64::from(m)).sum::<f64>().max(f64::MIN_POSITIVE);
    let mean = orth.mean.mapv(|x| x as f32);
    let mut centered = &outputs - &mean;
    Zip::from(centered.rows_mut()).and(&batch.mass).for_each(|mut row, &mass| row *= mass / total as f32);
    centered.dot(&of_gram.mapv(|x| (2.0 * x) as f32))
}

/// ∂loss/∂G, symmetric.
fn gradient_of_gram(orth: &Moments, energy: &Array2<f64>, apart: Apart) -> Array2<f64> {
    let k = orth.gram.nrows();
    let mut of_gram = match apart.orthogonality {
        Orthogonality::Fixed => Array2::zeros((k, k)),
        Orthogonality::Penalty => (&orth.gram - &Array2::<f64>::eye(k)) * (2.0 * apart.penalty),
        Orthogonality::Through => {
            let weights = orthonormal(orth.gram.view()).weights;
            let inverse = weights.dot(&weights.t());
            -inverse.dot(energy).dot(&inverse)
        }
    };
    if apart.variance > 0.0 {
        for j in 0..k {
            let deviation = orth.gram[[j, j]].max(1e-8).sqrt();
            of_gram[[j, j]] -= apart.variance * (1.0 - deviation).max(0.0) / (deviation * k as f64);
        }
    }
    of_gram
}
