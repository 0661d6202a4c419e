//! Folder of truth → what people say about an image.

mod folder;
mod load;
pub mod mat;

pub use folder::{TruthEntry, TruthFolder, TruthOptions, TruthPairs};
pub use load::{Annotation, Truth};

use crate::dataset::{DatasetError, PairError};
use crate::labels::LabelsError;
use crate::{FileError, shown};
use segcut_core::SizeMismatch;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no truth.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TruthError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] FileError),
    /// The folder or its description is broken.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A label file is broken.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// A `.mat` file is broken.
    #[error("{}: {source}", shown(.file))]
    Mat {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: mat::MatError,
    },
    /// Truth and images do not pair by their names.
    #[error("truth in {}: {source}", shown(.folder))]
    Pair {
        /// The folder of the truth.
        folder: PathBuf,
        /// What does not pair.
        source: PairError,
    },
    /// The files of one image differ in size.
    #[error("{}: {source}", shown(.file))]
    Sizes {
        /// The file that differs from the first.
        file: PathBuf,
        /// Both sizes.
        source: SizeMismatch,
    },
    /// There is no truth.
    #[error("{} holds no truth (label PNG, TIFF or BSDS .mat)", shown(.folder))]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
}
