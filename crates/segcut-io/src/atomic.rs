//! Bytes → files that are whole or absent.
//!
//! Every file is written under a temporary name in its own folder and then renamed, so a reader (or a
//! run that is started again after a kill) never meets half a file.

use crate::shown;
use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How the names of unfinished files begin.
pub const TEMPORARY_PREFIX: &str = ".segcut-tmp-";

/// Why a file could not be written, as far as it matters to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteFailure {
    /// The folder or the name does not take a file (permission, read-only, no such folder).
    NotWritable,
    /// The disk or the quota is full.
    NoSpace,
    /// Anything else.
    Other,
}

/// A file that could not be written. Nothing is left of it.
#[derive(Debug, Error)]
#[error("{} cannot be written: {source}", shown(.file))]
pub struct WriteError {
    /// The file that was to be written.
    pub file: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl WriteError {
    /// Which kind of failure it was.
    pub fn failure(&self) -> WriteFailure {
        match self.source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => WriteFailure::NoSpace,
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidFilename => WriteFailure::NotWritable,
            _ => WriteFailure::Other,
        }
    }
}

/// Writes bytes to a file, whole or not at all; missing folders are made.
///
/// # Errors
/// [`WriteError`]; the temporary file is removed.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("labels/a.txt");
/// segcut_io::atomic::write(&file, b"whole")?;
/// assert_eq!(std::fs::read(&file)?, b"whole");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(file: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(file, |out| out.write_all(bytes))
}

/// Writes a file through a closure, whole or not at all; missing folders are made.
///
/// # Errors
/// [`WriteError`] with the closure's error or the system's; the temporary file is removed.
pub fn write_with<F>(file: &Path, fill: F) -> Result<(), WriteError>
where
    F: FnOnce(&mut BufWriter<&mut fs::File>) -> io::Result<()>,
{
    try_write(file, fill).map_err(|source| WriteError { file: file.to_path_buf(), source })
}

fn try_write<F>(file: &Path, fill: F) -> io::Result<()>
where
    F: FnOnce(&mut BufWriter<&mut fs::File>) -> io::Result<()>,
{
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut temporary = temporary_in(folder)?;
    let mut out = BufWriter::with_capacity(1 << 16, temporary.as_file_mut());
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    temporary.persist(file).map_err(|e| e.error)?;
    Ok(())
}

fn temporary_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Removes what killed runs left unfinished in a folder and the folders under it; gives their number.
/// Links are not followed.
///
/// # Errors
/// What the system says where a folder cannot be listed or a file cannot be removed.
pub fn remove_unfinished(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            removed += remove_unfinished(&entry.path())?;
        } else if kind.is_file() && entry.file_name().as_encoded_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        write(&file, b"old").unwrap();
        let error = write_with(&file, |out| {
            out.write_all(b"half")?;
            Err(ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert_eq!(error.failure(), WriteFailure::NoSpace);
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_the_way_of_a_folder_is_not_writable() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), b"").unwrap();
        let error = write(&dir.path().join("a/b"), b"x").unwrap_err();
        assert_eq!(error.failure(), WriteFailure::NotWritable);
        let error = write(Path::new("/proc/none/a"), b"x").unwrap_err();
        assert_eq!(error.failure(), WriteFailure::NotWritable);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("a"), dir.path().join("b"));
        write(&ours, b"").unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |f: &Path| fs::metadata(f).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn unfinished_files_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/.segcut-tmp-Ab3"), b"").unwrap();
        fs::write(dir.path().join("sub/kept"), b"").unwrap();
        assert_eq!(remove_unfinished(dir.path()).unwrap(), 1);
        assert!(dir.path().join("sub/kept").exists());
    }
}
