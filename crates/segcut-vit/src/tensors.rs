//! Bytes of a safetensors file → named f32 tensors.

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::collections::BTreeMap;
use std::io::Read;
use thiserror::Error;

/// The largest file that is read: a ViT-L in f32 has 1.2 GB.
pub const MAX_BYTES: u64 = 8 << 30;

/// Why bytes hold no tensors.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TensorsError {
    /// The file could not be read.
    #[error("reading failed: {0}")]
    Io(#[from] std::io::Error),
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// More bytes than [`MAX_BYTES`].
    #[error("the file is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// A web page was saved in place of the weights.
    #[error("this is a web page, not weights: the download was answered by a page")]
    WebPage,
    /// A Git LFS pointer stands in for the file.
    #[error("this is a Git LFS pointer, not the weights: run `git lfs pull` or download the file itself")]
    LfsPointer,
    /// PyTorch's own format.
    #[error("this is a PyTorch file (.pth, .pt, .bin): convert it with `segcut weights import`")]
    Pickle,
    /// The header or the layout is damaged.
    #[error("not a valid safetensors file: {0}")]
    Format(#[from] SafeTensorError),
    /// Numbers of a kind that weights do not have.
    #[error("tensor {name} has the number type {dtype}, not f32, f16, bf16 or f64")]
    NumberType {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: String,
    },
    /// A weight is NaN or infinite.
    #[error("tensor {name} has a value that is not finite, at index {index}")]
    NotFinite {
        /// The tensor.
        name: String,
        /// Index in row-major order.
        index: usize,
    },
}

/// One array.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Lengths, slowest first.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

/// Named arrays, sorted by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tensors(pub BTreeMap<String, Tensor>);

impl Tensors {
    /// Reader → tensors; f16, bf16 and f64 become f32, other number types are kept out of the way by name.
    ///
    /// Values that are not finite are refused except in `qkv.bias_mask`, which DINOv3 fills with NaN.
    ///
    /// # Errors
    /// [`TensorsError`] names what is wrong, also for pages, pointers and PyTorch files.
    pub fn read(reader: impl Read) -> Result<Self, TensorsError> {
        let mut bytes = Vec::new();
        reader.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(TensorsError::TooLarge);
        }
        Self::from_bytes(&bytes)
    }

    /// Bytes of a safetensors file → tensors, as [`read`](Self::read).
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TensorsError> {
        recognise(bytes)?;
        let file = SafeTensors::deserialize(bytes)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if matches!(view.dtype(), Dtype::I64 | Dtype::I32 | Dtype::BOOL | Dtype::U8) {
                continue;
            }
            let values = numbers(&name, view.dtype(), view.data())?;
            let shape = view.shape().to_vec();
            check_finite(&name, &values)?;
            tensors.insert(name, Tensor { shape, values });
        }
        Ok(Self(tensors))
    }
}

/// Tells what is commonly saved under a weight file's name.
fn recognise(bytes: &[u8]) -> Result<(), TensorsError> {
    let start = &bytes[..bytes.len().min(512)];
    let text = String::from_utf8_lossy(start).trim_start().to_ascii_lowercase();
    match () {
        () if bytes.is_empty() => Err(TensorsError::Empty),
        () if text.starts_with("<!doctype") || text.starts_with("<html") => Err(TensorsError::WebPage),
        () if text.starts_with("version https://git-lfs") => Err(TensorsError::LfsPointer),
        () if start.starts_with(b"PK\x03\x04") || start.starts_with(&[0x80, 2]) => Err(TensorsError::Pickle),
        () => Ok(()),
    }
}

fn numbers(name: &str, dtype: Dtype, data: &[u8]) -> Result<Vec<f32>, TensorsError> {
    match dtype {
        Dtype::F32 => Ok(data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        Dtype::F64 => Ok(data
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
            .collect()),
        Dtype::BF16 => Ok(data.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect()),
        Dtype::F16 => Ok(data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()),
        other => Err(TensorsError::NumberType { name: name.to_string(), dtype: format!("{other:?}") }),
    }
}

fn check_finite(name: &str, values: &[f32]) -> Result<(), TensorsError> {
    if name.ends_with("bias_mask") {
        return Ok(());
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(TensorsError::NotFinite { name: name.to_string(), index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_weights_is_named() {
        let error = |bytes: &[u8]| Tensors::from_bytes(bytes).unwrap_err();
        assert!(matches!(error(b""), TensorsError::Empty));
        assert!(matches!(error(b"<!DOCTYPE html><html>"), TensorsError::WebPage));
        assert!(matches!(error(b"version https://git-lfs.github.com/spec/v1\n"), TensorsError::LfsPointer));
        assert!(matches!(error(b"PK\x03\x04rest"), TensorsError::Pickle));
        assert!(matches!(error(&[255; 64]), TensorsError::Format(_)));
    }
}
