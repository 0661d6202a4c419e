//! Files and stdin → bytes in memory, unpacked and capped.

use crate::FileError;
use crate::file_error::read_capped;
use flate2::read::MultiGzDecoder;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The bytes of one input with the name that messages give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file as it was named; `stdin` for a stream.
    pub file: PathBuf,
    /// Its content; of a gzip file the unpacked one.
    pub bytes: Vec<u8>,
}

impl Input {
    /// A file → its bytes; `-` is stdin. What begins as gzip is unpacked.
    ///
    /// # Errors
    /// [`FileError`]; more than `limit` bytes, packed or unpacked, are refused before they are held.
    pub fn read(file: &Path, limit: u64) -> Result<Self, FileError> {
        let (file, bytes) = if file == Path::new("-") {
            let name = PathBuf::from("stdin");
            let bytes = capped(io::stdin().lock(), limit).map_err(|e| FileError::new(&name, e))?;
            (name, bytes)
        } else {
            (file.to_path_buf(), read_capped(file, limit)?)
        };
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            return Ok(Self { file, bytes });
        }
        let bytes = capped(MultiGzDecoder::new(&bytes[..]), limit).map_err(|e| FileError::new(&file, e))?;
        Ok(Self { file, bytes })
    }
}

fn capped(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("the content has more than the {limit} bytes allowed");
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn packed_content_is_unpacked_within_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.gz");
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&[b'1'; 5000]).unwrap();
        std::fs::write(&file, packer.finish().unwrap()).unwrap();
        assert_eq!(Input::read(&file, 5000).unwrap().bytes, [b'1'; 5000]);
        let error = Input::read(&file, 4999).unwrap_err().to_string();
        assert!(error.contains("a.gz: the content has more than the 4999 bytes"), "{error}");
    }
}
