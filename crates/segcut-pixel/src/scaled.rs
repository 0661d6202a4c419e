//! Samples as floats between 0 and 1.

use segcut_core::{Image, Samples};
use std::ops::Range;

/// Rows of an image → channels scaled to 0 … 1 by the sample type.
///
/// u8 is divided by 255, u16 by 65,535; f32 stays as it is (its range is the image's own matter).
///
/// # Shapes
/// `out` takes rows.len()·width·channels values, row-major, channels interleaved.
///
/// # Panics
/// Where the rows leave the image or `out` has another length.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Image, Samples};
/// let image = Image::new(1, 2, ColorSpace::Gray, Samples::U8(vec![0, 255]))?;
/// let mut out = [0.5; 2];
/// segcut_pixel::scaled_rows(&image, 0..1, &mut out);
/// assert_eq!(out, [0.0, 1.0]);
/// # Ok::<(), segcut_core::ImageError>(())
/// ```
pub fn scaled_rows(image: &Image, rows: Range<usize>, out: &mut [f32]) {
    let row = image.width() * image.channels();
    assert!(rows.end <= image.height() && out.len() == rows.len() * row, "rows outside the image");
    let span = rows.start * row..rows.end * row;
    match image.samples() {
        Samples::U8(v) => out.iter_mut().zip(&v[span]).for_each(|(o, &s)| *o = f32::from(s) * (1.0 / 255.0)),
        Samples::U16(v) => out.iter_mut().zip(&v[span]).for_each(|(o, &s)| *o = f32::from(s) * (1.0 / 65_535.0)),
        Samples::F32(v) => out.copy_from_slice(&v[span]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::ColorSpace;

    #[test]
    fn a_band_is_scaled_by_its_sample_type() {
        let image = Image::new(2, 1, ColorSpace::Multiband, Samples::U16(vec![1, 2, 65_535, 0])).unwrap();
        let mut out = [9.0; 2];
        scaled_rows(&image, 1..2, &mut out);
        assert_eq!(out, [1.0, 0.0]);
    }
}
