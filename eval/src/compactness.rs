//! How round regions are.

use segcut_core::{LabelMap, VOID};

/// Label map → size-weighted mean of the regions' isoperimetric quotients, 0 to 1.
///
/// Σ |s|/N · 4π|s| / P(s)²; Schick, Fischer and Stiefelhagen 2012, eq. 3. The perimeter is the number of pixel sides that
/// face another label, VOID or the outside of the image, so a square has π/4, the largest value on a
/// grid. A map without valid pixels has 1.
///
/// # Examples
/// ```
/// use segcut_core::LabelMap;
/// let square = LabelMap::new(4, 4, vec![0; 16])?;
/// assert!((segcut_eval::compactness(&square) - std::f64::consts::FRAC_PI_4).abs() < 1e-15);
/// # Ok::<(), segcut_core::LabelMapError>(())
/// ```
pub fn compactness(map: &LabelMap) -> f64 {
    let sizes = map.sizes();
    let all: usize = sizes.iter().sum();
    if all == 0 {
        return 1.0;
    }
    let round = |(&size, &perimeter): (&usize, &u64)| {
        let size = size as f64;
        size / all as f64 * 4.0 * std::f64::consts::PI * size / (perimeter as f64).powi(2) // eq. 3
    };
    sizes.iter().zip(&perimeters(map)).filter(|(size, _)| **size > 0).map(round).sum()
}

/// Sides of each region's pixels that face something else.
fn perimeters(map: &LabelMap) -> Vec<u64> {
    let mut perimeters = vec![0u64; map.n()];
    let mut face = |a: u32, b: u32| {
        for label in [a, b].into_iter().filter(|&label| a != b && label != VOID) {
            perimeters[label as usize] += 1;
        }
    };
    let outside = vec![VOID; map.width()];
    let mut above = outside.as_slice();
    for row in map.labels().chunks_exact(map.width().max(1)) {
        above.iter().zip(row).for_each(|(&a, &b)| face(a, b));
        row.windows(2).for_each(|pair| face(pair[0], pair[1]));
        [row.first(), row.last()].into_iter().flatten().for_each(|&end| face(VOID, end));
        above = row;
    }
    above.iter().zip(&outside).for_each(|(&a, &b)| face(a, b));
    perimeters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_counted() {
        let map = LabelMap::new(2, 3, vec![0, 0, 1, 0, VOID, 1]).unwrap();
        assert_eq!(perimeters(&map), [8, 6]);
        assert_eq!(perimeters(&LabelMap::new(1, 1, vec![0]).unwrap()), [4]);
        assert_eq!(compactness(&LabelMap::new(0, 0, vec![]).unwrap()), 1.0);
    }
}
