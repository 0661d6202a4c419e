//! A linear map, its weights laid out for the matrix kernel.

use segcut_kernel::{Isa, PANEL, Right, Right16, Room16, Rows, RowsMut, multiply, pack_pairs, pack_transposed};

/// out × in row-major weights and a bias, as checkpoints hold them.
#[derive(Debug)]
pub(crate) struct Dense {
    pub inputs: usize,
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

impl Dense {
    /// diag(scale)·(W x + b) as one map.
    pub fn scaled(mut self, scale: Option<&[f32]>) -> Self {
        let Some(scale) = scale else { return self };
        for (row, s) in self.weight.chunks_exact_mut(self.inputs).zip(scale) {
            row.iter_mut().for_each(|w| *w *= s);
        }
        self.bias.iter_mut().zip(scale).for_each(|(b, s)| *b *= s);
        self
    }

    /// The same map for the kernel.
    pub fn packed(self) -> Linear {
        let (inputs, outputs) = (self.inputs, self.bias.len());
        let panels = outputs.div_ceil(PANEL);
        let mut weight = vec![0.0; panels * inputs * PANEL];
        pack_transposed(Rows { values: &self.weight, stride: inputs, count: outputs }, inputs, &mut weight);
        let bias = (0..panels).map(|p| std::array::from_fn(|i| self.bias.get(p * PANEL + i).copied().unwrap_or(0.0)));
        Linear { inputs, outputs, bias: bias.collect(), weight: Weight::F32(weight) }
    }
}

/// A linear map for the kernel: panels of 32 outputs, zeros where there are fewer.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub inputs: usize,
    pub outputs: usize,
    bias: Vec<[f32; PANEL]>,
    weight: Weight,
}

/// Weights panel by panel.
#[derive(Debug, Clone)]
enum Weight {
    /// inputs × 32 numbers a panel.
    F32(Vec<f32>),
    /// inputs/2 × 32 pairs of whole numbers a panel, and what an output's numbers are multiples of.
    I16 { panels: Vec<i16>, units: Vec<[f32; PANEL]> },
}

impl Linear {
    /// Outputs rounded up to whole panels: numbers that a row of the product takes at least.
    pub fn width(&self) -> usize {
        self.bias.len() * PANEL
    }

    /// out (+)= W x + b for rows of x.
    pub fn apply(&self, x: Rows<'_>, add: bool, out: &mut RowsMut<'_>, room: &mut Room16) {
        let part = |out: &mut RowsMut<'_>, at: usize, product: &dyn Fn(&mut RowsMut<'_>)| {
            product(&mut RowsMut { values: &mut out.values[at * PANEL..], stride: out.stride });
        };
        match &self.weight {
            Weight::F32(panels) => {
                let isa = Isa::best();
                let panels = panels.chunks_exact(self.inputs * PANEL);
                for (at, (panel, bias)) in panels.zip(&self.bias).enumerate() {
                    part(out, at, &|out| isa.multiply(x, Right { panel, bias, cols: PANEL, add, ahead: 0 }, out));
                }
            }
            Weight::I16 { panels, units } => {
                let x = room.round(x, self.inputs);
                let panels = panels.chunks_exact(self.inputs.next_multiple_of(2) * PANEL);
                for (at, ((panel, units), bias)) in panels.zip(units).zip(&self.bias).enumerate() {
                    part(out, at, &|out| multiply(x, Right16 { panel, units, bias, add, ahead: 0 }, out));
                }
            }
        }
    }

    /// The same map with weights in 16-bit whole numbers.
    pub fn rounded(&self) -> Self {
        let (weight, inputs) = (self.weight(), self.inputs);
        let mut room = Room16::default();
        let rows = room.round(Rows { values: &weight, stride: inputs, count: self.outputs }, inputs);
        let mut panels = vec![0; self.width() * inputs.next_multiple_of(2)];
        pack_pairs(rows, inputs.div_ceil(2), &mut panels);
        let unit = |at: usize| rows.units.get(at).copied().unwrap_or(0.0);
        let units = (0..self.bias.len()).map(|p| std::array::from_fn(|i| unit(p * PANEL + i))).collect();
        Self { bias: self.bias.clone(), weight: Weight::I16 { panels, units }, ..*self }
    }

    /// The weights as checkpoints hold them: out × in, row-major.
    pub fn weight(&self) -> Vec<f32> {
        let number = |output: usize, input: usize| {
            let (panel, column) = (output / PANEL, output % PANEL);
            match &self.weight {
                Weight::F32(panels) => panels[(panel * self.inputs + input) * PANEL + column],
                Weight::I16 { panels, units } => {
                    let pair = panel * self.inputs.div_ceil(2) + input / 2;
                    f32::from(panels[2 * (pair * PANEL + column) + input % 2]) * units[panel][column]
                }
            }
        };
        (0..self.outputs).flat_map(|output| (0..self.inputs).map(move |input| number(output, input))).collect()
    }

    /// The bias.
    #[cfg(feature = "candle")]
    pub fn bias(&self) -> &[f32] {
        &self.bias.as_flattened()[..self.outputs]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_map_is_the_dense_one() {
        // 40 outputs: the second panel is not full
        let (inputs, outputs) = (3, 40);
        let weight: Vec<f32> = (0..inputs * outputs).map(|i| i as f32).collect();
        let bias: Vec<f32> = (0..outputs).map(|i| -(i as f32)).collect();
        let scale = vec![0.5; outputs];
        let linear = Dense { inputs, weight, bias }.scaled(Some(&scale)).packed();
        assert_eq!(linear.width(), 64);
        let mut out = vec![1.0; 2 * 64];
        let x = Rows { values: &[1.0, 0.0, 2.0, 0.0, 1.0, 0.0], stride: 3, count: 2 };
        let mut room = Room16::default();
        linear.apply(x, true, &mut RowsMut { values: &mut out, stride: 64 }, &mut room);
        // row i of the weights is 3i, 3i + 1, 3i + 2
        for i in 0..outputs {
            let i_ = i as f32;
            assert_eq!(out[i], 1.0 + 0.5 * (3.0 * i_ + 2.0 * (3.0 * i_ + 2.0) - i_));
            assert_eq!(out[64 + i], 1.0 + 0.5 * (3.0 * i_ + 1.0 - i_));
        }
        assert!(out[outputs..64].iter().all(|&v| v == 1.0));
        let mut near = vec![1.0; 2 * 64];
        let rounded = linear.rounded();
        rounded.apply(x, true, &mut RowsMut { values: &mut near, stride: 64 }, &mut room);
        assert!(near.iter().zip(&out).all(|(a, b)| (a - b).abs() < 2e-4 * b.abs()));
        assert!(rounded.weight().iter().zip(linear.weight()).all(|(a, b)| (a - b).abs() < 0.01));
    }
}
