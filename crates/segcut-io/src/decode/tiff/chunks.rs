//! Strips and tiles, interleaved or planar, into one row-major array.

use super::refused;
use super::tags::Tags;
use crate::decode::limits::check_bytes;
use crate::decode::raw::Job;
use crate::decode::{DecodeError, Format};
use ::tiff::TiffError;
use ::tiff::decoder::{ChunkType, Decoder, DecodingResult};
use ::tiff::tags::Tag;
use segcut_core::Samples;
use std::io::{Read, Seek};

/// The samples as stored (fewer than 8 bits: the numbers themselves), and which pixels were decoded.
pub(super) struct Stored {
    pub samples: Samples,
    pub decoded: Option<Vec<bool>>,
}

/// Where a chunk lies in the image.
#[derive(Clone, Copy)]
struct Place {
    x: usize,
    y: usize,
    /// Columns and rows that belong to the image.
    width: usize,
    height: usize,
    /// Columns as they were decoded.
    stride: usize,
    /// The first channel, and how many lie interleaved in the chunk.
    channel: usize,
    interleaved: usize,
}

/// Reads every chunk of a page.
pub(super) fn read<R: Read + Seek>(
    decoder: &mut Decoder<R>,
    tags: &Tags,
    job: &Job<'_>,
) -> Result<Stored, DecodeError> {
    let size = (tags.height, tags.width);
    let mut samples = match (tags.sample_format, tags.bits) {
        (1, ..=8) => Samples::U8(vec![0; check_bytes(size, tags.samples, 1, job)?]),
        (1, 16) => Samples::U16(vec![0; check_bytes(size, tags.samples, 2, job)?]),
        _ => Samples::F32(vec![0.0; check_bytes(size, tags.samples, 4, job)?]),
    };
    let mut decoded = None;
    let mut good = false;
    let holes = holes(decoder);
    for (index, place) in places(decoder, tags).into_iter().enumerate() {
        if holes.get(index) == Some(&true) {
            continue;
        }
        let index = u32::try_from(index).map_err(|_| refused(TiffError::IntSizeError))?;
        match decoder.read_chunk(index).map_err(refused) {
            Ok(chunk) => good |= put(&mut samples, tags, place, chunk)?,
            Err(error) if job.lenient() && error.is_damage() => forget(&mut decoded, tags, place),
            Err(error) => return Err(error),
        }
    }
    if decoded.is_some() && !good {
        return Err(DecodeError::damaged(Format::Tiff, "no strip or tile can be decoded"));
    }
    Ok(Stored { samples, decoded })
}

/// Chunks of length 0 at offset 0: GDAL's way of not storing empty ones. They stay 0.
fn holes<R: Read + Seek>(decoder: &mut Decoder<R>) -> Vec<bool> {
    let (offsets, lengths) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    match (decoder.get_tag_u64_vec(offsets), decoder.get_tag_u64_vec(lengths)) {
        (Ok(offsets), Ok(lengths)) => offsets.iter().zip(&lengths).map(|(&o, &l)| o == 0 && l == 0).collect(),
        _ => Vec::new(),
    }
}

/// Every chunk in file order: plane by plane where planar, then row-major.
fn places<R: Read + Seek>(decoder: &Decoder<R>, tags: &Tags) -> Vec<Place> {
    let (wide, high) = decoder.chunk_dimensions();
    let (wide, high) = ((wide as usize).max(1), (high as usize).max(1));
    let (planes, interleaved) = if tags.planar { (tags.samples, 1) } else { (1, tags.samples) };
    let mut places = Vec::new();
    for channel in 0..planes {
        for y in (0..tags.height).step_by(high) {
            for x in (0..tags.width).step_by(wide) {
                let width = wide.min(tags.width - x);
                let height = high.min(tags.height - y);
                places.push(Place { x, y, width, height, stride: width, channel, interleaved });
            }
        }
    }
    places
}

fn put(samples: &mut Samples, tags: &Tags, place: Place, chunk: DecodingResult) -> Result<bool, DecodeError> {
    let whole = place.width == tags.width && place.height == tags.height && place.interleaved == tags.samples;
    match (samples, chunk) {
        // One chunk is the image: it is taken as it is, without a second copy.
        (Samples::U8(out), DecodingResult::U8(chunk)) if whole && tags.bits == 8 && chunk.len() == out.len() => {
            *out = chunk
        }
        (Samples::U16(out), DecodingResult::U16(chunk)) if whole && chunk.len() == out.len() => *out = chunk,
        (Samples::F32(out), DecodingResult::F32(chunk)) if whole && chunk.len() == out.len() => *out = chunk,
        (Samples::U8(out), DecodingResult::U8(chunk)) if tags.bits < 8 => {
            place_values(out, tags, place, &unpacked(&chunk, tags.bits, place));
        }
        (Samples::U8(out), DecodingResult::U8(chunk)) => place_values(out, tags, place, &chunk),
        (Samples::U16(out), DecodingResult::U16(chunk)) => place_values(out, tags, place, &chunk),
        (Samples::F32(out), chunk) => place_values(out, tags, place, &floats(chunk)),
        _ => return Err(DecodeError::damaged(Format::Tiff, "a chunk has another sample type than the header")),
    }
    Ok(true)
}

/// Copies the part of a chunk that lies in the image.
fn place_values<T: Copy>(out: &mut [T], tags: &Tags, place: Place, chunk: &[T]) {
    let row_length = place.stride * place.interleaved;
    for (row, values) in chunk.chunks_exact(row_length).take(place.height).enumerate() {
        let start = ((place.y + row) * tags.width + place.x) * tags.samples + place.channel;
        if place.interleaved == tags.samples {
            let length = place.width * tags.samples;
            out[start..start + length].copy_from_slice(&values[..length]);
            continue;
        }
        for (to, &value) in out[start..].iter_mut().step_by(tags.samples).zip(&values[..place.width]) {
            *to = value;
        }
    }
}

/// Rows of 1, 2 or 4 bits a sample, each padded to a byte, into one number a sample.
fn unpacked(chunk: &[u8], bits: u32, place: Place) -> Vec<u8> {
    let samples = place.stride * place.interleaved;
    let per_byte = (8 / bits) as usize;
    let largest = u8::MAX >> (8 - bits);
    let mut out = Vec::with_capacity(samples * place.height);
    for row in chunk.chunks_exact(samples.div_ceil(per_byte)) {
        out.extend((0..samples).map(|i| {
            let shift = (per_byte - 1 - i % per_byte) as u32 * bits;
            (row[i / per_byte] >> shift) & largest
        }));
    }
    out
}

/// Any sample type as f32. Integers above 2²⁴ and f64 lose digits.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn floats(chunk: DecodingResult) -> Vec<f32> {
    match chunk {
        DecodingResult::U8(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::U16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::U32(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::U64(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::I8(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::I16(v) => v.into_iter().map(f32::from).collect(),
        DecodingResult::I32(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::I64(v) => v.into_iter().map(|v| v as f32).collect(),
        DecodingResult::F16(v) => v.into_iter().map(|v| v.to_f32()).collect(),
        DecodingResult::F32(v) => v,
        DecodingResult::F64(v) => v.into_iter().map(|v| v as f32).collect(),
    }
}

/// Marks a chunk's pixels as not decoded.
fn forget(decoded: &mut Option<Vec<bool>>, tags: &Tags, place: Place) {
    let decoded = decoded.get_or_insert_with(|| vec![true; tags.height * tags.width]);
    for row in place.y..place.y + place.height {
        let start = row * tags.width + place.x;
        decoded[start..start + place.width].fill(false);
    }
}
