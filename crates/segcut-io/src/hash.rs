//! Files and bytes → SHA-256.

use crate::FileError;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The SHA-256 of bytes, in lower-case hexadecimal.
///
/// ```
/// assert!(segcut_io::hash::sha256(b"abc").starts_with("ba7816bf8f01cfea"));
/// ```
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of a file's content, in lower-case hexadecimal; the file is read in blocks.
///
/// # Errors
/// [`FileError`] where the file cannot be read.
pub fn sha256_file(file: &Path) -> Result<String, FileError> {
    let fail = |source| FileError::new(file, source);
    let mut reader = File::open(file).map_err(fail)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let count = reader.read(&mut block).map_err(fail)?;
        if count == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&block[..count]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_hashes_as_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        let bytes = vec![7; 200_000];
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(sha256_file(&file).unwrap(), sha256(&bytes));
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(sha256_file(dir.path()).is_err());
    }
}
