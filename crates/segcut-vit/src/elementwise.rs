//! Row-wise and element-wise operations: layer norm, softmax, GELU and SiLU, compiled for several
//! instruction sets and chosen at run time.

use crate::network::Norm;
use multiversion::multiversion;
use multiversion::target::target_cfg_f;

/// Sums of this many lanes are kept apart, so that they vectorise and are the same everywhere.
const LANES: usize = 16;

/// a·b + c, rounded once where the instruction set has it (`FUSED`).
#[inline(always)]
fn fma<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// 2^x for x ≤ 127, relative error below 3·10⁻⁷; 2^−126 below −126.
///
/// x = n + r with |r| ≤ ½, and a polynomial of degree 6 in r (least squares at Chebyshev points).
#[inline(always)]
fn exp2<const FUSED: bool>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5·2²³: adding it rounds to whole numbers
    const POLYNOMIAL: [f32; 7] =
        [1.533_757_7e-4, 1.339_986e-3, 9.618_52e-3, 5.550_329e-2, 0.240_226_46, std::f32::consts::LN_2, 1.0];
    let x = if x > -126.0 { x } else { -126.0 };
    let shifted = x + (ROUND + 127.0);
    let r = x - (shifted - (ROUND + 127.0));
    let poly = POLYNOMIAL.into_iter().reduce(|sum, c| fma::<FUSED>(sum, r, c)).unwrap_or(1.0);
    // the lowest bits of `shifted` are n + 127, the exponent of 2^n
    poly * f32::from_bits(shifted.to_bits() << 23)
}

/// Distribution function of the normal distribution minus ½, absolute error below 4·10⁻⁷.
///
/// x times a polynomial of degree 12 in x² on −5 … 5 (least squares at Chebyshev points, which are
/// s = x²/12.5 − 1), constant beyond.
#[inline(always)]
fn normal<const FUSED: bool>(x: f32) -> f32 {
    const POLYNOMIAL: [f32; 13] = [
        4.979_815e-4,
        -1.529_652e-3,
        2.004_732e-3,
        -2.888_242_7e-3,
        6.148_58e-3,
        -1.098_890_5e-2,
        1.651_049_6e-2,
        -2.333_366_3e-2,
        3.142_284_6e-2,
        -4.043_303_4e-2,
        5.152_170_4e-2,
        -7.029_666e-2,
        0.141_363_77,
    ];
    let x = x.clamp(-5.0, 5.0);
    let s = fma::<FUSED>(x * x, 0.08, -1.0);
    x * POLYNOMIAL.into_iter().reduce(|sum, c| fma::<FUSED>(sum, s, c)).unwrap_or(0.0)
}

/// Rows of x → their layer norms (Ba et al. 2016) in `out`, whose rows are `stride` apart.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn layer_norm(x: &[f32], norm: &Norm, epsilon: f32, out: &mut [f32], stride: usize) {
    let dim = norm.scale.len();
    for (row, out) in x.chunks_exact(dim).zip(out.chunks_mut(stride)) {
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

/// A softmax whose scores come block by block (Milakov & Gimelshein 2018).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    /// The highest score so far.
    highest: f32,
    /// Sum of 2^(score − highest) so far.
    pub sum: f32,
    /// What sums of the blocks before the last are to be multiplied by.
    pub factor: f32,
}

impl Default for Running {
    fn default() -> Self {
        Self { highest: f32::NEG_INFINITY, sum: 0.0, factor: 0.0 }
    }
}

/// Rows of `width` base-2 scores, `stride` apart, → 2^(score − highest so far) in place.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn softmax_block(scores: &mut [f32], [stride, width]: [usize; 2], states: &mut [Running]) {
    const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    for (row, state) in scores.chunks_mut(stride).zip(states) {
        let row = &mut row[..width];
        let mut lanes = [state.highest; LANES];
        for chunk in row.chunks(LANES) {
            lanes.iter_mut().zip(chunk).for_each(|(h, &v)| *h = if v > *h { v } else { *h });
        }
        let highest = lanes.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let mut lanes = [0f32; LANES];
        for chunk in row.chunks_mut(LANES) {
            chunk.iter_mut().zip(&mut lanes).for_each(|(v, sum)| {
                *v = exp2::<FUSED>(*v - highest);
                *sum += *v;
            });
        }
        state.factor = exp2::<FUSED>(state.highest - highest);
        state.sum = state.sum * state.factor + lanes.iter().sum::<f32>();
        state.highest = highest;
    }
}

/// x·Φ(x) in place, Φ the normal distribution (Hendrycks & Gimpel 2016); absolute error below 3·10⁻⁶.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn gelu(values: &mut [f32]) {
    const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    for v in values {
        // below −6 the exact value is nearer to 0 than the polynomial's error
        *v = if *v > -6.0 { *v } else { -6.0 } * (0.5 + normal::<FUSED>(*v));
    }
}

/// SiLU of the gate times the values: v·g/(1 + e^(−g)), in place.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn gated(values: &mut [f32], gate: &[f32]) {
    const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    for (v, &g) in values.iter_mut().zip(gate) {
        let power = (-g * std::f32::consts::LOG2_E).min(126.0);
        *v *= g / (1.0 + exp2::<FUSED>(power));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_close_with_and_without_fused_arithmetic() {
        for i in -1259..=1260 {
            let x = i as f32 * 0.1;
            let exact = f64::from(x).exp2();
            assert!((f64::from(exp2::<true>(x)) / exact - 1.0).abs() < 3e-7, "{x}");
            assert!((f64::from(exp2::<false>(x)) / exact - 1.0).abs() < 3e-7, "{x}");
        }
        assert!(exp2::<true>(f32::NEG_INFINITY) < 2e-38);
    }

    #[test]
    fn gelu_is_close_to_tabled_values() {
        // x·Φ(x) by Φ of a table of the normal distribution with ten digits
        let table = [
            (0.0, 0.0),
            (0.5, 0.345_731_230_6),
            (1.0, 0.841_344_746_1),
            (-1.0, -0.158_655_253_9),
            (2.0, 1.954_499_736_1),
            (-2.0, -0.045_500_263_9),
            (3.0, 2.995_950_305_9),
            (-4.0, -0.000_126_685_0),
            (-8.0, 0.0),
            (-300.0, 0.0),
            (300.0, 300.0),
        ];
        for (x, y) in table {
            let mut v = [x as f32];
            gelu(&mut v);
            assert!((f64::from(v[0]) - y).abs() < 3e-6 * y.abs().max(1.0), "{x}: {}", v[0]);
        }
    }

    #[test]
    fn silu_saturates() {
        let mut v = [2.0, 2.0, 2.0];
        gated(&mut v, &[0.0, 50.0, -500.0]);
        assert!(v[0] == 0.0 && (v[1] - 100.0).abs() < 1e-4 && v[2].abs() < 1e-4, "{v:?}");
    }

    #[test]
    fn blocks_give_the_softmax_of_the_whole() {
        let score = |i: usize| ((i * 37) % 101) as f32 / 9.0 - 4.0;
        let scores: Vec<f32> = (0..96).map(score).collect();
        let total: f64 = scores.iter().map(|&s| f64::from(s).exp2()).sum();
        let mut state = [Running::default()];
        let (mut seen, mut first) = (0.0, 0.0);
        for block in scores.chunks(32) {
            let mut block = block.to_vec();
            softmax_block(&mut block, [32, 32], &mut state);
            first = if seen == 0.0 { block[0] } else { first * state[0].factor };
            seen += 1.0;
        }
        let share = f64::from(first / state[0].sum);
        assert!((share / (f64::from(scores[0]).exp2() / total) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn layer_norm_has_mean_zero_and_variance_one() {
        let norm = Norm { scale: vec![1.0; 40], shift: vec![0.0; 40] };
        let x: Vec<f32> = (0..80).map(|i| (i * i % 17) as f32).collect();
        let mut out = vec![0.0; 90];
        layer_norm(&x, &norm, 1e-6, &mut out, 45);
        for row in out.chunks_exact(45) {
            assert!(row.iter().sum::<f32>().abs() < 1e-4);
            assert!((row.iter().map(|v| v * v).sum::<f32>() / 40.0 - 1.0).abs() < 1e-4);
        }
    }
}
