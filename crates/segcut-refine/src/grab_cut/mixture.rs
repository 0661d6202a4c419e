//! Colors → a mixture of Gaussians and its log density.

/// Steps of Lloyd's k-means after the first splits.
const STEPS: usize = 6;

/// Points of the first clustering.
const SAMPLE: usize = 4000;

/// A component needs this many points.
const FEWEST: f64 = 4.0;

/// A color.
pub(super) type Color = [f32; 3];

/// A weighted Gaussian, as the log of its density: offset − |R·(x − mean)|² / 2, R upper triangular.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Component {
    mean: [f32; 3],
    /// r00, r01, r02, r11, r12, r22.
    whiten: [f32; 6],
    offset: f32,
}

/// A mixture of Gaussians with full covariances (GMMs of Rother et al., GrabCut, SIGGRAPH 2004).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mixture {
    components: Vec<Component>,
}

/// Sums over the points of one component.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    sum: [f64; 3],
    /// xx, xy, xz, yy, yz, zz.
    squares: [f64; 6],
}

impl Mixture {
    /// Points in `k` clusters → their Gaussians; `variance` is added to every channel. None without points.
    ///
    /// The clusters are those of k-means, started by splitting the cluster with the largest spread along its principal axis
    /// (Orchard & Bouman 1991), so that nothing is drawn by chance.
    pub(super) fn new(points: &[Color], k: usize, variance: f64) -> Option<Self> {
        let sample: Vec<Color> = points.iter().step_by(points.len().div_ceil(SAMPLE).max(1)).copied().collect();
        let mut means = vec![Moments::of(sample.iter()).mean()?];
        let mut nearest = vec![0; sample.len()];
        while means.len() < k {
            if !split(&sample, &mut nearest, &mut means) {
                break;
            }
        }
        for _ in 0..STEPS {
            assign(&sample, &means, &mut nearest);
            move_means(&sample, &nearest, &mut means);
        }
        let mut nearest = vec![0; points.len()];
        assign(points, &means, &mut nearest);
        Self::fitted(points, &nearest, means.len(), variance)
    }

    /// The Gaussians of the points, each counted for the component that is densest there.
    pub(super) fn refitted(&self, points: &[Color], variance: f64) -> Option<Self> {
        let best: Vec<u32> = points.iter().map(|point| self.densest(point).1).collect();
        Self::fitted(points, &best, self.components.len(), variance)
    }

    fn fitted(points: &[Color], labels: &[u32], k: usize, variance: f64) -> Option<Self> {
        let mut moments = vec![Moments::default(); k];
        points.iter().zip(labels).for_each(|(point, &label)| moments[label as usize].add(point));
        let total = points.len() as f64;
        let components = moments.iter().filter(|m| m.count >= FEWEST).map(|m| m.component(total, variance));
        let components: Vec<Component> = components.collect();
        (!components.is_empty()).then_some(Self { components })
    }

    /// The log density, up to a constant that all mixtures share.
    pub(super) fn log_density(&self, point: &Color) -> f32 {
        let (highest, _) = self.densest(point);
        let sum: f32 = self.components.iter().map(|c| (c.log_density(point) - highest).exp()).sum();
        highest + sum.ln()
    }

    fn densest(&self, point: &Color) -> (f32, u32) {
        let mut best = (f32::NEG_INFINITY, 0);
        for (i, component) in self.components.iter().enumerate() {
            let density = component.log_density(point);
            if density > best.0 {
                best = (density, i as u32);
            }
        }
        best
    }
}

impl Component {
    #[inline]
    fn log_density(&self, point: &Color) -> f32 {
        let d = [point[0] - self.mean[0], point[1] - self.mean[1], point[2] - self.mean[2]];
        let r = &self.whiten;
        let (a, b, c) = (r[0] * d[0] + r[1] * d[1] + r[2] * d[2], r[3] * d[1] + r[4] * d[2], r[5] * d[2]);
        self.offset - 0.5 * (a * a + b * b + c * c)
    }
}

impl Moments {
    fn of<'a>(points: impl Iterator<Item = &'a Color>) -> Self {
        let mut moments = Self::default();
        points.for_each(|point| moments.add(point));
        moments
    }

    fn add(&mut self, point: &Color) {
        let [x, y, z] = point.map(f64::from);
        self.count += 1.0;
        self.sum = [self.sum[0] + x, self.sum[1] + y, self.sum[2] + z];
        for (sum, product) in self.squares.iter_mut().zip([x * x, x * y, x * z, y * y, y * z, z * z]) {
            *sum += product;
        }
    }

    fn mean(&self) -> Option<Color> {
        (self.count > 0.0).then(|| self.sum.map(|sum| (sum / self.count) as f32))
    }

    /// xx, xy, xz, yy, yz, zz about the mean.
    fn covariance(&self, variance: f64) -> [f64; 6] {
        let [x, y, z] = self.sum.map(|sum| sum / self.count);
        let products = [x * x, x * y, x * z, y * y, y * z, z * z];
        let mut covariance = [0.0; 6];
        for (i, value) in covariance.iter_mut().enumerate() {
            let on_diagonal = [0, 3, 5].contains(&i);
            let centred = self.squares[i] / self.count - products[i];
            *value = if on_diagonal { centred.max(0.0) + variance } else { centred };
        }
        covariance
    }

    fn component(&self, total: f64, variance: f64) -> Component {
        // Σ = U·Uᵀ with U upper triangular, R = U⁻¹.
        let [xx, xy, xz, yy, yz, zz] = self.covariance(variance);
        let tiny = variance.max(1e-9);
        let u22 = zz.max(tiny).sqrt();
        let (u12, u02) = (yz / u22, xz / u22);
        let u11 = (yy - u12 * u12).max(tiny * 1e-3).sqrt();
        let u01 = (xy - u02 * u12) / u11;
        let u00 = (xx - u01 * u01 - u02 * u02).max(tiny * 1e-3).sqrt();
        let (r0, r1, r2) = (1.0 / u00, 1.0 / u11, 1.0 / u22);
        let whiten = [r0, -u01 * r0 * r1, (u01 * u12 - u02 * u11) * r0 * r1 * r2, r1, -u12 * r1 * r2, r2];
        Component {
            mean: self.sum.map(|sum| (sum / self.count) as f32),
            whiten: whiten.map(|v| v as f32),
            offset: ((self.count / total).ln() - (u00 * u11 * u22).ln()) as f32,
        }
    }
}

/// Splits the cluster with the largest variance in one channel at its mean; false where all are single colors.
fn split(points: &[Color], nearest: &mut [u32], means: &mut Vec<Color>) -> bool {
    let mut moments = vec![Moments::default(); means.len()];
    points.iter().zip(nearest.iter()).for_each(|(point, &label)| moments[label as usize].add(point));
    let spread = |m: &Moments| if m.count > 0.0 { trace(&m.covariance(0.0)) * m.count } else { 0.0 };
    let mut widest = 0;
    for i in 1..moments.len() {
        widest = if spread(&moments[i]) > spread(&moments[widest]) { i } else { widest };
    }
    if spread(&moments[widest]) <= 1e-6 {
        return false;
    }
    let axis = principal_axis(&moments[widest].covariance(0.0));
    let along = |point: &Color| (0..3).map(|c| axis[c] * f64::from(point[c])).sum::<f64>();
    let Some(mean) = moments[widest].mean() else { return false };
    let middle = along(&mean);
    let fresh = means.len() as u32;
    for (point, label) in points.iter().zip(nearest.iter_mut()).filter(|(_, label)| **label == widest as u32) {
        *label = if along(point) > middle { fresh } else { *label };
    }
    means.push(mean);
    move_means(points, nearest, means);
    true
}

fn trace(covariance: &[f64; 6]) -> f64 {
    covariance[0] + covariance[3] + covariance[5]
}

/// The direction of the largest variance, by power iteration.
fn principal_axis(c: &[f64; 6]) -> [f64; 3] {
    let mut axis = [1.0, 0.9, 0.8];
    for _ in 0..16 {
        let [x, y, z] = axis;
        let next = [c[0] * x + c[1] * y + c[2] * z, c[1] * x + c[3] * y + c[4] * z, c[2] * x + c[4] * y + c[5] * z];
        let length = next.iter().map(|v| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        axis = next.map(|v| v / length);
    }
    axis
}

fn assign(points: &[Color], means: &[Color], nearest: &mut [u32]) {
    for (point, nearest) in points.iter().zip(nearest) {
        let mut best = f32::INFINITY;
        for (i, mean) in means.iter().enumerate() {
            let d = [point[0] - mean[0], point[1] - mean[1], point[2] - mean[2]];
            let squared = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
            if squared < best {
                (best, *nearest) = (squared, i as u32);
            }
        }
    }
}

/// A cluster without points stays where it is.
fn move_means(points: &[Color], nearest: &[u32], means: &mut [Color]) {
    let mut moments = vec![Moments::default(); means.len()];
    points.iter().zip(nearest).for_each(|(point, &label)| moments[label as usize].add(point));
    means.iter_mut().zip(&moments).for_each(|(mean, m)| *mean = m.mean().unwrap_or(*mean));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(centre: [f32; 3], count: usize) -> Vec<Color> {
        let wave = |i: usize, k: f32| (i as f32 * k).sin();
        (0..count)
            .map(|i| [centre[0] + wave(i, 1.3), centre[1] + 2.0 * wave(i, 2.1), centre[2] + wave(i, 0.7)])
            .collect()
    }

    #[test]
    fn one_component_is_the_gaussian_of_its_points() {
        let points = cloud([10.0, -5.0, 3.0], 500);
        let mixture = Mixture::new(&points, 1, 1.0).unwrap();
        let covariance = Moments::of(points.iter()).covariance(1.0);
        let [a, b, c, d, e, f] = covariance;
        let determinant = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d);
        let inverse = [d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b];
        let mean = Moments::of(points.iter()).mean().unwrap();
        for point in [[10.0, -5.0, 3.0], [12.0, -3.0, 2.0], [0.0, 0.0, 0.0]] {
            let x: Vec<f64> = (0..3).map(|i| f64::from(point[i]) - f64::from(mean[i])).collect();
            let form = inverse[0] * x[0] * x[0]
                + inverse[3] * x[1] * x[1]
                + inverse[5] * x[2] * x[2]
                + 2.0 * (inverse[1] * x[0] * x[1] + inverse[2] * x[0] * x[2] + inverse[4] * x[1] * x[2]);
            let expected = -0.5 * form / determinant - 0.5 * determinant.ln();
            assert!((f64::from(mixture.log_density(&point)) - expected).abs() < 1e-3 * (1.0 + expected.abs()));
        }
    }

    #[test]
    fn two_clouds_are_told_apart() {
        let points = [cloud([0.0; 3], 300), cloud([50.0, 20.0, 0.0], 100)].concat();
        let mixture = Mixture::new(&points, 2, 1.0).unwrap();
        assert_eq!(mixture.components.len(), 2);
        let ratio = mixture.log_density(&[0.0; 3]) - mixture.log_density(&[50.0, 20.0, 0.0]);
        assert!((ratio - 3.0f32.ln()).abs() < 0.2, "{ratio}");
        assert_eq!(mixture.refitted(&points, 1.0).unwrap(), mixture);
    }

    #[test]
    fn single_colors_and_no_points() {
        assert!(Mixture::new(&[], 3, 1.0).is_none());
        let mixture = Mixture::new(&[[5.0; 3]; 40], 3, 1.0).unwrap();
        assert_eq!(mixture.components.len(), 1);
        assert!(mixture.log_density(&[5.0; 3]).abs() < 1e-4);
    }
}
