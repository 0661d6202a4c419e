//! One-band TIFF → numbers as stored.

use super::decode_png::check_size;
use super::raster::{Raster, RasterValues};
use super::{LabelOptions, LabelsError};
use std::io::{Read, Seek};
use std::path::Path;
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};

pub(crate) fn decode_tiff<R>(file: &Path, input: R, options: &LabelOptions) -> Result<Raster, LabelsError>
where
    R: Read + Seek,
{
    let damaged = |e: tiff::TiffError| LabelsError::Damaged { file: file.to_path_buf(), source: Box::new(e) };
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(options.max_pixels.saturating_mul(8)).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    let mut decoder = Decoder::new(input).map_err(damaged)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(damaged)?;
    check_size(file, u64::from(width), u64::from(height), options)?;
    let color = decoder.colortype().map_err(damaged)?;
    let ColorType::Gray(bits) = color else {
        return Err(LabelsError::Color { file: file.to_path_buf() });
    };
    let kind = || LabelsError::SampleKind { file: file.to_path_buf(), samples: format!("{color:?}") };
    if bits < 8 {
        return Err(kind());
    }
    let values = unsigned(decoder.read_image().map_err(damaged)?).ok_or_else(kind)?;
    let (height, width) = (height as usize, width as usize);
    let (bits, length) = match &values {
        RasterValues::U8(v) => (8, v.len()),
        RasterValues::U16(v) => (16, v.len()),
        RasterValues::U32(v) => (32, v.len()),
    };
    if length != height * width {
        return Err(kind());
    }
    Ok(Raster { height, width, bits, values })
}

/// Whole numbers without sign; signed ones where none is negative.
fn unsigned(samples: DecodingResult) -> Option<RasterValues> {
    Some(match samples {
        DecodingResult::U8(v) => RasterValues::U8(v),
        DecodingResult::U16(v) => RasterValues::U16(v),
        DecodingResult::U32(v) => RasterValues::U32(v),
        DecodingResult::U64(v) => RasterValues::U32(narrow(v)?),
        DecodingResult::I16(v) => RasterValues::U32(narrow(v)?),
        DecodingResult::I32(v) => RasterValues::U32(narrow(v)?),
        DecodingResult::I64(v) => RasterValues::U32(narrow(v)?),
        _ => return None,
    })
}

fn narrow<T: TryInto<u32>>(values: Vec<T>) -> Option<Vec<u32>> {
    values.into_iter().map(|v| v.try_into().ok()).collect()
}
