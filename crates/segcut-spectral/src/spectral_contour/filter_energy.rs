//! Image → energies of oriented filters on a coarse grid.

use super::working_image::WorkingImage;
use multiversion::multiversion;
use segcut_pixel::{AreaMean, Gaussian, GaussianError, RowShape, reflect};
use std::f64::consts::PI;

/// Standard deviations of the filters, in pixels.
const SIGMAS: [f64; 2] = [1.0, 2.0];

/// Directions of the filters.
const ORIENTATIONS: usize = 4;

/// Energies of one standard deviation: of edges and of lines per direction, and of spots.
const PER_SIGMA: usize = 2 * ORIENTATIONS + 1;

/// Energies of a cell.
pub(super) const ENERGIES: usize = SIGMAS.len() * PER_SIGMA;

/// Blur of the energies, in cells.
const BLUR: f64 = 0.5;

/// A Gaussian and its first two derivatives along one axis.
struct Taps {
    /// Taps at −reach ..= reach of the Gaussian, its slope and its curvature.
    kernels: [Vec<f32>; 3],
    reach: usize,
}

impl Taps {
    /// The Gaussian sums to 1, slope and curvature to 0; these are derivatives in units of sigma.
    fn new(sigma: f64) -> Self {
        let reach = (3.0 * sigma).ceil() as usize;
        let at = |i: usize| (i as f64 - reach as f64) / sigma;
        let gaussian = |t: f64| (-0.5 * t * t).exp();
        let sum: f64 = (0..=2 * reach).map(|i| gaussian(at(i))).sum();
        let kernel = |of: &dyn Fn(f64) -> f64| (0..=2 * reach).map(|i| of(at(i)) / sum).collect::<Vec<f64>>();
        let mut curvature = kernel(&|t| (t * t - 1.0) * gaussian(t));
        let mean = curvature.iter().sum::<f64>() / curvature.len() as f64;
        curvature.iter_mut().for_each(|tap| *tap -= mean);
        let kernels = [kernel(&gaussian), kernel(&|t| -t * gaussian(t)), curvature];
        Self { kernels: kernels.map(|taps| taps.into_iter().map(|tap| tap as f32).collect()), reach }
    }

    /// Sums of the three kernels down the columns around row y, reflected over `reach` pixels beyond left and right.
    fn down(&self, plane: &[f32], [height, width]: [usize; 2], y: usize, out: &mut [Vec<f32>; 3]) {
        let reach = self.reach;
        for (out, kernel) in out.iter_mut().zip(&self.kernels) {
            out.clear();
            out.resize(width + 2 * reach, 0.0);
            for (t, &tap) in kernel.iter().enumerate() {
                let row = reflect((y + t) as isize - reach as isize, height);
                add_weighted(&mut out[reach..reach + width], &plane[row * width..][..width], tap);
            }
            for x in 0..reach {
                out[x] = out[reach + reflect(x as isize - reach as isize, width)];
                out[reach + width + x] = out[reach + reflect((width + x) as isize, width)];
            }
        }
    }

    /// Sums of one kernel along a padded row.
    fn along(&self, kernel: usize, padded: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for (t, &tap) in self.kernels[kernel].iter().enumerate() {
            add_weighted(out, &padded[t..][..out.len()], tap);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma", "aarch64+neon"))]
fn add_weighted(out: &mut [f32], from: &[f32], weight: f32) {
    for (out, &value) in out.iter_mut().zip(from) {
        *out += weight * value;
    }
}

/// Root of the mean absolute response, per cell, of Gaussian derivative filters on the first channel.
///
/// First and second derivatives in four directions and their sum over directions (the Laplacian), at two scales: the
/// kinds of Leung & Malik 2001. The derivatives are steered from those along the axes.
///
/// # Shapes
/// [`ENERGIES`] values per cell, row-major.
pub(super) fn filter_energies(image: &WorkingImage, cells: [usize; 2]) -> Result<Vec<f32>, GaussianError> {
    let size = [image.shape.height, image.shape.width];
    let plane: Vec<f32> = image.values.chunks_exact(image.shape.channels).map(|pixel| pixel[0]).collect();
    let taps = SIGMAS.map(Taps::new);
    let mut mean = AreaMean::new(RowShape { height: size[0], width: size[1], channels: ENERGIES }, cells);
    let mut down = [Vec::new(), Vec::new(), Vec::new()];
    let mut responses = [0; 5].map(|_| vec![0.0; size[1]]);
    let mut energies = vec![0.0; size[1] * ENERGIES];
    for y in 0..size[0] {
        for (s, taps) in taps.iter().enumerate() {
            taps.down(&plane, size, y, &mut down);
            // Derivatives across and down: (1, 0), (0, 1), (2, 0), (1, 1), (0, 2).
            for (out, (across, downward)) in responses.iter_mut().zip([(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]) {
                taps.along(across, &down[downward], out);
            }
            steer(&responses, s * PER_SIGMA, &mut energies);
        }
        mean.add_row(&energies);
    }
    let shape = RowShape { height: cells[0], width: cells[1], channels: ENERGIES };
    let mut energies = Gaussian::new(BLUR)?.blur(&mean.finish(), shape);
    energies.iter_mut().for_each(|value| *value = value.max(0.0).sqrt());
    Ok(energies)
}

/// Absolute responses in every direction, into the places from `first` of every pixel.
fn steer(responses: &[Vec<f32>; 5], first: usize, out: &mut [f32]) {
    let directions: [[f32; 2]; ORIENTATIONS] = std::array::from_fn(|o| {
        let angle = o as f64 * PI / ORIENTATIONS as f64;
        [angle.cos() as f32, angle.sin() as f32]
    });
    for (x, out) in out.chunks_exact_mut(ENERGIES).enumerate() {
        let [gx, gy, gxx, gxy, gyy] = std::array::from_fn(|i| responses[i][x]);
        let out = &mut out[first..first + PER_SIGMA];
        for (out, [c, s]) in out.as_chunks_mut::<2>().0.iter_mut().zip(directions) {
            *out = [(c * gx + s * gy).abs(), (c * c * gxx + 2.0 * c * s * gxy + s * s * gyy).abs()];
        }
        out[PER_SIGMA - 1] = (gxx + gyy).abs();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, Image, Samples};

    fn energies(of: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        let samples = (0..48 * 48).map(|i| of(i / 48, i % 48)).collect();
        let image = Image::new(48, 48, ColorSpace::Multiband, Samples::F32(samples)).unwrap();
        filter_energies(&WorkingImage::new(&image, 999).unwrap(), [12, 12]).unwrap()
    }

    #[test]
    fn one_color_has_no_energy() {
        assert!(energies(|_, _| 0.7).iter().all(|e| *e < 1e-2));
    }

    #[test]
    fn stripes_have_their_direction() {
        let all = energies(|_, x| f32::from(u8::from(x / 3 % 2 == 0)));
        let cell = &all[(6 * 12 + 6) * ENERGIES..][..ENERGIES];
        // Direction 0 is across the stripes, direction 2 along them.
        for s in 0..SIGMAS.len() {
            let own = &cell[s * PER_SIGMA..];
            assert!(own[0] > 3.0 * own[4] && own[1] > 1.5 * own[5], "{own:?}");
        }
        let turned = energies(|y, _| f32::from(u8::from(y / 3 % 2 == 0)));
        let turned = &turned[(6 * 12 + 6) * ENERGIES..][..ENERGIES];
        assert!((turned[4] - cell[0]).abs() < 1e-4 && (turned[0] - cell[4]).abs() < 1e-4);
    }
}
