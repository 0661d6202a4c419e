//! How much every region belongs to the foreground → two clusters.

use ndarray::Array2;
use segcut_core::{Clustering, Partition, StageError, Status};
use segcut_graph::otsu;

/// Membership of the foreground per region → two clusters, split at the level or by Otsu's.
pub(super) fn clustering(rank: &[f64], sizes: &[f64], level: Option<f64>) -> Result<Clustering, StageError> {
    let level = level.unwrap_or_else(|| otsu_level(rank, sizes));
    let labels = rank.iter().map(|&x| u32::from(x > 0.0 && x >= level)).collect();
    let partition = Partition::new(labels, 2).map_err(StageError::data)?;
    let soft = Array2::from_shape_fn((rank.len(), 2), |(i, k)| if k == 1 { rank[i] } else { 1.0 - rank[i] });
    Ok(Clustering { status: Status::Converged, soft: Some(soft), ..Clustering::converged(partition) })
}

/// The smallest value above Otsu's split by area; above 1 where all values are equal.
pub(super) fn otsu_level(values: &[f64], sizes: &[f64]) -> f64 {
    let mut pairs: Vec<[f64; 2]> = values.iter().zip(sizes).map(|(&value, &size)| [value, size]).collect();
    pairs.retain(|pair| pair[1] > 0.0);
    pairs.sort_by(|a, b| a[0].total_cmp(&b[0]));
    match otsu(&pairs) {
        0 => 2.0,
        split => pairs[split][0],
    }
}

/// Values moved to 0 … 1; 0 where all are equal.
pub(super) fn stretched(mut values: Vec<f64>) -> Vec<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let range = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low;
    values.iter_mut().for_each(|value| *value = if range > 0.0 { (*value - low) / range } else { 0.0 });
    values
}
