//! 8-bit Lab with 16-bit distances.

use crate::engine::{BLOCK, Band, Centres, HEAD, Id, Layout, Space};
use crate::gaussian8::Gaussian8;
use crate::runs;
use multiversion::multiversion;
use rayon::prelude::*;
use segcut_core::{Image, StageError};
use segcut_pixel::LabError;
use std::ops::Range;

/// Steps of a distance per step of L.
const SCALE: f64 = 32.0;

/// The powers of two that weigh the steps of L, a and b.
const SHIFT: [u32; 3] = [5, 6, 6];

/// The largest penalty of a row or a column inside a centre's reach.
const LONGEST: f64 = 12_000.0;

/// Lab planes of an 8-bit image with the penalties of position.
///
/// D = 32·|ΔL| + 64·(|Δa| + |Δb|) + column(|Δx|) + row(|Δy|), all whole numbers below 2¹⁶; L, a, b in
/// the steps of [`segcut_pixel::lab8_rows`], so that all three weigh nearly alike in Lab; positions of
/// centres rounded to pixels, their colors to 1/32 and 1/64 of a step.
pub(crate) struct Lab8Space {
    layout: Layout,
    planes: [Vec<u8>; 3],
    /// Penalty by row offset + reach.
    row: Vec<u16>,
    /// Penalty by column offset + reach; [`u16::MAX`] beyond the reach.
    column: Vec<u16>,
}

impl Lab8Space {
    /// `weight` is the penalty of one row and of one column, in steps of color; the planes are blurred by `sigma`.
    pub(crate) fn new(image: &Image, sigma: f64, weight: [f64; 2], reach: [usize; 2]) -> Result<Self, StageError> {
        let layout = Layout::new(image.height(), image.width());
        let blur = Gaussian8::new(sigma).map_err(StageError::data)?;
        let mut planes = [(); 3].map(|()| vec![0u8; layout.height * layout.stride]);
        let [l, a, b] = planes.each_mut().map(|plane| plane.par_chunks_mut(ROWS * layout.stride));
        l.zip(a).zip(b).enumerate().try_for_each(|(i, ((l, a), b))| {
            let rows = i * ROWS..((i + 1) * ROWS).min(layout.height);
            fill(image, &blur, rows, (layout, [l, a, b])).map_err(StageError::data)
        })?;
        let penalty = |axis: usize| {
            let reach = reach[axis] as isize;
            let cost = move |d: isize| (weight[axis] * SCALE * d.unsigned_abs() as f64).round().min(LONGEST) as u16;
            (-reach..=reach).map(cost).collect::<Vec<u16>>()
        };
        let (row, mut column) = (penalty(0), penalty(1));
        column.extend([u16::MAX; BLOCK]);
        Ok(Self { layout, planes, row, column })
    }
}

/// Rows that are converted at once.
const ROWS: usize = 32;

/// Rows of an image → rows of blurred planes.
fn fill(
    image: &Image,
    blur: &Gaussian8,
    rows: Range<usize>,
    (layout, planes): (Layout, [&mut [u8]; 3]),
) -> Result<(), LabError> {
    let (height, width) = (layout.height, layout.width);
    let needed = blur.needed(&rows, height);
    let mut lab = [(); 3].map(|()| vec![0u8; needed.len() * width]);
    segcut_pixel::lab8_rows(image, needed.clone(), lab.each_mut().map(|plane| &mut plane[..]))?;
    for (plane, source) in planes.into_iter().zip(&lab) {
        for (y, out) in rows.clone().zip(plane.chunks_exact_mut(layout.stride)) {
            blur.row((y, height), (source, needed.start), &mut out[..width]);
        }
    }
    Ok(())
}

impl Space for Lab8Space {
    type Distance = u16;
    const FAR: u16 = u16::MAX;

    fn layout(&self) -> Layout {
        self.layout
    }

    fn channels(&self) -> usize {
        3
    }

    fn sum<L: Id>(&self, band: &Band<'_, u16, L>, sums: &mut [i64]) {
        sum(self, band, sums);
    }

    #[inline]
    fn add(&self, span: Range<usize>, sums: &mut [i64]) {
        let planes = self.planes.each_ref().map(|plane| &plane[span.start..]);
        sums.iter_mut().zip(totals(planes, span.len())).for_each(|(sum, add)| *sum += add as i64);
    }

    fn units(&self, _channel: usize) -> f64 {
        1.0
    }

    fn weight(&self, channel: usize) -> f32 {
        f32::from(1u16 << (SHIFT[channel] - SHIFT[0]))
    }

    fn assign<L: Id>(&self, centres: &Centres, active: &[u32], band: &mut Band<'_, u16, L>) {
        assign(self, centres, active, band);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn assign<L: Id>(space: &Lab8Space, centres: &Centres, active: &[u32], band: &mut Band<'_, u16, L>) {
    let Layout { height, width, stride } = space.layout;
    for &k in active {
        let k = k as usize;
        let mut color = [0; 3];
        for c in 0..3 {
            color[c] = (centres.color[k * 3 + c] * f32::from(1u16 << SHIFT[c]) + 0.5) as u16;
        }
        let (rows, columns, [cy, cx]) = (centres.rows(k, height), centres.columns(k, width), centres.cell(k));
        let blocks = columns.len().div_ceil(BLOCK);
        let penalty = &space.column[columns.start + centres.reach[1] - cx..][..blocks * BLOCK];
        for y in band.rows.clone() {
            if !rows.contains(&y) {
                continue;
            }
            let row = space.row[y + centres.reach[0] - cy];
            let at = y * stride + columns.start;
            let here = (y - band.first) * stride + columns.start;
            let span = at..at + blocks * BLOCK;
            let [l, a, b] = &space.planes;
            offer(
                [(&l[span.clone()], color[0]), (&a[span.clone()], color[1]), (&b[span], color[2])],
                (penalty, row),
                (&mut band.distance[here..here + blocks * BLOCK], &mut band.labels[here..here + blocks * BLOCK]),
                L::new(k),
            );
        }
    }
}

/// Lets one centre compete for a piece of one row.
#[inline(always)]
fn offer<L: Id>(
    channels: [(&[u8], u16); 3],
    (columns, row): (&[u16], u16),
    (distance, labels): (&mut [u16], &mut [L]),
    label: L,
) {
    let [(l, cl), (a, ca), (b, cb)] = channels;
    let pixels = l.as_chunks::<BLOCK>().0.iter().zip(a.as_chunks::<BLOCK>().0).zip(b.as_chunks::<BLOCK>().0);
    let state = distance.as_chunks_mut::<BLOCK>().0.iter_mut().zip(labels.as_chunks_mut::<BLOCK>().0);
    for ((((l, a), b), columns), (distance, labels)) in pixels.zip(columns.as_chunks::<BLOCK>().0).zip(state) {
        for i in 0..BLOCK {
            let (l, a, b) = (u16::from(l[i]) << SHIFT[0], u16::from(a[i]) << SHIFT[1], u16::from(b[i]) << SHIFT[2]);
            let color = l.abs_diff(cl) + a.abs_diff(ca) + b.abs_diff(cb);
            let d = columns[i].saturating_add(color).saturating_add(row);
            let closer = d < distance[i];
            distance[i] = if closer { d } else { distance[i] };
            labels[i] = if closer { label } else { labels[i] };
        }
    }
}

/// Count, rows, columns and three channels.
const RECORD: usize = HEAD + 3;

/// Sums runs of equal labels.
fn sum<L: Id>(space: &Lab8Space, band: &Band<'_, u16, L>, sums: &mut [i64]) {
    let Layout { width, stride, .. } = space.layout;
    let mut bounds = Vec::with_capacity(width + 1);
    for y in band.rows.clone() {
        let labels = &band.labels[(y - band.first) * stride..][..width];
        let planes = space.planes.each_ref().map(|plane| &plane[y * stride..][..stride]);
        runs::bounds(labels, &mut bounds);
        for run in bounds.windows(2) {
            let (start, n) = (run[0] as usize, (run[1] - run[0]) as usize);
            if labels[start] == L::NONE {
                continue;
            }
            let channels = totals(planes.map(|plane| &plane[start..]), n);
            let Some(record) = sums.as_chunks_mut::<RECORD>().0.get_mut(labels[start].index()) else { continue };
            record[0] += n as i64;
            record[1] += (n * y) as i64;
            record[2] += ((2 * start + n - 1) * n / 2) as i64;
            (0..3).for_each(|c| record[HEAD + c] += channels[c] as i64);
        }
    }
}

/// The sums of the first `n` bytes of three planes, eight bytes at a time; each plane has 7 bytes after them.
#[inline(always)]
fn totals(planes: [&[u8]; 3], n: usize) -> [u64; 3] {
    let mut sums = [0; 3];
    for at in (0..n).step_by(8) {
        let keep = u64::MAX >> (64 - 8 * (n - at).min(8));
        for (sum, plane) in sums.iter_mut().zip(planes) {
            let eight = plane[at..].first_chunk::<8>().map_or(0, |eight| u64::from_le_bytes(*eight)) & keep;
            let pairs = (eight & EVEN) + ((eight >> 8) & EVEN);
            *sum += pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48;
        }
    }
    sums
}

/// Every other byte.
const EVEN: u64 = 0x00ff_00ff_00ff_00ff;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{self, Rounds};
    use segcut_core::{ColorSpace, Context, Samples};

    /// The rounds of SLIC pixel by pixel, as the paper tells them, in the arithmetic of [`Lab8Space`].
    fn plain(space: &Lab8Space, centres: &mut Centres, weight: f64, rounds: Rounds) -> Vec<u32> {
        let Layout { height, width, stride } = space.layout;
        let mut labels = vec![u32::MAX; height * width];
        for round in 0..rounds.count {
            let last = round + 1 == rounds.count;
            let mut sums = vec![[0u64; 6]; centres.at.len()];
            for y in (0..height).filter(|y| last || y % rounds.row_stride == round % rounds.row_stride) {
                for x in 0..width {
                    let pixel = [0, 1, 2].map(|c| u64::from(space.planes[c][y * stride + x]));
                    let best = (0..centres.at.len())
                        .filter_map(|k| plain_distance(centres, k, [y, x], pixel, weight).map(|d| (d, k)));
                    let Some((_, k)) = best.min() else { continue };
                    labels[y * width + x] = k as u32;
                    let add = [1, y as u64, x as u64, pixel[0], pixel[1], pixel[2]];
                    sums[k].iter_mut().zip(add).for_each(|(sum, v)| *sum += v);
                }
            }
            for (k, sum) in sums.iter().enumerate().filter(|(_, sum)| !last && sum[0] > 0) {
                let mean = |i: usize| (sum[i] as f64 / sum[0] as f64) as f32;
                centres.at[k] = [mean(1), mean(2)];
                (0..3).for_each(|c| centres.color[k * 3 + c] = mean(3 + c));
            }
        }
        labels
    }

    fn plain_distance(centres: &Centres, k: usize, at: [usize; 2], pixel: [u64; 3], weight: f64) -> Option<u64> {
        let offset = [0, 1].map(|axis| at[axis].abs_diff(centres.cell(k)[axis]));
        let steps: u64 = (0..3)
            .map(|c| {
                let scale = [32, 64, 64][c];
                let centre = (centres.color[k * 3 + c] * scale as f32 + 0.5) as u64;
                (pixel[c] * scale).abs_diff(centre)
            })
            .sum();
        let position = offset.map(|o| (weight * 32.0 * o as f64).round() as u64);
        (offset[0] <= centres.reach[0] && offset[1] <= centres.reach[1]).then(|| steps + position[0] + position[1])
    }

    #[test]
    fn the_fast_form_equals_the_plain_one() {
        let (height, width) = (83, 111);
        let texture = |i: usize| ((i / 3 % width) * 2 + (i / 3 / width) + (i * i * 31) % 23 + (i % 3) * 40) as u8;
        let samples = Samples::U8((0..height * width * 3).map(texture).collect());
        let image = Image::new(height, width, ColorSpace::Srgb, samples).unwrap();
        for (n, row_stride) in [(30, 3), (30, 1), (200, 2)] {
            let seeds = crate::seeds::even([height, width], n);
            let reach = seeds.step.map(|s| s.ceil() as usize);
            let weight = 10.0 / seeds.step[0].max(seeds.step[1]);
            let space = Lab8Space::new(&image, 0.7, [weight; 2], reach).unwrap();
            let at: Vec<[f32; 2]> = seeds.at.iter().map(|at| at.map(|v| v as f32)).collect();
            let start = Centres { color: vec![100.0; at.len() * 3], at, scale: Vec::new(), reach };
            let rounds = Rounds { count: 5, row_stride, adaptive: None };
            let (mut a, mut b) = (start.clone(), start);
            let fast: Vec<u16> = engine::run(&space, None, &mut a, rounds, &Context::default());
            let fast: Vec<u32> = fast.into_iter().map(u32::from).collect();
            assert_eq!(fast, plain(&space, &mut b, weight, rounds));
            assert_eq!(a, b);
        }
    }
}
