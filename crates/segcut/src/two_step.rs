//! Two-step cutting: foreground and background first, then the parts of each.

use crate::registry::{Built, Registry};
use crate::section::resolved;
use crate::{RecipeError, Section};
use segcut_core::{Clusterer, Clustering, Context, Note, Partition, RegionGraph, StageError, Status};
use segcut_graph::subgraph;
use serde::{Deserialize, Serialize};

/// What is cut again, and how the foreground is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoStepParams {
    /// Whether the background is cut into parts as well.
    pub parts_of_background: bool,
}

impl Default for TwoStepParams {
    fn default() -> Self {
        Self { parts_of_background: false }
    }
}

/// A clusterer that wraps two others: `first` splits the graph in two, the side that lies less on
/// the image's frame is the foreground, and `second` cuts the foreground's subgraph into parts.
///
/// Source: Aflalo et al., DeepCut (ICCVW 2023), section 3.4; theirs tells the foreground by the
/// image's corners, this by the share of the frame that each side holds, and by the smaller size where
/// the graph has no geometry.
///
/// Background is cluster 0, the parts follow from 1. Where `first` makes one cluster, or the
/// foreground has one node, there is nothing to cut again.
pub struct TwoStep {
    params: TwoStepParams,
    first: Box<dyn Clusterer>,
    second: Box<dyn Clusterer>,
}

impl std::fmt::Debug for TwoStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TwoStep").field("params", &self.params).finish_non_exhaustive()
    }
}

impl TwoStep {
    /// Wraps two clusterers.
    pub fn new(params: TwoStepParams, first: Box<dyn Clusterer>, second: Box<dyn Clusterer>) -> Self {
        Self { params, first, second }
    }

    fn parts(&self, graph: &RegionGraph, nodes: &[u32], context: &Context) -> Result<Clustering, StageError> {
        if nodes.len() < 2 {
            return Ok(Clustering::converged(Partition::whole(nodes.len())));
        }
        let part = subgraph(graph, nodes).map_err(StageError::data)?;
        self.second.cluster(&part, context)
    }
}

impl Clusterer for TwoStep {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let first = self.first.cluster(graph, context)?;
        let side = foreground_side(graph, &first.partition);
        let is_foreground: Vec<bool> = first.partition.labels().iter().map(|&l| Some(l) == side).collect();
        let mut result = Clustering { tree: None, soft: None, ..first };
        let mut labels = vec![0u32; graph.n()];
        let mut next = 1;
        for (foreground, cut) in [(true, true), (false, self.params.parts_of_background)] {
            let nodes: Vec<u32> = (0..graph.n() as u32).filter(|&i| is_foreground[i as usize] == foreground).collect();
            if !cut || nodes.is_empty() {
                continue;
            }
            let parts = self.parts(graph, &nodes, context)?;
            let base = if foreground { next } else { next - 1 };
            for (&node, &label) in nodes.iter().zip(parts.partition.labels()) {
                labels[node as usize] = if foreground || label > 0 { base + label } else { 0 };
            }
            next = base + parts.partition.k() as u32;
            result.notes.extend(parts.notes);
            result.status = worse(result.status, parts.status);
        }
        let k = labels.iter().max().map_or(0, |&l| l as usize + 1);
        result.notes.retain(|note| !matches!(note, Note::KChosen(_)));
        result.partition = Partition::new(labels, k).map_err(StageError::data)?;
        Ok(result)
    }
}

/// The cluster with the smaller mean share of the frame; none where there is one cluster.
fn foreground_side(graph: &RegionGraph, partition: &Partition) -> Option<u32> {
    let sizes = partition.sizes();
    let present: Vec<u32> = (0..partition.k() as u32).filter(|&c| sizes[c as usize] > 0).collect();
    if present.len() < 2 {
        return None;
    }
    let score = |cluster: u32| -> f64 {
        let members = partition.labels().iter().enumerate().filter(|&(_, &l)| l == cluster).map(|(i, _)| i);
        match graph.geometry() {
            Some(geometry) => members.map(|i| geometry.border_share[i]).sum(),
            None => members.count() as f64,
        }
    };
    present.into_iter().min_by(|&a, &b| score(a).total_cmp(&score(b)))
}

fn worse(a: Status, b: Status) -> Status {
    if a == Status::Converged { b } else { a }
}

/// Reads `first` and `second` as clusterers of their own.
pub(crate) fn build(registry: &Registry, mut section: Section<'_>) -> Result<Built<dyn Clusterer>, RecipeError> {
    let mut nested = |key: &'static str| match section.take(key)? {
        Some(inner) => registry.build_cluster(inner),
        None => {
            let must = "a table with a kind, such as kind = \"ncut\"";
            Err(section.refused(StageError::parameter(key, "(absent)", must)))
        }
    };
    let (first, second) = (nested("first")?, nested("second")?);
    let params: TwoStepParams = section.params()?;
    let mut table = resolved(&section, &params)?;
    table.insert("first".into(), first.resolved.into());
    table.insert("second".into(), second.resolved.into());
    Ok(Built { stage: Box::new(TwoStep::new(params, first.stage, second.stage)), resolved: table })
}
