//! JPEG by `zune-jpeg`, strict first.

use super::error::Feature;
use super::jpeg_header::{Frame, Header, end_of_image, walk};
use super::levels::Level;
use super::limits::{check_bytes, check_pixels};
use super::raw::{Job, Raw};
use super::{DecodeError, Format, Warning, exif};
use segcut_core::Samples;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A JPEG's bytes into gray or RGB samples.
pub(super) fn read(job: &Job<'_>) -> Result<Raw, DecodeError> {
    let header = walk(job.bytes);
    let frame = header.frame.ok_or_else(|| DecodeError::damaged(Format::Jpeg, "there is no frame header"))?;
    let size = check_pixels(u64::from(frame.height), u64::from(frame.width), job.options)?;
    check_variety(&frame, header.first_scan)?;
    if job.options.frame > 0 {
        return Err(DecodeError::NoSuchFrame { frame: job.options.frame, frames: 1 });
    }
    check_bytes(size, usize::from(frame.components), 1, job)?;
    let (pixels, channels) = pixels(job, &header, frame)?;
    let mut raw = Raw::color(size.0, size.1, channels, Samples::U8(pixels));
    raw.orientation = header.exif.map_or(1, exif::orientation);
    if header.several {
        raw.warnings.push(Warning::Frames { used: 0, frames: None });
    }
    Ok(raw)
}

fn check_variety(frame: &Frame, first_scan: Option<u8>) -> Result<(), DecodeError> {
    let separate = frame.process < 2 && frame.tall && first_scan.is_some_and(|n| n < frame.components);
    let feature = match frame {
        // zune-jpeg 0.5.15 gives wrong colors for these and does not say so.
        _ if separate => Feature::SeparateScans,
        // SOF0 baseline, SOF1 extended, SOF2 progressive.
        Frame { process: 3.., .. } => Feature::Process(frame.process),
        Frame { bits, .. } if *bits != 8 => Feature::Bits(u32::from(*bits)),
        Frame { components: 1 | 3 | 4, .. } => return Ok(()),
        Frame { components, .. } => Feature::Components(u32::from(*components)),
    };
    Err(DecodeError::unsupported(Format::Jpeg, feature))
}

fn pixels(job: &Job<'_>, header: &Header<'_>, frame: Frame) -> Result<(Vec<u8>, usize), DecodeError> {
    let options = DecoderOptions::new_fast()
        .set_strict_mode(!job.lenient())
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    // Four components are taken as they are stored, to be converted as Pillow does it.
    let mut wanted = if frame.components == 1 { ColorSpace::Luma } else { ColorSpace::RGB };
    if frame.components == 4 {
        wanted = if header.adobe == Some(2) { ColorSpace::YCCK } else { ColorSpace::CMYK };
    }
    let options = options.jpeg_set_out_colorspace(wanted);
    let bytes = if job.lenient() { job.bytes } else { without_end(job.bytes, header, frame) };
    let mut pixels = JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().map_err(refused)?;
    if frame.components != 4 {
        return Ok((pixels, usize::from(frame.components)));
    }
    if wanted == ColorSpace::YCCK {
        ycck_to_cmyk(&mut pixels);
    }
    Ok((cmyk_to_rgb(pixels), 3))
}

/// The bytes up to the end-of-image marker of a baseline file with one scan.
///
/// zune-jpeg 0.5.15, strict or not, fills up with gray in silence where that marker comes too early, but refuses
/// data that simply end too early. Progressive files keep their marker, without which it refuses them all.
fn without_end<'a>(bytes: &'a [u8], header: &Header<'_>, frame: Frame) -> &'a [u8] {
    let one_scan = frame.process < 2 && header.first_scan == Some(frame.components);
    let end = header.data.filter(|_| one_scan).and_then(|data| end_of_image(bytes, data));
    end.map_or(bytes, |end| &bytes[..end])
}

/// YCCK to CMYK in place, as libjpeg does it: CMY are the complements of the RGB that YCC stands for.
fn ycck_to_cmyk(pixels: &mut [u8]) {
    for pixel in pixels.chunks_exact_mut(4) {
        let rgb = ycc_to_rgb([pixel[0], pixel[1], pixel[2]]);
        pixel[..3].copy_from_slice(&rgb.map(|v| 255 - v));
    }
}

/// JFIF's YCbCr to RGB (BT.601, full range).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn ycc_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let level = |v: f32| v.round().clamp(0.0, 255.0) as u8;
    [level(y + 1.402 * cr), level(y - 0.344_136 * cb - 0.714_136 * cr), level(y + 1.772 * cb)]
}

/// CMYK to RGB in place, R = (1 − C)(1 − K). The complements are stored: Adobe's way, which Pillow takes for
/// granted in files without the Adobe marker too.
fn cmyk_to_rgb(mut pixels: Vec<u8>) -> Vec<u8> {
    let count = pixels.len() / 4;
    for p in 0..count {
        let black = pixels[p * 4 + 3];
        for c in 0..3 {
            pixels[p * 3 + c] = pixels[p * 4 + c].times(black);
        }
    }
    pixels.truncate(count * 3);
    pixels
}

fn refused(error: DecodeErrors) -> DecodeError {
    match error {
        DecodeErrors::Unsupported(_) => DecodeError::unsupported(Format::Jpeg, error.to_string()),
        error => DecodeError::damaged(Format::Jpeg, error.to_string()),
    }
}
