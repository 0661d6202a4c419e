//! INPUT → points or a graph.

use super::args::{AffinityName, ClusterArgs, DirectedName, Format, Method};
use super::recipe::check_graph_options;
use crate::exit::Failure;
use ndarray::{Array2, ArrayView1};
use segcut::{GradientParams, array_graph};
use segcut_core::{Affinity, FeatureBlock, RegionGraph, SparseAffinity};
use segcut_io::npy::{NpyArray, parse_npy};
use segcut_io::tables::{
    Directed, EdgeGraph, EdgeRules, LabelColumn, Points, affinity_of, is_sparse_archive, names_edges, read_edges,
    read_matrix_graph, read_matrix_rows, read_points, read_sparse_graph,
};
use segcut_io::{Input, shown};
use std::fmt::Display;
use std::path::Path;

/// What is to be clustered.
#[derive(Debug)]
pub struct Nodes {
    /// Nodes or points.
    pub n: usize,
    /// Their names, where they have some.
    pub ids: Option<Vec<String>>,
    /// Coordinates of points.
    pub points: Option<Array2<f64>>,
    /// The graph, where the input is one.
    pub graph: Option<RegionGraph>,
    /// Columns of labels.
    pub labels: Vec<LabelColumn>,
    /// Sides of an array and the cell of each node.
    pub array: Option<(Vec<usize>, Vec<u32>)>,
    /// What the reader did.
    pub notes: Vec<String>,
}

/// Reads the input and the features of its nodes.
/// `least` is the least number of nodes of an edge list; `as_is` keeps the mean of features.
pub fn read(args: &ClusterArgs, max_bytes: u64, least: usize, as_is: bool) -> Result<Nodes, Failure> {
    let input = open(&args.input, max_bytes)?;
    let format = args.task.format.unwrap_or_else(|| format_of(&input));
    check_graph_options(args, format)?;
    let rules = EdgeRules {
        directed: match args.task.graph.directed {
            DirectedName::Refuse => Directed::Refuse,
            DirectedName::Max => Directed::Max,
            DirectedName::Mean => Directed::Mean,
            DirectedName::Sum => Directed::Sum,
        },
        negative: args.task.method == Some(Method::Multicut),
        nodes: args.task.graph.nodes.unwrap_or(0),
        limit: max_bytes,
    };
    let features = args.task.graph.features.as_deref().map(|file| read_features(file, max_bytes)).transpose()?;
    let rows = features.as_ref().map_or(0, |features| features.n);
    let listed = EdgeRules { nodes: rules.nodes.max(rows).max(least), ..rules };
    let hint = |e: segcut_io::tables::TableError| hinted(&e);
    let nodes = match format {
        Format::Points | Format::Graph if is_sparse_graph(args, &input, format, max_bytes) => {
            of_graph(read_sparse_graph(&input, &rules).map_err(hint)?)
        }
        Format::Points if args.task.graph.affinity == Some(AffinityName::Precomputed) => {
            let table = read_points(&input, max_bytes).map_err(hint)?;
            of_graph(affinity_of(&input, &table, &rules).map_err(hint)?)
        }
        Format::Points => of_points(read_points(&input, max_bytes).map_err(hint)?)?,
        Format::Graph => of_graph(read_matrix_graph(&input, &rules).map_err(hint)?),
        Format::Edges => of_graph(read_edges(&input, &listed).map_err(hint)?),
        Format::Array => of_array(args, &input, max_bytes)?,
    };
    with_features(nodes, features, &args.task.graph.features, as_is)
}

/// A file's bytes; what cannot be opened is nothing to read.
pub fn open(file: &Path, max_bytes: u64) -> Result<Input, Failure> {
    Input::read(file, max_bytes).map_err(Failure::no_input)
}

/// An input that fails, with the option that would help.
pub fn hinted(error: &impl Display) -> Failure {
    let text = error.to_string();
    if text.contains("the graph is directed") {
        return Failure::inputs(format!("{text}; --directed max, mean or sum makes it symmetric"));
    }
    Failure::inputs(text)
}

/// Whether the input is a sparse `.npz` that is to be read as similarities.
fn is_sparse_graph(args: &ClusterArgs, input: &Input, format: Format, max_bytes: u64) -> bool {
    let asked = format == Format::Graph || args.task.graph.affinity == Some(AffinityName::Precomputed);
    asked && is_sparse_archive(input, max_bytes)
}

fn format_of(input: &Input) -> Format {
    let name = input.file.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.ends_with(".mtx") || input.bytes.starts_with(b"%%MatrixMarket") {
        return Format::Graph;
    }
    if name.ends_with(".txt") || name.ends_with(".edges") || names_edges(input) {
        return Format::Edges;
    }
    Format::Points
}

fn of_points(points: Points) -> Result<Nodes, Failure> {
    let Points { n, dims, values, ids, labels, notes } = points;
    let coordinates = Array2::from_shape_vec((n, dims), values).map_err(Failure::inputs)?;
    let notes = notes.iter().map(ToString::to_string).collect();
    Ok(Nodes { n, ids, points: Some(coordinates), graph: None, labels, array: None, notes })
}

fn of_graph(graph: EdgeGraph) -> Nodes {
    let EdgeGraph { affinity, ids, notes, .. } = graph;
    let notes = notes.iter().map(ToString::to_string).collect();
    let graph = Some(RegionGraph::new(Affinity::Sparse(affinity)));
    let n = graph.as_ref().map_or(0, RegionGraph::n);
    Nodes { n, ids, points: None, graph, labels: Vec::new(), array: None, notes }
}

fn of_array(args: &ClusterArgs, input: &Input, max_bytes: u64) -> Result<Nodes, Failure> {
    let NpyArray { shape, values } = array(input)?;
    let values = NpyArray { shape: shape.clone(), values }.to_f64();
    let mask: Option<Vec<bool>> = match &args.task.graph.mask {
        None => None,
        Some(file) => Some(array(&open(file, max_bytes)?)?.to_f64().iter().map(|&v| v != 0.0).collect()),
    };
    let defaults = GradientParams::default();
    let params = GradientParams {
        connectivity: args.task.graph.connectivity.unwrap_or(defaults.connectivity),
        radius: args.task.graph.radius.unwrap_or(defaults.radius),
        beta: args.task.graph.beta.unwrap_or(defaults.beta),
        ..defaults
    };
    let found = array_graph(&shape, &values, mask.as_deref(), &params);
    let found = found.map_err(|e| match e {
        refused @ segcut_core::StageError::Parameter { .. } => Failure::usage(refused),
        other => Failure::inputs(format!("{}: {other}", input.file.display())),
    })?;
    let ids = mask.is_some().then(|| found.cells.iter().map(ToString::to_string).collect());
    let n = found.cells.len();
    let array = Some((shape, found.cells));
    Ok(Nodes { n, ids, points: None, graph: Some(found.graph), labels: Vec::new(), array, notes: Vec::new() })
}

fn array(input: &Input) -> Result<NpyArray, Failure> {
    parse_npy(&input.bytes).map_err(|e| Failure::inputs(format!("{}: {e}", input.file.display())))
}

fn read_features(file: &Path, max_bytes: u64) -> Result<Points, Failure> {
    let input = open(file, max_bytes)?;
    let matrix = input.bytes.starts_with(b"%%MatrixMarket");
    let rows = if matrix { read_matrix_rows(&input, max_bytes) } else { read_points(&input, max_bytes) };
    rows.map_err(|e| hinted(&e))
}

/// Node features from `--features`, else from the points.
fn with_features(
    mut nodes: Nodes,
    features: Option<Points>,
    file: &Option<std::path::PathBuf>,
    as_is: bool,
) -> Result<Nodes, Failure> {
    let Some(features) = features else { return Ok(nodes) };
    if features.n != nodes.n {
        let name = file.as_deref().unwrap_or(Path::new("")).display();
        let message = format!("{name}: {} rows of features for {} nodes", features.n, nodes.n);
        return Err(Failure::inputs(message));
    }
    let table = Array2::from_shape_vec((features.n, features.dims), features.values).map_err(Failure::inputs)?;
    let block = block("features", &table, as_is);
    if let Some(at) = block.values.iter().position(|value| !value.is_finite()) {
        let (row, column) = (at / block.dims.max(1), at % block.dims.max(1));
        let (name, value) = (shown(file.as_deref().unwrap_or(Path::new(""))), table[[row, column]]);
        let place = format!("{name}: row {}, column {}", row + 1, column + 1);
        return Err(Failure::inputs(format!("{place}: {value:e} is too large for single precision")));
    }
    let graph = nodes.graph.take().map(Ok).unwrap_or_else(|| edgeless(nodes.n))?;
    nodes.graph = Some(graph.with_features(vec![block]).map_err(Failure::inputs)?);
    Ok(nodes)
}

/// A graph without edges.
pub fn edgeless(n: usize) -> Result<RegionGraph, Failure> {
    let empty = SparseAffinity::new(n, Vec::new(), Vec::new()).map_err(Failure::inputs)?;
    Ok(RegionGraph::new(Affinity::Sparse(empty)))
}

/// Rows as node features: f32 of what is left when the column's mean is taken away, or `as_is`.
pub fn block(name: &str, table: &Array2<f64>, as_is: bool) -> FeatureBlock {
    let n = table.nrows().max(1) as f64;
    let mean = |column: ArrayView1<'_, f64>| if as_is { 0.0 } else { column.iter().map(|x| x / n).sum() };
    let means: Vec<f64> = table.columns().into_iter().map(mean).collect();
    let rows = table.rows().into_iter();
    let values = rows.flat_map(|row| row.iter().zip(&means).map(|(x, mean)| (x - mean) as f32).collect::<Vec<f32>>());
    FeatureBlock { name: name.into(), dims: table.ncols(), values: values.collect(), bins: Vec::new() }
}
