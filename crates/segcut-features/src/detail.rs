//! Image → how much every pixel differs from its blurred surroundings.

use crate::color::{ColorKind, ColorRows};
use crate::row_map::row_map;
use segcut_core::{BandSource, ColorSpace, Context, FeatureExtractor, Features, Image, StageError};
use segcut_pixel::{Gaussian, RowShape};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Parameters of [`Detail`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetailParams {
    /// Standard deviations of the Gaussians in brightness, in pixels; one value per pixel for each.
    pub sigmas: Vec<f64>,
    /// Standard deviation of the Gaussian in color, in pixels.
    pub chroma: f64,
}

impl Default for DetailParams {
    fn default() -> Self {
        Self { sigmas: vec![0.7, 1.5], chroma: 1.5 }
    }
}

/// Image → map `detail`: |L − G∗L| for each Gaussian G, then |a − G∗a| + |b − G∗b|.
///
/// The absolute difference of a pixel to its blurred surroundings, a filter round like the Laplacian (Burt & Adelson 1983).
/// Averaged over a region it tells fine texture from coarse, and both from none, in any direction.
///
/// # Units
/// L*a*b*, L from 0 to 100. A multi-band image has the mean of its channels, from 0 to 100, as L and no color.
///
/// # Cost
/// O(H·W·Σ sigmas).
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
/// use segcut_features::{Detail, DetailParams};
/// let board: Vec<u8> = (0..400).map(|i| if (i % 20 + i / 20) % 2 == 0 && i % 20 < 10 { 255 } else { 0 }).collect();
/// let image = Image::new(20, 20, ColorSpace::Gray, Samples::U8(board))?;
/// let features = Detail::new(DetailParams::default())?.extract(std::slice::from_ref(&image), &Context::default())?;
/// let values = features[0].maps[0].held_values().unwrap();
/// let pixel = |y: usize, x: usize| &values[3 * (20 * y + x)..][..3];
/// assert!(pixel(9, 3)[0] > 30.0 && pixel(9, 16)[0] < 1e-3 && pixel(9, 3)[2] < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Detail {
    brightness: Vec<Gaussian>,
    chroma: Gaussian,
}

impl Detail {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: DetailParams) -> Result<Self, StageError> {
        let gaussian = |name: &'static str, sigma: f64| {
            let refused = || StageError::parameter(name, sigma, "from 0.3 to 20 pixels");
            if !(0.3..=20.0).contains(&sigma) {
                return Err(refused());
            }
            Gaussian::new(sigma).map_err(|_| refused())
        };
        if params.sigmas.is_empty() {
            return Err(StageError::parameter("detail.sigmas", "[]", "at least one sigma"));
        }
        let brightness = params.sigmas.iter().map(|&sigma| gaussian("detail.sigmas", sigma));
        Ok(Self {
            brightness: brightness.collect::<Result<_, _>>()?,
            chroma: gaussian("detail.chroma", params.chroma)?,
        })
    }
}

impl FeatureExtractor for Detail {
    /// # Errors
    /// A difference that is not finite (f32 samples far beyond 1), inside a [`StageError::Data`].
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| {
            let rows = DetailRows { image, detail: self.clone() };
            let map = row_map("detail", image, self.brightness.len() + 1, rows)?;
            Ok(Features { maps: vec![map], attention: None })
        };
        images.iter().map(one).collect()
    }
}

struct DetailRows<'a> {
    image: &'a Image,
    detail: Detail,
}

/// Rows of one brightness and two color values per pixel.
struct Planes {
    rows: Range<usize>,
    brightness: Vec<f32>,
    /// Interleaved; none for a multi-band image.
    chroma: Option<Vec<f32>>,
}

impl DetailRows<'_> {
    /// The rows that the blurred `rows` of the widest Gaussian read, or more: beyond the frame rows come back mirrored.
    fn needed(&self, rows: &Range<usize>) -> Range<usize> {
        let gaussians = self.detail.brightness.iter().chain([&self.detail.chroma]);
        let radius = gaussians.map(Gaussian::radius).max().unwrap_or(0);
        let height = self.image.height();
        let start = rows.start.min(height.saturating_sub(radius)).saturating_sub(radius);
        start..(rows.end.max(radius) + radius).min(height)
    }

    fn planes(&self, rows: Range<usize>) -> Planes {
        let colors = ColorRows::new(self.image, ColorKind::Lab);
        let dims = colors.dims();
        let mut values = vec![0.0; rows.len() * self.image.width() * dims];
        colors.fill(rows.clone(), &mut values);
        let pixels = values.chunks_exact(dims);
        if self.image.space() == ColorSpace::Multiband {
            let brightness = pixels.map(|p| p.iter().sum::<f32>() / dims as f32).collect();
            return Planes { rows, brightness, chroma: None };
        }
        let brightness = pixels.clone().map(|p| p[0]).collect();
        Planes { rows, brightness, chroma: Some(pixels.flat_map(|p| [p[1], p[2]]).collect()) }
    }

    /// Rows of `values` without their blurred surroundings, row-major and interleaved as they are.
    fn differences(&self, gaussian: &Gaussian, span: &Range<usize>, values: &[f32], rows: Range<usize>) -> Vec<f32> {
        let channels = values.len() / (span.len() * self.image.width()).max(1);
        let shape = RowShape { height: self.image.height(), width: self.image.width(), channels };
        let row = shape.width * channels;
        let within = |rows: &Range<usize>| (rows.start - span.start) * row..(rows.end - span.start) * row;
        let mut out = vec![0.0; rows.len() * row];
        let source = |rows: Range<usize>, buffer: &mut [f32]| buffer.copy_from_slice(&values[within(&rows)]);
        gaussian.rows(shape, rows.clone(), source, &mut out);
        out.iter_mut().zip(&values[within(&rows)]).for_each(|(blurred, value)| *blurred = (value - *blurred).abs());
        out
    }
}

impl BandSource for DetailRows<'_> {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        if rows.is_empty() {
            return;
        }
        let planes = self.planes(self.needed(&rows));
        let dims = self.detail.brightness.len() + 1;
        for (k, gaussian) in self.detail.brightness.iter().enumerate() {
            let detail = self.differences(gaussian, &planes.rows, &planes.brightness, rows.clone());
            out.iter_mut().skip(k).step_by(dims).zip(detail).for_each(|(out, value)| *out = value);
        }
        let last = out.iter_mut().skip(dims - 1).step_by(dims);
        match &planes.chroma {
            Some(chroma) => {
                let detail = self.differences(&self.detail.chroma, &planes.rows, chroma, rows);
                last.zip(detail.chunks_exact(2)).for_each(|(out, ab)| *out = ab[0] + ab[1]);
            }
            None => last.for_each(|out| *out = 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::Samples;

    fn rows_of(image: &Image) -> DetailRows<'_> {
        DetailRows { image, detail: Detail::new(DetailParams::default()).unwrap() }
    }

    #[test]
    fn it_is_the_distance_to_the_whole_blurred_image() {
        let samples = (0..23 * 11 * 3).map(|i| ((i * i * 7) % 251) as u8).collect();
        let image = Image::new(23, 11, ColorSpace::Srgb, Samples::U8(samples)).unwrap();
        let mut found = vec![0.0; 23 * 11 * 3];
        rows_of(&image).fill(0..23, &mut found);
        let mut lab = vec![0.0; 23 * 11 * 3];
        ColorRows::new(&image, ColorKind::Lab).fill(0..23, &mut lab);
        let shape = RowShape { height: 23, width: 11, channels: 3 };
        let [fine, coarse] = [0.7, 1.5].map(|sigma| Gaussian::new(sigma).unwrap().blur(&lab, shape));
        for (i, found) in found.chunks_exact(3).enumerate() {
            let apart = |blurred: &[f32], c: usize| (lab[3 * i + c] - blurred[3 * i + c]).abs();
            let expected = [apart(&fine, 0), apart(&coarse, 0), apart(&coarse, 1) + apart(&coarse, 2)];
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3), "{i}: {found:?}, {expected:?}");
        }
    }

    #[test]
    fn rows_do_not_depend_on_the_cut() {
        for (height, space, channels) in [(70, ColorSpace::Multiband, 2), (5, ColorSpace::Srgb, 3)] {
            let samples = (0..height * 9 * channels).map(|i| ((i * i) % 65_521) as u16).collect();
            let image = Image::new(height, 9, space, Samples::U16(samples)).unwrap();
            let source = rows_of(&image);
            let mut whole = vec![0.0; height * 27];
            source.fill(0..height, &mut whole);
            for cut in 1..height {
                let mut parts = vec![9.0; height * 27];
                let (top, bottom) = parts.split_at_mut(cut * 27);
                source.fill(0..cut, top);
                source.fill(cut..height, bottom);
                assert!(parts == whole, "{height} {cut}");
            }
        }
    }

    #[test]
    fn sigmas_are_checked() {
        for (sigmas, chroma) in [(vec![], 1.0), (vec![0.1], 1.0), (vec![1.0], f64::NAN)] {
            assert!(Detail::new(DetailParams { sigmas, chroma }).is_err());
        }
    }
}
