//! An embedding → places in a plane.

use ndarray::{Array1, Array2, Axis};

/// Rounds of the power iteration per axis.
const ROUNDS: usize = 200;

/// n×m rows → their coordinates on the two principal axes (Pearson 1901), by power iteration with deflation.
pub fn principal_plane(rows: &Array2<f64>) -> Vec<[f64; 2]> {
    let Some(mean) = rows.mean_axis(Axis(0)) else { return Vec::new() };
    let centered = rows - &mean;
    let mut spread = centered.t().dot(&centered);
    let first = axis(&spread);
    let length = first.dot(&spread.dot(&first));
    let outer = first.view().insert_axis(Axis(1)).dot(&first.view().insert_axis(Axis(0)));
    spread.scaled_add(-length, &outer);
    let [x, y] = [first, axis(&spread)].map(|axis| centered.dot(&axis));
    x.into_iter().zip(y).map(|(x, y)| [x, y]).collect()
}

/// The direction in which a matrix stretches most; the start has no component of 0.
fn axis(spread: &Array2<f64>) -> Array1<f64> {
    let start = Array1::from_shape_fn(spread.nrows(), |at| 1.0 + (at as f64 * 0.7).sin() / 2.0);
    (0..ROUNDS).fold(start, |vector, _| {
        let next = spread.dot(&vector);
        let length = next.dot(&next).sqrt();
        if length > 1e-150 { next / length } else { vector * 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_axes_come_first() {
        let rows = Array2::from_shape_fn((21, 3), |(i, d)| match d {
            0 => ((i * 8) % 21) as f64 / 10.0,
            1 => i as f64,
            _ => 3.0,
        });
        let found = principal_plane(&rows);
        let range = |at: usize| {
            let values = found.iter().map(|place| place[at]);
            values.clone().fold(f64::MIN, f64::max) - values.fold(f64::MAX, f64::min)
        };
        assert!((range(0) - 20.0).abs() < 0.5 && range(1) > 1.0 && range(1) < 3.0);
        assert_eq!(principal_plane(&Array2::zeros((3, 1))), vec![[0.0; 2]; 3]);
        assert!(principal_plane(&Array2::zeros((0, 2))).is_empty());
    }
}
