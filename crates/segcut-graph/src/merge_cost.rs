//! Region graph → merge tree of its regions.

use crate::greedy_merging::Border;
use crate::region_merging::{BlockTerm, Regions, SizeFactor, region_merging};
use segcut_core::{MergeTree, MergeTreeError, RegionGraph, StageError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Why the regions of a graph cannot be merged.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum MergeCostError {
    /// A weight is given for a feature block that is not there.
    #[error("the merge weights name {name}, but the node features are {blocks:?}")]
    NoSuchBlock {
        /// The name in the parameters.
        name: String,
        /// The blocks there are.
        blocks: Vec<String>,
    },
    /// The affinity has no edges.
    #[error("merging needs a graph with edges, this one has a Gram affinity")]
    NoEdges,
    /// A strength or feature is NaN.
    #[error(transparent)]
    Tree(#[from] MergeTreeError),
}

/// What merging two regions costs: boundary · strength of their border + Σ weight · distance of their
/// features, times exp(Σ factor · √distance), times (smaller size / full size)^size_exponent up to 1.
///
/// Distances of histograms are chi-square, those of means Euclidean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MergeCost {
    /// Factor of the contour strength along the border.
    pub boundary: f64,
    /// Factor of each feature block's distance, by its map's name; blocks that are not named do not count.
    pub weights: BTreeMap<String, f64>,
    /// Exponents of the factor that each feature block's distance makes, by its map's name.
    pub factors: BTreeMap<String, f64>,
    /// How much small regions are favoured; 0 leaves sizes out.
    pub size_exponent: f64,
    /// The share of the image from which on a region is not small.
    pub full_share: f64,
}

impl Default for MergeCost {
    fn default() -> Self {
        let (weights, factors) = (BTreeMap::new(), BTreeMap::new());
        Self { boundary: 1.0, weights, factors, size_exponent: 0.25, full_share: 0.0065 }
    }
}

impl MergeCost {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn check(&self) -> Result<(), StageError> {
        let terms = [("cost.boundary", self.boundary), ("cost.size_exponent", self.size_exponent)];
        let weights = self.weights.values().map(|&w| ("cost.weights", w));
        let factors = self.factors.values().map(|&f| ("cost.factors", f));
        for (name, value) in terms.into_iter().chain(weights).chain(factors) {
            if !(value.is_finite() && value >= 0.0) {
                return Err(StageError::parameter(name, value, "finite and at least 0"));
            }
        }
        if !(self.full_share > 0.0 && self.full_share <= 1.0) {
            return Err(StageError::parameter("cost.full_share", self.full_share, "above 0 and at most 1"));
        }
        Ok(())
    }

    /// Greedy merging of the regions that touch; `more` is added to the strength of each edge.
    ///
    /// Edges without a border (farther neighbours) are left out; a graph without border lengths has a
    /// border of length 1 at every edge, one without geometry a size of 1 at every node.
    ///
    /// # Shapes
    /// `more` has one value per edge of the affinity.
    ///
    /// # Errors
    /// [`MergeCostError`].
    pub fn tree(&self, graph: &RegionGraph, more: Option<&[f64]>) -> Result<MergeTree, MergeCostError> {
        let blocks = self.blocks(graph)?;
        let edges = graph.affinity().sparse().ok_or(MergeCostError::NoEdges)?.edges();
        let columns = graph.edge_columns();
        let border = |(at, &nodes): (usize, &[u32; 2])| {
            let length = columns.border_length.as_ref().map_or(1.0, |column| f64::from(column[at]));
            let contour = columns.boundary_strength.as_ref().map_or(0.0, |column| f64::from(column[at]));
            Border { nodes, length, strength: self.boundary * contour + more.map_or(0.0, |more| more[at]) }
        };
        let borders: Vec<Border> = edges.iter().enumerate().map(border).filter(|b| b.length > 0.0).collect();
        let sizes = graph.geometry().map_or_else(|| vec![1.0; graph.n()], |geometry| geometry.size.clone());
        let full_size = self.full_share * sizes.iter().sum::<f64>();
        let regions = Regions { sizes: &sizes, borders: &borders, blocks: &blocks };
        Ok(region_merging(&regions, SizeFactor { full_size, exponent: self.size_exponent })?)
    }

    fn blocks<'g>(&self, graph: &'g RegionGraph) -> Result<Vec<BlockTerm<'g>>, MergeCostError> {
        let names: BTreeSet<&String> = self.weights.keys().chain(self.factors.keys()).collect();
        let value = |of: &BTreeMap<String, f64>, name: &str| of.get(name).copied().unwrap_or(0.0);
        let term = |name: &String| match graph.feature(name) {
            Some(block) => {
                Ok(BlockTerm { block, weight: value(&self.weights, name), exponent: value(&self.factors, name) })
            }
            None => {
                let blocks = graph.features().iter().map(|block| block.name.clone()).collect();
                Err(MergeCostError::NoSuchBlock { name: name.clone(), blocks })
            }
        };
        let all: Result<Vec<_>, _> = names.into_iter().map(term).collect();
        Ok(all?.into_iter().filter(|term| term.weight > 0.0 || term.exponent > 0.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{Affinity, EdgeColumns, FeatureBlock, SparseAffinity};

    fn graph() -> RegionGraph {
        let affinity = SparseAffinity::new(3, vec![[0, 1], [0, 2], [1, 2]], vec![1.0; 3]).unwrap();
        let block = FeatureBlock { name: "x".into(), dims: 1, values: vec![0.0, 5.0, 6.0], bins: vec![] };
        let columns = EdgeColumns {
            border_length: Some(vec![4.0, 0.0, 2.0]),
            boundary_strength: Some(vec![0.25, 0.0, 2.0]),
            feature_distance: None,
        };
        let graph = RegionGraph::new(Affinity::Sparse(affinity)).with_features(vec![block]).unwrap();
        graph.with_edge_columns(columns).unwrap()
    }

    #[test]
    fn terms_add_and_regions_that_do_not_touch_do_not_merge() {
        let cost = MergeCost { size_exponent: 0.0, ..MergeCost::default() };
        let heights = |cost: &MergeCost, more: Option<&[f64]>| {
            let tree = cost.tree(&graph(), more).unwrap();
            tree.merges().iter().map(|m| m.height).collect::<Vec<_>>()
        };
        assert_eq!(heights(&cost, None), [0.25, 2.0]);
        assert_eq!(heights(&cost, Some(&[9.0, 0.0, 1.0])), [3.0, 9.25]);
        let colored = MergeCost { weights: BTreeMap::from([("x".into(), 2.0)]), ..cost };
        assert_eq!(heights(&colored, None), [4.0, 2.0f64.mul_add(5.5, 0.25)]);
        let factor = MergeCost { factors: BTreeMap::from([("x".into(), 0.5)]), ..colored };
        let second = 2.0f64.mul_add(5.5, 0.25) * (0.5 * 5.5f64.sqrt()).exp();
        assert_eq!(heights(&factor, None), [4.0 * 0.5f64.exp(), second]);
    }

    #[test]
    fn unknown_blocks_are_named() {
        let cost = MergeCost { weights: BTreeMap::from([("lab".into(), 1.0)]), ..MergeCost::default() };
        let error = cost.tree(&graph(), None).unwrap_err().to_string();
        assert_eq!(error, "the merge weights name lab, but the node features are [\"x\"]");
        let cost = MergeCost { factors: BTreeMap::from([("lab".into(), 0.0)]), ..MergeCost::default() };
        assert!(cost.tree(&graph(), None).is_err());
        let cost = MergeCost { factors: BTreeMap::from([("x".into(), -1.0)]), ..MergeCost::default() };
        assert!(cost.check().unwrap_err().to_string().starts_with("cost.factors = -1"));
    }
}
