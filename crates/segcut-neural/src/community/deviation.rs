//! Columns of outputs → how far their standard deviations fall short, and the gradient of that.

use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

/// Added to a variance under its root, as a share of the wanted one.
const FLOOR: f64 = 1e-4;

/// The columns of n×d outputs.
pub(super) struct Deviation {
    wanted: f64,
    means: Array1<f64>,
    /// √(variance + ε) of every column.
    found: Array1<f64>,
}

impl Deviation {
    pub(super) fn new(y: ArrayView2<'_, f32>, wanted: f64) -> Self {
        let n = y.nrows().max(1) as f64;
        let (mut means, mut squares) = (Array1::<f64>::zeros(y.ncols()), Array1::<f64>::zeros(y.ncols()));
        for row in y.rows() {
            Zip::from(&mut means).and(&row).for_each(|sum, &v| *sum += f64::from(v) / n);
        }
        for row in y.rows() {
            Zip::from(&mut squares).and(&row).and(&means).for_each(|sum, &v, m| *sum += (f64::from(v) - m).powi(2) / n);
        }
        let found = squares.mapv(|square| (square + FLOOR * wanted * wanted).sqrt());
        Self { wanted, means, found }
    }

    /// Mean over the columns of max(0, 1 − σ / wanted) (VICReg, Bardes, Ponce & LeCun 2022, eq. 1, whose wanted
    /// deviation is 1); 0 where none is wanted.
    pub(super) fn shortfall(&self) -> f64 {
        if self.wanted <= 0.0 {
            return 0.0;
        }
        self.found.mapv(|found| (1.0 - found / self.wanted).max(0.0)).mean().unwrap_or(0.0)
    }

    /// Adds the shortfall's gradient with respect to the outputs, times a factor.
    pub(super) fn pull(&self, y: ArrayView2<'_, f32>, factor: f64, gradient: &mut Array2<f32>) {
        if self.wanted <= 0.0 {
            return;
        }
        let share = factor / (self.wanted * y.len().max(1) as f64);
        let slope = self.found.mapv(|found| if found < self.wanted { -share / found } else { 0.0 });
        for (mut to, row) in gradient.axis_iter_mut(Axis(0)).zip(y.rows()) {
            let columns = self.means.iter().zip(&slope);
            to.iter_mut()
                .zip(row)
                .zip(columns)
                .for_each(|((g, &v), (m, slope))| *g += (slope * (f64::from(v) - m)) as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_constant_column_falls_short_and_a_wide_one_does_not() {
        let y = array![[3.0f32, 0.5], [-3.0, 0.5]];
        let found = Deviation::new(y.view(), 1.0);
        assert!((found.shortfall() - 0.5 * (1.0 - 0.01)).abs() < 1e-9);
        let mut gradient = Array2::zeros((2, 2));
        found.pull(y.view(), 1.0, &mut gradient);
        assert_eq!(gradient, Array2::<f32>::zeros((2, 2)));
        assert_eq!(Deviation::new(y.view(), 0.0).shortfall(), 0.0);
    }
}
