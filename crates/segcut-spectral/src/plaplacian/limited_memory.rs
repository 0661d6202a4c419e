//! Past steps and gradient changes to a quasi-Newton direction.

use crate::eigen::EigenError;
use crate::kernels::{axpy, dot};
use std::collections::VecDeque;

/// Pairs that are kept.
const MEMORY: usize = 8;

/// Steps s with the changes y of the gradient along them, newest last.
#[derive(Debug, Default)]
pub(super) struct LimitedMemory {
    pairs: VecDeque<Pair>,
}

#[derive(Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1/sᵀy.
    rate: f64,
}

impl LimitedMemory {
    /// Keeps a pair of positive curvature.
    pub(super) fn push(&mut self, step: Vec<f64>, change: Vec<f64>) {
        let product = dot(&step, &change);
        if product > 1e-12 * (dot(&step, &step) * dot(&change, &change)).sqrt() {
            if self.pairs.len() == MEMORY {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair { step, change, rate: product.recip() });
        }
    }

    pub(super) fn clear(&mut self) {
        self.pairs.clear();
    }

    /// −H·gradient, H the inverse Hessian that the pairs suggest from the matrix `inverse` (times `first` where
    /// there are none).
    ///
    /// Nocedal 1980, L-BFGS, with the inverse scaled by sᵀy / yᵀ·inverse·y of the newest pair.
    pub(super) fn direction(
        &self,
        gradient: &[f64],
        first: f64,
        inverse: impl Fn(&[f64]) -> Result<Vec<f64>, EigenError>,
    ) -> Result<Vec<f64>, EigenError> {
        let mut q = gradient.to_vec();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = pair.rate * dot(&pair.step, &q);
            axpy(-share, &pair.change, &mut q);
            shares.push(share);
        }
        let mut scale = first;
        if let Some(newest) = self.pairs.back() {
            let size = dot(&newest.change, &inverse(&newest.change)?);
            if size > 0.0 {
                scale = (newest.rate * size).recip();
            }
        }
        let mut d = inverse(&q)?;
        d.iter_mut().for_each(|d| *d *= scale);
        for (pair, share) in self.pairs.iter().zip(shares.iter().rev()) {
            let back = pair.rate * dot(&pair.change, &d);
            axpy(share - back, &pair.step, &mut d);
        }
        d.iter_mut().for_each(|d| *d = -*d);
        Ok(d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_a_diagonal_matrix_give_newtons_direction() {
        // The Hessian is diag(1, 2, 4): after three unit steps the direction is exact.
        let hessian = [1.0, 2.0, 4.0];
        let mut memory = LimitedMemory::default();
        for i in 0..3 {
            let mut step = vec![0.0; 3];
            step[i] = 1.0;
            memory.push(step.clone(), step.iter().zip(hessian).map(|(s, h)| s * h).collect());
        }
        let d = memory.direction(&[1.0, 1.0, 1.0], 1.0, |x| Ok(x.to_vec())).unwrap();
        assert!(d.iter().zip([-1.0, -0.5, -0.25]).all(|(d, exact)| (d - exact).abs() < 1e-15));
    }
}
