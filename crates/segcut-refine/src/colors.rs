//! Image → three numbers per pixel whose distances are those of colors.

use segcut_core::Image;
use segcut_pixel::{lab_rows, scaled_rows};

/// Lab of one row; of other bands the first three times 100, the last one repeated where there are fewer.
pub(crate) fn colors_of_row(image: &Image, y: usize, out: &mut [f32]) {
    if lab_rows(image, y..y + 1, out).is_ok() {
        return;
    }
    let channels = image.channels();
    let mut row = vec![0.0; image.width() * channels];
    scaled_rows(image, y..y + 1, &mut row);
    for (pixel, out) in row.chunks_exact(channels).zip(out.as_chunks_mut::<3>().0) {
        *out = [0, 1, 2].map(|band| 100.0 * pixel[band.min(channels - 1)]);
    }
}

/// [`colors_of_row`] of all rows, three values per pixel.
pub(crate) fn colors(image: &Image) -> Vec<f32> {
    let row = 3 * image.width();
    let mut out = vec![0.0; image.height() * row];
    out.chunks_exact_mut(row.max(1)).enumerate().for_each(|(y, out)| colors_of_row(image, y, out));
    out
}
