//! What every region graph is made of, whatever its weights.

use crate::RagError;
use crate::adjacency::{Adjacency, Neighbourhood, adjacency};
use crate::geometry::geometry;
use crate::pool::pool;
use segcut_core::{
    Affinity, ContourSum, EdgeColumns, FeatureBlock, FeatureMaps, LabelMap, RegionGraph, SparseAffinity,
};
use std::collections::BTreeMap;

/// Pooled features and measured borders.
pub(crate) struct RegionParts {
    pub(crate) features: Vec<FeatureBlock>,
    pub(crate) found: Adjacency,
}

impl RegionParts {
    /// Pools every map that is no contour over the regions, and the contours' sum along their borders.
    pub(crate) fn measure(
        labels: &LabelMap,
        maps: &FeatureMaps<'_>,
        contours: &BTreeMap<String, f64>,
        hood: Neighbourhood,
    ) -> Result<Self, RagError> {
        let sum = ContourSum::of(maps, contours, [labels.height(), labels.width()])?;
        let pooled = maps.iter().filter(|map| !ContourSum::names(contours, map.name()));
        let features = pooled.map(|map| pool(labels, map)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { features, found: adjacency(labels, hood, sum.as_ref()) })
    }

    /// d of every edge; blocks that are not `named` count once where they are means, and not where they are
    /// histograms.
    pub(crate) fn distances(&self, named: impl Fn(&FeatureBlock) -> Option<f64>) -> Vec<f32> {
        let unnamed = |block: &FeatureBlock| if block.bins.is_empty() { 1.0 } else { 0.0 };
        let weighted = self.features.iter().map(|block| (block, named(block).unwrap_or_else(|| unnamed(block))));
        let blocks: Vec<_> = weighted.filter(|(_, w)| *w > 0.0).collect();
        let distance = |&[u, v]: &[u32; 2]| {
            let squares = blocks.iter().map(|(block, w)| w * w * squared_distance(block, u, v));
            squares.sum::<f64>().sqrt() as f32
        };
        self.found.edges.iter().map(distance).collect()
    }

    /// The graph with these weights, in the order of the edges.
    pub(crate) fn graph(
        self,
        labels: &LabelMap,
        weights: Vec<f64>,
        distance: Vec<f32>,
    ) -> Result<RegionGraph, RagError> {
        let columns = EdgeColumns {
            border_length: Some(self.found.border_length),
            boundary_strength: self.found.boundary_strength,
            feature_distance: Some(distance),
        };
        let affinity = SparseAffinity::new(labels.n(), self.found.edges, weights)?;
        let graph = RegionGraph::new(Affinity::Sparse(affinity)).with_features(self.features)?;
        Ok(graph.with_edge_columns(columns)?.with_geometry(geometry(labels))?)
    }
}

fn squared_distance(block: &FeatureBlock, u: u32, v: u32) -> f64 {
    let rows = (block.row(u as usize), block.row(v as usize));
    rows.0.iter().zip(rows.1).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}
