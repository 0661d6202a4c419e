//! The label in the image's corners is the background.

use segcut_core::{Context, Evidence, LabelMap, Refiner, StageError, VOID};
use serde::{Deserialize, Serialize};

/// [`Corners`] has no parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CornersParams {}

/// Labels → labels whose background is 0: the label that holds most of the four corners.
///
/// Aflalo et al., DeepCut (ICCVW 2023): two labels are exchanged where more than two corners hold label 1. Here the
/// rule holds for any number of labels: on a tie the smaller label is the background, and the others
/// follow from 1 in their order, without gaps. Where all corners are VOID, label 0 is the background.
///
/// # Examples
/// ```
/// # use segcut_core::{Affinity, Clustering, ColorSpace, Image, Partition, RegionGraph, Samples, SparseAffinity};
/// use segcut_core::{Context, Evidence, LabelMap, Refiner};
/// use segcut_refine::{Corners, CornersParams};
/// let labels = LabelMap::new(2, 3, vec![1, 0, 1, 1, 0, 0])?;
/// # let image = Image::new(2, 3, ColorSpace::Gray, Samples::U8(vec![0; 6]))?;
/// # let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(2, vec![], vec![])?));
/// # let clustering = Clustering::converged(Partition::singletons(2));
/// # let evidence =
/// #     Evidence { image: &image, superpixels: &labels, graph: &graph, clustering: &clustering, attention: None };
/// let found = Corners::new(CornersParams {})?.refine(&evidence, labels.clone(), &Context::default())?;
/// assert_eq!(found.labels(), [0, 1, 0, 0, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corners;

impl Corners {
    /// Takes the (empty) parameters.
    ///
    /// # Errors
    /// None; the signature is that of every stage.
    pub fn new(_params: CornersParams) -> Result<Self, StageError> {
        Ok(Self)
    }
}

impl Refiner for Corners {
    fn refine(&self, _: &Evidence<'_>, labels: LabelMap, _: &Context) -> Result<LabelMap, StageError> {
        let background = background(&labels);
        let present: Vec<bool> = labels.sizes().into_iter().map(|size| size > 0).collect();
        let mut names = vec![0; labels.n()];
        let mut next = 1;
        for (label, name) in (0..).zip(&mut names) {
            if label != background && present[label as usize] {
                *name = next;
                next += 1;
            }
        }
        Ok(labels.map_pixels(next as usize, |_, label| names[label as usize]))
    }
}

/// The label of most corners; on a tie the smallest.
fn background(labels: &LabelMap) -> u32 {
    let (height, width) = (labels.height(), labels.width());
    if height == 0 || width == 0 {
        return 0;
    }
    let places = [0, width - 1, (height - 1) * width, height * width - 1];
    let corners: Vec<u32> = places.into_iter().map(|at| labels.labels()[at]).filter(|&label| label != VOID).collect();
    let count = |label: u32| corners.iter().filter(|&&other| other == label).count();
    corners.iter().copied().max_by_key(|&label| (count(label), std::cmp::Reverse(label))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::background;
    use segcut_core::{LabelMap, VOID};

    #[test]
    fn most_corners_win_and_ties_go_to_the_smaller_label() {
        let of = |labels: [u32; 6]| background(&LabelMap::new(2, 3, labels.to_vec()).unwrap());
        assert_eq!(of([1, 0, 1, 1, 0, 0]), 1);
        assert_eq!(of([1, 2, 1, 0, 2, 0]), 0);
        assert_eq!(of([3, 2, 3, 0, 2, 1]), 3);
        assert_eq!(of([VOID, 2, VOID, VOID, 2, 1]), 1);
        assert_eq!(of([VOID, 2, VOID, VOID, 2, VOID]), 0);
    }
}
