//! PNG and APNG by the `png` crate.

use super::generic::animation_frame;
use super::levels::{from_native, u16_from_be};
use super::limits::{check_bytes, check_pixels, max_bytes};
use super::raw::{Job, Raw};
use super::{DecodeError, Format, Warning, exif};
use image::AnimationDecoder;
use png::{BitDepth, DecodingError, Reader, Transformations};
use segcut_core::Samples;
use std::io::Cursor;

type PngReader<'a> = Reader<Cursor<&'a [u8]>>;

/// A PNG's bytes into raw samples: 1 to 8 bits become u8, palettes RGB, `tRNS` an alpha channel; 16 bits stay.
pub(super) fn read(job: &Job<'_>) -> Result<Raw, DecodeError> {
    // IHDR is the first chunk: length, name, width, height.
    let header = job.bytes.get(16..24).ok_or_else(|| DecodeError::damaged(Format::Png, "the header is cut"))?;
    let side = |at: usize| u64::from(u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
    let (height, width) = check_pixels(side(4), side(0), job.options)?;
    let chunks = Chunks::walk(job.bytes);
    let mut raw =
        if job.options.frame == 0 { still(job, height, width)? } else { animated(job, height, width, &chunks)? };
    raw.orientation = chunks.exif.map_or(1, exif::orientation);
    if chunks.frames.is_some_and(|n| n > 1) {
        raw.warnings.push(Warning::Frames { used: job.options.frame, frames: chunks.frames });
    }
    Ok(raw)
}

fn still(job: &Job<'_>, height: usize, width: usize) -> Result<Raw, DecodeError> {
    let mut settings = png::DecodeOptions::default();
    settings.set_ignore_checksums(job.lenient());
    // Compressed text and color profiles are never inflated.
    settings.set_ignore_text_chunk(true);
    settings.set_ignore_iccp_chunk(true);
    let mut decoder = png::Decoder::new_with_options(Cursor::new(job.bytes), settings);
    decoder.set_limits(png::Limits { bytes: max_bytes(job.options) });
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(refused)?;
    let (color, depth) = reader.output_color_type();
    let channels = color.samples();
    let wide = depth == BitDepth::Sixteen;
    let count = check_bytes((height, width), channels, 1 + usize::from(wide), job)?;
    let (samples, rows) = match (reader.info().interlaced, wide) {
        (true, _) => (interlaced(&mut reader, count, wide, job)?, height),
        (false, false) => rows_u8(&mut reader, count, width * channels, job)?,
        (false, true) => rows_u16(&mut reader, count, width * channels, job)?,
    };
    let mut raw = Raw::color(height, width, channels, samples);
    raw.decoded = (rows < height).then(|| (0..height * width).map(|at| at < rows * width).collect());
    Ok(raw)
}

/// Where the lenient pass goes on with what it has, the strict one fails.
fn tolerated(error: DecodingError, rows: usize, job: &Job<'_>) -> Result<(), DecodeError> {
    if job.lenient() && rows > 0 { Ok(()) } else { Err(refused(error)) }
}

fn rows_u8(
    reader: &mut PngReader<'_>,
    count: usize,
    stride: usize,
    job: &Job<'_>,
) -> Result<(Samples, usize), DecodeError> {
    let mut pixels = vec![0u8; count];
    let height = count / stride;
    for y in 0..height {
        if let Err(error) = reader.read_row(&mut pixels[y * stride..(y + 1) * stride]) {
            tolerated(error, y, job)?;
            return Ok((Samples::U8(pixels), y));
        }
    }
    checked_end(reader, stride, job)?;
    Ok((Samples::U8(pixels), height))
}

fn rows_u16(
    reader: &mut PngReader<'_>,
    count: usize,
    stride: usize,
    job: &Job<'_>,
) -> Result<(Samples, usize), DecodeError> {
    let mut pixels = Vec::with_capacity(count);
    let mut line = vec![0u8; stride * 2];
    let height = count / stride;
    for y in 0..height {
        if let Err(error) = reader.read_row(&mut line) {
            tolerated(error, y, job)?;
            pixels.resize(count, 0);
            return Ok((Samples::U16(pixels), y));
        }
        pixels.extend(u16_from_be(&line));
    }
    checked_end(reader, stride * 2, job)?;
    Ok((Samples::U16(pixels), height))
}

/// Reading past the last row verifies the checksum of the last data chunk.
fn checked_end(reader: &mut PngReader<'_>, line_bytes: usize, job: &Job<'_>) -> Result<(), DecodeError> {
    match reader.read_row(&mut vec![0u8; line_bytes]) {
        Err(error) => tolerated(error, 1, job),
        Ok(_) => Ok(()),
    }
}

/// Adam7 fills the whole area pass by pass, so that a cut file leaves no whole rows to keep or to mask.
fn interlaced(reader: &mut PngReader<'_>, count: usize, wide: bool, job: &Job<'_>) -> Result<Samples, DecodeError> {
    let mut pixels = vec![0u8; count * (1 + usize::from(wide))];
    if let Err(error) = reader.next_frame(&mut pixels) {
        tolerated(error, usize::from(pixels.iter().any(|&v| v != 0)), job)?;
    }
    Ok(if wide { Samples::U16(u16_from_be(&pixels).collect()) } else { Samples::U8(pixels) })
}

fn animated(job: &Job<'_>, height: usize, width: usize, chunks: &Chunks<'_>) -> Result<Raw, DecodeError> {
    let frames = chunks.frames.unwrap_or(1);
    if job.options.frame >= frames {
        return Err(DecodeError::NoSuchFrame { frame: job.options.frame, frames });
    }
    // Three canvases: shown, previous, current.
    check_bytes((height, width), 3 * 4, 1, job)?;
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(job.options.max_bytes);
    let damaged = |error| DecodeError::damaged(Format::Png, error);
    let decoder = image::codecs::png::PngDecoder::with_limits(Cursor::new(job.bytes), limits).map_err(damaged)?;
    let pixels = animation_frame(decoder.apng().map_err(damaged)?.into_frames(), Format::Png, job)?;
    Ok(Raw::color(height, width, 4, from_native(pixels, 1)))
}

fn refused(error: DecodingError) -> DecodeError {
    DecodeError::damaged(Format::Png, error)
}

/// What is wanted from the chunks beside the pixels.
struct Chunks<'a> {
    exif: Option<&'a [u8]>,
    frames: Option<usize>,
}

impl<'a> Chunks<'a> {
    /// Steps over the chunks without reading their content.
    fn walk(bytes: &'a [u8]) -> Self {
        let mut found = Chunks { exif: None, frames: None };
        let mut rest = bytes.get(8..).unwrap_or_default();
        while let [a, b, c, d, body @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let Some((name, data)) = body.split_first_chunk::<4>() else { break };
            let Some(content) = data.get(..length) else { break };
            match name {
                b"eXIf" => found.exif = Some(content),
                b"acTL" => found.frames = content.first_chunk::<4>().map(|n| u32::from_be_bytes(*n) as usize),
                _ => {}
            }
            // The checksum follows the content.
            rest = data.get(length + 4..).unwrap_or_default();
        }
        found
    }
}
