//! Numbers in files → points, edges and labels of nodes.
//!
//! | file | read by | gives |
//! |---|---|---|
//! | `.csv`, `.npy`, `.npz` | [`read_points`] | [`Points`] |
//! | `.csv`, `.txt` edge lists | [`read_edges`] | [`EdgeGraph`] |
//! | `.mtx`, `.mtx.gz` | [`read_matrix_graph`], [`read_matrix_rows`] | [`EdgeGraph`], [`Points`] |
//! | sparse `.npz` | [`read_sparse_graph`] | [`EdgeGraph`] |
//! | labels | [`read_labels`] | [`NodeLabels`] |
//!
//! Text is UTF-8 with commas, semicolons, tabs or blanks between fields; empty lines and lines that begin with `#`, `%`
//! or `//` are left out. Nothing is allocated for numbers that a file merely claims to hold.

mod edges;
mod error;
mod fields;
mod matrix;
mod node_labels;
mod pairs;
mod point_arrays;
mod points;
mod sparse_archive;

pub use edges::{names_edges, read_edges};
pub use error::{TableError, TableFault, TableNote};
pub use matrix::{read_matrix_graph, read_matrix_rows};
pub use node_labels::{NodeLabels, read_labels, write_labels};
pub use pairs::{Directed, EdgeGraph, EdgeRules, affinity_of};
pub use points::{LabelColumn, Points, read_points};
pub use sparse_archive::{is_sparse_archive, read_sparse_graph};
