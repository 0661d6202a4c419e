//! Rows of a batch → the same rows, changed in ways that leave their cluster as it is.

use super::convolution::picture;
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segcut_core::StageError;
use serde::{Deserialize, Serialize};
use std::f32::consts::TAU;

/// How what the network reads is changed in every step of training (`[cluster.augmentation]`); neighbours are those of
/// the rows as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentationParams {
    /// Deviation of Gaussian noise that is added to every value, over that of the mean column under the default
    /// `standardize`.
    pub noise: f64,
    /// The same number for all values of a row, between minus and plus this: the brightness of a picture.
    pub brightness: f64,
    /// Cells by which a picture moves at most, up or down and left or right; its border is repeated.
    pub shift: usize,
    /// Whether every second picture is seen in a mirror, left for right.
    pub flip: bool,
}

/// The first of the streams of random numbers of epochs.
const STREAM: u64 = 1 << 40;

impl AugmentationParams {
    pub(crate) fn check(&self) -> Result<(), StageError> {
        let factors =
            [("cluster.augmentation.noise", self.noise), ("cluster.augmentation.brightness", self.brightness)];
        match factors.into_iter().find(|(_, value)| !(0.0..=1e6).contains(value)) {
            Some((name, value)) => Err(StageError::parameter(name, value, "from 0 to 1e6")),
            None => Ok(()),
        }
    }

    /// Whether rows must be pictures.
    pub(crate) fn reads_pictures(&self) -> bool {
        self.shift > 0 || self.flip
    }

    /// The random numbers of an epoch.
    pub(crate) fn stream(seed: u64, epoch: usize) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(STREAM + epoch as u64);
        random
    }

    /// Changes every row; `shape` is that of pictures.
    pub(crate) fn change(&self, x: &mut Array2<f32>, shape: Option<[usize; 3]>, random: &mut ChaCha8Rng) {
        let shape = picture(shape, x.ncols()).filter(|_| self.reads_pictures());
        for mut row in x.rows_mut() {
            let Some(row) = row.as_slice_mut() else { continue };
            if let Some(shape) = shape {
                self.move_picture(row, shape, random);
            }
            if self.brightness > 0.0 {
                let by = self.brightness as f32 * (2.0 * random.random::<f32>() - 1.0);
                row.iter_mut().for_each(|value| *value += by);
            }
            if self.noise > 0.0 {
                row.iter_mut().for_each(|value| *value += self.noise as f32 * normal(random));
            }
        }
    }

    fn move_picture(&self, row: &mut [f32], [height, width, channels]: [usize; 3], random: &mut ChaCha8Rng) {
        let mut by = || random.random_range(0..=2 * self.shift);
        let (down, right) = (by(), by());
        let mirrored = self.flip && random.random::<bool>();
        let before = row.to_vec();
        let source = |at: usize, by: usize, side: usize| (at + by).saturating_sub(self.shift).min(side - 1);
        for (cell, to) in row.chunks_exact_mut(channels).enumerate() {
            let (line, column) = (source(cell / width, down, height), source(cell % width, right, width));
            let column = if mirrored { width - 1 - column } else { column };
            let from = (line * width + column) * channels;
            to.copy_from_slice(&before[from..from + channels]);
        }
    }
}

/// A draw from the normal distribution (Box & Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f32 {
    let (radius, angle) = (1.0 - random.random::<f32>(), random.random::<f32>());
    (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn pictures_move_by_whole_cells_and_are_mirrored() {
        let params = AugmentationParams { shift: 1, flip: true, ..AugmentationParams::default() };
        let start = array![[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]];
        let mut seen = Vec::new();
        let mut random = AugmentationParams::stream(1, 0);
        for _ in 0..500 {
            let mut x = start.clone();
            params.change(&mut x, Some([1, 3, 2]), &mut random);
            seen.push(x.into_raw_vec_and_offset().0);
        }
        seen.sort_by(|a, b| a.partial_cmp(b).unwrap());
        seen.dedup();
        let rows: [[f32; 6]; 6] = [
            [1.0, 2.0, 1.0, 2.0, 3.0, 4.0],
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            [3.0, 4.0, 1.0, 2.0, 1.0, 2.0],
            [3.0, 4.0, 5.0, 6.0, 5.0, 6.0],
            [5.0, 6.0, 3.0, 4.0, 1.0, 2.0],
            [5.0, 6.0, 5.0, 6.0, 3.0, 4.0],
        ];
        assert_eq!(seen, rows);
    }

    #[test]
    fn noise_has_the_deviation_and_brightness_is_one_number_a_row() {
        let params = AugmentationParams { noise: 0.5, ..AugmentationParams::default() };
        let mut x = Array2::zeros((200, 50));
        params.change(&mut x, None, &mut AugmentationParams::stream(3, 2));
        let square = x.iter().map(|v| v * v).sum::<f32>() / 1e4;
        assert!((square.sqrt() - 0.5).abs() < 0.02 && x.sum().abs() < 200.0, "{square}");
        let params = AugmentationParams { brightness: 0.3, ..AugmentationParams::default() };
        let mut x = Array2::zeros((50, 4));
        params.change(&mut x, None, &mut AugmentationParams::stream(3, 2));
        assert!(x.rows().into_iter().all(|row| row.iter().all(|v| *v == row[0] && v.abs() <= 0.3)));
        assert!(x.iter().any(|v| *v > 0.1) && x.iter().any(|v| *v < -0.1));
        assert!(AugmentationParams { noise: f64::NAN, ..AugmentationParams::default() }.check().is_err());
    }
}
