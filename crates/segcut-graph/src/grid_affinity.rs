//! Weights between the cells of a grid and their neighbours at fixed displacements.

use segcut_core::{AffinityError, SparseAffinity};

/// A symmetric affinity of the cells of a grid: each is joined to the cells at the same displacements.
///
/// Stands for a [`SparseAffinity`] whose edges need not be written down.
///
/// *Guarantees*: displacements (rows down, columns) lead to later cells and are sorted; one weight per cell and
/// displacement, 0 where it leads out of the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct GridAffinity {
    rows: usize,
    cols: usize,
    displacements: Vec<[isize; 2]>,
    /// Cell after cell, in the order of the displacements.
    weights: Vec<f32>,
    /// The diagonal: what joins a cell to itself.
    inner: Vec<f32>,
}

impl GridAffinity {
    /// Cells that are joined to all within `radius`; `weight(a, b)` is asked once per pair, a before b (row-major).
    ///
    /// # Examples
    /// ```
    /// use segcut_graph::GridAffinity;
    /// let grid = GridAffinity::within(1.0, [2, 3], |a, b| (a + b) as f32);
    /// let sparse = grid.sparse()?;
    /// assert_eq!(sparse.edges(), [[0, 1], [0, 3], [1, 2], [1, 4], [2, 5], [3, 4], [4, 5]]);
    /// assert_eq!(sparse.weights(), [1.0, 3.0, 3.0, 5.0, 7.0, 7.0, 9.0]);
    /// # Ok::<(), segcut_core::AffinityError>(())
    /// ```
    pub fn within(radius: f64, [rows, cols]: [usize; 2], mut weight: impl FnMut(usize, usize) -> f32) -> Self {
        let r = radius.max(0.0).floor() as isize;
        let near = |&[dy, dx]: &[isize; 2]| (dy * dy + dx * dx) as f64 <= radius * radius;
        let mut grid = Self::unjoined([rows, cols], square(r).into_iter().filter(near).collect());
        let m = grid.displacements.len();
        for cell in 0..rows * cols {
            for t in 0..m {
                if let Some(other) = grid.neighbour(cell, grid.displacements[t]) {
                    grid.weights[cell * m + t] = weight(cell, other);
                }
            }
        }
        grid
    }

    fn unjoined([rows, cols]: [usize; 2], displacements: Vec<[isize; 2]>) -> Self {
        let (weights, inner) = (vec![0.0; rows * cols * displacements.len()], vec![0.0; rows * cols]);
        Self { rows, cols, displacements, weights, inner }
    }

    /// Rows of cells.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of cells.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Rows down and columns (signed) to each later neighbour, sorted.
    pub fn displacements(&self) -> &[[isize; 2]] {
        &self.displacements
    }

    /// A cell's weights to its later neighbours, in the order of the displacements.
    pub fn weights_of(&self, cell: usize) -> &[f32] {
        let m = self.displacements.len();
        &self.weights[cell * m..(cell + 1) * m]
    }

    /// The diagonal: 0 but for aggregated grids.
    pub fn inner(&self) -> &[f32] {
        &self.inner
    }

    /// The cell at a displacement, where there is one.
    pub fn neighbour(&self, cell: usize, [dy, dx]: [isize; 2]) -> Option<usize> {
        let y = (cell / self.cols).checked_add_signed(dy).filter(|&y| y < self.rows)?;
        let x = (cell % self.cols).checked_add_signed(dx).filter(|&x| x < self.cols)?;
        Some(y * self.cols + x)
    }

    /// The sum of each cell's weights, its own included.
    pub fn degrees(&self) -> Vec<f64> {
        let mut degrees: Vec<f64> = self.inner.iter().map(|&w| f64::from(w)).collect();
        for cell in 0..degrees.len() {
            for (&step, &weight) in self.displacements.iter().zip(self.weights_of(cell)) {
                if let Some(other) = self.neighbour(cell, step) {
                    degrees[cell] += f64::from(weight);
                    degrees[other] += f64::from(weight);
                }
            }
        }
        degrees
    }

    /// The grid of half as many rows and columns whose cells are the sums of 2×2 cells (fewer at an odd end):
    /// a cut between the large cells has the same value in both.
    #[must_use]
    pub fn halved(&self) -> Self {
        let reach = self.displacements.iter().map(|d| d[0].max(d[1].abs())).max().unwrap_or(0);
        let size = [self.rows.div_ceil(2), self.cols.div_ceil(2)];
        let mut half = Self::unjoined(size, square((reach + 1) / 2));
        let place = |cell: usize| [cell / self.cols / 2, cell % self.cols / 2].map(|x| x as isize);
        for cell in 0..self.inner.len() {
            let [y, x] = place(cell);
            half.inner[y as usize * size[1] + x as usize] += self.inner[cell];
            for (&step, &weight) in self.displacements.iter().zip(self.weights_of(cell)) {
                if let Some(other) = self.neighbour(cell, step) {
                    half.add([y, x], place(other), weight);
                }
            }
        }
        half
    }

    fn add(&mut self, a: [isize; 2], b: [isize; 2], weight: f32) {
        let (first, second) = if a <= b { (a, b) } else { (b, a) };
        let cell = first[0] as usize * self.cols + first[1] as usize;
        if first == second {
            self.inner[cell] += 2.0 * weight;
            return;
        }
        let step = [second[0] - first[0], second[1] - first[1]];
        if let Ok(t) = self.displacements.binary_search(&step) {
            self.weights[cell * self.displacements.len() + t] += weight;
        }
    }

    /// The same affinity as edges of a weight above 0.
    ///
    /// # Errors
    /// [`AffinityError`] for a weight that is not finite.
    pub fn sparse(&self) -> Result<SparseAffinity, AffinityError> {
        let (mut edges, mut weights) = (Vec::new(), Vec::new());
        for cell in 0..self.inner.len() {
            for (&step, &weight) in self.displacements.iter().zip(self.weights_of(cell)) {
                if let Some(other) = self.neighbour(cell, step).filter(|_| weight != 0.0) {
                    edges.push([cell as u32, other as u32]);
                    weights.push(f64::from(weight));
                }
            }
        }
        let diagonal = self.inner.iter().map(|&w| f64::from(w)).collect();
        SparseAffinity::new(self.inner.len(), edges, weights)?.with_diagonal(diagonal)
    }
}

/// All displacements to later cells within `r` rows and columns, sorted.
fn square(r: isize) -> Vec<[isize; 2]> {
    let all = (0..=r).flat_map(|dy| (-r..=r).map(move |dx| [dy, dx]));
    all.filter(|&[dy, dx]| dy > 0 || dx > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cuts_between_large_cells_stay(
            size in [1usize..9, 1usize..9], radius in 0f64..4.5, seed in 0usize..99,
        ) {
            let grid = GridAffinity::within(radius, size, |a, b| ((a * 7 + b * 13 + seed) % 11) as f32);
            let half = grid.halved();
            let side = |cell: usize, cols: usize, step: usize| (cell / cols / step * 3 + cell % cols / step * 5 + seed) % 2;
            let cut = |grid: &GridAffinity, step: usize| {
                let sparse = grid.sparse().unwrap();
                let across = sparse.edges().iter().zip(sparse.weights());
                let part = |n: u32| side(n as usize, grid.cols(), step);
                across.filter(|(e, _)| part(e[0]) != part(e[1])).map(|(_, w)| w).sum::<f64>()
            };
            prop_assert_eq!(cut(&grid, 2), cut(&half, 1));
            let total = |grid: &GridAffinity| grid.degrees().iter().sum::<f64>();
            prop_assert_eq!(total(&grid), total(&half));
        }
    }

    #[test]
    fn pairs_are_those_within_the_radius() {
        let mut pairs = Vec::new();
        let grid = GridAffinity::within(2.0, [3, 4], |a, b| {
            pairs.push([a, b]);
            1.0
        });
        let far = |a: usize, b: usize| (a / 4).abs_diff(b / 4).pow(2) + (a % 4).abs_diff(b % 4).pow(2);
        let plain: Vec<_> =
            (0..12).flat_map(|a| (a + 1..12).map(move |b| [a, b])).filter(|&[a, b]| far(a, b) <= 4).collect();
        assert_eq!(pairs, plain);
        assert_eq!(grid.sparse().unwrap().edges().len(), plain.len());
    }
}
