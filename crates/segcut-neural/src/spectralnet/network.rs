//! Rows of nodes → rows of outputs by fully connected layers and what stands before them, and back to gradients.

use super::batches::Batch;
use super::convolution::{Convolution, ConvolutionParams, picture};
use super::params::SpectralNetParams;
use super::perceptron::{Layer, Outputs, Perceptron, paired, pairs};
use super::state::{put_layers, take_layers};
use crate::community::EncoderKind;
use crate::community::encoder::{Encoder, Ground, Layer as GraphLayer, Pass as GraphPass};
use crate::community::links::Links;
use crate::community::state::{put_encoder, take_encoder};
use crate::model_file::{ModelError, ModelFile};
use ndarray::{Array2, ArrayView2, Axis};
use rand_chacha::ChaCha8Rng;
use segcut_core::StageError;
use serde::{Deserialize, Serialize};

/// Layers that read the nodes' neighbours and stand before the fully connected ones (`[cluster.graph_encoder]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphEncoderParams {
    /// How neighbours are read.
    pub kind: EncoderKind,
    /// Outputs of the layers that read neighbours, with SELU behind each.
    pub hidden: Vec<usize>,
    /// What the linear layer behind them hands on.
    pub outputs: usize,
}

impl Default for GraphEncoderParams {
    fn default() -> Self {
        Self { kind: EncoderKind::Gat, hidden: vec![16, 16], outputs: 16 }
    }
}

impl GraphEncoderParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        match self.hidden.iter().chain([&self.outputs]).find(|size| **size == 0) {
            Some(size) => {
                Err(StageError::parameter("cluster.graph_encoder.hidden", size, "at least 1, and outputs too"))
            }
            None => Ok(()),
        }
    }

    fn sizes(&self, inputs: usize) -> Vec<usize> {
        [inputs].into_iter().chain(self.hidden.iter().copied()).chain([self.outputs]).collect()
    }
}

/// What stands before the fully connected layers.
#[derive(Debug, Clone)]
enum Front {
    Pictures(Convolution),
    Graph(Encoder),
}

/// What it leaves for the backward pass.
enum FrontPass {
    Pictures(Vec<Array2<f32>>),
    Graph(Box<(Ground, GraphPass)>),
}

/// Gradients of its weights.
enum FrontGradients {
    Pictures(Vec<Layer>),
    Graph(Vec<GraphLayer>),
}

/// The network: what reads pictures or neighbours, where it is asked for, and fully connected layers.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    front: Option<Front>,
    pub(crate) head: Perceptron,
}

/// What a forward pass leaves.
pub(crate) struct Pass {
    front: Option<FrontPass>,
    outputs: Outputs,
}

/// Gradients of all weights.
pub(crate) struct Gradients {
    front: Option<FrontGradients>,
    pub(crate) head: Vec<Layer>,
}

/// The graph that some nodes stand in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edges<'a>(pub(crate) &'a [(u32, u32, f32)]);

impl<'a> Edges<'a> {
    pub(crate) fn of(batch: &'a Batch) -> Self {
        Self(&batch.edges)
    }

    fn ground(self, kind: EncoderKind, n: usize) -> Ground {
        let both = self.0.iter().flat_map(|&(u, v, w)| [(u, v, w), (v, u, w)]);
        Ground::new(kind, Links::new(n, both))
    }
}

impl Pass {
    /// What the network returns.
    pub(crate) fn last(&self) -> &Array2<f32> {
        self.outputs.last()
    }

    /// What the fully connected layers read.
    fn read<'a>(&'a self, x: ArrayView2<'a, f32>) -> ArrayView2<'a, f32> {
        match &self.front {
            Some(FrontPass::Pictures(outputs)) => outputs.last().map_or(x, |output| output.view()),
            Some(FrontPass::Graph(pass)) => pass.1.out.view(),
            None => x,
        }
    }

    /// The outputs of the last hidden layer; what the last one reads, where none is hidden.
    fn into_hidden(mut self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        self.outputs.0.pop();
        let hidden = self.outputs.0.pop();
        hidden.unwrap_or_else(|| self.read(x).to_owned())
    }
}

/// Rows of a picture or of plain features that go through the network at a time.
const ROWS: usize = 1024;

impl Network {
    /// Weights for rows of so many inputs (codes, where there is an autoencoder); none where they are no pictures of
    /// the shape that convolutions need.
    pub(crate) fn draw(params: &SpectralNetParams, inputs: usize, random: &mut ChaCha8Rng) -> Option<Self> {
        let convolution = |convolution: &ConvolutionParams, random: &mut ChaCha8Rng| {
            let shape = picture(params.shape, inputs)?;
            Some(Front::Pictures(Convolution::draw(convolution, shape, params.activation, random)))
        };
        let front = match (&params.convolution, &params.graph_encoder) {
            (Some(given), _) => Some(convolution(given, random)?),
            (None, Some(given)) => Some(Front::Graph(Encoder::draw(given.kind, &given.sizes(inputs), random))),
            (None, None) => None,
        };
        let read = match &front {
            Some(Front::Pictures(convolution)) => convolution.outputs(),
            Some(Front::Graph(_)) => params.graph_encoder.as_ref().map_or(inputs, |given| given.outputs),
            None => inputs,
        };
        let head = Perceptron::draw(&params.sizes(inputs, read), params.activation, params.last(), random);
        Some(Self { front, head })
    }

    /// Fully connected layers alone.
    #[cfg(test)]
    pub(crate) fn plain(head: Perceptron) -> Self {
        Self { front: None, head }
    }

    pub(crate) fn parameters(&self) -> usize {
        let front = match &self.front {
            Some(Front::Pictures(convolution)) => convolution.layers.iter().map(Layer::len).sum(),
            Some(Front::Graph(encoder)) => encoder.parameters(),
            None => 0,
        };
        front + self.head.parameters()
    }

    /// Outputs of every layer.
    pub(crate) fn forward(&self, x: ArrayView2<'_, f32>, edges: Edges<'_>) -> Pass {
        let front = self.front.as_ref().map(|front| match front {
            Front::Pictures(convolution) => FrontPass::Pictures(convolution.forward(x)),
            Front::Graph(encoder) => {
                let ground = edges.ground(encoder.kind(), x.nrows());
                let pass = encoder.forward(&ground, x, &[]);
                FrontPass::Graph(Box::new((ground, pass)))
            }
        });
        let mut pass = Pass { front, outputs: Outputs(Vec::new()) };
        pass.outputs = self.head.forward(pass.read(x));
        pass
    }

    /// The gradient of all weights from that of the outputs.
    pub(crate) fn backward(&self, x: ArrayView2<'_, f32>, pass: &Pass, of_outputs: Array2<f32>) -> Gradients {
        let (Some(front), Some(left)) = (&self.front, &pass.front) else {
            return Gradients { front: None, head: self.head.backward(x, &pass.outputs, of_outputs) };
        };
        let (head, of_read) = self.head.backward_to_input(pass.read(x), &pass.outputs, of_outputs);
        let front = match (front, left) {
            (Front::Pictures(convolution), FrontPass::Pictures(outputs)) => {
                Some(FrontGradients::Pictures(convolution.backward(x, outputs, of_read)))
            }
            (Front::Graph(encoder), FrontPass::Graph(left)) => {
                Some(FrontGradients::Graph(encoder.backward(&left.0, x, &left.1, &[], of_read)))
            }
            _ => None,
        };
        Gradients { front, head }
    }

    /// Parameters with their gradients, in a fixed order.
    pub(crate) fn with_gradients<'a>(
        &'a mut self,
        gradients: &'a Gradients,
    ) -> impl Iterator<Item = (&'a mut [f32], &'a [f32])> {
        let front: Box<dyn Iterator<Item = (&'a mut [f32], &'a [f32])> + 'a> = match (&mut self.front, &gradients.front)
        {
            (Some(Front::Pictures(convolution)), Some(FrontGradients::Pictures(gradients))) => {
                Box::new(paired(&mut convolution.layers, gradients))
            }
            (Some(Front::Graph(encoder)), Some(FrontGradients::Graph(gradients))) => {
                Box::new(encoder.with_gradients(gradients))
            }
            _ => Box::new(std::iter::empty()),
        };
        front.chain(self.head.with_gradients(&gradients.head))
    }

    /// What the last linear map reads: the last hidden layer (`refit`), or the outputs. Rows that need no neighbours go
    /// through the network some at a time.
    pub(crate) fn returned(&self, x: ArrayView2<'_, f32>, edges: Edges<'_>, refit: bool) -> Array2<f32> {
        let of = |x: ArrayView2<'_, f32>| {
            let mut pass = self.forward(x, edges);
            if refit { pass.into_hidden(x) } else { pass.outputs.0.pop().unwrap_or_default() }
        };
        if matches!(self.front, Some(Front::Graph(_))) || x.nrows() <= ROWS {
            return of(x);
        }
        let parts: Vec<Array2<f32>> = x.axis_chunks_iter(Axis(0), ROWS).map(of).collect();
        let views: Vec<ArrayView2<'_, f32>> = parts.iter().map(|part| part.view()).collect();
        ndarray::concatenate(Axis(0), &views).unwrap_or_default()
    }

    /// All weights, by name.
    pub(crate) fn put(&self, file: &mut ModelFile) {
        match &self.front {
            Some(Front::Pictures(convolution)) => put_layers(file, "convolution", &convolution.layers),
            Some(Front::Graph(encoder)) => put_encoder(file, encoder),
            None => {}
        }
        put_layers(file, self.name(), &self.head.layers);
    }

    /// The names of the fully connected layers begin so; a graph encoder's are `layer`.
    fn name(&self) -> &'static str {
        if matches!(self.front, Some(Front::Graph(_))) { "head" } else { "layer" }
    }

    /// The network that [`put`](Self::put) wrote, of the same parameters.
    pub(crate) fn take(params: &SpectralNetParams, inputs: usize, file: &ModelFile) -> Result<Self, ModelError> {
        let (front, read) = match (&params.convolution, &params.graph_encoder) {
            (Some(given), _) => {
                let wanted = params.shape.map_or(0, |shape| shape.iter().product());
                let shape = picture(params.shape, inputs).ok_or(ModelError::Features { wanted, found: inputs })?;
                let layers = take_layers(file, "convolution", given.sides(shape))?;
                let convolution = Convolution::new(given, shape, params.activation, layers);
                let read = convolution.outputs();
                (Some(Front::Pictures(convolution)), read)
            }
            (None, Some(given)) => {
                (Some(Front::Graph(take_encoder(file, given.kind, &given.sizes(inputs))?)), given.outputs)
            }
            (None, None) => (None, inputs),
        };
        let head = Perceptron { layers: Vec::new(), activation: params.activation, last: params.last() };
        let mut network = Self { front, head };
        network.head.layers = take_layers(file, network.name(), pairs(&params.sizes(inputs, read)))?;
        Ok(network)
    }
}
