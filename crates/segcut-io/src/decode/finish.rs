//! Orientation, alpha, bands and masks: from raw samples to an image.

use super::levels::on_samples;
use super::raw::{Meaning, Raw};
use super::{DecodeError, DecodeOptions, Decoded, Format, alpha, bands, orient, valid};
use segcut_core::{ColorSpace, Image, ImageError, Mask, Samples};

/// The last steps, the same for every format.
pub(super) fn finish(raw: Raw, format: Format, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let Raw { height, width, mut channels, meaning, samples, decoded, nodata, orientation, warnings, .. } = raw;
    let stored = (height, width);
    let size;
    let mut samples = on_samples!(samples, v => {
        let (pixels, turned) = orient::upright(v, stored, channels, orientation);
        size = turned;
        pixels
    });
    let mut valid = decoded.map(|bits| orient::upright(bits, stored, 1, orientation).0);
    if raw.alpha {
        samples = on_samples!(samples, v => alpha::apply(v, channels, options.alpha, &mut valid));
        channels -= 1;
    }
    let mut space = space_of(meaning, channels);
    if let Some(wanted) = &options.bands {
        let chosen = bands::checked(wanted, channels)?;
        space = chosen_space(meaning, &chosen);
        samples = on_samples!(samples, v => bands::select(v, channels, &chosen));
        channels = chosen.len();
    }
    valid::mask(&samples, channels, nodata, &mut valid);
    let image = assemble(size, space, samples, valid).map_err(|source| refused(source, format))?;
    Ok(Decoded { image, format, orientation, warnings })
}

fn assemble(
    (height, width): (usize, usize),
    space: ColorSpace,
    samples: Samples,
    valid: Option<Vec<bool>>,
) -> Result<Image, ImageError> {
    let mask = valid.map(|bits| Mask::new(height, width, bits)).transpose()?;
    Image::with_mask(height, width, space, samples, mask)
}

fn refused(source: ImageError, format: Format) -> DecodeError {
    match source {
        ImageError::MaskEmpty => DecodeError::NothingValid,
        source => DecodeError::Inconsistent { format, source },
    }
}

fn space_of(meaning: Meaning, channels: usize) -> ColorSpace {
    match (meaning, channels) {
        (Meaning::Gray, 1) => ColorSpace::Gray,
        (Meaning::Rgb, 3) => ColorSpace::Srgb,
        _ => ColorSpace::Multiband,
    }
}

/// A single band is brightness; red, green, blue in this order of an RGB image stay color.
fn chosen_space(meaning: Meaning, chosen: &[usize]) -> ColorSpace {
    match (meaning, chosen) {
        (_, [_]) => ColorSpace::Gray,
        (Meaning::Rgb, [0, 1, 2]) => ColorSpace::Srgb,
        _ => ColorSpace::Multiband,
    }
}
