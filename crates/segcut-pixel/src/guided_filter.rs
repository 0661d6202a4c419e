//! Values and a guide image → values whose steps lie where the guide's are.

use crate::RowShape;
use crate::gaussian::reflect;
use multiversion::multiversion;
use rayon::prelude::*;

/// Values of one pixel that are filtered at once.
pub const LANES: usize = 16;

/// [`LANES`] values of one pixel.
pub type Lanes = [f32; LANES];

/// Lanes that the filter averages at once: the values and their products with the guide, then the coefficients.
type Four = [Lanes; 4];

/// The color guided filter, prepared for one guide.
///
/// He, Sun and Tang, Guided image filtering, PAMI 2013, eq. 19 to 21: in every window the output is the linear
/// function of the guide's channels that fits the values best, and a pixel takes the mean over its windows. The
/// frame reflects. The inverse covariances are shared by all values that one guide filters.
///
/// # Determinism
/// Rows do not depend on each other; any number of threads gives the same bytes.
///
/// # Cost
/// O(H·W·radius) per value.
///
/// # Examples
/// ```
/// use segcut_pixel::{GuidedFilter, RowShape};
/// let guide: Vec<f32> = (0..64).map(|i| if i % 8 < 4 { 0.0 } else { 1.0 }).collect();
/// // A ramp from 0 to 1, where the guide has a step.
/// let ramp: Vec<[f32; 16]> = (0..64).map(|i| [(i % 8) as f32 / 7.0; 16]).collect();
/// let filter = GuidedFilter::new(&guide, RowShape { height: 8, width: 8, channels: 1 }, 2, 1e-4);
/// let sharp = filter.filter(&ramp);
/// assert!(sharp[4][0] - sharp[3][0] > 2.0 * (ramp[4][0] - ramp[3][0]));
/// ```
#[derive(Debug, Clone)]
pub struct GuidedFilter {
    height: usize,
    width: usize,
    radius: usize,
    guide: Vec<[f32; 3]>,
    means: Vec<[f32; 3]>,
    /// (covariance + ε·1)⁻¹: its entries 00, 01, 02, 11, 12, 22.
    inverse: Vec<[f32; 6]>,
}

impl GuidedFilter {
    /// A guide of one to three channels, windows of 2·radius + 1 pixels, and the ε that is added to the variances.
    ///
    /// # Panics
    /// Where the guide does not fill the shape, or has another number of channels.
    pub fn new(guide: &[f32], shape: RowShape, radius: usize, epsilon: f32) -> Self {
        let RowShape { height, width, channels } = shape;
        assert!((1..=3).contains(&channels) && guide.len() == height * width * channels, "the guide fills its shape");
        let centre: Vec<f32> = (0..channels).map(|c| mean(guide[c..].iter().step_by(channels))).collect();
        let pixel = |p: &[f32]| std::array::from_fn(|c| if c < channels { p[c] - centre[c] } else { 0.0 });
        let guide: Vec<[f32; 3]> = guide.chunks_exact(channels).map(pixel).collect();
        let mut filter = Self { height, width, radius, guide, means: Vec::new(), inverse: Vec::new() };
        let moments = filter.guide.iter().map(moments).collect::<Vec<_>>();
        let averages = filter.window_means(&moments, |_, four| *four);
        filter.means = averages.iter().map(|m| [m[0][0], m[0][1], m[0][2]]).collect();
        filter.inverse = averages.iter().map(|m| inverse_covariance(&m[0], epsilon)).collect();
        filter
    }

    /// Filters [`LANES`] values per pixel.
    ///
    /// # Panics
    /// Where there are more or fewer values than pixels in the guide.
    pub fn filter(&self, values: &[Lanes]) -> Vec<Lanes> {
        assert_eq!(values.len(), self.guide.len(), "values for every pixel of the guide");
        let products: Vec<Four> = products(values, &self.guide);
        let coefficients =
            self.window_means(&products, |at, means| coefficients(means, &self.means[at], &self.inverse[at]));
        self.window_means(&coefficients, |at, means| {
            let [a, b, c] = self.guide[at];
            let value = std::array::from_fn(|lane| {
                means[0][lane] + (a * means[1][lane] + (b * means[2][lane] + c * means[3][lane]))
            });
            [value, [0.0; LANES], [0.0; LANES], [0.0; LANES]]
        })
        .into_iter()
        .map(|four| four[0])
        .collect()
    }

    /// The means over each pixel's window, each turned into what `visit` makes of it.
    fn window_means(&self, values: &[Four], visit: impl Fn(usize, &Four) -> Four + Sync) -> Vec<Four> {
        let (width, r) = (self.width, self.radius);
        let share = 1.0 / ((2 * r + 1) * (2 * r + 1)) as f32;
        let mut out = vec![[[0.0; LANES]; 4]; values.len()];
        out.par_chunks_mut(width).enumerate().for_each(|(y, out)| {
            let mut padded = vec![[[0.0; LANES]; 4]; width + 2 * r];
            for t in 0..=2 * r {
                let from = reflect((y + t) as isize - r as isize, self.height);
                add_row(&values[from * width..(from + 1) * width], &mut padded[r..r + width]);
            }
            for x in 0..r {
                padded[x] = padded[r + reflect(x as isize - r as isize, width)];
                padded[r + width + x] = padded[r + reflect((width + x) as isize, width)];
            }
            across(&padded, 2 * r + 1, share, out);
            out.iter_mut().enumerate().for_each(|(x, four)| *four = visit(y * width + x, four));
        });
        out
    }
}

fn mean<'a>(values: impl ExactSizeIterator<Item = &'a f32>) -> f32 {
    let count = values.len().max(1);
    (values.map(|&v| f64::from(v)).sum::<f64>() / count as f64) as f32
}

/// The guide and its products, in the first nine lanes.
fn moments(&[a, b, c]: &[f32; 3]) -> Four {
    let mut four = [[0.0; LANES]; 4];
    four[0][..9].copy_from_slice(&[a, b, c, a * a, a * b, a * c, b * b, b * c, c * c]);
    four
}

/// (Σ + ε·1)⁻¹ by cofactors, from the means of [`moments`].
fn inverse_covariance(m: &Lanes, epsilon: f32) -> [f32; 6] {
    let m: [f64; 9] = std::array::from_fn(|i| f64::from(m[i]));
    let epsilon = f64::from(epsilon);
    let variance = |i: usize, k: usize| (m[i] - m[k] * m[k]).max(0.0) + epsilon;
    let (aa, bb, cc) = (variance(3, 0), variance(6, 1), variance(8, 2));
    let (ab, ac, bc) = (m[4] - m[0] * m[1], m[5] - m[0] * m[2], m[7] - m[1] * m[2]);
    let cofactors = [
        bb * cc - bc * bc,
        ac * bc - ab * cc,
        ab * bc - ac * bb,
        aa * cc - ac * ac,
        ab * ac - aa * bc,
        aa * bb - ab * ab,
    ];
    let determinant = aa * cofactors[0] + ab * cofactors[1] + ac * cofactors[2];
    // Rounding of the means may leave a matrix that is not positive: such a window is flat.
    if determinant < epsilon.powi(3) {
        let flat = (1.0 / epsilon) as f32;
        return [flat, 0.0, 0.0, flat, 0.0, flat];
    }
    cofactors.map(|cofactor| (cofactor / determinant) as f32)
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn products(values: &[Lanes], guide: &[[f32; 3]]) -> Vec<Four> {
    let times = |v: &Lanes, g: f32| std::array::from_fn(|lane| g * v[lane]);
    values.iter().zip(guide).map(|(v, g)| [*v, times(v, g[0]), times(v, g[1]), times(v, g[2])]).collect()
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn add_row(values: &[Four], sums: &mut [Four]) {
    for (sum, value) in sums.as_flattened_mut().as_flattened_mut().iter_mut().zip(values.as_flattened().as_flattened())
    {
        *sum += value;
    }
}

/// The sum of `count` neighbours, times `share`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn across(padded: &[Four], count: usize, share: f32, out: &mut [Four]) {
    for (x, out) in out.iter_mut().enumerate() {
        let mut sums = [[0.0f32; LANES]; 4];
        for four in &padded[x..x + count] {
            add_four(&mut sums, four);
        }
        *out = sums.map(|sums| sums.map(|sum| share * sum));
    }
}

#[inline(always)]
fn add_four(sums: &mut Four, four: &Four) {
    for (sums, values) in sums.iter_mut().zip(four) {
        for lane in 0..LANES {
            sums[lane] += values[lane];
        }
    }
}

/// Means of values and products → b, a₁, a₂, a₃ of the linear fit (eq. 19, 20).
#[inline]
fn coefficients(means: &Four, guide: &[f32; 3], inverse: &[f32; 6]) -> Four {
    let [i00, i01, i02, i11, i12, i22] = *inverse;
    let mut out = [[0.0; LANES]; 4];
    for lane in 0..LANES {
        let value = means[0][lane];
        let [x, y, z] = [1, 2, 3].map(|c| means[c][lane] - guide[c - 1] * value);
        let a = [i00 * x + (i01 * y + i02 * z), i01 * x + (i11 * y + i12 * z), i02 * x + (i12 * y + i22 * z)];
        out[0][lane] = value - (a[0] * guide[0] + (a[1] * guide[1] + a[2] * guide[2]));
        (out[1][lane], out[2][lane], out[3][lane]) = (a[0], a[1], a[2]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_the_plain_form() {
        let (height, width, radius, epsilon) = (7usize, 9usize, 2isize, 1e-3f64);
        let guide: Vec<f32> = (0..height * width * 3).map(|i| ((i * i * 7 + i) % 19) as f32 / 19.0).collect();
        let values: Vec<Lanes> = (0..63).map(|i| [((i * 5) % 11) as f32; LANES]).collect();
        let shape = RowShape { height, width, channels: 3 };
        let found = GuidedFilter::new(&guide, shape, 2, epsilon as f32).filter(&values);
        let window = |y: usize, x: usize| {
            let offsets = (-radius..=radius).flat_map(|dy| (-radius..=radius).map(move |dx| (dy, dx)));
            let at = move |(dy, dx)| reflect(y as isize + dy, height) * width + reflect(x as isize + dx, width);
            offsets.map(at).collect::<Vec<_>>()
        };
        let g = |at: usize, c: usize| f64::from(guide[at * 3 + c]);
        let p = |at: usize| f64::from(values[at][0]);
        let fit = |y: usize, x: usize| {
            let w = window(y, x);
            let mean = |f: &dyn Fn(usize) -> f64| w.iter().map(|&at| f(at)).sum::<f64>() / w.len() as f64;
            let (mp, mg) = (mean(&p), [0, 1, 2].map(|c| mean(&|at| g(at, c))));
            let cov = [0, 1, 2].map(|c| mean(&|at| g(at, c) * p(at)) - mg[c] * mp);
            let a = solve(
                &|i, j| mean(&|at| g(at, i) * g(at, j)) - mg[i] * mg[j] + if i == j { epsilon } else { 0.0 },
                cov,
            );
            (a, mp - a[0] * mg[0] - a[1] * mg[1] - a[2] * mg[2])
        };
        for y in 0..height {
            for x in 0..width {
                let here = y * width + x;
                let w = window(y, x);
                let line = |&at: &usize| {
                    let (a, b) = fit(at / width, at % width);
                    a[0] * g(here, 0) + a[1] * g(here, 1) + a[2] * g(here, 2) + b
                };
                let expected = w.iter().map(line).sum::<f64>() / w.len() as f64;
                assert!((f64::from(found[here][3]) - expected).abs() < 1e-3, "{expected} {:?}", found[here]);
            }
        }
    }

    /// Cramer's rule.
    fn solve(m: &dyn Fn(usize, usize) -> f64, b: [f64; 3]) -> [f64; 3] {
        let columns = [0, 1, 2].map(|j| [m(0, j), m(1, j), m(2, j)]);
        let det = |c: [[f64; 3]; 3]| {
            c[0][0] * (c[1][1] * c[2][2] - c[1][2] * c[2][1]) - c[1][0] * (c[0][1] * c[2][2] - c[0][2] * c[2][1])
                + c[2][0] * (c[0][1] * c[1][2] - c[0][2] * c[1][1])
        };
        let whole = det(columns);
        [0, 1, 2].map(|j| {
            let mut replaced = columns;
            replaced[j] = b;
            det(replaced) / whole
        })
    }

    #[test]
    fn a_blurred_step_moves_onto_the_guides_step() {
        let (height, width) = (6, 24);
        let shape = RowShape { height, width, channels: 3 };
        let guide: Vec<f32> =
            (0..height * width).flat_map(|i| [if i % width < 12 { 0.2 } else { 0.6 }, 0.1, 0.0]).collect();
        let blurred: Vec<Lanes> =
            (0..height * width).map(|i| [((i % width) as f32 / 4.0 - 2.375).clamp(0.0, 1.0); LANES]).collect();
        let out = GuidedFilter::new(&guide, shape, 3, 3e-4).filter(&blurred);
        let row = &out[2 * width..3 * width];
        let step = row[12][0] - row[11][0];
        assert!(step > 0.5, "{step}");
        assert!((1..width).filter(|&x| x != 12).all(|x| (row[x][0] - row[x - 1][0]).abs() < 0.12));
    }

    #[test]
    fn a_flat_guide_blurs_and_constants_stay() {
        let shape = RowShape { height: 1, width: 3, channels: 1 };
        let filter = GuidedFilter::new(&[0.5; 3], shape, 3, 1e-3);
        assert!(filter.filter(&[[2.0; LANES]; 3]).iter().flatten().all(|v| (v - 2.0).abs() < 1e-5));
    }
}
