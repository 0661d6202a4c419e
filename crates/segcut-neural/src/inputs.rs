//! Graph → the features that the network reads.

use crate::matrix::Matrix;
use crate::neighbors::LARGEST_ATTENDED;
use crate::params::DeepCutParams;
use segcut_core::{Affinity, FeatureBlock, RegionGraph, StageError};
use thiserror::Error;

/// Why a network cannot be trained on a graph.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeepCutError {
    /// No node features and no factors.
    #[error("the network needs node features; this graph has none{}", named(.wanted))]
    NoFeatures {
        /// The names that were asked for; empty for all means.
        wanted: Vec<String>,
    },
    /// A feature is NaN or infinite.
    #[error("feature {dim} of node {node} is not finite")]
    NotFinite {
        /// The node.
        node: usize,
        /// The dimension.
        dim: usize,
    },
    /// The matrix of a clipped dense affinity would be too large.
    #[error("a dense affinity clipped at zero is formed up to {LARGEST_FORMED} nodes, not {n}")]
    TooDense {
        /// Nodes.
        n: usize,
    },
    /// The pairs of a dense affinity that attention would read are too many.
    #[error("attention reads every pair of a dense affinity, up to {LARGEST_ATTENDED} nodes, not {n}")]
    TooManyPairs {
        /// Nodes.
        n: usize,
    },
    /// A start of another graph.
    #[error("the start has {start} nodes, the graph {n}")]
    Start {
        /// Nodes of the start.
        start: usize,
        /// Nodes of the graph.
        n: usize,
    },
    /// Weights or features whose sums are beyond single precision.
    #[error("the weights or features of the graph are too large for single precision; scale them down")]
    Overflow,
    /// Features of another width than the network's.
    #[error("the network reads {wanted} features per node; this graph has {found}")]
    Width {
        /// What the network reads.
        wanted: usize,
        /// What the graph has.
        found: usize,
    },
    /// No graphs to learn from.
    #[error("there is no graph with nodes to learn from")]
    NoGraphs,
    /// Unfinished training of another network.
    #[error("the unfinished training does not fit these parameters")]
    State,
}

fn named(wanted: &[String]) -> String {
    if wanted.is_empty() { String::new() } else { format!(" named {}", wanted.join(", ")) }
}

impl From<DeepCutError> for StageError {
    fn from(error: DeepCutError) -> Self {
        Self::data(error)
    }
}

/// The largest dense graph whose weights are clipped at zero; its matrix takes 1 GiB.
pub(crate) const LARGEST_FORMED: usize = 16_384;

/// The named blocks side by side; without names all means, or the factors where there are none.
pub(crate) fn features(graph: &RegionGraph, params: &DeepCutParams) -> Result<Matrix, DeepCutError> {
    let wanted = &params.features;
    let missing = || DeepCutError::NoFeatures { wanted: wanted.to_vec() };
    let blocks: Vec<&FeatureBlock> = if wanted.is_empty() {
        graph.features().iter().filter(|block| block.bins.is_empty()).collect()
    } else {
        wanted.iter().map(|name| graph.feature(name)).collect::<Option<_>>().ok_or_else(missing)?
    };
    let cols: usize = blocks.iter().map(|block| block.dims).sum();
    let x = match graph.affinity() {
        Affinity::Gram(gram) if cols == 0 => Matrix::from_array(gram.factors.view()),
        _ if cols == 0 => return Err(missing()),
        _ => {
            let scale = |block: &FeatureBlock| params.scales.get(&block.name).map_or(1.0, |&scale| scale as f32);
            let row = |node| blocks.iter().flat_map(move |b| b.row(node).iter().map(move |x| x * scale(b)));
            Matrix { rows: graph.n(), cols, values: (0..graph.n()).flat_map(row).collect() }
        }
    };
    finite(&x)?;
    Ok(x)
}

/// Refuses NaN and infinities.
pub(crate) fn finite(x: &Matrix) -> Result<(), DeepCutError> {
    match x.values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(DeepCutError::NotFinite { node: at / x.cols, dim: at % x.cols }),
        None => Ok(()),
    }
}

/// Sums over rows from which columns are shifted and scaled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moments {
    rows: usize,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

/// What is taken away from a column, and what it is multiplied with then.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Standard {
    pub(crate) center: Vec<f32>,
    pub(crate) scale: Vec<f32>,
}

impl Moments {
    /// Adds the rows of one graph.
    pub(crate) fn add(&mut self, x: &Matrix) {
        self.rows += x.rows;
        self.sums.resize(x.cols, 0.0);
        self.squares.resize(x.cols, 0.0);
        for row in x.values.chunks_exact(x.cols.max(1)) {
            for ((sum, square), &v) in self.sums.iter_mut().zip(&mut self.squares).zip(row) {
                *sum += f64::from(v);
                *square += f64::from(v) * f64::from(v);
            }
        }
    }

    /// Mean 0 and variance 1; a constant column becomes 0.
    pub(crate) fn standard(&self) -> Standard {
        let n = self.rows.max(1) as f64;
        let center: Vec<f64> = self.sums.iter().map(|sum| sum / n).collect();
        let scale = |(square, mean): (&f64, &f64)| {
            let variance = (square / n - mean * mean).max(0.0);
            if variance > 1e-12 * mean * mean { (1.0 / variance.sqrt()) as f32 } else { 0.0 }
        };
        let scale = self.squares.iter().zip(&center).map(scale).collect();
        Standard { center: center.iter().map(|&c| c as f32).collect(), scale }
    }
}

impl Standard {
    /// Leaves columns as they are.
    pub(crate) fn identity(width: usize) -> Self {
        Self { center: vec![0.0; width], scale: vec![1.0; width] }
    }

    pub(crate) fn apply(&self, x: &mut Matrix) {
        for row in x.values.chunks_exact_mut(x.cols.max(1)) {
            for ((v, c), scale) in row.iter_mut().zip(&self.center).zip(&self.scale) {
                *v = (*v - c) * scale;
            }
        }
    }
}

/// Columns of one graph shifted and scaled to mean 0 and variance 1; a constant column becomes 0.
pub(crate) fn standardized(mut x: Matrix) -> Matrix {
    let mut moments = Moments::default();
    moments.add(&x);
    moments.standard().apply(&mut x);
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_mean_zero_and_variance_one() {
        let x = Matrix { rows: 4, cols: 2, values: vec![1.0, 5.0, 2.0, 5.0, 3.0, 5.0, 6.0, 5.0] };
        let x = standardized(x);
        let column: Vec<f32> = (0..4).map(|i| x.row(i)[0]).collect();
        assert!(column.iter().sum::<f32>().abs() < 1e-6);
        assert!((column.iter().map(|v| v * v).sum::<f32>() - 4.0).abs() < 1e-5);
        assert!((0..4).all(|i| x.row(i)[1] == 0.0));
    }
}
