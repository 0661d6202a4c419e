//! Sparse matrices as scipy writes them → graph, or rows of numbers.

use super::error::{TableError, TableFault};
use super::pairs::{EdgeGraph, EdgeRules, Entry, Pairs, Stated, check_size};
use crate::Input;
use crate::npy::{NpyArray, NpyError, parse_npz, parse_npz_text};
use std::collections::BTreeMap;

/// The members of a sparse matrix and what they say.
#[derive(Debug)]
pub(super) struct SparseMatrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Row, column and value of every entry.
    entries: Vec<[usize; 2]>,
    values: Vec<f64>,
}

/// A sparse matrix of `scipy.sparse.save_npz` (csr, csc or coo) → graph.
///
/// It must be symmetric to 10 digits, unless the rules say how both triangles are joined. Repeated entries are added.
/// The diagonal is dropped with a note. An archive without its format is taken for csr.
///
/// # Errors
/// [`TableError`] that names the file and the reason.
pub fn read_sparse_graph(input: &Input, rules: &EdgeRules) -> Result<EdgeGraph, TableError> {
    let arrays = parse_npz(&input.bytes, rules.limit);
    let arrays = arrays.map_err(|source| NpyError::Content { file: input.file.clone(), source })?;
    let arrays: BTreeMap<String, NpyArray> = arrays.into_iter().collect();
    let fault = |fault: TableFault| fault.at(&input.file, None);
    let format = parse_npz_text(&input.bytes, "format");
    let matrix = SparseMatrix::of(&arrays, format.as_deref()).ok_or_else(|| fault(TableFault::BadSparse))?;
    let (rows, columns) = (matrix.rows as u64, matrix.columns as u64);
    if rows != columns {
        return Err(fault(TableFault::NotSquare { rows, columns }));
    }
    check_size(input, rows.max(rules.nodes as u64), matrix.values.len() as u64, rules.limit)?;
    if let Some(([row, column], value)) = matrix.cells().find(|(_, value)| !value.is_finite()) {
        let column = format!("row {} column {} (counted from 1)", row + 1, column + 1);
        return Err(fault(TableFault::NotFinite { column, text: value.to_string() }));
    }
    let nonzero = matrix.cells().filter(|(_, value)| *value != 0.0);
    let entry = |([row, column], weight): ([usize; 2], f64)| Entry { u: row as u32, v: column as u32, weight, line: 0 };
    let entries = nonzero.map(entry).collect();
    Pairs { input, n: matrix.rows, entries, weighted: true, stated: Stated::Both, ids: None }.graph(rules)
}

/// Whether an archive holds the members of a sparse matrix.
pub fn is_sparse_archive(input: &Input, limit: u64) -> bool {
    let has = |arrays: &[(String, NpyArray)], name: &str| arrays.iter().any(|(own, _)| own == name);
    let compressed = |arrays: &[(String, NpyArray)]| has(arrays, "indices") && has(arrays, "indptr");
    input.bytes.starts_with(b"PK\x03\x04")
        && parse_npz(&input.bytes, limit).is_ok_and(|arrays| {
            let places = compressed(&arrays) || (has(&arrays, "row") && has(&arrays, "col"));
            places && has(&arrays, "data") && has(&arrays, "shape")
        })
}

impl SparseMatrix {
    /// The matrix that the members make; none where they are missing or contradict themselves.
    ///
    /// The members of csr and csc have the same names: without a format, columns are taken only where rows do not fit.
    pub(super) fn of(arrays: &BTreeMap<String, NpyArray>, format: Option<&str>) -> Option<Self> {
        let values = arrays.get("data")?.to_f64();
        let &[rows, columns] = &whole(arrays.get("shape")?)?[..] else { return None };
        let entries = match arrays.get("indptr") {
            Some(starts) => {
                let (starts, indices) = (whole(starts)?, whole(arrays.get("indices")?)?);
                let fits = |lines: usize| lines.checked_add(1) == Some(starts.len());
                let by_columns = format == Some("csc") || (format.is_none() && !fits(rows));
                if !fits(if by_columns { columns } else { rows }) {
                    return None;
                }
                compressed(&starts, &indices, by_columns)?
            }
            None => {
                let (row, column) = (whole(arrays.get("row")?)?, whole(arrays.get("col")?)?);
                (row.len() == column.len()).then(|| row.into_iter().zip(column).map(|(r, c)| [r, c]).collect())?
            }
        };
        let inside = entries.iter().all(|&[row, column]| row < rows && column < columns);
        (inside && entries.len() == values.len()).then_some(Self { rows, columns, entries, values })
    }

    /// Places and values.
    pub(super) fn cells(&self) -> impl Iterator<Item = ([usize; 2], f64)> {
        self.entries.iter().copied().zip(self.values.iter().copied())
    }
}

/// Row and column of every entry of lines one after another.
fn compressed(starts: &[usize], indices: &[usize], by_columns: bool) -> Option<Vec<[usize; 2]>> {
    if !(starts.is_sorted() && starts.first() == Some(&0) && starts.last() == Some(&indices.len())) {
        return None;
    }
    let line = |(line, ends): (usize, &[usize])| {
        let cells = indices[ends[0]..ends[1]].iter();
        cells.map(move |&at| if by_columns { [at, line] } else { [line, at] }).collect::<Vec<_>>()
    };
    Some(starts.windows(2).enumerate().flat_map(line).collect())
}

/// Whole numbers from 0; none where one is not.
fn whole(array: &NpyArray) -> Option<Vec<usize>> {
    let fits = |v: f64| v >= 0.0 && v.fract() == 0.0 && v < 9e15;
    let values = array.to_f64();
    values.iter().all(|&v| fits(v)).then(|| values.iter().map(|&v| v as usize).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::NpyValues;

    fn arrays(members: &[(&str, &[i64])], data: &[f64]) -> BTreeMap<String, NpyArray> {
        let of = |values: &[i64]| NpyArray { shape: vec![values.len()], values: NpyValues::Int(values.to_vec()) };
        let mut arrays: BTreeMap<String, NpyArray> =
            members.iter().map(|(name, values)| ((*name).to_owned(), of(values))).collect();
        let data = NpyArray { shape: vec![data.len()], values: NpyValues::F64(data.to_vec()) };
        arrays.insert("data".to_owned(), data);
        arrays
    }

    #[test]
    fn rows_columns_and_places_give_one_matrix() {
        let by_rows = arrays(&[("indptr", &[0, 1, 3]), ("indices", &[2, 0, 1]), ("shape", &[2, 3])], &[1.0, 2.0, 3.0]);
        let by_columns =
            arrays(&[("indptr", &[0, 1, 2, 3]), ("indices", &[1, 1, 0]), ("shape", &[2, 3])], &[2.0, 3.0, 1.0]);
        let places = arrays(&[("row", &[0, 1, 1]), ("col", &[2, 0, 1]), ("shape", &[2, 3])], &[1.0, 2.0, 3.0]);
        for members in [by_rows, by_columns, places] {
            let matrix = SparseMatrix::of(&members, None).unwrap();
            let mut cells: Vec<_> = matrix.cells().collect();
            cells.sort_by_key(|cell| cell.0);
            assert_eq!(cells, [([0, 2], 1.0), ([1, 0], 2.0), ([1, 1], 3.0)]);
        }
    }

    #[test]
    fn the_format_tells_columns_from_rows() {
        let members = arrays(&[("indptr", &[0, 2, 2]), ("indices", &[0, 1]), ("shape", &[2, 2])], &[1.0, 2.0]);
        let cells = |format| SparseMatrix::of(&members, format).unwrap().cells().map(|cell| cell.0).collect::<Vec<_>>();
        assert_eq!(cells(Some("csc")), [[0, 0], [1, 0]]);
        assert_eq!((cells(Some("csr")), cells(None)), (vec![[0, 0], [0, 1]], vec![[0, 0], [0, 1]]));
    }

    #[test]
    fn members_that_contradict_themselves_are_refused() {
        for members in [
            arrays(&[("indptr", &[0, 3, 1]), ("indices", &[0]), ("shape", &[2, 2])], &[1.0]),
            arrays(&[("indptr", &[0, 1, 1]), ("indices", &[5]), ("shape", &[2, 2])], &[1.0]),
            arrays(&[("indptr", &[0, 1, 2]), ("indices", &[0, 1]), ("shape", &[2, 2])], &[1.0]),
            arrays(&[("row", &[0]), ("col", &[-1]), ("shape", &[2, 2])], &[1.0]),
            arrays(&[("row", &[0]), ("shape", &[2, 2])], &[1.0]),
        ] {
            assert!(SparseMatrix::of(&members, None).is_none());
        }
    }
}
