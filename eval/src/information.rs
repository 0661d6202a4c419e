//! What one partition tells about the other, from their joint entropy.

use crate::Contingency;
use crate::contingency::Region;

/// Common pixels → variation of information in bits, 0 for equal partitions.
///
/// H(prediction | truth) + H(truth | prediction); Meila 2005, with logarithms to base 2 as in the
/// Berkeley benchmark. No common pixel gives 0.
///
/// # Units
/// Bits.
///
/// # Examples
/// ```
/// use segcut_eval::{Contingency, variation_of_information};
/// let table = Contingency::from_labels(&[0, 0, 0, 0], &[0, 0, 1, 1])?;
/// assert_eq!(variation_of_information(&table), 1.0);
/// # Ok::<(), segcut_eval::EvalError>(())
/// ```
pub fn variation_of_information(table: &Contingency) -> f64 {
    let all = table.pixels() as f64;
    let part = |cell: &crate::Cell| {
        let pixels = cell.pixels as f64;
        let prediction = table.prediction()[cell.prediction as usize].pixels as f64;
        let truth = table.truth()[cell.truth as usize].pixels as f64;
        pixels / all * ((prediction / pixels).log2() + (truth / pixels).log2())
    };
    table.cells().iter().map(part).sum()
}

/// Common pixels → mutual information over the arithmetic mean of the two entropies, 0 to 1.
///
/// As scikit-learn's `normalized_mutual_info_score`: two partitions of one region each, or of no pixel, give
/// 1; where only one of them has a single region, 0.
pub fn normalized_mutual_information(table: &Contingency) -> f64 {
    if table.prediction().len() <= 1 && table.truth().len() <= 1 {
        return 1.0;
    }
    let sum = entropy(table.prediction(), table.pixels()) + entropy(table.truth(), table.pixels());
    let mutual = (sum - variation_of_information(table)) / 2.0;
    if mutual <= f64::EPSILON { 0.0 } else { (2.0 * mutual / sum).min(1.0) }
}

fn entropy(regions: &[Region], all: u64) -> f64 {
    let share = |region: &Region| region.pixels as f64 / all as f64;
    -regions.iter().map(|region| share(region) * share(region).log2()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_regions() {
        let nmi = |a: &[u32], b: &[u32]| normalized_mutual_information(&Contingency::from_labels(a, b).unwrap());
        assert_eq!(nmi(&[], &[]), 1.0);
        assert_eq!(nmi(&[3, 3], &[1, 1]), 1.0);
        assert_eq!(nmi(&[3, 3], &[0, 1]), 0.0);
        assert_eq!(nmi(&[3, 4], &[1, 0]), 1.0);
        assert_eq!(variation_of_information(&Contingency::default()), 0.0);
    }
}
