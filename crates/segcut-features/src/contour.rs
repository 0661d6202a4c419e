//! Image → contour strength per pixel.

use crate::color::{ColorKind, ColorRows};
use crate::gradient::GaussianGradient;
use crate::pyramid::{Coarse, Level, cell_rows};
use crate::row_map::row_map;
use segcut_core::{BandSource, ColorSpace, Context, FeatureExtractor, Features, Image, StageError};
use segcut_pixel::RowShape;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Parameters of [`Contour`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContourParams {
    /// Standard deviation of the finest Gaussian, in pixels. 1.5 sees about what half-discs of radius 3 see.
    pub sigma: f64,
    /// Scales: sigma, 2·sigma, 4·sigma …
    pub octaves: usize,
    /// What a and b count against L.
    pub chroma: f32,
}

impl Default for ContourParams {
    fn default() -> Self {
        Self { sigma: 1.5, octaves: 3, chroma: 2.0 }
    }
}

/// Image → map `contour`: the mean over scales of the Gaussian color gradient in L*a*b*.
///
/// Per scale, the strength is the root of the larger eigenvalue of Σ ∇f ∇fᵀ over the channels f (Di
/// Zenzo 1986): the change of color across the direction in which it is largest. Scale i is computed
/// on the image shrunk 2^i times by area means, and enlarged bilinearly. This stands for the
/// differences of half-disc means of the Berkeley detector (Arbeláez et al. 2011, section 3.1), with
/// Gaussian halves, continuous orientation and a cost that does not grow with the scale.
///
/// Samples outside the valid mask count as 0, so a contour runs along the mask.
///
/// # Units
/// A step of 1 in L has a strength of 1 beside the step at every scale.
///
/// # Cost
/// O(H·W·sigma) for all scales together.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
/// use segcut_features::{Contour, ContourParams};
/// let halves: Vec<u8> = (0..40 * 40).map(|i| if i % 40 < 20 { 50 } else { 200 }).collect();
/// let image = Image::new(40, 40, ColorSpace::Gray, Samples::U8(halves))?;
/// let features = Contour::new(ContourParams::default())?.extract(std::slice::from_ref(&image), &Context::default())?;
/// let row = &features[0].maps[0].held_values().unwrap()[..40];
/// assert!(row[19] > 10.0 * row[2] && row[20] > 10.0 * row[37]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Contour {
    params: ContourParams,
    gradient: GaussianGradient,
}

impl Contour {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: ContourParams) -> Result<Self, StageError> {
        let must = "from 0.3 to 20 pixels";
        if !(0.3..=20.0).contains(&params.sigma) {
            return Err(StageError::parameter("contour.sigma", params.sigma, must));
        }
        if !(1..=6).contains(&params.octaves) {
            return Err(StageError::parameter("contour.octaves", params.octaves, "from 1 to 6"));
        }
        if !(0.0..=100.0).contains(&params.chroma) {
            return Err(StageError::parameter("contour.chroma", params.chroma, "from 0 to 100"));
        }
        let refused = |_| StageError::parameter("contour.sigma", params.sigma, must);
        let gradient = GaussianGradient::new(params.sigma).map_err(refused)?;
        Ok(Self { params, gradient })
    }
}

impl FeatureExtractor for Contour {
    /// # Errors
    /// A strength that is not finite (f32 samples far beyond 1), inside a [`StageError::Data`].
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| {
            let rows = ContourRows { image, contour: self.clone() };
            let map = row_map("contour", image, 1, rows)?;
            Ok(Features { maps: vec![map], attention: None })
        };
        images.iter().map(one).collect()
    }
}

struct ContourRows<'a> {
    image: &'a Image,
    contour: Contour,
}

impl BandSource for ContourRows<'_> {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        out.fill(0.0);
        if rows.is_empty() {
            return;
        }
        let octaves = self.contour.params.octaves;
        let share = 1.0 / octaves as f32;
        let mut level = self.finest(&rows);
        for octave in 0..octaves {
            let step = 1 << octave;
            let cells = cell_rows(&rows, step, level.shape.height);
            let strength = self.strength(&level, cells.clone());
            let coarse = Coarse { values: &strength, rows: cells, width: level.shape.width, step };
            coarse.add_enlarged(rows.start, self.image.width(), share, out);
            if octave + 1 < octaves {
                level = level.halved();
            }
        }
    }
}

impl ContourRows<'_> {
    /// The pixels that all scales need for `rows`, from a row that every scale's cells start at.
    fn finest(&self, rows: &Range<usize>) -> Level {
        let height = self.image.height();
        let needed = (0..self.contour.params.octaves).map(|octave| {
            let step = 1 << octave;
            let cells = height.div_ceil(step);
            let halo = self.contour.gradient.halo(&cell_rows(rows, step, cells), cells);
            (halo.start * step, halo.end * step)
        });
        let unit = 1 << (self.contour.params.octaves - 1);
        let (start, end) = needed.fold((rows.start, rows.end), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        let span = start / unit * unit..end.next_multiple_of(unit).min(height);
        let colors = ColorRows::new(self.image, ColorKind::Lab);
        let shape = RowShape { height, width: self.image.width(), channels: colors.dims() };
        let mut values = vec![0.0; span.len() * shape.width * shape.channels];
        colors.fill(span.clone(), &mut values);
        if self.image.space() != ColorSpace::Multiband {
            let chroma = self.contour.params.chroma;
            for pixel in values.chunks_exact_mut(3) {
                pixel[1] *= chroma;
                pixel[2] *= chroma;
            }
        }
        Level { shape, rows: span, values }
    }

    fn strength(&self, level: &Level, cells: Range<usize>) -> Vec<f32> {
        let (width, channels) = (level.shape.width, level.shape.channels);
        let row = width * channels;
        let mut strength = vec![0.0; cells.len() * width];
        let source = |rows: Range<usize>, out: &mut [f32]| {
            let start = (rows.start - level.rows.start) * row;
            out.copy_from_slice(&level.values[start..start + out.len()]);
        };
        self.contour.gradient.rows(level.shape, cells, source, |i, gx, gy| {
            let out = &mut strength[i * width..(i + 1) * width];
            match channels {
                1 => larger_eigenvalue::<1>(gx, gy, out),
                3 => larger_eigenvalue::<3>(gx, gy, out),
                _ => larger_eigenvalue_of(channels, gx, gy, out),
            }
        });
        strength
    }
}

/// √λ of Σ ∇f ∇fᵀ = [[xx, xy], [xy, yy]].
fn root_eigenvalue(xx: f32, xy: f32, yy: f32) -> f32 {
    let (difference, sum) = (xx - yy, xx + yy);
    (0.5 * (sum + (difference * difference + 4.0 * xy * xy).sqrt())).sqrt()
}

fn larger_eigenvalue<const C: usize>(gx: &[f32], gy: &[f32], out: &mut [f32]) {
    for (out, (x, y)) in out.iter_mut().zip(gx.as_chunks::<C>().0.iter().zip(gy.as_chunks::<C>().0)) {
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for c in 0..C {
            xx += x[c] * x[c];
            xy += x[c] * y[c];
            yy += y[c] * y[c];
        }
        *out = root_eigenvalue(xx, xy, yy);
    }
}

fn larger_eigenvalue_of(channels: usize, gx: &[f32], gy: &[f32], out: &mut [f32]) {
    for (out, (x, y)) in out.iter_mut().zip(gx.chunks_exact(channels).zip(gy.chunks_exact(channels))) {
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        *out = root_eigenvalue(product(x, x), product(x, y), product(y, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use segcut_core::Samples;

    fn image(height: usize, width: usize, channels: usize) -> Image {
        let samples = (0..height * width * channels).map(|i| ((i * i + 31 * i) % 251) as u8).collect();
        let space = match channels {
            1 => ColorSpace::Gray,
            3 => ColorSpace::Srgb,
            _ => ColorSpace::Multiband,
        };
        Image::new(height, width, space, Samples::U8(samples)).unwrap()
    }

    fn rows_of(image: &Image) -> ContourRows<'_> {
        ContourRows { image, contour: Contour::new(ContourParams::default()).unwrap() }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn rows_do_not_depend_on_the_cut(
            (height, width, channels) in (1usize..90, 1usize..20, 1usize..5), cut in 0usize..90,
        ) {
            let image = image(height, width, channels);
            let (source, cut) = (rows_of(&image), cut % (height + 1));
            let mut whole = vec![0.0; height * width];
            source.fill(0..height, &mut whole);
            let mut parts = vec![9.0; height * width];
            let (top, bottom) = parts.split_at_mut(cut * width);
            source.fill(0..cut, top);
            source.fill(cut..height, bottom);
            prop_assert_eq!(whole, parts);
        }
    }

    #[test]
    fn a_step_in_lightness_has_its_height() {
        let samples = (0..64 * 64).map(|i| if i / 64 < 32 { 0.0 } else { 1.0 }).collect();
        let image = Image::new(64, 64, ColorSpace::Gray, Samples::F32(samples)).unwrap();
        let source = ContourRows {
            image: &image,
            contour: Contour::new(ContourParams { octaves: 1, ..ContourParams::default() }).unwrap(),
        };
        let mut out = vec![0.0; 64 * 64];
        source.fill(0..64, &mut out);
        assert!((out[31 * 64 + 20] - 100.0).abs() < 0.1 && (out[32 * 64 + 20] - 100.0).abs() < 0.1);
        assert!(out[20] < 1e-3 && out[63 * 64] < 1e-3);
    }

    #[test]
    fn a_constant_image_has_no_contour() {
        let image = Image::new(9, 30, ColorSpace::Srgb, Samples::U8([7, 90, 200].repeat(270))).unwrap();
        let mut out = vec![9.0; 270];
        rows_of(&image).fill(0..9, &mut out);
        assert!(out.iter().all(|v| v.abs() < 1e-3));
    }

    #[test]
    fn bad_parameters_are_named() {
        let refused = |params| Contour::new(params).unwrap_err().to_string();
        let base = ContourParams::default;
        assert!(refused(ContourParams { sigma: 0.0, ..base() }).starts_with("contour.sigma = 0"));
        assert!(refused(ContourParams { octaves: 0, ..base() }).starts_with("contour.octaves = 0"));
        assert!(refused(ContourParams { chroma: f32::NAN, ..base() }).starts_with("contour.chroma = NaN"));
    }
}
