//! The merge tree of a segmentation → its ultrametric contour map.

use crate::{Prepared, Segmentation};
use segcut_graph::ultrametric_contour;
use segcut_pixel::enlarge_labels;

/// The ultrametric contour map of the superpixels at the size of the image; none where the clusterer
/// makes no hierarchy.
///
/// # Shapes
/// (2H+1)·(2W+1) values, row-major, as [`ultrametric_contour`] lays them out.
///
/// # Units
/// Merge heights over the largest finite one of this image, so that 0 to 1 is left; merges at infinity
/// count as 1. A threshold is therefore a share of the image's own largest height.
pub fn contour_map(prepared: &Prepared<'_>, done: &Segmentation) -> Option<Vec<f32>> {
    let tree = done.clustering.tree.as_ref()?;
    let (superpixels, original) = (prepared.superpixels(), prepared.original());
    let same = (superpixels.height(), superpixels.width()) == (original.height(), original.width());
    let mut map = if same {
        ultrametric_contour(tree, superpixels).ok()?
    } else {
        ultrametric_contour(tree, &enlarge_labels(superpixels, original.height(), original.width()).ok()?).ok()?
    };
    let highest = map.iter().copied().filter(|v| v.is_finite()).fold(0.0, f32::max);
    for value in &mut map {
        *value = match (highest > 0.0, value.is_finite()) {
            (true, true) => *value / highest,
            (false, true) => 0.0,
            (_, false) => 1.0,
        };
    }
    Some(map)
}
