//! numpy's `.npy` arrays of 2 or 3 axes.

use super::error::Feature;
use super::limits::{check_bytes, check_pixels};
use super::raw::{Job, Meaning, Raw};
use super::{DecodeError, Format};
use segcut_core::Samples;

/// The bytes of an H×W or H×W×C array in C order into raw samples.
///
/// Source: NEP 1. Read are bool, u8, u16, f32 and f64 (to f32), in both byte orders.
pub(super) fn read(job: &Job<'_>) -> Result<Raw, DecodeError> {
    if job.options.frame > 0 {
        return Err(DecodeError::NoSuchFrame { frame: job.options.frame, frames: 1 });
    }
    let (header, data) = split(job.bytes).ok_or_else(|| DecodeError::damaged(Format::Npy, "the header is cut"))?;
    let array = Array::parse(header)?;
    let (size, channels) = match array.shape.as_slice() {
        &[h, w] => (check_pixels(h, w, job.options)?, 1),
        &[h, w, c] if c > 0 => (check_pixels(h, w, job.options)?, usize::try_from(c).unwrap_or(usize::MAX)),
        &[h, w, 0] => return Err(DecodeError::Empty { height: h, width: w }),
        other => return Err(DecodeError::unsupported(Format::Npy, Feature::Axes(other.len()))),
    };
    let count = check_bytes(size, channels, array.bytes.min(4), job)?;
    let data = data
        .get(..count.saturating_mul(array.bytes))
        .ok_or_else(|| DecodeError::damaged(Format::Npy, "the data are cut"))?;
    let samples = array.samples(data);
    let meaning = meaning(channels, &samples);
    let mut raw = Raw::color(size.0, size.1, 1, samples);
    (raw.channels, raw.meaning) = (channels, meaning);
    Ok(raw)
}

fn meaning(channels: usize, samples: &Samples) -> Meaning {
    match (channels, samples) {
        (1, _) => Meaning::Gray,
        (3, Samples::F32(values)) if !values.iter().all(|v| (0.0..=1.0).contains(v)) => Meaning::Bands,
        (3, _) => Meaning::Rgb,
        _ => Meaning::Bands,
    }
}

/// The header text and the data.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (start, length) = match bytes.get(6)? {
        1 => (10, usize::from(u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?))),
        _ => (12, usize::try_from(u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?)).ok()?),
    };
    let data = start + length;
    Some((std::str::from_utf8(bytes.get(start..data)?).ok()?, bytes.get(data..)?))
}

/// What the header says about the array.
struct Array {
    kind: u8,
    bytes: usize,
    big_endian: bool,
    shape: Vec<u64>,
}

impl Array {
    fn parse(header: &str) -> Result<Self, DecodeError> {
        let damaged = || DecodeError::damaged(Format::Npy, "the header is no array description");
        let after = |key: &str| header.split_once(key).map(|(_, rest)| rest.trim_start_matches([' ', ':']));
        let descr = after("'descr'").and_then(|rest| rest.split('\'').nth(1)).ok_or_else(damaged)?;
        let fortran = after("'fortran_order'").ok_or_else(damaged)?.starts_with("True");
        let shape = after("'shape'").and_then(|rest| rest.strip_prefix('(')).ok_or_else(damaged)?;
        let shape = shape.split_once(')').ok_or_else(damaged)?.0;
        let shape: Result<Vec<u64>, _> =
            shape.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect();
        let shape = shape.map_err(|_| damaged())?;
        let [order, kind, size @ ..] = descr.as_bytes() else { return Err(damaged()) };
        let bytes = match (kind, size) {
            (b'b' | b'u', b"1") => 1,
            (b'u', b"2") => 2,
            (b'f', b"4") => 4,
            (b'f', b"8") => 8,
            _ => return Err(DecodeError::unsupported(Format::Npy, Feature::ArrayType)),
        };
        if fortran {
            return Err(DecodeError::unsupported(Format::Npy, Feature::ArrayType));
        }
        Ok(Self { kind: *kind, bytes, big_endian: *order == b'>', shape })
    }

    fn samples(&self, data: &[u8]) -> Samples {
        match (self.kind, self.bytes) {
            (b'b', _) => Samples::U8(data.iter().map(|&b| if b == 0 { 0 } else { 255 }).collect()),
            (_, 1) => Samples::U8(data.to_vec()),
            (_, 2) => Samples::U16(self.values(data, u16::from_le_bytes)),
            (_, 4) => Samples::F32(self.values(data, f32::from_le_bytes)),
            // Beyond f32 becomes infinite, which the valid mask takes out.
            #[allow(clippy::cast_possible_truncation)]
            _ => Samples::F32(self.values(data, |b| f64::from_le_bytes(b) as f32)),
        }
    }

    fn values<T, const N: usize>(&self, data: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
        let value = |chunk: &[u8]| {
            let mut bytes = [0; N];
            bytes.copy_from_slice(chunk);
            if self.big_endian {
                bytes.reverse();
            }
            convert(bytes)
        };
        data.chunks_exact(N).map(value).collect()
    }
}
