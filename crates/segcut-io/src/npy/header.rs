//! The header of an array: a Python dictionary of three keys.

use super::NpyFault;

/// What the header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Kind and bytes per value, for example `f4`.
    pub descr: String,
    pub fortran: bool,
    pub shape: Vec<u64>,
}

/// numpy refuses more axes.
const MAX_AXES: usize = 64;

/// The header and the bytes after it.
pub(super) fn split_header(bytes: &[u8]) -> Result<(Header, &[u8]), NpyFault> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or(NpyFault::Magic)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(NpyFault::Header)?;
    let (length, rest) = if version[0] == 1 {
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(NpyFault::Header)?;
        (u32::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(NpyFault::Header)?;
        (u32::from_le_bytes(*length), rest)
    };
    let (text, data) = rest.split_at_checked(length as usize).ok_or(NpyFault::Header)?;
    let text = std::str::from_utf8(text).map_err(|_| NpyFault::Header)?;
    Ok((parse(text).ok_or(NpyFault::Header)?, data))
}

fn parse(text: &str) -> Option<Header> {
    let descr = value_of(text, "descr")?;
    let quote = descr.chars().next()?;
    let descr = if matches!(quote, '\'' | '"') { descr[1..].split(quote).next()? } else { descr.get(..8)? };
    let order = value_of(text, "fortran_order")?;
    let fortran = order.starts_with("True");
    if !fortran && !order.starts_with("False") {
        return None;
    }
    let shape = value_of(text, "shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
    let shape: Vec<u64> = sides.map(|side| side.parse().ok()).collect::<Option<_>>()?;
    (shape.len() <= MAX_AXES).then(|| Header { descr: descr.to_owned(), fortran, shape })
}

/// What stands behind `'key':`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("'{key}'")).or_else(|| text.split_once(&format!("\"{key}\"")))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}
