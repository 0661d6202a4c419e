//! Row-wise and element-wise operations: layer norm, softmax, GELU and SiLU, compiled for several
//! instruction sets and chosen at run time.

use crate::network::Norm;
use multiversion::multiversion;

/// Sums of this many lanes are kept apart, so that they vectorise and are the same everywhere.
const LANES: usize = 16;

/// e^x, relative error below 2·10⁻⁷; 0 below −87.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2, and a polynomial of degree 6 in r (Taylor).
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const ROUND: f32 = 12_582_912.0; // 1.5·2²³: adding it rounds to whole numbers
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = clamped * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = clamped - n * LN2_HIGH - n * LN2_LOW;
    let poly = 1.0 / 720.0;
    let poly = poly * r + 1.0 / 120.0;
    let poly = poly * r + 1.0 / 24.0;
    let poly = poly * r + 1.0 / 6.0;
    let poly = poly * r + 0.5;
    let poly = poly * r + 1.0;
    let poly = poly * r + 1.0;
    let power = f32::from_bits(((n as i32 + 127) as u32) << 23);
    poly * power
}

/// Error function, absolute error below 2·10⁻⁷ (Abramowitz & Stegun 1964, 7.1.26).
#[inline(always)]
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let poly = ((((1.061_405_4 * t - 1.453_152_1) * t) + 1.421_413_8) * t - 0.284_496_72) * t + 0.254_829_6;
    (1.0 - poly * t * exp(-size * size)).copysign(x)
}

/// Rows of x → their layer norms (Ba et al. 2016) in `out`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub(crate) fn layer_norm(x: &[f32], norm: &Norm, epsilon: f32, out: &mut [f32]) {
    let dim = norm.scale.len();
    for (row, out) in x.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
        let mean = lane_sum(row, |v| v) / dim as f32;
        let variance = lane_sum(row, |v| (v - mean) * (v - mean)) / dim as f32;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        for (((o, &v), s), b) in out.iter_mut().zip(row).zip(&norm.scale).zip(&norm.shift) {
            *o = (v - mean) * inverse * s + b;
        }
    }
}

#[inline(always)]
fn lane_sum(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0f32; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|&v| f(v)).sum();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &v)| *lane += f(v));
    }
    lanes.iter().sum::<f32>() + rest
}

/// Rows of scores → e^(scale·(s − max)) in place; the inverse of each row's sum in `inverse`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub(crate) fn softmax_numerators(scores: &mut [f32], cols: usize, scale: f32, inverse: &mut [f32]) {
    for (row, inverse) in scores.chunks_exact_mut(cols).zip(inverse) {
        let mut highest = [f32::NEG_INFINITY; LANES];
        for chunk in row.chunks(LANES) {
            highest.iter_mut().zip(chunk).for_each(|(h, &v)| *h = if v > *h { v } else { *h });
        }
        let highest = highest.into_iter().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|v| *v = exp((*v - highest) * scale));
        *inverse = 1.0 / lane_sum(row, |v| v);
    }
}

/// x·Φ(x) in place, Φ the normal distribution (Hendrycks & Gimpel 2016).
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub(crate) fn gelu(values: &mut [f32]) {
    for v in values {
        *v = 0.5 * *v * (1.0 + erf(*v * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// SiLU of the gate times the values: v·g/(1 + e^(−g)), in place.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub(crate) fn gated(values: &mut [f32], gate: &[f32]) {
    for (v, &g) in values.iter_mut().zip(gate) {
        *v *= g / (1.0 + exp(-g));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_and_error_function_are_close() {
        for i in -870..=880 {
            let x = i as f32 * 0.1;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 1e-6, "{x}");
        }
        // values of the tables of Abramowitz & Stegun
        for (x, y) in [(0.0, 0.0), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (2.0, 0.995_322_3), (-1.0, -0.842_700_8)] {
            assert!((erf(x) - y).abs() < 1e-6, "{x}");
        }
    }

    #[test]
    fn softmax_of_equal_scores_is_uniform() {
        let mut scores = vec![700.0f32; 2 * 19];
        let mut inverse = [0.0; 2];
        softmax_numerators(&mut scores, 19, 0.125, &mut inverse);
        assert!(scores.iter().all(|&s| s == 1.0) && inverse.iter().all(|&i| (i * 19.0 - 1.0).abs() < 1e-6));
    }

    #[test]
    fn layer_norm_has_mean_zero_and_variance_one() {
        let norm = Norm { scale: vec![1.0; 40], shift: vec![0.0; 40] };
        let x: Vec<f32> = (0..80).map(|i| (i * i % 17) as f32).collect();
        let mut out = vec![0.0; 80];
        layer_norm(&x, &norm, 1e-6, &mut out);
        for row in out.chunks_exact(40) {
            assert!(row.iter().sum::<f32>().abs() < 1e-4);
            assert!((row.iter().map(|v| v * v).sum::<f32>() / 40.0 - 1.0).abs() < 1e-4);
        }
    }
}
