//! Image → contour strength by oriented half-discs.

use crate::color::{ColorKind, ColorRows};
use crate::disc_rows::{DiscLevel, HalfDiscs, Planes};
use crate::pyramid::{Coarse, Level, cell_rows};
use crate::row_map::row_map;
use segcut_core::{BandSource, ColorSpace, Context, FeatureExtractor, Features, Image, StageError};
use segcut_pixel::RowShape;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Discs of one size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscScale {
    /// Side of the cells whose means are compared, in pixels: 1, 2, 4, 8 or 16.
    pub cell: usize,
    /// Radius of the disc, in cells.
    pub radius: usize,
    /// What this size counts.
    pub weight: f32,
}

/// Parameters of [`HalfDisc`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HalfDiscParams {
    /// The sizes of discs whose strengths are added.
    pub scales: Vec<DiscScale>,
    /// Directions of the diameter, evenly spread over half a turn.
    pub orientations: usize,
    /// What a and b count against L.
    pub chroma: f32,
    /// What the difference of the halves' standard deviations counts against that of their means; 0 leaves it out.
    pub spread: f32,
    /// Whether strengths are smoothed along the diameter, over one radius to either side.
    pub smooth: bool,
    /// Whether the map keeps all directions instead of the strongest.
    pub oriented: bool,
}

impl Default for HalfDiscParams {
    fn default() -> Self {
        Self {
            scales: vec![DiscScale { cell: 2, radius: 3, weight: 1.0 }],
            orientations: 8,
            chroma: 2.0,
            spread: 0.0,
            smooth: false,
            oriented: false,
        }
    }
}

/// Image → map `contour`: the difference of the colors of two half-discs, at several radii, over the
/// directions of the diameter.
///
/// The oriented operator of Martin, Fowlkes and Malik (PAMI 2004) on means (and standard deviations)
/// instead of histograms: a disc holds the offsets with dx² + dy² ≤ r² + r, pixels within 0.4 of the
/// diameter are in neither half, and the strength is √Σ (Δmean² + spread² · Δdeviation²) over the
/// channels. Large discs are laid over the means of cells and enlarged bilinearly, so that the cost does
/// not grow with the radius. The frame reflects. Smoothing fits a parabola across the diameter inside an
/// ellipse one radius long (Arbeláez et al. 2011, section 3.1, there of the same form) and keeps what is
/// above 0.
///
/// # Shapes
/// One value per pixel, or one per orientation, as [`ContourSum`](segcut_core::ContourSum) reads them.
///
/// # Units
/// L·a·b over 100, a and b times `chroma`: a step from black to white is 1. Channels of multi-band images
/// count as L.
///
/// # Cost
/// O(H·W·orientations·radius / cell²) additions per channel and scale.
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
    params: HalfDiscParams,
    /// One for each scale.
    discs: Vec<HalfDiscs>,
}

impl HalfDisc {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: HalfDiscParams) -> Result<Self, StageError> {
        let refused = |name, value: &dyn std::fmt::Display, must| Err(StageError::parameter(name, value, must));
        if !(1..=8).contains(&params.scales.len()) {
            return refused("half_disc.scales", &params.scales.len(), "from 1 to 8 of them");
        }
        for scale in &params.scales {
            if !(scale.cell.is_power_of_two() && scale.cell <= 16) {
                return refused("half_disc.scales.cell", &scale.cell, "1, 2, 4, 8 or 16 pixels");
            }
            if !(1..=20).contains(&scale.radius) {
                return refused("half_disc.scales.radius", &scale.radius, "from 1 to 20 cells");
            }
            if !(0.0..=1000.0).contains(&scale.weight) {
                return refused("half_disc.scales.weight", &scale.weight, "from 0 to 1000");
            }
        }
        if !(2..=64).contains(&params.orientations) {
            return refused("half_disc.orientations", &params.orientations, "from 2 to 64");
        }
        for (name, value) in [("half_disc.chroma", params.chroma), ("half_disc.spread", params.spread)] {
            if !(0.0..=100.0).contains(&value) {
                return refused(name, &value, "from 0 to 100");
            }
        }
        let disc = |scale: &DiscScale| HalfDiscs::new(scale.radius, params.orientations, params.spread, params.smooth);
        let discs = params.scales.iter().map(disc).collect();
        Ok(Self { params, discs })
    }
}

impl FeatureExtractor for HalfDisc {
    /// # Errors
    /// A strength that is not finite (f32 samples far beyond 1), inside a [`StageError::Data`].
    fn extract<'a>(&self, images: &'a [Image], _: &Context) -> Result<Vec<Features<'a>>, StageError> {
        let one = |image: &'a Image| {
            let rows = HalfDiscRows { image, disc: self.clone() };
            let dims = if self.params.oriented { self.params.orientations } else { 1 };
            Ok(Features { maps: vec![row_map("contour", image, dims, rows)?], attention: None })
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
        if rows.is_empty() {
            return;
        }
        let width = self.image.width();
        let params = &self.disc.params;
        let size = rows.len() * width;
        let mut planes = vec![0.0; params.orientations * size];
        let mut level = self.finest(&rows);
        let mut cell = 1;
        let coarsest = params.scales.iter().map(|scale| scale.cell).max().unwrap_or(1);
        loop {
            for (scale, disc) in params.scales.iter().zip(&self.disc.discs).filter(|(scale, _)| scale.cell == cell) {
                let cells = cell_rows(&rows, cell, level.shape.height);
                let strength = disc.strengths(&DiscLevel::new(&level, disc.radius()), cells.clone());
                let Planes { values, width: columns, .. } = strength;
                for (plane, values) in planes.chunks_exact_mut(size).zip(values.chunks_exact(cells.len() * columns)) {
                    let coarse = Coarse { values, rows: cells.clone(), width: columns, step: cell };
                    coarse.add_enlarged(rows.start, width, scale.weight, plane);
                }
            }
            if cell == coarsest {
                break;
            }
            level = level.halved();
            cell *= 2;
        }
        match params.oriented {
            true => interleave(&planes, size, out),
            false => strongest(&planes, size, out),
        }
    }
}

/// Planes one after the other → all values of a pixel side by side.
fn interleave(planes: &[f32], size: usize, out: &mut [f32]) {
    let count = planes.len() / size;
    for (plane, values) in planes.chunks_exact(size).enumerate() {
        for (cell, &value) in out.chunks_exact_mut(count).zip(values) {
            cell[plane] = value;
        }
    }
}

fn strongest(planes: &[f32], size: usize, out: &mut [f32]) {
    out.fill(0.0);
    for values in planes.chunks_exact(size) {
        out.iter_mut().zip(values).for_each(|(out, &value)| *out = out.max(value));
    }
}

impl HalfDiscRows<'_> {
    /// The pixels that all scales need for `rows`, from a row that every scale's cells start at.
    fn finest(&self, rows: &Range<usize>) -> Level {
        let (height, params) = (self.image.height(), &self.disc.params);
        let needed = params.scales.iter().zip(&self.disc.discs).map(|(scale, disc)| {
            let all = height.div_ceil(scale.cell);
            let halo = disc.halo(&cell_rows(rows, scale.cell, all), all);
            (halo.start * scale.cell, halo.end * scale.cell)
        });
        let (start, end) = needed.fold((rows.start, rows.end), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        let unit = params.scales.iter().map(|scale| scale.cell).max().unwrap_or(1);
        let span = start / unit * unit..end.next_multiple_of(unit).min(height);
        let colors = ColorRows::new(self.image, ColorKind::Lab);
        let shape = RowShape { height, width: self.image.width(), channels: colors.dims() };
        let mut values = vec![0.0; span.len() * shape.width * shape.channels];
        colors.fill(span.clone(), &mut values);
        let chroma = if self.image.space() == ColorSpace::Multiband { 0.01 } else { 0.01 * params.chroma };
        for pixel in values.chunks_exact_mut(shape.channels) {
            pixel[0] *= 0.01;
            pixel[1..].iter_mut().for_each(|value| *value *= chroma);
        }
        Level { shape, rows: span, values }
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

    fn everything() -> HalfDiscParams {
        let scale = |cell, radius| DiscScale { cell, radius, weight: 0.5 };
        HalfDiscParams {
            scales: vec![scale(1, 3), scale(2, 2), scale(4, 5)],
            spread: 1.0,
            smooth: true,
            oriented: true,
            orientations: 4,
            ..HalfDiscParams::default()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn rows_do_not_depend_on_the_cut(
            (height, width, channels) in (1usize..60, 1usize..20, 1usize..5), cut in 0usize..60, all in any::<bool>(),
        ) {
            let image = image(height, width, channels);
            let params = if all { everything() } else { HalfDiscParams::default() };
            let dims = if params.oriented { params.orientations } else { 1 };
            let source = HalfDiscRows { image: &image, disc: HalfDisc::new(params).unwrap() };
            let cut = cut % (height + 1);
            let mut whole = vec![0.0; height * width * dims];
            source.fill(0..height, &mut whole);
            let mut parts = vec![9.0; height * width * dims];
            let (top, bottom) = parts.split_at_mut(cut * width * dims);
            source.fill(0..cut, top);
            source.fill(cut..height, bottom);
            prop_assert_eq!(whole, parts);
        }
    }

    #[test]
    fn the_direction_of_a_step_is_the_strongest() {
        let samples = (0..32 * 32).map(|i| if i % 32 < 16 { 0 } else { 255 }).collect();
        let image = Image::new(32, 32, ColorSpace::Gray, Samples::U8(samples)).unwrap();
        let params = HalfDiscParams { oriented: true, smooth: true, ..HalfDiscParams::default() };
        let disc = HalfDisc::new(params).unwrap();
        let features = disc.extract(std::slice::from_ref(&image), &Context::default()).unwrap();
        let map = &features[0].maps[0];
        let here = &map.held_values().unwrap()[(16 * 32 + 16) * 8..][..8];
        assert!(here.iter().enumerate().all(|(o, &v)| o == 4 || v < here[4]), "{here:?}");
    }

    #[test]
    fn an_image_of_one_color_has_no_contour() {
        let image = Image::new(9, 30, ColorSpace::Srgb, Samples::U8([7, 90, 200].repeat(270))).unwrap();
        let disc = HalfDisc::new(everything()).unwrap();
        let features = disc.extract(std::slice::from_ref(&image), &Context::default()).unwrap();
        assert!(features[0].maps[0].held_values().unwrap().iter().all(|v| v.abs() < 1e-3));
    }

    #[test]
    fn bad_parameters_are_named() {
        let refused = |params| HalfDisc::new(params).unwrap_err().to_string();
        let base = HalfDiscParams::default;
        let scale = |cell, radius, weight| vec![DiscScale { cell, radius, weight }];
        let of = |scales| refused(HalfDiscParams { scales, ..base() });
        assert!(of(vec![]).starts_with("half_disc.scales = 0"));
        assert!(of(scale(3, 5, 1.0)).starts_with("half_disc.scales.cell = 3"));
        assert!(of(scale(1, 0, 1.0)).starts_with("half_disc.scales.radius = 0"));
        assert!(of(scale(1, 5, f32::NAN)).starts_with("half_disc.scales.weight = NaN"));
        assert!(refused(HalfDiscParams { orientations: 1, ..base() }).starts_with("half_disc.orientations = 1"));
        assert!(refused(HalfDiscParams { spread: -1.0, ..base() }).starts_with("half_disc.spread = -1"));
    }
}
