//! Products of one row with many short vectors, sixteen vectors at a time.

use ndarray::ArrayView2;

/// Vectors per group.
pub(super) const LANES: usize = 16;

/// k vectors of d values, stored group by group so that a row's products with sixteen of them run side by side.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    d: usize,
    k: usize,
    /// groups × d × 16; missing vectors are zero.
    values: Vec<f64>,
    /// Squared norms, groups × 16; infinite for missing vectors.
    squares: Vec<f64>,
}

impl Lanes {
    /// The rows of a k×d matrix.
    pub(super) fn new(rows: ArrayView2<'_, f64>) -> Self {
        let (k, d) = rows.dim();
        let groups = k.div_ceil(LANES);
        let mut values = vec![0.0; groups * d * LANES];
        let mut squares = vec![f64::INFINITY; groups * LANES];
        for (c, row) in rows.rows().into_iter().enumerate() {
            for (j, &x) in row.iter().enumerate() {
                values[((c / LANES) * d + j) * LANES + c % LANES] = x;
            }
            squares[c] = row.iter().map(|x| x * x).sum();
        }
        Self { d, k, values, squares }
    }

    /// Values per vector.
    pub(super) fn d(&self) -> usize {
        self.d
    }

    /// The row's products with the vectors of one group.
    #[inline(always)]
    fn products(&self, group: usize, row: &[f64]) -> [f64; LANES] {
        let mut sums = [0.0; LANES];
        let values = &self.values[group * self.d * LANES..(group + 1) * self.d * LANES];
        for (&x, lanes) in row.iter().zip(values.as_chunks::<LANES>().0) {
            for lane in 0..LANES {
                sums[lane] += x * lanes[lane];
            }
        }
        sums
    }

    /// The nearest vector (the first of equals), its squared distance and the second smallest squared distance.
    #[inline(always)]
    pub(super) fn nearest_two(&self, row: &[f64]) -> (u32, f64, f64) {
        let mut best = (0, f64::INFINITY, f64::INFINITY);
        for group in 0..self.squares.len() / LANES {
            let products = self.products(group, row);
            let squares = &self.squares[group * LANES..(group + 1) * LANES];
            for lane in 0..LANES {
                let distance = squares[lane] - 2.0 * products[lane];
                if distance < best.1 {
                    best = ((group * LANES + lane) as u32, distance, best.1);
                } else if distance < best.2 {
                    best.2 = distance;
                }
            }
        }
        let square: f64 = row.iter().map(|x| x * x).sum();
        (best.0, (best.1 + square).max(0.0), (best.2 + square).max(0.0))
    }

    /// The vector whose product with the row is largest in magnitude, the first of equals.
    #[inline(always)]
    pub(super) fn most_aligned(&self, row: &[f64]) -> u32 {
        let mut best = (0, -1.0);
        for group in 0..self.squares.len() / LANES {
            let products = self.products(group, row);
            for (lane, product) in products.iter().enumerate().take(self.k - group * LANES) {
                if product.abs() > best.1 {
                    best = ((group * LANES + lane) as u32, product.abs());
                }
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn lanes_equal_plain_loops() {
        let vectors = Array2::from_shape_fn((21, 5), |(i, j)| ((i * 7 + j * 3) as f64 * 0.37).sin());
        let lanes = Lanes::new(vectors.view());
        for seed in 0..40 {
            let row: Vec<f64> = (0..5).map(|j| ((seed * 5 + j) as f64 * 1.3).cos()).collect();
            let mut distances: Vec<(f64, u32)> = (0..21)
                .map(|c| (vectors.row(c).iter().zip(&row).map(|(a, b)| (a - b) * (a - b)).sum(), c as u32))
                .collect();
            distances.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (label, first, second) = lanes.nearest_two(&row);
            assert_eq!(label, distances[0].1);
            assert!((first - distances[0].0).abs() < 1e-12 && (second - distances[1].0).abs() < 1e-12);
            let product = |c: usize| vectors.row(c).iter().zip(&row).map(|(a, b)| a * b).sum::<f64>().abs();
            let aligned = lanes.most_aligned(&row) as usize;
            assert!((0..21).all(|c| product(c) <= product(aligned) + 1e-12));
        }
    }
}
