//! Image → contour strength by oriented half-discs.

use crate::color::{ColorKind, ColorRows};
use crate::contour::{Coarse, Level, cell_rows};
use crate::row_map::row_map;
use segcut_core::{BandSource, ColorSpace, Context, FeatureExtractor, Features, Image, StageError};
use segcut_pixel::RowShape;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use std::ops::Range;

/// Cells are this many pixels wide.
const STEP: usize = 2;

/// Cells this near to the diameter are in neither half.
const DIAMETER: f64 = 0.4;

/// Parameters of [`HalfDisc`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HalfDiscParams {
    /// Radius of the disc, in cells of 2×2 pixels.
    pub radius: usize,
    /// Directions of the diameter, evenly spread over half a turn.
    pub orientations: usize,
    /// What a and b count against L.
    pub chroma: f32,
}

impl Default for HalfDiscParams {
    fn default() -> Self {
        Self { radius: 3, orientations: 8, chroma: 2.0 }
    }
}

/// Image → map `contour`: the largest difference of the mean colors of two half-discs, over the
/// directions of the diameter.
///
/// The oriented operator of Martin, Fowlkes and Malik (PAMI 2004) on means instead of histograms, at half
/// resolution: cells are means of 2×2 pixels, a disc holds the offsets with dx² + dy² ≤ r² + r, and the
/// result is enlarged bilinearly. The frame reflects.
///
/// # Units
/// L·a·b over 100, a and b times `chroma`: a step from black to white is 1. Channels of multi-band images
/// count as L.
///
/// # Cost
/// O(H·W·orientations·radius²) / 4 additions per channel.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
/// use segcut_features::{HalfDisc, HalfDiscParams};
/// let halves: Vec<u8> = (0..40 * 40).map(|i| if i % 40 < 20 { 0 } else { 255 }).collect();
/// let image = Image::new(40, 40, ColorSpace::Gray, Samples::U8(halves))?;
/// let contour = HalfDisc::new(HalfDiscParams::default())?;
/// let features = contour.extract(std::slice::from_ref(&image), &Context::default())?;
/// let row = &features[0].maps[0].held_values().unwrap()[..40];
/// assert!(row[19] > 0.8 && row[20] > 0.8 && row[5] < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct HalfDisc {
    radius: usize,
    chroma: f32,
    /// Per direction the offsets (dy, dx) of one half; the other half is its mirror image.
    halves: Vec<Vec<[isize; 2]>>,
}

impl HalfDisc {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: HalfDiscParams) -> Result<Self, StageError> {
        if !(1..=20).contains(&params.radius) {
            return Err(StageError::parameter("half_disc.radius", params.radius, "from 1 to 20 cells"));
        }
        if !(2..=64).contains(&params.orientations) {
            return Err(StageError::parameter("half_disc.orientations", params.orientations, "from 2 to 64"));
        }
        if !(0.0..=100.0).contains(&params.chroma) {
            return Err(StageError::parameter("half_disc.chroma", params.chroma, "from 0 to 100"));
        }
        let angle = |o: usize| o as f64 * PI / params.orientations as f64;
        let halves = (0..params.orientations).map(|o| half(params.radius, angle(o))).collect();
        Ok(Self { radius: params.radius, chroma: params.chroma, halves })
    }
}

/// Offsets on the left of the diameter with this direction.
fn half(radius: usize, angle: f64) -> Vec<[isize; 2]> {
    let r = radius as isize;
    let offsets = (-r..=r).flat_map(|dy| (-r..=r).map(move |dx| [dy, dx]));
    let inside = |&[dy, dx]: &[isize; 2]| dy * dy + dx * dx <= r * r + r;
    let left = |&[dy, dx]: &[isize; 2]| dy as f64 * angle.cos() - dx as f64 * angle.sin() > DIAMETER;
    offsets.filter(inside).filter(left).collect()
}

impl FeatureExtractor for HalfDisc {
    /// # Errors
    /// A strength that is not finite (f32 samples far beyond 1), inside a [`StageError::Data`].
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| {
            let rows = HalfDiscRows { image, disc: self.clone() };
            Ok(Features { maps: vec![row_map("contour", image, 1, rows)?], attention: None })
        };
        images.iter().map(one).collect()
    }
}

struct HalfDiscRows<'a> {
    image: &'a Image,
    disc: HalfDisc,
}

impl BandSource for HalfDiscRows<'_> {
    fn fill(&self, rows: Range<usize>, out: &mut [f32]) {
        out.fill(0.0);
        if rows.is_empty() {
            return;
        }
        let all = self.image.height().div_ceil(STEP);
        let cells = cell_rows(&rows, STEP, all);
        let halo = cells.start.saturating_sub(self.disc.radius)..(cells.end + self.disc.radius).min(all);
        let level = self.level(halo);
        let width = level.shape.width;
        let mut strength = vec![0.0; cells.len() * width];
        for (row, out) in cells.clone().zip(strength.chunks_exact_mut(width)) {
            self.disc.strongest(&level, row, out);
        }
        let coarse = Coarse { values: &strength, rows: cells, width, step: STEP };
        coarse.add_enlarged(rows.start, self.image.width(), 1.0, out);
    }
}

impl HalfDiscRows<'_> {
    /// The cells of these rows, as planes one after the other in each row, reflected beyond left and right.
    fn level(&self, cells: Range<usize>) -> Level {
        let colors = ColorRows::new(self.image, ColorKind::Lab);
        let (height, width, channels) = (self.image.height(), self.image.width(), colors.dims());
        let span = cells.start * STEP..(cells.end * STEP).min(height);
        let mut values = vec![0.0; span.len() * width * channels];
        colors.fill(span.clone(), &mut values);
        let chroma = if self.image.space() == ColorSpace::Multiband { 1.0 } else { self.disc.chroma };
        let pixels = Level { shape: RowShape { height, width, channels }, rows: span, values };
        let halved = pixels.halved();
        let r = self.disc.radius;
        let padded = halved.shape.width + 2 * r;
        let mut planes = Vec::with_capacity(halved.rows.len() * padded * channels);
        for row in halved.values.chunks_exact(halved.shape.width * channels) {
            for c in 0..channels {
                let scale = if c == 0 { 0.01 } else { 0.01 * chroma };
                let at = |x: usize| scale * row[reflected(x as isize - r as isize, halved.shape.width) * channels + c];
                planes.extend((0..padded).map(at));
            }
        }
        Level { values: planes, ..halved }
    }
}

/// The place inside 0..n that mirrors at the ends show at i: … 1 0 | 0 1 … n−1 | n−1 …
fn reflected(i: isize, n: usize) -> usize {
    let i = i.rem_euclid(2 * n as isize) as usize;
    if i < n { i } else { 2 * n - 1 - i }
}

impl HalfDisc {
    /// One row of the largest difference over the directions.
    fn strongest(&self, level: &Level, row: usize, out: &mut [f32]) {
        let (width, channels, r) = (level.shape.width, level.shape.channels, self.radius);
        let (padded, all) = (width + 2 * r, level.shape.height);
        let line = |y: isize, c: usize| {
            let at = reflected(y, all) - level.rows.start;
            &level.values[(at * channels + c) * padded..][..padded]
        };
        let mut difference = vec![0.0f32; width];
        let mut squares = vec![0.0f32; width];
        for half in &self.halves {
            squares.fill(0.0);
            for c in 0..channels {
                difference.fill(0.0);
                for &[dy, dx] in half {
                    let left = &line(row as isize + dy, c)[r.wrapping_add_signed(dx)..][..width];
                    let right = &line(row as isize - dy, c)[r.wrapping_add_signed(-dx)..][..width];
                    add_difference(&mut difference, left, right);
                }
                squares.iter_mut().zip(&difference).for_each(|(sum, d)| *sum += d * d);
            }
            let share = 1.0 / (half.len() * half.len()) as f32;
            out.iter_mut().zip(&squares).for_each(|(out, sum)| *out = out.max(sum * share));
        }
        out.iter_mut().for_each(|out| *out = out.sqrt());
    }
}

fn add_difference(sum: &mut [f32], left: &[f32], right: &[f32]) {
    for (sum, (left, right)) in sum.iter_mut().zip(left.iter().zip(right)) {
        *sum += left - right;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use segcut_core::Samples;

    fn image(height: usize, width: usize, channels: usize) -> Image {
        let samples = (0..height * width * channels).map(|i| ((i * i + 31 * i) % 251) as u8).collect();
        let space = if channels == 3 { ColorSpace::Srgb } else { ColorSpace::Multiband };
        Image::new(height, width, space, Samples::U8(samples)).unwrap()
    }

    fn rows_of(image: &Image) -> HalfDiscRows<'_> {
        HalfDiscRows { image, disc: HalfDisc::new(HalfDiscParams::default()).unwrap() }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn rows_do_not_depend_on_the_cut(
            (height, width, channels) in (1usize..60, 1usize..20, 1usize..5), cut in 0usize..60,
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
    fn equal_to_direct_sums() {
        let image = image(24, 26, 1);
        let source = rows_of(&image);
        let level = source.level(0..12);
        let cell = |y: isize, x: isize| level.values[reflected(y, 12) * 19 + reflected(x, 13) + 3];
        let mut row = vec![0.0; 13];
        source.disc.strongest(&level, 4, &mut row);
        for (x, &found) in row.iter().enumerate() {
            let mean = |half: &[[isize; 2]], sign: isize| {
                let sum: f32 = half.iter().map(|[dy, dx]| cell(4 + sign * dy, x as isize + sign * dx)).sum();
                sum / half.len() as f32
            };
            let direct = source.disc.halves.iter().map(|h| (mean(h, 1) - mean(h, -1)).abs()).fold(0.0, f32::max);
            assert!((found - direct).abs() < 1e-5, "{found} {direct}");
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        let refused = |params| HalfDisc::new(params).unwrap_err().to_string();
        let base = HalfDiscParams::default;
        assert!(refused(HalfDiscParams { radius: 0, ..base() }).starts_with("half_disc.radius = 0"));
        assert!(refused(HalfDiscParams { orientations: 1, ..base() }).starts_with("half_disc.orientations = 1"));
    }
}
