//! A trained network → clusters of any nodes with the same features.

use super::autoencoder::AutoencoderParams;
use super::batches::Neighborhoods;
use super::inputs::{Scaling, features};
use super::network::{Edges, Network};
use super::params::SpectralNetParams;
use super::perceptron::{Perceptron, pairs};
use super::ritz::Ritz;
use super::state::{put_layers, take_layers};
use crate::model_file::{ModelError, ModelFile};
use ndarray::{Array2, ArrayView2, Axis};
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
    pub(crate) network: Network,
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
            take_layers(&file, "encoder", pairs(&autoencoder.sizes(inputs))).map(AutoencoderParams::encoder)
        });
        let encoder = encoder.transpose()?;
        let network = Network::take(&params, params.inputs(inputs), &file)?;
        let read = if params.refit { network.head.hidden_size() } else { params.outputs() };
        let mean = file.vector("ritz.mean", Some(read))?;
        let map = file.matrix("ritz.map", [Some(read), None])?;
        let values = file.vector("ritz.values", Some(map.ncols()))?.to_vec();
        let k = params.k.fixed().filter(|_| params.assign.reads_centers());
        let centers = file.matrix("centers", [k, Some(map.ncols())])?;
        let rank = map.ncols();
        Ok(Self { scaling, encoder, network, ritz: Ritz { mean, map, values, rank }, centers, params })
    }

    /// Rows of features, as the graph holds them → the embedding. To a graph encoder they are nodes without edges.
    ///
    /// # Errors
    /// [`ModelError::Features`] where rows have another length than in training.
    pub fn embed(&self, rows: Array2<f32>) -> Result<Array2<f64>, ModelError> {
        let (wanted, found) = (self.scaling.mean.len(), rows.ncols());
        if wanted != found {
            return Err(ModelError::Features { wanted, found });
        }
        Ok(embedded(&self.ritz, self.returned(self.inputs(rows).view(), Edges::default()).view()))
    }

    /// Rows of features → what the network reads.
    pub(crate) fn inputs(&self, rows: Array2<f32>) -> Array2<f32> {
        let scaled = self.scaling.apply(rows);
        self.encoder.as_ref().map(|encoder| encoded(encoder, scaled.view())).unwrap_or(scaled)
    }

    /// What the last linear map reads of nodes between which there are these edges.
    pub(crate) fn returned(&self, x: ArrayView2<'_, f32>, edges: Edges<'_>) -> Array2<f32> {
        self.network.returned(x, edges, self.params.refit)
    }

    /// The edges of a graph, where the network reads them.
    pub(crate) fn edges(&self, graph: Option<&Neighborhoods>) -> Vec<(u32, u32, f32)> {
        let read = graph.filter(|_| self.params.graph_encoder.is_some());
        read.map_or_else(Vec::new, |graph| graph.batch((0..graph.n() as u32).collect()).edges)
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

/// What the last linear map reads → the embedding.
pub(crate) fn embedded(ritz: &Ritz, read: ArrayView2<'_, f32>) -> Array2<f64> {
    let mut embedding = Array2::zeros((read.nrows(), ritz.map.ncols()));
    for (from, mut to) in read.axis_chunks_iter(Axis(0), ROWS).zip(embedding.axis_chunks_iter_mut(Axis(0), ROWS)) {
        to.assign(&(from.mapv(f64::from) - &ritz.mean).dot(&ritz.map));
    }
    embedding
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
        self.network.put(&mut file);
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
