//! GIF by the `image` crate, with the number of frames counted first.

use super::generic::{animation_frame, refused, still};
use super::levels::from_native;
use super::limits::{check_bytes, check_pixels};
use super::raw::{Job, Raw};
use super::{DecodeError, Format, Warning};
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, ImageDecoder};
use std::io::Cursor;

/// A GIF's bytes into RGBA samples of its canvas.
pub(super) fn read(job: &Job<'_>) -> Result<Raw, DecodeError> {
    let decoder = GifDecoder::new(Cursor::new(job.bytes)).map_err(|e| refused(e, Format::Gif))?;
    let (width, height) = decoder.dimensions();
    let size = check_pixels(u64::from(height), u64::from(width), job.options)?;
    let frames = count_frames(job.bytes);
    let mut raw = if job.options.frame == 0 {
        still(decoder, Format::Gif, job)?
    } else if job.options.frame >= frames {
        return Err(DecodeError::NoSuchFrame { frame: job.options.frame, frames });
    } else {
        check_bytes(size, 2 * 4, 1, job)?;
        let pixels = animation_frame(decoder.into_frames(), Format::Gif, job)?;
        Raw::color(size.0, size.1, 4, from_native(pixels, 1))
    };
    if frames > 1 {
        raw.warnings.push(Warning::Frames { used: job.options.frame, frames: Some(frames) });
    }
    Ok(raw)
}

/// Counts image descriptors by stepping over blocks.
///
/// Source: GIF89a specification, sections 18 to 27.
fn count_frames(bytes: &[u8]) -> usize {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let Some(&flags) = bytes.get(10) else { return 0 };
    let mut at = 13 + table(flags);
    let mut frames = 0;
    loop {
        match bytes.get(at) {
            Some(0x21) => at += 2,
            Some(0x2c) => {
                let Some(&flags) = bytes.get(at + 9) else { return frames };
                frames += 1;
                // Descriptor, color table, minimum code size.
                at += 10 + table(flags) + 1;
            }
            _ => return frames,
        }
        // Sub-blocks, each with its length in front, end with one of length 0.
        loop {
            let Some(&length) = bytes.get(at) else { return frames };
            at += 1 + usize::from(length);
            if length == 0 {
                break;
            }
        }
    }
}
