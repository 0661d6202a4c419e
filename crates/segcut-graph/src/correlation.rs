//! Regions and feature maps → the dense graph of their features' products.

use crate::RagError;
use crate::geometry::geometry;
use crate::pool::pool;
use ndarray::{Array2, Axis};
use segcut_core::{
    Affinity, Context, FeatureBlock, FeatureMaps, GramAffinity, GraphBuilder, LabelMap, RegionGraph, StageError,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The product that makes a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Similarity {
    /// fᵢ·fⱼ.
    #[default]
    Dot,
    /// fᵢ·fⱼ / (‖fᵢ‖·‖fⱼ‖); a region without features has weight 0.
    Cosine,
}

/// What happens to products below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Negative {
    /// They become 0 and the rest is divided by the largest: for cuts.
    #[default]
    Zero,
    /// They stay: for correlation clustering, whose bias is the clusterer's.
    Keep,
}

/// Parameters of [`Correlation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorrelationParams {
    /// The product.
    pub similarity: Similarity,
    /// What happens to products below zero.
    pub negative: Negative,
    /// Whether the mean over all regions is taken away first: features such as colors are all positive.
    pub center: bool,
    /// Factor of each feature map, by its name. Not named: 1 for means, 0 (left out) for histograms.
    pub weights: BTreeMap<String, f64>,
}

impl Default for CorrelationParams {
    fn default() -> Self {
        Self { similarity: Similarity::Dot, negative: Negative::Zero, center: false, weights: BTreeMap::new() }
    }
}

/// Label map and feature maps → [`RegionGraph`] with W = F·Fᵀ over all pairs, kept as factors.
///
/// Aflalo et al., DeepCut (ICCVW 2023), section 3.1: products of patch features, thresholded at 0 and divided by
/// the largest for the cut, as they are for correlation clustering. The diagonal belongs to W, as published. The
/// graph keeps the pooled features (not centered, not scaled) and the geometry; it has no edge columns.
///
/// # Errors
/// Where a map does not fit the labels, or `weights` names a map that is not there.
///
/// # Cost
/// That of pooling; the matrix is never formed here.
///
/// # Examples
/// ```
/// use segcut_core::{Affinity, Context, FeatureMap, GraphBuilder, Grid, LabelMap};
/// use segcut_graph::{Correlation, CorrelationParams};
/// let labels = LabelMap::new(1, 3, vec![0, 1, 2])?;
/// let map = FeatureMap::held("x", Grid::pixels(1, 3), 1, vec![1.0, 2.0, -4.0])?;
/// let graph = Correlation::new(CorrelationParams::default())?.build(&labels, &[map], &Context::default())?;
/// let Affinity::Gram(gram) = graph.affinity() else { unreachable!() };
/// assert_eq!([gram.weight(0, 1), gram.weight(0, 2), gram.weight(2, 2)], [0.125, 0.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    params: CorrelationParams,
}

impl Correlation {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] where a weight is below 0 or not finite.
    pub fn new(params: CorrelationParams) -> Result<Self, StageError> {
        if let Some(weight) = params.weights.values().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(StageError::parameter("graph.weights", weight, "finite and at least 0"));
        }
        Ok(Self { params })
    }

    fn graph(&self, labels: &LabelMap, maps: &FeatureMaps<'_>) -> Result<RegionGraph, RagError> {
        for name in self.params.weights.keys() {
            if !maps.iter().any(|map| map.name() == name) {
                let maps = maps.iter().map(|map| map.name().to_owned()).collect();
                return Err(RagError::NoSuchMap { name: name.clone(), maps });
            }
        }
        let blocks = maps.iter().map(|map| pool(labels, map)).collect::<Result<Vec<_>, _>>()?;
        let gram = GramAffinity {
            factors: self.factors(labels.n(), &blocks),
            clip: self.params.negative == Negative::Zero,
            shift: 0.0,
            diagonal: None,
        };
        let graph = RegionGraph::new(Affinity::Gram(gram)).with_features(blocks)?;
        Ok(graph.with_geometry(geometry(labels))?)
    }

    fn factors(&self, n: usize, blocks: &[FeatureBlock]) -> Array2<f32> {
        let unnamed = |block: &FeatureBlock| if block.bins.is_empty() { 1.0 } else { 0.0 };
        let factor = |block: &FeatureBlock| self.params.weights.get(&block.name).copied().unwrap_or(unnamed(block));
        let used: Vec<_> = blocks.iter().map(|block| (block, factor(block) as f32)).filter(|(_, w)| *w > 0.0).collect();
        let dims = used.iter().map(|(block, _)| block.dims).sum();
        let mut factors = Array2::zeros((n, dims));
        for (node, mut row) in factors.rows_mut().into_iter().enumerate() {
            let values = used.iter().flat_map(|(block, weight)| block.row(node).iter().map(move |x| x * weight));
            row.iter_mut().zip(values).for_each(|(place, value)| *place = value);
        }
        if let (true, Some(mean)) = (self.params.center, factors.mean_axis(Axis(0))) {
            factors -= &mean;
        }
        let norm = |row: ndarray::ArrayView1<'_, f32>| row.dot(&row).sqrt();
        if self.params.similarity == Similarity::Cosine {
            for mut row in factors.rows_mut() {
                let length = norm(row.view());
                divide(&mut row, length);
            }
        } else if self.params.negative == Negative::Zero {
            // The largest product is on the diagonal (Cauchy & Schwarz).
            let largest = factors.rows().into_iter().map(norm).fold(0.0, f32::max);
            factors.rows_mut().into_iter().for_each(|mut row| divide(&mut row, largest));
        }
        factors
    }
}

/// A row over a number; over 0 it stays.
fn divide(row: &mut ndarray::ArrayViewMut1<'_, f32>, by: f32) {
    if by > 0.0 {
        row.mapv_inplace(|x| x / by);
    }
}

impl GraphBuilder for Correlation {
    /// # Errors
    /// [`RagError`] inside a [`StageError::Data`], where a map does not fit the label map.
    fn build(&self, labels: &LabelMap, maps: &FeatureMaps<'_>, _: &Context) -> Result<RegionGraph, StageError> {
        self.graph(labels, maps).map_err(StageError::data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{FeatureMap, Grid};

    fn built(params: CorrelationParams) -> GramAffinity {
        let labels = LabelMap::new(1, 3, vec![0, 1, 2]).unwrap();
        let map = FeatureMap::held("x", Grid::pixels(1, 3), 2, vec![3.0, 4.0, 0.0, 1.0, 0.0, 0.0]).unwrap();
        let graph = Correlation::new(params).unwrap().build(&labels, &[map], &Context::default()).unwrap();
        assert_eq!((graph.features()[0].values.len(), graph.geometry().unwrap().size.len()), (6, 3));
        match graph.affinity() {
            Affinity::Gram(gram) => gram.clone(),
            Affinity::Sparse(_) => panic!("dense"),
        }
    }

    #[test]
    fn products_and_cosines_are_those_of_the_pooled_features() {
        let keep = built(CorrelationParams { negative: Negative::Keep, ..CorrelationParams::default() });
        assert_eq!([keep.weight(0, 0), keep.weight(0, 1), keep.weight(0, 2)], [25.0, 4.0, 0.0]);
        let cosine = built(CorrelationParams { similarity: Similarity::Cosine, ..CorrelationParams::default() });
        assert!((cosine.weight(0, 1) - 0.8).abs() < 1e-6 && cosine.weight(2, 2) == 0.0);
        let doubled = BTreeMap::from([("x".to_owned(), 2.0)]);
        let weights = CorrelationParams { weights: doubled, negative: Negative::Keep, ..CorrelationParams::default() };
        assert_eq!(built(weights).weight(0, 1), 16.0);
    }

    #[test]
    fn centered_features_have_products_of_both_signs() {
        let params = CorrelationParams { center: true, negative: Negative::Keep, ..CorrelationParams::default() };
        let gram = built(params);
        let sum: f64 = (0..3).map(|j| gram.weight(0, j)).sum();
        assert!(sum.abs() < 1e-5 && gram.weight(0, 2) < 0.0);
    }

    #[test]
    fn bad_weights_and_names_are_refused() {
        let weights = |name: &str, w| BTreeMap::from([(name.to_owned(), w)]);
        assert!(Correlation::new(CorrelationParams { weights: weights("x", -1.0), ..Default::default() }).is_err());
        let graph = Correlation::new(CorrelationParams { weights: weights("y", 1.0), ..Default::default() }).unwrap();
        let labels = LabelMap::new(1, 1, vec![0]).unwrap();
        let error = graph.build(&labels, &[], &Context::default()).unwrap_err().to_string();
        assert_eq!(error, "graph.weights names y, but the feature maps are []");
    }
}
