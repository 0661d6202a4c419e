//! A trained network → clusters of any nodes with the same features.

use super::autoencoder::AutoencoderParams;
use super::inputs::{Scaling, features};
use super::params::SpectralNetParams;
use super::perceptron::Perceptron;
use super::ritz::Ritz;
use super::state::{put_layers, take_layers};
use crate::model_file::{ModelError, ModelFile};
use ndarray::{Array2, ArrayView2, Axis, s};
use segcut_core::{Clusterer, Clustering, Context, Model, RegionGraph, StageError};

/// The kind of the model's file.
const KIND: &str = "spectralnet";

/// Rows that go through the network at a time.
const ROWS: usize = 4096;

/// A network that was trained by [`SpectralNet`](super::SpectralNet): node features → embedding → nearest center.
///
/// With `assign = "centers"` and neither `hops` nor `relative` (the defaults) a node's label depends on its own features
/// alone: one point by itself gets the label that it gets among others, and the same one every time.
#[derive(Debug, Clone)]
pub struct SpectralNetModel {
    pub(crate) params: SpectralNetParams,
    pub(crate) scaling: Scaling,
    /// Scaled features → what the network reads, where an autoencoder was trained.
    pub(crate) encoder: Option<Perceptron>,
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
        let inputs = scaling.mean.len();
        let encoder = params.autoencoder.as_ref().map(|autoencoder| {
            take_layers(&file, "encoder", &autoencoder.sizes(inputs)).map(AutoencoderParams::encoder)
        });
        let encoder = encoder.transpose()?;
        let sizes = params.sizes(inputs);
        let layers = take_layers(&file, "layer", &sizes)?;
        let network = Perceptron { layers, activation: params.activation, last: params.last() };
        let read = if params.refit { network.hidden_size() } else { params.outputs() };
        let mean = file.vector("ritz.mean", Some(read))?;
        let map = file.matrix("ritz.map", [Some(read), None])?;
        let values = file.vector("ritz.values", Some(map.ncols()))?.to_vec();
        let k = params.k.fixed().filter(|_| params.assign.reads_centers());
        let centers = file.matrix("centers", [k, Some(map.ncols())])?;
        let rank = map.ncols();
        Ok(Self { scaling, encoder, network, ritz: Ritz { mean, map, values, rank }, centers, params })
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
        Ok(self.embed_scaled(self.inputs(rows).view()))
    }

    /// Rows of features → what the network reads.
    pub(crate) fn inputs(&self, rows: Array2<f32>) -> Array2<f32> {
        let scaled = self.scaling.apply(rows);
        self.encoder.as_ref().map(|encoder| encoded(encoder, scaled.view())).unwrap_or(scaled)
    }

    pub(crate) fn embed_scaled(&self, x: ArrayView2<'_, f32>) -> Array2<f64> {
        self.embed_by(&self.ritz, x)
    }

    pub(crate) fn embed_by(&self, ritz: &Ritz, x: ArrayView2<'_, f32>) -> Array2<f64> {
        let mut embedding = Array2::zeros((x.nrows(), ritz.map.ncols()));
        for (at, chunk) in x.axis_chunks_iter(Axis(0), ROWS).enumerate() {
            let read = self.returned(chunk).mapv(f64::from) - &ritz.mean;
            let first = at * ROWS;
            embedding.slice_mut(s![first..first + chunk.nrows(), ..]).assign(&read.dot(&ritz.map));
        }
        embedding
    }

    /// What the last linear map reads.
    pub(crate) fn returned(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        read_of(&self.network, self.params.refit, x)
    }

    /// Centers of the clusters in the embedding, k×columns.
    pub fn centers(&self) -> ArrayView2<'_, f64> {
        self.centers.view()
    }

    /// Ritz values of the embedding's columns, rising: what the normalized (or ratio) Laplacian gives them.
    pub fn ritz_values(&self) -> &[f64] {
        &self.ritz.values
    }
}

/// Rows → codes, some rows at a time.
pub(crate) fn encoded(encoder: &Perceptron, x: ArrayView2<'_, f32>) -> Array2<f32> {
    let codes = encoder.layers.last().map_or(0, |layer| layer.matrix.ncols());
    let mut rows = Array2::zeros((x.nrows(), codes));
    for (part, mut to) in x.axis_chunks_iter(Axis(0), ROWS).zip(rows.axis_chunks_iter_mut(Axis(0), ROWS)) {
        to.assign(encoder.forward(part).last());
    }
    rows
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
        self.params.reads_edges()
    }

    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let rows = features(graph, &self.params).map_err(StageError::data)?;
        let (wanted, found) = (self.scaling.mean.len(), rows.ncols());
        if wanted != found {
            return Err(StageError::data(ModelError::Features { wanted, found }));
        }
        self.clustering(graph, self.inputs(rows).view(), context.seed)
    }
}

impl Model for SpectralNetModel {
    fn save(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let mut file = ModelFile::default();
        self.scaling.put(&mut file);
        put_layers(&mut file, "layer", &self.network.layers);
        if let Some(encoder) = &self.encoder {
            put_layers(&mut file, "encoder", &encoder.layers);
        }
        file.put_vector("ritz.mean", self.ritz.mean.view());
        file.put_matrix("ritz.map", self.ritz.map.view());
        file.put_vector("ritz.values", ndarray::ArrayView1::from(&self.ritz.values[..]));
        file.put_matrix("centers", self.centers.view());
        file.write(KIND, out)
    }
}
