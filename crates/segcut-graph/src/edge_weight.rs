//! What was measured on an edge → its weight, as a product of terms.

use serde::{Deserialize, Serialize};

/// How a feature distance d becomes a similarity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scale {
    /// exp(−d² / sigma), scikit-image's `rag_mean_color(mode="similarity")`.
    Fixed {
        /// Its `sigma`, in squared units of the features (255 there, on RGB of 0 to 255).
        sigma: f64,
    },
    /// exp(−d² / s²), s = factor · (the `quantile` of all edges' distances), at least a tenth of their mean.
    Adaptive {
        /// Multiplies the quantile.
        factor: f64,
        /// Which quantile, 0 to 1; 0.5 is the median.
        quantile: f64,
    },
    /// exp(−d² / (factor² · s_u · s_v)), s_u the mean distance of node u to its neighbours, at least a tenth
    /// of the mean over all edges (local scaling after Zelnik-Manor & Perona 2004).
    Local {
        /// Multiplies both scales.
        factor: f64,
    },
}

/// One value per edge, from which a weight is made.
pub(crate) struct Measured<'a> {
    pub(crate) n: usize,
    pub(crate) edges: &'a [[u32; 2]],
    pub(crate) distance: &'a [f32],
    pub(crate) border_length: &'a [f32],
    pub(crate) strength: Option<&'a [f32]>,
}

/// The exponents of the terms; see [`RagParams`](crate::RagParams).
pub(crate) struct Terms<'a> {
    pub(crate) scale: &'a Scale,
    pub(crate) contour_weight: f64,
    pub(crate) border_exponent: f64,
}

/// weight = similarity(distance) · exp(−contour_weight · strength / c) · (border / mean border)^border_exponent.
///
/// c is 1 under a fixed scale and the mean strength over all edges otherwise. Edges without a
/// border (within the radius or the ring) have no third factor.
pub(crate) fn weights(measured: &Measured<'_>, terms: &Terms<'_>) -> Vec<f64> {
    let mut weights = similarity(measured, terms.scale);
    if let (Some(strength), true) = (measured.strength, terms.contour_weight != 0.0) {
        let unit = if matches!(terms.scale, Scale::Fixed { .. }) { 1.0 } else { mean(strength) };
        for (weight, &strength) in weights.iter_mut().zip(strength) {
            *weight *= (-terms.contour_weight * ratio(f64::from(strength), unit)).exp();
        }
    }
    if terms.border_exponent != 0.0 {
        let touching: Vec<f32> = measured.border_length.iter().copied().filter(|&length| length > 0.0).collect();
        let unit = mean(&touching);
        for (weight, &length) in weights.iter_mut().zip(measured.border_length).filter(|(_, length)| **length > 0.0) {
            *weight *= (f64::from(length) / unit).powf(terms.border_exponent);
        }
    }
    weights
}

fn similarity(measured: &Measured<'_>, scale: &Scale) -> Vec<f64> {
    let squared = measured.distance.iter().map(|&d| f64::from(d) * f64::from(d));
    match *scale {
        Scale::Fixed { sigma } => squared.map(|d2| (-d2 / sigma).exp()).collect(),
        Scale::Adaptive { factor, quantile } => {
            let s = factor * quantile_of(measured.distance, quantile).max(mean(measured.distance) / 10.0);
            squared.map(|d2| (-ratio(d2, s * s)).exp()).collect()
        }
        Scale::Local { factor } => {
            let scales = node_scales(measured);
            let pairs = measured.edges.iter().map(|edge| edge.map(|node| factor * scales[node as usize]));
            squared.zip(pairs).map(|(d2, [u, v])| (-ratio(d2, u * v)).exp()).collect()
        }
    }
}

/// value / unit, and 0 where both are 0.
fn ratio(value: f64, unit: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value / unit }
}

fn node_scales(measured: &Measured<'_>) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0; measured.n], vec![0.0f64; measured.n]);
    for (edge, &distance) in measured.edges.iter().zip(measured.distance) {
        for node in edge.map(|node| node as usize) {
            sums[node] += f64::from(distance);
            counts[node] += 1.0;
        }
    }
    let floor = mean(measured.distance) / 10.0;
    sums.iter().zip(counts).map(|(&sum, count)| (sum / count.max(1.0)).max(floor)).collect()
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len().max(1) as f64
}

/// The value at rank quantile·(len − 1), rounded down; 0 of nothing.
fn quantile_of(values: &[f32], quantile: f64) -> f64 {
    let mut values = values.to_vec();
    if values.is_empty() {
        return 0.0;
    }
    let rank = (quantile * (values.len() - 1) as f64) as usize;
    f64::from(*values.select_nth_unstable_by(rank, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [[u32; 2]; 3] = [[0, 1], [0, 2], [1, 2]];

    fn measured<'a>(distance: &'a [f32], strength: Option<&'a [f32]>) -> Measured<'a> {
        Measured { n: 3, edges: &EDGES, distance, border_length: &[1.0, 4.0, 0.0], strength }
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
    }

    #[test]
    fn the_three_scales_by_hand() {
        let measured = measured(&[1.0, 2.0, 4.0], None);
        close(&similarity(&measured, &Scale::Fixed { sigma: 8.0 }), &[-0.125f64, -0.5, -2.0].map(f64::exp));
        let median = Scale::Adaptive { factor: 2.0, quantile: 0.5 };
        close(&similarity(&measured, &median), &[-1.0f64 / 16.0, -0.25, -1.0].map(f64::exp));
        // node scales 1.5, 2.5, 3
        let expected = [-1.0f64 / 3.75, -4.0 / 4.5, -16.0 / 7.5].map(f64::exp);
        close(&similarity(&measured, &Scale::Local { factor: 1.0 }), &expected);
    }

    #[test]
    fn a_constant_image_has_weight_one() {
        let measured = measured(&[0.0; 3], Some(&[0.0; 3]));
        for scale in [Scale::Adaptive { factor: 1.0, quantile: 0.5 }, Scale::Local { factor: 1.0 }] {
            let terms = Terms { scale: &scale, contour_weight: 2.0, border_exponent: 0.0 };
            assert_eq!(weights(&measured, &terms), [1.0; 3]);
        }
    }

    #[test]
    fn terms_multiply() {
        let measured = measured(&[0.0; 3], Some(&[0.5, 1.0, 0.0]));
        let terms = Terms { scale: &Scale::Fixed { sigma: 1.0 }, contour_weight: 2.0, border_exponent: 1.0 };
        close(&weights(&measured, &terms), &[0.4 * (-1.0f64).exp(), 1.6 * (-2.0f64).exp(), 1.0]);
    }
}
