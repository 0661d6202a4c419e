//! numpy's `.npy` and `.npz` ↔ arrays.
//!
//! Read are whole numbers (1 to 8 bytes, with and without sign), bool, f32 and f64, little-endian, in C and Fortran
//! order. Source: NEP 1, "A Simple File Format for NumPy Arrays", versions 1 to 3. Objects are refused: they would be
//! pickles.

mod header;
mod read;
mod write;

pub use read::{parse_npy, parse_npz, parse_npz_text, read_npy, read_npz};
pub use write::{NpyData, write_npy};

use crate::{FileError, shown};
use std::path::PathBuf;
use thiserror::Error;

/// Values of an array in C order.
#[derive(Debug, Clone, PartialEq)]
pub enum NpyValues {
    /// Whole numbers and bool.
    Int(Vec<i64>),
    /// f32.
    F32(Vec<f32>),
    /// f64.
    F64(Vec<f64>),
}

/// An array of any number of axes.
///
/// *Guarantees*: as many values as the product of the shape (1 where it has no axes), in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray {
    /// Sides, the slowest first.
    pub shape: Vec<usize>,
    /// Values.
    pub values: NpyValues,
}

impl NpyArray {
    /// The values as f64 (whole numbers beyond 2⁵³ are rounded).
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.values {
            NpyValues::Int(v) => v.iter().map(|&x| x as f64).collect(),
            NpyValues::F32(v) => v.iter().map(|&x| x.into()).collect(),
            NpyValues::F64(v) => v.clone(),
        }
    }

    /// The values as f32, rounded.
    pub fn to_f32(&self) -> Vec<f32> {
        match &self.values {
            NpyValues::Int(v) => v.iter().map(|&x| x as f32).collect(),
            NpyValues::F32(v) => v.clone(),
            NpyValues::F64(v) => v.iter().map(|&x| x as f32).collect(),
        }
    }
}

/// What is wrong with the bytes of an array.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NpyFault {
    /// The bytes do not begin as an array does.
    #[error("not a .npy array")]
    Magic,
    /// The header is cut or does not say type, order and shape.
    #[error("the header is damaged")]
    Header,
    /// Values of a type that is not read.
    #[error("values of type {0} are not read (whole numbers, f32 or f64, little-endian)")]
    Type(String),
    /// The data are shorter than the shape says.
    #[error("the shape {shape:?} does not fit {bytes} bytes of data")]
    Length {
        /// The shape.
        shape: Vec<u64>,
        /// The bytes after the header.
        bytes: usize,
    },
    /// A whole number beyond i64.
    #[error("the value {0} is too large")]
    Large(u64),
    /// The archive is damaged.
    #[error("the archive is damaged: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// A member of the archive cannot be read.
    #[error("the archive's member {member:?}: {source}")]
    Member {
        /// Its name.
        member: String,
        /// Why.
        source: std::io::Error,
    },
    /// The arrays take more memory than allowed.
    #[error("the arrays take more than {0} bytes")]
    TooLarge(u64),
}

/// Why a file holds no arrays.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] FileError),
    /// The content is wrong.
    #[error("{}: {source}", shown(.file))]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: NpyFault,
    },
}
