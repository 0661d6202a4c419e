//! Affinity → graph Laplacian.

use segcut_core::SparseAffinity;
use sprs::{CsMat, TriMat};

/// Row sums, the diagonal included.
pub fn degrees(affinity: &SparseAffinity) -> Vec<f64> {
    let mut degrees = affinity.diagonal().map_or_else(|| vec![0.0; affinity.n()], <[f64]>::to_vec);
    for (&[u, v], &weight) in affinity.edges().iter().zip(affinity.weights()) {
        degrees[u as usize] += weight;
        degrees[v as usize] += weight;
    }
    degrees
}

/// D − W in compressed rows. A diagonal of W cancels against its own degree.
///
/// # Examples
/// ```
/// use segcut_core::SparseAffinity;
/// let edge = SparseAffinity::new(2, vec![[0, 1]], vec![3.0])?;
/// let laplacian = segcut_graph::laplacian(&edge);
/// assert_eq!((laplacian.get(0, 0), laplacian.get(1, 0)), (Some(&3.0), Some(&-3.0)));
/// # Ok::<(), segcut_core::AffinityError>(())
/// ```
pub fn laplacian(affinity: &SparseAffinity) -> CsMat<f64> {
    scaled(affinity, &vec![1.0; affinity.n()])
}

/// D^-1/2 (D − W) D^-1/2 in compressed rows.
///
/// A node whose degree is not positive has an empty row, so that it counts as a component of its own
/// (eigenvalue 0); scikit-learn writes 1 on the diagonal there.
pub fn normalized_laplacian(affinity: &SparseAffinity) -> CsMat<f64> {
    let inverse_root = |&degree: &f64| if degree > 0.0 { degree.sqrt().recip() } else { 0.0 };
    scaled(affinity, &degrees(affinity).iter().map(inverse_root).collect::<Vec<_>>())
}

/// S (D − W) S for a diagonal S; the diagonal is summed over edges, so that rows of D − W sum to 0.
fn scaled(affinity: &SparseAffinity, scale: &[f64]) -> CsMat<f64> {
    let n = affinity.n();
    let mut triplets = TriMat::with_capacity((n, n), 2 * affinity.edges().len() + n);
    let mut diagonal = vec![0.0; n];
    for (&[u, v], &weight) in affinity.edges().iter().zip(affinity.weights()) {
        let (u, v) = (u as usize, v as usize);
        diagonal[u] += weight;
        diagonal[v] += weight;
        let entry = -weight * scale[u] * scale[v];
        triplets.add_triplet(u, v, entry);
        triplets.add_triplet(v, u, entry);
    }
    for (i, (&degree, &scale)) in diagonal.iter().zip(scale).enumerate().filter(|(_, (_, scale))| **scale != 0.0) {
        triplets.add_triplet(i, i, degree * scale * scale);
    }
    triplets.to_csr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> SparseAffinity {
        SparseAffinity::new(4, vec![[0, 1], [1, 2]], vec![1.0, 3.0]).unwrap()
    }

    #[test]
    fn rows_sum_to_zero() {
        let laplacian = laplacian(&path());
        for row in laplacian.outer_iterator() {
            assert_eq!(row.iter().map(|(_, &w)| w).sum::<f64>(), 0.0);
        }
        assert_eq!(degrees(&path()), [1.0, 4.0, 3.0, 0.0]);
    }

    #[test]
    fn the_normalized_form_by_hand() {
        let normalized = normalized_laplacian(&path());
        assert_eq!((normalized.get(0, 0), normalized.get(0, 1)), (Some(&1.0), Some(&-0.5)));
        assert_eq!(normalized.get(3, 3), None);
        let kept = normalized_laplacian(&path().with_diagonal(vec![3.0, 0.0, 0.0, 1.0]).unwrap());
        assert_eq!((kept.get(0, 0), kept.get(3, 3)), (Some(&0.25), Some(&0.0)));
    }
}
