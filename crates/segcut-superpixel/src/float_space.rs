//! Any number of f32 channels.

use crate::engine::{Band, Centres, HEAD, Id, Layout, Space};
use crate::params::Distance;
use multiversion::multiversion;
use rayon::prelude::*;
use segcut_core::{ColorSpace, Image, Samples, StageError};
use segcut_pixel::{Gaussian, LAB8_SCALE, RowShape};
use std::ops::Range;

/// Whole numbers per channel's largest absolute value, in sums.
const RESOLUTION: f64 = (1u64 << 24) as f64;

/// Channels that are computed at once.
const WIDEST: usize = 256;

/// Planes of f32 with the weight of position.
pub(crate) struct FloatSpace {
    layout: Layout,
    /// One padded plane per channel.
    planes: Vec<Vec<f32>>,
    units: Vec<f64>,
    /// Weight of a row's and a column's distance, in units of the channels.
    weight: [f32; 2],
    distance: Distance,
}

/// Padded planes, one per channel.
#[derive(Debug)]
pub(crate) struct Planes {
    pub(crate) layout: Layout,
    pub(crate) values: Vec<Vec<f32>>,
}

/// How an image becomes planes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaneParams {
    pub(crate) sigma: f64,
    pub(crate) stretch: bool,
    pub(crate) distance: Distance,
}

/// Rows that are converted at once.
const ROWS: usize = 32;

/// An image in the units of a distance: stretched and blurred where asked, then Lab (Manhattan: as the
/// 8-bit form weighs its steps), or for multi-band images channels of 0 … 100.
pub(crate) fn planes(image: &Image, params: PlaneParams) -> Result<Planes, StageError> {
    let layout = Layout::new(image.height(), image.width());
    let color = image.space() != ColorSpace::Multiband;
    let channels = if color { 3 } else { image.channels() };
    let mut values = vec![vec![0f32; layout.height * layout.stride]; channels];
    let source = Source::new(image, params, channels)?;
    let bands: Vec<Range<usize>> = (0..layout.height).step_by(ROWS).map(|y| y..(y + ROWS).min(layout.height)).collect();
    let scale = |c: usize| match (color, params.distance) {
        (true, Distance::Manhattan) => LAB8_SCALE[c] * if c == 0 { 1.0 } else { 2.0 },
        (true, Distance::Euclidean) => 1.0,
        (false, _) => 100.0,
    };
    // A few bands at a time, so that no interleaved copy of the image is held.
    for group in bands.chunks(rayon::current_num_threads().max(1)) {
        let rows: Result<Vec<Vec<f32>>, StageError> =
            group.par_iter().map(|band| source.blurred(band.clone())).collect();
        for (band, rows) in group.iter().zip(rows?) {
            for (y, row) in band.clone().zip(rows.chunks_exact(layout.width * channels)) {
                for (c, plane) in values.iter_mut().enumerate() {
                    let out = &mut plane[y * layout.stride..][..layout.width];
                    out.iter_mut().zip(row[c..].iter().step_by(channels)).for_each(|(o, v)| *o = v * scale(c));
                }
            }
        }
    }
    Ok(Planes { layout, values })
}

/// Rows of an image: stretched, in Lab, blurred (in this order, which is scikit-image's).
struct Source<'a> {
    image: &'a Image,
    blur: Gaussian,
    channels: usize,
    /// The smallest scaled sample and one over the span.
    stretch: Option<(f32, f32)>,
}

impl<'a> Source<'a> {
    fn new(image: &'a Image, params: PlaneParams, channels: usize) -> Result<Self, StageError> {
        let blur = Gaussian::new(params.sigma).map_err(StageError::data)?;
        // An image that fills its range is as it would be after stretching.
        let stretch = params.stretch.then(|| stretch_of(image)).filter(|&span| span != (0.0, 1.0));
        Ok(Self { image, blur, channels, stretch })
    }

    fn blurred(&self, rows: Range<usize>) -> Result<Vec<f32>, StageError> {
        let (height, width, channels) = (self.image.height(), self.image.width(), self.channels);
        let shape = RowShape { height, width, channels };
        let mut out = vec![0.0; rows.len() * width * channels];
        if self.blur.radius() == 0 {
            self.colors(rows, &mut out)?;
            return Ok(out);
        }
        let mut read = Ok(());
        self.blur.rows(shape, rows, |rows, buffer| read = self.colors(rows, buffer), &mut out);
        read.map(|()| out)
    }

    fn colors(&self, rows: Range<usize>, out: &mut [f32]) -> Result<(), StageError> {
        let image = self.image;
        let is_color = image.space() != ColorSpace::Multiband;
        let Some((low, gain)) = self.stretch else {
            if is_color {
                return segcut_pixel::lab_rows(image, rows, out).map_err(StageError::data);
            }
            segcut_pixel::scaled_rows(image, rows, out);
            return Ok(());
        };
        let mut scaled = vec![0.0; rows.len() * image.width() * image.channels()];
        segcut_pixel::scaled_rows(image, rows.clone(), &mut scaled);
        scaled.iter_mut().for_each(|v| *v = ((*v - low) * gain).max(0.0));
        if !is_color {
            out.copy_from_slice(&scaled);
            return Ok(());
        }
        let band = Image::new(rows.len(), image.width(), image.space(), Samples::F32(scaled));
        segcut_pixel::lab_rows(&band.map_err(StageError::data)?, 0..rows.len(), out).map_err(StageError::data)
    }
}

/// The smallest scaled sample of the valid pixels and one over the span of all.
fn stretch_of(image: &Image) -> (f32, f32) {
    let mut row = vec![0.0; image.width() * image.channels()];
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for y in 0..image.height() {
        segcut_pixel::scaled_rows(image, y..y + 1, &mut row);
        for (x, pixel) in row.chunks_exact(image.channels()).enumerate() {
            let valid = image.valid().is_none_or(|mask| mask.bits()[y * image.width() + x]);
            for &v in pixel.iter().filter(|_| valid) {
                (low, high) = (low.min(v), high.max(v));
            }
        }
    }
    (low, if high > low { 1.0 / (high - low) } else { 1.0 })
}

impl FloatSpace {
    /// `weight` is the penalty of one row and one column, in the units of the planes.
    pub(crate) fn new(planes: Planes, weight: [f64; 2], distance: Distance) -> Self {
        let Planes { layout, values } = planes;
        let largest = |plane: &Vec<f32>| plane.iter().fold(0f32, |m, v| m.max(v.abs()));
        let units = values.iter().map(|p| RESOLUTION / f64::from(largest(p).max(f32::MIN_POSITIVE))).collect();
        Self { layout, planes: values, units, weight: weight.map(|w| w as f32), distance }
    }
}

/// The nearest whole number of a value that is not below −[`RESOLUTION`]: truncation of a positive number, which
/// is one instruction on every processor.
fn rounded(value: f64) -> i64 {
    (value + (RESOLUTION + 0.5)) as i64 - RESOLUTION as i64
}

impl Space for FloatSpace {
    type Distance = f32;
    const FAR: f32 = f32::INFINITY;

    fn layout(&self) -> Layout {
        self.layout
    }

    fn channels(&self) -> usize {
        self.planes.len()
    }

    fn sum<L: Id>(&self, band: &Band<'_, f32, L>, sums: &mut [i64]) {
        let record = HEAD + self.planes.len();
        let Layout { width, stride, .. } = self.layout;
        for y in band.rows.clone() {
            let labels = &band.labels[(y - band.first) * stride..][..width];
            let mut start = 0;
            for run in labels.chunk_by(|a, b| a == b) {
                let (n, end) = (run.len(), start + run.len());
                if run[0] != L::NONE {
                    let sums = &mut sums[run[0].index() * record..][..record];
                    sums[0] += n as i64;
                    sums[1] += (n * y) as i64;
                    sums[2] += ((start + end - 1) * n / 2) as i64;
                    self.add(y * stride + start..y * stride + end, &mut sums[HEAD..]);
                }
                start = end;
            }
        }
    }

    fn spread<L: Id>(&self, centres: &Centres, band: &Band<'_, f32, L>, largest: &mut [f32]) {
        let Layout { width, stride, .. } = self.layout;
        let channels = self.planes.len();
        for y in band.rows.clone() {
            let labels = &band.labels[(y - band.first) * stride..][..width];
            for (x, k) in labels.iter().enumerate().filter(|(_, l)| **l != L::NONE).map(|(x, l)| (x, l.index())) {
                let pairs = self.planes.iter().zip(&centres.color[k * channels..]);
                let steps = pairs.map(|(plane, c)| plane[y * stride + x] - c);
                let distance: f32 = match self.distance {
                    Distance::Manhattan => steps.map(f32::abs).sum(),
                    Distance::Euclidean => steps.map(|d| d * d).sum(),
                };
                largest[k] = largest[k].max(distance);
            }
        }
    }

    fn add(&self, span: Range<usize>, sums: &mut [i64]) {
        for ((plane, unit), sum) in self.planes.iter().zip(&self.units).zip(sums) {
            *sum += plane[span.clone()].iter().map(|&v| rounded(f64::from(v) * unit)).sum::<i64>();
        }
    }

    fn units(&self, channel: usize) -> f64 {
        self.units[channel]
    }

    fn weight(&self, _channel: usize) -> f32 {
        1.0
    }

    fn assign<L: Id>(&self, centres: &Centres, active: &[u32], band: &mut Band<'_, f32, L>) {
        match self.distance {
            Distance::Manhattan => assign(self, centres, active, band, f32::abs),
            Distance::Euclidean => assign(self, centres, active, band, |d| d * d),
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn assign<L: Id>(
    space: &FloatSpace,
    centres: &Centres,
    active: &[u32],
    band: &mut Band<'_, f32, L>,
    measure: impl Fn(f32) -> f32 + Copy,
) {
    let Layout { height, width, stride } = space.layout;
    let channels = space.planes.len();
    for &k in active {
        let k = k as usize;
        let color = &centres.color[k * channels..][..channels];
        let scale = centres.scale.get(k).copied().unwrap_or(1.0);
        let (rows, columns, [cy, cx]) = (centres.rows(k, height), centres.columns(k, width), centres.at[k]);
        for y in band.rows.clone().filter(|y| rows.contains(y)) {
            let row = measure((y as f32 - cy) * space.weight[0]);
            for start in columns.clone().step_by(WIDEST) {
                let n = WIDEST.min(columns.end - start);
                let mut d = [0f32; WIDEST];
                for (plane, &c) in space.planes.iter().zip(color) {
                    let values = &plane[y * stride + start..][..n];
                    d[..n].iter_mut().zip(values).for_each(|(d, v)| *d += measure(v - c));
                }
                for (i, d) in d[..n].iter_mut().enumerate() {
                    *d = *d * scale + row + measure(((start + i) as f32 - cx) * space.weight[1]);
                }
                let here = (y - band.first) * stride + start;
                let state = band.distance[here..][..n].iter_mut().zip(&mut band.labels[here..][..n]);
                for (d, (distance, label)) in d[..n].iter().zip(state) {
                    let closer = d < distance;
                    *distance = if closer { *d } else { *distance };
                    *label = if closer { L::new(k) } else { *label };
                }
            }
        }
    }
}
