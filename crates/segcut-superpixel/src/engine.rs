//! The rounds of SLIC: assign pixels to centres, move centres to their pixels.
//!
//! Achanta et al. 2012, algorithm 1. Rows are worked off in bands; each worker keeps the distances and
//! labels of one band only, and only the last round writes labels out. Sums are whole numbers, so
//! their order, and with it the number of threads, does not matter.

use rayon::prelude::*;
use segcut_core::Mask;
use std::ops::Range;

/// Rows that a worker assigns before it sums them up.
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
    const NONE: Self;
    fn new(k: usize) -> Self;
    fn index(self) -> usize;
}

impl Id for u16 {
    const NONE: Self = Self::MAX;
    fn new(k: usize) -> Self {
        k as Self
    }
    fn index(self) -> usize {
        self as usize
    }
}

impl Id for u32 {
    const NONE: Self = Self::MAX;
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

struct Worker<D, L> {
    distance: Vec<D>,
    labels: Vec<L>,
    active: Vec<u32>,
    sums: Vec<i64>,
    largest: Vec<f32>,
}

/// How often and how densely to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    /// All but the last round look at every n-th row.
    pub(crate) row_stride: usize,
    /// SLICO: after each round a centre counts color by this over the largest distance it holds.
    pub(crate) adaptive: Option<f32>,
}

/// Centres at their start → labels of the last round ([`u32::MAX`] where no centre reached); the
/// centres end where that round found them.
pub(crate) fn run<S: Space>(space: &S, mask: Option<&Mask>, centres: &mut Centres, rounds: Rounds) -> Vec<u32> {
    if centres.at.len() < usize::from(u16::MAX) {
        rounds_of::<S, u16>(space, mask, centres, rounds)
    } else {
        rounds_of::<S, u32>(space, mask, centres, rounds)
    }
}

fn rounds_of<S: Space, L: Id>(space: &S, mask: Option<&Mask>, centres: &mut Centres, rounds: Rounds) -> Vec<u32> {
    let layout = space.layout();
    let bands = layout.height.div_ceil(BAND);
    let workers = rayon::current_num_threads().clamp(1, bands);
    let size = BAND.min(layout.height) * layout.stride;
    let record = HEAD + space.channels();
    let mut workers: Vec<Worker<S::Distance, L>> = (0..workers)
        .map(|_| Worker {
            distance: vec![S::FAR; size],
            labels: vec![L::NONE; size],
            active: Vec::with_capacity(centres.at.len()),
            sums: vec![0; record * centres.at.len()],
            largest: vec![0.0; rounds.adaptive.map_or(0, |_| centres.at.len())],
        })
        .collect();
    let share = bands.div_ceil(workers.len());
    for round in 0..rounds.count - 1 {
        let stride = rounds.row_stride;
        let phase = round % stride;
        workers.par_iter_mut().enumerate().for_each(|(w, worker)| {
            worker.sums.fill(0);
            worker.largest.fill(0.0);
            for band in (w * share..((w + 1) * share).min(bands)).map(|b| b * BAND) {
                let end = (band + BAND).min(layout.height);
                let first = band + (phase + stride - band % stride) % stride;
                worker.assign(space, centres, (first.min(end)..end).step_by(stride), band..end);
                worker.sum(space, (mask, centres), (first.min(end)..end).step_by(stride), band);
            }
        });
        adapt(centres, &mut workers, rounds.adaptive);
        move_centres(space, centres, &mut workers);
    }
    let mut labels = vec![u32::MAX; layout.height * layout.width];
    let band_pixels = BAND * layout.width;
    let parts = labels.par_chunks_mut(share * band_pixels).zip(workers.par_iter_mut());
    parts.enumerate().for_each(|(w, (labels, worker))| {
        for (b, labels) in labels.chunks_mut(band_pixels).enumerate() {
            let first = (w * share + b) * BAND;
            let rows = first..first + labels.len() / layout.width;
            worker.assign(space, centres, rows.clone().step_by(1), rows);
            worker.write(layout, labels);
        }
    });
    labels
}

impl<D: Copy + Send, L: Id> Worker<D, L> {
    fn assign<S: Space<Distance = D>>(
        &mut self,
        space: &S,
        centres: &Centres,
        rows: std::iter::StepBy<Range<usize>>,
        band: Range<usize>,
    ) {
        let height = space.layout().height;
        let stride = space.layout().stride;
        for y in rows.clone() {
            let row = (y - band.start) * stride..(y + 1 - band.start) * stride;
            self.distance[row.clone()].fill(S::FAR);
            self.labels[row].fill(L::NONE);
        }
        self.active.clear();
        self.active.extend((0..centres.at.len() as u32).filter(|&k| {
            let reach = centres.rows(k as usize, height);
            reach.start < band.end && band.start < reach.end
        }));
        let (distance, labels) = (&mut self.distance[..], &mut self.labels[..]);
        space.assign(centres, &self.active, &mut Band { rows, first: band.start, distance, labels });
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

    fn write(&self, layout: Layout, labels: &mut [u32]) {
        for (out, row) in labels.chunks_exact_mut(layout.width).zip(self.labels.chunks_exact(layout.stride)) {
            let named = |l: L| if l == L::NONE { u32::MAX } else { l.index() as u32 };
            out.iter_mut().zip(row).for_each(|(out, &label)| *out = named(label));
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
