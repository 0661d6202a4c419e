//! A start → memberships that the network is drawn toward.

use crate::inputs::{DeepCutError, finite};
use crate::matrix::Matrix;
use crate::params::{DeepCutParams, StartVectors};
use segcut_core::Start;

/// n×K memberships; rows may be 0.
#[derive(Debug)]
pub(crate) struct Target {
    memberships: Matrix,
}

impl Target {
    /// A partition, or vectors that are read as memberships. Clusters beyond the network's are left out.
    pub(crate) fn of(
        start: Option<&Start>,
        params: &DeepCutParams,
        [n, clusters]: [usize; 2],
    ) -> Result<Option<Self>, DeepCutError> {
        let mut memberships = Matrix::zeros(n, clusters);
        let rows = match start {
            Some(Start::Partition(partition)) => {
                for (row, &label) in memberships.values.chunks_exact_mut(clusters.max(1)).zip(partition.labels()) {
                    row.iter_mut().skip(label as usize).take(1).for_each(|share| *share = 1.0);
                }
                partition.n()
            }
            Some(Start::Vectors(vectors)) if params.vectors == StartVectors::Memberships => {
                for (row, given) in memberships.values.chunks_exact_mut(clusters.max(1)).zip(vectors.rows()) {
                    row.iter_mut().zip(given).for_each(|(share, &x)| *share = x as f32);
                }
                finite(&memberships)?;
                memberships.values.iter_mut().for_each(|share| *share = share.clamp(0.0, 1.0));
                vectors.nrows()
            }
            _ => return Ok(None),
        };
        if rows != n {
            return Err(DeepCutError::Start { start: rows, n });
        }
        Ok(Some(Self { memberships }))
    }

    /// `factor` times the mean cross-entropy of S to the target; its gradient is added.
    pub(crate) fn cross_entropy(&self, factor: f64, s: &Matrix, gradient: &mut Matrix) -> f64 {
        let share = factor / s.rows.max(1) as f64;
        let mut sum = 0.0;
        for ((wanted, chance), g) in self.memberships.values.iter().zip(&s.values).zip(&mut gradient.values) {
            let chance = chance.max(1e-6);
            *g -= share as f32 * wanted / chance;
            sum -= f64::from(*wanted) * f64::from(chance).ln();
        }
        share * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::Partition;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let start = Start::Vectors(array![[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]]);
        let params = DeepCutParams { vectors: StartVectors::Memberships, ..DeepCutParams::default() };
        let target = Target::of(Some(&start), &params, [3, 2]).unwrap().unwrap();
        let s = Matrix { rows: 3, cols: 2, values: vec![0.5, 0.5, 0.75, 0.25, 0.125, 0.875] };
        let mut gradient = Matrix::zeros(3, 2);
        let value = target.cross_entropy(2.0, &s, &mut gradient);
        for at in 0..6 {
            let mut moved = s.clone();
            moved.values[at] += 1.0 / 1024.0;
            let slope = (target.cross_entropy(2.0, &moved, &mut Matrix::zeros(3, 2)) - value) * 1024.0;
            assert!((slope - f64::from(gradient.values[at])).abs() < 0.02, "{at}: {slope} {}", gradient.values[at]);
        }
    }

    #[test]
    fn labels_beyond_the_clusters_are_left_out() {
        let start = Start::Partition(Partition::singletons(3));
        let target = Target::of(Some(&start), &DeepCutParams::default(), [3, 2]).unwrap().unwrap();
        assert_eq!(target.memberships.values, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
