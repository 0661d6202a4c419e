//! How unlike two neighboring regions are, and what becomes of it when regions merge.

use segcut_core::{RegionGraph, SparseAffinity, StageError};
use segcut_graph::{Border, PairCost};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How unlike two neighboring regions a and b are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Linkage {
    /// ‖fₐ − f_b‖ of the mean features: scikit-image's `merge_hierarchical` on mean color.
    Mean,
    /// √(nₐ·n_b / (nₐ + n_b))·‖fₐ − f_b‖: the root of the growth of the squared error (Ward 1963).
    Ward,
    /// The mean contour strength along the common border, weighted by its length.
    Border,
    /// The sum of border, features and sizes of [`MergeCost`](segcut_graph::MergeCost).
    #[default]
    Region,
    /// The largest weight of the graph − the mean weight of the edges between a and b: average linkage over
    /// existing edges, for graphs without images.
    Affinity,
}

/// Why regions cannot be merged by a linkage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkageError {
    /// A Gram affinity where edges are needed.
    #[error("merging needs a graph with edges; this affinity is given by factors")]
    NoEdges,
    /// No features, or none of this name.
    #[error("linkage {linkage:?} needs node features{}", name_of(.name))]
    NoFeatures {
        /// The linkage.
        linkage: Linkage,
        /// The block that was asked for; empty for all.
        name: String,
    },
    /// No contour strength on the edges.
    #[error("linkage {linkage:?} needs the contour strength of borders, which this graph does not have")]
    NoStrength {
        /// The linkage.
        linkage: Linkage,
    },
}

fn name_of(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" named {name:?}") }
}

impl From<LinkageError> for StageError {
    fn from(error: LinkageError) -> Self {
        Self::data(error)
    }
}

/// Sizes and feature sums of regions, by slot; merged regions live on in one of their slots.
#[derive(Debug)]
pub(crate) struct Regions {
    linkage: Linkage,
    largest_weight: f64,
    size: Vec<f64>,
    dims: usize,
    sums: Vec<f64>,
}

impl Regions {
    /// The regions and the border of every edge; `feature` names one block, empty takes all side by side.
    pub(crate) fn new(
        graph: &RegionGraph,
        linkage: Linkage,
        feature: &str,
    ) -> Result<(Self, Vec<Border>), LinkageError> {
        let affinity = graph.affinity().sparse().ok_or(LinkageError::NoEdges)?;
        let n = graph.n();
        let size = graph.geometry().map_or_else(|| vec![1.0; n], |g| g.size.clone());
        let needs_features = matches!(linkage, Linkage::Mean | Linkage::Ward);
        let (dims, sums) = if needs_features { feature_sums(graph, linkage, feature, &size)? } else { (0, Vec::new()) };
        let largest_weight = affinity.weights().iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let regions = Self { linkage, largest_weight, size, dims, sums };
        let borders = borders(graph, linkage, affinity)?;
        Ok((regions, borders))
    }

    fn distance(&self, a: usize, b: usize) -> f64 {
        let row = |slot: usize| &self.sums[slot * self.dims..(slot + 1) * self.dims];
        let scale = |slot: usize| if self.size[slot] > 0.0 { self.size[slot].recip() } else { 0.0 };
        let (scale_a, scale_b) = (scale(a), scale(b));
        let squares = row(a).iter().zip(row(b)).map(|(x, y)| (x * scale_a - y * scale_b).powi(2));
        squares.sum::<f64>().sqrt()
    }
}

impl PairCost for Regions {
    fn cost(&self, a: usize, b: usize, strength: f64) -> f64 {
        let (size_a, size_b) = (self.size[a], self.size[b]);
        match self.linkage {
            Linkage::Mean => self.distance(a, b),
            Linkage::Ward if size_a + size_b > 0.0 => {
                (size_a * size_b / (size_a + size_b)).sqrt() * self.distance(a, b)
            }
            Linkage::Ward => 0.0,
            Linkage::Border | Linkage::Region => strength,
            Linkage::Affinity => self.largest_weight - strength,
        }
    }

    fn join(&mut self, keep: usize, gone: usize) {
        self.size[keep] += self.size[gone];
        for d in 0..self.dims {
            self.sums[keep * self.dims + d] += self.sums[gone * self.dims + d];
        }
    }
}

fn feature_sums(
    graph: &RegionGraph,
    linkage: Linkage,
    feature: &str,
    size: &[f64],
) -> Result<(usize, Vec<f64>), LinkageError> {
    let missing = || LinkageError::NoFeatures { linkage, name: feature.to_owned() };
    let blocks: Vec<_> = match feature {
        "" => graph.features().iter().collect(),
        name => vec![graph.feature(name).ok_or_else(missing)?],
    };
    let dims: usize = blocks.iter().map(|b| b.dims).sum();
    if dims == 0 {
        return Err(missing());
    }
    let mut sums = Vec::with_capacity(graph.n() * dims);
    for (node, &size) in size.iter().enumerate() {
        sums.extend(blocks.iter().flat_map(|b| b.row(node)).map(|&x| f64::from(x) * size));
    }
    Ok((dims, sums))
}

fn borders(graph: &RegionGraph, linkage: Linkage, affinity: &SparseAffinity) -> Result<Vec<Border>, LinkageError> {
    let edges = affinity.edges().iter().enumerate();
    if linkage == Linkage::Affinity {
        let border = |(at, &nodes)| Border { nodes, length: 1.0, strength: affinity.weights()[at] };
        return Ok(edges.map(border).collect());
    }
    let columns = graph.edge_columns();
    let strength = columns.boundary_strength.as_ref();
    if strength.is_none() && linkage == Linkage::Border {
        return Err(LinkageError::NoStrength { linkage });
    }
    let border = |(at, &nodes)| Border {
        nodes,
        length: columns.border_length.as_ref().map_or(1.0, |column| f64::from(column[at])),
        strength: strength.map_or(0.0, |column| f64::from(column[at])),
    };
    Ok(edges.map(border).collect())
}
