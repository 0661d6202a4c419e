//! Eigenvectors → the strength of contours per orientation.

use multiversion::multiversion;
use rayon::prelude::*;
use segcut_pixel::{LANES, Lanes, reflect};

/// Derivatives of a Gaussian across every orientation.
#[derive(Debug, Clone)]
pub(super) struct OrientedGradient {
    /// The Gaussian and its derivative, both sides.
    taps: Vec<[f32; 2]>,
    /// (−sin θ, cos θ) of the tangents' angles θ.
    normals: Vec<[f32; 2]>,
}

/// Vectors of one panel and what each counts.
#[derive(Debug, Clone)]
pub(super) struct WeightedPanel {
    pub(super) vectors: Vec<Lanes>,
    pub(super) weights: Lanes,
}

impl OrientedGradient {
    /// `orientations` tangents, evenly spread over half a turn from the direction of the columns.
    pub(super) fn new(sigma: f64, orientations: usize) -> Self {
        let reach = (3.0 * sigma).ceil() as i32;
        let value = |t: i32| (-0.5 * (f64::from(t) / sigma).powi(2)).exp();
        let sum: f64 = (-reach..=reach).map(value).sum();
        let tap = |t: i32| [value(t) / sum, -f64::from(t) / (sigma * sigma) * value(t) / sum].map(|x| x as f32);
        let normal = |o: usize| {
            let angle = o as f64 * std::f64::consts::PI / orientations as f64;
            [-angle.sin() as f32, angle.cos() as f32]
        };
        Self { taps: (-reach..=reach).map(tap).collect(), normals: (0..orientations).map(normal).collect() }
    }

    /// Σ weight·|derivative across the tangent| over all vectors, one value per orientation and pixel.
    ///
    /// The frame reflects.
    pub(super) fn strength(&self, panels: &[WeightedPanel], [height, width]: [usize; 2]) -> Vec<f32> {
        let reach = self.taps.len() / 2;
        let mut out = vec![0.0; height * width * self.normals.len()];
        out.par_chunks_mut(width * self.normals.len()).enumerate().for_each(|(y, out)| {
            for panel in panels {
                let line = |t: usize| {
                    let from = reflect((y + t) as isize - reach as isize, height);
                    &panel.vectors[from * width..(from + 1) * width]
                };
                let mut down = vec![[[0.0; LANES]; 2]; width + 2 * reach];
                for (t, taps) in self.taps.iter().enumerate() {
                    add_taps(line(t), taps, &mut down[reach..reach + width]);
                }
                for x in 0..reach {
                    down[x] = down[reach + reflect(x as isize - reach as isize, width)];
                    down[reach + width + x] = down[reach + reflect((width + x) as isize, width)];
                }
                add_strengths(&down, &self.taps, &self.normals, &panel.weights, out);
            }
        });
        out
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn add_taps(line: &[Lanes], taps: &[f32; 2], sums: &mut [[Lanes; 2]]) {
    for (lanes, [smooth, steep]) in line.iter().zip(sums) {
        for lane in 0..LANES {
            smooth[lane] += taps[0] * lanes[lane];
            steep[lane] += taps[1] * lanes[lane];
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn add_strengths(down: &[[Lanes; 2]], taps: &[[f32; 2]], normals: &[[f32; 2]], weights: &Lanes, out: &mut [f32]) {
    for (x, out) in out.chunks_exact_mut(normals.len()).enumerate() {
        let (mut gx, mut gy) = ([0.0f32; LANES], [0.0f32; LANES]);
        for ([smooth, steep], taps) in down[x..].iter().zip(taps) {
            for lane in 0..LANES {
                gx[lane] += taps[1] * smooth[lane];
                gy[lane] += taps[0] * steep[lane];
            }
        }
        for (out, normal) in out.iter_mut().zip(normals) {
            let mut parts = [0.0f32; LANES];
            for lane in 0..LANES {
                parts[lane] = weights[lane] * (normal[0] * gx[lane] + normal[1] * gy[lane]).abs();
            }
            let (low, high) = parts.split_at(LANES / 2);
            let folded: [f32; LANES / 2] = std::array::from_fn(|lane| low[lane] + high[lane]);
            *out += ((folded[0] + folded[4]) + (folded[2] + folded[6]))
                + ((folded[1] + folded[5]) + (folded[3] + folded[7]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_as_steep_as_it_is_in_every_direction() {
        let (height, width) = (9, 11);
        // Lane 0 rises by 3 to the right, lane 1 by 2 downwards and counts half.
        let vectors: Vec<Lanes> = (0..99)
            .map(|i| {
                let mut lanes = [0.0; LANES];
                (lanes[0], lanes[1]) = (3.0 * (i % width) as f32, 2.0 * (i / width) as f32);
                lanes
            })
            .collect();
        let mut weights = [0.0; LANES];
        (weights[0], weights[1]) = (1.0, 0.5);
        let gradient = OrientedGradient::new(0.7, 4);
        let found = gradient.strength(&[WeightedPanel { vectors, weights }], [height, width]);
        let middle = &found[(4 * width + 5) * 4..][..4];
        // Σ t²·g(t)/σ² of seven taps at σ = 0.7 is 1 to a percent.
        for (o, (found, expected)) in
            middle.iter().zip([1.0, 4.0 * 0.5f32.sqrt(), 3.0, 4.0 * 0.5f32.sqrt()]).enumerate()
        {
            assert!((found - expected).abs() < 0.03 * expected, "{o}: {found} {expected}");
        }
    }
}
