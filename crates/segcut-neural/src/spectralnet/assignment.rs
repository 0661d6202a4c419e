//! The embedding of a graph's nodes → clusters.

use super::batches::Neighborhoods;
use super::error::SpectralNetError;
use super::loss::Moments;
use super::model::{SpectralNetModel, embedded};
use super::network::Edges;
use super::ritz::{Ritz, rayleigh_ritz};
use ndarray::{Array2, ArrayView2};
use segcut_core::{Clustering, Partition, RegionGraph, StageError};
use segcut_spectral::{KMeansParams, kmeans};
use serde::{Deserialize, Serialize};
use std::slice::from_ref;

/// How the embedding of a graph becomes clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assign {
    /// The nearest center of the training nodes: a label means the same in every graph, and that of a node depends on
    /// no other one.
    #[default]
    Centers,
    /// As `centers`, which first move to the graph's own nodes by rounds of k-means; labels still mean about the same.
    Adapted,
    /// k-means on the graph's own nodes: labels mean nothing beyond the graph.
    Kmeans,
    /// Greedy merging of nodes that are joined by an edge, as in N-cut's `assign = "merge"` with the embedding for
    /// eigenvectors; under `k = "auto"` the tree says how many clusters there are.
    Merge,
}

impl Assign {
    /// Whether labels are those of the stored centers.
    pub(crate) fn reads_centers(self) -> bool {
        matches!(self, Self::Centers | Self::Adapted)
    }
}

/// Whose Ritz vectors are the embedding of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vectors {
    /// Those of the training nodes.
    #[default]
    Model,
    /// Those of the graph's own Laplacian in the span of what the network returns: eigenvectors of the graph as near
    /// as learned features come to them, by an eigenproblem of the size of the network's last layer.
    Graph,
}

/// Rounds of k-means from the stored centers.
const ROUNDS: usize = 30;

impl SpectralNetModel {
    /// The clusters of a graph whose features are scaled already.
    pub(crate) fn clustering(
        &self,
        graph: &RegionGraph,
        x: ArrayView2<'_, f32>,
        seed: u64,
    ) -> Result<Clustering, StageError> {
        let whole = self.neighborhoods(graph).map_err(StageError::data)?;
        let read = self.returned(x, Edges(&self.edges(whole.as_ref())));
        let own = whole.filter(|_| self.params.vectors == Vectors::Graph);
        let own = own.map(|whole| self.ritz_of(&whole, read.view())).transpose().map_err(StageError::data)?;
        let ritz = own.as_ref().unwrap_or(&self.ritz);
        let embedding = embedded(ritz, read.view());
        let (partition, tree) = match self.params.assign {
            Assign::Centers => (self.nearest(self.centers.view(), embedding.view())?, None),
            Assign::Adapted => (self.nearest(self.adapted(embedding.view()).view(), embedding.view())?, None),
            Assign::Kmeans => (self.grouped_anew(embedding.view(), seed), None),
            Assign::Merge => {
                let (k, merge) = (self.params.k, &self.params.merge);
                let (partition, tree) = merge.regions(graph, embedding.view(), &ritz.values, k)?;
                (partition, Some(tree))
            }
        };
        let mut clustering = Clustering::converged(partition);
        clustering.eigenvalues = Some(ritz.values.clone());
        clustering.embedding = Some(embedding);
        clustering.tree = tree;
        Ok(clustering)
    }

    /// The graph, where its edges are read.
    fn neighborhoods(&self, graph: &RegionGraph) -> Result<Option<Neighborhoods>, SpectralNetError> {
        if self.params.vectors == Vectors::Model && self.params.graph_encoder.is_none() {
            return Ok(None);
        }
        let sparse = graph.affinity().sparse().ok_or(SpectralNetError::Dense)?;
        Ok(Some(Neighborhoods::new(from_ref(sparse), self.params.normalized)))
    }

    fn ritz_of(&self, graph: &Neighborhoods, read: ArrayView2<'_, f32>) -> Result<Ritz, SpectralNetError> {
        let moments = Moments::of(read, &graph.batch((0..read.nrows() as u32).collect()), true);
        rayleigh_ritz(&moments, self.params.columns(), self.params.ridge)
    }

    fn nearest(&self, centers: ArrayView2<'_, f64>, embedding: ArrayView2<'_, f64>) -> Result<Partition, StageError> {
        Partition::new(nearest(centers, embedding), centers.nrows()).map_err(StageError::data)
    }

    /// Lloyd's rounds from the stored centers; one without nodes stays.
    fn adapted(&self, embedding: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut centers = self.centers.clone();
        let mut before = Vec::new();
        for _ in 0..ROUNDS {
            let labels = nearest(centers.view(), embedding);
            if labels == before {
                break;
            }
            let mut sums = Array2::<f64>::zeros(centers.raw_dim());
            let mut counts = vec![0.0; centers.nrows()];
            for (row, &label) in embedding.rows().into_iter().zip(&labels) {
                sums.row_mut(label as usize).scaled_add(1.0, &row);
                counts[label as usize] += 1.0;
            }
            for (at, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                centers.row_mut(at).assign(&(&sums.row(at) / count));
            }
            before = labels;
        }
        centers
    }

    fn grouped_anew(&self, embedding: ArrayView2<'_, f64>, seed: u64) -> Partition {
        let k = self.params.k.fixed().unwrap_or(self.centers.nrows());
        let found = kmeans(embedding, &KMeansParams { k, n_init: self.params.n_init, ..KMeansParams::default() }, seed);
        Partition::compact(&found.labels)
    }
}

/// The nearest center of every row; the first among equals.
fn nearest(centers: ArrayView2<'_, f64>, embedding: ArrayView2<'_, f64>) -> Vec<u32> {
    let label = |row: ndarray::ArrayView1<'_, f64>| {
        let distance =
            |center: ndarray::ArrayView1<'_, f64>| center.iter().zip(&row).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let nearest = (0u32..).zip(centers.rows()).map(|(at, center)| (distance(center), at));
        nearest.fold((f64::INFINITY, 0), |best, next| if next.0 < best.0 { next } else { best }).1
    };
    embedding.rows().into_iter().map(label).collect()
}
