//! Work that was interrupted, beside the table of labels that it was to write.

use super::args::ClusterArgs;
use super::recipe::Chosen;
use crate::exit::Failure;
use crate::unfinished::{Unfinished, remove};
use segcut_core::{Affinity, RegionGraph, Start};
use segcut_io::hash::sha256;
use std::path::PathBuf;

/// The state of a network that is trained on this graph: `LABELS.unfinished.…`; none for methods that train none, and
/// where no file is written. That of another graph or recipe is removed.
pub fn unfinished(
    args: &ClusterArgs,
    chosen: &Chosen,
    graph: &RegionGraph,
    start: Option<&Start>,
) -> Result<Option<Unfinished>, Failure> {
    let file = !args.output.exists() || args.output.is_file();
    if !chosen.learned || chosen.recipe.model().is_some() || !file {
        return Ok(None);
    }
    let recipe = toml::to_string(chosen.grouping.resolved()).map_err(Failure::output)?;
    let plan = format!("# graph {}\n# start {}\n{recipe}", of_graph(graph), of_start(start));
    let prefix = prefix(args);
    if let Ok(found) = Unfinished::open(&prefix, &plan) {
        return Ok(Some(found));
    }
    remove(&prefix)?;
    Ok(Unfinished::open(&prefix, &plan).ok())
}

/// What the names of the state's files begin with.
pub fn prefix(args: &ClusterArgs) -> PathBuf {
    let mut name = args.output.as_os_str().to_os_string();
    name.push(".");
    PathBuf::from(name)
}

/// A checksum of nodes, edges, weights and features.
fn of_graph(graph: &RegionGraph) -> String {
    let mut parts = format!("{}\n", graph.n());
    if let Affinity::Sparse(affinity) = graph.affinity() {
        let edges: Vec<u8> = affinity.edges().iter().flatten().flat_map(|node| node.to_le_bytes()).collect();
        let weights: Vec<u8> = affinity.weights().iter().flat_map(|weight| weight.to_le_bytes()).collect();
        parts += &format!("{}\n{}\n", sha256(&edges), sha256(&weights));
    }
    for block in graph.features() {
        let values: Vec<u8> = block.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        parts += &format!("{} {} {}\n", block.name, block.dims, sha256(&values));
    }
    sha256(parts.as_bytes())
}

fn of_start(start: Option<&Start>) -> String {
    match start {
        Some(Start::Partition(partition)) => {
            let labels: Vec<u8> = partition.labels().iter().flat_map(|label| label.to_le_bytes()).collect();
            sha256(&labels)
        }
        Some(_) => "vector".to_string(),
        None => "none".to_string(),
    }
}
