//! e^x in single precision, in a form that compilers turn into vector code.

/// e^x to about 2 units in the last place, for x from −87 to 88; beyond, the value at the bound.
///
/// x = k·ln 2 + r with |r| ≤ ln 2 / 2; e^r by Taylor's polynomial of degree 6, whose error is 2·10⁻⁷ at most; 2^k by
/// its bits.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts: k times the first is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Adding 1.5·2²³ rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = 1.0 / 720.0;
    for factor in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + factor;
    }
    sum * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn values_agree_with_the_library() {
        for step in -8000..=8000 {
            let x = step as f32 * 0.01;
            let wanted = f64::from(x).exp();
            assert!((f64::from(exp(x)) - wanted).abs() < 3e-7 * wanted, "{x}");
        }
        assert!(exp(-1000.0) > 0.0 && exp(1000.0).is_finite() && exp(0.0) == 1.0);
    }
}
