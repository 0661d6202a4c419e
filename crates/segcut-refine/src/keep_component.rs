//! A mask → its largest piece, or the one that holds the seed.

use crate::components::connected_components;
use crate::connectivity::Connectivity;
use segcut_core::{Context, Evidence, LabelMap, Refiner, StageError, VOID};
use serde::{Deserialize, Serialize};

/// Which piece of the foreground stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The piece with most pixels; of equal ones the first.
    #[default]
    Largest,
    /// The piece that holds the superpixel with the highest foreground membership; the largest, where the clustering made
    /// no soft choice between two clusters or that superpixel is background.
    Seed,
}

/// Parameters of [`KeepComponent`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeepComponentParams {
    /// Which piece stays. Default: the largest.
    pub keep: Keep,
    /// Which pixels touch each other: 4 (default) or 8.
    pub connectivity: Connectivity,
}

/// Labels above 0 → the labels of one connected piece of them; all others become 0.
///
/// Pieces are those of the foreground as a whole: labels above 0 that touch are one. With `seed` it is the rule of
/// Y. Wang et al., "TokenCut", CVPR 2022, with memberships for the eigenvector. VOID stays VOID.
///
/// # Cost
/// O(pixels).
///
/// # Examples
/// ```
/// # use segcut_core::{Affinity, Clustering, ColorSpace, Image, Partition, RegionGraph, Samples, SparseAffinity};
/// use segcut_core::{Context, Evidence, LabelMap, Refiner};
/// use segcut_refine::{KeepComponent, KeepComponentParams};
/// let labels = LabelMap::new(1, 6, vec![1, 0, 2, 1, 0, 1])?;
/// # let image = Image::new(1, 6, ColorSpace::Gray, Samples::U8(vec![0; 6]))?;
/// # let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(3, vec![], vec![])?));
/// # let clustering = Clustering::converged(Partition::singletons(3));
/// # let evidence =
/// #     Evidence { image: &image, superpixels: &labels, graph: &graph, clustering: &clustering, attention: None };
/// let found = KeepComponent::new(KeepComponentParams::default())?.refine(&evidence, labels.clone(), &Context::default())?;
/// assert_eq!(found.labels(), [0, 0, 2, 1, 0, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeepComponent {
    params: KeepComponentParams,
}

impl KeepComponent {
    /// The stage with its parameters; all values are accepted.
    ///
    /// # Errors
    /// None; the signature is that of every stage.
    pub fn new(params: KeepComponentParams) -> Result<Self, StageError> {
        Ok(Self { params })
    }
}

impl Refiner for KeepComponent {
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, _: &Context) -> Result<LabelMap, StageError> {
        let inside = labels.labels().iter().map(|&label| if label > 0 && label != VOID { 0 } else { VOID }).collect();
        let inside = LabelMap::new(labels.height(), labels.width(), inside).map_err(StageError::data)?;
        let pieces = connected_components(inside, self.params.connectivity);
        let sizes = pieces.sizes();
        let largest = (0..sizes.len()).rev().max_by_key(|&piece| sizes[piece]).map(|piece| piece as u32);
        let kept = match self.params.keep {
            Keep::Largest => largest,
            Keep::Seed => seed_piece(evidence, &pieces).or(largest),
        };
        let n = labels.n();
        Ok(labels.map_pixels(n, |at, label| if Some(pieces.labels()[at]) == kept { label } else { 0 }))
    }
}

/// The piece that holds most of the superpixel with the highest foreground membership.
fn seed_piece(evidence: &Evidence<'_>, pieces: &LabelMap) -> Option<u32> {
    let soft = evidence.clustering.soft.as_ref().filter(|soft| soft.ncols() == 2)?;
    let seed = (0..soft.nrows()).rev().max_by(|&a, &b| soft[(a, 1)].total_cmp(&soft[(b, 1)]))? as u32;
    let names = evidence.superpixels.labels();
    let mut counts = vec![0usize; pieces.n()];
    for (_, &piece) in names.iter().zip(pieces.labels()).filter(|(name, piece)| **name == seed && **piece != VOID) {
        counts[piece as usize] += 1;
    }
    let most = (0..counts.len()).rev().max_by_key(|&piece| counts[piece])?;
    (counts[most] > 0).then_some(most as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use segcut_core::{Affinity, Clustering, ColorSpace, Image, Partition, RegionGraph, Samples, SparseAffinity};

    fn kept(labels: &[u32], memberships: Option<[f64; 3]>) -> Vec<u32> {
        let labels = LabelMap::new(1, labels.len(), labels.to_vec()).unwrap();
        let superpixels = LabelMap::new(1, 6, vec![0, 0, 1, 1, 2, 2]).unwrap();
        let image = Image::new(1, 6, ColorSpace::Gray, Samples::U8(vec![0; 6])).unwrap();
        let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(3, vec![], vec![]).unwrap()));
        let soft = memberships.map(|[a, b, c]| array![[1.0 - a, a], [1.0 - b, b], [1.0 - c, c]]);
        let clustering = Clustering { soft, ..Clustering::converged(Partition::singletons(3)) };
        let evidence = Evidence {
            image: &image,
            superpixels: &superpixels,
            graph: &graph,
            clustering: &clustering,
            attention: None,
        };
        let stage = KeepComponent::new(KeepComponentParams { keep: Keep::Seed, ..Default::default() }).unwrap();
        stage.refine(&evidence, labels, &Context::default()).unwrap().into_labels()
    }

    #[test]
    fn the_seed_picks_its_piece_and_falls_back_to_the_largest() {
        assert_eq!(kept(&[1, 1, 0, 0, 0, 2], Some([0.1, 0.3, 0.9])), [0, 0, 0, 0, 0, 2]);
        assert_eq!(kept(&[1, 1, 0, 0, 0, 2], Some([0.1, 0.9, 0.3])), [1, 1, 0, 0, 0, 0]);
        assert_eq!(kept(&[1, VOID, 0, 0, 2, 2], None), [0, VOID, 0, 0, 2, 2]);
        assert_eq!(kept(&[0; 6], Some([0.1, 0.9, 0.3])), [0; 6]);
        assert_eq!(kept(&[VOID; 6], None), [VOID; 6]);
    }
}
