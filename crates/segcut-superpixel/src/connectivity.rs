//! Labels to connected regions that are neither too small nor too large.
//!
//! Strips of rows are cut into connected pieces on their own, the seams unite what they parted, and small
//! pieces join a neighbour, the smallest first.

use crate::engine::Id;
use crate::joining::Joined;
use crate::strip::Strip;
use rayon::prelude::*;
use segcut_core::{Mask, VOID};

/// The size of an image and what a region may weigh.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// The fewest pixels of a region.
    pub(crate) smallest: u32,
    /// The most pixels of a connected piece before small ones join it.
    pub(crate) largest: usize,
}

/// The means by which alike neighbours are found.
pub(crate) trait Colors: Sync {
    /// What a unit of each channel's sums weighs.
    fn scale(&self) -> &[f32];
    /// The mean of a label's pixels in units of the sums, where it is known well enough for large pieces.
    fn known(&self, label: u32, means: &mut [f32]) -> bool;
    /// Adds the channels of `n` pixels from (row, column).
    fn add(&self, at: [usize; 2], n: usize, sums: &mut [i64]);
}

/// The most rows of a strip.
const TALLEST: usize = 64;

impl Limits {
    /// Rows of a strip, so that there is an even number of them; the threads do not matter.
    fn rows(self) -> usize {
        self.height.div_ceil(self.height.div_ceil(2 * TALLEST) * 2)
    }
}

/// What a piece outside the mask is labelled.
pub(crate) const OUTSIDE: u32 = VOID - 1;

/// Labels from here on name the parts of a piece that was cut.
const CUT: u32 = 1 << 31;

/// Cuts labels into 4-connected pieces, joins those under the smallest size to their most alike
/// neighbour, and numbers the result by first pixels. Pixels outside the mask become VOID. Also returns the
/// number of regions.
///
/// A piece without neighbours (an island of the mask) stays whatever its size.
pub(crate) fn enforce<L: Id>(
    mut labels: Vec<L>,
    mask: Option<&Mask>,
    limits: Limits,
    colors: &impl Colors,
) -> (Vec<u32>, usize) {
    if let Some(mask) = mask {
        labels.iter_mut().zip(mask.bits()).filter(|(_, bit)| !**bit).for_each(|(label, _)| *label = L::OUTSIDE);
    }
    let tall = limits.rows();
    let rows = labels.par_chunks(tall * limits.width).enumerate();
    let mut strips: Vec<Strip> = rows.map(|(i, rows)| Strip::of(rows, i * tall, limits, colors)).collect();
    let mut joined = Joined::new(&mut strips, limits.smallest, colors.scale().len().div_ceil(4));
    if joined.any_above(limits.largest) {
        let labels = cut_large(&labels, (&strips, &joined), limits);
        return enforce(labels, None, Limits { largest: usize::MAX, ..limits }, colors);
    }
    drop(labels);
    joined.join_small(limits.smallest);
    let names = joined.names();
    let mut labels = vec![0; limits.height * limits.width];
    let parts = labels.par_chunks_mut(tall * limits.width).zip(&strips).enumerate();
    parts.for_each(|(i, (labels, strip))| write(strip, names.of_strip(i), labels, limits.width));
    (labels, names.n)
}

fn write(strip: &Strip, names: &[u32], labels: &mut [u32], width: usize) {
    for (y, row) in labels.chunks_exact_mut(width).enumerate() {
        for pair in strip.row(y).windows(2) {
            let (name, start, end) = (names[pair[0].piece as usize], pair[0].start as usize, pair[1].start as usize);
            // The runs to come overwrite what a short run writes too much.
            match row[start..].first_chunk_mut::<SHORT>() {
                Some(eight) if end - start <= SHORT => *eight = [name; SHORT],
                _ => row[start..end].fill(name),
            }
        }
    }
}

/// Pixels that are written at once.
const SHORT: usize = 8;

/// Names the parts of pieces that are too large: each grown breadth-first up to the largest size.
fn cut_large<L: Id>(labels: &[L], (strips, joined): (&[Strip], &Joined), limits: Limits) -> Vec<u32> {
    let mut labels: Vec<u32> = labels.iter().map(|l| l.wide()).collect();
    let mut next = CUT;
    let mut queue = Vec::new();
    for y in 0..limits.height {
        let (strip, row) = (y / limits.rows(), y % limits.rows());
        for pair in strips[strip].row(row).windows(2) {
            if !joined.is_above(joined.region(strip, pair[0].piece), limits.largest) {
                continue;
            }
            for at in y * limits.width + pair[0].start as usize..y * limits.width + pair[1].start as usize {
                if labels[at] < CUT || labels[at] == VOID {
                    grow(&mut labels, at, next, limits, &mut queue);
                    next += 1;
                }
            }
        }
    }
    labels
}

fn grow(labels: &mut [u32], start: usize, name: u32, limits: Limits, queue: &mut Vec<u32>) {
    let (width, label) = (limits.width, labels[start]);
    queue.clear();
    queue.push(start as u32);
    labels[start] = name;
    let mut head = 0;
    while head < queue.len() {
        let at = queue[head] as usize;
        head += 1;
        let x = at % width;
        let near = [
            (x > 0).then(|| at - 1),
            (x + 1 < width).then(|| at + 1),
            at.checked_sub(width),
            Some(at + width).filter(|&p| p < labels.len()),
        ];
        for p in near.into_iter().flatten() {
            if labels[p] == label && queue.len() < limits.largest {
                labels[p] = name;
                queue.push(p as u32);
            }
        }
    }
}
