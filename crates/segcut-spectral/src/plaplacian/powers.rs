//! Differences to their powers, several at a time, and to weighted sums of them.

use multiversion::multiversion;

const LANES: usize = 8;
/// The bits of √½; numbers are split at it into 2^k · m with m in [√½, √2).
const HALF_ROOT: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE: u64 = 0x3ff0_0000_0000_0000;
const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
/// Adding 2^52 + 2^51 rounds to an integer that stands in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// log₂ x of a normal x > 0, by the series of the area tangent.
#[inline(always)]
fn log2(x: f64) -> f64 {
    let shifted = x.to_bits().wrapping_add(ONE - HALF_ROOT);
    let k = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
    let m = f64::from_bits((shifted & MANTISSA).wrapping_add(HALF_ROOT));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let z2 = z * z;
    let z4 = z2 * z2;
    let low = (1.0 + z * (1.0 / 3.0)) + z2 * (1.0 / 5.0 + z * (1.0 / 7.0));
    let high = (1.0 / 9.0 + z * (1.0 / 11.0)) + z2 * (1.0 / 13.0 + z * (1.0 / 15.0));
    let series = low + z4 * (high + z4 * (1.0 / 17.0 + z * (1.0 / 19.0)));
    k + s * series * (2.0 * std::f64::consts::LOG2_E)
}

/// 2^y for |y| up to 1000, by Taylor's series of e^t for |t| ≤ ½·ln 2.
#[inline(always)]
fn exp2(y: f64) -> f64 {
    let rounded = y + ROUND;
    let t = (y - (rounded - ROUND)) * std::f64::consts::LN_2;
    let t2 = t * t;
    let t4 = t2 * t2;
    let a = (1.0 + t) + t2 * (1.0 / 2.0 + t * (1.0 / 6.0));
    let b = (1.0 / 24.0 + t * (1.0 / 120.0)) + t2 * (1.0 / 720.0 + t * (1.0 / 5040.0));
    let c = (1.0 / 40_320.0 + t * (1.0 / 362_880.0)) + t2 * (1.0 / 3_628_800.0 + t * (1.0 / 39_916_800.0));
    let value = a + t4 * (b + t4 * c);
    f64::from_bits(value.to_bits().wrapping_add(rounded.to_bits() << 52))
}

/// |x|^e, 0 for x = 0 whatever e. Relative error about 1e-14; below 1e-300 the result is that of 0.
#[inline(always)]
fn power(x: f64, e: f64) -> f64 {
    let a = x.abs();
    let y = (e * log2(a)).clamp(-1000.0, 1000.0);
    let value = exp2(y);
    if a < 1e-300 { 0.0 } else { value }
}

/// out_i = |x_i|^e · sign x_i · w_i.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
pub(super) fn signed_powers(x: &[f64], weights: &[f64], e: f64, out: &mut [f64]) {
    for ((out, &x), &w) in out.iter_mut().zip(x).zip(weights) {
        *out = w * power(x, e).copysign(x);
    }
}

/// out_i = w_i (x_i² + floor)^e.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
pub(super) fn floored_powers(x: &[f64], weights: &[f64], floor: f64, e: f64, out: &mut [f64]) {
    for ((out, &x), &w) in out.iter_mut().zip(x).zip(weights) {
        *out = w * power(x * x + floor, e);
    }
}

/// Σ w·φ(x)·x and Σ w·φ(x)·y with φ(x) = |x|^e · sign x, each in eight running sums.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
pub(super) fn power_sums(x: &[f64], y: &[f64], weights: &[f64], e: f64) -> [f64; 2] {
    let n = x.len();
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    let (y_chunks, y_rest) = y[..n].as_chunks::<LANES>();
    let (w_chunks, w_rest) = weights[..n].as_chunks::<LANES>();
    let (mut own, mut other) = ([0.0; LANES], [0.0; LANES]);
    for ((x, y), w) in x_chunks.iter().zip(y_chunks).zip(w_chunks) {
        for lane in 0..LANES {
            let flux = w[lane] * power(x[lane], e).copysign(x[lane]);
            own[lane] += flux * x[lane];
            other[lane] += flux * y[lane];
        }
    }
    let mut total = [own.iter().sum::<f64>(), other.iter().sum::<f64>()];
    for ((x, y), w) in x_rest.iter().zip(y_rest).zip(w_rest) {
        let flux = w * power(*x, e).copysign(*x);
        total[0] += flux * x;
        total[1] += flux * y;
    }
    total
}

/// Σ s·φ_p(c − v) and its derivative by c, φ_p(x) = |x|^(p−1) · sign x; terms with v = c are left out.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
pub(super) fn centre_slope(v: &[f64], mass: &[f64], c: f64, p: f64) -> [f64; 2] {
    let (v_chunks, v_rest) = v.as_chunks::<LANES>();
    let (s_chunks, s_rest) = mass[..v.len()].as_chunks::<LANES>();
    let (mut slope, mut curvature) = ([0.0; LANES], [0.0; LANES]);
    for (v, s) in v_chunks.iter().zip(s_chunks) {
        for lane in 0..LANES {
            let weight = s[lane] * power(c - v[lane], p - 2.0);
            slope[lane] += weight * (c - v[lane]);
            curvature[lane] += weight;
        }
    }
    let mut total = [slope.iter().sum::<f64>(), curvature.iter().sum::<f64>()];
    for (v, s) in v_rest.iter().zip(s_rest) {
        let weight = s * power(c - v, p - 2.0);
        total[0] += weight * (c - v);
        total[1] += weight;
    }
    [total[0], (p - 1.0) * total[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_agree_with_the_standard_library() {
        for i in 0..4000 {
            let x = 10f64.powf(f64::from(i) * 0.02 - 60.0) * (1.0 + f64::from(i % 7) * 0.13);
            for e in [0.1, 0.5, 0.99, 1.0, -0.9, -0.3] {
                let exact = x.powf(e);
                assert!((power(x, e) / exact - 1.0).abs() < 1e-13, "{x} {e}: {} {exact}", power(x, e));
            }
        }
        assert_eq!([power(0.0, 0.1), power(0.0, -0.9), power(-1.0, 0.3)], [0.0, 0.0, 1.0]);
    }

    #[test]
    fn sums_equal_plain_loops() {
        let x: Vec<f64> = (0..37).map(|i| f64::from(i).sin()).collect();
        let y: Vec<f64> = (0..37).map(|i| f64::from(i).cos()).collect();
        let w: Vec<f64> = (0..37).map(|i| 1.0 + f64::from(i % 3)).collect();
        let phi = |x: f64, e: f64| x.abs().powf(e).copysign(x);
        let plain = |e: f64, y: &[f64]| x.iter().zip(y).zip(&w).map(|((x, y), w)| w * phi(*x, e) * y).sum::<f64>();
        let [a, b] = power_sums(&x, &y, &w, 0.2);
        assert!((a - plain(0.2, &x)).abs() < 1e-12 && (b - plain(0.2, &y)).abs() < 1e-12);
        let [slope, _] = centre_slope(&x, &w, 0.25, 1.2);
        let exact: f64 = x.iter().zip(&w).map(|(x, w)| w * phi(0.25 - x, 0.2)).sum();
        assert!((slope - exact).abs() < 1e-12);
        let mut out = vec![0.0; 37];
        signed_powers(&x, &w, 0.4, &mut out);
        assert!(out.iter().zip(&x).zip(&w).all(|((o, x), w)| (o - w * phi(*x, 0.4)).abs() < 1e-13));
    }
}
