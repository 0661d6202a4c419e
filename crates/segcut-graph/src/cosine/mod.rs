//! Regions and feature maps → the dense graph of their features' cosines.

mod nearest_colors;

pub use nearest_colors::NearestColors;

use crate::RagError;
use crate::adjacency::{Neighbourhood, adjacency};
use crate::geometry::geometry;
use crate::pool::pool;
use ndarray::{Array2, ArrayView2, s};
use nearest_colors::count_links;
use segcut_core::{
    Affinity, AffinityError, Context, FeatureBlock, FeatureMaps, GraphBuilder, GraphError, LabelMap, RegionGraph,
    SparseAffinity, StageError, Stop,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most nodes of a graph that has an edge for every pair: 33.5 million edges.
const MAX_NODES: usize = 8192;

/// Rows of cosines that are computed together.
const ROWS: usize = 64;

/// Why regions and feature maps make no cosine graph.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CosineError {
    /// A map that the parameters name is not there.
    #[error("{parameter} names {name:?}, but the feature maps are {maps:?}")]
    NoSuchMap {
        /// The parameter.
        parameter: &'static str,
        /// The name in it.
        name: String,
        /// The maps there are.
        maps: Vec<String>,
    },
    /// Too many pairs of regions.
    #[error("{nodes} regions are too many for an edge between every two (at most {MAX_NODES}): use larger cells")]
    TooManyNodes {
        /// Regions.
        nodes: usize,
    },
    /// A map does not fit the labels.
    #[error(transparent)]
    Map(#[from] RagError),
    /// A weight is not finite.
    #[error(transparent)]
    Affinity(#[from] AffinityError),
    /// A column does not fit.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Parameters of [`Cosine`].
///
/// weight(i, j) = w(cos(fᵢ, fⱼ)) + neighbor_weight · links(i, j) + adjacency_weight · \[i touches j\], with
/// w(c) = c (or 1, where `binary`) for c above `threshold`, and `below` otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosineParams {
    /// The feature map whose vectors are compared.
    pub map: String,
    /// Cosines up to this count as `below`.
    pub threshold: f64,
    /// The weight in place of cosines up to the threshold; pairs of weight 0 have no edge.
    pub below: f64,
    /// Whether cosines above the threshold count as 1.
    pub binary: bool,
    /// The feature map of colors, for `neighbors`.
    pub neighbor_map: String,
    /// Factor of the number of links between regions of like color.
    pub neighbor_weight: f64,
    /// Added to the weight of regions that touch (8 neighbours per pixel).
    pub adjacency_weight: f64,
    /// How regions of like color are linked; none: they are not.
    pub neighbors: Vec<NearestColors>,
}

impl Default for CosineParams {
    fn default() -> Self {
        Self {
            map: "vit".to_string(),
            threshold: 0.0,
            below: 0.0,
            binary: false,
            neighbor_map: "color".to_string(),
            neighbor_weight: 10.0,
            adjacency_weight: 0.0,
            neighbors: Vec::new(),
        }
    }
}

/// Label map and feature maps → [`RegionGraph`] with an edge for every two regions of like features.
///
/// The graph of TokenCut (Wang et al., CVPR 2022, eq. 4: `binary`, threshold 0.2, `below` 1e-5) and of Deep Spectral
/// Methods (Melas-Kyriazi et al., CVPR 2022, section 3.2: threshold 0 and links of like colors), on the cells of a
/// network or on any other regions. Theirs have a diagonal; this one has none: the cut's `max_edge` stands for it. A
/// region without features (all zeros) has cosine 0 with every other.
///
/// The graph keeps the pooled features and the geometry; it has no edge columns.
///
/// # Errors
/// [`CosineError`] inside a [`StageError::Data`].
///
/// # Determinism
/// The same at any number of threads.
///
/// # Cost
/// O(n²·d) time and 16 bytes per edge, n at most 8,192.
///
/// # Examples
/// ```
/// use segcut_core::{Context, FeatureMap, GraphBuilder, Grid, LabelMap};
/// use segcut_graph::{Cosine, CosineParams};
/// let labels = LabelMap::new(1, 3, vec![0, 1, 2])?;
/// let map = FeatureMap::held("vit", Grid::pixels(1, 3), 2, vec![1.0, 0.0, 2.0, 0.0, 0.0, 5.0])?;
/// let params = CosineParams { binary: true, threshold: 0.2, below: 1e-5, ..CosineParams::default() };
/// let graph = Cosine::new(params)?.build(&labels, &[map], &Context::default())?;
/// assert_eq!(graph.affinity().sparse().unwrap().weights(), [1.0, 1e-5, 1e-5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cosine {
    params: CosineParams,
}

impl Cosine {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`] with the parameter's name.
    pub fn new(params: CosineParams) -> Result<Self, StageError> {
        if !(-1.0..=1.0).contains(&params.threshold) {
            return Err(StageError::parameter("graph.threshold", params.threshold, "a cosine, −1 to 1"));
        }
        let weights = [
            ("graph.below", params.below),
            ("graph.neighbor_weight", params.neighbor_weight),
            ("graph.adjacency_weight", params.adjacency_weight),
        ];
        let positions = params.neighbors.iter().map(|near| ("graph.neighbors.position", near.position));
        for (name, value) in weights.into_iter().chain(positions) {
            if !(value.is_finite() && value >= 0.0) {
                return Err(StageError::parameter(name, value, "finite and at least 0"));
            }
        }
        Ok(Self { params })
    }

    fn graph(&self, labels: &LabelMap, maps: &FeatureMaps<'_>, context: &Context) -> Result<RegionGraph, StageError> {
        if labels.n() > MAX_NODES {
            return Err(StageError::data(CosineError::TooManyNodes { nodes: labels.n() }));
        }
        let blocks = maps.iter().map(|map| pool(labels, map)).collect::<Result<Vec<_>, _>>();
        let blocks = blocks.map_err(StageError::data)?;
        let place = geometry(labels);
        let mut extra = Extra::default();
        if !self.params.neighbors.is_empty() {
            let colors = block("graph.neighbor_map", &self.params.neighbor_map, &blocks).map_err(StageError::data)?;
            for near in &self.params.neighbors {
                extra.add(count_links(colors, &place, near), self.params.neighbor_weight);
            }
        }
        if self.params.adjacency_weight > 0.0 {
            let touching = adjacency(labels, Neighbourhood { connectivity: 8, radius: 1.0 }, None).edges;
            extra.add(touching.into_iter().map(|pair| (pair, 1)).collect(), self.params.adjacency_weight);
        }
        let units = units(block("graph.map", &self.params.map, &blocks).map_err(StageError::data)?, labels.n());
        let (edges, weights) = self.edges(units.view(), extra.sorted(), context)?;
        let graph = SparseAffinity::new(labels.n(), edges, weights).map_err(StageError::data)?;
        let graph = RegionGraph::new(Affinity::Sparse(graph)).with_features(blocks).map_err(StageError::data)?;
        graph.with_geometry(place).map_err(StageError::data)
    }

    /// All pairs in order, block by block of rows.
    fn edges(&self, units: ArrayView2<'_, f32>, extra: Vec<Link>, context: &Context) -> Result<Edges, StageError> {
        let n = units.nrows();
        let (mut edges, mut weights) = (Vec::new(), Vec::new());
        let mut extra = extra.into_iter().peekable();
        for start in (0..n).step_by(ROWS) {
            if let stop @ (Stop::Cancelled | Stop::TimedOut) = context.stopped() {
                return Err(StageError::Stopped(stop));
            }
            let end = (start + ROWS).min(n);
            let cosines = units.slice(s![start..end, ..]).dot(&units.slice(s![start.., ..]).t());
            for u in start..end {
                for v in u + 1..n {
                    let pair = [u as u32, v as u32];
                    let mut weight = self.weight(f64::from(cosines[[u - start, v - start]]));
                    while let Some((_, more)) = extra.next_if(|(linked, _)| *linked == pair) {
                        weight += more;
                    }
                    if weight > 0.0 {
                        edges.push(pair);
                        weights.push(weight);
                    }
                }
            }
        }
        Ok((edges, weights))
    }

    fn weight(&self, cosine: f64) -> f64 {
        let CosineParams { threshold, below, binary, .. } = self.params;
        match (cosine > threshold, binary) {
            (false, _) => below,
            (true, true) => 1.0,
            (true, false) => cosine.max(0.0),
        }
    }
}

type Edges = (Vec<[u32; 2]>, Vec<f64>);
type Link = ([u32; 2], f64);

/// Weights on top of those of the cosines.
#[derive(Default)]
struct Extra(Vec<Link>);

impl Extra {
    fn add(&mut self, links: Vec<([u32; 2], u32)>, weight: f64) {
        self.0.extend(links.into_iter().map(|(pair, count)| (pair, weight * f64::from(count))));
    }

    /// By pair; links of one pair stay in the order in which they came.
    fn sorted(mut self) -> Vec<Link> {
        self.0.sort_by_key(|link| link.0);
        self.0
    }
}

fn block<'b>(parameter: &'static str, name: &str, blocks: &'b [FeatureBlock]) -> Result<&'b FeatureBlock, CosineError> {
    blocks.iter().find(|block| block.name == name).ok_or_else(|| CosineError::NoSuchMap {
        parameter,
        name: name.to_string(),
        maps: blocks.iter().map(|block| block.name.clone()).collect(),
    })
}

/// Rows of length 1; zeros stay.
fn units(block: &FeatureBlock, n: usize) -> Array2<f32> {
    let mut units = Array2::zeros((n, block.dims));
    for (node, mut row) in units.rows_mut().into_iter().enumerate() {
        let values = block.row(node);
        let length = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
        if length > 0.0 {
            row.iter_mut().zip(values).for_each(|(unit, &v)| *unit = (f64::from(v) / length) as f32);
        }
    }
    units
}

impl GraphBuilder for Cosine {
    /// # Errors
    /// [`CosineError`] inside a [`StageError::Data`].
    fn build(&self, labels: &LabelMap, maps: &FeatureMaps<'_>, context: &Context) -> Result<RegionGraph, StageError> {
        self.graph(labels, maps, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use segcut_core::{FeatureMap, Grid};

    fn built(params: CosineParams, labels: &LabelMap, maps: &FeatureMaps<'_>) -> SparseAffinity {
        let graph = Cosine::new(params).unwrap().build(labels, maps, &Context::default()).unwrap();
        assert_eq!(graph.geometry().unwrap().size.len(), labels.n());
        graph.affinity().sparse().unwrap().clone()
    }

    fn strip(name: &str, dims: usize, values: Vec<f32>) -> FeatureMap<'static> {
        FeatureMap::held(name, Grid::pixels(1, values.len() / dims), dims, values).unwrap()
    }

    #[test]
    fn touching_and_like_colored_regions_weigh_more() {
        let labels = LabelMap::new(1, 4, vec![0, 1, 2, 3]).unwrap();
        let keys = strip("vit", 2, vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        let colors = strip("color", 1, vec![0.0, 0.9, 0.05, 1.0]);
        let params = CosineParams {
            adjacency_weight: 0.5,
            neighbor_weight: 2.0,
            neighbors: vec![NearestColors { count: 1, position: 0.0 }],
            ..CosineParams::default()
        };
        let graph = built(params, &labels, &[keys, colors]);
        // 0 and 2, 1 and 3 are each other's nearest color: two links each.
        let half = f64::from(0.5f32.sqrt());
        let expected = [([0, 1], 0.5), ([0, 2], half + 4.0), ([1, 2], half + 0.5), ([1, 3], 4.0), ([2, 3], 0.5)];
        for ((pair, weight), (edge, found)) in expected.iter().zip(graph.edges().iter().zip(graph.weights())) {
            assert_eq!(pair, edge);
            assert!((weight - found).abs() < 1e-6, "{pair:?}: {found}");
        }
        assert_eq!(graph.edges().len(), 5);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(Cosine::new(CosineParams { threshold: 2.0, ..CosineParams::default() }).is_err());
        assert!(Cosine::new(CosineParams { below: f64::NAN, ..CosineParams::default() }).is_err());
        let refused = |labels: &LabelMap, params| {
            let maps = [strip("vit", 1, vec![0.0; labels.width()])];
            Cosine::new(params).unwrap().build(labels, &maps, &Context::default()).unwrap_err().to_string()
        };
        let one = LabelMap::new(1, 1, vec![0]).unwrap();
        let other = CosineParams { map: "color".into(), ..CosineParams::default() };
        assert_eq!(refused(&one, other), "graph.map names \"color\", but the feature maps are [\"vit\"]");
        let many = LabelMap::new(1, 9000, (0..9000).collect()).unwrap();
        assert!(refused(&many, CosineParams::default()).starts_with("9000 regions are too many"));
    }

    #[test]
    fn no_regions_and_one_region_have_no_edge() {
        for n in 0..2 {
            let labels = LabelMap::new(n, n, vec![0; n]).unwrap();
            let map = FeatureMap::held("vit", Grid::pixels(n, n), 1, vec![1.0; n]).unwrap();
            assert!(built(CosineParams::default(), &labels, &[map]).edges().is_empty());
        }
    }

    proptest! {
        #[test]
        fn blocks_of_rows_equal_the_formula(n in 1usize..150, seed in 0u32..99) {
            let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) ^ seed.wrapping_mul(97)) % 21;
            let values: Vec<f32> = (0..3 * n).map(|i| value(i) as f32 - 10.0).collect();
            let labels = LabelMap::new(1, n, (0..n as u32).collect()).unwrap();
            let params = CosineParams { threshold: 0.1037, below: 1e-5, ..CosineParams::default() };
            let graph = built(params, &labels, &[strip("vit", 3, values.clone())]);
            prop_assert_eq!(graph.edges().len(), n * (n - 1) / 2);
            for (&[u, v], &weight) in graph.edges().iter().zip(graph.weights()) {
                let row = |i: u32| values[3 * i as usize..][..3].iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
                let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
                let (a, b) = (row(u), row(v));
                let lengths = (dot(&a, &a) * dot(&b, &b)).sqrt();
                let cosine = if lengths > 0.0 { dot(&a, &b) / lengths } else { 0.0 };
                let expected = if cosine > 0.1037 { cosine } else { 1e-5 };
                prop_assert!((weight - expected).abs() < 1e-5, "{} {}", weight, expected);
            }
        }
    }
}
