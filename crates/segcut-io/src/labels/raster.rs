//! PNG or TIFF → one number per pixel, as stored.

use super::decode_png::decode_png;
use super::decode_tiff::decode_tiff;
use super::{LabelOptions, LabelsError};
use crate::FileError;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Row-major values as the file stores them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RasterValues {
    /// 8 bits or fewer.
    U8(Vec<u8>),
    /// 16 bits.
    U16(Vec<u16>),
    /// 32 bits.
    U32(Vec<u32>),
}

/// H×W numbers as a file stores them: indices of a palette PNG, gray values of any depth.
///
/// *Guarantees*: height·width values; values below 2^bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Bits per value in the file: 1, 2, 4, 8, 16 or 32.
    pub bits: u8,
    /// Row-major values.
    pub values: RasterValues,
}

impl Raster {
    /// Every value as u32, row-major.
    pub fn to_u32(&self) -> Vec<u32> {
        match &self.values {
            RasterValues::U8(v) => v.iter().map(|&x| u32::from(x)).collect(),
            RasterValues::U16(v) => v.iter().map(|&x| u32::from(x)).collect(),
            RasterValues::U32(v) => v.clone(),
        }
    }

    /// The largest value that the depth can hold.
    pub fn largest(&self) -> u32 {
        u32::MAX >> (32 - u32::from(self.bits))
    }

    /// Whether every value is 0 or the largest of its depth, as in a black-and-white mask.
    ///
    /// Deeper than 8 bits, 0 and 255 count too.
    pub fn is_black_and_white(&self) -> bool {
        let top = self.largest();
        match &self.values {
            RasterValues::U8(v) => v.iter().all(|&x| x == 0 || u32::from(x) == top),
            RasterValues::U16(v) => {
                v.iter().all(|&x| x == 0 || u32::from(x) == top) || v.iter().all(|x| [0, 255].contains(x))
            }
            RasterValues::U32(v) => v.iter().all(|&x| x == 0 || x == top) || v.iter().all(|x| [0, 255].contains(x)),
        }
    }
}

/// What a reader does with a PNG of red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colors {
    /// An error.
    Refused,
    /// Taken as gray where the three are equal everywhere (masks are often saved so); alpha is dropped.
    GrayWhereEqual,
}

/// Reads the numbers of a gray or indexed PNG or a one-band TIFF (8, 16, 32 or 64 bits without sign, or signed
/// without negative values), as stored. The size is checked before anything is allocated.
///
/// # Errors
/// [`LabelsError`] that names the file.
pub fn read_raster(file: &Path, options: &LabelOptions) -> Result<Raster, LabelsError> {
    read_raster_with(file, options, Colors::Refused)
}

pub(crate) fn read_raster_with(file: &Path, options: &LabelOptions, colors: Colors) -> Result<Raster, LabelsError> {
    let fail = |source| FileError::new(file, source);
    if !std::fs::metadata(file).map_err(fail)?.is_file() {
        return Err(fail(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file")).into());
    }
    let mut reader = BufReader::with_capacity(1 << 16, File::open(file).map_err(fail)?);
    let mut magic = Vec::new();
    reader.by_ref().take(8).read_to_end(&mut magic).map_err(fail)?;
    reader.seek(SeekFrom::Start(0)).map_err(fail)?;
    match magic.get(..4) {
        Some(b"\x89PNG") => decode_png(file, reader, options, colors),
        Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+") => decode_tiff(file, reader, options),
        _ => Err(LabelsError::Unrecognised { file: file.to_path_buf() }),
    }
}
