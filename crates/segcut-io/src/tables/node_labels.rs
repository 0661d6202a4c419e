//! Labels of points and nodes ↔ files.

use super::error::{TableError, TableFault};
use super::fields::Table;
use super::points::{is_label_name, numbered, read_points};
use crate::Input;
use crate::atomic::{self, WriteError};
use segcut_core::VOID;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Labels as a file gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLabels {
    /// The node of each label, where the file names them; else the labels are in the order of the nodes.
    pub ids: Option<Vec<String>>,
    /// Numbers from 0; [`VOID`] where the file has −1 or nothing.
    pub labels: Vec<u32>,
}

/// A `.csv` of labels, or a `.npy` or `.npz` array → labels.
///
/// The labels are the column named label, y, class or truth, else the last one; a column named id, node or name, or the
/// first of two, says which node a row is about. A table of more columns without such names is an image of labels, read
/// row by row. Labels may be words.
///
/// # Errors
/// [`TableError`].
///
/// ```
/// use segcut_io::Input;
/// use segcut_io::tables::read_labels;
/// let input = Input { file: "t.csv".into(), bytes: b"node,label\n1,red\n0,blue\n2,-1\n".to_vec() };
/// assert_eq!(read_labels(&input, 1 << 20)?.for_nodes(&input, 3, None)?, [0, 1, segcut_core::VOID]);
/// # Ok::<(), segcut_io::tables::TableError>(())
/// ```
pub fn read_labels(input: &Input, limit: u64) -> Result<NodeLabels, TableError> {
    if input.bytes.starts_with(b"\x93NUMPY") || input.bytes.starts_with(b"PK\x03\x04") {
        let points = read_points(input, limit)?;
        if let Some(column) = points.labels.into_iter().next() {
            return Ok(NodeLabels { ids: None, labels: column.labels });
        }
        let last = points.values.chunks_exact(points.dims).filter_map(<[f64]>::last);
        let cells: Vec<String> = last.map(ToString::to_string).collect();
        return Ok(NodeLabels { ids: None, labels: numbered(&cells) });
    }
    labels_of_text(&Table::new(input)?)
}

fn labels_of_text(table: &Table<'_>) -> Result<NodeLabels, TableError> {
    let mut rows = table.rows().peekable();
    let Some((_, first)) = rows.peek().cloned() else { return Err(table.fault(None, TableFault::Empty)) };
    let lower: Vec<String> = first.iter().map(|field| field.to_ascii_lowercase()).collect();
    let is_id = |name: &String| ["id", "node", "name"].contains(&name.as_str());
    let label = lower.iter().rposition(|name| is_label_name(name));
    let id = lower.iter().position(is_id);
    if label.is_some() || id.is_some() {
        rows.next();
    }
    if label.is_none() && id.is_none() && first.len() > 2 {
        return label_image(table, first.len());
    }
    let label = label.unwrap_or(first.len() - 1);
    let id = id.or((first.len() == 2).then_some(1 - label.min(1))).filter(|&id| id != label);
    let (mut cells, mut ids) = (Vec::new(), Vec::new());
    for (line, fields) in rows {
        if fields.len() != first.len() {
            return Err(table.fault(line, TableFault::Ragged { found: fields.len(), expected: first.len() }));
        }
        cells.push(fields[label].to_owned());
        ids.extend(id.map(|at| fields[at].to_owned()));
    }
    if cells.is_empty() {
        return Err(table.fault(None, TableFault::Empty));
    }
    Ok(NodeLabels { ids: id.map(|_| ids), labels: numbered(&cells) })
}

/// Every cell is a label, row by row.
fn label_image(table: &Table<'_>, expected: usize) -> Result<NodeLabels, TableError> {
    let mut cells = Vec::new();
    for (line, fields) in table.rows() {
        if fields.len() != expected {
            return Err(table.fault(line, TableFault::Ragged { found: fields.len(), expected }));
        }
        cells.extend(fields.into_iter().map(str::to_owned));
    }
    Ok(NodeLabels { ids: None, labels: numbered(&cells) })
}

impl NodeLabels {
    /// The nodes that the labels speak of: one more than the largest number, or the number of rows.
    pub fn nodes(&self) -> usize {
        let numbers = self.ids.iter().flatten().map(|id| id.parse::<usize>().ok().map(|id| id.saturating_add(1)));
        let largest: Option<Vec<usize>> = numbers.collect();
        match (&self.ids, largest) {
            (None, _) => self.labels.len(),
            (Some(_), numbers) => numbers.and_then(|n| n.into_iter().max()).unwrap_or(0),
        }
    }

    /// One label per node; [`VOID`] for nodes that the file leaves out.
    ///
    /// # Errors
    /// [`TableError`] for another number of rows, an unknown node, or a node with two labels.
    pub fn for_nodes(&self, input: &Input, n: usize, names: Option<&[String]>) -> Result<Vec<u32>, TableError> {
        let fault = |fault: TableFault| fault.at(&input.file, None);
        let Some(ids) = &self.ids else {
            let found = self.labels.len();
            return if found == n { Ok(self.labels.clone()) } else { Err(fault(TableFault::LabelCount { found, n })) };
        };
        let places: Option<BTreeMap<&str, usize>> =
            names.map(|names| names.iter().map(String::as_str).zip(0..).collect());
        let mut labels = vec![VOID; n];
        let mut seen = vec![false; n];
        for (id, &label) in ids.iter().zip(&self.labels) {
            let place = match &places {
                Some(places) => places.get(id.as_str()).copied(),
                None => id.parse().ok().filter(|&place: &usize| place < n),
            };
            let Some(place) = place else { return Err(fault(TableFault::NoNode(id.clone()))) };
            if std::mem::replace(&mut seen[place], true) {
                return Err(fault(TableFault::TwoLabels(id.clone())));
            }
            labels[place] = label;
        }
        Ok(labels)
    }
}

/// Columns of labels → `id,label,…`, whole or not at all. Without `ids` the rows are numbered from 0.
///
/// # Errors
/// [`WriteError`]; with the kind `InvalidInput` where columns differ in length.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("labels.csv");
/// segcut_io::tables::write_labels(&file, None, &[("label".into(), vec![0, 1])])?;
/// assert_eq!(std::fs::read_to_string(&file)?, "id,label\n0,0\n1,1\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_labels(file: &Path, ids: Option<&[String]>, columns: &[(String, Vec<u32>)]) -> Result<(), WriteError> {
    atomic::write_with(file, |out| {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(std::iter::once("id").chain(columns.iter().map(|column| column.0.as_str())))?;
        let rows = columns.first().map_or(0, |column| column.1.len());
        if columns.iter().any(|column| column.1.len() != rows) || ids.is_some_and(|ids| ids.len() != rows) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "columns of different lengths"));
        }
        for row in 0..rows {
            writer.write_field(ids.map_or_else(|| row.to_string(), |ids| ids[row].clone()))?;
            for column in columns {
                writer.write_field(column.1[row].to_string())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()
    })
}
