//! Label maps, masks and fields of numbers ↔ PNG and TIFF.
//!
//! Labels on disk: up to 255 labels an 8-bit indexed PNG with the VOC palette, value = label, 255 = void;
//! up to 65,535 labels a 16-bit gray PNG, 65535 = void; more a 32-bit TIFF, 4294967295 = void.
//! Regions are numbered from 0, or from [`LabelOptions::start_label`]. Masks are 8-bit PNGs of 0 and 255.
//! Fields (soft masks, ultrametric contour maps) are 16-bit gray PNGs, 0 to 1 as 0 to 65535.

mod decode_png;
mod decode_tiff;
mod field;
mod mask;
mod raster;
mod read;
mod voc_palette;
mod write;

pub use field::{field_png, read_field, write_field};
pub use mask::{mask_png, read_mask, write_mask};
pub use raster::{Raster, RasterValues, read_raster};
pub use read::{labels_of_raster, read_labels};
pub use voc_palette::voc_color;
pub use write::{LabelFormat, encode_labels, label_format, write_labels};

use crate::atomic::WriteError;
use crate::{FileError, shown};
use std::path::PathBuf;
use thiserror::Error;

/// How label numbers stand in files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelOptions {
    /// The number of the first region in the file: 0, or 1 for tools that take 0 as background. Reading
    /// takes it off again, and 0 then is void.
    pub start_label: u32,
    /// Files with more pixels are refused before anything is allocated.
    pub max_pixels: u64,
}

impl Default for LabelOptions {
    /// Numbers from 0, at most 178,956,970 pixels (the limit of Pillow).
    fn default() -> Self {
        Self { start_label: 0, max_pixels: 178_956_970 }
    }
}

/// Why a file holds no labels, mask or field.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabelsError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] FileError),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The content is neither PNG nor TIFF.
    #[error("{} is neither a PNG nor a TIFF", shown(.file))]
    Unrecognised {
        /// The file.
        file: PathBuf,
    },
    /// The decoder gave up.
    #[error("{} is damaged: {source}", shown(.file))]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What the decoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// More pixels than allowed.
    #[error("{} has {width}x{height} (width x height) pixels, more than the {max_pixels} allowed", shown(.file))]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Columns.
        width: u64,
        /// Rows.
        height: u64,
        /// The limit.
        max_pixels: u64,
    },
    /// Colors where numbers are expected.
    #[error("{} holds colors where one number per pixel is expected: save it as a gray or indexed image", shown(.file))]
    Color {
        /// The file.
        file: PathBuf,
    },
    /// Samples of a kind that is no label.
    #[error("{} holds {samples} samples, which are no label numbers (8, 16 or 32 bits without sign)", shown(.file))]
    SampleKind {
        /// The file.
        file: PathBuf,
        /// The kind, as the decoder names it.
        samples: String,
    },
    /// A field with a value outside 0 to 1.
    #[error("{}: the value {value} at row {row}, column {column} is not within 0 to 1", shown(.file))]
    FieldRange {
        /// The file that was to be written.
        file: PathBuf,
        /// The value.
        value: f32,
        /// Row.
        row: usize,
        /// Column.
        column: usize,
    },
}
