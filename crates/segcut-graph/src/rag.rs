//! Label map and feature maps → region graph.

use crate::adjacency::{Adjacency, Neighbourhood};
use crate::edge_weight::{Measured, Scale, Terms, weights};
use crate::region_parts::RegionParts;
use crate::ring::add_ring;
use segcut_core::{
    AffinityError, Context, ContourSumError, FeatureBlock, FeatureMaps, GraphBuilder, GraphError, LabelMap,
    RegionGraph, StageError,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a label map and feature maps make no graph.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RagError {
    /// A map of single pixels has another size than the labels.
    #[error("feature map {name} is {found:?}, the label map {labels:?} (rows, columns)")]
    Size {
        /// The map.
        name: String,
        /// Its rows and columns.
        found: [usize; 2],
        /// Rows and columns of the labels.
        labels: [usize; 2],
    },
    /// The contour maps do not fit.
    #[error(transparent)]
    Contour(#[from] ContourSumError),
    /// A weight is given for a map that is not there.
    #[error("graph.weights names {name}, but the feature maps are {maps:?}")]
    NoSuchMap {
        /// The name in the parameters.
        name: String,
        /// The maps there are.
        maps: Vec<String>,
    },
    /// No map codes colors of a palette.
    #[error("none of the feature maps {maps:?} is a palette")]
    NoPalette {
        /// The maps there are.
        maps: Vec<String>,
    },
    /// A map of ratios is not there, is no map of means, or has another number of channels.
    #[error(
        "graph.ratios gives {name} {channels} weights, but no feature map of that name has as many channels of means"
    )]
    Ratios {
        /// The name in the parameters.
        name: String,
        /// The weights given.
        channels: usize,
    },
    /// A weight is not finite.
    #[error(transparent)]
    Affinity(#[from] AffinityError),
    /// A column does not fit.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// What a region adjacency graph is made of.
///
/// weight = similarity(d) · exp(−contour_weight · strength / c) · (border / mean border)^border_exponent,
/// with d² = Σ over feature blocks of (block weight · Euclidean distance of the means)².
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RagParams {
    /// 4 or 8 neighbours per pixel, scikit-image's `connectivity` 1 or 2.
    pub connectivity: u8,
    /// Beyond 1, regions with pixels within this distance are joined too (pixel graphs of small images).
    pub radius: f64,
    /// How a feature distance becomes a similarity.
    pub scale: Scale,
    /// Factor of each feature map's distance, by the map's name. Not named: 1 for means, 0 (left out) for
    /// histograms.
    pub weights: BTreeMap<String, f64>,
    /// Maps that are added with these weights and averaged along borders instead of over regions; none: the map
    /// `contour`, where there is one.
    pub contours: BTreeMap<String, f64>,
    /// How strongly a contour along the border lowers the weight; 0 does not. c is 1 under a fixed
    /// scale, else the mean strength of the image's borders.
    pub contour_weight: f64,
    /// Exponent of the border length; 0 leaves it out.
    pub border_exponent: f64,
    /// Weight factor of edges to the neighbours' neighbours; 0 makes no such edges.
    pub ring: f64,
}

impl Default for RagParams {
    fn default() -> Self {
        Self {
            connectivity: 8,
            radius: 1.0,
            scale: Scale::Adaptive { factor: 1.0, quantile: 0.5 },
            weights: BTreeMap::new(),
            contours: BTreeMap::new(),
            contour_weight: 0.0,
            border_exponent: 0.0,
            ring: 0.0,
        }
    }
}

/// Region adjacency graph (Trémeau & Colantoni 2000): label map and feature maps → [`RegionGraph`].
///
/// Nodes are the labels below n: an empty one is an isolated node, a region may lie in several
/// parts, and VOID pixels are in no region. With one region per pixel this is the grid graph of the
/// image. scikit-image's `rag_mean_color(mode="similarity")` is a fixed scale and
/// one map of RGB in 0 to 255; there regions 1 … n are our 0 … n − 1.
///
/// The graph keeps the pooled features, all three edge columns (boundary strength where a contour
/// map was given) and the geometry.
///
/// # Cost
/// Linear in pixels · (neighbours + feature dimensions), plus sorting the edges. Maps are read in
/// bands of about a million pixels.
///
/// # Examples
/// ```
/// use segcut_core::{Context, FeatureMap, GraphBuilder, Grid, LabelMap};
/// use segcut_graph::{Rag, RagParams, Scale};
/// let labels = LabelMap::new(1, 4, vec![0, 0, 1, 1])?;
/// let gray = FeatureMap::held("gray", Grid::pixels(1, 4), 1, vec![1.0, 3.0, 4.0, 6.0])?;
/// let rag = Rag::new(RagParams { scale: Scale::Fixed { sigma: 9.0 }, ..RagParams::default() })?;
/// let graph = rag.build(&labels, &[gray], &Context::default())?;
/// let weights = graph.affinity().sparse().unwrap().weights();
/// assert!((weights[0] - (-1.0f64).exp()).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rag {
    params: RagParams,
}

impl Rag {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: RagParams) -> Result<Self, StageError> {
        if ![4, 8].contains(&params.connectivity) {
            return Err(StageError::parameter("graph.connectivity", params.connectivity, "4 or 8"));
        }
        if !(1.0..=100.0).contains(&params.radius) {
            return Err(StageError::parameter("graph.radius", params.radius, "from 1 to 100 pixels"));
        }
        check_scale(&params.scale)?;
        let terms = [
            ("graph.contour_weight", params.contour_weight),
            ("graph.ring", params.ring),
            ("graph.border_exponent", params.border_exponent),
        ];
        let weights = params.weights.values().map(|&w| ("graph.weights", w));
        let contours = params.contours.values().map(|&w| ("graph.contours", w));
        for (name, value) in terms.into_iter().chain(weights).chain(contours) {
            if !(value.is_finite() && value >= 0.0) {
                return Err(StageError::parameter(name, value, "finite and at least 0"));
            }
        }
        Ok(Self { params })
    }

    fn graph(&self, labels: &LabelMap, maps: &FeatureMaps<'_>) -> Result<RegionGraph, RagError> {
        self.check_names(maps)?;
        let hood = Neighbourhood { connectivity: self.params.connectivity, radius: self.params.radius };
        let mut parts = RegionParts::measure(labels, maps, &self.params.contours, hood)?;
        let far = (self.params.ring > 0.0).then(|| add_ring(labels.n(), &mut parts.found));
        let named = |block: &FeatureBlock| self.params.weights.get(&block.name).copied();
        let distance = parts.distances(named);
        let mut weights = self.weights(labels.n(), &parts.found, &distance);
        for (weight, _) in weights.iter_mut().zip(far.iter().flatten()).filter(|(_, far)| **far) {
            *weight *= self.params.ring;
        }
        parts.graph(labels, weights, distance)
    }

    fn check_names(&self, maps: &FeatureMaps<'_>) -> Result<(), RagError> {
        for name in self.params.weights.keys() {
            if !maps.iter().any(|map| map.name() == name) {
                let maps = maps.iter().map(|map| map.name().to_owned()).collect();
                return Err(RagError::NoSuchMap { name: name.clone(), maps });
            }
        }
        Ok(())
    }

    fn weights(&self, n: usize, found: &Adjacency, distance: &[f32]) -> Vec<f64> {
        let measured = Measured {
            n,
            edges: &found.edges,
            distance,
            border_length: &found.border_length,
            strength: found.boundary_strength.as_deref(),
        };
        let RagParams { scale, contour_weight, border_exponent, .. } = &self.params;
        weights(&measured, &Terms { scale, contour_weight: *contour_weight, border_exponent: *border_exponent })
    }
}

impl GraphBuilder for Rag {
    /// # Errors
    /// [`RagError`] inside a [`StageError::Data`], where a map does not fit the label map.
    fn build(&self, labels: &LabelMap, maps: &FeatureMaps<'_>, _: &Context) -> Result<RegionGraph, StageError> {
        self.graph(labels, maps).map_err(StageError::data)
    }
}

fn check_scale(scale: &Scale) -> Result<(), StageError> {
    let (name, value) = match *scale {
        Scale::Fixed { sigma } => ("graph.scale.sigma", sigma),
        Scale::Adaptive { factor, .. } | Scale::Local { factor } => ("graph.scale.factor", factor),
    };
    if !(value.is_finite() && value > 0.0) {
        return Err(StageError::parameter(name, value, "finite and above 0"));
    }
    match *scale {
        Scale::Adaptive { quantile, .. } if !(0.0..=1.0).contains(&quantile) => {
            Err(StageError::parameter("graph.scale.quantile", quantile, "from 0 to 1"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{FeatureMap, Grid};

    fn strip() -> LabelMap {
        LabelMap::with_n(1, 6, vec![0, 0, 1, 1, 2, 2], 4).unwrap()
    }

    fn map(name: &str, values: [f32; 6]) -> FeatureMap<'static> {
        FeatureMap::held(name, Grid::pixels(1, 6), 1, values.to_vec()).unwrap()
    }

    #[test]
    fn blocks_combine_by_weight_and_the_contour_is_no_block() {
        let weights = BTreeMap::from([("a".to_owned(), 3.0), ("c".to_owned(), 0.0)]);
        let rag = Rag::new(RagParams { weights, ..RagParams::default() }).unwrap();
        let maps = [
            map("a", [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]),
            map("b", [0.0, 0.0, 4.0, 4.0, 0.0, 0.0]),
            map("c", [0.0, 9.0, 0.0, 0.0, 0.0, 0.0]),
            map("contour", [0.0, 0.5, 0.25, 0.0, 0.0, 0.0]),
        ];
        let graph = rag.build(&strip(), &maps, &Context::default()).unwrap();
        assert_eq!(graph.n(), 4);
        assert_eq!(graph.affinity().sparse().unwrap().edges(), [[0, 1], [1, 2]]);
        let columns = graph.edge_columns();
        assert_eq!(columns.feature_distance, Some(vec![5.0, 4.0]));
        assert_eq!(columns.boundary_strength, Some(vec![0.5, 0.0]));
        assert_eq!(columns.border_length, Some(vec![1.0, 1.0]));
        let names: Vec<_> = graph.features().iter().map(|block| block.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(graph.geometry().unwrap().size, [2.0, 2.0, 2.0, 0.0]);
    }

    #[test]
    fn the_ring_joins_the_ends_of_a_strip() {
        let rag = Rag::new(RagParams { ring: 0.25, ..RagParams::default() }).unwrap();
        let graph = rag.build(&strip(), &[map("a", [1.0; 6])], &Context::default()).unwrap();
        let sparse = graph.affinity().sparse().unwrap();
        assert_eq!(sparse.edges(), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(sparse.weights(), [1.0, 0.25, 1.0]);
    }

    #[test]
    fn no_maps_and_no_pixels_are_defined() {
        let rag = Rag::new(RagParams::default()).unwrap();
        assert_eq!(
            rag.build(&strip(), &[], &Context::default()).unwrap().affinity().sparse().unwrap().weights(),
            [1.0, 1.0]
        );
        let empty = LabelMap::new(0, 0, vec![]).unwrap();
        assert_eq!(rag.build(&empty, &[], &Context::default()).unwrap().n(), 0);
    }

    #[test]
    fn bad_parameters_and_maps_are_named() {
        let refused = |params: RagParams| Rag::new(params).unwrap_err().to_string();
        let base = RagParams::default;
        assert!(refused(RagParams { connectivity: 5, ..base() }).starts_with("graph.connectivity = 5"));
        assert!(refused(RagParams { radius: 0.5, ..base() }).starts_with("graph.radius = 0.5"));
        assert!(refused(RagParams { ring: f64::NAN, ..base() }).starts_with("graph.ring = NaN"));
        let scale = Scale::Fixed { sigma: 0.0 };
        assert!(refused(RagParams { scale, ..base() }).starts_with("graph.scale.sigma = 0"));
        let weights = BTreeMap::from([("lab".to_owned(), 1.0)]);
        let rag = Rag::new(RagParams { weights, ..base() }).unwrap();
        let error = rag.build(&strip(), &[map("rgb", [0.0; 6])], &Context::default()).unwrap_err().to_string();
        assert_eq!(error, "graph.weights names lab, but the feature maps are [\"rgb\"]");
        let short = FeatureMap::held("contour", Grid::pixels(1, 5), 1, vec![0.0; 5]).unwrap();
        let error = Rag::new(base()).unwrap().build(&strip(), &[short], &Context::default()).unwrap_err().to_string();
        assert!(error.starts_with("contour map contour must hold values per pixel"), "{error}");
    }

    #[test]
    fn single_pixels_are_the_grid_graph() {
        let labels = LabelMap::new(2, 3, (0..6).collect()).unwrap();
        let four = Rag::new(RagParams { connectivity: 4, ..RagParams::default() }).unwrap();
        let graph = four.build(&labels, &[], &Context::default()).unwrap();
        assert_eq!(
            graph.affinity().sparse().unwrap().edges(),
            [[0, 1], [0, 3], [1, 2], [1, 4], [2, 5], [3, 4], [4, 5]]
        );
        let far = Rag::new(RagParams { radius: 2.0, ..RagParams::default() }).unwrap();
        assert_eq!(
            far.build(&labels, &[], &Context::default()).unwrap().affinity().sparse().unwrap().edges().len(),
            13
        );
    }
}
