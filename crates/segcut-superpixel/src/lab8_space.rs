//! 8-bit Lab with 16-bit distances.

use crate::engine::{self, BLOCK, Band, Centres, Id, Layout, Space};
use multiversion::multiversion;
use rayon::prelude::*;
use segcut_core::Image;
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
    /// `weight` is the penalty of one row and of one column, in steps of color.
    pub(crate) fn new(image: &Image, weight: [f64; 2], reach: [usize; 2]) -> Result<Self, LabError> {
        let layout = Layout::new(image.height(), image.width());
        let Layout { height, width, stride } = layout;
        let mut planes = [(); 3].map(|()| vec![0u8; height * stride]);
        let [l, a, b] = &mut planes;
        let rows = l.par_chunks_mut(stride).zip(a.par_chunks_mut(stride)).zip(b.par_chunks_mut(stride));
        rows.enumerate().try_for_each(|(y, ((l, a), b))| {
            segcut_pixel::lab8_rows(image, y..y + 1, [&mut l[..width], &mut a[..width], &mut b[..width]])
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

impl Space for Lab8Space {
    type Distance = u16;
    const FAR: u16 = u16::MAX;

    fn layout(&self) -> Layout {
        self.layout
    }

    fn channels(&self) -> usize {
        3
    }

    fn sum_row<L: Id>(&self, y: usize, labels: &[L], sums: &mut [i64]) {
        let row = y * self.layout.stride..y * self.layout.stride + labels.len();
        let [l, a, b] = [0, 1, 2].map(|c| &self.planes[c][row.clone()]);
        let Some(&first) = labels.first() else { return };
        let (mut label, mut start) = (first, 0);
        let mut run = [0u32; 3];
        for x in 0..labels.len() {
            if labels[x] != label {
                engine::add_run(sums, 6, label, y, start..x, run);
                (label, start, run) = (labels[x], x, [0; 3]);
            }
            run[0] += u32::from(l[x]);
            run[1] += u32::from(a[x]);
            run[2] += u32::from(b[x]);
        }
        engine::add_run(sums, 6, label, y, start..labels.len(), run);
    }

    #[inline]
    fn add(&self, span: Range<usize>, sums: &mut [i64]) {
        for (plane, sum) in self.planes.iter().zip(sums) {
            *sum += i64::from(plane[span.clone()].iter().map(|&v| u32::from(v)).sum::<u32>());
        }
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
        let color = [0, 1, 2].map(|c| (centres.color[k * 3 + c] * f32::from(1u16 << SHIFT[c]) + 0.5) as u16);
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
            offer(
                [0, 1, 2].map(|c| (&space.planes[c][at..at + blocks * BLOCK], color[c])),
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
