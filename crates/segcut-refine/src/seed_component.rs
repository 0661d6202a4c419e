//! The connected region round the strongest entry of an eigenvector is the foreground.

use crate::components::connected_components;
use crate::connectivity::Connectivity;
use segcut_core::{Context, Evidence, LabelMap, Refiner, StageError, VOID};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why there is no seed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SeedError {
    /// The clusterer made no embedding.
    #[error("seed_component needs a clusterer with eigenvectors, for example [cluster] kind = \"ncut\"")]
    NoEmbedding,
}

/// Parameters of [`SeedComponent`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedComponentParams {
    /// Which pixels touch each other: 4 (default) or 8.
    pub connectivity: Connectivity,
    /// Whether the seed's whole cluster is the foreground, not only its connected part. Default: false.
    pub whole: bool,
}

/// Labels → 1 (the part of the seed's label that is connected to the seed) and 0 (all else).
///
/// Wang et al., TokenCut (CVPR 2022), section 3.3: the seed is the node whose entry of the second eigenvector has the
/// largest magnitude, the foreground is its side of the cut, and of this the connected component that holds it. Of
/// equal entries the first node is the seed. Where the graph was not cut (fewer than two eigenvectors) all is 0.
///
/// # Errors
/// [`SeedError`] inside a [`StageError::Data`].
///
/// # Cost
/// O(pixels).
#[derive(Debug, Clone, PartialEq)]
pub struct SeedComponent {
    params: SeedComponentParams,
}

impl SeedComponent {
    /// The stage with its parameters; all values are accepted.
    ///
    /// # Errors
    /// None today.
    pub fn new(params: SeedComponentParams) -> Result<Self, StageError> {
        Ok(Self { params })
    }
}

impl Refiner for SeedComponent {
    fn refine(&self, evidence: &Evidence<'_>, labels: LabelMap, _: &Context) -> Result<LabelMap, StageError> {
        let embedding = evidence.clustering.embedding.as_ref().ok_or(SeedError::NoEmbedding);
        let embedding = embedding.map_err(StageError::data)?;
        let seed = (embedding.ncols() > 1).then(|| strongest(embedding.column(1).iter().copied())).flatten();
        let at = seed.and_then(|node| evidence.superpixels.labels().iter().position(|&region| region == node));
        let parts = match self.params.whole {
            true => labels,
            false => connected_components(labels, self.params.connectivity),
        };
        let kept = at.and_then(|at| parts.labels().get(at).copied()).filter(|&part| part != VOID);
        let n = 1 + usize::from(kept.is_some());
        Ok(parts.map_pixels(n, |_, part| u32::from(Some(part) == kept)))
    }
}

/// The first entry of the largest magnitude.
fn strongest(values: impl Iterator<Item = f64>) -> Option<u32> {
    let mut best: Option<(u32, f64)> = None;
    for (node, value) in (0..).zip(values.map(f64::abs)) {
        if best.is_none_or(|(_, magnitude)| value > magnitude) {
            best = Some((node, value));
        }
    }
    best.map(|(node, _)| node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use segcut_core::{Affinity, Clustering, ColorSpace, Image, Partition, RegionGraph, Samples, SparseAffinity};

    fn refine(params: SeedComponentParams, embedding: Option<Array2<f64>>, labels: &[u32]) -> Result<Vec<u32>, String> {
        let n = labels.len();
        let superpixels = LabelMap::new(1, n, (0..n as u32).collect()).unwrap();
        let image = Image::new(1, n, ColorSpace::Gray, Samples::U8(vec![0; n])).unwrap();
        let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(n, vec![], vec![]).unwrap()));
        let clustering = Clustering { embedding, ..Clustering::converged(Partition::singletons(n)) };
        let evidence = Evidence {
            image: &image,
            superpixels: &superpixels,
            graph: &graph,
            clustering: &clustering,
            attention: None,
        };
        let labels = LabelMap::new(1, n, labels.to_vec()).unwrap();
        let refined = SeedComponent::new(params).unwrap().refine(&evidence, labels, &Context::default());
        refined.map(|map| map.labels().to_vec()).map_err(|e| e.to_string())
    }

    fn vectors() -> Option<Array2<f64>> {
        Some(array![[0.4, 0.3], [0.4, -0.1], [0.4, -0.9], [0.4, -0.2], [0.4, 0.9], [0.4, -0.3]])
    }

    #[test]
    fn the_part_with_the_seed_is_kept() {
        let labels = [1, 0, 0, 0, 1, 0];
        assert_eq!(refine(SeedComponentParams::default(), vectors(), &labels).unwrap(), [0, 1, 1, 1, 0, 0]);
        let whole = SeedComponentParams { whole: true, ..SeedComponentParams::default() };
        assert_eq!(refine(whole, vectors(), &labels).unwrap(), [0, 1, 1, 1, 0, 1]);
        assert_eq!(refine(SeedComponentParams::default(), vectors(), &[1, 0, VOID, 0, 1, 0]).unwrap()[..2], [0, 0]);
    }

    #[test]
    fn without_a_cut_there_is_no_foreground() {
        assert_eq!(refine(SeedComponentParams::default(), Some(array![[1.0]]), &[0]).unwrap(), [0]);
        assert!(refine(SeedComponentParams::default(), None, &[0]).unwrap_err().contains("eigenvectors"));
    }
}
