//! Arrays of numpy → points.

use super::error::{TableError, TableFault};
use super::points::{LabelColumn, Points, is_label_name, numbered};
use super::sparse_archive::SparseMatrix;
use crate::Input;
use crate::npy::{NpyArray, NpyError, parse_npy, parse_npz, parse_npz_text};
use std::collections::BTreeMap;

/// Names of the member that holds the points, the first before the later ones.
const POINTS: [&str; 6] = ["x", "X", "data", "points", "features", "arr_0"];

pub(super) fn points_of_array(input: &Input) -> Result<Points, TableError> {
    let array = parse_npy(&input.bytes);
    let array = array.map_err(|source| NpyError::Content { file: input.file.clone(), source })?;
    rows(input, "", &array)
}

/// An archive's table of points with its label members.
pub(super) fn points_of_archive(input: &Input, limit: u64) -> Result<Points, TableError> {
    let arrays = parse_npz(&input.bytes, limit);
    let arrays = arrays.map_err(|source| NpyError::Content { file: input.file.clone(), source })?;
    let arrays: BTreeMap<String, NpyArray> = arrays.into_iter().collect();
    let sparse = ["data", "indices", "indptr", "shape"].iter().all(|name| arrays.contains_key(*name));
    let mut points = if sparse {
        dense_rows(input, &arrays, limit)?
    } else {
        let tables = || arrays.iter().filter(|(_, array)| array.shape.len() == 2);
        let named = POINTS.iter().find_map(|name| arrays.get_key_value(*name));
        let only = (tables().count() == 1).then(|| tables().next()).flatten();
        let Some((name, array)) = named.or(only) else {
            return Err(TableFault::NoPoints(arrays.into_keys().collect()).at(&input.file, None));
        };
        rows(input, name, array)?
    };
    for (name, array) in &arrays {
        if is_label_name(&name.to_ascii_lowercase()) && array.shape == [points.n] {
            let cells: Vec<String> = array.to_f64().iter().map(ToString::to_string).collect();
            points.labels.push(LabelColumn { name: name.clone(), labels: numbered(&cells) });
        }
    }
    Ok(points)
}

fn rows(input: &Input, name: &str, array: &NpyArray) -> Result<Points, TableError> {
    let (n, dims) = match array.shape[..] {
        [n] => (n, 1),
        [n, dims] => (n, dims),
        _ => {
            let fault = TableFault::Shape { name: name.to_owned(), shape: array.shape.clone() };
            return Err(fault.at(&input.file, None));
        }
    };
    if n == 0 || dims == 0 {
        return Err(TableFault::Empty.at(&input.file, None));
    }
    let values = array.to_f64();
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let column = format!("row {} column {} (counted from 1)", at / dims + 1, at % dims + 1);
        return Err(TableFault::NotFinite { column, text: values[at].to_string() }.at(&input.file, None));
    }
    Ok(Points { n, dims, values, ..Points::default() })
}

/// A sparse matrix → its rows, zeros filled in.
fn dense_rows(input: &Input, arrays: &BTreeMap<String, NpyArray>, limit: u64) -> Result<Points, TableError> {
    let fault = |fault: TableFault| fault.at(&input.file, None);
    let matrix = SparseMatrix::of(arrays, parse_npz_text(&input.bytes, "format").as_deref())
        .ok_or_else(|| fault(TableFault::BadSparse))?;
    let (n, dims) = (matrix.rows, matrix.columns);
    let needs = (n as u64).saturating_mul(dims as u64).saturating_mul(8);
    if needs > limit {
        let what = format!("the dense form of {n} x {dims} values");
        return Err(fault(TableFault::TooLarge { what, needs, limit }));
    }
    if n == 0 || dims == 0 || matrix.cells().any(|(_, value)| !value.is_finite()) {
        return Err(fault(TableFault::BadSparse));
    }
    let mut values = vec![0.0; n * dims];
    matrix.cells().for_each(|([row, column], value)| values[row * dims + column] += value);
    Ok(Points { n, dims, values, ..Points::default() })
}
