//! Likeness to the place with the least attention.

use segcut_core::{Evidence, FeatureMap, LabelMap, VOID};
use thiserror::Error;

/// Why the background cannot be found by attention.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AttentionError {
    /// No extractor gave attention.
    #[error("cue = \"attention\" needs features with attention ([[features]] kind = \"vit\")")]
    NoAttention,
    /// The graph has no features that can be compared.
    #[error("cue = \"attention\" needs a graph that keeps its features")]
    NoFeatures,
}

/// Cosine, −1 to 1, of every superpixel's features to those of the superpixel with the least attention.
///
/// O. Siméoni et al., "Unsupervised object localization: observing the background to discover objects", CVPR 2023,
/// section 3.1, without the weights of the attention heads, which no map holds: what looks like the place that nothing
/// attends to is background.
pub(super) fn likeness_to_seed(evidence: &Evidence<'_>) -> Result<Vec<f64>, AttentionError> {
    let attention = evidence.attention.ok_or(AttentionError::NoAttention)?;
    let means = means(attention, evidence.superpixels);
    let blocks: Vec<_> = evidence.graph.features().iter().filter(|b| b.bins.is_empty() && b.dims > 0).collect();
    if blocks.is_empty() || evidence.graph.n() != means.len() {
        return Err(AttentionError::NoFeatures);
    }
    let present = means.iter().enumerate().filter(|(_, mean)| mean.is_finite());
    let seed = present.min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(seed, _)| seed);
    let product = |a: usize, b: usize| -> f64 {
        let of_block = |block: &&segcut_core::FeatureBlock| -> f64 {
            block.row(a).iter().zip(block.row(b)).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
        };
        blocks.iter().map(of_block).sum()
    };
    let length = |node: usize| product(node, node).sqrt().max(f64::MIN_POSITIVE);
    Ok((0..means.len()).map(|node| product(node, seed) / (length(node) * length(seed))).collect())
}

/// The mean of a map's nearest cells over every superpixel; NaN for those without pixels.
fn means(map: &FeatureMap<'_>, superpixels: &LabelMap) -> Vec<f64> {
    let (grid, dims) = (map.grid(), map.dims());
    let mut values = vec![0.0; grid.rows * grid.cols * dims];
    map.read_rows(0..grid.rows, &mut values);
    let nearest = |pixel: usize, axis: usize, cells: usize| {
        let at = ((pixel as f64 - grid.origin[axis]) / grid.step[axis]).round();
        (at.max(0.0) as usize).min(cells.saturating_sub(1))
    };
    let mut sums = vec![(0.0, 0.0); superpixels.n()];
    for (at, &name) in superpixels.labels().iter().enumerate().filter(|(_, name)| **name != VOID) {
        let (y, x) = (at / superpixels.width(), at % superpixels.width());
        let cell = nearest(y, 0, grid.rows) * grid.cols + nearest(x, 1, grid.cols);
        let sum = &mut sums[name as usize];
        *sum = (sum.0 + f64::from(values[cell * dims]), sum.1 + 1.0);
    }
    sums.into_iter().map(|(sum, pixels): (f64, f64)| sum / pixels).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{
        Affinity, Clustering, ColorSpace, FeatureBlock, Grid, Image, Partition, RegionGraph, Samples, SparseAffinity,
    };

    #[test]
    fn what_looks_like_the_place_of_least_attention_is_background() {
        let superpixels = LabelMap::new(1, 6, vec![0, 0, 1, 1, 2, 2]).unwrap();
        let image = Image::new(1, 6, ColorSpace::Gray, Samples::U8(vec![0; 6])).unwrap();
        let block =
            FeatureBlock { name: "vit".into(), dims: 2, values: vec![2.0, 0.0, 0.0, 3.0, 1.0, 1.0], bins: vec![] };
        let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(3, vec![], vec![]).unwrap()));
        let bare = graph.clone();
        let graph = graph.with_features(vec![block]).unwrap();
        let clustering = Clustering::converged(Partition::singletons(3));
        // Patches of two pixels.
        let grid = Grid { rows: 1, cols: 3, step: [2.0; 2], origin: [0.5; 2] };
        let attention = FeatureMap::held("attention", grid, 1, vec![0.1, 0.9, 0.4]).unwrap();
        let evidence = Evidence {
            image: &image,
            superpixels: &superpixels,
            graph: &graph,
            clustering: &clustering,
            attention: Some(&attention),
        };
        let found = likeness_to_seed(&evidence).unwrap();
        let expected = [1.0, 0.0, 0.5f64.sqrt()];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        let without = Evidence { attention: None, ..evidence };
        assert_eq!(likeness_to_seed(&without), Err(AttentionError::NoAttention));
        let plain = Evidence { graph: &bare, ..evidence };
        assert_eq!(likeness_to_seed(&plain), Err(AttentionError::NoFeatures));
    }
}
