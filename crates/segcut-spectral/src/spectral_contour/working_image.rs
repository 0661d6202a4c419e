//! Image → colors at a bounded size, with nothing missing.

use super::principal_axes::PrincipalAxes;
use crate::eigen::EigenError;
use segcut_core::{ColorSpace, Image};
use segcut_pixel::{AreaMean, RowShape, lab_rows, scaled_rows};

/// Most values that the covariance of many bands is made of: bands² × pixels.
const COVARIANCE: usize = 1 << 28;

/// Colors that no cell of the image lacks: L/100, a/100, b/100; L/100 alone for gray; for multi-band images
/// the bands, or their first three principal axes.
#[derive(Debug)]
pub(super) struct WorkingImage {
    pub(super) shape: RowShape,
    /// Row-major, channels interleaved.
    pub(super) values: Vec<f32>,
    /// What the channels beyond the first are multiplied by where colors are compared.
    pub(super) chroma: f32,
}

impl WorkingImage {
    /// The image, reduced by area means where its longer side is above `side`.
    ///
    /// Pixels outside the valid mask take the colors of the valid ones near them, so that no contour runs along
    /// the mask.
    pub(super) fn new(image: &Image, side: usize) -> Result<Self, EigenError> {
        let source = Source::new(image)?;
        let (height, width) = (image.height(), image.width());
        let [rows, columns] = reduced([height, width], side);
        let channels = source.channels();
        let mut values = AreaMean::new(RowShape { height, width, channels }, [rows, columns]);
        let mut known = AreaMean::new(RowShape { height, width, channels: 1 }, [rows, columns]);
        let (mut raw, mut row) = (Vec::new(), Vec::new());
        for y in 0..height {
            source.row(y, &mut raw, &mut row);
            if let Some(mask) = image.valid() {
                let valid: Vec<f32> =
                    mask.bits()[y * width..][..width].iter().map(|&v| f32::from(u8::from(v))).collect();
                row.chunks_exact_mut(channels)
                    .zip(&valid)
                    .for_each(|(pixel, v)| pixel.iter_mut().for_each(|p| *p *= v));
                known.add_row(&valid);
            }
            values.add_row(&row);
        }
        let mut values = values.finish();
        if image.valid().is_some() {
            fill_holes(&mut values, &mut known.finish(), [rows, columns]);
        }
        let chroma = if image.space() == ColorSpace::Srgb { 100.0 / 255.0 } else { 1.0 };
        Ok(Self { shape: RowShape { height: rows, width: columns, channels }, values, chroma })
    }

    /// Means over the cells of a coarser grid.
    pub(super) fn area_means(&self, values: &[f32], cells: [usize; 2]) -> Vec<f32> {
        let mut mean = AreaMean::new(self.shape, cells);
        values.chunks_exact(self.shape.width * self.shape.channels).for_each(|row| mean.add_row(row));
        mean.finish()
    }
}

/// Rows and columns at which the longer side is at most `side`.
pub(super) fn reduced(size: [usize; 2], side: usize) -> [usize; 2] {
    let longer = size[0].max(size[1]);
    size.map(|s| if longer <= side { s } else { (s * side).div_ceil(longer) })
}

struct Source<'a> {
    image: &'a Image,
    axes: Option<PrincipalAxes>,
}

impl<'a> Source<'a> {
    fn new(image: &'a Image) -> Result<Self, EigenError> {
        let bands = image.channels();
        let axes = match image.space() {
            ColorSpace::Multiband if bands > 3 => Some(PrincipalAxes::new(&sample(image), bands, 3)?),
            _ => None,
        };
        Ok(Self { image, axes })
    }

    fn channels(&self) -> usize {
        self.axes.as_ref().map_or(self.image.channels(), PrincipalAxes::dims)
    }

    /// Writes the colors of one row; `raw` is scratch.
    fn row(&self, y: usize, raw: &mut Vec<f32>, out: &mut Vec<f32>) {
        let (width, bands) = (self.image.width(), self.image.channels());
        raw.resize(width * bands.max(3), 0.0);
        out.clear();
        if self.image.space() != ColorSpace::Multiband && lab_rows(self.image, y..y + 1, &mut raw[..3 * width]).is_ok()
        {
            let channels = self.channels();
            out.extend(raw[..3 * width].chunks_exact(3).flat_map(|lab| lab[..channels].iter().map(|v| v * 0.01)));
            return;
        }
        let raw = &mut raw[..width * bands];
        scaled_rows(self.image, y..y + 1, raw);
        match &self.axes {
            Some(axes) => *out = axes.project(raw),
            None => out.extend_from_slice(raw),
        }
    }
}

/// The bands of valid pixels on a coarse grid: enough of them for a covariance.
fn sample(image: &Image) -> Vec<f32> {
    let (width, bands) = (image.width(), image.channels());
    let wanted = (COVARIANCE / (bands * bands)).clamp(256, 1 << 14);
    let step = (image.pixels() / wanted).isqrt().max(1);
    let mut row = vec![0.0; width * bands];
    let mut values = Vec::new();
    for y in (0..image.height()).step_by(step.min(image.height())) {
        scaled_rows(image, y..y + 1, &mut row);
        let valid = |x: &usize| image.valid().is_none_or(|mask| mask.bits()[y * width + x]);
        for x in (0..width).step_by(step.min(width)).filter(valid) {
            values.extend_from_slice(&row[x * bands..(x + 1) * bands]);
        }
    }
    values
}

/// Values that are sums over the known share of each cell → means; cells of which nothing is known take the value
/// of the 2×2, 4×4 … cells around them (the pull and push of Gortler et al. 1996, without interpolation).
fn fill_holes(values: &mut [f32], known: &mut [f32], [rows, columns]: [usize; 2]) {
    let channels = values.len() / known.len().max(1);
    for (cell, share) in values.chunks_exact_mut(channels).zip(known.iter_mut()) {
        let inverse = if *share > 0.0 { 1.0 / *share } else { 0.0 };
        cell.iter_mut().for_each(|value| *value *= inverse);
        *share = f32::from(u8::from(*share > 0.0));
    }
    if rows * columns <= 1 || known.iter().all(|&share| share > 0.0) {
        return;
    }
    let half = [rows.div_ceil(2), columns.div_ceil(2)];
    let parent = |cell: usize| cell / columns / 2 * half[1] + cell % columns / 2;
    let mut means = vec![0.0; half[0] * half[1] * channels];
    let mut counts = vec![0.0; half[0] * half[1]];
    for (cell, _) in known.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        counts[parent(cell)] += 1.0;
        for c in 0..channels {
            means[parent(cell) * channels + c] += values[cell * channels + c];
        }
    }
    fill_holes(&mut means, &mut counts, half);
    for (cell, _) in known.iter().enumerate().filter(|(_, share)| **share == 0.0) {
        let from = &means[parent(cell) * channels..][..channels];
        values[cell * channels..][..channels].copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{Mask, Samples};

    #[test]
    fn holes_take_the_colors_around_them() {
        let mut values = vec![4.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 9.0];
        fill_holes(&mut values, &mut [1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 1.0], [1, 8]);
        assert_eq!(values, [4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 9.0, 9.0]);
    }

    #[test]
    fn invisible_colors_do_not_matter() {
        let image = |outside: u8| {
            let samples = (0..64).map(|i| if i % 8 < 5 { 90 + i / 8 } else { outside }).collect();
            let mask = Mask::new(8, 8, (0..64).map(|i| i % 8 < 5).collect()).unwrap();
            Image::with_mask(8, 8, ColorSpace::Gray, Samples::U8(samples), Some(mask)).unwrap()
        };
        for side in [3, 8] {
            let [a, b] = [0, 255].map(|outside| WorkingImage::new(&image(outside), side).unwrap().values);
            assert_eq!(a, b);
            assert!(a.iter().all(|v| (0.3..0.5).contains(v)));
        }
    }

    #[test]
    fn sizes_are_bounded_and_keep_every_row() {
        assert_eq!(reduced([321, 481], 484), [321, 481]);
        assert_eq!(reduced([4096, 4096], 484), [484, 484]);
        assert_eq!(reduced([1, 100_000], 484), [1, 484]);
        let samples = (0..7 * 30).map(|i| (i * i % 97) as u8).collect();
        let bands = Image::new(5, 6, ColorSpace::Multiband, Samples::U8(samples)).unwrap();
        assert_eq!(WorkingImage::new(&bands, 4).unwrap().shape, RowShape { height: 4, width: 4, channels: 3 });
    }
}
