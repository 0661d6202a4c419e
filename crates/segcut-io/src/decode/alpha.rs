//! The alpha channel into a mask, or laid over white.

use super::Alpha;
use super::levels::Level;

/// Drops the last of `channels` samples of each pixel in place, and uses it as `mode` says.
/// `valid` becomes false at fully transparent pixels (mode `Mask`); it stays `None` where there are none.
pub(super) fn apply<T: Level>(
    mut pixels: Vec<T>,
    channels: usize,
    mode: Alpha,
    valid: &mut Option<Vec<bool>>,
) -> Vec<T> {
    let (colors, count) = (channels - 1, pixels.len() / channels);
    for pixel in 0..count {
        let (from, to) = (pixel * channels, pixel * colors);
        let alpha = pixels[from + colors];
        if mode == Alpha::Mask && alpha == T::ZERO {
            valid.get_or_insert_with(|| vec![true; count])[pixel] = false;
        }
        for c in 0..colors {
            let value = pixels[from + c];
            pixels[to + c] = if mode == Alpha::White { value.over_white(alpha) } else { value };
        }
    }
    pixels.truncate(count * colors);
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_modes() {
        let pixels = || vec![10u8, 255, 20, 0, 100, 51];
        let mut valid = None;
        assert_eq!(apply(pixels(), 2, Alpha::Mask, &mut valid), [10, 20, 100]);
        assert_eq!(valid, Some(vec![true, false, true]));
        let mut valid = None;
        assert_eq!(apply(pixels(), 2, Alpha::Ignore, &mut valid), [10, 20, 100]);
        // 100·0.2 + 255·0.8 = 224
        assert_eq!(apply(pixels(), 2, Alpha::White, &mut valid), [10, 255, 224]);
        assert_eq!(valid, None);
    }
}
