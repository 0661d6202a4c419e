//! Array → `.npy` file.

use crate::atomic::{self, WriteError};
use std::io::{self, Write};
use std::path::Path;

/// Values in C order, to be written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NpyData<'a> {
    /// `<f4`
    F32(&'a [f32]),
    /// `<f8`
    F64(&'a [f64]),
    /// `<u4`
    U32(&'a [u32]),
}

impl NpyData<'_> {
    fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::U32(v) => v.len(),
        }
    }
}

/// Writes an array in version 1 of the format, whole or not at all.
///
/// # Errors
/// [`WriteError`]; with the kind `InvalidInput` where the values do not fill the shape.
///
/// ```
/// use segcut_io::npy::{NpyData, read_npy, write_npy};
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("a.npy");
/// write_npy(&file, &[2, 1], NpyData::F64(&[0.5, -1.0]))?;
/// let array = read_npy(&file)?;
/// assert_eq!((array.shape.clone(), array.to_f64()), (vec![2, 1], vec![0.5, -1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_npy(file: &Path, shape: &[usize], data: NpyData<'_>) -> Result<(), WriteError> {
    atomic::write_with(file, |out| {
        if shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side)) != Some(data.len()) {
            let message = format!("{} values do not fill the shape {shape:?}", data.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        out.write_all(&header(shape, data)?)?;
        match data {
            NpyData::F32(v) => v.iter().try_for_each(|x| out.write_all(&x.to_le_bytes())),
            NpyData::F64(v) => v.iter().try_for_each(|x| out.write_all(&x.to_le_bytes())),
            NpyData::U32(v) => v.iter().try_for_each(|x| out.write_all(&x.to_le_bytes())),
        }
    })
}

/// Magic, version, length and a dictionary, padded so that the data begin at a multiple of 64 bytes.
fn header(shape: &[usize], data: NpyData<'_>) -> io::Result<Vec<u8>> {
    let descr = match data {
        NpyData::F32(_) => "<f4",
        NpyData::F64(_) => "<f8",
        NpyData::U32(_) => "<u4",
    };
    let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", sides.trim_end());
    let padded = (10 + text.len() + 1).next_multiple_of(64) - 10;
    text.push_str(&" ".repeat(padded - text.len() - 1));
    text.push('\n');
    let length = u16::try_from(text.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.as_bytes());
    Ok(bytes)
}
