//! A grid's affinity as an operator on blocks of vectors.

use multiversion::multiversion;
use segcut_graph::GridAffinity;
use segcut_pixel::{LANES, Lanes};

/// [`LANES`] vectors over the cells of a grid, with empty cells before and behind.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    pad: usize,
    values: Vec<Lanes>,
}

impl Panel {
    /// The vectors, without the padding.
    pub(super) fn cells(&self) -> &[Lanes] {
        &self.values[self.pad..self.values.len() - self.pad]
    }

    pub(super) fn cells_mut(&mut self) -> &mut [Lanes] {
        let end = self.values.len() - self.pad;
        &mut self.values[self.pad..end]
    }
}

/// N = D^-½ W D^-½ of a grid, in f32: every cell with its weights to all neighbours.
#[derive(Debug)]
pub(super) struct GridLevel {
    affinity: GridAffinity,
    /// D^½; 1 for a cell that is joined to nothing.
    roots: Vec<f32>,
    /// Distances to the neighbours in memory, the cell itself among them.
    steps: Vec<isize>,
    /// Cell after cell, in the order of the steps.
    entries: Vec<f32>,
}

/// out = product·N·x + own·x − previous.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recurrence {
    pub(super) product: f32,
    pub(super) own: f32,
}

impl GridLevel {
    pub(super) fn new(affinity: GridAffinity) -> Self {
        let degrees = affinity.degrees();
        let roots: Vec<f32> = degrees.iter().map(|&d| if d > 0.0 { d.sqrt() as f32 } else { 1.0 }).collect();
        let columns = affinity.cols() as isize;
        let later: Vec<isize> = affinity.displacements().iter().map(|d| d[0] * columns + d[1]).collect();
        let steps: Vec<isize> =
            later.iter().rev().map(|s| -s).chain(std::iter::once(0)).chain(later.iter().copied()).collect();
        let (m, all) = (later.len(), steps.len());
        let mut entries = vec![0.0; roots.len() * all];
        for cell in 0..roots.len() {
            entries[cell * all + m] = affinity.inner()[cell] / (roots[cell] * roots[cell]);
            for (t, &weight) in affinity.weights_of(cell).iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                let other = cell.wrapping_add_signed(later[t]);
                let entry = weight / (roots[cell] * roots[other]);
                entries[cell * all + m + 1 + t] = entry;
                entries[other * all + m - 1 - t] = entry;
            }
        }
        Self { affinity, roots, steps, entries }
    }

    /// Cells.
    pub(super) fn n(&self) -> usize {
        self.roots.len()
    }

    /// The level of half as many rows and columns.
    pub(super) fn halved(&self) -> Self {
        Self::new(self.affinity.halved())
    }

    /// D^½.
    pub(super) fn roots(&self) -> &[f32] {
        &self.roots
    }

    /// Vectors of zeros.
    pub(super) fn panel(&self) -> Panel {
        let pad = self.steps.last().map_or(0, |step| step.unsigned_abs());
        Panel { pad, values: vec![[0.0; LANES]; self.n() + 2 * pad] }
    }

    /// Replaces `previous` by the next vectors of a recurrence.
    pub(super) fn advance(&self, recurrence: Recurrence, x: &Panel, previous: &mut Panel) {
        advance(&self.entries, &self.steps, recurrence, x, previous.cells_mut());
    }

    /// The cell of the halved level that each cell lies in.
    pub(super) fn parents(&self) -> impl Iterator<Item = usize> + '_ {
        let (columns, half) = (self.affinity.cols(), self.affinity.cols().div_ceil(2));
        (0..self.n()).map(move |cell| cell / columns / 2 * half + cell % columns / 2)
    }

    /// vᵀL·v / vᵀD·v of vectors v, by squared differences over the edges.
    pub(super) fn rayleigh(&self, v: &[Lanes]) -> [f64; LANES] {
        let (mut cuts, mut masses) = ([0.0f64; LANES], [0.0f64; LANES]);
        let m = self.affinity.displacements().len();
        let later = &self.steps[m + 1..];
        for (cell, (here, root)) in v.iter().zip(&self.roots).enumerate() {
            let mut cut = [0.0f32; LANES];
            let weights = self.affinity.weights_of(cell);
            for (&weight, &step) in weights.iter().zip(later).filter(|(weight, _)| **weight > 0.0) {
                add_squares(weight, here, &v[cell.wrapping_add_signed(step)], &mut cut);
            }
            for lane in 0..LANES {
                cuts[lane] += f64::from(cut[lane]);
                masses[lane] += f64::from(root * here[lane]).powi(2);
            }
        }
        std::array::from_fn(|lane| if masses[lane] > 0.0 { cuts[lane] / masses[lane] } else { 0.0 })
    }
}

#[inline]
fn add_squares(weight: f32, a: &Lanes, b: &Lanes, sums: &mut Lanes) {
    for lane in 0..LANES {
        let difference = a[lane] - b[lane];
        sums[lane] += weight * difference * difference;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn advance(entries: &[f32], steps: &[isize], r: Recurrence, x: &Panel, previous: &mut [Lanes]) {
    let (pad, x) = (x.pad, &x.values[..]);
    for ((cell, out), entries) in previous.iter_mut().enumerate().zip(entries.chunks_exact(steps.len())) {
        let mut sums = [0.0f32; LANES];
        for (&entry, &step) in entries.iter().zip(steps) {
            let other = &x[(pad + cell).wrapping_add_signed(step)];
            for lane in 0..LANES {
                sums[lane] += entry * other[lane];
            }
        }
        let own = &x[pad + cell];
        for lane in 0..LANES {
            out[lane] = r.product * sums[lane] + (r.own * own[lane] - out[lane]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(size: [usize; 2]) -> GridAffinity {
        GridAffinity::within(2.3, size, |a, b| ((a * 7 + b * 13) % 5) as f32 + 0.1)
    }

    #[test]
    fn products_are_those_of_the_sparse_matrix() {
        for size in [[5, 7], [1, 9], [9, 1], [6, 2]] {
            for affinity in [grid(size), grid(size).halved()] {
                let level = GridLevel::new(affinity.clone());
                let mut x = level.panel();
                for (i, lanes) in x.cells_mut().iter_mut().enumerate() {
                    *lanes = std::array::from_fn(|lane| ((i * 3 + lane) % 7) as f32 - 3.0);
                }
                let mut out = level.panel();
                out.cells_mut().fill([1.0; LANES]);
                level.advance(Recurrence { product: 2.0, own: 3.0 }, &x, &mut out);
                let csr = affinity.sparse().unwrap().csr();
                let degrees = affinity.degrees();
                for (row, entries) in csr.outer_iterator().enumerate() {
                    let term =
                        |(j, &w): (usize, &f64)| w / (degrees[row] * degrees[j]).sqrt() * f64::from(x.cells()[j][4]);
                    let expected =
                        2.0 * entries.iter().map(term).sum::<f64>() + 3.0 * f64::from(x.cells()[row][4]) - 1.0;
                    assert!((f64::from(out.cells()[row][4]) - expected).abs() < 1e-4);
                }
            }
        }
    }

    #[test]
    fn quotients_are_those_of_the_pencil() {
        let affinity = grid([4, 5]);
        let pencil = crate::Pencil::new(&affinity.sparse().unwrap(), crate::Laplacian::Normalized, 0.0).unwrap();
        let x: Vec<f64> = (0..20).map(|i| f64::from(i * i % 7)).collect();
        let lanes: Vec<Lanes> = x.iter().map(|&x| [x as f32; LANES]).collect();
        assert!((GridLevel::new(affinity).rayleigh(&lanes)[9] - pencil.rayleigh(&x)).abs() < 1e-6);
    }
}
