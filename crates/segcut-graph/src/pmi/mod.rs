//! Palettes of colors → region graph by pointwise mutual information.

mod near_pairs;
mod pixel_grid;
mod table;

pub use pixel_grid::pmi_grid;
pub use table::{PmiTable, pmi_table};

use crate::RagError;
use crate::adjacency::{Adjacency, Neighbourhood};
use crate::region_parts::RegionParts;
use near_pairs::near_pairs;
use segcut_core::{
    Context, FeatureBlock, FeatureMap, FeatureMaps, Geometry, GraphBuilder, LabelMap, RegionGraph, StageError,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Parameters of [`Pmi`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PmiParams {
    /// Regions with centroids within this many region sides are joined, beside those that touch.
    pub radius: f64,
    /// Standard deviation of the Gaussian in the distance of the centroids, in region sides; 0 for none.
    pub decay: f64,
    /// Factor of the mutual information in the exponent.
    pub exponent: f64,
    /// How the table of the palette's colors is made.
    pub table: PmiTable,
    /// Neighbours of a pixel, by which regions touch: 4 or 8.
    pub connectivity: u8,
    /// Maps that are added with these weights and averaged along borders instead of over regions; none: the map
    /// `contour`, where there is one.
    pub contours: BTreeMap<String, f64>,
}

impl Default for PmiParams {
    fn default() -> Self {
        Self {
            radius: 3.0,
            decay: 1.5,
            exponent: 2.0,
            table: PmiTable::default(),
            connectivity: 4,
            contours: BTreeMap::new(),
        }
    }
}

/// Label map and palettes → region graph whose weights say how often two regions' colors lie side by
/// side, beyond chance.
///
/// Isola et al., Crisp boundary detection using pointwise mutual information, ECCV 2014, from pixels to
/// regions: with the table PMI of the palette's colors ([`pmi_table`]) and the palette histograms h of
/// the regions, E_ij = h_iᵀ·PMI·h_j is the mean over all pairs of their pixels, and
///
/// weight = exp(exponent · (ΣE_ij − median)) · exp(−distance² / 2·(decay · side)²),
///
/// summed over all palettes among the maps, where the side is the root of the mean region size. Two
/// colors of one texture attract each other though they differ; no scale parameter is needed.
///
/// All maps are pooled and kept as [`Rag`](crate::Rag) does; regions that do not touch have border length and
/// boundary strength 0. An empty region is an isolated node.
///
/// # Cost
/// O(cells + K³) per palette of K colors, O(n·radius²) pairs.
#[derive(Debug, Clone)]
pub struct Pmi {
    params: PmiParams,
}

impl Pmi {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: PmiParams) -> Result<Self, StageError> {
        if ![4, 8].contains(&params.connectivity) {
            return Err(StageError::parameter("graph.connectivity", params.connectivity, "4 or 8"));
        }
        if !(0.0..=100.0).contains(&params.radius) {
            return Err(StageError::parameter("graph.radius", params.radius, "from 0 to 100 region sides"));
        }
        let contours = params.contours.values().map(|&w| ("graph.contours", w));
        let terms = [("graph.decay", params.decay), ("graph.exponent", params.exponent)];
        for (name, value) in terms.into_iter().chain(contours) {
            if !(0.0..=100.0).contains(&value) {
                return Err(StageError::parameter(name, value, "from 0 to 100"));
            }
        }
        params.table.check()?;
        Ok(Self { params })
    }

    fn graph(&self, labels: &LabelMap, maps: &FeatureMaps<'_>) -> Result<RegionGraph, RagError> {
        let hood = Neighbourhood { connectivity: self.params.connectivity, radius: 1.0 };
        let mut parts = RegionParts::measure(labels, maps, &self.params.contours, hood)?;
        let place = crate::geometry(labels);
        let side = region_side(&place);
        add_pairs(&mut parts.found, near_pairs(&place, self.params.radius * side));
        let mut information = vec![0.0; parts.found.edges.len()];
        let palettes: Vec<_> = maps.iter().filter(|map| is_palette(map)).collect();
        if palettes.is_empty() {
            return Err(RagError::NoPalette { maps: maps.iter().map(|map| map.name().to_owned()).collect() });
        }
        for map in palettes {
            let table = pmi_table(map, &self.params.table);
            if let Some(block) = parts.features.iter().find(|block| block.name == map.name()) {
                add_information(block, &table, &parts.found.edges, &mut information);
            }
        }
        let weights = self.weights(&parts.found.edges, &information, &place, side);
        let distance = parts.distances(|_| None);
        parts.graph(labels, weights, distance)
    }

    fn weights(&self, edges: &[[u32; 2]], information: &[f64], place: &Geometry, side: f64) -> Vec<f64> {
        let middle = median(information);
        let spread = self.params.decay * side;
        let weight = |(&[u, v], &e): (&[u32; 2], &f64)| {
            let [a, b] = [u, v].map(|node| place.centroid[node as usize]);
            let squared = (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
            let decay = if spread > 0.0 { squared / (2.0 * spread * spread) } else { 0.0 };
            (self.params.exponent * (e - middle) - decay).exp()
        };
        edges.iter().zip(information).map(weight).collect()
    }
}

impl GraphBuilder for Pmi {
    /// # Errors
    /// [`RagError`] inside a [`StageError::Data`], where a map does not fit the label map or none is a palette.
    fn build(&self, labels: &LabelMap, maps: &FeatureMaps<'_>, _: &Context) -> Result<RegionGraph, StageError> {
        self.graph(labels, maps).map_err(StageError::data)
    }
}

fn is_palette(map: &FeatureMap<'_>) -> bool {
    map.codes().is_some_and(|codes| codes.codebook().is_some())
}

/// The root of the mean size of the regions that have pixels.
fn region_side(place: &Geometry) -> f64 {
    let regions = place.size.iter().filter(|&&size| size > 0.0).count();
    (place.size.iter().sum::<f64>() / regions.max(1) as f64).sqrt()
}

/// Adds edges without a border.
fn add_pairs(found: &mut Adjacency, pairs: Vec<[u32; 2]>) {
    let strength = |i: usize| found.boundary_strength.as_ref().map_or(0.0, |s| s[i]);
    let touching = found.edges.iter().enumerate().map(|(i, &edge)| (edge, found.border_length[i], strength(i)));
    let mut rows: Vec<_> = touching.chain(pairs.into_iter().map(|pair| (pair, 0.0, 0.0))).collect();
    // The sort is stable: of two equal edges, the one with a border comes first and is kept.
    rows.sort_by_key(|row| row.0);
    rows.dedup_by_key(|row| row.0);
    found.edges = rows.iter().map(|row| row.0).collect();
    found.border_length = rows.iter().map(|row| row.1).collect();
    found.boundary_strength = found.boundary_strength.is_some().then(|| rows.iter().map(|row| row.2).collect());
}

/// Adds h_uᵀ·table·h_v per edge. Few of a region's bins are filled, so rows are kept as (bin, share).
fn add_information(block: &FeatureBlock, table: &ndarray::Array2<f64>, edges: &[[u32; 2]], sums: &mut [f64]) {
    let n = block.values.len() / block.dims;
    let filled = |node: usize| {
        let bins = block.row(node).iter().enumerate().filter(|(_, share)| **share > 0.0);
        bins.map(|(bin, &share)| (bin, f64::from(share))).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<(usize, f64)>> = (0..n).map(filled).collect();
    let mut product = vec![0.0; block.dims];
    let mut at = 0;
    for from in edges.chunk_by(|a, b| a[0] == b[0]) {
        product.fill(0.0);
        for &(bin, share) in &rows[from[0][0] as usize] {
            product.iter_mut().zip(table.row(bin)).for_each(|(sum, value)| *sum += share * value);
        }
        for &[_, v] in from {
            sums[at] += rows[v as usize].iter().map(|&(bin, share)| share * product[bin]).sum::<f64>();
            at += 1;
        }
    }
}

/// The value at rank (len − 1) / 2; 0 of nothing.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    if values.is_empty() {
        return 0.0;
    }
    let rank = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

#[cfg(test)]
mod tests;
