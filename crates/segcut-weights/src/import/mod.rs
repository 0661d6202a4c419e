//! PyTorch's zip files (`.pth`, `.pt`, `.bin`) → safetensors, without running anything in them.
//!
//! A pickle is a program; this reads the few instructions that a saved state dict consists of as data
//! and stops at any other. Nothing is called, nothing is written but the one output.

mod pickle;
mod state_dict;

pub use pickle::PickleError;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError};
use state_dict::{Entry, entries};
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use thiserror::Error;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

/// The longest pickle that is read; a state dict of a ViT-L has 50 kB.
const MAX_PICKLE: u64 = 16 << 20;
/// The most bytes of tensors.
const MAX_TENSORS: u64 = 8 << 30;

/// Why a PyTorch file cannot be imported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Not the zip form.
    #[error("not a PyTorch zip file (written since version 1.6): {0}")]
    Zip(#[from] ZipError),
    /// The pickle inside is not there, too long or damaged.
    #[error("the pickle inside is refused: {0}")]
    Pickle(#[from] PickleError),
    /// No pickle inside.
    #[error("there is no data.pkl inside")]
    NoPickle,
    /// Reading failed.
    #[error("reading failed: {0}")]
    Io(#[from] std::io::Error),
    /// PyTorch stores numbers as they are; a compressed entry is a bomb or not PyTorch's.
    #[error("{0} is compressed, which PyTorch never does")]
    Compressed(String),
    /// A tensor reaches beyond its stored bytes.
    #[error("tensor {name} needs {needed} bytes of {stored} stored")]
    Short {
        /// The tensor.
        name: String,
        /// Bytes up to its last number.
        needed: u64,
        /// Bytes of its storage.
        stored: u64,
    },
    /// More than fits.
    #[error("more than {MAX_TENSORS} bytes of tensors")]
    TooLarge,
    /// Nothing to import.
    #[error("there is no tensor inside")]
    NoTensor,
    /// The tensors cannot be written as safetensors.
    #[error(transparent)]
    Format(#[from] SafeTensorError),
}

/// PyTorch's zip file → bytes of a safetensors file.
///
/// Tensors of nested dictionaries get joined names (`teacher.backbone.cls_token`).
///
/// # Errors
/// [`ImportError`]; a hostile file is refused by name of what it tries.
pub fn import(file: impl Read + Seek) -> Result<Vec<u8>, ImportError> {
    let mut archive = ZipArchive::new(file)?;
    let names = archive.file_names().filter_map(Result::ok).map(|name| name.into_owned());
    let pickle = names.into_iter().find(|name| name.ends_with("/data.pkl")).ok_or(ImportError::NoPickle)?;
    let folder = pickle.trim_end_matches("data.pkl").to_string();
    let bytes = stored(&mut archive, &pickle, MAX_PICKLE)?;
    let entries = entries(&pickle::parse(&bytes)?);
    if entries.is_empty() {
        return Err(ImportError::NoTensor);
    }
    let mut tensors = BTreeMap::new();
    let mut total = 0u64;
    for entry in &entries {
        total = total.saturating_add(entry.bytes().ok_or(ImportError::TooLarge)?);
        if total > MAX_TENSORS {
            return Err(ImportError::TooLarge);
        }
        let storage = stored(&mut archive, &format!("{folder}data/{}", entry.storage), MAX_TENSORS)?;
        tensors.insert(entry.name.clone(), (entry, contiguous(entry, &storage)?));
    }
    let views = tensors
        .iter()
        .map(|(name, (entry, values))| Ok((name, TensorView::new(entry.dtype, entry.shape.clone(), values)?)));
    Ok(safetensors::serialize(views.collect::<Result<Vec<_>, SafeTensorError>>()?, None)?)
}

/// The bytes of an entry that is stored as it is.
fn stored<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str, most: u64) -> Result<Vec<u8>, ImportError> {
    let entry = archive.by_name(name)?;
    if entry.compression() != CompressionMethod::Stored {
        return Err(ImportError::Compressed(name.to_string()));
    }
    let mut bytes = Vec::new();
    entry.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The numbers of a tensor in row-major order.
fn contiguous(entry: &Entry, storage: &[u8]) -> Result<Vec<u8>, ImportError> {
    let size = entry.item_bytes();
    let last: Option<usize> = entry
        .shape
        .iter()
        .zip(&entry.strides)
        .try_fold(entry.offset, |at, (&n, &stride)| at.checked_add(n.saturating_sub(1).checked_mul(stride)?));
    if entry.shape.contains(&0) {
        return Ok(Vec::new());
    }
    let needed = last.and_then(|last| last.checked_add(1)?.checked_mul(size)).unwrap_or(usize::MAX);
    if needed > storage.len() {
        let (needed, stored) = (needed as u64, storage.len() as u64);
        return Err(ImportError::Short { name: entry.name.clone(), needed, stored });
    }
    let mut out = Vec::with_capacity(entry.shape.iter().product::<usize>() * size);
    let mut index = vec![0; entry.shape.len()];
    loop {
        let at: usize = entry.offset + index.iter().zip(&entry.strides).map(|(i, s)| i * s).sum::<usize>();
        out.extend_from_slice(&storage[at * size..][..size]);
        let Some(axis) = (0..index.len()).rev().find(|&axis| index[axis] + 1 < entry.shape[axis]) else { break };
        index[axis] += 1;
        index[axis + 1..].fill(0);
    }
    Ok(out)
}

/// Number types of PyTorch's storages.
pub(crate) fn storage_type(name: &str) -> Option<Dtype> {
    Some(match name {
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        "DoubleStorage" => Dtype::F64,
        "LongStorage" => Dtype::I64,
        "IntStorage" => Dtype::I32,
        "ShortStorage" => Dtype::I16,
        "CharStorage" => Dtype::I8,
        "ByteStorage" => Dtype::U8,
        "BoolStorage" => Dtype::BOOL,
        _ => return None,
    })
}
