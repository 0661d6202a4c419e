//! The merge tree of a segmentation → its ultrametric contour map.

use crate::{Prepared, Segmentation};
use segcut_graph::ultrametric_contour;
use segcut_pixel::enlarge_labels;

/// Where the clusterer's own cut lies, from 0 to 1.
const OWN_CUT: f32 = 0.25;

/// The ultrametric contour map of the superpixels at the size of the image; none where the clusterer
/// makes no hierarchy.
///
/// # Shapes
/// (2H+1)·(2W+1) values, row-major, as [`ultrametric_contour`] lays them out.
///
/// # Units
/// Where the clusterer has a rule for its cut, a quarter of the merge heights over the height of that cut, so that a
/// threshold of 0.25 gives the recipe's own regions and every threshold is the same setting for all images; else
/// heights over the largest finite one of this image. What is above, and merges at infinity, count as 1.
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
    let whole = tree.own_cut().map_or(highest, |height| height as f32 / OWN_CUT);
    for value in &mut map {
        *value = if whole > 0.0 { (*value / whole).min(1.0) } else { f32::from(u8::from(value.is_infinite())) };
    }
    Some(map)
}
