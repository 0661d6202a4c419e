//! A linear map, its weights laid out for the matrix kernel.

use crate::microkernel::{Isa, PANEL, Right, Rows, RowsMut};

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
        pack_transposed(Rows { values: &self.weight, stride: inputs }, outputs, inputs, &mut weight);
        let bias = (0..panels).map(|p| std::array::from_fn(|i| self.bias.get(p * PANEL + i).copied().unwrap_or(0.0)));
        Linear { inputs, outputs, bias: bias.collect(), panels: weight }
    }
}

/// A linear map for the kernel: panels of 32 outputs, zeros where there are fewer.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub inputs: usize,
    pub outputs: usize,
    bias: Vec<[f32; PANEL]>,
    /// Panel by panel inputs × 32 weights.
    panels: Vec<f32>,
}

impl Linear {
    /// Outputs rounded up to whole panels: numbers that a row of the product takes at least.
    pub fn width(&self) -> usize {
        self.bias.len() * PANEL
    }

    /// out (+)= W x + b for rows of x.
    pub fn apply(&self, rows: usize, x: Rows<'_>, add: bool, out: &mut RowsMut<'_>) {
        let isa = Isa::best();
        for (at, (panel, bias)) in self.panels.chunks_exact(self.inputs * PANEL).zip(&self.bias).enumerate() {
            let mut out = RowsMut { values: &mut out.values[at * PANEL..], stride: out.stride };
            isa.multiply(rows, x, Right { panel, bias, add }, &mut out);
        }
    }

    /// The weights as checkpoints hold them: out × in, row-major.
    #[cfg(feature = "candle")]
    pub fn weight(&self) -> Vec<f32> {
        let panel = |output: usize| &self.panels[output / PANEL * self.inputs * PANEL..];
        let row = |output: usize| (0..self.inputs).map(move |k| panel(output)[k * PANEL + output % PANEL]);
        (0..self.outputs).flat_map(row).collect()
    }

    /// The bias.
    #[cfg(feature = "candle")]
    pub fn bias(&self) -> &[f32] {
        &self.bias.as_flattened()[..self.outputs]
    }
}

/// `count` rows of `depth` numbers → panels of 32 columns, depth × 32 each: the transposed matrix.
pub(crate) fn pack_transposed(rows: Rows<'_>, count: usize, depth: usize, panels: &mut [f32]) {
    for row in 0..count {
        let (panel, column) = (row / PANEL, row % PANEL);
        let values = &rows.values[row * rows.stride..][..depth];
        let panel = &mut panels[panel * depth * PANEL..][..depth * PANEL];
        panel.chunks_exact_mut(PANEL).zip(values).for_each(|(line, &v)| line[column] = v);
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
        let x = Rows { values: &[1.0, 0.0, 2.0, 0.0, 1.0, 0.0], stride: 3 };
        linear.apply(2, x, true, &mut RowsMut { values: &mut out, stride: 64 });
        // row i of the weights is 3i, 3i + 1, 3i + 2
        for i in 0..outputs {
            let i_ = i as f32;
            assert_eq!(out[i], 1.0 + 0.5 * (3.0 * i_ + 2.0 * (3.0 * i_ + 2.0) - i_));
            assert_eq!(out[64 + i], 1.0 + 0.5 * (3.0 * i_ + 1.0 - i_));
        }
        assert!(out[outputs..64].iter().all(|&v| v == 1.0));
    }
}
