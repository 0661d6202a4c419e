//! Label map and feature maps → graph whose weights fall with the gradient.

use crate::adjacency::Neighbourhood;
use crate::region_parts::RegionParts;
use segcut_core::{Context, FeatureMaps, GraphBuilder, LabelMap, RegionGraph, StageError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Neighbourhood and steepness of a gradient graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientParams {
    /// 4 or 8 neighbours per pixel; in three dimensions 6 or 26.
    pub connectivity: u8,
    /// Beyond 1, pixels within this distance are joined too.
    pub radius: f64,
    /// Steepness: weight = exp(−beta·g/s) + eps.
    pub beta: f64,
    /// The least weight.
    pub eps: f64,
}

impl Default for GradientParams {
    fn default() -> Self {
        Self { connectivity: 4, radius: 1.0, beta: 10.0, eps: 1e-6 }
    }
}

impl GradientParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        if ![4, 8].contains(&self.connectivity) {
            return Err(StageError::parameter("graph.connectivity", self.connectivity, "4 or 8"));
        }
        if !(1.0..=100.0).contains(&self.radius) {
            return Err(StageError::parameter("graph.radius", self.radius, "from 1 to 100 pixels"));
        }
        for (name, value) in [("graph.beta", self.beta), ("graph.eps", self.eps)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(StageError::parameter(name, value, "finite and at least 0"));
            }
        }
        Ok(())
    }

    /// exp(−beta·g/s) + eps per edge, s the standard deviation of all gradients, each twice, and all node values.
    ///
    /// That is the deviation of the stored entries of scikit-learn's `img_to_graph`, whose diagonal holds the pixels.
    pub(crate) fn weights(&self, gradients: &[f64], values: &[f64]) -> Vec<f64> {
        let count = (2 * gradients.len() + values.len()).max(1) as f64;
        let mean = (2.0 * gradients.iter().sum::<f64>() + values.iter().sum::<f64>()) / count;
        let square = |x: &f64| (x - mean) * (x - mean);
        let squares = 2.0 * gradients.iter().map(square).sum::<f64>() + values.iter().map(square).sum::<f64>();
        let spread = (squares / count).sqrt();
        let scaled = |g: f64| if g == 0.0 { 0.0 } else { self.beta * g / spread };
        gradients.iter().map(|&g| (-scaled(g)).exp() + self.eps).collect()
    }
}

/// Label map and feature maps → graph with weights exp(−beta·g/s) + eps.
///
/// scikit-learn's example of coins: there every pixel is a region, and the one map is gray. Here g is the
/// Euclidean distance of the means of two touching regions, and a region's value, for s, is the norm of its means.
///
/// # Examples
/// ```
/// use segcut_core::{Context, FeatureMap, GraphBuilder, Grid, LabelMap};
/// use segcut_graph::{Gradient, GradientParams};
/// let labels = LabelMap::new(1, 3, vec![0, 1, 2])?;
/// let gray = FeatureMap::held("gray", Grid::pixels(1, 3), 1, vec![0.5, 0.5, 1.0])?;
/// let graph = Gradient::new(GradientParams::default())?.build(&labels, &[gray], &Context::default())?;
/// let weights = graph.affinity().sparse().unwrap().weights();
/// assert_eq!(weights[0], 1.0 + 1e-6);
/// assert!(weights[1] < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gradient {
    params: GradientParams,
}

impl Gradient {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: GradientParams) -> Result<Self, StageError> {
        params.check()?;
        Ok(Self { params })
    }
}

impl GraphBuilder for Gradient {
    /// # Errors
    /// [`RagError`](crate::RagError) inside a [`StageError::Data`], where a map does not fit the label map.
    fn build(&self, labels: &LabelMap, maps: &FeatureMaps<'_>, _: &Context) -> Result<RegionGraph, StageError> {
        let hood = Neighbourhood { connectivity: self.params.connectivity, radius: self.params.radius };
        let parts = RegionParts::measure(labels, maps, &BTreeMap::new(), hood).map_err(StageError::data)?;
        let distances = parts.distances(|_| None);
        let gradients: Vec<f64> = distances.iter().map(|&d| f64::from(d)).collect();
        let means = parts.features.iter().filter(|block| block.bins.is_empty());
        let norms = means.fold(vec![0.0; labels.n()], |mut squares, block| {
            for (node, square) in squares.iter_mut().enumerate() {
                *square += block.row(node).iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
            }
            squares
        });
        let norms: Vec<f64> = norms.into_iter().map(f64::sqrt).collect();
        let weights = self.params.weights(&gradients, &norms);
        parts.graph(labels, weights, distances).map_err(StageError::data)
    }
}
