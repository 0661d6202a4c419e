//! A trained network → clusters of any graph with the same features.

use crate::deepcut::{labels, shape};
use crate::inputs::Standard;
use crate::learner::prepared_graph;
use crate::matrix::Matrix;
use crate::model_file::{ModelError, ModelFile};
use crate::network::{Network, Pass};
use crate::params::DeepCutParams;
use crate::spread::blocks;
use ndarray::{ArrayView1, ArrayView2};
use segcut_core::{Clusterer, Clustering, Context, Model, Partition, RegionGraph, StageError};

/// The kind of the model's file.
const KIND: &str = "deepcut";

/// A network that [`DeepCut`](crate::DeepCut) learned from many graphs: graph → clusters in one pass.
///
/// A cluster number means the same in every graph: the network is the same, and so is the scale of its features. A
/// cluster without nodes keeps its number.
///
/// # Determinism
/// No random choice is left.
#[derive(Debug, Clone, PartialEq)]
pub struct DeepCutModel {
    pub(crate) params: DeepCutParams,
    pub(crate) standard: Standard,
    pub(crate) network: Network,
}

impl DeepCutModel {
    /// A model's bytes, as [`Model::save`] writes them, with the parameters that it was trained with.
    ///
    /// # Errors
    /// [`ModelError`] as [`StageError::Data`] where the file is damaged or of another model; refused parameters.
    pub fn load(params: DeepCutParams, bytes: &[u8]) -> Result<Self, StageError> {
        params.check()?;
        Self::read(params, bytes).map_err(StageError::data)
    }

    fn read(params: DeepCutParams, bytes: &[u8]) -> Result<Self, ModelError> {
        let file = ModelFile::read(KIND, bytes)?;
        let narrow = |name: &str, len| file.vector(name, len).map(|values| values.mapv(|x| x as f32).to_vec());
        let center = narrow("center", None)?;
        let scale = narrow("scale", Some(center.len()))?;
        let inputs = blocks(params.encoder) * center.len();
        let mut network = Network::new(&shape(&params, inputs, params.clusters(usize::MAX)));
        let mut parameters = Vec::with_capacity(network.parameters.len());
        for (name, rows, len) in network.arrays() {
            match rows {
                Some(rows) => {
                    let matrix = file.matrix(&name, [Some(rows), Some(len / rows)])?;
                    parameters.extend(matrix.iter().map(|&x| x as f32));
                }
                None => parameters.extend(narrow(&name, Some(len))?),
            }
        }
        network.parameters = parameters;
        Ok(Self { params, standard: Standard { center, scale }, network })
    }

    fn memberships(&self, graph: &RegionGraph) -> Result<Matrix, StageError> {
        let prepared = prepared_graph(&self.params, &self.standard, graph)?;
        let mut pass = Pass::new(&self.network, graph.n());
        self.network.forward(prepared.inputs(), None, &mut pass);
        Ok(pass.s().clone())
    }
}

impl Clusterer for DeepCutModel {
    fn cluster(&self, graph: &RegionGraph, _: &Context) -> Result<Clustering, StageError> {
        let k = self.params.clusters(usize::MAX);
        if graph.n() == 0 {
            return Ok(Clustering::converged(Partition::whole(0)));
        }
        let s = self.memberships(graph)?;
        let partition = Partition::new(labels(&s), k).map_err(StageError::data)?;
        Ok(Clustering { soft: Some(s.to_array()), ..Clustering::converged(partition) })
    }
}

impl Model for DeepCutModel {
    fn save(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let mut file = ModelFile::default();
        file.put_vector("center", ArrayView1::from(&self.standard.center[..]));
        file.put_vector("scale", ArrayView1::from(&self.standard.scale[..]));
        let mut rest = &self.network.parameters[..];
        for (name, rows, len) in self.network.arrays() {
            let (values, others) = rest.split_at(len);
            match rows {
                Some(rows) => {
                    let matrix = ArrayView2::from_shape((rows, len / rows), values).map_err(std::io::Error::other)?;
                    file.put_matrix(name, matrix);
                }
                None => file.put_vector(name, ArrayView1::from(values)),
            }
            rest = others;
        }
        file.write(KIND, out)
    }
}
