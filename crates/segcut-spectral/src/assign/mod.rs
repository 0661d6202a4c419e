//! Rows of an embedding to clusters.

mod cluster_qr;
mod discretize;
mod exchange;
mod kmeans;
mod lanes;
mod plus_plus;
mod polar;
mod threshold;

pub use cluster_qr::cluster_qr;
pub use discretize::discretize;
use discretize::discretize_graph;
pub use kmeans::{KMeans, KMeansParams, kmeans};
pub use threshold::{ThresholdCut, best_threshold, even_thresholds};

use crate::pencil::Pencil;
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

/// How rows become clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assign {
    /// k-means on the rows.
    Kmeans,
    /// The rotation nearest to an indicator matrix (Yu & Shi 2003).
    Discretize,
    /// Pivoted QR and a polar factor (Damle, Minden & Ying 2019).
    #[default]
    ClusterQr,
    /// Two clusters by the sign of the second vector.
    Sign,
    /// Two clusters at the mean of the second vector (Wang et al. 2022, TokenCut).
    Mean,
    /// Two clusters at the threshold of the second vector with the smallest normalized cut.
    Threshold,
    /// Greedy merging of the regions that touch, by the eigenvectors' differences across borders and more
    /// ([`SpectralMerge`](crate::SpectralMerge)): the embedding never joins what does not touch.
    Merge,
}

impl Assign {
    /// n×k eigenvectors of a pencil → n labels below k.
    ///
    /// `Sign`, `Mean` and `Threshold` cut the second column in two; `Merge`, which needs more than vectors, is done as
    /// `ClusterQr`. Fewer than two columns are one cluster.
    ///
    /// # Determinism
    /// `seed` draws the starts of k-means and of the rotations.
    ///
    /// # Examples
    /// ```
    /// use ndarray::array;
    /// use segcut_core::SparseAffinity;
    /// use segcut_spectral::{Assign, Laplacian, Pencil};
    /// let path = SparseAffinity::new(4, vec![[0, 1], [1, 2], [2, 3]], vec![1.0, 0.1, 1.0])?;
    /// let pencil = Pencil::new(&path, Laplacian::Normalized, 0.0)?;
    /// let vectors = array![[0.5, 0.5], [0.5, 0.4], [0.5, -0.4], [0.5, -0.5]];
    /// assert_eq!(Assign::Threshold.labels(&pencil, vectors.view(), 0), [1, 1, 0, 0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn labels(self, pencil: &Pencil, vectors: ArrayView2<'_, f64>, seed: u64) -> Vec<u32> {
        if vectors.ncols() < 2 {
            return vec![0; vectors.nrows()];
        }
        match self {
            Self::Kmeans => {
                let params = KMeansParams { k: vectors.ncols(), ..KMeansParams::default() };
                kmeans(vectors, &params, seed).labels
            }
            Self::Discretize => discretize_graph(pencil, vectors, seed),
            Self::ClusterQr | Self::Merge => cluster_qr(vectors),
            Self::Sign => vectors.column(1).iter().map(|&x| u32::from(x > 0.0)).collect(),
            Self::Mean => {
                let mean = vectors.column(1).mean().unwrap_or(0.0);
                vectors.column(1).iter().map(|&x| u32::from(x > mean)).collect()
            }
            Self::Threshold => {
                let cut = best_threshold(pencil, &vectors.column(1).to_vec());
                cut.above.iter().map(|&above| u32::from(above)).collect()
            }
        }
    }
}
