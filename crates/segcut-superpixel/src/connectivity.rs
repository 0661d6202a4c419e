//! Labels to connected regions that are neither too small nor too large.
//!
//! Components are found on runs of equal labels with a disjoint-set forest (Wu, Otoo & Suzuki 2009);
//! small ones join a neighbour, the smallest first.

use crate::joining::{Joined, Near, Sums};
use segcut_core::{Mask, VOID};

/// A stretch of equal labels in one row.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) start: u32,
    pub(crate) parent: u32,
}

/// The size of an image and what a region may weigh.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// The fewest pixels of a region.
    pub(crate) smallest: usize,
    /// The most pixels of a connected piece before small ones join it.
    pub(crate) largest: usize,
}

/// The means by which alike neighbours are found.
pub(crate) trait Colors {
    /// What a unit of each channel's sums weighs.
    fn scale(&self) -> &[f32];
    /// The mean of a label's pixels in units of the sums, where it is known well enough for large pieces.
    fn known(&self, label: u32, means: &mut [f32]) -> bool;
    /// Adds the channels of `n` pixels from (row, column).
    fn add(&self, at: [usize; 2], n: usize, sums: &mut [i64]);
}

/// Cuts labels into 4-connected pieces, joins those under the smallest size to their most alike
/// neighbour, and numbers the result by first pixels. Pixels outside the mask become VOID. Returns the
/// number of regions.
///
/// A piece without neighbours (an island of the mask) stays whatever its size.
pub(crate) fn enforce(labels: &mut [u32], mask: Option<&Mask>, limits: Limits, colors: &impl Colors) -> usize {
    if let Some(mask) = mask {
        labels.iter_mut().zip(mask.bits()).filter(|(_, bit)| !**bit).for_each(|(label, _)| *label = OUTSIDE);
    }
    let (mut forest, mut pieces) = Forest::of(labels, limits);
    if pieces.iter().any(|p| p.size > limits.largest && !p.outside) {
        cut_large(labels, &forest, &pieces, limits);
        (forest, pieces) = Forest::of(labels, limits);
    }
    let mut joined = Joined::new(&pieces);
    if pieces.iter().any(|p| p.size < limits.smallest && !p.outside) {
        let (near, sums) = (Near::new(&forest, &pieces, limits), Sums::new(&forest, &pieces, limits, colors));
        joined.join_small(near, sums, limits.smallest, colors.scale());
    }
    let (names, n) = joined.names(&pieces);
    forest.write(&names, labels, limits.width);
    n
}

/// What a run's label says outside the mask.
const OUTSIDE: u32 = VOID - 1;

/// Labels from here on name the parts of a piece that was cut.
const CUT: u32 = 1 << 31;

/// Runs of equal labels; `parent` leads to the first run of a component, then is the piece's number.
pub(crate) struct Forest {
    pub(crate) runs: Vec<Run>,
    /// Runs before each row.
    pub(crate) rows: Vec<usize>,
}

/// A connected piece.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) size: usize,
    pub(crate) label: u32,
    pub(crate) outside: bool,
}

impl Forest {
    fn of(labels: &[u32], limits: Limits) -> (Self, Vec<Piece>) {
        let mut forest = Self { runs: Vec::with_capacity(labels.len() / 8), rows: vec![0] };
        let mut above = None;
        for row in labels.chunks_exact(limits.width) {
            let begin = forest.runs.len();
            let mut last = None;
            for (x, &label) in row.iter().enumerate() {
                if last != Some(label) {
                    let parent = forest.runs.len() as u32;
                    forest.runs.push(Run { start: x as u32, parent });
                    last = Some(label);
                }
            }
            if let Some((start, labels)) = above {
                forest.link((start, labels), (begin, row));
            }
            forest.rows.push(forest.runs.len());
            above = Some((begin, row));
        }
        let pieces = forest.pieces(labels, limits);
        (forest, pieces)
    }

    /// Unites the runs of two rows that touch and have the same label.
    fn link(&mut self, (above, upper): (usize, &[u32]), (here, lower): (usize, &[u32])) {
        let (mut i, mut j) = (above, here);
        while i < here && j < self.runs.len() {
            let (a, b) = (self.runs[i].start as usize, self.runs[j].start as usize);
            if upper[a] == lower[b] {
                self.unite(i as u32, j as u32);
            }
            let end = |r: usize, limit: usize| if r + 1 < limit { self.runs[r + 1].start } else { u32::MAX };
            let (a, b) = (end(i, here), end(j, self.runs.len()));
            i += usize::from(a <= b);
            j += usize::from(b <= a);
        }
    }

    fn root(&mut self, mut i: u32) -> u32 {
        while self.runs[i as usize].parent != i {
            let grand = self.runs[self.runs[i as usize].parent as usize].parent;
            self.runs[i as usize].parent = grand;
            i = grand;
        }
        i
    }

    fn unite(&mut self, i: u32, j: u32) {
        let (i, j) = (self.root(i), self.root(j));
        self.runs[i.max(j) as usize].parent = i.min(j);
    }

    /// Numbers the components in the order of their first pixels; every run's parent becomes its number.
    fn pieces(&mut self, labels: &[u32], limits: Limits) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for y in 0..limits.height {
            for i in self.rows[y]..self.rows[y + 1] {
                let parent = self.runs[i].parent as usize;
                let number = if parent == i { pieces.len() as u32 } else { self.runs[parent].parent };
                let columns = self.columns(i, y, limits.width);
                if parent == i {
                    let label = labels[y * limits.width + columns.start];
                    pieces.push(Piece { size: 0, label, outside: label == OUTSIDE });
                }
                self.runs[i].parent = number;
                pieces[number as usize].size += columns.len();
            }
        }
        pieces
    }

    pub(crate) fn columns(&self, run: usize, y: usize, width: usize) -> std::ops::Range<usize> {
        let end = if run + 1 < self.rows[y + 1] { self.runs[run + 1].start as usize } else { width };
        self.runs[run].start as usize..end
    }

    fn write(&self, names: &[u32], labels: &mut [u32], width: usize) {
        for (y, row) in labels.chunks_exact_mut(width).enumerate() {
            for i in self.rows[y]..self.rows[y + 1] {
                row[self.columns(i, y, width)].fill(names[self.runs[i].parent as usize]);
            }
        }
    }

    /// Calls `f(piece, other piece)` for runs that touch.
    pub(crate) fn borders(&self, limits: Limits, mut f: impl FnMut(u32, u32)) {
        for y in 0..limits.height {
            let here = self.rows[y]..self.rows[y + 1];
            for pair in self.runs[here.clone()].windows(2) {
                f(pair[0].parent, pair[1].parent);
            }
            let mut i = if y == 0 { here.start } else { self.rows[y - 1] };
            for j in here.clone() {
                let end = self.columns(j, y, limits.width).end;
                while i < here.start {
                    f(self.runs[i].parent, self.runs[j].parent);
                    let above = self.columns(i, y - 1, limits.width).end;
                    i += usize::from(above <= end);
                    if above >= end {
                        break;
                    }
                }
            }
        }
    }
}

/// Names the parts of pieces that are too large: each grown breadth-first up to the largest size.
fn cut_large(labels: &mut [u32], forest: &Forest, pieces: &[Piece], limits: Limits) {
    let mut next = CUT;
    let mut queue = Vec::new();
    for y in 0..limits.height {
        for i in forest.rows[y]..forest.rows[y + 1] {
            let piece = pieces[forest.runs[i].parent as usize];
            if piece.outside || piece.size <= limits.largest {
                continue;
            }
            for x in forest.columns(i, y, limits.width) {
                if labels[y * limits.width + x] < CUT || labels[y * limits.width + x] == VOID {
                    grow(labels, y * limits.width + x, next, limits, &mut queue);
                    next += 1;
                }
            }
        }
    }
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
