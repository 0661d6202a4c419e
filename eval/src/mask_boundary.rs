//! The outlines of a mask and of its truth → F within a tolerance.

use crate::EvalError;
use crate::boundary::BoundaryCounts;
use crate::error::same_size;
use segcut_core::Mask;

/// A mask and its truth → boundary pixels that have one of the other's within `radius` pixels (Euclidean).
///
/// Boundary pixels are those inside with one of their 4 neighbours outside; the frame is no outside. Unlike the Berkeley
/// protocol ([`score_boundary`](crate::score_boundary)) pixels are not matched one to one. Pixels that are not
/// `valid` count on neither side, and the pixels beside them are no boundary for that.
///
/// # Errors
/// [`EvalError::Size`].
///
/// # Cost
/// O(pixels + boundary · radius²).
///
/// # Examples
/// ```
/// use segcut_core::Mask;
/// let column = |from: usize| Mask::new(9, 9, (0..81).map(|i| i % 9 >= from).collect());
/// let near = segcut_eval::mask_boundary(&column(4)?, &column(6)?, None, 2.0)?;
/// let far = segcut_eval::mask_boundary(&column(4)?, &column(7)?, None, 2.0)?;
/// assert_eq!((near.f(), far.f()), (1.0, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn mask_boundary(
    prediction: &Mask,
    truth: &Mask,
    valid: Option<&Mask>,
    radius: f64,
) -> Result<BoundaryCounts, EvalError> {
    same_size(prediction, truth)?;
    if let Some(valid) = valid {
        same_size(prediction, valid)?;
    }
    let disc = disc(radius);
    let [own, other] = [prediction, truth].map(|mask| inner_boundary(mask, valid));
    let (height, width) = (prediction.height(), prediction.width());
    let matched = |from: &[bool], to: &[bool]| {
        let near = |at: usize| {
            let (y, x) = ((at / width) as isize, (at % width) as isize);
            let inside = |&&[dy, dx]: &&[isize; 2]| {
                (0..height as isize).contains(&(y + dy)) && (0..width as isize).contains(&(x + dx))
            };
            disc.iter().filter(inside).any(|[dy, dx]| to[((y + dy) * width as isize + x + dx) as usize])
        };
        from.iter().enumerate().filter(|&(at, &bit)| bit && near(at)).count() as u64
    };
    let count = |bits: &[bool]| bits.iter().filter(|&&bit| bit).count() as u64;
    Ok(BoundaryCounts {
        matched_prediction: matched(&own, &other),
        prediction: count(&own),
        matched_truth: matched(&other, &own),
        truth: count(&other),
    })
}

fn disc(radius: f64) -> Vec<[isize; 2]> {
    let reach = radius.max(0.0) as isize;
    let all = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| [dy, dx]));
    all.filter(|[dy, dx]| ((dy * dy + dx * dx) as f64) <= radius * radius).collect()
}

fn inner_boundary(mask: &Mask, valid: Option<&Mask>) -> Vec<bool> {
    let (height, width, bits) = (mask.height(), mask.width(), mask.bits());
    let is_valid = |at: usize| valid.is_none_or(|valid| valid.bits()[at]);
    let outside = |at: usize| !bits[at] && is_valid(at);
    let on_boundary = |at: usize| {
        let (y, x) = (at / width, at % width);
        bits[at]
            && is_valid(at)
            && ((x > 0 && outside(at - 1))
                || (x + 1 < width && outside(at + 1))
                || (y > 0 && outside(at - width))
                || (y + 1 < height && outside(at + width)))
    };
    (0..bits.len()).map(on_boundary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_against_a_shifted_one_by_hand() {
        let square = |left: usize| {
            let inside = |i: usize| (2..6).contains(&(i / 12)) && (left..left + 4).contains(&(i % 12));
            Mask::new(8, 12, (0..96).map(inside).collect()).unwrap()
        };
        let counts = mask_boundary(&square(1), &square(4), None, 1.0).unwrap();
        // Twelve boundary pixels each. Of the left one those in columns 3 and 4 that touch the other's: rows 2 to 5
        // of column 4 and the top and bottom of column 3.
        assert_eq!((counts.prediction, counts.truth), (12, 12));
        assert_eq!((counts.matched_prediction, counts.matched_truth), (6, 6));
    }

    #[test]
    fn empty_masks_and_invalid_pixels() {
        let empty = Mask::filled(3, 3, false);
        let full = Mask::filled(3, 3, true);
        assert_eq!(mask_boundary(&empty, &full, None, 2.0).unwrap().f(), 1.0);
        let dot = Mask::new(3, 3, (0..9).map(|i| i == 4).collect()).unwrap();
        assert_eq!(mask_boundary(&empty, &dot, None, 2.0).unwrap().f(), 0.0);
        let valid = Mask::new(3, 3, (0..9).map(|i| i == 4).collect()).unwrap();
        assert_eq!(mask_boundary(&full, &dot, Some(&valid), 2.0).unwrap().truth, 0);
        assert!(mask_boundary(&Mask::filled(2, 3, true), &dot, None, 2.0).is_err());
    }
}
