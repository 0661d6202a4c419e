//! The merge tree of a segmentation → its ultrametric contour map.

use crate::{Prepared, Segmentation};
use segcut_graph::ultrametric_contour;

/// The ultrametric contour map at the working size, row-major, scaled so that the highest finite merge
/// is 1; none where the clusterer makes no hierarchy.
pub fn contour_map(prepared: &Prepared<'_>, done: &Segmentation) -> Option<Vec<f32>> {
    let tree = done.clustering.tree.as_ref()?;
    let mut map = ultrametric_contour(tree, prepared.superpixels()).ok()?;
    let finite = |values: &[f32]| values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f32::max);
    let highest = finite(&map);
    for value in &mut map {
        *value = if highest > 0.0 { (*value / highest).min(1.0) } else { 0.0 };
    }
    Some(map)
}
