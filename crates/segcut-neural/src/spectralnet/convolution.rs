//! Rows that are pictures → rows of features by convolutions, and back to gradients.

use super::params::Activation;
use super::perceptron::Layer;
use ndarray::{Array2, ArrayView2, Axis, Zip};
use rand_chacha::ChaCha8Rng;
use segcut_core::StageError;
use serde::{Deserialize, Serialize};

/// Cells under a filter.
const TAPS: usize = 9;

/// Convolutions that stand before the fully connected layers (`[cluster.convolution]`), for rows that are pictures
/// (`cluster.shape`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConvolutionParams {
    /// Filters of 3×3 cells, layer by layer.
    pub channels: Vec<usize>,
    /// Cells by which filters move.
    pub stride: usize,
}

impl Default for ConvolutionParams {
    fn default() -> Self {
        Self { channels: vec![16, 32], stride: 2 }
    }
}

impl ConvolutionParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        if self.channels.is_empty() || self.channels.contains(&0) {
            let channels = format!("{:?}", self.channels);
            return Err(StageError::parameter("cluster.convolution.channels", channels, "counts of at least 1"));
        }
        if !(1..=8).contains(&self.stride) {
            return Err(StageError::parameter("cluster.convolution.stride", self.stride, "from 1 to 8"));
        }
        Ok(())
    }

    /// Inputs and outputs of the filters of every layer.
    pub(crate) fn sides(&self, shape: [usize; 3]) -> Vec<[usize; 2]> {
        self.shapes(shape).windows(2).map(|pair| [TAPS * pair[0][2], pair[1][2]]).collect()
    }

    /// Sides and channels of a picture of this shape before and behind every layer.
    fn shapes(&self, shape: [usize; 3]) -> Vec<[usize; 3]> {
        let mut shapes = vec![shape];
        for &channels in &self.channels {
            let [height, width, _] = shapes[shapes.len() - 1];
            shapes.push([height.div_ceil(self.stride), width.div_ceil(self.stride), channels]);
        }
        shapes
    }
}

/// Height, width and channels of pictures of so many values: as given, or square, of one or three channels.
pub(crate) fn picture(given: Option<[usize; 3]>, values: usize) -> Option<[usize; 3]> {
    let square = |channels: usize| {
        let side = (values / channels).isqrt();
        [side, side, channels]
    };
    let fits = |shape: &[usize; 3]| {
        let [height, width, channels] = *shape;
        values > 0 && height.checked_mul(width).and_then(|cells| cells.checked_mul(channels)) == Some(values)
    };
    given.map_or_else(|| [1, 3].map(square).into_iter().find(fits), |shape| Some(shape).filter(fits))
}

/// Filters of 3×3 cells with a frame of zeros around the picture, the activation behind each layer.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    shapes: Vec<[usize; 3]>,
    stride: usize,
    activation: Activation,
    /// (9·channels)×filters.
    pub(crate) layers: Vec<Layer>,
}

/// What a layer reads and where.
struct Filters {
    from: [usize; 3],
    to: [usize; 3],
    stride: usize,
}

impl Convolution {
    /// Filters drawn as those of fully connected layers.
    pub(crate) fn draw(
        params: &ConvolutionParams,
        shape: [usize; 3],
        activation: Activation,
        random: &mut ChaCha8Rng,
    ) -> Self {
        let layers = params.sides(shape).into_iter().map(|sides| Layer::draw(sides, random)).collect();
        Self::new(params, shape, activation, layers)
    }

    /// The layers of a network with these parameters.
    pub(crate) fn new(
        params: &ConvolutionParams,
        shape: [usize; 3],
        activation: Activation,
        layers: Vec<Layer>,
    ) -> Self {
        Self { shapes: params.shapes(shape), stride: params.stride, activation, layers }
    }

    /// Values of a row behind the last layer.
    pub(crate) fn outputs(&self) -> usize {
        self.shapes.last().map_or(0, |shape| shape.iter().product())
    }

    fn filters(&self, at: usize) -> Filters {
        Filters { from: self.shapes[at], to: self.shapes[at + 1], stride: self.stride }
    }

    /// Rows behind every layer; a row is a picture, line by line, its channels together.
    pub(crate) fn forward(&self, x: ArrayView2<'_, f32>) -> Vec<Array2<f32>> {
        let mut outputs: Vec<Array2<f32>> = Vec::with_capacity(self.layers.len());
        let slope = self.activation.slope();
        for (at, layer) in self.layers.iter().enumerate() {
            let input = outputs.last().map_or(x, |output| output.view());
            let mut sums = self.filters(at).gather(input).dot(&layer.matrix);
            sums += &layer.bias;
            sums.mapv_inplace(|v| v.max(slope * v));
            let sides = (x.nrows(), self.shapes[at + 1].iter().product::<usize>());
            outputs.push(sums.into_shape_with_order(sides).unwrap_or_default());
        }
        outputs
    }

    /// The gradient of all filters from that of the last rows.
    pub(crate) fn backward(
        &self,
        x: ArrayView2<'_, f32>,
        outputs: &[Array2<f32>],
        of_outputs: Array2<f32>,
    ) -> Vec<Layer> {
        let mut gradients = Vec::with_capacity(self.layers.len());
        let (mut outer, slope) = (of_outputs, self.activation.slope());
        for at in (0..self.layers.len()).rev() {
            Zip::from(&mut outer).and(&outputs[at]).for_each(|g, &y| *g *= if y > 0.0 { 1.0 } else { slope });
            let filters = self.filters(at);
            let sides = (x.nrows() * filters.to[0] * filters.to[1], filters.to[2]);
            let of_sums = outer.as_standard_layout().into_owned();
            let of_sums = of_sums.into_shape_with_order(sides).unwrap_or_default();
            let input = if at == 0 { x } else { outputs[at - 1].view() };
            let matrix = filters.gather(input).t().dot(&of_sums).as_standard_layout().into_owned();
            gradients.push(Layer { matrix, bias: of_sums.sum_axis(Axis(0)) });
            if at > 0 {
                outer = filters.scatter(&of_sums.dot(&self.layers[at].matrix.t()), x.nrows());
            }
        }
        gradients.reverse();
        gradients
    }
}

impl Filters {
    /// Calls with the place of a cell under a filter among a picture's patches, and its place in the picture.
    fn each_cell(&self, mut visit: impl FnMut(usize, usize)) {
        let ([height, width, channels], [_, columns, _]) = (self.from, self.to);
        for at in 0..self.to[0] * columns {
            for tap in 0..TAPS {
                // Both are one too large, for the frame.
                let (row, column) = (at / columns * self.stride + tap / 3, at % columns * self.stride + tap % 3);
                if (1..=height).contains(&row) && (1..=width).contains(&column) {
                    visit((at * TAPS + tap) * channels, ((row - 1) * width + column - 1) * channels);
                }
            }
        }
    }

    /// Values of a picture, and of its patches.
    fn lengths(&self) -> (usize, usize) {
        (self.from.iter().product(), self.to[0] * self.to[1] * TAPS * self.from[2])
    }

    /// Pictures → one row per place of a filter with the values under it.
    fn gather(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let (whole, patches) = self.lengths();
        let channels = self.from[2];
        let x = x.as_standard_layout();
        let mut values = vec![0.0; x.nrows() * patches];
        let pictures = x.as_slice().unwrap_or_default().chunks_exact(whole);
        for (to, from) in values.chunks_exact_mut(patches).zip(pictures) {
            self.each_cell(|at, cell| to[at..at + channels].copy_from_slice(&from[cell..cell + channels]));
        }
        Array2::from_shape_vec((x.nrows() * self.to[0] * self.to[1], TAPS * channels), values).unwrap_or_default()
    }

    /// The transpose of [`gather`](Self::gather).
    fn scatter(&self, rows: &Array2<f32>, pictures: usize) -> Array2<f32> {
        let (whole, patches) = self.lengths();
        let channels = self.from[2];
        let rows = rows.as_standard_layout();
        let mut sums = vec![0.0; pictures * whole];
        let from = rows.as_slice().unwrap_or_default().chunks_exact(patches);
        for (to, from) in sums.chunks_exact_mut(whole).zip(from) {
            self.each_cell(|at, cell| {
                to[cell..cell + channels]
                    .iter_mut()
                    .zip(&from[at..at + channels])
                    .for_each(|(sum, value)| *sum += value);
            });
        }
        Array2::from_shape_vec((pictures, whole), sums).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn shapes_are_given_or_square() {
        assert_eq!(picture(None, 64), Some([8, 8, 1]));
        assert_eq!(picture(None, 48), Some([4, 4, 3]));
        assert_eq!(picture(None, 50), None);
        assert_eq!(picture(Some([2, 3, 2]), 12), Some([2, 3, 2]));
        assert_eq!(picture(Some([2, 3, 2]), 13), None);
        assert_eq!(picture(Some([usize::MAX, 3, 2]), 13), None);
        assert_eq!(picture(None, 0), None);
    }

    #[test]
    fn a_filter_sums_what_is_under_it() {
        let params = ConvolutionParams { channels: vec![1], stride: 2 };
        let mut net = Convolution::draw(&params, [3, 3, 1], Activation::Relu, &mut ChaCha8Rng::seed_from_u64(0));
        net.layers[0].matrix.fill(1.0);
        net.layers[0].bias.fill(0.5);
        let x = Array2::from_shape_fn((1, 9), |(_, cell)| cell as f32 + 1.0);
        // The filter stands on the four corners; each sees the four cells that are nearest to it.
        let found = net.forward(x.view());
        assert_eq!(found[0], ndarray::array![[12.5f32, 16.5, 24.5, 28.5]]);
        assert_eq!(net.outputs(), 4);
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for stride in [1, 2] {
            let params = ConvolutionParams { channels: vec![3, 2], stride };
            let net = Convolution::draw(&params, [5, 4, 2], Activation::LeakyRelu, &mut random);
            let x = Array2::from_shape_fn((3, 40), |(i, j)| ((i * 17 + j * 7) % 23) as f32 / 11.0 - 1.0);
            let outer = Array2::from_shape_fn((3, net.outputs()), |(i, j)| ((i + 3 * j) % 5) as f32 - 2.0);
            let value = |net: &Convolution| {
                let outputs = net.forward(x.view());
                (&outputs[1] * &outer).mapv(f64::from).sum()
            };
            let gradients = net.backward(x.view(), &net.forward(x.view()), outer.clone());
            for (at, gradient) in gradients.iter().enumerate() {
                let check = |place: &dyn Fn(&mut Layer) -> &mut f32, slope: f32| {
                    let moved = |by: f32| {
                        let mut net = net.clone();
                        *place(&mut net.layers[at]) += by;
                        value(&net)
                    };
                    let wanted = (moved(4e-4) - moved(-4e-4)) / 8e-4;
                    assert!((f64::from(slope) - wanted).abs() < 0.02 * wanted.abs().max(1.0), "{slope} {wanted}");
                };
                gradient
                    .matrix
                    .indexed_iter()
                    .for_each(|(cell, &slope)| check(&|layer| &mut layer.matrix[cell], slope));
                gradient.bias.indexed_iter().for_each(|(cell, &slope)| check(&|layer| &mut layer.bias[cell], slope));
            }
        }
    }
}
