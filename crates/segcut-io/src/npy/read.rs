//! Bytes and files → arrays.

use super::header::split_header;
use super::{NpyArray, NpyError, NpyFault, NpyValues};
use crate::FileError;
use crate::file_error::read_capped;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

/// Text of an archive's member is at most about this long.
const MAX_TEXT: u64 = 512;

/// Arrays of one file take at most this many bytes.
const MAX_BYTES: u64 = 8 << 30;

/// The bytes of a `.npy` file → array.
///
/// # Errors
/// [`NpyFault`]; nothing is allocated before the shape is known to fit the bytes.
///
/// ```
/// use segcut_io::npy::{NpyValues, parse_npy};
/// let mut bytes = b"\x93NUMPY\x01\x00\x46\x00{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }".to_vec();
/// bytes.resize(10 + 0x46, b' ');
/// bytes.extend([1, 0, 2, 1]);
/// let array = parse_npy(&bytes)?;
/// assert_eq!((array.shape, array.values), (vec![2], NpyValues::Int(vec![1, 258])));
/// # Ok::<(), segcut_io::npy::NpyFault>(())
/// ```
pub fn parse_npy(bytes: &[u8]) -> Result<NpyArray, NpyFault> {
    let (header, data) = split_header(bytes)?;
    let descr = header.descr.trim_start_matches(['<', '|', '=']);
    let size = match descr {
        "b1" | "u1" | "i1" => 1,
        "u2" | "i2" => 2,
        "u4" | "i4" | "f4" => 4,
        "u8" | "i8" | "f8" => 8,
        _ => return Err(NpyFault::Type(header.descr)),
    };
    let count = header.shape.iter().try_fold(1u64, |product, &side| product.checked_mul(side));
    let needed = count.and_then(|count| count.checked_mul(size)).and_then(|n| usize::try_from(n).ok());
    let Some(data) = needed.and_then(|needed| data.get(..needed)) else {
        return Err(NpyFault::Length { shape: header.shape, bytes: data.len() });
    };
    let shape: Vec<usize> = header.shape.iter().map(|&side| side as usize).collect();
    let order = (header.fortran && shape.len() > 1).then_some(&shape[..]);
    let values = match descr {
        "f4" => NpyValues::F32(c_order(words(data).map(f32::from_le_bytes).collect(), order)),
        "f8" => NpyValues::F64(c_order(words(data).map(f64::from_le_bytes).collect(), order)),
        _ => NpyValues::Int(c_order(whole_numbers(descr, data)?, order)),
    };
    Ok(NpyArray { shape, values })
}

fn whole_numbers(descr: &str, data: &[u8]) -> Result<Vec<i64>, NpyFault> {
    Ok(match descr {
        "i1" => data.iter().map(|&byte| i8::from_le_bytes([byte]).into()).collect(),
        "u2" => words(data).map(|w| u16::from_le_bytes(w).into()).collect(),
        "i2" => words(data).map(|w| i16::from_le_bytes(w).into()).collect(),
        "u4" => words(data).map(|w| u32::from_le_bytes(w).into()).collect(),
        "i4" => words(data).map(|w| i32::from_le_bytes(w).into()).collect(),
        "i8" => words(data).map(i64::from_le_bytes).collect(),
        "u8" => {
            let narrow = |w| i64::try_from(u64::from_le_bytes(w)).map_err(|_| NpyFault::Large(u64::from_le_bytes(w)));
            words(data).map(narrow).collect::<Result<_, _>>()?
        }
        _ => data.iter().map(|&byte| byte.into()).collect(),
    })
}

fn words<const N: usize>(data: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    data.as_chunks::<N>().0.iter().copied()
}

/// Values whose first axis runs fastest, with the last axis running fastest.
fn c_order<T: Copy>(values: Vec<T>, fortran: Option<&[usize]>) -> Vec<T> {
    let Some(shape) = fortran.filter(|_| !values.is_empty()) else { return values };
    let mut index = vec![0; shape.len()];
    let mut strides = vec![1; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut at = 0;
    let mut ordered = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        ordered.push(values[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    ordered
}

/// A `.npy` file → array.
///
/// # Errors
/// [`NpyError`] that names the file.
pub fn read_npy(file: &Path) -> Result<NpyArray, NpyError> {
    let bytes = read_capped(file, MAX_BYTES)?;
    parse_npy(&bytes).map_err(|source| NpyError::Content { file: file.to_path_buf(), source })
}

/// A `.npz` archive (stored or deflated) → its arrays with their names, in the archive's order. Members that are no
/// arrays are left out.
///
/// # Errors
/// [`NpyError`] that names the file.
pub fn read_npz(file: &Path) -> Result<Vec<(String, NpyArray)>, NpyError> {
    let fail = |source| FileError::new(file, source);
    let reader = BufReader::new(File::open(file).map_err(fail)?);
    members(reader, MAX_BYTES, |_| false).map_err(|source| NpyError::Content { file: file.to_path_buf(), source })
}

/// The bytes of a `.npz` archive → its arrays with their names; all of them together take at most `limit` bytes.
/// Members that are no arrays, or arrays of text, are left out.
///
/// # Errors
/// [`NpyFault`].
pub fn parse_npz(bytes: &[u8], limit: u64) -> Result<Vec<(String, NpyArray)>, NpyFault> {
    members(Cursor::new(bytes), limit, |fault| matches!(fault, NpyFault::Type(_)))
}

/// The bytes of a `.npz` archive → the ASCII text that one member holds, such as scipy's `format`; none where there is
/// no such member or it holds no short text.
pub fn parse_npz_text(bytes: &[u8], name: &str) -> Option<String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let member = archive.by_name(&format!("{name}.npy")).ok()?;
    let mut bytes = Vec::new();
    member.take(MAX_TEXT).read_to_end(&mut bytes).ok()?;
    let (header, data) = split_header(&bytes).ok()?;
    // Letters take one byte, or four of which three are zero; both are filled up with zeros.
    let text = header.descr.trim_start_matches(['<', '>', '|', '=']).starts_with(['S', 'U']);
    text.then(|| data.iter().filter(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect())
}

/// The arrays of an archive but those with a fault that may be left out.
fn members<R: Read + Seek>(
    reader: R,
    limit: u64,
    left_out: impl Fn(&NpyFault) -> bool,
) -> Result<Vec<(String, NpyArray)>, NpyFault> {
    let mut archive = zip::ZipArchive::new(reader)?;
    let mut left = limit;
    let mut arrays = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index)?;
        let Some(name) = member.name()?.strip_suffix(".npy").map(str::to_owned) else { continue };
        let mut bytes = Vec::new();
        let read = member.take(left + 1).read_to_end(&mut bytes);
        read.map_err(|source| NpyFault::Member { member: name.clone(), source })?;
        left = left.checked_sub(bytes.len() as u64).ok_or(NpyFault::TooLarge(limit))?;
        match parse_npy(&bytes) {
            Ok(array) => arrays.push((name, array)),
            Err(fault) if left_out(&fault) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(arrays)
}
