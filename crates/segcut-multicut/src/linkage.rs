//! How unlike two neighboring regions are, and what becomes of it when regions merge.

use segcut_core::{RegionGraph, StageError};
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
    /// (border_weight·strength + feature_weight·‖fₐ − f_b‖)·(min(nₐ, n_b) / n̄)^size_power.
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

/// Weights of the parts of [`Linkage::Region`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RegionWeights {
    pub(crate) border: f64,
    pub(crate) feature: f64,
    pub(crate) size_power: f64,
}

/// What two regions share; sums of lengths and of what is weighted by them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Border {
    length: f64,
    weighted: f64,
}

impl Border {
    pub(crate) fn join(&mut self, other: Self) {
        self.length += other.length;
        self.weighted += other.weighted;
    }

    fn mean(self) -> f64 {
        if self.length > 0.0 { self.weighted / self.length } else { 0.0 }
    }
}

/// Sizes and feature sums of regions, by slot; merged regions live on in one of their slots.
#[derive(Debug)]
pub(crate) struct Regions {
    linkage: Linkage,
    weights: RegionWeights,
    mean_size: f64,
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
        weights: RegionWeights,
        feature: &str,
    ) -> Result<(Self, Vec<Border>), LinkageError> {
        let affinity = graph.affinity().sparse().ok_or(LinkageError::NoEdges)?;
        let n = graph.n();
        let size = graph.geometry().map_or_else(|| vec![1.0; n], |g| g.size.clone());
        let mean_size = size.iter().sum::<f64>() / n.max(1) as f64;
        let needs_features = match linkage {
            Linkage::Mean | Linkage::Ward => true,
            Linkage::Region => weights.feature != 0.0,
            Linkage::Border | Linkage::Affinity => false,
        };
        let (dims, sums) = if needs_features { feature_sums(graph, linkage, feature, &size)? } else { (0, Vec::new()) };
        let largest_weight = affinity.weights().iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let regions = Self { linkage, weights, mean_size, largest_weight, size, dims, sums };
        let borders = borders(graph, linkage, weights, affinity.weights())?;
        Ok((regions, borders))
    }

    /// Slot `gone` goes into slot `kept`.
    pub(crate) fn join(&mut self, kept: usize, gone: usize) {
        self.size[kept] += self.size[gone];
        for d in 0..self.dims {
            self.sums[kept * self.dims + d] += self.sums[gone * self.dims + d];
        }
    }

    /// How unlike the regions in two slots are; never NaN.
    pub(crate) fn unlike(&self, a: usize, b: usize, border: Border) -> f64 {
        let (size_a, size_b) = (self.size[a], self.size[b]);
        match self.linkage {
            Linkage::Mean => self.distance(a, b),
            Linkage::Ward if size_a + size_b > 0.0 => {
                (size_a * size_b / (size_a + size_b)).sqrt() * self.distance(a, b)
            }
            Linkage::Ward => 0.0,
            Linkage::Border => border.mean(),
            Linkage::Region => {
                let w = &self.weights;
                let features = if w.feature == 0.0 { 0.0 } else { w.feature * self.distance(a, b) };
                let share = if self.mean_size > 0.0 { size_a.min(size_b) / self.mean_size } else { 1.0 };
                (w.border * border.mean() + features) * share.powf(w.size_power)
            }
            Linkage::Affinity => self.largest_weight - border.mean(),
        }
    }

    fn distance(&self, a: usize, b: usize) -> f64 {
        let row = |slot: usize| &self.sums[slot * self.dims..(slot + 1) * self.dims];
        let scale = |slot: usize| if self.size[slot] > 0.0 { self.size[slot].recip() } else { 0.0 };
        let (scale_a, scale_b) = (scale(a), scale(b));
        let squares = row(a).iter().zip(row(b)).map(|(x, y)| (x * scale_a - y * scale_b).powi(2));
        squares.sum::<f64>().sqrt()
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

fn borders(
    graph: &RegionGraph,
    linkage: Linkage,
    weights: RegionWeights,
    affinity: &[f64],
) -> Result<Vec<Border>, LinkageError> {
    if linkage == Linkage::Affinity {
        return Ok(affinity.iter().map(|&w| Border { length: 1.0, weighted: w }).collect());
    }
    let columns = graph.edge_columns();
    let length = |edge: usize| columns.border_length.as_ref().map_or(1.0, |l| f64::from(l[edge]));
    let needs_strength = linkage == Linkage::Border || linkage == Linkage::Region && weights.border != 0.0;
    let strength = match &columns.boundary_strength {
        Some(strength) => Some(strength),
        None if needs_strength => return Err(LinkageError::NoStrength { linkage }),
        None => None,
    };
    let border = |edge: usize| {
        let length = length(edge);
        Border { length, weighted: strength.map_or(0.0, |s| f64::from(s[edge]) * length) }
    };
    Ok((0..affinity.len()).map(border).collect())
}
