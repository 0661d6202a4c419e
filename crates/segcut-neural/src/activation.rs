//! Element by element: ELU, dropout, softmax, and their derivatives.

use crate::exponential::exp;
use multiversion::multiversion;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// x → the larger of x and `least`, + `add`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn clip(values: &mut [f32], least: f32, add: f32) {
    values.iter_mut().for_each(|x| *x = x.max(least) + add);
}

/// Adds the bias to every row, then x or e^x − 1 below 0.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn biased_elu(values: &mut [f32], bias: &[f32]) {
    for row in values.chunks_exact_mut(bias.len().max(1)) {
        for (value, b) in row.iter_mut().zip(bias) {
            let x = *value + b;
            *value = x.max(0.0) + (exp(x.min(0.0)) - 1.0);
        }
    }
}

/// Times the derivative of ELU, from its output: 1 above 0, output + 1 below.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn through_elu(gradient: &mut [f32], output: &[f32]) {
    for (g, y) in gradient.iter_mut().zip(output) {
        *g *= y.min(0.0) + 1.0;
    }
}

/// Adds the bias to every row, then the softmax of the row.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn biased_softmax(values: &mut [f32], bias: &[f32]) {
    for row in values.chunks_exact_mut(bias.len().max(1)) {
        row.iter_mut().zip(bias).for_each(|(value, b)| *value += b);
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|value| *value = exp(*value - most));
        let scale = 1.0 / row.iter().sum::<f32>();
        row.iter_mut().for_each(|value| *value *= scale);
    }
}

/// The gradient of the memberships `s` → that of the logits, in place.
pub(crate) fn through_softmax(gradient: &mut [f32], s: &[f32], clusters: usize) {
    for (g, s) in gradient.chunks_exact_mut(clusters.max(1)).zip(s.chunks_exact(clusters.max(1))) {
        let shared: f32 = g.iter().zip(s).map(|(g, s)| g * s).sum();
        g.iter_mut().zip(s).for_each(|(g, s)| *g = (*g - shared) * s);
    }
}

/// Adds up columns.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
pub(crate) fn column_sums(values: &[f32], sums: &mut [f32]) {
    sums.fill(0.0);
    for row in values.chunks_exact(sums.len().max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
}

/// Draws 0 or 1 / (1 − rate) for every value; the rate is rounded to a multiple of 2⁻¹⁶.
pub(crate) fn draw_mask(mask: &mut [f32], rate: f64, random: &mut ChaCha8Rng) {
    let (kept, limit) = ((1.0 / (1.0 - rate)) as f32, (rate * 65536.0).round().min(65535.0) as u16);
    let mut bytes = [0u8; 512];
    for some in mask.chunks_mut(bytes.len() / 2) {
        random.fill_bytes(&mut bytes);
        for (value, pair) in some.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *value = if u16::from_le_bytes(*pair) < limit { 0.0 } else { kept };
        }
    }
}

/// out = a ∘ b.
pub(crate) fn times(out: &mut [f32], a: &[f32], b: &[f32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn memberships_sum_to_one() {
        let mut values = [0.0, 1.0, 2.0, -80.0, 80.0, 80.0];
        biased_softmax(&mut values, &[1.0, 0.0, 0.0]);
        assert!((values[0] - values[1]).abs() < 1e-6 && values[3] < 1e-30);
        assert!(values.chunks(3).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
    }

    #[test]
    fn masks_keep_their_share_and_their_mean() {
        let mut mask = vec![0.0; 40_000];
        draw_mask(&mut mask, 0.25, &mut ChaCha8Rng::seed_from_u64(5));
        let dropped = mask.iter().filter(|&&m| m == 0.0).count();
        assert!((9_600..10_400).contains(&dropped), "{dropped}");
        assert!(mask.iter().all(|&m| m == 0.0 || m == 4.0 / 3.0));
    }
}
