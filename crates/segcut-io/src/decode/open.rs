//! A path into an image.

use super::{Admit, DecodeError, DecodeOptions, Decoded, Format, Warning, decode_admitted};
use crate::shown;
use std::fs::{self, File, FileType};
use std::io::Read;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a file made no image: the file and the reason.
#[derive(Debug, Error)]
#[error("{}: {source}", shown(.file))]
pub struct OpenError {
    /// The file.
    pub file: PathBuf,
    /// The reason.
    pub source: DecodeError,
}

/// A file into an [`Image`](segcut_core::Image) whose id is the file's stem; see [`decode`](super::decode()).
///
/// Folders, pipes, sockets and devices are refused without being opened. Symbolic links are followed.
///
/// # Errors
/// [`OpenError`] with the path (control characters are escaped when it is displayed) and the reason.
pub fn open(path: &Path, options: &DecodeOptions) -> Result<Decoded, OpenError> {
    open_admitted(path, options, &|_| Ok(()))
}

/// A file into an [`Image`](segcut_core::Image), once `admit` has been told what it will take; see [`open`].
///
/// # Errors
/// [`OpenError`]; also with what `admit` returns.
pub fn open_admitted(path: &Path, options: &DecodeOptions, admit: Admit<'_>) -> Result<Decoded, OpenError> {
    let fail = |source| OpenError { file: path.to_path_buf(), source };
    let bytes = read_regular(path, options.max_file_bytes).map_err(fail)?;
    let mut decoded = decode_admitted(&bytes, options, admit).map_err(fail)?;
    drop(bytes);
    if !ending_fits(path, decoded.format) {
        decoded.warnings.push(Warning::Extension { format: decoded.format });
    }
    if let Some(stem) = path.file_stem() {
        decoded.image = decoded.image.with_id(stem.to_string_lossy());
    }
    Ok(decoded)
}

fn read_regular(path: &Path, cap: u64) -> Result<Vec<u8>, DecodeError> {
    let io = |source| DecodeError::Io { source };
    let metadata = fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(DecodeError::NotAFile { kind: kind_of(metadata.file_type()) });
    }
    if metadata.len() > cap {
        return Err(DecodeError::FileTooLarge { bytes: metadata.len(), cap });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // The file may grow meanwhile.
    File::open(path).map_err(io)?.take(cap.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > cap {
        return Err(DecodeError::FileTooLarge { bytes: bytes.len() as u64, cap });
    }
    Ok(bytes)
}

fn kind_of(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "a pipe, socket or device" }
}

/// No ending says nothing; an unknown one neither.
fn ending_fits(path: &Path, format: Format) -> bool {
    const ALL: [Format; 8] =
        [Format::Png, Format::Jpeg, Format::WebP, Format::Gif, Format::Bmp, Format::Pnm, Format::Tiff, Format::Npy];
    let Some(ending) = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase) else { return true };
    match ALL.into_iter().find(|f| f.extensions().contains(&ending.as_str())) {
        Some(named) => named == format,
        None => true,
    }
}
