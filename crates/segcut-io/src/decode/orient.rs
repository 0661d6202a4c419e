//! EXIF orientations applied to row-major pixels.

/// Turns pixels of `channels` samples upright; returns them with their new (height, width).
///
/// Source: EXIF 2.3, tag 274. 1 to 4 work in place, 5 to 8 swap the sides and need a second copy.
pub(super) fn upright<T: Copy>(
    mut pixels: Vec<T>,
    (height, width): (usize, usize),
    channels: usize,
    orientation: u8,
) -> (Vec<T>, (usize, usize)) {
    match orientation {
        2 => mirror_rows(&mut pixels, width, channels),
        3 => reverse_pixels(&mut pixels, channels),
        4 => flip_rows(&mut pixels, height, width * channels),
        5..=8 => return (transposed(&pixels, (height, width), channels, orientation), (width, height)),
        _ => {}
    }
    (pixels, (height, width))
}

/// Reverses the order of pixels, not that of the samples within one.
fn reverse_pixels<T>(pixels: &mut [T], channels: usize) {
    pixels.reverse();
    if channels > 1 {
        pixels.chunks_exact_mut(channels).for_each(<[T]>::reverse);
    }
}

fn mirror_rows<T>(pixels: &mut [T], width: usize, channels: usize) {
    for row in pixels.chunks_exact_mut(width * channels) {
        reverse_pixels(row, channels);
    }
}

fn flip_rows<T>(pixels: &mut [T], height: usize, stride: usize) {
    for y in 0..height / 2 {
        let (upper, lower) = pixels.split_at_mut((height - 1 - y) * stride);
        upper[y * stride..(y + 1) * stride].swap_with_slice(&mut lower[..stride]);
    }
}

/// The upright pixel (row, column) is the stored (column', row'), each reversed where the number says so.
fn transposed<T: Copy>(pixels: &[T], (height, width): (usize, usize), channels: usize, orientation: u8) -> Vec<T> {
    // Squares of this side stay in the cache while they are read across.
    const SIDE: usize = 32;
    let Some(&first) = pixels.first() else { return Vec::new() };
    let from_bottom = matches!(orientation, 6 | 7);
    let from_right = matches!(orientation, 7 | 8);
    let mut out = vec![first; pixels.len()];
    for rows in (0..width).step_by(SIDE) {
        for columns in (0..height).step_by(SIDE) {
            for row in rows..width.min(rows + SIDE) {
                let x = if from_right { width - 1 - row } else { row };
                for column in columns..height.min(columns + SIDE) {
                    let y = if from_bottom { height - 1 - column } else { column };
                    let (to, from) = ((row * height + column) * channels, (y * width + x) * channels);
                    out[to..to + channels].copy_from_slice(&pixels[from..from + channels]);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored as
    /// ```text
    /// 1 2 3
    /// 4 5 6
    /// ```
    #[test]
    fn all_eight_as_the_standard_draws_them() {
        let cases: [(u8, &[u8], (usize, usize)); 8] = [
            (1, &[1, 2, 3, 4, 5, 6], (2, 3)),
            (2, &[3, 2, 1, 6, 5, 4], (2, 3)),
            (3, &[6, 5, 4, 3, 2, 1], (2, 3)),
            (4, &[4, 5, 6, 1, 2, 3], (2, 3)),
            (5, &[1, 4, 2, 5, 3, 6], (3, 2)),
            (6, &[4, 1, 5, 2, 6, 3], (3, 2)),
            (7, &[6, 3, 5, 2, 4, 1], (3, 2)),
            (8, &[3, 6, 2, 5, 1, 4], (3, 2)),
        ];
        for (orientation, expected, size) in cases {
            let stored = vec![1u8, 2, 3, 4, 5, 6];
            assert_eq!(upright(stored, (2, 3), 1, orientation), (expected.to_vec(), size), "{orientation}");
            let doubled: Vec<u8> = (1..=6).flat_map(|v| [v, v + 100]).collect();
            let wanted: Vec<u8> = expected.iter().flat_map(|&v| [v, v + 100]).collect();
            assert_eq!(upright(doubled, (2, 3), 2, orientation).0, wanted, "{orientation}, two channels");
        }
    }
}
