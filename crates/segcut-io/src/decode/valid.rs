//! Non-finite samples and "no data" values into the valid mask.

use segcut_core::Samples;

/// Clears `valid` where a float pixel has a sample that is NaN, infinite or `nodata`, and where an
/// integer pixel is `nodata` in all its samples (0 in one band of a color is a color).
pub(super) fn mask(samples: &Samples, channels: usize, nodata: Option<f64>, valid: &mut Option<Vec<bool>>) {
    match samples {
        Samples::F32(values) => {
            // Cast on purpose: the tag is text, the samples are f32.
            #[allow(clippy::cast_possible_truncation)]
            let nodata = nodata.map(|v| v as f32);
            mark(values, channels, valid, |pixel| pixel.iter().any(|&v| !v.is_finite() || Some(v) == nodata));
        }
        Samples::U8(values) => mask_integers(values, channels, nodata, valid),
        Samples::U16(values) => mask_integers(values, channels, nodata, valid),
    }
}

fn mask_integers<T: Copy + Into<f64>>(
    values: &[T],
    channels: usize,
    nodata: Option<f64>,
    valid: &mut Option<Vec<bool>>,
) {
    if let Some(nodata) = nodata {
        mark(values, channels, valid, |pixel| pixel.iter().all(|&v| v.into() == nodata));
    }
}

fn mark<T>(values: &[T], channels: usize, valid: &mut Option<Vec<bool>>, void: impl Fn(&[T]) -> bool) {
    let count = values.len() / channels;
    for (at, pixel) in values.chunks_exact(channels).enumerate() {
        if void(pixel) {
            valid.get_or_insert_with(|| vec![true; count])[at] = false;
        }
    }
}
