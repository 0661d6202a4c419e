//! Superpixels and the clusters of their graph to a pixel map.

use segcut_core::{LabelMap, Partition};
use thiserror::Error;

/// Why a partition does not belong to a label map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// The partition has another number of nodes than there are superpixels.
    #[error("{regions} superpixels have a partition of {nodes} nodes")]
    Nodes {
        /// Superpixels.
        regions: usize,
        /// Nodes of the partition.
        nodes: usize,
    },
}

/// Superpixels and the cluster of each one → the cluster of each pixel.
///
/// Labels keep the partition's numbers, n is its k: a cluster without a pixel stays a number that no
/// pixel has. The superpixels are given away and written over, nothing of the image's size is allocated.
///
/// # Errors
/// [`ProjectError::Nodes`].
///
/// # Examples
/// ```
/// use segcut_core::{LabelMap, Partition, VOID};
/// let superpixels = LabelMap::new(1, 4, vec![0, 1, 2, VOID])?;
/// let map = segcut_refine::project(superpixels, &Partition::new(vec![1, 0, 1], 2)?)?;
/// assert_eq!(map.labels(), [1, 0, 1, VOID]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn project(superpixels: LabelMap, partition: &Partition) -> Result<LabelMap, ProjectError> {
    if partition.n() != superpixels.n() {
        return Err(ProjectError::Nodes { regions: superpixels.n(), nodes: partition.n() });
    }
    let clusters = partition.labels();
    Ok(superpixels.map_pixels(partition.k(), |_, region| clusters[region as usize]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_of_another_graph_is_refused() {
        let superpixels = LabelMap::new(1, 2, vec![0, 1]).unwrap();
        let error = project(superpixels, &Partition::whole(3)).unwrap_err();
        assert_eq!(error, ProjectError::Nodes { regions: 2, nodes: 3 });
    }

    #[test]
    fn empty_clusters_keep_their_number() {
        let superpixels = LabelMap::new(1, 2, vec![0, 1]).unwrap();
        let map = project(superpixels, &Partition::new(vec![4, 4], 7).unwrap()).unwrap();
        assert_eq!((map.labels(), map.n()), (&[4, 4][..], 7));
    }
}
