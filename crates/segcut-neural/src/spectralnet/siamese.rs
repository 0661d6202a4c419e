//! Rows of features → a space in which neighbours are near and others apart.

use super::model::encoded;
use super::params::Activation;
use super::perceptron::{Last, Perceptron};
use super::pretraining::{Pretraining, Steps, rows};
use crate::adamw::{AdamW, AdamWParams};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, SparseAffinity, StageError};
use segcut_graph::{PointGraph, PointGraphParams, Symmetry};
use serde::{Deserialize, Serialize};

/// A network whose outputs tell which nodes are alike (`[cluster.siamese]`): neighbours within batches are found by
/// them. The defaults are those of the authors' package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiameseParams {
    /// Outputs of the hidden layers.
    pub hidden: Vec<usize>,
    /// Dimensions of the space.
    pub outputs: usize,
    /// Nearest nodes that count as alike.
    pub n_neighbors: usize,
    /// How it is trained.
    pub training: Pretraining,
}

impl Default for SiameseParams {
    fn default() -> Self {
        let training = Pretraining { epochs: 30, batch: 128, ..Pretraining::default() };
        Self { hidden: vec![1024, 1024, 512], outputs: 10, n_neighbors: 2, training }
    }
}

/// Two rows, and whether they are alike.
type Example = (usize, usize, bool);

/// Hadsell, Chopra & LeCun 2006: beyond this distance rows are apart enough.
const MARGIN: f32 = 1.0;

/// The stream of random numbers of the siamese network.
const STREAM: u64 = u64::MAX - 3;

/// Most edges of the graph of neighbours, over the number of rows.
const EDGES_PER_ROW: usize = 64;

impl SiameseParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        let least_one = [("cluster.siamese.outputs", self.outputs), ("cluster.siamese.n_neighbors", self.n_neighbors)];
        for (name, value) in least_one {
            if value == 0 || value > EDGES_PER_ROW {
                return Err(StageError::parameter(name, value, "from 1 to 64"));
            }
        }
        self.training.check(&self.hidden)
    }

    /// Trains on pairs of neighbours and as many pairs of others, and returns where every row lies.
    ///
    /// Shaham et al. 2018, section 3.2.1; the loss is mean[y·D² + (1 − y)·max(0, 1 − D)²]. Differs from the package: two
    /// rows that are neighbours of each other are one pair.
    pub(crate) fn learn(
        &self,
        x: ArrayView2<'_, f32>,
        seed: u64,
        context: &Context,
    ) -> Result<Array2<f32>, StageError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(STREAM);
        let pairs = self.pairs(x, &mut random)?;
        let sizes: Vec<usize> =
            [x.ncols()].into_iter().chain(self.hidden.iter().copied()).chain([self.outputs]).collect();
        let network = Perceptron::draw(&sizes, Activation::Relu, Last::Relu, &mut random);
        let steps = AdamWParams { learning_rate: 0.0, weight_decay: 0.0 };
        let adam = AdamW::new(steps, network.parameters());
        let mut siamese = Siamese { network, adam };
        let examples = |at: &[usize]| at.iter().map(|&at| pairs[at]).collect::<Vec<Example>>();
        let step = |siamese: &mut Siamese, at: &[usize], rate: f64| siamese.step(x, &examples(at), rate);
        let value = |siamese: &Siamese, at: &[usize]| siamese.value(x, &examples(at));
        let steps = Steps { name: "siamese", step: &step, value: &value };
        self.training.run(&mut siamese, pairs.len(), &steps, &mut random, context)?;
        Ok(encoded(&siamese.network, x))
    }

    fn pairs(&self, x: ArrayView2<'_, f32>, random: &mut ChaCha8Rng) -> Result<Vec<Example>, StageError> {
        let n = x.nrows();
        if n < 2 {
            return Ok(Vec::new());
        }
        let n_neighbors = (self.n_neighbors + 1).min(n);
        let params = PointGraphParams { n_neighbors, symmetry: Symmetry::Union, ..PointGraphParams::default() };
        let graph = PointGraph::new(params)?.build(x.mapv(f64::from).view(), n * EDGES_PER_ROW);
        let graph = graph.map_err(StageError::data)?;
        let mut pairs = Vec::with_capacity(2 * graph.edges().len());
        for &[u, v] in graph.edges() {
            pairs.push((u as usize, v as usize, true));
            pairs.extend(stranger(&graph, u, random).map(|w| (u as usize, w as usize, false)));
        }
        Ok(pairs)
    }
}

/// Draws of a stranger; small sets of points may have none.
const DRAWS: usize = 16;

/// A row that is no neighbour.
fn stranger(graph: &SparseAffinity, u: u32, random: &mut ChaCha8Rng) -> Option<u32> {
    let joined = |w: u32| graph.edges().binary_search(&[u.min(w), u.max(w)]).is_ok();
    (0..DRAWS).map(|_| random.random_range(0..graph.n() as u32)).find(|&w| w != u && !joined(w))
}

struct Siamese {
    network: Perceptron,
    adam: AdamW,
}

impl Siamese {
    fn inputs(x: ArrayView2<'_, f32>, examples: &[Example]) -> Array2<f32> {
        let first = examples.iter().map(|pair| pair.0);
        let all: Vec<usize> = first.chain(examples.iter().map(|pair| pair.1)).collect();
        rows(x, &all)
    }

    /// One step; the loss before it.
    fn step(&mut self, x: ArrayView2<'_, f32>, examples: &[Example], rate: f64) -> f64 {
        let inputs = Self::inputs(x, examples);
        let outputs = self.network.forward(inputs.view());
        let (loss, gradient) = contrastive(outputs.last().view(), examples);
        let gradients = self.network.backward(inputs.view(), &outputs, gradient);
        self.adam.set_learning_rate(rate as f32);
        self.adam.step(self.network.with_gradients(&gradients));
        loss
    }

    fn value(&self, x: ArrayView2<'_, f32>, examples: &[Example]) -> f64 {
        let outputs = self.network.forward(Self::inputs(x, examples).view());
        contrastive(outputs.last().view(), examples).0
    }
}

/// Places of the first rows, then of the second rows of all pairs → the contrastive loss and its gradient.
fn contrastive(places: ArrayView2<'_, f32>, examples: &[Example]) -> (f64, Array2<f32>) {
    let m = examples.len();
    let apart = &places.slice(s![..m, ..]) - &places.slice(s![m.., ..]);
    let mut slopes = apart.clone();
    let mut sum = 0.0;
    for ((mut slope, apart), &(_, _, alike)) in slopes.rows_mut().into_iter().zip(apart.rows()).zip(examples) {
        let square = apart.dot(&apart);
        let distance = square.sqrt().max(1e-6);
        let short = (MARGIN - distance).max(0.0);
        sum += f64::from(if alike { square } else { short * short });
        let factor = if alike { 2.0 } else { -2.0 * short / distance };
        slope *= factor / m.max(1) as f32;
    }
    let turned = slopes.mapv(|slope| -slope);
    let gradient = concatenate(Axis(0), &[slopes.view(), turned.view()]).unwrap_or_default();
    (sum / m.max(1) as f64, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_loss_is_that_of_the_paper_and_its_gradient_that_of_finite_differences() {
        let examples = [(0, 0, true), (0, 0, false), (0, 0, false)];
        let places = array![[0.0f32, 0.0], [1.0, 0.0], [0.0, 0.0], [0.5, 0.0], [1.0, 0.6], [2.0, 0.0]];
        let (loss, gradient) = contrastive(places.view(), &examples);
        // 0.25 for the pair that is alike, (1 − 0.6)² for the second, 0 for the third.
        assert!((loss - (0.25 + 0.16) / 3.0).abs() < 1e-6, "{loss}");
        for (at, &slope) in gradient.indexed_iter() {
            let moved = |by: f32| {
                let mut places = places.clone();
                places[at] += by;
                contrastive(places.view(), &examples).0
            };
            let wanted = (moved(1e-3) - moved(-1e-3)) / 2e-3;
            assert!((f64::from(slope) - wanted).abs() < 2e-3, "{at:?} {slope} {wanted}");
        }
    }

    #[test]
    fn neighbors_end_nearer_than_strangers() {
        let x = Array2::from_shape_fn((120, 2), |(i, j)| if j == 0 { (i % 3) as f32 } else { (i / 3) as f32 / 40.0 });
        let training = Pretraining { epochs: 30, batch: 32, ..Pretraining::default() };
        let params = SiameseParams { hidden: vec![32], outputs: 4, n_neighbors: 2, training };
        let places = params.learn(x.view(), 1, &Context::default()).unwrap();
        let distance = |a: usize, b: usize| {
            let apart = &places.row(a) - &places.row(b);
            apart.dot(&apart).sqrt()
        };
        let near: f32 = (0..117).map(|i| distance(i, i + 3)).sum();
        let far: f32 = (0..117).map(|i| distance(i, i + 2)).sum();
        assert!(3.0 * near < far, "{near} {far}");
        assert!(params.learn(x.slice(s![..1, ..]), 1, &Context::default()).is_ok());
    }
}
