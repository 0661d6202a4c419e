//! A trained network → clusters of any nodes with the same features.

use super::inputs::{Scaling, features};
use super::params::SpectralNetParams;
use super::perceptron::Perceptron;
use super::ritz::Ritz;
use super::state::{put_layers, take_layers};
use crate::model_file::{ModelError, ModelFile};
use ndarray::{Array2, ArrayView2, Axis, s};
use segcut_core::{Clusterer, Clustering, Context, Model, Partition, RegionGraph, StageError};

/// The kind of the model's file.
const KIND: &str = "spectralnet";

/// Rows that go through the network at a time.
const ROWS: usize = 4096;

/// A network that was trained by [`SpectralNet`](super::SpectralNet): node features → embedding → nearest center.
///
/// A node's label depends on its own features alone: one point by itself gets the label that it gets among others,
/// and the same one every time.
#[derive(Debug, Clone)]
pub struct SpectralNetModel {
    pub(crate) params: SpectralNetParams,
    pub(crate) scaling: Scaling,
    pub(crate) network: Perceptron,
    pub(crate) ritz: Ritz,
    /// k×columns.
    pub(crate) centers: Array2<f64>,
}

impl SpectralNetModel {
    /// A model's bytes, as [`Model::save`] writes them, with the parameters that it was trained with.
    ///
    /// # Errors
    /// [`ModelError`] as [`StageError::Data`] where the file is damaged or of another model; refused parameters.
    pub fn load(params: SpectralNetParams, bytes: &[u8]) -> Result<Self, StageError> {
        params.check()?;
        Self::read(params, bytes).map_err(StageError::data)
    }

    fn read(params: SpectralNetParams, bytes: &[u8]) -> Result<Self, ModelError> {
        let file = ModelFile::read(KIND, bytes)?;
        let scaling = Scaling::take(&file)?;
        let sizes = params.sizes(scaling.mean.len());
        let layers = take_layers(&file, &sizes)?;
        let network = Perceptron { layers, activation: params.activation, squashed: params.squashed };
        let read = if params.refit { network.hidden_size() } else { params.outputs() };
        let mean = file.vector("ritz.mean", Some(read))?;
        let map = file.matrix("ritz.map", [Some(read), None])?;
        let values = file.vector("ritz.values", Some(map.ncols()))?.to_vec();
        let centers = file.matrix("centers", [params.k.fixed(), Some(map.ncols())])?;
        let rank = map.ncols();
        Ok(Self { scaling, network, ritz: Ritz { mean, map, values, rank }, centers, params })
    }

    /// Rows of features, as the graph holds them → the embedding.
    ///
    /// # Errors
    /// [`ModelError::Features`] where rows have another length than in training.
    pub fn embed(&self, rows: Array2<f32>) -> Result<Array2<f64>, ModelError> {
        let (wanted, found) = (self.scaling.mean.len(), rows.ncols());
        if wanted != found {
            return Err(ModelError::Features { wanted, found });
        }
        Ok(self.embed_scaled(self.scaling.apply(rows).view()))
    }

    pub(crate) fn embed_scaled(&self, x: ArrayView2<'_, f32>) -> Array2<f64> {
        let mut embedding = Array2::zeros((x.nrows(), self.ritz.map.ncols()));
        for (at, chunk) in x.axis_chunks_iter(Axis(0), ROWS).enumerate() {
            let read = read_of(&self.network, self.params.refit, chunk).mapv(f64::from) - &self.ritz.mean;
            let first = at * ROWS;
            embedding.slice_mut(s![first..first + chunk.nrows(), ..]).assign(&read.dot(&self.ritz.map));
        }
        embedding
    }

    /// The nearest center of every row; the first among equals.
    pub(crate) fn labels(&self, embedding: ArrayView2<'_, f64>) -> Vec<u32> {
        let label = |row: ndarray::ArrayView1<'_, f64>| {
            let distance = |center: ndarray::ArrayView1<'_, f64>| {
                center.iter().zip(&row).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
            };
            let centers = (0u32..).zip(self.centers.rows());
            let nearest = centers.map(|(at, center)| (distance(center), at));
            nearest.fold((f64::INFINITY, 0), |best, next| if next.0 < best.0 { next } else { best }).1
        };
        embedding.rows().into_iter().map(label).collect()
    }

    /// Centers of the clusters in the embedding, k×columns.
    pub fn centers(&self) -> ArrayView2<'_, f64> {
        self.centers.view()
    }

    /// Ritz values of the embedding's columns, rising: what the normalized (or ratio) Laplacian gives them.
    pub fn ritz_values(&self) -> &[f64] {
        &self.ritz.values
    }

    pub(crate) fn clustering(&self, x: ArrayView2<'_, f32>) -> Result<Clustering, StageError> {
        let embedding = self.embed_scaled(x);
        let labels = self.labels(embedding.view());
        let partition = Partition::new(labels, self.centers.nrows()).map_err(StageError::data)?;
        let mut clustering = Clustering::converged(partition);
        clustering.embedding = Some(embedding);
        clustering.eigenvalues = Some(self.ritz.values.clone());
        Ok(clustering)
    }
}

/// What the last linear map reads: the last hidden layer, or the outputs.
pub(crate) fn read_of(network: &Perceptron, refit: bool, x: ArrayView2<'_, f32>) -> Array2<f32> {
    if refit {
        return network.hidden(x);
    }
    network.forward(x).0.pop().unwrap_or_default()
}

impl Clusterer for SpectralNetModel {
    fn needs_edges(&self) -> bool {
        false
    }

    fn cluster(&self, graph: &RegionGraph, _: &Context) -> Result<Clustering, StageError> {
        let rows = features(graph, &self.params).map_err(StageError::data)?;
        let (wanted, found) = (self.scaling.mean.len(), rows.ncols());
        if wanted != found {
            return Err(StageError::data(ModelError::Features { wanted, found }));
        }
        self.clustering(self.scaling.apply(rows).view())
    }
}

impl Model for SpectralNetModel {
    fn save(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let mut file = ModelFile::default();
        self.scaling.put(&mut file);
        put_layers(&mut file, &self.network.layers);
        file.put_vector("ritz.mean", self.ritz.mean.view());
        file.put_matrix("ritz.map", self.ritz.map.view());
        file.put_vector("ritz.values", ndarray::ArrayView1::from(&self.ritz.values[..]));
        file.put_matrix("centers", self.centers.view());
        file.write(KIND, out)
    }
}
