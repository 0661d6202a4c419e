//! PNG → numbers as stored.

use super::raster::{Colors, Raster, RasterValues};
use super::{LabelOptions, LabelsError};
use png::{BitDepth, ColorType};
use std::io::{BufRead, Seek};
use std::path::Path;

pub(crate) fn decode_png<R>(
    file: &Path,
    input: R,
    options: &LabelOptions,
    colors: Colors,
) -> Result<Raster, LabelsError>
where
    R: BufRead + Seek,
{
    let damaged = |e: png::DecodingError| LabelsError::Damaged { file: file.to_path_buf(), source: Box::new(e) };
    let mut decoder = png::Decoder::new(input);
    decoder.set_transformations(png::Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let (width, height) = decoder.read_header_info().map_err(damaged)?.size();
    check_size(file, u64::from(width), u64::from(height), options)?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (color, depth) = reader.output_color_type();
    let palette = matches!(color, ColorType::Grayscale | ColorType::Indexed);
    if !palette && colors == Colors::Refused {
        return Err(LabelsError::Color { file: file.to_path_buf() });
    }
    let mut bytes =
        vec![0; reader.output_buffer_size().ok_or_else(|| too_large(file, width.into(), height.into(), options))?];
    let frame = reader.next_frame(&mut bytes).map_err(damaged)?;
    bytes.truncate(frame.buffer_size());
    let (width, height) = (frame.width as usize, frame.height as usize);
    let values = if depth == BitDepth::Sixteen {
        let wide = bytes.as_chunks::<2>().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect();
        one_channel(wide, color.samples()).map(RasterValues::U16)
    } else {
        one_channel(unpack(bytes, width, depth as u8), color.samples()).map(RasterValues::U8)
    };
    let values = values.ok_or_else(|| LabelsError::Color { file: file.to_path_buf() })?;
    Ok(Raster { height, width, bits: depth as u8, values })
}

pub(super) fn check_size(file: &Path, width: u64, height: u64, options: &LabelOptions) -> Result<(), LabelsError> {
    if width.saturating_mul(height) > options.max_pixels {
        return Err(too_large(file, width, height, options));
    }
    Ok(())
}

fn too_large(file: &Path, width: u64, height: u64, options: &LabelOptions) -> LabelsError {
    LabelsError::TooLarge { file: file.to_path_buf(), width, height, max_pixels: options.max_pixels }
}

/// One byte per sample; rows of fewer than 8 bits begin at whole bytes, the first pixel in the high bits.
fn unpack(bytes: Vec<u8>, width: usize, bits: u8) -> Vec<u8> {
    if bits == 8 || width == 0 {
        return bytes;
    }
    let per_byte = 8 / usize::from(bits);
    let mask = u8::MAX >> (8 - bits);
    let mut values = Vec::with_capacity(bytes.len() * per_byte);
    for row in bytes.chunks_exact(width.div_ceil(per_byte)) {
        let sample = |x: usize| row[x / per_byte] >> (8 - bits as usize * (x % per_byte + 1)) & mask;
        values.extend((0..width).map(sample));
    }
    values
}

/// The first of `samples` channels, where the color channels are equal everywhere.
fn one_channel<T: Copy + PartialEq>(values: Vec<T>, samples: usize) -> Option<Vec<T>> {
    match samples {
        1 => Some(values),
        2 => Some(values.chunks_exact(2).map(|pixel| pixel[0]).collect()),
        _ => values.chunks_exact(samples).map(|p| (p[0] == p[1] && p[1] == p[2]).then_some(p[0])).collect(),
    }
}
