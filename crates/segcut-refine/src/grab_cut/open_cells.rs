//! Cells whose label is not given → the network whose minimum cut labels them.

use super::boykov_kolmogorov::{Network, cut};
use super::cells::Cells;
use super::mixture::Color;

/// Capacities are whole numbers of this fraction.
const UNIT: f32 = 32.0;

/// The largest capacity, in units; sums of eight stay far below the range of i32.
const LARGEST: f32 = 1e7;

/// Offsets (down, right) of the 8 neighbours; a direction's opposite is its number with the last bit flipped.
const DIRECTIONS: [[isize; 2]; 8] = [[0, 1], [0, -1], [1, 0], [-1, 0], [1, 1], [-1, -1], [1, -1], [-1, 1]];

/// Links to the right, down, and down on both diagonals: each pair once.
const FORWARD: [usize; 4] = [0, 2, 4, 6];

/// No node: the label of this cell is given.
const GIVEN: u32 = u32::MAX;

/// The cells that have to be labelled, as nodes in the order of the grid; links to the others are part of their preferences.
#[derive(Debug)]
pub(super) struct OpenCells {
    cells: Vec<u32>,
    network: Network,
}

impl OpenCells {
    /// γ·exp(−β·ΔE²) over the distance, β = 1 / (2·mean ΔE²) over all pairs (Rother et al. 2004, eq. 11, with Lab for
    /// RGB); 0 across the frame and where a cell is not valid. `preference` is above 0 where a cell speaks for the
    /// foreground.
    pub(super) fn new(cells: &Cells, gamma: f32, given: &[Option<bool>], preference: impl Fn(usize) -> f32) -> Self {
        let open: Vec<u32> = (0..given.len() as u32).filter(|&cell| given[cell as usize].is_none()).collect();
        let mut nodes = vec![GIVEN; given.len()];
        open.iter().enumerate().for_each(|(node, &cell)| nodes[cell as usize] = node as u32);
        let weights = Weights { cells, gamma, beta: beta(cells) };
        let mut network = Network::new(open.len());
        for (node, &cell) in open.iter().enumerate() {
            let cell = cell as usize;
            network.terminals[node] += whole(preference(cell));
            for (direction, other) in weights.neighbours(cell) {
                match (nodes[other], given[other]) {
                    (_, Some(true)) => network.terminals[node] += weights.capacity(cell, other, direction),
                    (_, Some(false)) => network.terminals[node] -= weights.capacity(cell, other, direction),
                    // Each pair once.
                    (next, None) if direction % 2 == 0 => {
                        network.link(node, next as usize, direction, weights.capacity(cell, other, direction));
                    }
                    _ => {}
                }
            }
        }
        Self { cells: open, network }
    }

    /// Labels the open cells of `mask` as a minimum cut does.
    pub(super) fn label(mut self, mask: &mut [bool]) {
        let decided = Clear::new(&mut self.network).decide_all();
        let source = cut(self.network);
        for ((&cell, decided), source) in self.cells.iter().zip(decided).zip(source) {
            mask[cell as usize] = decided.unwrap_or(source);
        }
    }
}

/// What the capacities are made of.
struct Weights<'a> {
    cells: &'a Cells,
    gamma: f32,
    beta: f32,
}

impl Weights<'_> {
    /// (direction, cell) of the valid neighbours.
    fn neighbours(&self, cell: usize) -> impl Iterator<Item = (usize, usize)> {
        let (height, width) = (self.cells.height, self.cells.width);
        let (y, x) = (cell / width, cell % width);
        let near = DIRECTIONS.iter().enumerate().filter_map(move |(direction, &[down, right])| {
            let (y, x) = (y.wrapping_add_signed(down), x.wrapping_add_signed(right));
            (y < height && x < width).then(|| (direction, y * width + x))
        });
        near.filter(|&(_, other)| self.cells.valid[other])
    }

    fn capacity(&self, a: usize, b: usize, direction: usize) -> i32 {
        let near = if direction < 4 { self.gamma } else { self.gamma / 2.0f32.sqrt() };
        whole(near * (-self.beta * squared(&self.cells.colors[a], &self.cells.colors[b])).exp())
    }
}

/// Nodes that need no flow.
///
/// A node whose preference outweighs all its links lies on its own side of a minimum cut. It leaves the network, and its
/// links become preferences of its neighbours, which may decide them in turn.
struct Clear<'a> {
    network: &'a mut Network,
    /// The sum of each node's capacities.
    held: Vec<i32>,
    decided: Vec<Option<bool>>,
}

impl<'a> Clear<'a> {
    fn new(network: &'a mut Network) -> Self {
        let held = network.links.iter().map(|links| links.left.iter().sum()).collect();
        let decided = vec![None; network.terminals.len()];
        Self { network, held, decided }
    }

    fn decide_all(mut self) -> Vec<Option<bool>> {
        let mut waiting = Vec::new();
        for node in 0..self.decided.len() {
            if self.is_clear(node) {
                waiting.push(node);
            }
            while let Some(node) = waiting.pop() {
                self.decide(node, &mut waiting);
            }
        }
        self.decided
    }

    /// Whether the node is still open and its preference outweighs its links.
    fn is_clear(&self, node: usize) -> bool {
        self.decided[node].is_none() && self.network.terminals[node].abs() >= self.held[node]
    }

    /// Labels the node and takes it from the network; neighbours that this makes clear wait for their turn.
    fn decide(&mut self, node: usize, waiting: &mut Vec<usize>) {
        if self.decided[node].is_some() {
            return;
        }
        let side = self.network.terminals[node] > 0;
        self.decided[node] = Some(side);
        self.network.terminals[node] = 0;
        for direction in 0..8 {
            let capacity = std::mem::take(&mut self.network.links[node].left[direction]);
            if capacity > 0 {
                let other = self.network.links[node].near[direction] as usize;
                self.network.links[other].left[direction ^ 1] = 0;
                self.network.terminals[other] += if side { capacity } else { -capacity };
                self.held[other] -= capacity;
                if self.is_clear(other) {
                    waiting.push(other);
                }
            }
        }
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

    /// Twice the cost of labels: links between sides, and preferences against.
    fn cost(weights: &Weights, preferences: &[i32], source: &[bool]) -> i64 {
        let of_cell = |cell: usize| {
            let between =
                weights.neighbours(cell).filter(|&(_, b)| weights.cells.valid[cell] && source[cell] != source[b]);
            let cut: i64 = between.map(|(d, other)| i64::from(weights.capacity(cell, other, d))).sum();
            let against = preferences[cell] * if source[cell] { -1 } else { 1 };
            cut + 2 * i64::from(against.max(0))
        };
        (0..source.len()).map(of_cell).sum()
    }

    proptest! {
        #[test]
        fn the_labels_are_a_minimum_cut_with_the_given_ones(
            height in 1usize..4, width in 1usize..4,
            values in prop::collection::vec((-9.0f32..9.0, 0.0f32..20.0, 0u8..9), 9), gamma in 0.0f32..6.0,
        ) {
            let count = height * width;
            let cells = Cells {
                height,
                width,
                colors: values[..count].iter().map(|v| [v.1, 0.0, 0.0]).collect(),
                soft: vec![0.5; count],
                start: vec![false; count],
                valid: values[..count].iter().map(|v| v.2 < 8).collect(),
            };
            // Cells that are not valid are given.
            let given_of = |kind: u8| match kind { 0 | 8 => Some(false), 1 => Some(true), _ => None };
            let given: Vec<Option<bool>> = values[..count].iter().map(|v| given_of(v.2)).collect();
            let whole: Vec<i32> =
                (0..count).map(|cell| if given[cell].is_some() { 0 } else { whole(values[cell].0) }).collect();
            let weights = Weights { cells: &cells, gamma, beta: beta(&cells) };
            let sides = |bits: u32| (0..count).map(|cell| bits >> cell & 1 == 1).collect::<Vec<_>>();
            let agrees = |labels: &Vec<bool>| labels.iter().zip(&given).all(|(l, g)| g.is_none_or(|g| g == *l));
            let least = (0..1u32 << count).map(sides).filter(agrees).map(|s| cost(&weights, &whole, &s)).min().unwrap();
            let mut mask: Vec<bool> = given.iter().map(|given| *given == Some(true)).collect();
            OpenCells::new(&cells, gamma, &given, |cell| values[cell].0).label(&mut mask);
            prop_assert!(agrees(&mask));
            prop_assert_eq!(cost(&weights, &whole, &mask), least);
        }
    }
}
