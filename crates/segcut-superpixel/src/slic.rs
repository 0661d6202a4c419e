//! Simple linear iterative clustering.

use crate::connectivity::{self, Limits};
use crate::engine::{self, Centres, Id, Layout, Rounds, Space};
use crate::feature_planes::feature_planes;
use crate::float_space::{self, FloatSpace};
use crate::gaussian8;
use crate::lab8_space::Lab8Space;
use crate::means::Means;
use crate::params::{Distance, Seeding, SlicFrom, SlicParams};
use crate::seeds::{self, Seeds};
use segcut_core::{ColorSpace, Context, FeatureMaps, Image, LabelMap, Oversegmenter, Samples, StageError, VOID};

/// Image → superpixels of similar color and size.
///
/// Achanta, Shaji, Smith, Lucchi, Fua & Süsstrunk, "SLIC Superpixels Compared to State-of-the-Art
/// Superpixel Methods", TPAMI 2012. It differs in the distance (Σ|Δ| by default, see [`Distance`]), in
/// the seeds (exactly as many as asked) and in the joining of small pieces (to the neighbour of the
/// most similar color, the smallest piece first).
///
/// 8-bit gray and sRGB images are clustered in 8-bit Lab with 16-bit distances, other gray and sRGB
/// images in f32 Lab, multi-band images in their channels scaled to 0 … 100; or the feature maps instead
/// ([`SlicFrom`]). As many segments as valid pixels, or more, make every pixel a region.
///
/// # Errors
/// None for a valid [`Image`].
///
/// # Determinism
/// The same bytes at any number of threads; nothing is random.
///
/// # Cost
/// Linear in the pixels, nearly whatever the number of segments. Working memory beside image and result: 3 bytes per
/// pixel in 8 bits, 4 per channel otherwise, and 4 (photographs) to 6 (noise) for labels and connected pieces.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Context, Image, Oversegmenter, Samples};
/// use segcut_superpixel::{Slic, SlicParams};
/// let two_halves = (0..32 * 32).map(|i| if i % 32 < 16 { 30 } else { 200 }).collect();
/// let image = Image::new(32, 32, ColorSpace::Gray, Samples::U8(two_halves))?;
/// let slic = Slic::new(SlicParams { n_segments: 4, ..SlicParams::default() })?;
/// let map = slic.oversegment(&image, &[], &Context::default())?;
/// assert_eq!(map.n(), 4);
/// assert!(map.labels().chunks(32).all(|row| row[15] != row[16]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Slic {
    params: SlicParams,
}

impl Slic {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`StageError::Parameter`].
    pub fn new(params: SlicParams) -> Result<Self, StageError> {
        params.check()?;
        Ok(Self { params })
    }

    /// Seeds, reach of a centre and penalty of one row and one column.
    fn start(&self, image: &Image) -> Start {
        let size = [image.height(), image.width()];
        let n = seeds::on_frame(image, self.params.n_segments);
        let (seeds, factor) = match self.params.seeding {
            Seeding::Even => (seeds::even(size, n), 1.0),
            Seeding::Lattice => (seeds::lattice(size, n), 2.0),
        };
        let step = seeds.step[0].max(seeds.step[1]);
        let reach = seeds.step.map(|s| (factor * s).ceil() as usize);
        let segment = image.pixels() as f64 / seeds.at.len() as f64;
        let seeds = seeds::within(seeds, size, image.valid());
        Start { seeds, reach, weight: [self.params.compactness / step; 2], segment }
    }

    /// Whether 8 bits of Lab are all that the image and the settings need.
    fn is_narrow(&self, image: &Image) -> bool {
        let p = &self.params;
        let color = image.space() != ColorSpace::Multiband && matches!(image.samples(), Samples::U8(_));
        let color = color && p.from == SlicFrom::Image;
        color && p.distance == Distance::Manhattan && p.sigma <= gaussian8::WIDEST_SIGMA && !p.stretch && !p.slic_zero
    }

    /// What color counts in SLICO where a region's largest distance of color is 1.
    fn adaptive(&self) -> Option<f32> {
        let weight = self.params.compactness as f32;
        self.params.slic_zero.then_some(if self.params.distance == Distance::Euclidean {
            weight * weight
        } else {
            weight
        })
    }

    fn cluster<S: Space>(
        &self,
        space: S,
        image: &Image,
        start: Start,
        context: &Context,
    ) -> Result<LabelMap, StageError> {
        // Two labels are not centres: those of pixels that none reached and of pixels outside the mask.
        if start.seeds.at.len() < usize::from(u16::MAX - 1) {
            self.rounds::<S, u16>(space, image, start, context)
        } else {
            self.rounds::<S, u32>(space, image, start, context)
        }
    }

    fn rounds<S: Space, L: Id>(
        &self,
        space: S,
        image: &Image,
        start: Start,
        context: &Context,
    ) -> Result<LabelMap, StageError> {
        let Layout { height, width, .. } = space.layout();
        let mut centres = first_centres(&space, &start.seeds, (start.reach, self.params.move_seeds));
        let row_stride = self.params.row_stride.unwrap_or(((start.seeds.step[0] / 3.0) as usize).clamp(1, 8));
        let rounds = Rounds { count: self.params.max_num_iter, row_stride, adaptive: self.adaptive() };
        let labels: Vec<L> = engine::run(&space, image.valid(), &mut centres, rounds, context);
        if !self.params.enforce_connectivity {
            let mut labels: Vec<u32> = labels.into_iter().map(L::wide).collect();
            fill_gaps(&mut labels, image);
            let map = LabelMap::with_n(height, width, labels, start.seeds.at.len());
            return map.map(LabelMap::compact).map_err(StageError::data);
        }
        let limits = Limits {
            height,
            width,
            smallest: (self.params.min_size_factor * start.segment) as u32,
            largest: (self.params.max_size_factor * start.segment).max(1.0) as usize,
        };
        let is_color = self.params.from == SlicFrom::Image && image.space() != ColorSpace::Multiband;
        let means = Means::new(space, centres, is_color);
        let (labels, n) = connectivity::enforce(labels, image.valid(), limits, &means);
        LabelMap::with_n(height, width, labels, n).map_err(StageError::data)
    }
}

/// What the rounds start from.
struct Start {
    seeds: Seeds,
    reach: [usize; 2],
    weight: [f64; 2],
    /// Pixels per segment.
    segment: f64,
}

impl Oversegmenter for Slic {
    fn oversegment(&self, image: &Image, maps: &FeatureMaps<'_>, context: &Context) -> Result<LabelMap, StageError> {
        let valid = image.valid().map_or(image.pixels(), |mask| mask.count());
        if self.params.n_segments >= valid {
            return single_pixels(image);
        }
        let start = self.start(image);
        if self.is_narrow(image) {
            let space = Lab8Space::new(image, self.params.sigma, start.weight, start.reach)?;
            return self.cluster(space, image, start, context);
        }
        let planes = match self.params.from {
            SlicFrom::Image => float_space::planes(image, self.params.planes())?,
            SlicFrom::Features => {
                let size = [image.height(), image.width()];
                feature_planes(size, maps, self.params.distance).map_err(StageError::data)?
            }
        };
        self.cluster(FloatSpace::new(planes, start.weight, self.params.distance), image, start, context)
    }
}

/// Every valid pixel a region.
pub(crate) fn single_pixels(image: &Image) -> Result<LabelMap, StageError> {
    let mut next = 0u32..;
    let is_valid = |at: usize| image.valid().is_none_or(|mask| mask.bits()[at]);
    let labels = (0..image.pixels()).map(|at| is_valid(at).then(|| next.next()).flatten().unwrap_or(VOID)).collect();
    LabelMap::new(image.height(), image.width(), labels).map_err(StageError::data)
}

/// Centres at the seeds, or beside them off edges, with the colors of their pixels.
fn first_centres<S: Space>(space: &S, seeds: &Seeds, (reach, moved): ([usize; 2], bool)) -> Centres {
    let channels = space.channels();
    let at: Vec<[f32; 2]> = seeds.at.iter().map(|at| at.map(|v| v.max(0.0) as f32)).collect();
    let mut centres = Centres { color: vec![0.0; at.len() * channels], at, scale: Vec::new(), reach };
    let mut sums = vec![0; channels];
    for k in 0..centres.at.len() {
        let mut cell = centres.cell(k);
        if moved {
            cell = calmest(space, cell);
            centres.at[k] = if cell == centres.cell(k) { centres.at[k] } else { cell.map(|v| v as f32) };
        }
        sums.fill(0);
        pixel(space, cell, &mut sums);
        for (c, &sum) in sums.iter().enumerate() {
            centres.color[k * channels + c] = (sum as f64 / space.units(c)) as f32;
        }
    }
    centres
}

/// Adds the channels of one pixel.
fn pixel<S: Space>(space: &S, [y, x]: [usize; 2], sums: &mut [i64]) {
    let at = y * space.layout().stride + x;
    space.add(at..at + 1, sums);
}

/// The pixel with the smallest gradient in a 3x3 neighbourhood; the middle one where none is smaller.
fn calmest<S: Space>(space: &S, [y, x]: [usize; 2]) -> [usize; 2] {
    let Layout { height, width, .. } = space.layout();
    let mut near = [vec![0; space.channels()], vec![0; space.channels()]];
    let mut step = |a: [usize; 2], b: [usize; 2]| -> f64 {
        for (at, sums) in [a, b].into_iter().zip(&mut near) {
            sums.fill(0);
            pixel(space, at, sums);
        }
        let pairs = near[0].iter().zip(&near[1]).enumerate();
        pairs.map(|(c, (a, b))| (a - b).unsigned_abs() as f64 / space.units(c) * f64::from(space.weight(c))).sum()
    };
    let mut best = (f64::INFINITY, [y, x]);
    let offsets = [(0, 0), (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)];
    for (dy, dx) in offsets {
        let (Some(y), Some(x)) = (y.checked_add_signed(dy), x.checked_add_signed(dx)) else { continue };
        if y >= height || x >= width {
            continue;
        }
        let down = step([y.saturating_sub(1), x], [(y + 1).min(height - 1), x]);
        let across = step([y, x.saturating_sub(1)], [y, (x + 1).min(width - 1)]);
        if down + across < best.0 {
            best = (down + across, [y, x]);
        }
    }
    best.1
}

/// Gives pixels that no centre reached the label to their left or above, or else of the first pixel
/// after them; pixels outside the mask become VOID.
fn fill_gaps(labels: &mut [u32], image: &Image) {
    let width = image.width();
    let mut last = labels.iter().copied().find(|&l| l != VOID).unwrap_or(0);
    for at in 0..labels.len() {
        let above = at.checked_sub(width).map(|p| labels[p]).filter(|&l| l != VOID);
        if labels[at] == VOID {
            labels[at] = if at % width == 0 { above.unwrap_or(last) } else { last };
        }
        last = labels[at];
    }
    if let Some(mask) = image.valid() {
        labels.iter_mut().zip(mask.bits()).filter(|(_, bit)| !**bit).for_each(|(label, _)| *label = VOID);
    }
}
