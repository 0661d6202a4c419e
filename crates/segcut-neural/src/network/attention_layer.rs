//! A layer that weighs neighbors by what they hold: memberships and gradients through it.

use super::{Layer, Network, Pass};
use crate::activation::{biased_elu, column_sums};
use crate::community::attention::{self, attend, attend_back};
use crate::matrix::{Matrix, Panels};
use crate::neighbors::Neighbors;
use ndarray::{ArrayView1, ArrayView2};

/// What a forward pass leaves: what is weighed, n×outputs, and the weights.
#[derive(Debug)]
pub(super) struct Attended {
    h: Matrix,
    pass: attention::Attended,
}

impl Network {
    /// ELU(Σⱼ αᵢⱼ·(X·M)ⱼ + bias), X the features or what the layer before gave (Veličković et al. 2018, eq. 4).
    pub(super) fn attend(&self, at: usize, (x, neighbors): (&Matrix, &Neighbors), pass: &mut Pass) {
        let layer = &self.layers[at];
        let input = at.checked_sub(1).map_or(x, |before| &pass.outputs[before]);
        let mut h = Matrix::zeros(input.rows, layer.outputs);
        let weights = Panels::new(&self.parameters[layer.matrix()], layer.outputs);
        h.set_product(input, &weights, |_, _| {});
        let weighed = attend(&neighbors.links, view(&h), self.vectors(layer), Some(&neighbors.logs));
        let out = &mut pass.outputs[at].values;
        out.iter_mut().zip(&weighed.out).for_each(|(out, sum)| *out = *sum);
        biased_elu(out, &self.parameters[layer.bias()]);
        pass.attended[at] = Some(Attended { h, pass: weighed });
    }

    /// The gradient of the layer's parameters, and of what it read unless those are the features.
    pub(super) fn attend_back(
        &self,
        at: usize,
        (x, neighbors): (&Matrix, &Neighbors),
        pass: &mut Pass,
        gradient: &mut [f32],
    ) {
        let Some(Attended { h, pass: weighed }) = &pass.attended[at] else { return };
        let (layer, outer) = (&self.layers[at], &pass.gradients[at]);
        column_sums(&outer.values, &mut gradient[layer.bias()]);
        let (of_h, of_vectors) = attend_back(&neighbors.links, view(h), self.vectors(layer), weighed, view(outer));
        let of_vectors = of_vectors.iter().flatten();
        gradient[layer.vectors()].iter_mut().zip(of_vectors).for_each(|(g, found)| *g = *found);
        let of_h = Matrix::from_array(of_h.view());
        let input = at.checked_sub(1).map_or(x, |before| &pass.outputs[before]);
        input.transposed_product(&of_h, &mut gradient[layer.matrix()]);
        if at > 0 {
            let turned = Panels::transposed(&self.parameters[layer.matrix()], layer.outputs);
            pass.gradients[at - 1].set_product(&of_h, &turned, |_, _| {});
        }
    }

    fn vectors(&self, layer: &Layer) -> [ArrayView1<'_, f32>; 2] {
        let (from, to) = self.parameters[layer.vectors()].split_at(layer.outputs);
        [from.into(), to.into()]
    }
}

fn view(matrix: &Matrix) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((matrix.rows, matrix.cols), &matrix.values)
        .unwrap_or_else(|_| ArrayView2::from(&[[0.0; 0]; 0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::tests::{N, outer, ring};
    use crate::network::{Inputs, Shape};
    use crate::spread::{Encoder, Gathering};
    use ndarray::{Array1, Array2, Axis};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// One layer as published, pair by pair, with the weights as factors of the exponentials.
    fn attended(h: &Array2<f64>, [from, to]: [Array1<f64>; 2]) -> Array2<f64> {
        let mut weights = Array2::<f64>::eye(N);
        let ring = ring();
        let edges = ring.sparse().unwrap();
        for (&[u, v], &w) in edges.edges().iter().zip(edges.weights()) {
            weights[[u as usize, v as usize]] = w;
            weights[[v as usize, u as usize]] = w;
        }
        let (from, to) = (h.dot(&from), h.dot(&to));
        let leaky = |x: f64| if x > 0.0 { x } else { 0.2 * x };
        let alpha = Array2::from_shape_fn((N, N), |(i, j)| weights[[i, j]] * leaky(from[i] + to[j]).exp());
        let sums = alpha.sum_axis(Axis(1)).insert_axis(Axis(1));
        (alpha / sums).dot(h)
    }

    /// Σ S ∘ `outer` in double precision.
    fn plain(network: &Network, values: &[f64], x: &Array2<f64>) -> f64 {
        let mut h = x.clone();
        for (at, layer) in network.layers.iter().enumerate() {
            let matrix = values[layer.matrix()].to_vec();
            h = h.dot(&Array2::from_shape_vec((layer.inputs, layer.outputs), matrix).unwrap());
            if layer.attends {
                let (from, to) = values[layer.vectors()].split_at(layer.outputs);
                h = attended(&h, [from, to].map(|v| Array1::from(v.to_vec())));
            }
            h += &ArrayView1::from(&values[layer.bias()]);
            if at + 1 < network.layers.len() {
                h.mapv_inplace(|v| if v > 0.0 { v } else { v.exp_m1() });
            }
        }
        let exps = h.mapv(f64::exp);
        let s = &exps / &exps.sum_axis(Axis(1)).insert_axis(Axis(1));
        s.indexed_iter().map(|((i, c), s)| s * f64::from(outer(i, c))).sum()
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        for layers in 1..4 {
            let shape = Shape { inputs: 5, encoder: Encoder::Gat, layers, hidden: [4, 3], clusters: 2 };
            let network = Network::draw(&shape, &mut ChaCha8Rng::seed_from_u64(3));
            let x = Array2::from_shape_fn((N, 5), |(i, d)| ((i * 5 + d * 3) % 11) as f64 / 5.0 - 1.0);
            let features = Matrix::from_array(x.mapv(|v| v as f32).view());
            let neighbors = Some(Neighbors::new(&ring(), 0.0));
            let gathering = Gathering { neighbors, ..Gathering::default() };
            let inputs = Inputs { x: &features, whole: None, gathering: &gathering };
            let mut pass = Pass::new(&network, N);
            network.forward(inputs, None, &mut pass);
            let value: f32 = (0..2 * N).map(|at| pass.s().values[at] * outer(at / 2, at % 2)).sum();
            let (_, of_s) = pass.s_and_gradient();
            of_s.values.iter_mut().enumerate().for_each(|(at, g)| *g = outer(at / 2, at % 2));
            let mut gradient = vec![0.0; network.parameters.len()];
            network.backward(inputs, None, &mut pass, &mut gradient);
            let values: Vec<f64> = network.parameters.iter().map(|&v| f64::from(v)).collect();
            assert!((f64::from(value) - plain(&network, &values, &x)).abs() < 1e-5);
            for (at, &found) in gradient.iter().enumerate() {
                let moved = |by: f64| {
                    let mut values = values.clone();
                    values[at] += by;
                    plain(&network, &values, &x)
                };
                let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((f64::from(found) - slope).abs() < 2e-5, "{layers} {at}: {found} {slope}");
            }
        }
    }
}
