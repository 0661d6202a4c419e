//! Some bands of an image, in the order asked for.

use super::DecodeError;

/// Checks 1-based band numbers; returns them 0-based.
pub(super) fn checked(bands: &[usize], channels: usize) -> Result<Vec<usize>, DecodeError> {
    let mut seen = vec![false; channels];
    let fresh = |&band: &usize| band >= 1 && band <= channels && !std::mem::replace(&mut seen[band - 1], true);
    if bands.is_empty() || !bands.iter().all(fresh) {
        return Err(DecodeError::NoSuchBand { bands: bands.to_vec(), channels });
    }
    Ok(bands.iter().map(|band| band - 1).collect())
}

/// Keeps `chosen` (0-based, none twice) of `channels` samples of each pixel, in place.
pub(super) fn select<T: Copy>(mut pixels: Vec<T>, channels: usize, chosen: &[usize]) -> Vec<T> {
    let mut pixel = Vec::with_capacity(chosen.len());
    let count = pixels.len() / channels;
    for p in 0..count {
        let stored = &pixels[p * channels..(p + 1) * channels];
        pixel.clear();
        pixel.extend(chosen.iter().map(|&c| stored[c]));
        pixels[p * chosen.len()..(p + 1) * chosen.len()].copy_from_slice(&pixel);
    }
    pixels.truncate(count * chosen.len());
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_count_from_one_and_keep_their_order() {
        assert_eq!(checked(&[3, 1], 3).unwrap(), [2, 0]);
        assert_eq!(select(vec![1, 2, 3, 4, 5, 6], 3, &[2, 0]), [3, 1, 6, 4]);
        for bad in [&[][..], &[0], &[4], &[1, 1]] {
            assert_eq!(checked(bad, 3).unwrap_err().code(), "decode/bands");
        }
    }
}
