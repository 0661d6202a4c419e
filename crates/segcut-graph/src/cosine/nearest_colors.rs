//! Colors and places of regions → links between the most alike.

use crate::points::neighbors_of;
use ndarray::Array2;
use segcut_core::{FeatureBlock, Geometry};
use serde::{Deserialize, Serialize};

/// Every region is linked to those of the most similar color and place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearestColors {
    /// How many other regions each one is linked to.
    pub count: usize,
    /// Factor of the place beside the color: rows and columns of the regions' centers, each from 0 to 1.
    pub position: f64,
}

/// Links per pair of regions (u < v): 2 where each is among the other's nearest, else 1.
///
/// The k-nearest-neighbour affinity of Deep Spectral Methods (after Chen, Li & Tang 2013), whose k counts the region
/// itself; here it does not. Ties go to the smaller number. Regions without pixels have color and place 0.
pub(super) fn count_links(colors: &FeatureBlock, place: &Geometry, near: &NearestColors) -> Vec<([u32; 2], u32)> {
    let n = place.size.len();
    let ranges = [0, 1].map(|axis| range(place, axis));
    let points = Array2::from_shape_fn((n, colors.dims + 2), |(node, axis)| match axis.checked_sub(colors.dims) {
        None => f64::from(colors.row(node)[axis]),
        Some(_) if place.size[node] == 0.0 => 0.0,
        Some(axis) => {
            let [low, high] = ranges[axis];
            near.position * (place.centroid[node][axis] - low) / (high - low).max(f64::MIN_POSITIVE)
        }
    });
    let lists = neighbors_of(points.view(), near.count);
    let mut pairs: Vec<[u32; 2]> = Vec::with_capacity(n * near.count);
    for (node, list) in (0..).zip(lists) {
        pairs.extend(list.into_iter().map(|other: u32| [other.min(node), other.max(node)]));
    }
    pairs.sort_unstable();
    pairs.chunk_by(PartialEq::eq).map(|same| (same[0], same.len() as u32)).collect()
}

/// The least and the greatest row (or column) of a center.
fn range(place: &Geometry, axis: usize) -> [f64; 2] {
    let with_pixels = place.centroid.iter().zip(&place.size).filter(|(_, size)| **size > 0.0);
    let centers = with_pixels.map(|(center, _)| center[axis]);
    centers.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], c| [low.min(c), high.max(c)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_counts_beside_color() {
        let colors = FeatureBlock { name: "color".into(), dims: 1, values: vec![0.0, 0.2, 0.1], bins: vec![] };
        let place = Geometry {
            image_size: [1, 11],
            size: vec![1.0; 3],
            centroid: vec![[0.0, 0.0], [0.0, 1.0], [0.0, 10.0]],
            border_share: vec![0.0; 3],
        };
        let links = |position| count_links(&colors, &place, &NearestColors { count: 1, position });
        assert_eq!(links(0.0), [([0, 2], 2), ([1, 2], 1)]);
        assert_eq!(links(1.0), [([0, 1], 2), ([1, 2], 1)]);
        let all = count_links(&colors, &place, &NearestColors { count: 9, position: 0.0 });
        assert_eq!(all, [([0, 1], 2), ([0, 2], 2), ([1, 2], 2)]);
    }
}
