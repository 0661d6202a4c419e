//! Rows of an embedding to clusters.

mod cluster_qr;
mod discretize;
mod kmeans;
mod lanes;
mod plus_plus;
mod polar;
mod threshold;

pub use cluster_qr::cluster_qr;
pub use discretize::discretize;
pub use kmeans::{KMeans, KMeansParams, kmeans};
pub use threshold::{ThresholdCut, best_threshold, even_thresholds};

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
    /// Two clusters at the threshold of the second vector with the smallest normalized cut.
    Threshold,
    /// Greedy merging of the regions that touch, by the eigenvectors' differences across borders and more
    /// ([`SpectralMerge`](crate::SpectralMerge)): the embedding never joins what does not touch.
    Merge,
}
