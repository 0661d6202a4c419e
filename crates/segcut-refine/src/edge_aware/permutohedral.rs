//! Points in five dimensions → sums of their values under a Gaussian.

use super::cell_table::{Cell, CellTable};

/// Dimensions of the points; the lattice lives in one more.
const D: usize = 5;

/// No point, or no neighbour.
const NOWHERE: u32 = u32::MAX;

/// Filters values at points by exp(−|p − q|² / 2), without a scale that all sums share.
///
/// A. Adams, J. Baek, M. A. Davis, "Fast high-dimensional filtering using the permutohedral lattice", Eurographics 2010:
/// values are spread to the corners of the simplex that holds their point, blurred by \[1 2 1\] along every
/// direction of the lattice, and read back.
#[derive(Debug)]
pub(super) struct Permutohedral {
    /// Per point the corners of its simplex; [`NOWHERE`] for points left out.
    corners: Vec<[u32; D + 1]>,
    /// Per point the weights of these corners.
    weights: Vec<[f32; D + 1]>,
    /// Per corner and direction its two neighbours.
    neighbours: Vec<[[u32; 2]; D + 1]>,
}

/// The simplex around a point: its corners, and how much each counts.
struct Simplex {
    corners: [Cell; D + 1],
    weights: [f32; D + 1],
}

impl Permutohedral {
    /// Points in units of the Gaussian's standard deviation; none are left out.
    pub(super) fn new(points: impl Iterator<Item = Option<[f32; D]>>) -> Self {
        let mut table = CellTable::new();
        let (mut corners, mut weights) = (Vec::new(), Vec::new());
        for point in points {
            let simplex = point.map(simplex);
            corners.push(simplex.as_ref().map_or([NOWHERE; D + 1], |s| s.corners.map(|corner| table.number(corner))));
            weights.push(simplex.map_or([0.0; D + 1], |s| s.weights));
        }
        let along = |&cell: &Cell, axis: usize| {
            let shifted = |sign: i16| -> Cell {
                std::array::from_fn(|i| {
                    let step = if i == axis { -(D as i16) } else { 1 };
                    cell[i].saturating_add(sign * step)
                })
            };
            [shifted(1), shifted(-1)].map(|other| table.find(other).unwrap_or(NOWHERE))
        };
        let neighbours = table.cells().iter().map(|cell| std::array::from_fn(|axis| along(cell, axis))).collect();
        Self { corners, weights, neighbours }
    }

    /// Values, `channels` per point → their sums under the Gaussian.
    pub(super) fn filter(&self, values: &[f32], channels: usize) -> Vec<f32> {
        let mut nodes = vec![0.0f32; self.neighbours.len() * channels];
        let points = self.corners.iter().zip(&self.weights);
        for ((corners, weights), value) in points.clone().zip(values.chunks_exact(channels)) {
            for (&corner, &weight) in corners.iter().zip(weights).filter(|(corner, _)| **corner != NOWHERE) {
                let node = &mut nodes[corner as usize * channels..][..channels];
                node.iter_mut().zip(value).for_each(|(sum, v)| *sum += weight * v);
            }
        }
        let mut blurred = nodes.clone();
        for axis in 0..=D {
            self.blur(axis, channels, &nodes, &mut blurred);
            std::mem::swap(&mut nodes, &mut blurred);
        }
        let mut out = vec![0.0; values.len()];
        for ((corners, weights), out) in points.zip(out.chunks_exact_mut(channels)) {
            for (&corner, &weight) in corners.iter().zip(weights).filter(|(corner, _)| **corner != NOWHERE) {
                let node = &nodes[corner as usize * channels..][..channels];
                out.iter_mut().zip(node).for_each(|(sum, v)| *sum += weight * v);
            }
        }
        out
    }

    /// One half of both neighbours' values besides a node's own.
    fn blur(&self, axis: usize, channels: usize, from: &[f32], to: &mut [f32]) {
        for (node, out) in to.chunks_exact_mut(channels).enumerate() {
            out.copy_from_slice(&from[node * channels..][..channels]);
            for &other in self.neighbours[node][axis].iter().filter(|other| **other != NOWHERE) {
                let values = &from[other as usize * channels..][..channels];
                out.iter_mut().zip(values).for_each(|(sum, v)| *sum += 0.5 * v);
            }
        }
    }
}

/// The point's place in the plane of the lattice, where coordinates sum to 0 (Adams et al. 2010, section 4.1).
fn elevated(point: [f32; D]) -> [f32; D + 1] {
    // The blur and the simplices have this variance along each axis, together.
    let spread = (D + 1) as f32 * (2.0f32 / 3.0).sqrt();
    let mut out = [0.0; D + 1];
    let mut sum = 0.0;
    for i in (1..=D).rev() {
        let scaled = point[i - 1] * spread / ((i * (i + 1)) as f32).sqrt();
        out[i] = sum - i as f32 * scaled;
        sum += scaled;
    }
    out[0] = sum;
    out
}

fn simplex(point: [f32; D]) -> Simplex {
    let high = elevated(point);
    let side = (D + 1) as f32;
    // The nearest point of the lattice whose coordinates are multiples of D + 1, and by how many its sum is off.
    let mut base = high.map(|h| (h / side).round() * side);
    let excess = (base.iter().sum::<f32>() / side).round() as i32;
    let mut rank = [excess; D + 1];
    for i in 0..=D {
        for j in i + 1..=D {
            let later = if high[i] - base[i] < high[j] - base[j] { i } else { j };
            rank[later] += 1;
        }
    }
    for (base, rank) in base.iter_mut().zip(&mut rank) {
        if *rank < 0 {
            (*base, *rank) = (*base + side, *rank + D as i32 + 1);
        } else if *rank > D as i32 {
            (*base, *rank) = (*base - side, *rank - D as i32 - 1);
        }
    }
    let mut barycentric = [0.0f32; D + 2];
    for i in 0..=D {
        let offset = (high[i] - base[i]) / side;
        let at = D - rank[i] as usize;
        barycentric[at] += offset;
        barycentric[at + 1] -= offset;
    }
    barycentric[0] += 1.0 + barycentric[D + 1];
    // Corner k: k, or k − (D + 1) for the k coordinates of the highest rank.
    let corner = |k: usize| -> Cell {
        std::array::from_fn(|i| {
            let shift = if rank[i] as usize + k <= D { k as f32 } else { k as f32 - side };
            (base[i] + shift) as i16
        })
    };
    Simplex { corners: std::array::from_fn(corner), weights: std::array::from_fn(|k| barycentric[k]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points near a plane, as the pixels of an image are.
    fn scattered(count: usize) -> Vec<[f32; D]> {
        let wave = |i: usize, k: usize| ((i * (2 * k + 3)) as f32 * 0.37).sin() * if k < 2 { 1.5 } else { 0.15 };
        (0..count).map(|i| std::array::from_fn(|k| wave(i, k))).collect()
    }

    #[test]
    fn a_simplex_holds_its_point() {
        for point in scattered(200) {
            let Simplex { corners, weights } = simplex(point);
            let high = elevated(point);
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            assert!(weights.iter().all(|w| (-1e-4..1.0001).contains(w)), "{weights:?}");
            for axis in 0..D {
                let mean: f32 = corners.iter().zip(weights).map(|(c, w)| w * f32::from(c[axis])).sum();
                assert!((mean - high[axis]).abs() < 1e-3, "{mean} {}", high[axis]);
            }
        }
    }

    #[test]
    fn means_are_near_those_of_the_gaussian() {
        let points = scattered(600);
        let values: Vec<f32> = points.iter().flat_map(|p| [f32::from(u8::from(p[0] > 0.0)), 1.0]).collect();
        let found = Permutohedral::new(points.iter().copied().map(Some)).filter(&values, 2);
        let off = |sigma: f32| -> f64 {
            let mean = |p: &[f32; D]| {
                let mut sums = [0.0f64; 2];
                for (q, value) in points.iter().zip(values.chunks_exact(2)) {
                    let squared: f32 = p.iter().zip(q).map(|(a, b)| (a - b).powi(2)).sum();
                    let weight = f64::from((-0.5 * squared / (sigma * sigma)).exp());
                    sums = [sums[0] + weight * f64::from(value[0]), sums[1] + weight];
                }
                sums[0] / sums[1]
            };
            let differ = |(p, f): (&[f32; D], &[f32])| (f64::from(f[0] / f[1]) - mean(p)).abs();
            points.iter().zip(found.chunks_exact(2)).map(differ).sum::<f64>() / points.len() as f64
        };
        assert!(
            off(1.0) < 0.05 && off(0.8) > off(1.0) && off(1.25) > off(1.0),
            "{} {} {}",
            off(0.8),
            off(1.0),
            off(1.25)
        );
    }

    #[test]
    fn points_left_out_have_no_part() {
        let lattice = Permutohedral::new([Some([0.0; D]), None].into_iter());
        let found = lattice.filter(&[2.0, 100.0], 1);
        assert!(found[0] > 0.0 && found[0] < 100.0 && found[1] == 0.0);
    }
}
