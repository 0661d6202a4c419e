//! What is wrong with a table, and what a reader did with it.

use crate::npy::NpyError;
use crate::{FileError, shown};
use std::path::PathBuf;
use thiserror::Error;

/// A file without usable numbers; messages name the file, the line where there is one, and the reason.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] FileError),
    /// The file is no array.
    #[error(transparent)]
    Array(#[from] NpyError),
    /// The content is wrong.
    #[error("{}{}: {fault}", shown(.file), line_text(*.line))]
    Content {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        fault: TableFault,
    },
}

fn line_text(line: Option<usize>) -> String {
    line.map(|line| format!(" line {line}")).unwrap_or_default()
}

/// What is wrong with the content of a table.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum TableFault {
    /// No row of numbers.
    #[error("there is nothing in it to read: no row of values")]
    Empty,
    /// Bytes that are no text.
    #[error("the text is not UTF-8")]
    NotText,
    /// Every column is a label or an id.
    #[error("no column is a feature; the columns are {}", .0.join(", "))]
    NoFeatures(Vec<String>),
    /// A row of another length.
    #[error("the row has {found} fields where the rows before it have {expected}")]
    Ragged {
        /// Fields of the row.
        found: usize,
        /// Fields there must be.
        expected: usize,
    },
    /// A row of an edge list that is no edge.
    #[error("an edge has 2 fields, or 3 with its weight; this row has {0}")]
    EdgeFields(usize),
    /// A cell that is no number.
    #[error("{column}: \"{text}\" is not a number")]
    NotANumber {
        /// The column.
        column: String,
        /// The cell.
        text: String,
    },
    /// A number that is NaN or infinite.
    #[error("{column}: {text} is not a finite number")]
    NotFinite {
        /// The column.
        column: String,
        /// The cell.
        text: String,
    },
    /// A weight below zero.
    #[error("the weight {0} is negative; a cut needs weights from 0")]
    Negative(f64),
    /// Two entries of one pair that differ.
    #[error("the graph is directed: {u} -> {v} has weight {forth}, {v} -> {u} has {back}")]
    Asymmetric {
        /// One node.
        u: String,
        /// The other.
        v: String,
        /// Weight from u to v.
        forth: f64,
        /// Weight from v to u.
        back: f64,
    },
    /// An index outside the matrix.
    #[error("the index ({row}, {column}) lies outside the matrix of {rows} x {columns}, counted from 1")]
    Index {
        /// Row of the entry.
        row: u64,
        /// Column of the entry.
        column: u64,
        /// Rows of the matrix.
        rows: u64,
        /// Columns of the matrix.
        columns: u64,
    },
    /// A node number below 0.
    #[error("the node {0} is negative; nodes are numbered from 0, or have names")]
    NegativeNode(i64),
    /// No Matrix Market header, or one that is not read.
    #[error(
        "the header \"{0}\" is not read; it must be %%MatrixMarket matrix coordinate|array real|integer|pattern general|symmetric"
    )]
    Header(String),
    /// A size line that is none.
    #[error("\"{0}\" is no size line")]
    SizeLine(String),
    /// An affinity that is not square.
    #[error("the matrix is {rows} x {columns}; an affinity must be square")]
    NotSquare {
        /// Rows.
        rows: u64,
        /// Columns.
        columns: u64,
    },
    /// Fewer or more entries than the file says.
    #[error("the matrix has {found} entries where its header says {expected}")]
    Entries {
        /// Entries in the file.
        found: u64,
        /// Entries announced.
        expected: u64,
    },
    /// An array with an unfit number of axes.
    #[error("the array {name} has the shape {shape:?}; points are rows of a table with two axes")]
    Shape {
        /// The member's name, or empty.
        name: String,
        /// Its sides.
        shape: Vec<usize>,
    },
    /// An archive in which no array can be told to be the points.
    #[error("no array can be told to hold the points among {}; name it x, X, data or points", .0.join(", "))]
    NoPoints(Vec<String>),
    /// Compressed rows that contradict themselves.
    #[error("the arrays data, indices, indptr and shape do not make a sparse matrix")]
    BadSparse,
    /// Too large for the memory allowed.
    #[error("{what} would take about {needs} bytes, more than the {limit} allowed (--max-memory)")]
    TooLarge {
        /// What would.
        what: String,
        /// Bytes it would take.
        needs: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Labels of another number of nodes.
    #[error("there are {found} labels for {n} nodes")]
    LabelCount {
        /// Labels in the file.
        found: usize,
        /// Nodes.
        n: usize,
    },
    /// A label of a node that is not there.
    #[error("there is no node {0}")]
    NoNode(String),
    /// A node with two labels.
    #[error("the node {0} has two labels")]
    TwoLabels(String),
}

/// What a reader did that a user may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableNote {
    /// A column that holds labels and is no feature.
    LabelColumn(String),
    /// A column that names the rows and is no feature.
    IdColumn(String),
    /// A column y that is a coordinate.
    YIsCoordinate,
    /// Edges from a node to itself, or diagonal entries, that were dropped.
    SelfLoops(usize),
    /// Pairs that occur more than once: weights were added, or the pair counted once where there are no weights.
    Repeats(usize),
    /// Every edge is listed in both directions and counts once.
    BothWays,
    /// Directed pairs that were made symmetric.
    Symmetrized(usize),
}

impl std::fmt::Display for TableNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LabelColumn(name) => write!(f, "the column {name} holds labels and is no feature"),
            Self::IdColumn(name) if name.is_empty() => write!(f, "the column without a name numbers the rows"),
            Self::IdColumn(name) => write!(f, "the column {name} names the rows and is no feature"),
            Self::YIsCoordinate => write!(f, "the column y is a coordinate, since there is a column x"),
            Self::SelfLoops(count) => write!(f, "{count} edges from a node to itself dropped"),
            Self::Repeats(count) => write!(f, "{count} repeated edges joined"),
            Self::BothWays => write!(f, "every edge is listed in both directions and counts once"),
            Self::Symmetrized(count) => write!(f, "{count} directed pairs made symmetric"),
        }
    }
}

impl TableFault {
    /// The fault at a place.
    pub(super) fn at(self, file: &std::path::Path, line: impl Into<Option<usize>>) -> TableError {
        TableError::Content { file: file.to_path_buf(), line: line.into(), fault: self }
    }
}
