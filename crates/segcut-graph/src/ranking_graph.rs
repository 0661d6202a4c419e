//! Palettes of colors → region graph for ranking regions against the frame.

use crate::RagError;
use crate::adjacency::{Adjacency, Neighbourhood};
use crate::kernel_distance::KernelDistance;
use crate::region_parts::RegionParts;
use crate::ring::add_ring;
use crate::sides::sides;
use segcut_core::{Context, FeatureBlock, FeatureMaps, GraphBuilder, LabelMap, RegionGraph, StageError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Keeps regions that touch joined, whatever their colors.
const FLOOR: f64 = 1e-7;

/// Added to means before their ratio is taken.
const LEAST: f32 = 0.5;

/// Parameters of [`RankingGraph`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RankingGraphParams {
    /// Colors that are further apart than this, in units of the palette, are just different.
    pub sigma: f64,
    /// The color distance at which a weight has fallen to 1/e.
    pub scale: f64,
    /// How strongly a contour between two regions lowers their weight; 0 does not.
    pub contour_weight: f64,
    /// Added to the mean contour strength by which strengths are divided, in units of the contour map.
    pub contour_floor: f64,
    /// Weight factor of regions that share a neighbour and do not touch.
    pub far: f64,
    /// Weight factor of regions that only the frame joins.
    pub frame: f64,
    /// Maps that are added with these weights and averaged along borders instead of over regions; none: the map
    /// `contour`, where there is one.
    pub contours: BTreeMap<String, f64>,
    /// Maps of which the ratio of two regions' means counts, with one weight per channel.
    pub ratios: BTreeMap<String, Vec<f64>>,
}

impl Default for RankingGraphParams {
    fn default() -> Self {
        Self {
            sigma: 20.0,
            scale: 3.5,
            contour_weight: 1.0,
            contour_floor: 0.5,
            far: 0.5,
            frame: 0.5,
            contours: BTreeMap::new(),
            ratios: BTreeMap::new(),
        }
    }
}

/// Label map and palettes → graph in which background reaches the frame.
///
/// Regions are joined where they touch, where they share a neighbour, and where both lie at the frame, after C. Yang et
/// al., "Saliency detection via graph-based manifold ranking", CVPR 2013, section 4.1. The weight is not theirs:
///
/// weight = exp(−d / scale) · exp(−R) · exp(−contour_weight · E / (Ē + contour_floor)) · (1, `far` or `frame`),
///
/// with d the distance of the regions' kernel mean colors (root of the sum of squares over all palettes among the
/// maps; without a palette, the distance of the means of all maps that are no `ratios`), R the sum over the channels of the
/// `ratios` of their weight times |ln((a + ½) / (b + ½))| for the regions' means a and b, E the mean contour strength
/// along the border, over a shared neighbour the larger of the two on the way where that is smallest, and Ē its mean
/// over borders, which also stands in where regions meet at the frame alone; without a map of contours, E = 0.
///
/// The numbers of the recipe `foreground` are not these defaults: they were fitted to masks
/// (`tests/peers/pipeline/fit_ranking.py`).
///
/// All maps are pooled and kept as [`Rag`](crate::Rag) does; block [`sides`](crate::sides) is added. The column of feature
/// distances holds d; border length is 0 for pairs that do not touch.
///
/// # Cost
/// O(pixels + n·K² + E·K) for palettes of K colors; the regions at the frame are all joined to each other.
///
/// # Examples
/// ```
/// use segcut_core::{Codes, Context, FeatureMap, GraphBuilder, Grid, LabelMap};
/// use segcut_graph::{RankingGraph, RankingGraphParams};
/// let labels = LabelMap::new(1, 3, vec![0, 1, 2])?;
/// let book = ndarray::Array2::from_shape_vec((2, 1), vec![0.0f32, 1.0])?;
/// let codes = Codes::palette(book).expect("two colors");
/// let map = FeatureMap::held("palette", Grid::pixels(1, 3), 1, vec![0.0, 1.0, 0.0])?.with_codes(codes);
/// let graph = RankingGraph::new(RankingGraphParams::default())?.build(&labels, &[map], &Context::default())?;
/// let weights = graph.affinity().sparse().unwrap().weights();
/// // 0–1 and 1–2 differ by 1 in color, 0–2 have the same color and do not touch.
/// assert!((weights[0] - (-1.0f64 / 3.5).exp()).abs() < 1e-3 && (weights[1] - 0.5).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RankingGraph {
    params: RankingGraphParams,
}

impl RankingGraph {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: RankingGraphParams) -> Result<Self, StageError> {
        let positive = [("graph.sigma", params.sigma), ("graph.scale", params.scale)];
        if let Some((name, value)) = positive.into_iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            return Err(StageError::parameter(name, value, "finite and above 0"));
        }
        let others = [
            ("graph.contour_weight", params.contour_weight),
            ("graph.contour_floor", params.contour_floor),
            ("graph.far", params.far),
            ("graph.frame", params.frame),
        ];
        let contours = params.contours.values().map(|&w| ("graph.contours", w));
        let ratios = params.ratios.values().flatten().map(|&w| ("graph.ratios", w));
        match others.into_iter().chain(contours).chain(ratios).find(|(_, v)| !(v.is_finite() && *v >= 0.0)) {
            Some((name, value)) => Err(StageError::parameter(name, value, "finite and at least 0")),
            None => Ok(Self { params }),
        }
    }

    fn graph(&self, labels: &LabelMap, maps: &FeatureMaps<'_>) -> Result<RegionGraph, RagError> {
        let hood = Neighbourhood { connectivity: 4, radius: 1.0 };
        let mut parts = RegionParts::measure(labels, maps, &self.params.contours, hood)?;
        let at_frame = sides(labels);
        let mean = mean_strength(&parts.found);
        add_ring(labels.n(), &mut parts.found);
        let by_frame = add_frame(&mut parts.found, &at_frame, mean);
        let distance = self.color_distances(&parts, maps)?;
        let ratios = self.ratios(&parts)?;
        let weights = self.weights(&parts.found, [&distance, &ratios], mean, &by_frame);
        parts.features.push(at_frame);
        parts.graph(labels, weights, distance)
    }

    fn color_distances(&self, parts: &RegionParts, maps: &FeatureMaps<'_>) -> Result<Vec<f32>, RagError> {
        let mut squares = vec![0.0f64; parts.found.edges.len()];
        let mut palettes = 0;
        for map in maps.iter() {
            let block = parts.features.iter().find(|block| block.name == map.name());
            let book = map.codes().and_then(|codes| codes.codebook());
            let (Some(block), Some(book)) = (block, book) else { continue };
            palettes += 1;
            let distance = KernelDistance::new(block, book, self.params.sigma);
            squares.iter_mut().zip(&parts.found.edges).for_each(|(sum, &edge)| *sum += distance.between(edge).powi(2));
        }
        let is_ratio = |block: &FeatureBlock| self.params.ratios.contains_key(&block.name);
        if palettes == 0 && !parts.features.iter().all(is_ratio) {
            return Ok(parts.distances(|block| is_ratio(block).then_some(0.0)));
        }
        if palettes == 0 {
            return Err(RagError::NoPalette { maps: maps.iter().map(|map| map.name().to_owned()).collect() });
        }
        Ok(squares.into_iter().map(|square| square.sqrt() as f32).collect())
    }

    /// R of every edge.
    fn ratios(&self, parts: &RegionParts) -> Result<Vec<f32>, RagError> {
        let mut sums = vec![0.0f32; parts.found.edges.len()];
        for (name, weights) in &self.params.ratios {
            let block = parts.features.iter().find(|block| &block.name == name && block.bins.is_empty());
            let block = block.filter(|block| block.dims == weights.len());
            let block = block.ok_or_else(|| RagError::Ratios { name: name.clone(), channels: weights.len() })?;
            let logs: Vec<f32> = block.values.iter().map(|&mean| (mean.max(0.0) + LEAST).ln()).collect();
            let row = |node: u32| &logs[node as usize * block.dims..][..block.dims];
            for (sum, &[u, v]) in sums.iter_mut().zip(&parts.found.edges) {
                let pairs = row(u).iter().zip(row(v)).zip(weights);
                *sum += pairs.map(|((a, b), &weight)| weight as f32 * (a - b).abs()).sum::<f32>();
            }
        }
        Ok(sums)
    }

    fn weights(&self, found: &Adjacency, [distance, ratios]: [&[f32]; 2], mean: f32, by_frame: &[bool]) -> Vec<f64> {
        let RankingGraphParams { scale, contour_weight, contour_floor, far, frame, .. } = self.params;
        let divisor = (f64::from(mean) + contour_floor).max(f64::MIN_POSITIVE);
        let weight = |i: usize| {
            let strength = found.boundary_strength.as_ref().map_or(0.0, |s| f64::from(s[i]));
            let apart = f64::from(distance[i]) / scale + f64::from(ratios[i]) + contour_weight * strength / divisor;
            match found.border_length[i] > 0.0 {
                true => (-apart).exp() + FLOOR,
                false if by_frame[i] => frame * (-apart).exp(),
                false => far * (-apart).exp(),
            }
        };
        (0..found.edges.len()).map(weight).collect()
    }
}

impl GraphBuilder for RankingGraph {
    /// # Errors
    /// [`RagError`] inside a [`StageError::Data`], where a map does not fit the label map, or there is none but contours.
    fn build(&self, labels: &LabelMap, maps: &FeatureMaps<'_>, _: &Context) -> Result<RegionGraph, StageError> {
        self.graph(labels, maps).map_err(StageError::data)
    }
}

/// The mean contour strength over borders; 0 where there is none.
fn mean_strength(found: &Adjacency) -> f32 {
    let strength = found.boundary_strength.as_deref().unwrap_or_default();
    let sum: f64 = strength.iter().map(|&s| f64::from(s)).sum();
    (sum / strength.len().max(1) as f64) as f32
}

/// Joins all regions at the frame to each other, with this contour strength where they were not joined; tells which edges
/// are new.
fn add_frame(found: &mut Adjacency, sides: &FeatureBlock, strength: f32) -> Vec<bool> {
    let n = sides.values.len() / 4;
    let at_frame: Vec<u32> = (0..n as u32).filter(|&node| sides.row(node as usize).contains(&1.0)).collect();
    let of_edge = |i: usize| found.boundary_strength.as_ref().map_or(0.0, |s| s[i]);
    let mut rows: Vec<_> =
        found.edges.iter().enumerate().map(|(i, &edge)| (edge, found.border_length[i], of_edge(i), false)).collect();
    for (at, &u) in at_frame.iter().enumerate() {
        rows.extend(at_frame[at + 1..].iter().map(|&v| ([u, v], 0.0, strength, true)));
    }
    // The sort is stable: of two equal edges, the one that was there is first and is kept.
    rows.sort_by_key(|row| row.0);
    rows.dedup_by_key(|row| row.0);
    found.edges = rows.iter().map(|row| row.0).collect();
    found.border_length = rows.iter().map(|row| row.1).collect();
    found.boundary_strength = found.boundary_strength.is_some().then(|| rows.iter().map(|row| row.2).collect());
    rows.into_iter().map(|row| row.3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{Codes, FeatureMap, Grid};

    /// 5×5 single pixels in two colors: a bright one in the middle.
    fn parts() -> (LabelMap, [FeatureMap<'static>; 2]) {
        let labels = LabelMap::new(5, 5, (0..25).collect()).unwrap();
        let book = ndarray::Array2::from_shape_vec((2, 1), vec![0.0f32, 7.0]).unwrap();
        let codes = (0..25).map(|i| f32::from(u8::from(i == 12))).collect();
        let palette = FeatureMap::held("palette", Grid::pixels(5, 5), 1, codes).unwrap();
        let contour = FeatureMap::held("contour", Grid::pixels(5, 5), 1, vec![2.0; 25]).unwrap();
        (labels, [palette.with_codes(Codes::palette(book).unwrap()), contour])
    }

    #[test]
    fn weights_by_hand() {
        let (labels, maps) = parts();
        let graph = RankingGraph::new(RankingGraphParams::default()).unwrap();
        let graph = graph.build(&labels, &maps, &Context::default()).unwrap();
        let sparse = graph.affinity().sparse().unwrap();
        let weight = |u, v| sparse.edges().iter().position(|&e| e == [u, v]).map(|i| sparse.weights()[i]);
        let contour = (-2.0 / 2.5f64).exp();
        assert!((weight(7, 8).unwrap() - contour - FLOOR).abs() < 1e-12);
        assert!((weight(6, 8).unwrap() - 0.5 * contour).abs() < 1e-12);
        // Opposite corners meet at the frame; a frame pixel and the middle, three steps away, do not.
        assert!((weight(0, 24).unwrap() - 0.5 * contour).abs() < 1e-12);
        assert_eq!(weight(0, 12), None);
        let different = 20.0 * (2.0 - 2.0 * (-49.0f64 / 800.0).exp()).sqrt();
        let expected = (-different / 3.5).exp() * contour + FLOOR;
        assert!((weight(11, 12).unwrap() - expected).abs() < 1e-6);
        assert_eq!(graph.feature(crate::SIDES).unwrap().row(12), [0.0; 4]);
    }

    #[test]
    fn ratios_and_the_frame_by_hand() {
        let (labels, [palette, _]) = parts();
        let values = (0..25).flat_map(|i| [f32::from(u8::from(i == 0)), 3.0]).collect();
        let detail = FeatureMap::held("detail", Grid::pixels(5, 5), 2, values).unwrap();
        let ratios = BTreeMap::from([("detail".to_owned(), vec![2.0, 5.0])]);
        let params = RankingGraphParams { ratios, frame: 0.25, ..RankingGraphParams::default() };
        let builder = RankingGraph::new(params.clone()).unwrap();
        let graph = builder.build(&labels, &[palette, detail], &Context::default()).unwrap();
        let sparse = graph.affinity().sparse().unwrap();
        let weight = |u, v| sparse.edges().iter().position(|&e| e == [u, v]).map(|i| sparse.weights()[i]);
        // (1 + ½) / (0 + ½) = 3, to the power of −2; the second channel is the same everywhere.
        assert!((weight(0, 1).unwrap() - 1.0 / 9.0 - FLOOR).abs() < 1e-6);
        assert!((weight(0, 2).unwrap() - 0.5 / 9.0).abs() < 1e-6);
        assert!((weight(0, 24).unwrap() - 0.25 / 9.0).abs() < 1e-6);
        let refused = builder.build(&labels, &parts().1, &Context::default()).unwrap_err().to_string();
        assert!(refused.contains("detail") && refused.contains('2'), "{refused}");
        let bad = RankingGraphParams { ratios: BTreeMap::from([("x".to_owned(), vec![-1.0])]), ..params };
        assert!(RankingGraph::new(bad).is_err());
    }

    #[test]
    fn a_palette_is_needed_and_parameters_are_checked() {
        let (labels, [_, contour]) = parts();
        let graph = RankingGraph::new(RankingGraphParams::default()).unwrap();
        assert!(graph.build(&labels, &[contour], &Context::default()).is_err());
        let bad = RankingGraphParams { scale: 0.0, ..RankingGraphParams::default() };
        assert!(RankingGraph::new(bad).unwrap_err().to_string().starts_with("graph.scale = 0"));
    }

    #[test]
    fn tiny_and_void_maps_have_a_graph() {
        for labels in [vec![segcut_core::VOID; 4], vec![0; 4], vec![0, 1, 1, 0]] {
            let labels = LabelMap::new(2, 2, labels).unwrap();
            let book = ndarray::Array2::zeros((1, 1));
            let map = FeatureMap::held("palette", Grid::pixels(2, 2), 1, vec![0.0; 4]).unwrap();
            let map = map.with_codes(Codes::palette(book).unwrap());
            let graph = RankingGraph::new(RankingGraphParams::default()).unwrap();
            assert_eq!(graph.build(&labels, &[map], &Context::default()).unwrap().n(), labels.n());
        }
    }
}
