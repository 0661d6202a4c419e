//! Pixels on a boundary change sides where that lowers the energy and parts no region.
//!
//! Yao et al. 2015, section 3, on the level of pixels.

use crate::float_space::Planes;
use segcut_core::{LabelMap, VOID};

/// What a pixel costs where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Energy {
    /// Per row and column from the region's centre.
    pub(crate) position: f64,
    /// Per neighbour of the eight in another region.
    pub(crate) boundary: f64,
    /// Smaller regions give no pixel away.
    pub(crate) smallest: usize,
}

/// Labels, and the sums of each region's pixels.
pub(crate) struct Moves<'a> {
    planes: &'a Planes,
    energy: Energy,
    /// With a frame of one [`VOID`] pixel.
    labels: Vec<u32>,
    size: [usize; 2],
    record: usize,
    /// Count, rows, columns and channels of each region.
    sums: Vec<f64>,
}

impl<'a> Moves<'a> {
    pub(crate) fn new(map: &LabelMap, planes: &'a Planes, energy: Energy) -> Self {
        let (height, width, record) = (map.height(), map.width(), 3 + planes.values.len());
        let mut labels = vec![VOID; (height + 2) * (width + 2)];
        for (row, source) in labels[width + 2..].chunks_exact_mut(width + 2).zip(map.labels().chunks_exact(width)) {
            row[1..=width].copy_from_slice(source);
        }
        let sums = vec![0.0; record * map.n()];
        let mut moves = Self { planes, energy, labels, size: [height, width], record, sums };
        for (at, &label) in map.labels().iter().enumerate().filter(|(_, label)| **label != VOID) {
            moves.count(label, [at / width, at % width], 1.0);
        }
        moves
    }

    /// Looks at every pixel once, in reading order; returns how many changed sides.
    pub(crate) fn sweep(&mut self) -> usize {
        let [height, width] = self.size;
        let mut moved = 0;
        for y in 0..height {
            for x in 0..width {
                let at = (y + 1) * (width + 2) + x + 1;
                let label = self.labels[at];
                let sides = [at - width - 2, at - 1, at + 1, at + width + 2].map(|side| self.labels[side]);
                if label == VOID || sides == [label; 4] {
                    continue;
                }
                let ring = self.ring(at);
                if self.is_free(label, ring) {
                    moved += usize::from(self.settle([y, x], at, (sides, ring)));
                }
            }
        }
        moved
    }

    /// The eight labels around a pixel, clockwise from the upper left.
    fn ring(&self, at: usize) -> [u32; 8] {
        let row = self.size[1] + 2;
        [at - row - 1, at - row, at - row + 1, at + 1, at + row + 1, at + row, at + row - 1, at - 1]
            .map(|near| self.labels[near])
    }

    /// Whether a region may lose the pixel: what it has around the pixel is one 4-connected piece.
    fn is_free(&self, label: u32, ring: [u32; 8]) -> bool {
        // A side begins a piece unless the corner and the side before it are in the region.
        let begins = |i: &usize| ring[*i] == label && (ring[i - 1] != label || ring[(i + 6) % 8] != label);
        let pieces = [1usize, 3, 5, 7].iter().filter(|i| begins(i)).count();
        pieces == 1 && self.sums[label as usize * self.record] > self.energy.smallest as f64
    }

    /// Gives a pixel to the region where it costs least; says whether that is another one.
    fn settle(&mut self, pixel: [usize; 2], at: usize, (sides, ring): ([u32; 4], [u32; 8])) -> bool {
        let from = self.labels[at];
        let cost = |label: u32| {
            let same = ring.iter().filter(|&&l| l == label).count();
            self.cost(label, pixel) - self.energy.boundary * same as f64
        };
        let mut best = (cost(from), from);
        for label in sides {
            if label == from || label == VOID || label == best.1 {
                continue;
            }
            let cost = cost(label);
            if cost < best.0 {
                best = (cost, label);
            }
        }
        if best.1 == from {
            return false;
        }
        self.count(from, pixel, -1.0);
        self.count(best.1, pixel, 1.0);
        self.labels[at] = best.1;
        true
    }

    /// Distance of a pixel from a region's mean.
    fn cost(&self, label: u32, [y, x]: [usize; 2]) -> f64 {
        let sums = &self.sums[label as usize * self.record..][..self.record];
        let share = 1.0 / sums[0];
        let at = y * self.planes.layout.stride + x;
        let steps = self.planes.values.iter().zip(&sums[3..]).map(|(plane, sum)| f64::from(plane[at]) - sum * share);
        let offset = (y as f64 - sums[1] * share).abs() + (x as f64 - sums[2] * share).abs();
        steps.map(f64::abs).sum::<f64>() + self.energy.position * offset
    }

    fn count(&mut self, label: u32, [y, x]: [usize; 2], sign: f64) {
        let at = y * self.planes.layout.stride + x;
        let sums = &mut self.sums[label as usize * self.record..][..self.record];
        sums[0] += sign;
        sums[1] += sign * y as f64;
        sums[2] += sign * x as f64;
        sums[3..].iter_mut().zip(&self.planes.values).for_each(|(sum, plane)| *sum += sign * f64::from(plane[at]));
    }

    /// The labels without their frame.
    pub(crate) fn labels(&self) -> Vec<u32> {
        let width = self.size[1];
        let rows = self.labels[width + 2..].chunks_exact(width + 2).take(self.size[0]);
        rows.flat_map(|row| &row[1..=width]).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, Image, Samples};

    #[test]
    fn a_boundary_moves_to_the_step_and_parts_nothing() {
        // Two regions of 4x4 whose border is one column off the step of brightness.
        let samples = Samples::U8((0..32).map(|i| if i % 8 < 4 { 20 } else { 220 }).collect());
        let image = Image::new(4, 8, ColorSpace::Gray, samples).unwrap();
        let params = crate::SlicParams::default().planes();
        let planes =
            crate::float_space::planes(&image, crate::float_space::PlaneParams { sigma: 0.0, ..params }).unwrap();
        let map = LabelMap::new(4, 8, (0..32).map(|i| u32::from(i % 8 >= 5)).collect()).unwrap();
        let mut moves = Moves::new(&map, &planes, Energy { position: 0.1, boundary: 1.0, smallest: 1 });
        assert_eq!(moves.sweep(), 4);
        assert_eq!(moves.sweep(), 0);
        assert!(moves.labels().iter().enumerate().all(|(i, &l)| l == u32::from(i % 8 >= 4)));
        let free = |ring| moves.is_free(0, ring);
        assert!(free([1, 0, 0, 0, 1, 1, 1, 1]) && free([1, 1, 1, 0, 1, 1, 1, 1]));
        assert!(!free([1, 0, 1, 0, 1, 1, 1, 1]) && !free([0, 0, 0, 1, 0, 0, 0, 1]) && !free([1; 8]));
    }
}
