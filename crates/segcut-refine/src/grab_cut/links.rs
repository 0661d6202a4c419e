//! Cells → the network whose minimum cut is their labels.

use super::cells::Cells;
use super::grid_flow::{DIRECTIONS, GridFlow};
use super::mixture::Color;

/// Capacities are whole numbers of this fraction.
const UNIT: f32 = 1024.0;

/// The largest capacity, in units; sums of eight stay far below the range of i32.
const LARGEST: f32 = 1e7;

/// Links to the right, down, and down on both diagonals: each pair once.
const FORWARD: [usize; 4] = [0, 2, 4, 6];

/// Capacities between neighbouring cells, four per cell, in the order of [`FORWARD`].
#[derive(Debug)]
pub(super) struct Links {
    capacities: Vec<[f32; 4]>,
}

impl Links {
    /// γ·exp(−β·ΔE²) over the distance, β = 1 / (2·mean ΔE²) over all pairs (Rother et al. 2004, eq. 11, with Lab for
    /// RGB); 0 across the frame and where a cell is not valid.
    pub(super) fn new(cells: &Cells, gamma: f32) -> Self {
        let squares = squares(cells);
        let (sum, count) = squares
            .iter()
            .flatten()
            .filter(|v| v.is_finite())
            .fold((0.0f64, 0.0f64), |(s, n), &v| (s + f64::from(v), n + 1.0));
        let beta = (1.0 / (2.0 * sum / count.max(1.0) + 1e-9)) as f32;
        let near = [gamma, gamma, gamma / 2.0f32.sqrt(), gamma / 2.0f32.sqrt()];
        // exp(−∞) = 0 where there is no pair.
        let capacities = squares.into_iter().map(|v| std::array::from_fn(|i| near[i] * (-beta * v[i]).exp())).collect();
        Self { capacities }
    }

    /// The network with these preferences for the foreground, in the order of the cells.
    pub(super) fn network(&self, cells: &Cells, preferences: &[f32]) -> GridFlow {
        let mut flow = GridFlow::new(cells.height, cells.width);
        for (cell, (&preference, links)) in preferences.iter().zip(&self.capacities).enumerate() {
            flow.set_terminal(cell, whole(preference));
            for (&direction, &capacity) in FORWARD.iter().zip(links).filter(|(_, c)| **c > 0.0) {
                flow.set_link(cell, direction, whole(capacity));
            }
        }
        flow
    }
}

fn whole(capacity: f32) -> i32 {
    (capacity * UNIT).clamp(-LARGEST, LARGEST) as i32
}

/// Squared color distances to the four next cells; infinite where there is none.
fn squares(cells: &Cells) -> Vec<[f32; 4]> {
    let (height, width) = (cells.height, cells.width);
    let mut squares = vec![[f32::INFINITY; 4]; height * width];
    for (cell, squares) in squares.iter_mut().enumerate().filter(|(cell, _)| cells.valid[*cell]) {
        let (y, x) = (cell / width, cell % width);
        for (square, direction) in squares.iter_mut().zip(FORWARD) {
            let [down, right] = DIRECTIONS[direction];
            let (Some(y), Some(x)) = (y.checked_add_signed(down), x.checked_add_signed(right)) else { continue };
            if y < height && x < width && cells.valid[y * width + x] {
                *square = squared(&cells.colors[cell], &cells.colors[y * width + x]);
            }
        }
    }
    squares
}

fn squared(a: &Color, b: &Color) -> f32 {
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
}
