//! `--truth` and `--start` → labels and vectors of the nodes.

use super::args::ClusterArgs;
use super::input::{Nodes, hinted, open};
use crate::exit::Failure;
use ndarray::Array2;
use segcut_core::{Partition, Start, VOID};
use segcut_io::Input;
use segcut_io::tables::{NodeLabels, read_labels, read_points};
use std::path::Path;

/// What `--truth` names.
#[derive(Debug)]
pub enum Truth {
    /// A table of labels.
    File(Input, NodeLabels),
    /// A column of the input.
    Column(String),
}

/// Reads the truth, where it is a file. A name that is no file is a column.
pub fn truth(args: &ClusterArgs, max_bytes: u64) -> Result<Option<Truth>, Failure> {
    let Some(name) = &args.truth else { return Ok(None) };
    if !Path::new(name).is_file() {
        return Ok(Some(Truth::Column(name.clone())));
    }
    let input = open(Path::new(name), max_bytes)?;
    let labels = read_labels(&input, max_bytes).map_err(|e| hinted(&e))?;
    Ok(Some(Truth::File(input, labels)))
}

impl Truth {
    /// Nodes that the truth speaks of.
    pub fn nodes(&self) -> usize {
        match self {
            Self::File(_, labels) => labels.nodes(),
            Self::Column(_) => 0,
        }
    }

    /// One label per node.
    pub fn labels(&self, nodes: &Nodes) -> Result<Vec<u32>, Failure> {
        match self {
            Self::File(input, labels) => labels.for_nodes(input, nodes.n, nodes.ids.as_deref()).map_err(|e| hinted(&e)),
            Self::Column(name) => {
                let column = nodes.labels.iter().find(|column| column.name == *name);
                column.map(|column| column.labels.clone()).ok_or_else(|| no_truth(name, nodes))
            }
        }
    }
}

fn no_truth(name: &str, nodes: &Nodes) -> Failure {
    let columns: Vec<&str> = nodes.labels.iter().map(|column| column.name.as_str()).collect();
    let known = if columns.is_empty() { "none".to_string() } else { columns.join(", ") };
    Failure::usage(format!("--truth {name}: no such file, and no such column of labels in the input (there: {known})"))
}

/// `--start` → a partition, where the file has a column of labels, else vectors.
pub fn start(args: &ClusterArgs, n: usize, max_bytes: u64) -> Result<Option<Start>, Failure> {
    let Some(file) = &args.tuning.start else { return Ok(None) };
    let input = open(file, max_bytes)?;
    let points = read_points(&input, max_bytes);
    if let Ok(points) = &points
        && points.labels.is_empty()
        && points.n == n
    {
        let vectors = Array2::from_shape_vec((n, points.dims), points.values.clone()).map_err(Failure::inputs)?;
        return Ok(Some(Start::Vectors(vectors)));
    }
    if let Ok(points) = &points
        && points.labels.is_empty()
    {
        let message = format!("{}: a start of {} rows for {n} nodes", file.display(), points.n);
        return Err(Failure::inputs(message));
    }
    let labels = read_labels(&input, max_bytes).and_then(|labels| labels.for_nodes(&input, n, None));
    let mut labels = labels.map_err(|e| hinted(&e))?;
    let next = labels.iter().filter(|&&l| l != VOID).max().map_or(0, |&l| l + 1);
    labels.iter_mut().filter(|label| **label == VOID).for_each(|label| *label = next);
    Ok(Some(Start::Partition(Partition::compact(&labels))))
}
