//! Whole-numbered samples → the same after a Gaussian blur, in whole numbers.

use crate::{GaussianError, RowShape, reflect};

/// Blurs whole numbers as `scipy.ndimage.gaussian_filter` does: weights to 4σ in f64, borders reflected, first along
/// the height, then along the width, and what each axis gives cut to a whole number.
///
/// Cutting takes half a unit off every axis on average, which gradients do not see.
///
/// # Errors
/// [`GaussianError`] for a deviation that is none.
///
/// # Cost
/// O(samples · σ).
///
/// # Examples
/// ```
/// use segcut_pixel::{RowShape, whole_blur};
/// let shape = RowShape { height: 1, width: 5, channels: 1 };
/// assert_eq!(whole_blur(&[0.0, 0.0, 100.0, 0.0, 0.0], shape, 0.5)?, [0.0, 10.0, 78.0, 10.0, 0.0]);
/// # Ok::<(), segcut_pixel::GaussianError>(())
/// ```
pub fn whole_blur(values: &[f64], shape: RowShape, sigma: f64) -> Result<Vec<f64>, GaussianError> {
    let weights = weights(crate::Gaussian::new(sigma)?.radius(), sigma);
    let RowShape { height, width, channels } = shape;
    let pitch = width * channels;
    let mut down = vec![0.0; values.len()];
    for (i, out) in down.iter_mut().enumerate() {
        let (y, rest) = (i / pitch, i % pitch);
        *out = blurred(&weights, y, height, |y| values[y * pitch + rest]);
    }
    let mut across = vec![0.0; values.len()];
    for (i, out) in across.iter_mut().enumerate() {
        let (row, x, channel) = (i / pitch * pitch, i % pitch / channels, i % channels);
        *out = blurred(&weights, x, width, |x| down[row + x * channels + channel]);
    }
    Ok(across)
}

/// The weights of the distances 0, 1, … in f64.
fn weights(radius: usize, sigma: f64) -> Vec<f64> {
    let height = |i: usize| (-0.5 * (i as f64 / sigma).powi(2)).exp();
    let sum = 1.0 + 2.0 * (1..=radius).map(height).sum::<f64>();
    (0..=radius).map(|i| height(i) / sum).collect()
}

/// The weighted sum around `at`, the farthest pairs first, cut.
fn blurred(weights: &[f64], at: usize, n: usize, value: impl Fn(usize) -> f64) -> f64 {
    let near = |offset: isize| value(reflect(at as isize + offset, n));
    let mut sum = weights[0] * value(at);
    for (distance, weight) in weights.iter().enumerate().skip(1).rev() {
        sum += weight * (near(-(distance as isize)) + near(distance as isize));
    }
    // Weights that sum to one but for rounding leave a constant image as it is.
    (sum + 1e-9).floor()
}
