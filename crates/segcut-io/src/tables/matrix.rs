//! Matrix Market text → graph, or rows of numbers.

use super::error::{TableError, TableFault};
use super::fields::finite;
use super::pairs::{EdgeGraph, EdgeRules, Entry, Pairs, Stated, check_size};
use super::points::Points;
use crate::Input;

/// A `.mtx` affinity (coordinate or array; real, integer or pattern; general or symmetric) → graph.
///
/// Source: Boisvert, Pozo and Remington, NISTIR 5935 (1996). A general matrix must be symmetric to 10 digits, unless
/// the rules say how both triangles are joined. Repeated entries are added. The diagonal is dropped with a note.
///
/// # Errors
/// [`TableError`] that names the file, the line and the reason.
///
/// ```
/// use segcut_io::Input;
/// use segcut_io::tables::{Directed, EdgeRules, read_matrix_graph};
/// let text = "%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n2 1 0.5\n3 2 4\n";
/// let input = Input { file: "w.mtx".into(), bytes: text.into() };
/// let rules = EdgeRules { directed: Directed::Refuse, negative: false, nodes: 0, limit: 1 << 20 };
/// let graph = read_matrix_graph(&input, &rules)?.affinity;
/// assert_eq!((graph.edges(), graph.weights()), (&[[0, 1], [1, 2]][..], &[0.5, 4.0][..]));
/// # Ok::<(), segcut_io::tables::TableError>(())
/// ```
pub fn read_matrix_graph(input: &Input, rules: &EdgeRules) -> Result<EdgeGraph, TableError> {
    let matrix = Matrix::open(input)?;
    let (rows, columns) = (matrix.rows, matrix.columns);
    if rows != columns {
        return Err(TableFault::NotSquare { rows, columns }.at(&input.file, matrix.size_line));
    }
    check_size(input, rows.max(rules.nodes as u64), matrix.least_entries(), rules.limit)?;
    let mut entries = Vec::new();
    let (weighted, stated) = (!matrix.pattern, if matrix.symmetric { Stated::Triangle } else { Stated::Both });
    let n = rows as usize;
    matrix.for_each(|line, row, column, weight| {
        if weight != 0.0 {
            entries.push(Entry { u: row as u32, v: column as u32, weight, line });
        }
    })?;
    Pairs { input, n, entries, weighted, stated, ids: None }.graph(rules)
}

/// A `.mtx` matrix of any shape → its rows, zeros filled in.
///
/// # Errors
/// [`TableError`]; more than `limit` bytes of values are refused before they are held.
pub fn read_matrix_rows(input: &Input, limit: u64) -> Result<Points, TableError> {
    let matrix = Matrix::open(input)?;
    let (rows, columns) = (matrix.rows, matrix.columns);
    let needs = rows.saturating_mul(columns).saturating_mul(8);
    if needs > limit {
        let what = format!("the dense form of {rows} x {columns} values");
        return Err(TableFault::TooLarge { what, needs, limit }.at(&input.file, matrix.size_line));
    }
    if rows == 0 || columns == 0 {
        return Err(TableFault::Empty.at(&input.file, None));
    }
    let (n, dims, symmetric) = (rows as usize, columns as usize, matrix.symmetric);
    let mut values = vec![0.0; n * dims];
    matrix.for_each(|_, row, column, value| {
        values[row * dims + column] += value;
        if symmetric && row != column {
            values[column * dims + row] += value;
        }
    })?;
    Ok(Points { n, dims, values, ..Points::default() })
}

/// The header of a matrix and the lines after it.
struct Matrix<'a> {
    input: &'a Input,
    lines: Vec<(usize, &'a str)>,
    size_line: usize,
    rows: u64,
    columns: u64,
    /// Entries that the header announces; none for an array.
    announced: Option<u64>,
    pattern: bool,
    symmetric: bool,
}

impl<'a> Matrix<'a> {
    fn open(input: &'a Input) -> Result<Self, TableError> {
        let fault = |fault: TableFault, line: usize| fault.at(&input.file, line);
        let text = std::str::from_utf8(&input.bytes).map_err(|_| TableFault::NotText.at(&input.file, None))?;
        let mut lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
        let Some((_, banner)) = lines.next() else { return Err(TableFault::Empty.at(&input.file, None)) };
        let (coordinate, pattern, symmetric) =
            header(banner).ok_or_else(|| fault(TableFault::Header(banner.chars().take(80).collect()), 1))?;
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('%'));
        let Some((size_line, size)) = lines.next() else { return Err(TableFault::Empty.at(&input.file, None)) };
        let numbers: Option<Vec<u64>> = size.split_whitespace().map(|word| word.parse().ok()).collect();
        let (rows, columns, announced) = match (numbers.as_deref(), coordinate) {
            (Some(&[rows, columns, entries]), true) => (rows, columns, Some(entries)),
            (Some(&[rows, columns]), false) => (rows, columns, None),
            _ => return Err(fault(TableFault::SizeLine(size.chars().take(80).collect()), size_line)),
        };
        let lines = lines.collect();
        Ok(Self { input, lines, size_line, rows, columns, announced, pattern, symmetric })
    }

    /// Entries that the file really holds lines for.
    fn least_entries(&self) -> u64 {
        self.lines.len() as u64
    }

    /// Calls `visit(line, row, column, value)` for every entry, counted from 0.
    fn for_each(&self, visit: impl FnMut(usize, usize, usize, f64)) -> Result<(), TableError> {
        match self.announced {
            Some(announced) => self.coordinates(announced, visit),
            None => self.array(visit),
        }
    }

    fn coordinates(&self, expected: u64, mut visit: impl FnMut(usize, usize, usize, f64)) -> Result<(), TableError> {
        let found = self.lines.len() as u64;
        for &(line, text) in &self.lines {
            let fault = |fault: TableFault| fault.at(&self.input.file, line);
            let words: Vec<&str> = text.split_whitespace().collect();
            let width = if self.pattern { 2 } else { 3 };
            if words.len() != width {
                return Err(fault(TableFault::Ragged { found: words.len(), expected: width }));
            }
            let index = |word: &str| {
                let number = || TableFault::NotANumber { column: "index".into(), text: word.to_owned() };
                word.parse::<u64>().map_err(|_| fault(number()))
            };
            let (row, column) = (index(words[0])?, index(words[1])?);
            let (rows, columns) = (self.rows, self.columns);
            if !(1..=rows).contains(&row) || !(1..=columns).contains(&column) {
                return Err(fault(TableFault::Index { row, column, rows, columns }));
            }
            let value = match words.get(2) {
                Some(word) => finite(|| "value".to_owned(), word).map_err(fault)?,
                None => 1.0,
            };
            visit(line, row as usize - 1, column as usize - 1, value);
        }
        if found != expected {
            return Err(TableFault::Entries { found, expected }.at(&self.input.file, None));
        }
        Ok(())
    }

    /// Column by column; of a symmetric matrix the lower triangle.
    fn array(&self, mut visit: impl FnMut(usize, usize, usize, f64)) -> Result<(), TableError> {
        let (rows, columns) = (self.rows, self.columns);
        let all = rows.saturating_mul(columns);
        let expected = if self.symmetric { (all - all.min(rows)) / 2 + all.min(rows) } else { all };
        let words = self.lines.iter().flat_map(|&(line, text)| text.split_whitespace().map(move |word| (line, word)));
        let found = words.clone().count() as u64;
        if found != expected {
            return Err(TableFault::Entries { found, expected }.at(&self.input.file, None));
        }
        let (mut row, mut column) = (0, 0);
        for (line, word) in words {
            let value = finite(|| "value".to_owned(), word).map_err(|fault| fault.at(&self.input.file, line))?;
            visit(line, row as usize, column as usize, value);
            row += 1;
            if row == rows {
                column += 1;
                row = if self.symmetric { column } else { 0 };
            }
        }
        Ok(())
    }
}

/// Whether it is a coordinate matrix, a pattern, symmetric; nothing for what is not read.
fn header(banner: &str) -> Option<(bool, bool, bool)> {
    let words: Vec<String> = banner.split_whitespace().map(str::to_ascii_lowercase).collect();
    let [mark, object, format, field, symmetry] = &words[..] else { return None };
    let coordinate = ["coordinate", "array"].iter().position(|word| word == format)? == 0;
    let pattern = ["pattern", "real", "integer", "double"].iter().position(|word| word == field)? == 0;
    let symmetric = ["symmetric", "general"].iter().position(|word| word == symmetry)? == 0;
    (mark == "%%matrixmarket" && object == "matrix" && (coordinate || !pattern))
        .then_some((coordinate, pattern, symmetric))
}
