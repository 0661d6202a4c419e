//! How often prediction and truth agree on a pair of pixels.

use crate::Contingency;

/// Pixel pairs by where they are together.
struct Pairs {
    both: f64,
    prediction_only: f64,
    truth_only: f64,
    neither: f64,
}

fn pairs(table: &Contingency) -> Pairs {
    let square = |pixels: u64| u128::from(pixels) * u128::from(pixels);
    let cells: u128 = table.cells().iter().map(|c| square(c.pixels)).sum();
    let prediction: u128 = table.prediction().iter().map(|r| square(r.pixels)).sum();
    let truth: u128 = table.truth().iter().map(|r| square(r.pixels)).sum();
    let all = u128::from(table.pixels());
    Pairs {
        both: (cells - all) as f64,
        prediction_only: (prediction - cells) as f64,
        truth_only: (truth - cells) as f64,
        neither: (all * all + cells - prediction - truth) as f64,
    }
}

/// Common pixels → Rand index, 0 to 1: the share of pixel pairs that both maps join or both part.
///
/// Rand 1971; the probabilistic Rand index of Unnikrishnan, Pantofaru and Hebert 2007 is its mean over
/// annotators. Fewer than two common pixels give 1.
///
/// # Examples
/// ```
/// use segcut_eval::{Contingency, rand_index};
/// let table = Contingency::from_labels(&[0, 0, 1], &[0, 0, 0])?;
/// assert_eq!(rand_index(&table), 1.0 / 3.0);
/// # Ok::<(), segcut_eval::EvalError>(())
/// ```
pub fn rand_index(table: &Contingency) -> f64 {
    let p = pairs(table);
    let all = p.both + p.prediction_only + p.truth_only + p.neither;
    if all == 0.0 { 1.0 } else { (p.both + p.neither) / all }
}

/// Common pixels → Rand index corrected for chance: 1 for equal partitions, 0 expected of random ones.
///
/// Hubert and Arabie 1985, computed from pair counts as scikit-learn does. It can be negative. Partitions
/// that agree on every pair, empty ones among them, give 1.
pub fn adjusted_rand_index(table: &Contingency) -> f64 {
    let p = pairs(table);
    if p.prediction_only == 0.0 && p.truth_only == 0.0 {
        return 1.0;
    }
    let chance = (p.both + p.truth_only) * (p.truth_only + p.neither)
        + (p.both + p.prediction_only) * (p.prediction_only + p.neither);
    2.0 * (p.both * p.neither - p.truth_only * p.prediction_only) / chance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_checked() {
        let table = Contingency::from_labels(&[0, 0, 1, 1], &[0, 0, 1, 2]).unwrap();
        assert!((rand_index(&table) - 5.0 / 6.0).abs() < 1e-15);
        assert!((adjusted_rand_index(&table) - 4.0 / 7.0).abs() < 1e-15);
        let empty = Contingency::default();
        assert_eq!((rand_index(&empty), adjusted_rand_index(&empty)), (1.0, 1.0));
    }
}
