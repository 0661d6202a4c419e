//! Mean colors of labels, for small pieces that join a neighbour.

use crate::connectivity::Colors;
use crate::engine::{Centres, Space};

/// The colors by which small pieces find the neighbour that they join.
pub(crate) struct Means<S> {
    space: S,
    centres: Centres,
    /// Unit and weight of each channel's sums.
    scale: Vec<f32>,
}

impl<S: Space> Means<S> {
    /// `is_color`: the first channel is lightness, and the others count double, which is better on
    /// photographs (small pieces are shading and noise, mostly).
    pub(crate) fn new(space: S, centres: Centres, is_color: bool) -> Self {
        let chroma = |c| if is_color && c > 0 { 2.0 } else { 1.0 };
        let scale = (0..space.channels()).map(|c| chroma(c) * space.weight(c) / space.units(c) as f32).collect();
        Self { space, centres, scale }
    }
}

impl<S: Space> Colors for Means<S> {
    fn scale(&self) -> &[f32] {
        &self.scale
    }

    fn known(&self, label: u32, means: &mut [f32]) -> bool {
        let channels = self.scale.len();
        let Some(color) = self.centres.color.chunks_exact(channels).nth(label as usize) else { return false };
        means.iter_mut().zip(color).enumerate().for_each(|(c, (m, v))| *m = v * self.space.units(c) as f32);
        true
    }

    fn add(&self, [y, x]: [usize; 2], n: usize, sums: &mut [i64]) {
        let at = y * self.space.layout().stride + x;
        self.space.add(at..at + n, sums);
    }
}
