//! Colors → the palettes of colors and of their local variances, on a coarse grid.

use super::filter_energy::{ENERGIES, filter_energies};
use super::principal_axes::PrincipalAxes;
use super::working_image::WorkingImage;
use crate::eigen::EigenError;
use segcut_core::{Codes, FeatureMap, FeatureMapError, Grid, StageError};
use segcut_pixel::{Lloyd, centres, reflect};

/// Ranges of a feature below this are noise: no color differs by more than half a step of L.
const FLAT: f32 = 0.005;

/// The same for the fourth root of variances.
const FLAT_VARIANCE: f32 = 0.03;

/// The same for the roots of filter energies.
const FLAT_ENERGY: f32 = 0.05;

/// By how much the kernel over energies is wider than those over the other features.
const ENERGY_WIDTH: f32 = 5.0 / 3.0;

/// How palettes are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct PaletteSize {
    /// Rows and columns.
    pub(super) cells: [usize; 2],
    pub(super) colors: usize,
    pub(super) seed: u64,
    /// Whether filter energies are one of the features.
    pub(super) energies: bool,
}

/// The palettes of the features that vary at all.
///
/// Isola et al. 2014, section 3.3: color, and the variance of color; here the mean of L, a, b over each cell, and of
/// the fourth root of the variance of each principal axis of the colors within 17 pixels. Both are turned onto
/// their own principal axes and divided by the largest range there.
pub(super) fn palettes(image: &WorkingImage, size: PaletteSize) -> Result<Vec<FeatureMap<'static>>, StageError> {
    let channels = image.shape.channels;
    let mut colors = image.values.clone();
    for pixel in colors.chunks_exact_mut(channels) {
        pixel[1..].iter_mut().for_each(|value| *value *= image.chroma);
    }
    let colors = PrincipalAxes::new(&colors, channels, channels)?.project(&colors);
    let variance = roots_of_variance(image, &colors);
    let mut maps = Vec::new();
    for (name, values, flat) in [("palette", colors, FLAT), ("palette_variance", variance, FLAT_VARIANCE)] {
        let mut cells = image.area_means(&values, size.cells);
        if spread_out(&mut cells, channels, flat)? {
            maps.push(palette(name, &cells, channels, size).map_err(StageError::data)?);
        }
    }
    if size.energies {
        let mut cells = filter_energies(image, size.cells).map_err(StageError::data)?;
        cells = PrincipalAxes::new(&cells, ENERGIES, 3)?.project(&cells);
        if spread_out(&mut cells, 3, FLAT_ENERGY)? {
            cells.iter_mut().for_each(|value| *value /= ENERGY_WIDTH);
            maps.push(palette("palette_energy", &cells, 3, size).map_err(StageError::data)?);
        }
    }
    Ok(maps)
}

/// Turns cells onto their principal axes and divides them by the range of all coordinates; whether it is above `flat`.
fn spread_out(cells: &mut Vec<f32>, channels: usize, flat: f32) -> Result<bool, EigenError> {
    *cells = PrincipalAxes::new(cells, channels, channels)?.project(cells);
    let (low, high) = cells.iter().fold((0.0f32, 0.0f32), |(low, high), &value| (low.min(value), high.max(value)));
    let range = high - low;
    cells.iter_mut().for_each(|value| *value /= range.max(flat));
    Ok(range > flat)
}

fn palette(
    name: &str,
    cells: &[f32],
    channels: usize,
    size: PaletteSize,
) -> Result<FeatureMap<'static>, FeatureMapError> {
    let centres = centres(cells, channels, &Lloyd { k: size.colors, sample: 6000, steps: 8 }, size.seed);
    let mut codes = vec![0; cells.len() / channels];
    centres.nearest(cells, &mut codes);
    let values = codes.into_iter().map(|code| code as f32).collect();
    let map = FeatureMap::held(name, Grid::pixels(size.cells[0], size.cells[1]), 1, values)?;
    Ok(match Codes::palette(centres.rows()) {
        Some(codes) => map.with_codes(codes),
        None => map,
    })
}

/// The fourth root of each channel's variance within the ellipse of 5×5 pixels: 3 rows of 5 and the 2 pixels
/// above and below. The frame reflects.
fn roots_of_variance(image: &WorkingImage, colors: &[f32]) -> Vec<f32> {
    let (height, channels) = (image.shape.height, image.shape.channels);
    let row = image.shape.width * channels;
    let mut out = vec![0.0; colors.len()];
    let [mut near, mut far, mut near_squares, mut far_squares] = [0; 4].map(|_| vec![0.0; row + 4 * channels]);
    for (y, out) in out.chunks_exact_mut(row).enumerate() {
        let line = |dy: isize| &colors[reflect(y as isize + dy, height) * row..][..row];
        let inner = 2 * channels..2 * channels + row;
        sum_rows([line(-1), line(0), line(1)], &mut near[inner.clone()], &mut near_squares[inner.clone()]);
        sum_rows([line(-2), line(2)], &mut far[inner.clone()], &mut far_squares[inner]);
        pad(&mut near, channels);
        pad(&mut near_squares, channels);
        let share = 1.0 / 17.0;
        for (i, out) in out.iter_mut().enumerate() {
            let centre = i + 2 * channels;
            let over = |near: &[f32], far: &[f32]| {
                let across = |k: usize| near[i + k * channels];
                share * ((across(0) + across(1)) + (across(3) + across(4)) + (across(2) + far[centre]))
            };
            let mean = over(&near, &far);
            *out = (over(&near_squares, &far_squares) - mean * mean).max(0.0).sqrt().sqrt();
        }
    }
    out
}

fn sum_rows<const N: usize>(rows: [&[f32]; N], sums: &mut [f32], squares: &mut [f32]) {
    sums.fill(0.0);
    squares.fill(0.0);
    for row in rows {
        for ((sum, square), value) in sums.iter_mut().zip(squares.iter_mut()).zip(row) {
            *sum += value;
            *square += value * value;
        }
    }
}

/// Reflects two pixels beyond each end.
fn pad(row: &mut [f32], channels: usize) {
    let width = row.len() / channels - 4;
    for x in [0, 1, width + 2, width + 3] {
        let from = reflect(x as isize - 2, width) + 2;
        for c in 0..channels {
            row[x * channels + c] = row[from * channels + c];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{ColorSpace, Image, Samples};

    fn image(samples: Vec<f32>, width: usize) -> WorkingImage {
        let image = Image::new(samples.len() / width, width, ColorSpace::Multiband, Samples::F32(samples)).unwrap();
        WorkingImage::new(&image, 999).unwrap()
    }

    #[test]
    fn variances_are_those_of_seventeen_pixels() {
        let (height, width) = (7usize, 6usize);
        let image = image((0..42).map(|i| ((i * i) % 13) as f32 / 13.0).collect(), width);
        let found = roots_of_variance(&image, &image.values);
        for (i, found) in found.iter().enumerate() {
            let near = |dy: isize, dx: isize| dy.abs() < 2 || (dy.abs() == 2 && dx == 0);
            let offsets = (-2..=2).flat_map(|dy| (-2..=2).map(move |dx| (dy, dx))).filter(|&(dy, dx)| near(dy, dx));
            let at = |(dy, dx): (isize, isize)| {
                image.values
                    [reflect((i / width) as isize + dy, height) * width + reflect((i % width) as isize + dx, width)]
            };
            let values: Vec<f32> = offsets.map(at).collect();
            let mean = values.iter().sum::<f32>() / 17.0;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 17.0;
            assert!((found.powi(4) - variance).abs() < 1e-5);
        }
    }

    #[test]
    fn two_colors_are_two_codes_and_a_constant_is_no_evidence() {
        let size = PaletteSize { cells: [4, 4], colors: 64, seed: 0, energies: false };
        let halves = image((0..256).map(|i| if i % 16 < 8 { 0.1 } else { 0.7 }).collect(), 16);
        let maps = palettes(&halves, size).unwrap();
        let codes = maps[0].held_values().unwrap();
        assert_eq!(maps[0].name(), "palette");
        assert!(codes[0] == codes[1] && codes[1] != codes[2] && codes[2] == codes[15]);
        assert!(palettes(&image(vec![0.4; 256], 16), size).unwrap().is_empty());
    }

    #[test]
    fn energies_tell_stripes_of_two_directions_apart() {
        let stripe = |i: usize| if i % 64 < 32 { i / 64 / 3 } else { i % 64 / 3 };
        let image = image((0..48 * 64).map(|i| 0.3 + 0.3 * (stripe(i) % 2) as f32).collect(), 64);
        let size = PaletteSize { cells: [12, 16], colors: 64, seed: 0, energies: true };
        let maps = palettes(&image, size).unwrap();
        assert_eq!(maps.last().unwrap().name(), "palette_energy");
        let codes = maps.last().unwrap().held_values().unwrap();
        let half = |columns: std::ops::Range<usize>| {
            let cells = (0..12 * 16).filter(move |cell| columns.contains(&(cell % 16)));
            cells.map(|cell| codes[cell]).collect::<Vec<f32>>()
        };
        let right = half(10..16);
        assert!(half(0..6).iter().all(|code| !right.contains(code)));
    }
}
