//! Simple non-iterative clustering.

use crate::connectivity::{self, Limits};
use crate::engine::{Centres, Id, Layout};
use crate::float_space::{self, FloatSpace, PlaneParams, Planes};
use crate::means::Means;
use crate::params::{Distance, at_least_one, positive, sigma_in_range};
use crate::seeds::{self, Seeds};
use crate::slic::single_pixels;
use segcut_core::{Context, FeatureMaps, Image, LabelMap, Oversegmenter, StageError, Stop};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Settings of [`Snic`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnicParams {
    /// How many regions to make.
    pub n_segments: usize,
    /// The weight of position against Lab; higher is more compact.
    pub compactness: f64,
    /// Standard deviation of a Gaussian blur before all else, in pixels; 0: none.
    pub sigma: f64,
}

impl Default for SnicParams {
    fn default() -> Self {
        Self { n_segments: 400, compactness: 10.0, sigma: 0.0 }
    }
}

/// Image → superpixels that grow from their seeds, pixel by pixel, in the order of distance.
///
/// Achanta & Süsstrunk, "Superpixels and Polygons using Simple Non-Iterative Clustering", CVPR 2017. Pixels wait in
/// one queue; the one nearest to the mean of the region that offers it joins that region, which moves the mean. It
/// differs in the seeds (exactly as many as asked). Neighbours are the four of a pixel, so regions are 4-connected,
/// and there are as many as seeds; an island of the mask without a seed becomes a region of its own. The feature
/// maps are not read. Gray and sRGB images are clustered in Lab, multi-band images in channels of 0 … 100.
///
/// # Errors
/// None for a valid [`Image`].
///
/// # Determinism
/// Nothing is random; equal distances go by the pixel's, then by the region's number. One thread.
///
/// # Cost
/// A queue of up to four entries of 16 bytes per pixel; pixels · log(pixels).
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, Image, Oversegmenter, Samples};
/// use segcut_superpixel::{Snic, SnicParams};
/// let two_halves = (0..32 * 32).map(|i| if i % 32 < 16 { 30 } else { 200 }).collect();
/// let image = Image::new(32, 32, ColorSpace::Gray, Samples::U8(two_halves))?;
/// let snic = Snic::new(SnicParams { n_segments: 4, ..SnicParams::default() })?;
/// let map = snic.oversegment(&image, &[], &Context::default())?;
/// assert_eq!(map.n(), 4);
/// assert!(map.labels().chunks(32).all(|row| row[15] != row[16]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Snic {
    params: SnicParams,
}

impl Snic {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: SnicParams) -> Result<Self, StageError> {
        at_least_one("superpixels.n_segments", params.n_segments)?;
        positive("superpixels.compactness", params.compactness)?;
        sigma_in_range(params.sigma)?;
        Ok(Self { params })
    }
}

impl Oversegmenter for Snic {
    fn oversegment(&self, image: &Image, _maps: &FeatureMaps<'_>, context: &Context) -> Result<LabelMap, StageError> {
        let (n, valid) = (self.params.n_segments, image.valid().map_or(image.pixels(), |mask| mask.count()));
        if n >= valid {
            return single_pixels(image);
        }
        let size = [image.height(), image.width()];
        let seeds = seeds::within(seeds::even(size, seeds::on_frame(image, n)), size, image.valid());
        let params = PlaneParams { sigma: self.params.sigma, stretch: false, distance: Distance::Euclidean };
        let planes = float_space::planes(image, params)?;
        let weight = self.params.compactness.powi(2) * n as f64 / valid as f64;
        let mut growth = Growth::new(&planes, &seeds, weight as f32);
        let labels = growth.run(image, context);
        let centres = growth.centres();
        let means = Means::new(FloatSpace::new(planes, [0.0; 2], Distance::Euclidean), centres, false);
        let limits = Limits { height: size[0], width: size[1], smallest: 0, largest: usize::MAX };
        let (labels, n) = connectivity::enforce(labels, image.valid(), limits, &means);
        LabelMap::with_n(size[0], size[1], labels, n).map_err(StageError::data)
    }
}

/// Regions that grow.
struct Growth<'a> {
    planes: &'a Planes,
    /// Pixels of each region, and sums of rows, columns and channels.
    sums: Vec<f64>,
    record: usize,
    /// What a squared distance of pixels counts, in squared units of color.
    weight: f32,
    /// Squared distance, pixel and region.
    queue: BinaryHeap<Reverse<(u64, u32)>>,
}

impl<'a> Growth<'a> {
    fn new(planes: &'a Planes, seeds: &Seeds, weight: f32) -> Self {
        let record = 3 + planes.values.len();
        let Layout { height, width, .. } = planes.layout;
        let start = |(k, at): (usize, &[f64; 2])| Reverse((seeds::pixel(*at, [height, width]) as u64, k as u32));
        let queue = seeds.at.iter().enumerate().map(start).collect();
        Self { planes, sums: vec![0.0; record * seeds.at.len()], record, weight, queue }
    }

    fn run(&mut self, image: &Image, context: &Context) -> Vec<u32> {
        let Layout { height, width, .. } = self.planes.layout;
        let mut labels = vec![u32::NONE; height * width];
        let is_open =
            |labels: &[u32], at: usize| labels[at] == u32::NONE && image.valid().is_none_or(|mask| mask.bits()[at]);
        let mut taken = 0usize;
        while let Some(Reverse((key, k))) = self.queue.pop() {
            let at = key as u32 as usize;
            if !is_open(&labels, at) {
                continue;
            }
            taken += 1;
            if taken.is_multiple_of(1 << 16) && context.stopped() != Stop::No {
                break;
            }
            labels[at] = k;
            let (y, x) = (at / width, at % width);
            self.add(k, [y, x]);
            let near = [
                (y > 0).then(|| [y - 1, x]),
                (x > 0).then(|| [y, x - 1]),
                (x + 1 < width).then_some([y, x + 1]),
                (y + 1 < height).then_some([y + 1, x]),
            ];
            for [y, x] in near.into_iter().flatten().filter(|[y, x]| is_open(&labels, y * width + x)) {
                let distance = self.distance(k, [y, x]);
                self.queue.push(Reverse(((u64::from(distance.to_bits()) << 32) | (y * width + x) as u64, k)));
            }
        }
        labels
    }

    fn add(&mut self, k: u32, [y, x]: [usize; 2]) {
        let at = y * self.planes.layout.stride + x;
        let sums = &mut self.sums[k as usize * self.record..][..self.record];
        sums[0] += 1.0;
        sums[1] += y as f64;
        sums[2] += x as f64;
        sums[3..].iter_mut().zip(&self.planes.values).for_each(|(sum, plane)| *sum += f64::from(plane[at]));
    }

    /// Squared distance of a pixel from a region's mean, eq. 1 without the root.
    fn distance(&self, k: u32, [y, x]: [usize; 2]) -> f32 {
        let at = y * self.planes.layout.stride + x;
        let sums = &self.sums[k as usize * self.record..][..self.record];
        let share = 1.0 / sums[0];
        let square = |sum: f64, value: f64| (sum * share - value).powi(2) as f32;
        let color: f32 =
            sums[3..].iter().zip(&self.planes.values).map(|(sum, plane)| square(*sum, f64::from(plane[at]))).sum();
        color + self.weight * (square(sums[1], y as f64) + square(sums[2], x as f64))
    }

    fn centres(&self) -> Centres {
        let share = |sums: &[f64]| 1.0 / sums[0].max(1.0);
        let records = || self.sums.chunks_exact(self.record);
        let at = records().map(|s| [(s[1] * share(s)) as f32, (s[2] * share(s)) as f32]).collect();
        let color = records().flat_map(|s| s[3..].iter().map(move |v| (v * share(s)) as f32)).collect();
        Centres { at, color, scale: Vec::new(), reach: [0; 2] }
    }
}
