//! A weight file → a network and the file's digest, in one reading.

use crate::network::{CheckpointError, Network};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Weights that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file holds no network.
    #[error("{path}: {source}", path = path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// The file is another one than the recipe was resolved with.
    #[error("the weights {weights} have the sha256 {found}, and the recipe asks for {expected}")]
    Digest {
        /// The weights as the recipe names them.
        weights: String,
        /// The digest in the recipe.
        expected: String,
        /// The digest of the file.
        found: String,
    },
    /// The extractor was built without its weights.
    #[error("the weights {weights} were not opened")]
    NotOpened {
        /// The weights as the recipe names them.
        weights: String,
    },
}

/// A network that was read from a file; copies share it.
#[derive(Debug, Clone)]
pub struct Weights {
    network: Arc<Network>,
    sha256: String,
}

impl Weights {
    /// Reads a safetensors file.
    ///
    /// # Errors
    /// [`WeightsError::Checkpoint`].
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let wrap = |source| WeightsError::Checkpoint { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(|e| wrap(CheckpointError::Tensors(e.into())))?;
        let mut reader = Hashing { reader: file, hash: Sha256::new() };
        let network = Network::read(&mut reader).map_err(wrap)?;
        let sha256 = reader.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { network: Arc::new(network), sha256 })
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// SHA-256 of the file, in lower-case hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// Hashes what passes through.
struct Hashing<R> {
    reader: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(out)?;
        self.hash.update(&out[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_hashed() {
        let mut reader = Hashing { reader: &b"abc"[..], hash: Sha256::new() };
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!((all.as_slice(), reader.hash.finalize()[..4].to_vec()), (&b"abc"[..], vec![0xba, 0x78, 0x16, 0xbf]));
    }
}
