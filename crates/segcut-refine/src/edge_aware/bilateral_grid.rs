//! Pixels → cells of equal place and color, with a blur between cells.

use super::cell_table::{Cell, CellTable};

/// Axes of the grid: two of place, three of color.
const AXES: usize = 5;

/// The simplified bilateral grid of Barron & Poole 2016, section 2: pixels fall into the nearest cell, and the
/// blur is \[1 2 1\] along every axis, added up.
#[derive(Debug)]
pub(super) struct BilateralGrid {
    /// The cell of each pixel; [`NOWHERE`](Self::NOWHERE) where it has none.
    pub(super) of_pixel: Vec<u32>,
    /// The two neighbours of each cell along each axis, the cell one past the last where there is none.
    neighbours: Vec<[u32; 2 * AXES]>,
    /// Scales that make rows and columns of the blur sum to the cells' pixels.
    scale: Vec<f64>,
    /// The sums.
    mass: Vec<f64>,
}

impl BilateralGrid {
    pub(super) const NOWHERE: u32 = u32::MAX;

    /// Places of pixels, in units of a cell; none for pixels outside. `rounds` of making the blur bistochastic.
    pub(super) fn new(places: impl Iterator<Item = Option<Cell>>, rounds: usize) -> Self {
        let mut table = CellTable::new();
        let of_pixel = places.map(|place| place.map_or(Self::NOWHERE, |cell| table.number(cell))).collect();
        let none = table.cells().len() as u32;
        let around = |&cell: &Cell| {
            std::array::from_fn(|i| {
                let mut other = cell;
                other[i / 2] = other[i / 2].saturating_add(if i % 2 == 0 { -1 } else { 1 });
                table.find(other).filter(|_| other != cell).unwrap_or(none)
            })
        };
        let neighbours = table.cells().iter().map(around).collect();
        let mut grid = Self { of_pixel, neighbours, scale: Vec::new(), mass: Vec::new() };
        grid.balance(rounds);
        grid
    }

    /// Cells.
    pub(super) fn len(&self) -> usize {
        self.neighbours.len()
    }

    /// Sums over the pixels of each cell.
    pub(super) fn splat(&self, values: impl Iterator<Item = f32>) -> Vec<f64> {
        let mut sums = vec![0.0; self.len()];
        for (&cell, value) in self.of_pixel.iter().zip(values).filter(|(cell, _)| **cell != Self::NOWHERE) {
            sums[cell as usize] += f64::from(value);
        }
        sums
    }

    /// Twice as many times the value as there are axes, plus those of all neighbours.
    fn blur(&self, values: &[f64]) -> Vec<f64> {
        let at = |i: u32| values.get(i as usize).copied().unwrap_or(0.0);
        let sum = |(cell, around): (usize, &[u32; 2 * AXES])| {
            2.0 * AXES as f64 * values[cell] + around.iter().map(|&i| at(i)).sum::<f64>()
        };
        self.neighbours.iter().enumerate().map(sum).collect()
    }

    /// Scales n so that n·B·n has the row sums m, by fixed point (Barron & Poole 2016, algorithm 1).
    fn balance(&mut self, rounds: usize) {
        let mass = self.splat(std::iter::repeat(1.0));
        self.scale = vec![1.0; mass.len()];
        for _ in 0..rounds {
            let blurred = self.blur(&self.scale);
            self.scale.iter_mut().zip(&mass).zip(blurred).for_each(|((n, m), b)| *n = (*n * m / b).sqrt());
        }
        // Rounds leave a rest: the sums that there are, so that constants stay constants.
        let blurred = self.blur(&self.scale);
        self.mass = self.scale.iter().zip(blurred).map(|(n, b)| n * b).collect();
    }

    /// (D_m − D_n·B·D_n)·values, the smoothness of eq. 5.
    pub(super) fn roughness(&self, values: &[f64]) -> Vec<f64> {
        let scaled: Vec<f64> = values.iter().zip(&self.scale).map(|(v, n)| v * n).collect();
        let blurred = self.blur(&scaled);
        (0..values.len()).map(|i| self.mass[i] * values[i] - self.scale[i] * blurred[i]).collect()
    }

    /// The diagonal of that matrix.
    pub(super) fn diagonal(&self) -> Vec<f64> {
        self.mass.iter().zip(&self.scale).map(|(m, n)| m - 2.0 * AXES as f64 * n * n).collect()
    }
}
