//! WebP, BMP and PNM by the `image` crate.

use super::levels::from_native;
use super::limits::{check_bytes, check_pixels};
use super::raw::{Job, Raw};
use super::{DecodeError, Format, Warning, exif};
use image::codecs::{bmp::BmpDecoder, pnm::PnmDecoder, webp::WebPDecoder};
use image::error::{ImageError, ImageResult};
use image::{AnimationDecoder, Frames, ImageDecoder};
use std::io::Cursor;

/// A WebP's bytes into RGB or RGBA samples.
pub(super) fn read_webp(job: &Job<'_>) -> Result<Raw, DecodeError> {
    let open = || WebPDecoder::new(Cursor::new(job.bytes)).map_err(|e| refused(e, Format::WebP));
    let mut decoder = open()?;
    let animated = decoder.has_animation();
    if job.options.frame > 0 && !animated {
        return Err(DecodeError::NoSuchFrame { frame: job.options.frame, frames: 1 });
    }
    let orientation = decoder.exif_metadata().ok().flatten().map_or(1, |block| exif::orientation(&block));
    let mut raw = if job.options.frame == 0 {
        still(decoder, Format::WebP, job)?
    } else {
        let (width, height) = decoder.dimensions();
        let size = check_pixels(u64::from(height), u64::from(width), job.options)?;
        check_bytes(size, 2 * 4, 1, job)?;
        let pixels = animation_frame(decoder.into_frames(), Format::WebP, job)?;
        Raw::color(size.0, size.1, 4, from_native(pixels, 1))
    };
    raw.orientation = orientation;
    if animated {
        raw.warnings.push(Warning::Frames { used: job.options.frame, frames: None });
    }
    Ok(raw)
}

/// A bitmap's bytes into RGB or RGBA samples. Alpha that is 0 everywhere is no alpha (a padding byte).
pub(super) fn read_bmp(job: &Job<'_>) -> Result<Raw, DecodeError> {
    only_frame(job)?;
    let decoder = BmpDecoder::new(Cursor::new(job.bytes)).map_err(|e| refused(e, Format::Bmp))?;
    let mut raw = still(decoder, Format::Bmp, job)?;
    if let segcut_core::Samples::U8(pixels) = &mut raw.samples
        && raw.alpha
        && pixels.chunks_exact(4).all(|pixel| pixel[3] == 0)
    {
        pixels.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
    }
    Ok(raw)
}

/// A PBM, PGM, PPM or PAM file's bytes into samples of 8 or 16 bits.
pub(super) fn read_pnm(job: &Job<'_>) -> Result<Raw, DecodeError> {
    only_frame(job)?;
    let decoder = PnmDecoder::new(Cursor::new(job.bytes)).map_err(|e| refused(e, Format::Pnm))?;
    still(decoder, Format::Pnm, job)
}

fn only_frame(job: &Job<'_>) -> Result<(), DecodeError> {
    match job.options.frame {
        0 => Ok(()),
        frame => Err(DecodeError::NoSuchFrame { frame, frames: 1 }),
    }
}

/// The (first) picture of any decoder of the `image` crate.
pub(super) fn still<D: ImageDecoder>(mut decoder: D, format: Format, job: &Job<'_>) -> Result<Raw, DecodeError> {
    let (width, height) = decoder.dimensions();
    let size = check_pixels(u64::from(height), u64::from(width), job.options)?;
    let color = decoder.color_type();
    let channels = usize::from(color.channel_count());
    let bytes_per_sample = usize::from(color.bytes_per_pixel()) / channels;
    let count = check_bytes(size, channels, bytes_per_sample, job)?;
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(job.options.max_bytes);
    decoder.set_limits(limits).map_err(|e| refused(e, format))?;
    let mut pixels = vec![0u8; count * bytes_per_sample];
    if let Err(error) = decoder.read_image(&mut pixels) {
        // Decoders write rows as they come: what is there may be kept, nothing at all may not.
        if !job.lenient() || pixels.iter().all(|&v| v == 0) {
            return Err(refused(error, format));
        }
    }
    Ok(Raw::color(size.0, size.1, channels, from_native(pixels, bytes_per_sample)))
}

/// One composed frame of an animation, as RGBA bytes.
pub(super) fn animation_frame(frames: Frames<'_>, format: Format, job: &Job<'_>) -> Result<Vec<u8>, DecodeError> {
    let mut seen = 0;
    for frame in frames {
        let frame: ImageResult<image::Frame> = frame;
        let frame = frame.map_err(|e| refused(e, format))?;
        if seen == job.options.frame {
            return Ok(frame.into_buffer().into_raw());
        }
        seen += 1;
    }
    Err(DecodeError::NoSuchFrame { frame: job.options.frame, frames: seen })
}

/// Sorts the `image` crate's errors into ours.
pub(super) fn refused(error: ImageError, format: Format) -> DecodeError {
    match error {
        ImageError::Unsupported(_) => DecodeError::unsupported(format, error),
        error => DecodeError::damaged(format, error),
    }
}
