//! Learned positions of a square grid → positions of any grid, as each code base interpolates them.

use crate::architecture::Family;
use crate::layout::Layout;
use serde::{Deserialize, Serialize};

/// How learned positions are brought to another grid; all are bicubic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// Cubic of Keys with a = −0.75, its step the inverse of (cells + 0.1) / native cells: DINO and
    /// DINOv2 without registers as published.
    Offset,
    /// The same cubic, its step native cells / cells: transformers.
    Plain,
    /// Cubic with a = −0.5 whose support grows with the reduction: timm, and DINOv2 with registers.
    Antialiased,
}

impl Interpolation {
    /// What the reference code of a checkpoint does.
    pub fn of(layout: Layout, family: Family, registers: usize) -> Self {
        match layout {
            Layout::Timm => Self::Antialiased,
            _ if family == Family::Dinov2 && registers > 0 => Self::Antialiased,
            Layout::Original => Self::Offset,
            Layout::Transformers => Self::Plain,
        }
    }
}

/// Weights of the source cells for one target cell.
#[derive(Debug, Clone)]
struct Taps(Vec<(usize, f32)>);

/// `side`×`side` positions of `dim` numbers → `rows`×`cols` positions, row-major.
///
/// A grid of the native size is returned as it is.
pub(crate) fn interpolate(
    native: &[f32],
    side: usize,
    [rows, cols]: [usize; 2],
    interpolation: Interpolation,
) -> Vec<f32> {
    if [rows, cols] == [side, side] {
        return native.to_vec();
    }
    let dim = native.len() / (side * side);
    let across: Vec<Taps> = (0..cols).map(|i| taps(i, side, cols, interpolation)).collect();
    let down: Vec<Taps> = (0..rows).map(|i| taps(i, side, rows, interpolation)).collect();
    let wide: Vec<f32> = native
        .chunks_exact(side * dim)
        .flat_map(|row| across.iter().flat_map(move |taps| mixed(taps, dim, |at| &row[at * dim..][..dim])))
        .collect();
    let cells = down.iter().flat_map(|taps| {
        let wide = &wide;
        (0..cols).flat_map(move |col| mixed(taps, dim, |at| &wide[(at * cols + col) * dim..][..dim]))
    });
    cells.collect()
}

fn mixed<'a>(taps: &Taps, dim: usize, cell: impl Fn(usize) -> &'a [f32]) -> Vec<f32> {
    let mut sum = vec![0.0; dim];
    for &(at, weight) in &taps.0 {
        sum.iter_mut().zip(cell(at)).for_each(|(s, v)| *s += weight * v);
    }
    sum
}

fn taps(index: usize, native: usize, cells: usize, interpolation: Interpolation) -> Taps {
    match interpolation {
        Interpolation::Offset => clamped(index, native, native as f64 / (cells as f64 + 0.1)),
        Interpolation::Plain => clamped(index, native, native as f64 / cells as f64),
        Interpolation::Antialiased => antialiased(index, native, native as f64 / cells as f64),
    }
}

/// Four neighbours; what lies outside stands for the frame's cell.
fn clamped(index: usize, native: usize, step: f64) -> Taps {
    let at = (index as f64 + 0.5) * step - 0.5;
    let first = at.floor();
    let last = native as f64 - 1.0;
    let tap = |offset: f64| {
        let cell = (first + offset).clamp(0.0, last) as usize;
        (cell, cubic(at - first - offset, -0.75) as f32)
    };
    Taps([-1.0, 0.0, 1.0, 2.0].map(tap).to_vec())
}

/// All cells within the widened support, weights summing to 1.
fn antialiased(index: usize, native: usize, step: f64) -> Taps {
    let widening = step.max(1.0);
    let (support, centre) = (2.0 * widening, step * (index as f64 + 0.5));
    let first = (centre - support + 0.5).max(0.0) as usize;
    let end = ((centre + support + 0.5) as usize).min(native);
    let weight = |cell: usize| cubic((cell as f64 + 0.5 - centre) / widening, -0.5);
    let total: f64 = (first..end).map(weight).sum();
    Taps((first..end).map(|cell| (cell, (weight(cell) / total) as f32)).collect())
}

/// Convolution kernel of Keys 1981, eq. 4, with parameter a.
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    match x {
        x if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * a,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_positions_stay_constant() {
        for interpolation in [Interpolation::Offset, Interpolation::Plain, Interpolation::Antialiased] {
            for grid in [[1, 1], [2, 7], [5, 3]] {
                let out = interpolate(&[2.0; 9 * 2], 3, grid, interpolation);
                assert_eq!(out.len(), grid[0] * grid[1] * 2);
                assert!(out.iter().all(|v| (v - 2.0).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn twice_the_cells_mix_neighbours_by_the_cubic() {
        // at −0.25 between cells 0 and 1 of [0, 8]: weights of the clamped −2 … 1 are worked out by hand
        let out = interpolate(&[0.0, 8.0, 0.0, 8.0], 2, [2, 4], Interpolation::Plain);
        let weight = cubic(1.25, -0.75);
        assert!((f64::from(out[0]) - 8.0 * weight).abs() < 1e-6);
        assert!((out[0] + out[3] - 8.0).abs() < 1e-5);
    }
}
