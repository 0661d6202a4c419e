//! Cells → the network whose minimum cut is their labels.

use super::cells::Cells;
use super::grid_flow::{DIRECTIONS, GridFlow};
use super::mixture::Color;

/// Capacities are whole numbers of this fraction.
const UNIT: f32 = 32.0;

/// The largest capacity, in units; sums of eight stay far below the range of i32.
const LARGEST: f32 = 1e7;

/// Links to the right, down, and down on both diagonals: each pair once.
const FORWARD: [usize; 4] = [0, 2, 4, 6];

/// Capacities between neighbouring cells, four per cell, in the order of [`FORWARD`].
#[derive(Debug)]
pub(super) struct Links {
    height: usize,
    width: usize,
    capacities: Vec<[i32; 4]>,
}

impl Links {
    /// γ·exp(−β·ΔE²) over the distance, β = 1 / (2·mean ΔE²) over all pairs (Rother et al. 2004, eq. 11, with Lab for
    /// RGB); 0 across the frame, where a cell is not valid, and between two cells that are not open.
    pub(super) fn new(cells: &Cells, gamma: f32, open: &[bool]) -> Self {
        let beta = beta(cells);
        let near = [gamma, gamma, gamma / 2.0f32.sqrt(), gamma / 2.0f32.sqrt()];
        let mut capacities = vec![[0; 4]; open.len()];
        for (k, near) in near.into_iter().enumerate() {
            for_pairs(cells, k, |a, b| {
                if open[a] || open[b] {
                    capacities[a][k] = whole(near * (-beta * squared(&cells.colors[a], &cells.colors[b])).exp());
                }
            });
        }
        Self { height: cells.height, width: cells.width, capacities }
    }

    /// Preferences for the foreground (above 0) or against it → which cells a minimum cut leaves on its side.
    pub(super) fn cut(&self, preferences: &[f32]) -> Vec<bool> {
        let mut open = Open::new(self, preferences);
        open.decide_all();
        let mut flow = GridFlow::new(self.height, self.width);
        for (cell, _) in open.decided.iter().enumerate().filter(|(_, decided)| decided.is_none()) {
            flow.set_terminal(cell, open.preferences[cell]);
            for (k, &direction) in FORWARD.iter().enumerate() {
                let capacity = self.capacities[cell][k];
                if capacity > 0 && open.decided[self.forward(cell, k)].is_none() {
                    flow.set_link(cell, direction, capacity);
                }
            }
        }
        flow.solve();
        open.decided.iter().enumerate().map(|(cell, decided)| decided.unwrap_or_else(|| flow.is_source(cell))).collect()
    }

    fn offset(&self, k: usize) -> isize {
        let [down, right] = DIRECTIONS[FORWARD[k]];
        down * self.width as isize + right
    }

    /// The cell at the other end of the link, which has a capacity.
    fn forward(&self, cell: usize, k: usize) -> usize {
        cell.wrapping_add_signed(self.offset(k))
    }

    /// Calls with (cell at the other end, capacity above 0) for all links of a cell. A cell at the end of a row has no link
    /// to the start of the next one: that capacity is 0.
    fn around(&self, cell: usize, mut visit: impl FnMut(usize, i32)) {
        for (k, &capacity) in self.capacities[cell].iter().enumerate() {
            if capacity > 0 {
                visit(self.forward(cell, k), capacity);
            }
        }
        for k in 0..4 {
            let Some(other) = cell.checked_add_signed(-self.offset(k)) else { continue };
            let capacity = self.capacities.get(other).map_or(0, |capacities| capacities[k]);
            if capacity > 0 {
                visit(other, capacity);
            }
        }
    }

    /// The sum of each cell's capacities.
    fn sums(&self) -> Vec<i32> {
        let mut sums = vec![0; self.capacities.len()];
        for (cell, capacities) in self.capacities.iter().enumerate() {
            for (k, &capacity) in capacities.iter().enumerate().filter(|(_, capacity)| **capacity > 0) {
                sums[cell] += capacity;
                sums[self.forward(cell, k)] += capacity;
            }
        }
        sums
    }
}

/// Cells that still have to be labelled.
///
/// A cell whose preference outweighs all its links lies on its own side of a minimum cut. It leaves the network, and its
/// links become preferences of its neighbours, which may decide them in turn.
struct Open<'a> {
    links: &'a Links,
    preferences: Vec<i32>,
    /// Capacities to cells that are not decided.
    held: Vec<i32>,
    decided: Vec<Option<bool>>,
}

impl<'a> Open<'a> {
    fn new(links: &'a Links, preferences: &[f32]) -> Self {
        let preferences: Vec<i32> = preferences.iter().map(|&p| whole(p)).collect();
        let decided = vec![None; preferences.len()];
        Self { links, preferences, held: links.sums(), decided }
    }

    fn decide_all(&mut self) {
        let mut waiting = Vec::new();
        for cell in 0..self.decided.len() {
            if self.is_clear(cell) {
                waiting.push(cell);
            }
            while let Some(cell) = waiting.pop() {
                self.decide(cell, &mut waiting);
            }
        }
    }

    /// Whether the cell is still open and its preference outweighs its links.
    fn is_clear(&self, cell: usize) -> bool {
        self.decided[cell].is_none() && self.preferences[cell].abs() >= self.held[cell]
    }

    /// Labels the cell; neighbours that this makes clear wait for their turn.
    fn decide(&mut self, cell: usize, waiting: &mut Vec<usize>) {
        if self.decided[cell].is_some() {
            return;
        }
        let side = self.preferences[cell] > 0;
        self.decided[cell] = Some(side);
        let links = self.links;
        links.around(cell, |other, capacity| {
            if self.decided[other].is_none() {
                self.preferences[other] += if side { capacity } else { -capacity };
                self.held[other] -= capacity;
                if self.is_clear(other) {
                    waiting.push(other);
                }
            }
        });
    }
}

fn whole(capacity: f32) -> i32 {
    (capacity * UNIT).clamp(-LARGEST, LARGEST) as i32
}

/// 1 / (2·mean ΔE²) over all pairs of cells.
fn beta(cells: &Cells) -> f32 {
    let (mut sum, mut count) = (0.0f64, 0.0f64);
    for k in 0..FORWARD.len() {
        for_pairs(cells, k, |a, b| {
            sum += f64::from(squared(&cells.colors[a], &cells.colors[b]));
            count += 1.0;
        });
    }
    (1.0 / (2.0 * sum / count.max(1.0) + 1e-9)) as f32
}

/// Calls with (cell, next cell in the k-th of the [`FORWARD`] directions) where both are valid.
fn for_pairs(cells: &Cells, k: usize, mut visit: impl FnMut(usize, usize)) {
    let [down, right] = DIRECTIONS[FORWARD[k]];
    let (height, width) = (cells.height.saturating_sub(down.unsigned_abs()), cells.width);
    let columns = usize::from(right < 0)..width - usize::from(right > 0);
    for y in 0..height {
        for a in y * width + columns.start..y * width + columns.end {
            let b = a.wrapping_add_signed(down * width as isize + right);
            if cells.valid[a] && cells.valid[b] {
                visit(a, b);
            }
        }
    }
}

fn squared(a: &Color, b: &Color) -> f32 {
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The cost of labels: links between sides, and preferences against.
    fn cost(links: &Links, preferences: &[i32], source: &[bool]) -> i64 {
        let of_cell = |cell: usize| {
            let mut between = 0;
            links.around(cell, |other, capacity| {
                between += if source[cell] != source[other] { i64::from(capacity) } else { 0 };
            });
            let against = preferences[cell] * if source[cell] { -1 } else { 1 };
            between + 2 * i64::from(against.max(0))
        };
        (0..source.len()).map(of_cell).sum()
    }

    proptest! {
        #[test]
        fn cells_that_are_decided_first_leave_a_minimum_cut(
            height in 1usize..4, width in 1usize..4,
            values in prop::collection::vec((-9.0f32..9.0, 0.0f32..20.0), 9), gamma in 0.0f32..6.0,
        ) {
            let count = height * width;
            let cells = Cells {
                height,
                width,
                colors: values[..count].iter().map(|v| [v.1, 0.0, 0.0]).collect(),
                soft: vec![0.5; count],
                start: vec![false; count],
                valid: vec![true; count],
            };
            let links = Links::new(&cells, gamma, &vec![true; count]);
            let preferences: Vec<f32> = values[..count].iter().map(|v| v.0).collect();
            let whole: Vec<i32> = preferences.iter().map(|&p| whole(p)).collect();
            let sides = |bits: u32| (0..count).map(|cell| bits >> cell & 1 == 1).collect::<Vec<_>>();
            let least = (0..1u32 << count).map(|bits| cost(&links, &whole, &sides(bits))).min().unwrap();
            prop_assert_eq!(cost(&links, &whole, &links.cut(&preferences)), least);
        }
    }
}
