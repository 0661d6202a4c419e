//! A file that could not be read.

use crate::shown;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A file that could not be opened or read.
#[derive(Debug, Error)]
#[error("{}: {source}", shown(.file))]
pub struct FileError {
    /// The file.
    pub file: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl FileError {
    /// Adds the file's name to what the system said.
    pub fn new(file: &Path, source: io::Error) -> Self {
        Self { file: file.to_path_buf(), source }
    }
}

/// Reads a regular file of at most `limit` bytes; pipes and devices are refused without opening them.
pub(crate) fn read_capped(file: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let fail = |source| FileError::new(file, source);
    let meta = std::fs::metadata(file).map_err(fail)?;
    if !meta.is_file() {
        return Err(fail(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    if meta.len() > limit {
        let message = format!("the file has {} bytes, more than the {limit} allowed", meta.len());
        return Err(fail(io::Error::new(io::ErrorKind::FileTooLarge, message)));
    }
    std::fs::read(file).map_err(fail)
}
