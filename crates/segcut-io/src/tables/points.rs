//! A table of numbers → points.

use super::error::{TableError, TableFault, TableNote};
use super::fields::{Table, finite};
use super::point_arrays::{points_of_archive, points_of_array};
use crate::Input;
use segcut_core::VOID;
use std::collections::BTreeMap;

/// n points of d coordinates.
///
/// *Guarantees*: n·d finite values, row-major; label columns have n labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    /// Points.
    pub n: usize,
    /// Coordinates of each.
    pub dims: usize,
    /// Coordinates, row-major.
    pub values: Vec<f64>,
    /// Names of the points, where a column gives them.
    pub ids: Option<Vec<String>>,
    /// Columns that hold labels; they are no features.
    pub labels: Vec<LabelColumn>,
    /// What the reader did.
    pub notes: Vec<TableNote>,
}

/// A column of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelColumn {
    /// Its name.
    pub name: String,
    /// One number per row; [`VOID`] where the cell is −1 or empty.
    pub labels: Vec<u32>,
}

/// A `.csv` table, a `.npy` array or a `.npz` archive → points; the content says which of them it is.
///
/// A first row without any number is a header. Columns named label, y, class or truth are labels; y is a coordinate
/// where there is a column x. Columns named id, node or name, and one without a name, name the points. Of a
/// `.npz` archive the member x, X, data or points is read, or its only table; y, label, class and truth are labels. The
/// four members of a sparse matrix (data, indices, indptr, shape) are read as its rows.
///
/// # Errors
/// [`TableError`] that names the file, the line and the reason.
///
/// ```
/// use segcut_io::Input;
/// use segcut_io::tables::read_points;
/// let input = Input { file: "a.csv".into(), bytes: b"a,b,label\n0,1,x\n2,3,y\n".to_vec() };
/// let points = read_points(&input, 1 << 20)?;
/// assert_eq!((points.n, points.dims, &points.values[..]), (2, 2, &[0.0, 1.0, 2.0, 3.0][..]));
/// assert_eq!(points.labels[0].labels, [0, 1]);
/// # Ok::<(), segcut_io::tables::TableError>(())
/// ```
pub fn read_points(input: &Input, limit: u64) -> Result<Points, TableError> {
    let named = input.file.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"));
    if named || input.bytes.starts_with(b"\x93NUMPY") {
        return points_of_array(input);
    }
    if input.bytes.starts_with(b"PK\x03\x04") {
        return points_of_archive(input, limit);
    }
    points_of_text(&Table::new(input)?)
}

/// What a column of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Feature,
    Label,
    Id,
}

struct Header {
    names: Vec<String>,
    roles: Vec<Role>,
    notes: Vec<TableNote>,
}

impl Header {
    fn of(names: Vec<String>) -> Self {
        let has_x = names.iter().any(|name| name.eq_ignore_ascii_case("x"));
        let mut notes = Vec::new();
        let role = |name: &String| match name.to_ascii_lowercase().as_str() {
            "y" if has_x => {
                notes.push(TableNote::YIsCoordinate);
                Role::Feature
            }
            lower if is_label_name(lower) => {
                notes.push(TableNote::LabelColumn(name.clone()));
                Role::Label
            }
            "" | "id" | "node" | "name" => {
                notes.push(TableNote::IdColumn(name.clone()));
                Role::Id
            }
            _ => Role::Feature,
        };
        let roles = names.iter().map(role).collect();
        Self { names, roles, notes }
    }

    fn plain(columns: usize) -> Self {
        let names = (1..=columns).map(|i| format!("column {i}")).collect();
        Self { names, roles: vec![Role::Feature; columns], notes: Vec::new() }
    }
}

/// Whether a column of this name holds labels.
pub(super) fn is_label_name(lower: &str) -> bool {
    ["label", "y", "class", "truth"].contains(&lower)
}

fn points_of_text(table: &Table<'_>) -> Result<Points, TableError> {
    let mut rows = table.rows().peekable();
    let Some((_, first)) = rows.peek().cloned() else { return Err(table.fault(None, TableFault::Empty)) };
    let header = if is_header(&first) {
        rows.next();
        Header::of(first.iter().map(|f| (*f).to_owned()).collect())
    } else {
        Header::plain(first.len())
    };
    let mut columns = Columns::new(header);
    if columns.points.dims == 0 {
        return Err(table.fault(None, TableFault::NoFeatures(columns.header.names)));
    }
    for (line, fields) in rows {
        columns.add(&fields).map_err(|fault| table.fault(line, fault))?;
    }
    if columns.points.n == 0 {
        return Err(table.fault(None, TableFault::Empty));
    }
    Ok(columns.finish())
}

/// Points as far as rows were read.
struct Columns {
    header: Header,
    points: Points,
    /// Cells of the columns that are no features.
    texts: Vec<Vec<String>>,
}

impl Columns {
    fn new(header: Header) -> Self {
        let dims = header.roles.iter().filter(|&&role| role == Role::Feature).count();
        let points = Points { dims, notes: header.notes.clone(), ..Points::default() };
        let texts = vec![Vec::new(); header.names.len()];
        Self { header, points, texts }
    }

    fn add(&mut self, fields: &[&str]) -> Result<(), TableFault> {
        let expected = self.header.names.len();
        if fields.len() != expected {
            return Err(TableFault::Ragged { found: fields.len(), expected });
        }
        for (column, &text) in fields.iter().enumerate() {
            match self.header.roles[column] {
                Role::Feature => self.points.values.push(finite(|| self.header.names[column].clone(), text)?),
                Role::Label | Role::Id => self.texts[column].push(text.to_owned()),
            }
        }
        self.points.n += 1;
        Ok(())
    }

    fn finish(mut self) -> Points {
        let columns = self.texts.into_iter().zip(self.header.roles).zip(self.header.names);
        for ((column, role), name) in columns {
            match role {
                Role::Label => self.points.labels.push(LabelColumn { name, labels: numbered(&column) }),
                Role::Id if self.points.ids.is_none() => self.points.ids = Some(column),
                Role::Id | Role::Feature => {}
            }
        }
        self.points
    }
}

/// A row without any number that says something.
fn is_header(fields: &[&str]) -> bool {
    fields.iter().all(|field| field.parse::<f64>().is_err()) && fields.iter().any(|field| !field.is_empty())
}

/// Words or numbers → label numbers from 0, whole numbers in their own order; −1 and empty cells are [`VOID`].
pub(super) fn numbered(cells: &[String]) -> Vec<u32> {
    let absent = |cell: &str| cell.is_empty() || cell.parse::<f64>().is_ok_and(|v| v == -1.0);
    let mut numbers = BTreeMap::new();
    for cell in cells.iter().filter(|cell| !absent(cell)) {
        // Numbers before words, in their order.
        let key = cell.parse::<f64>().map_or(f64::INFINITY, |v| v);
        numbers.insert((OrderedCell(key), cell.as_str()), 0u32);
    }
    let mut next = 0..;
    numbers.values_mut().zip(&mut next).for_each(|(number, value)| *number = value);
    let by_cell: BTreeMap<&str, u32> = numbers.into_iter().map(|((_, cell), number)| (cell, number)).collect();
    cells.iter().map(|cell| by_cell.get(cell.as_str()).copied().unwrap_or(VOID)).collect()
}

/// A number that can be a key.
#[derive(Debug, Clone, Copy)]
struct OrderedCell(f64);

impl PartialEq for OrderedCell {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for OrderedCell {}

impl PartialOrd for OrderedCell {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OrderedCell {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
