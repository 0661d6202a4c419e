//! TIFF samples into gray, RGB or bands, by the photometric interpretation.

use super::chunks::Stored;
use super::tags::Tags;
use crate::decode::error::Feature;
use crate::decode::jpeg::ycc_to_rgb;
use crate::decode::levels::{Level, on_samples};
use crate::decode::raw::{Meaning, Raw};
use crate::decode::{DecodeError, Format};
use segcut_core::Samples;

const WHITE_IS_ZERO: u32 = 0;
const BLACK_IS_ZERO: u32 = 1;
const RGB: u32 = 2;
const PALETTE: u32 = 3;
const MASK: u32 = 4;
const CMYK: u32 = 5;
const YCBCR: u32 = 6;
const JPEG: u32 = 7;

/// Refuses what [`interpret`] has no meaning for, before any sample is read.
pub(super) fn check(tags: &Tags) -> Result<(), DecodeError> {
    let refuse = |feature| Err(DecodeError::unsupported(Format::Tiff, feature));
    let needed = match tags.photometric {
        WHITE_IS_ZERO | BLACK_IS_ZERO | MASK | PALETTE => 1,
        RGB | YCBCR => 3,
        CMYK => 4,
        other => return refuse(Feature::Photometric(other)),
    };
    if tags.samples < needed {
        return refuse(Feature::Components(u32::try_from(tags.samples).unwrap_or(u32::MAX)));
    }
    if !matches!(tags.bits, 1 | 2 | 4 | 8 | 16 | 32 | 64) {
        return refuse(Feature::Bits(tags.bits));
    }
    let unsigned = tags.sample_format == 1;
    let odd_type = match tags.photometric {
        PALETTE => !unsigned || tags.bits > 8 || tags.palette.as_ref().is_none_or(|map| map.len() < 3 << tags.bits),
        YCBCR => !unsigned || tags.bits != 8,
        CMYK => !unsigned || !matches!(tags.bits, 8 | 16),
        WHITE_IS_ZERO => tags.sample_format == 2,
        _ => false,
    };
    if odd_type {
        return refuse(Feature::SampleType(tags.photometric));
    }
    let whole = tags.compression == JPEG || matches!(tags.subsampling.as_slice(), [1, 1]);
    if tags.photometric == YCBCR && !whole { refuse(Feature::Subsampling) } else { Ok(()) }
}

/// Makes colors of the stored samples.
pub(super) fn interpret(stored: Stored, tags: Tags) -> Result<Raw, DecodeError> {
    let Stored { mut samples, decoded } = stored;
    let mut channels = tags.samples;
    if tags.bits < 8 && tags.photometric != PALETTE {
        samples = stretched(samples, tags.bits);
    }
    match tags.photometric {
        WHITE_IS_ZERO => samples = inverted(samples, channels, tags.bits, tags.sample_format),
        PALETTE => (samples, channels) = colored(samples, channels, tags.palette.as_deref().unwrap_or_default()),
        CMYK => {
            samples = on_samples!(samples, v => cmyk_to_rgb(v, channels));
            channels -= 1;
        }
        YCBCR => samples = from_ycbcr(samples, channels),
        _ => {}
    }
    let gray = matches!(tags.photometric, WHITE_IS_ZERO | BLACK_IS_ZERO | MASK);
    let (alpha, premultiplied) = alpha_of(&tags, gray);
    if premultiplied {
        samples = on_samples!(samples, v => unmultiplied(v, channels));
    }
    let meaning = if gray { Meaning::Gray } else { Meaning::Rgb };
    if meaning == Meaning::Rgb && tags.sample_format == 1 && tags.bits > 16 {
        scale(&mut samples, 1.0 / full_scale(tags.bits));
    }
    let mut raw = Raw::color(tags.height, tags.width, 1, samples);
    (raw.channels, raw.meaning, raw.alpha, raw.decoded) = (channels, meaning, alpha, decoded);
    (raw.nodata, raw.orientation) = (tags.nodata, upright_number(tags.orientation));
    Ok(raw)
}

/// Whether the last sample is alpha, and whether the colors are multiplied by it.
///
/// RGB with one more sample and no ExtraSamples tag is RGBA, as Pillow has it.
fn alpha_of(tags: &Tags, gray: bool) -> (bool, bool) {
    match (tags.photometric, tags.samples, tags.extra.as_slice()) {
        (_, _, [.., 1]) => (true, true),
        (_, _, [.., 2]) => (true, false),
        (RGB, 4, []) => (!gray, false),
        _ => (false, false),
    }
}

fn upright_number(orientation: u8) -> u8 {
    if (1..=8).contains(&orientation) { orientation } else { 1 }
}

/// 1, 2 or 4 bits to the full range of 8.
fn stretched(samples: Samples, bits: u32) -> Samples {
    let Samples::U8(mut values) = samples else { return samples };
    let factor = u8::MAX / (u8::MAX >> (8 - bits));
    values.iter_mut().for_each(|v| *v *= factor);
    Samples::U8(values)
}

/// The largest value of an unsigned integer of so many bits.
#[allow(clippy::cast_possible_truncation)]
fn full_scale(bits: u32) -> f32 {
    (f64::from(bits).exp2() - 1.0) as f32
}

fn scale(samples: &mut Samples, factor: f32) {
    if let Samples::F32(values) = samples {
        values.iter_mut().for_each(|v| *v *= factor);
    }
}

/// White is zero: the first channel counts down from white (1.0 in floats).
fn inverted(mut samples: Samples, channels: usize, bits: u32, sample_format: u32) -> Samples {
    match &mut samples {
        Samples::U8(values) => values.iter_mut().step_by(channels).for_each(|v| *v = v.inverted()),
        Samples::U16(values) => values.iter_mut().step_by(channels).for_each(|v| *v = v.inverted()),
        Samples::F32(values) => {
            let white = if sample_format == 3 { 1.0 } else { full_scale(bits) };
            values.iter_mut().step_by(channels).for_each(|v| *v = white - *v);
        }
    }
    samples
}

/// Palette indices to RGB; samples after the index (alpha) stay. The map has all reds, then greens, then blues,
/// in 16 bits of which 8 are kept.
fn colored(samples: Samples, channels: usize, map: &[u32]) -> (Samples, usize) {
    let Samples::U8(values) = samples else { return (samples, channels) };
    let entries = map.len() / 3;
    let level = |at: usize| map.get(at).map_or(0, |v| v.to_be_bytes()[2]);
    let table: Vec<[u8; 3]> = (0..entries).map(|i| [level(i), level(entries + i), level(2 * entries + i)]).collect();
    let mut out = Vec::with_capacity(values.len() / channels * (channels + 2));
    for pixel in values.chunks_exact(channels) {
        out.extend(table.get(usize::from(pixel[0])).copied().unwrap_or_default());
        out.extend_from_slice(&pixel[1..]);
    }
    (Samples::U8(out), channels + 2)
}

/// The first four samples to RGB in place, R = (1 − C)(1 − K); samples after them stay.
fn cmyk_to_rgb<T: Level>(mut values: Vec<T>, channels: usize) -> Vec<T> {
    let count = values.len() / channels;
    for p in 0..count {
        let (from, to) = (p * channels, p * (channels - 1));
        let light = values[from + 3].inverted();
        for c in 0..3 {
            values[to + c] = values[from + c].inverted().times(light);
        }
        values.copy_within(from + 4..from + channels, to + 3);
    }
    values.truncate(count * (channels - 1));
    values
}

fn from_ycbcr(mut samples: Samples, channels: usize) -> Samples {
    if let Samples::U8(values) = &mut samples {
        for pixel in values.chunks_exact_mut(channels) {
            let rgb = ycc_to_rgb([pixel[0], pixel[1], pixel[2]]);
            pixel[..3].copy_from_slice(&rgb);
        }
    }
    samples
}

/// Divides the colors by the alpha they were multiplied with.
fn unmultiplied<T: Level>(mut values: Vec<T>, channels: usize) -> Vec<T> {
    for pixel in values.chunks_exact_mut(channels) {
        if let Some((&mut alpha, colors)) = pixel.split_last_mut() {
            colors.iter_mut().for_each(|v| *v = v.over(alpha));
        }
    }
    values
}
