//! Gram matrix → weights that make columns orthonormal.

use ndarray::{Array2, ArrayView2};

/// Below this share of a column's own square, what is left of it after the columns before is rounding.
const DEPENDENT: f64 = 1e-7;

/// Weights W with WᵀGW = I.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Orthonormal {
    /// Upper triangular.
    pub(crate) weights: Array2<f64>,
    /// Columns that are independent of those before them.
    pub(crate) rank: usize,
}

/// G → W = C⁻ᵀ of the Cholesky factor G = CCᵀ (Shaham et al. 2018, section 3.1, up to the sign of columns: the
/// package takes √m·R⁻¹ of a QR factorisation).
///
/// A column that depends on those before it would blow up: its pivot is set to a share of its own square, and the
/// rank tells it. Zero columns keep zero weights.
pub(crate) fn orthonormal(gram: ArrayView2<'_, f64>) -> Orthonormal {
    let k = gram.nrows();
    let mut factor = Array2::<f64>::zeros((k, k));
    let mut rank = 0;
    for j in 0..k {
        let own: f64 = gram[[j, j]];
        let before = |i: usize, j: usize, factor: &Array2<f64>| (0..j).map(|c| factor[[i, c]] * factor[[j, c]]).sum();
        let left: f64 = own - {
            let sum: f64 = before(j, j, &factor);
            sum
        };
        let independent = left > DEPENDENT * own && left.is_finite();
        rank += usize::from(independent);
        // Divided by an infinite pivot, a column without any square gets no weight.
        let pivot = match independent {
            true => left,
            false if own > 0.0 => DEPENDENT.sqrt() * own,
            false => f64::INFINITY,
        };
        factor[[j, j]] = pivot.sqrt();
        for i in j + 1..k {
            let sum: f64 = before(i, j, &factor);
            factor[[i, j]] = (gram[[i, j]] - sum) / factor[[j, j]];
        }
    }
    Orthonormal { weights: inverse_transposed(&factor), rank }
}

/// C⁻ᵀ of a lower triangular C.
fn inverse_transposed(factor: &Array2<f64>) -> Array2<f64> {
    let k = factor.nrows();
    let mut inverse = Array2::<f64>::zeros((k, k));
    for j in 0..k {
        for i in j..k {
            let sum: f64 = (j..i).map(|c| factor[[i, c]] * inverse[[c, j]]).sum();
            let unit = f64::from(u8::from(i == j));
            inverse[[i, j]] = (unit - sum) / factor[[i, i]];
        }
    }
    inverse.reversed_axes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn columns_become_orthonormal() {
        let y = array![[1.0, 2.0, 0.5], [0.0, 1.0, -1.0], [3.0, -1.0, 2.0], [1.0, 1.0, 1.0]];
        let gram = y.t().dot(&y);
        let found = orthonormal(gram.view());
        let eye = found.weights.t().dot(&gram).dot(&found.weights);
        assert!((eye - Array2::<f64>::eye(3)).iter().all(|d| d.abs() < 1e-12));
        assert_eq!((found.rank, found.weights[[2, 0]]), (3, 0.0));
    }

    #[test]
    fn a_repeated_column_is_told_and_stays_finite() {
        let y = array![[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [0.5, 0.5, 0.0]];
        let found = orthonormal(y.t().dot(&y).view());
        assert_eq!(found.rank, 1);
        assert!(found.weights.iter().all(|w| w.is_finite()));
    }
}
