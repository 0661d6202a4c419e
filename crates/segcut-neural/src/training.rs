//! Gradients and steps, epoch by epoch.

use crate::activation::draw_mask;
use crate::adamw::{AdamW, AdamWParams};
use crate::loss::Loss;
use crate::matrix::Matrix;
use crate::neighbors::Neighbors;
use crate::network::{Inputs, Network, Pass};
use crate::params::{DeepCutParams, Labels};
use crate::spread::{Encoder, Gathering};
use crate::target::Target;
use crate::whole_numbers::WholeNumbers;
use rand_chacha::ChaCha8Rng;
use segcut_core::{Context, Status};

/// Epochs over which the loss is averaged to decide whether it still falls.
const WINDOW: usize = 10;

/// One graph as the network sees it.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// What the first layer reads.
    pub(crate) x: Matrix,
    /// How further encoder layers gather.
    pub(crate) gathering: Gathering,
    /// What is minimised.
    pub(crate) loss: Loss,
}

impl Prepared {
    pub(crate) fn inputs(&self) -> Inputs<'_> {
        Inputs { x: &self.x, whole: None, gathering: &self.gathering }
    }

    /// Graphs as one, without edges between them.
    pub(crate) fn union(graphs: Vec<Self>, params: &DeepCutParams) -> Self {
        let x = Matrix::stacked(&graphs.iter().map(|graph| &graph.x).collect::<Vec<_>>());
        let (mut losses, mut parts, mut neighbors) = (Vec::new(), Vec::new(), Vec::new());
        for graph in graphs {
            losses.push(graph.loss);
            parts.extend(graph.gathering.parts);
            neighbors.extend(graph.gathering.neighbors);
        }
        let neighbors = (!neighbors.is_empty()).then(|| Neighbors::union(&neighbors));
        Self {
            x,
            gathering: Gathering { parts, neighbors },
            loss: Loss::union(losses, params.objective, params.balance),
        }
    }

    /// Bytes that are held, about.
    pub(crate) fn bytes(&self) -> usize {
        4 * (self.x.values.len() + self.gathering.numbers() + self.loss.numbers())
    }

    /// Nodes.
    pub(crate) fn n(&self) -> usize {
        self.x.rows
    }
}

/// One network while it is trained.
pub(crate) struct Training<'a> {
    params: &'a DeepCutParams,
    network: Network,
    adam: AdamW,
    random: ChaCha8Rng,
    gradient: Vec<f32>,
    mask: Vec<f32>,
}

/// Memberships, how training ended and the loss of every epoch.
pub(crate) struct Trained {
    pub(crate) s: Matrix,
    pub(crate) status: Status,
    pub(crate) losses: Vec<f64>,
}

impl<'a> Training<'a> {
    pub(crate) fn new(params: &'a DeepCutParams, network: Network, random: ChaCha8Rng) -> Self {
        let steps =
            AdamWParams { learning_rate: params.learning_rate as f32, weight_decay: params.weight_decay as f32 };
        let adam = AdamW::new(steps, network.parameters.len());
        let gradient = vec![0.0; network.parameters.len()];
        Self { params, network, adam, random, gradient, mask: Vec::new() }
    }

    /// One step against a loss, which reads memberships and writes its gradient; the loss before the step.
    pub(crate) fn step(
        &mut self,
        inputs: Inputs<'_>,
        pass: &mut Pass,
        loss: impl Fn(&Matrix, &mut Matrix) -> f64,
    ) -> f64 {
        let mask = if self.params.dropout > 0.0 {
            self.mask.resize(self.network.mask_len(inputs.x.rows), 0.0);
            draw_mask(&mut self.mask, self.params.dropout, &mut self.random);
            Some(&self.mask[..])
        } else {
            None
        };
        self.network.forward(inputs, mask, pass);
        let (s, of_s) = pass.s_and_gradient();
        let value = loss(s, of_s);
        self.network.backward(inputs, mask, pass, &mut self.gradient);
        self.adam.step(std::iter::once((&mut self.network.parameters[..], &self.gradient[..])));
        value
    }

    /// The features in whole numbers, where that is asked for and fast.
    fn whole(&self, graph: &Prepared) -> Option<WholeNumbers> {
        (self.params.is_rounded() && self.params.encoder != Encoder::Gat).then(|| WholeNumbers::new(&graph.x))
    }

    /// Steps toward a target alone.
    pub(crate) fn learn(&mut self, graph: &Prepared, target: &Target, epochs: usize) {
        let mut pass = Pass::new(&self.network, graph.n());
        let whole = self.whole(graph);
        let inputs = Inputs { whole: whole.as_ref(), ..graph.inputs() };
        for _ in 0..epochs {
            self.step(inputs, &mut pass, |s, gradient| {
                gradient.values.fill(0.0);
                target.cross_entropy(1.0, s, gradient)
            });
        }
    }

    /// Epochs of the graph's loss, and of the attachment to a target.
    pub(crate) fn run(mut self, graph: &Prepared, target: Option<&Target>, context: &Context) -> Trained {
        let mut losses = Vec::new();
        let mut status = Status::Converged;
        let mut pass = Pass::new(&self.network, graph.n());
        let whole = self.whole(graph);
        let inputs = Inputs { whole: whole.as_ref(), ..graph.inputs() };
        let factor = self.params.attachment;
        let target = target.filter(|_| factor > 0.0);
        let loss = |s: &Matrix, gradient: &mut Matrix| {
            let value = graph.loss.of(s, gradient);
            value + target.map_or(0.0, |target| target.cross_entropy(factor, s, gradient))
        };
        for epoch in 0..self.params.epochs {
            losses.push(self.step(inputs, &mut pass, loss));
            context.report("cluster", (epoch + 1) as f64 / self.params.epochs as f64);
            status = context.ended().unwrap_or_else(|| status_of(&losses, self.params.tolerance));
            if !matches!(status, Status::IterationLimit { .. }) {
                break;
            }
        }
        if self.params.tolerance == 0.0 && matches!(status, Status::IterationLimit { .. }) {
            status = Status::Converged;
        }
        if self.params.labels == Labels::Evaluation || losses.is_empty() {
            self.network.forward(inputs, None, &mut pass);
        }
        Trained { s: pass.s().clone(), status, losses }
    }

    /// The network as it is now.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The optimiser as it is now.
    pub(crate) fn adam(&self) -> &AdamW {
        &self.adam
    }

    /// Draws on from here.
    pub(crate) fn reseed(&mut self, random: ChaCha8Rng) {
        self.random = random;
    }

    /// Goes on with these parameters and this state of the optimiser; whether it fits.
    pub(crate) fn restore(&mut self, parameters: Vec<f32>, steps: i32, moments: [Vec<f32>; 2]) -> bool {
        let fits = parameters.len() == self.network.parameters.len();
        let [mean, square] = moments;
        let fits = fits && self.adam.restore(steps, mean, square);
        if fits {
            self.network.parameters = parameters;
        }
        fits
    }

    /// The network as it is now, for good.
    pub(crate) fn into_network(self) -> Network {
        self.network
    }
}

/// Converged once the mean loss of a window is no longer below that of the one before.
pub(crate) fn status_of(losses: &[f64], tolerance: f64) -> Status {
    if losses.len() < 2 * WINDOW {
        return Status::IterationLimit { residual: 1.0 };
    }
    let mean = |window: &[f64]| window.iter().sum::<f64>() / WINDOW as f64;
    let now = mean(&losses[losses.len() - WINDOW..]);
    let before = mean(&losses[losses.len() - 2 * WINDOW..losses.len() - WINDOW]);
    let residual = (before - now) / before.abs().max(f64::MIN_POSITIVE);
    match residual < tolerance && tolerance > 0.0 {
        true => Status::Converged,
        false => Status::IterationLimit { residual },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deepcut::prepared;
    use crate::network::Shape;
    use crate::params::{Objective, Precision};
    use ndarray::Array2;
    use rand::SeedableRng;
    use segcut_core::{Affinity, GramAffinity};
    use serde_json::Value;

    fn numbers(value: &Value) -> Vec<f32> {
        value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    }

    fn matrix(value: &Value) -> Array2<f32> {
        let rows: Vec<Vec<f32>> = value.as_array().unwrap().iter().map(numbers).collect();
        Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
    }

    /// The start of the fixture, its features and graph: the losses of every epoch.
    fn losses(fixture: &Value, (objective, precision): (Objective, Precision), run: &Value) -> Vec<f64> {
        let f = matrix(&fixture["features"]);
        let largest = f.rows().into_iter().map(|row| row.dot(&row)).fold(0.0, f32::max);
        let (factors, shift) = match objective {
            Objective::Ncut => (&f / largest.sqrt(), 0.0),
            Objective::Correlation => (f.clone(), -f64::from(largest) / fixture["alpha"].as_f64().unwrap()),
        };
        let clip = objective == Objective::Ncut;
        let affinity = Affinity::Gram(GramAffinity { factors, clip, shift: 0.0, diagonal: None });
        let drawn = [0, 1, 2].map(|at| &run["start"][at]);
        let shape = Shape {
            inputs: f.ncols(),
            encoder: Encoder::Gcn,
            layers: 1,
            hidden: [0, 1].map(|at| width(drawn[at])),
            clusters: width(drawn[2]),
        };
        let mut network = Network::new(&shape);
        network.parameters = drawn
            .iter()
            .flat_map(|l| [matrix(&l["matrix"]).into_raw_vec_and_offset().0, numbers(&l["bias"])])
            .flatten()
            .collect();
        let params = DeepCutParams {
            objective,
            precision,
            epochs: run["losses"].as_array().unwrap().len(),
            learning_rate: 1e-3,
            tolerance: 0.0,
            ..DeepCutParams::default()
        };
        let graph = prepared(&params, &affinity, shift, Matrix::from_array(f.view())).unwrap();
        Training::new(&params, network, ChaCha8Rng::seed_from_u64(0)).run(&graph, None, &Context::default()).losses
    }

    fn width(layer: &Value) -> usize {
        layer["bias"].as_array().unwrap().len()
    }

    #[test]
    fn losses_per_epoch_are_those_of_pytorch() {
        let text = include_str!("../../../tests/oracle/pytorch_deepcut/losses.json");
        let fixture: Value = serde_json::from_str(text).unwrap();
        let objectives = [("ncut", Objective::Ncut), ("correlation", Objective::Correlation)];
        for ((name, objective), precision) in
            objectives.into_iter().flat_map(|objective| [Precision::F32, Precision::I16].map(|p| (objective, p)))
        {
            let found = losses(&fixture, (objective, precision), &fixture[name]);
            let wanted = numbers(&fixture[name]["losses"]);
            assert_eq!(found.len(), wanted.len());
            for (epoch, (a, &b)) in found.iter().zip(&wanted).enumerate() {
                let b = f64::from(b);
                assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{name} {precision:?} epoch {epoch}: {a} {b}");
            }
        }
    }
}
