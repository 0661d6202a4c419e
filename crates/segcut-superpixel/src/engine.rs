//! The rounds of SLIC: assign pixels to centres, move centres to their pixels.
//!
//! Achanta et al. 2012, algorithm 1. Rows are worked off in bands; each worker keeps the distances and
//! labels of one band only, and only the last round writes labels out. Sums are whole numbers, so
//! their order, and with it the number of threads, does not matter.

use rayon::prelude::*;
use segcut_core::{Context, Mask, Stop};
use std::ops::Range;

/// The most rows that a worker assigns before it sums them up.
const BAND: usize = 32;

/// Padded size of planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Values from one row to the next, at least width + [`BLOCK`].
    pub(crate) stride: usize,
}

/// Pixels that a kernel handles at once.
pub(crate) const BLOCK: usize = 32;

impl Layout {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        Self { height, width, stride: (width + BLOCK).next_multiple_of(BLOCK) }
    }
}

/// Where centres are, in which color, and how far they reach.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Centres {
    /// (row, column) of each.
    pub(crate) at: Vec<[f32; 2]>,
    /// Channels of each, in the units of the space.
    pub(crate) color: Vec<f32>,
    /// What a distance of color counts, per centre; empty: 1.
    pub(crate) scale: Vec<f32>,
    /// Rows to each side that a centre competes for.
    pub(crate) reach: [usize; 2],
}

impl Centres {
    /// Whole-number position of a centre.
    pub(crate) fn cell(&self, k: usize) -> [usize; 2] {
        self.at[k].map(|v| (v + 0.5) as usize)
    }

    /// The rows that a centre competes for.
    pub(crate) fn rows(&self, k: usize, height: usize) -> Range<usize> {
        let y = self.cell(k)[0];
        y.saturating_sub(self.reach[0])..(y + self.reach[0] + 1).min(height)
    }

    /// The columns that a centre competes for.
    pub(crate) fn columns(&self, k: usize, width: usize) -> Range<usize> {
        let x = self.cell(k)[1];
        x.saturating_sub(self.reach[1])..(x + self.reach[1] + 1).min(width)
    }
}

/// A label in 16 or 32 bits.
pub(crate) trait Id: Copy + PartialEq + Send + Sync + 'static {
    /// No centre reached the pixel.
    const NONE: Self;
    /// Outside the mask.
    const OUTSIDE: Self;
    fn new(k: usize) -> Self;
    fn index(self) -> usize;

    /// In 32 bits.
    fn wide(self) -> u32 {
        match self {
            l if l == Self::NONE => u32::MAX,
            l if l == Self::OUTSIDE => u32::MAX - 1,
            l => l.index() as u32,
        }
    }
}

impl Id for u16 {
    const NONE: Self = Self::MAX;
    const OUTSIDE: Self = Self::MAX - 1;
    fn new(k: usize) -> Self {
        k as Self
    }
    fn index(self) -> usize {
        self as usize
    }
}

impl Id for u32 {
    const NONE: Self = Self::MAX;
    const OUTSIDE: Self = Self::MAX - 1;
    fn new(k: usize) -> Self {
        k as Self
    }
    fn index(self) -> usize {
        self as usize
    }
}

/// Some rows with the best distance and label of each pixel.
pub(crate) struct Band<'a, D, L> {
    /// The rows to look at.
    pub(crate) rows: std::iter::StepBy<Range<usize>>,
    /// The first row that the buffers hold.
    pub(crate) first: usize,
    pub(crate) distance: &'a mut [D],
    pub(crate) labels: &'a mut [L],
}

/// The numbers in which pixels are compared.
pub(crate) trait Space: Sync {
    /// The number that holds a distance.
    type Distance: Copy + Send;
    /// Beyond every distance.
    const FAR: Self::Distance;

    fn layout(&self) -> Layout;
    fn channels(&self) -> usize;
    /// Adds a band's pixels to the sums of their centres: records of count, rows, columns, channels.
    fn sum<L: Id>(&self, band: &Band<'_, Self::Distance, L>, sums: &mut [i64]);
    /// Raises the largest distance of color that each centre holds, for spaces that can adapt.
    fn spread<L: Id>(&self, _centres: &Centres, _band: &Band<'_, Self::Distance, L>, _largest: &mut [f32]) {}
    /// Adds the channels of pixels `span` (of the padded planes) as whole numbers.
    fn add(&self, span: Range<usize>, sums: &mut [i64]);
    /// Whole numbers of [`add`](Self::add) per unit of a channel.
    fn units(&self, channel: usize) -> f64;
    /// What a unit of a channel weighs in a distance.
    fn weight(&self, channel: usize) -> f32;
    /// Offers the pixels of a band to the centres `active`, in their order; the first of equals wins.
    fn assign<L: Id>(&self, centres: &Centres, active: &[u32], band: &mut Band<'_, Self::Distance, L>);
}

/// Sums of one centre's pixels: count, rows, columns, then channels.
pub(crate) const HEAD: usize = 3;

/// How often and how densely to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    /// All but the last round look at every n-th row.
    pub(crate) row_stride: usize,
    /// SLICO: after each round a centre counts color by this over the largest distance it holds.
    pub(crate) adaptive: Option<f32>,
}

/// Centres at their start → labels of the last round ([`Id::NONE`] where no centre reached); the
/// centres end where that round found them. A stop leaves out the rounds to come, but not the last.
pub(crate) fn run<S: Space, L: Id>(
    space: &S,
    mask: Option<&Mask>,
    centres: &mut Centres,
    rounds: Rounds,
    context: &Context,
) -> Vec<L> {
    let layout = space.layout();
    let record = HEAD + space.channels();
    let largest = rounds.adaptive.map_or(0, |_| centres.at.len());
    let mut workers: Vec<Worker<S::Distance, L>> =
        Bands::shares(layout).into_iter().map(|bands| Worker::new(layout, bands, S::FAR)).collect();
    for worker in &mut workers {
        worker.sums.resize(record * centres.at.len(), 0);
        worker.largest.resize(largest, 0.0);
    }
    for round in 0..rounds.count - 1 {
        if context.stopped() != Stop::No {
            break;
        }
        let phase = round % rounds.row_stride;
        workers.par_iter_mut().for_each(|worker| worker.round(space, (mask, centres), (phase, rounds.row_stride)));
        adapt(centres, &mut workers, rounds.adaptive);
        move_centres(space, centres, &mut workers);
    }
    let mut labels = vec![L::NONE; layout.height * layout.width];
    let mut rest = &mut labels[..];
    let mut parts = Vec::with_capacity(workers.len());
    for worker in &mut workers {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(worker.bands.rows().len() * layout.width);
        parts.push((worker, part));
        rest = after;
    }
    parts.into_par_iter().for_each(|(worker, part)| worker.finish(space, centres, part));
    labels
}

/// Rows in bands of nearly equal height; some of them.
#[derive(Debug, Clone)]
struct Bands {
    height: usize,
    /// Bands of the whole image.
    count: usize,
    here: Range<usize>,
}

impl Bands {
    /// Equal numbers of bands for each thread.
    fn shares(layout: Layout) -> Vec<Self> {
        let height = layout.height;
        let workers = rayon::current_num_threads().clamp(1, height);
        let each = height.div_ceil(workers * BAND);
        let count = (workers * each).min(height);
        (0..workers).map(|w| Self { height, count, here: w * count / workers..(w + 1) * count / workers }).collect()
    }

    fn band(&self, i: usize) -> Range<usize> {
        self.height * i / self.count..self.height * (i + 1) / self.count
    }

    /// The band that holds a row.
    fn of(&self, y: usize) -> usize {
        ((y + 1) * self.count).div_ceil(self.height) - 1
    }

    fn rows(&self) -> Range<usize> {
        self.band(self.here.start).start..self.band(self.here.end - 1).end
    }
}

/// Buffers of one thread.
struct Worker<D, L> {
    bands: Bands,
    /// Distances and labels of one band.
    distance: Vec<D>,
    labels: Vec<L>,
    /// The centres that compete for each band.
    active: Vec<Vec<u32>>,
    sums: Vec<i64>,
    largest: Vec<f32>,
}

impl<D: Copy + Send, L: Id> Worker<D, L> {
    fn new(layout: Layout, bands: Bands, far: D) -> Self {
        let tallest = bands.here.clone().map(|b| bands.band(b).len()).max().unwrap_or(0);
        let size = tallest * layout.stride;
        Self {
            distance: vec![far; size],
            labels: vec![L::NONE; size],
            active: vec![Vec::new(); bands.here.len()],
            sums: Vec::new(),
            largest: Vec::new(),
            bands,
        }
    }

    /// Assigns every n-th row and sums up what each centre holds.
    fn round<S: Space<Distance = D>>(
        &mut self,
        space: &S,
        (mask, centres): (Option<&Mask>, &Centres),
        (phase, stride): (usize, usize),
    ) {
        self.sums.fill(0);
        self.largest.fill(0.0);
        self.find_active(centres);
        for i in self.bands.here.clone() {
            let band = self.bands.band(i);
            let first = band.start + (phase + stride - band.start % stride) % stride;
            let rows = (first.min(band.end)..band.end).step_by(stride);
            self.assign(space, centres, rows.clone(), i);
            self.sum(space, (mask, centres), rows, band.start);
        }
    }

    /// Writes the labels of all rows.
    fn finish<S: Space<Distance = D>>(&mut self, space: &S, centres: &Centres, out: &mut [L]) {
        let Layout { width, stride, .. } = space.layout();
        self.find_active(centres);
        let start = self.bands.rows().start;
        for i in self.bands.here.clone() {
            let band = self.bands.band(i);
            self.assign(space, centres, band.clone().step_by(1), i);
            let out = out[(band.start - start) * width..(band.end - start) * width].chunks_exact_mut(width);
            out.zip(self.labels.chunks_exact(stride)).for_each(|(out, row)| out.copy_from_slice(&row[..width]));
        }
    }

    fn find_active(&mut self, centres: &Centres) {
        self.active.iter_mut().for_each(Vec::clear);
        for k in 0..centres.at.len() {
            let rows = centres.rows(k, self.bands.height);
            let (first, last) = (self.bands.of(rows.start), self.bands.of(rows.end - 1));
            for band in first.max(self.bands.here.start)..(last + 1).min(self.bands.here.end) {
                self.active[band - self.bands.here.start].push(k as u32);
            }
        }
    }

    fn assign<S: Space<Distance = D>>(
        &mut self,
        space: &S,
        centres: &Centres,
        rows: std::iter::StepBy<Range<usize>>,
        band: usize,
    ) {
        let stride = space.layout().stride;
        let first = self.bands.band(band).start;
        for y in rows.clone() {
            let row = (y - first) * stride..(y + 1 - first) * stride;
            self.distance[row.clone()].fill(S::FAR);
            self.labels[row].fill(L::NONE);
        }
        let (distance, labels) = (&mut self.distance[..], &mut self.labels[..]);
        let active = &self.active[band - self.bands.here.start];
        space.assign(centres, active, &mut Band { rows, first, distance, labels });
    }

    /// Adds the valid pixels of the rows to the sums of their centres.
    fn sum<S: Space<Distance = D>>(
        &mut self,
        space: &S,
        (mask, centres): (Option<&Mask>, &Centres),
        rows: std::iter::StepBy<Range<usize>>,
        first: usize,
    ) {
        let Layout { width, stride, .. } = space.layout();
        for (y, mask) in rows.clone().filter_map(|y| mask.map(|mask| (y, mask))) {
            let row = &mut self.labels[(y - first) * stride..][..width];
            let bits = &mask.bits()[y * width..(y + 1) * width];
            row.iter_mut().zip(bits).filter(|(_, bit)| !**bit).for_each(|(label, _)| *label = L::NONE);
        }
        let band = Band { rows, first, distance: &mut self.distance, labels: &mut self.labels };
        space.sum(&band, &mut self.sums);
        if !self.largest.is_empty() {
            space.spread(centres, &band, &mut self.largest);
        }
    }
}

/// Lets each centre count color by its own spread (SLICO); a centre of one color keeps what it has.
fn adapt<D, L>(centres: &mut Centres, workers: &mut [Worker<D, L>], adaptive: Option<f32>) {
    let (Some(weight), Some((total, rest))) = (adaptive, workers.split_first_mut()) else { return };
    for worker in rest {
        total.largest.iter_mut().zip(&worker.largest).for_each(|(a, b)| *a = a.max(*b));
    }
    centres.scale.resize(centres.at.len(), 1.0);
    let spreads = centres.scale.iter_mut().zip(&total.largest).filter(|(_, largest)| **largest > 0.0);
    spreads.for_each(|(scale, largest)| *scale = weight / largest);
}

/// Moves each centre to the mean of its pixels; a centre without pixels stays.
fn move_centres<S: Space, L: Id>(space: &S, centres: &mut Centres, workers: &mut [Worker<S::Distance, L>]) {
    let Some((total, rest)) = workers.split_first_mut() else { return };
    for worker in rest {
        total.sums.iter_mut().zip(&worker.sums).for_each(|(a, b)| *a += b);
    }
    let channels = space.channels();
    let units: Vec<f64> = (0..channels).map(|c| 1.0 / space.units(c)).collect();
    let moved = centres.at.iter_mut().zip(centres.color.chunks_exact_mut(channels));
    for (sums, (at, color)) in total.sums.chunks_exact(HEAD + channels).zip(moved) {
        if sums[0] == 0 {
            continue;
        }
        let share = 1.0 / sums[0] as f64;
        *at = [(sums[1] as f64 * share) as f32, (sums[2] as f64 * share) as f32];
        for ((color, &sum), unit) in color.iter_mut().zip(&sums[HEAD..]).zip(&units) {
            *color = (sum as f64 * share * unit) as f32;
        }
    }
}
