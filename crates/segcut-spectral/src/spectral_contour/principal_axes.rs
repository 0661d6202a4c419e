//! Points → their coordinates along the axes of largest variance.

use crate::eigen::EigenError;
use faer::{Mat, Side};

/// The axes of largest variance of points, and their mean.
#[derive(Debug)]
pub(super) struct PrincipalAxes {
    mean: Vec<f64>,
    /// Axis after axis, by falling variance.
    axes: Vec<Vec<f64>>,
}

impl PrincipalAxes {
    /// At most `kept` axes of points of `dims` values (row-major).
    pub(super) fn new(points: &[f32], dims: usize, kept: usize) -> Result<Self, EigenError> {
        let count = (points.len() / dims).max(1) as f64;
        let mut mean = vec![0.0; dims];
        for point in points.chunks_exact(dims) {
            mean.iter_mut().zip(point).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        mean.iter_mut().for_each(|sum| *sum /= count);
        let mut covariance = vec![0.0; dims * dims];
        let mut centred = vec![0.0; dims];
        for point in points.chunks_exact(dims) {
            centred
                .iter_mut()
                .zip(point.iter().zip(&mean))
                .for_each(|(c, (&value, mean))| *c = f64::from(value) - mean);
            for (i, row) in covariance.chunks_exact_mut(dims).enumerate() {
                row[..=i].iter_mut().zip(&centred).for_each(|(sum, c)| *sum += centred[i] * c);
            }
        }
        let matrix = Mat::from_fn(dims, dims, |i, j| covariance[i.max(j) * dims + i.min(j)] / count);
        let decomposition = matrix.self_adjoint_eigen(Side::Lower).map_err(|_| EigenError::Dense)?;
        let axis = |j: usize| (0..dims).map(|i| decomposition.U()[(i, dims - 1 - j)]).collect();
        Ok(Self { mean, axes: (0..kept.min(dims)).map(axis).collect() })
    }

    /// Coordinates kept per point.
    pub(super) fn dims(&self) -> usize {
        self.axes.len()
    }

    /// Points → their coordinates, the mean at 0.
    pub(super) fn project(&self, points: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(points.len() / self.mean.len().max(1) * self.dims());
        let axes: Vec<Vec<f32>> = self.axes.iter().map(|axis| axis.iter().map(|&a| a as f32).collect()).collect();
        let mean: Vec<f32> = self.mean.iter().map(|&m| m as f32).collect();
        for point in points.chunks_exact(self.mean.len().max(1)) {
            let along = |axis: &Vec<f32>| axis.iter().zip(point.iter().zip(&mean)).map(|(a, (p, m))| a * (p - m)).sum();
            out.extend(axes.iter().map(|axis| -> f32 { along(axis) }));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_lies_along_the_first_axis() {
        let points: Vec<f32> = (0..5).flat_map(|i| [3.0 * i as f32, 1.0, 4.0 * i as f32]).collect();
        let axes = PrincipalAxes::new(&points, 3, 2).unwrap();
        let along = axes.project(&points);
        assert_eq!((axes.dims(), along.len()), (2, 10));
        for i in 0..5 {
            assert!((along[2 * i].abs() - 5.0 * (i as f32 - 2.0).abs()).abs() < 1e-5);
            assert!(along[2 * i + 1].abs() < 1e-5);
        }
    }
}
