//! MATLAB 5 `.mat` → the ground truth of BSDS500.
//!
//! Reads the subset that these files use: little-endian, elements plain or zlib-compressed, numeric arrays,
//! cells and structs. Source: MathWorks, "MAT-File Format", version 5, section 1. Sizes are checked against the
//! bytes that are there before anything is allocated, and nesting is limited, so damaged files give errors.

use std::io::Read;
use thiserror::Error;

/// A file inflates to at most this many bytes (BSDS500: under 3 MB).
const MAX_INFLATED: u64 = 512 << 20;
/// Cells in structs in cells: BSDS500 needs 3.
const MAX_DEPTH: usize = 6;
/// Bytes of the file header.
const HEADER: usize = 128;

const MI_MATRIX: u32 = 14;
const MI_COMPRESSED: u32 = 15;
const CLASS_CELL: u8 = 1;
const CLASS_STRUCT: u8 = 2;
const CLASS_DOUBLE: u8 = 6;
const CLASS_UINT64: u8 = 15;

/// Why bytes are no MATLAB 5 file of the known subset.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MatError {
    /// Not a little-endian MATLAB 5 file.
    #[error("not a little-endian MATLAB 5 file")]
    Header,
    /// The bytes end inside an element.
    #[error("the data end inside {0}")]
    Cut(&'static str),
    /// Compressed bytes that do not inflate, or to more than 512 MB.
    #[error("the compressed data are damaged or too large")]
    Compressed,
    /// An element of a type that is not expected there.
    #[error("{what} has the unexpected type {kind}")]
    Kind {
        /// The element.
        what: &'static str,
        /// Its type number.
        kind: u32,
    },
    /// Array dimensions that the data do not fill.
    #[error("{rows}x{columns} values are not {found}")]
    Shape {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
        /// Values there are.
        found: usize,
    },
    /// Arrays nested deeper than the ground truth needs.
    #[error("the arrays are nested too deeply")]
    Depth,
    /// A variable or field that is not there.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// A value that is no label.
    #[error("the value {0} is no label number")]
    Value(f64),
}

/// A matrix of numbers, row-major (MATLAB stores columns first).
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Row-major values.
    pub values: Vec<u32>,
}

/// The segmentation and boundary map of one annotator, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct MatAnnotation {
    /// Region numbers, from 1.
    pub segmentation: Numbers,
    /// 1 on boundary pixels.
    pub boundaries: Option<Numbers>,
}

/// An array of the subset.
enum Array {
    Numeric(Numbers),
    Cell(Vec<Array>),
    Struct { fields: Vec<String>, values: Vec<Array> },
}

/// Reads `groundTruth{k}.Segmentation` and `.Boundaries` of every annotator k.
///
/// # Errors
/// [`MatError`]; damaged bytes never panic.
///
/// # Cost
/// The inflated file is held once, at most 512 MB of it.
pub fn read_bsds_mat(bytes: &[u8]) -> Result<Vec<MatAnnotation>, MatError> {
    if bytes.len() < HEADER || bytes[124..HEADER] != *b"\x00\x01IM" {
        return Err(MatError::Header);
    }
    let mut input = Input(&bytes[HEADER..]);
    let mut left = MAX_INFLATED;
    while !input.0.is_empty() {
        let (kind, body) = input.element("a variable")?;
        let found = if kind == MI_COMPRESSED {
            let inflated = inflate(body, &mut left)?;
            let (kind, body) = Input(&inflated).element("a variable")?;
            ground_truth(kind, body)?
        } else {
            ground_truth(kind, body)?
        };
        if let Some(array) = found {
            return annotations(array);
        }
    }
    Err(MatError::Missing("variable groundTruth"))
}

fn inflate(body: &[u8], left: &mut u64) -> Result<Vec<u8>, MatError> {
    let mut inflated = Vec::new();
    let read = flate2::read::ZlibDecoder::new(body).take(*left).read_to_end(&mut inflated);
    *left -= inflated.len() as u64;
    if read.is_err() || *left == 0 {
        return Err(MatError::Compressed);
    }
    Ok(inflated)
}

fn annotations(array: Array) -> Result<Vec<MatAnnotation>, MatError> {
    let cells = match array {
        Array::Cell(cells) => cells,
        single @ Array::Struct { .. } => vec![single],
        Array::Numeric(_) => return Err(MatError::Missing("cell array groundTruth")),
    };
    cells.into_iter().map(annotation).collect()
}

fn annotation(cell: Array) -> Result<MatAnnotation, MatError> {
    let Array::Struct { fields, values } = cell else {
        return Err(MatError::Missing("struct in groundTruth"));
    };
    let (mut segmentation, mut boundaries) = (None, None);
    for (field, value) in fields.iter().zip(values) {
        match (field.as_str(), value) {
            ("Segmentation", Array::Numeric(numbers)) => segmentation = Some(numbers),
            ("Boundaries", Array::Numeric(numbers)) => boundaries = Some(numbers),
            _ => {}
        }
    }
    Ok(MatAnnotation { segmentation: segmentation.ok_or(MatError::Missing("field Segmentation"))?, boundaries })
}

/// Bytes that are taken from the front.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], MatError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(MatError::Cut(what))?;
        self.0 = rest;
        Ok(head)
    }

    fn word(&mut self, what: &'static str) -> Result<u32, MatError> {
        let bytes = self.take(4, what)?.first_chunk().ok_or(MatError::Cut(what))?;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// The type and the bytes of the next element; small ones share a word with their tag.
    fn element(&mut self, what: &'static str) -> Result<(u32, &'a [u8]), MatError> {
        let tag = self.word(what)?;
        let small = (tag >> 16) as usize;
        if small > 0 {
            let body = self.take(4, what)?;
            return Ok((tag & 0xffff, body.get(..small).ok_or(MatError::Cut(what))?));
        }
        let size = self.word(what)? as usize;
        let body = self.take(size, what)?;
        let padding = if tag == MI_COMPRESSED { 0 } else { size.wrapping_neg() % 8 };
        self.0 = &self.0[padding.min(self.0.len())..];
        Ok((tag, body))
    }
}

/// The variable's array where it is the one named groundTruth.
fn ground_truth(kind: u32, body: &[u8]) -> Result<Option<Array>, MatError> {
    let mut input = Input(body);
    let header = header(kind, &mut input)?;
    if header.name != "groundTruth" {
        return Ok(None);
    }
    content(&header, &mut input, MAX_DEPTH).map(Some)
}

/// What a miMATRIX element says before its content.
struct Header {
    class: u8,
    rows: usize,
    columns: usize,
    name: String,
}

fn header(kind: u32, input: &mut Input<'_>) -> Result<Header, MatError> {
    if kind != MI_MATRIX {
        return Err(MatError::Kind { what: "an array", kind });
    }
    let class = *input.element("array flags")?.1.first().ok_or(MatError::Cut("array flags"))?;
    let (rows, columns) = dimensions(input.element("dimensions")?.1)?;
    let name = text(input.element("a name")?.1);
    Ok(Header { class, rows, columns, name })
}

fn content(header: &Header, input: &mut Input<'_>, depth: usize) -> Result<Array, MatError> {
    let depth = depth.checked_sub(1).ok_or(MatError::Depth)?;
    let &Header { class, rows, columns, .. } = header;
    match class {
        CLASS_CELL => arrays(input, [rows, columns, 1], depth).map(Array::Cell),
        CLASS_STRUCT => structure(input, [rows, columns], depth),
        CLASS_DOUBLE..=CLASS_UINT64 => numbers(input, rows, columns).map(Array::Numeric),
        _ => Err(MatError::Kind { what: "an array", kind: class.into() }),
    }
}

/// Rows and columns; further dimensions count as columns.
fn dimensions(body: &[u8]) -> Result<(usize, usize), MatError> {
    let mut sides = body.as_chunks::<4>().0.iter().map(|&side| u32::from_le_bytes(side) as usize);
    let rows = sides.next().ok_or(MatError::Cut("dimensions"))?;
    let columns = sides.try_fold(1usize, |product, side| product.checked_mul(side));
    Ok((rows, columns.ok_or(MatError::Cut("dimensions"))?))
}

fn text(body: &[u8]) -> String {
    body.iter().take_while(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect()
}

/// A product of arrays one after the other; each takes at least its tag of 8 bytes, and none is empty.
fn arrays(input: &mut Input<'_>, shape: [usize; 3], depth: usize) -> Result<Vec<Array>, MatError> {
    let count = shape.into_iter().try_fold(1usize, |product, side| product.checked_mul(side));
    let count = count.filter(|&n| n <= input.0.len() / 8).ok_or(MatError::Cut("a cell array"))?;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let (kind, body) = input.element("a cell")?;
        let mut cell = Input(body);
        let header = header(kind, &mut cell)?;
        all.push(content(&header, &mut cell, depth)?);
    }
    Ok(all)
}

fn structure(input: &mut Input<'_>, [rows, columns]: [usize; 2], depth: usize) -> Result<Array, MatError> {
    let length = input.element("field names")?.1.first_chunk().map(|&n| u32::from_le_bytes(n) as usize);
    let names = input.element("field names")?.1;
    let length = length.filter(|&n| n > 0).ok_or(MatError::Cut("field names"))?;
    let fields: Vec<String> = names.chunks_exact(length).map(text).collect();
    let values = arrays(input, [rows, columns, fields.len()], depth)?;
    Ok(Array::Struct { fields, values })
}

/// Real numbers; MATLAB stores whole ones in the smallest type that holds them.
fn numbers(input: &mut Input<'_>, rows: usize, columns: usize) -> Result<Numbers, MatError> {
    let (kind, body) = input.element("numbers")?;
    let stored: Result<Vec<u32>, MatError> = match kind {
        1 => body.iter().map(|&b| i8::from_le_bytes([b]).into()).map(label).collect(),
        2 => body.iter().map(|&b| Ok(b.into())).collect(),
        3 => words::<2>(body).map(|w| label(i16::from_le_bytes(w).into())).collect(),
        4 => words::<2>(body).map(|w| Ok(u16::from_le_bytes(w).into())).collect(),
        5 => words::<4>(body).map(|w| label(i32::from_le_bytes(w).into())).collect(),
        6 => words::<4>(body).map(|w| Ok(u32::from_le_bytes(w))).collect(),
        7 => words::<4>(body).map(|w| label(f32::from_le_bytes(w).into())).collect(),
        9 => words::<8>(body).map(|w| label(f64::from_le_bytes(w))).collect(),
        _ => return Err(MatError::Kind { what: "an array of numbers", kind }),
    };
    let stored = stored?;
    let found = stored.len();
    if rows.checked_mul(columns) != Some(found) {
        return Err(MatError::Shape { rows, columns, found });
    }
    let values = (0..found).map(|i| stored[i % columns * rows + i / columns]).collect();
    Ok(Numbers { rows, columns, values })
}

fn words<const N: usize>(body: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    body.as_chunks::<N>().0.iter().copied()
}

fn label(value: f64) -> Result<u32, MatError> {
    let fits = value >= 0.0 && value < f64::from(u32::MAX) && value.fract() == 0.0;
    if fits { Ok(value as u32) } else { Err(MatError::Value(value)) }
}
