//! Some rows of labels as runs, connected pieces and contacts of small pieces.
//!
//! Components on runs of equal labels with a disjoint-set forest: Wu, Otoo & Suzuki, "Optimizing two-pass
//! connected-component labeling algorithms", 2009.

use crate::connectivity::{Colors, Limits, OUTSIDE};
use crate::engine::Id;
use crate::joining::Near;
use crate::runs;
use std::ops::Range;

/// A stretch of equal labels in one row; it ends where the next one starts.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) start: u32,
    /// Leads to the first run of a component, then is the number of the piece.
    pub(crate) piece: u32,
}

/// A connected piece.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) size: u32,
    pub(crate) label: u32,
}

impl Piece {
    pub(crate) fn is_outside(self) -> bool {
        self.label == OUTSIDE
    }

    pub(crate) fn kind(self, smallest: u32) -> Kind {
        match self.size < smallest {
            _ if self.is_outside() => Kind::Outside,
            true => Kind::Small,
            false => Kind::Large,
        }
    }
}

/// What a piece is to its neighbours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Large,
    Small,
    Outside,
}

/// Channels of a piece, four to a group.
pub(crate) type Lane = [f32; 4];

/// Fewer pixels per piece are noise.
const PIXELS_PER_PIECE: usize = 12;

/// Rows of an image, cut into pieces that end at the strip's first and last row.
pub(crate) struct Strip {
    /// Each row closes with an empty run at the width.
    pub(crate) runs: Vec<Run>,
    /// The first run of each row, and the end.
    pub(crate) rows: Vec<u32>,
    pub(crate) pieces: Vec<Piece>,
    /// Weighted mean channels of each piece.
    pub(crate) means: Vec<Lane>,
    /// The neighbours of pieces under the smallest size.
    pub(crate) near: Near,
}

impl Strip {
    /// `first` is the image's row where `labels` start.
    pub(crate) fn of<L: Id>(labels: &[L], first: usize, limits: Limits, colors: &impl Colors) -> Self {
        let (runs, rows) = (Vec::with_capacity(labels.len() / 4), vec![0]);
        let mut strip = Self { runs, rows, pieces: Vec::new(), means: Vec::new(), near: Near::default() };
        let (mut above, mut bounds): (&[L], _) = (&[], Vec::with_capacity(limits.width + 1));
        for row in labels.chunks_exact(limits.width) {
            runs::bounds(row, &mut bounds);
            strip.read(&bounds);
            strip.link(above, row);
            above = row;
        }
        strip.calm(labels, limits);
        strip.number(labels, limits.width);
        strip.coalesce();
        strip.measure(first, limits, colors);
        strip.touch(limits);
        strip.runs.shrink_to_fit();
        strip
    }

    fn read(&mut self, bounds: &[u32]) {
        let first = self.runs.len() as u32;
        self.runs.extend(bounds.iter().zip(first..).map(|(&start, piece)| Run { start, piece }));
        self.rows.push(self.runs.len() as u32);
    }

    /// The runs of row `y`, the closing one included.
    pub(crate) fn row(&self, y: usize) -> &[Run] {
        &self.runs[self.span(y)]
    }

    fn span(&self, y: usize) -> Range<usize> {
        self.rows[y] as usize..self.rows[y + 1] as usize
    }

    fn height(&self) -> usize {
        self.rows.len() - 1
    }

    /// Unites the runs of the last two rows that touch and have the same label.
    fn link<L: Id>(&mut self, upper: &[L], lower: &[L]) {
        let Some(y) = (self.height() - 1).checked_sub(1) else { return };
        let (mut i, mut j) = (self.rows[y] as usize, self.rows[y + 1] as usize);
        let end = (self.rows[y + 1] as usize - 1, self.runs.len() - 1);
        while i < end.0 && j < end.1 {
            if upper[self.runs[i].start as usize] == lower[self.runs[j].start as usize] {
                self.unite(i as u32, j as u32);
            }
            let (a, b) = (self.runs[i + 1].start, self.runs[j + 1].start);
            i += usize::from(a <= b);
            j += usize::from(b <= a);
        }
    }

    fn root(&mut self, mut i: u32) -> u32 {
        while self.runs[i as usize].piece != i {
            let above = self.runs[self.runs[i as usize].piece as usize].piece;
            self.runs[i as usize].piece = above;
            i = above;
        }
        i
    }

    fn unite(&mut self, i: u32, j: u32) {
        let (i, j) = (self.root(i), self.root(j));
        self.runs[i.max(j) as usize].piece = i.min(j);
    }

    /// Where a strip is noise, its specks join the run to their left, up to a size that leaves few enough pieces:
    /// this bounds the memory for pieces and contacts. Photographs are left as they are.
    fn calm<L: Id>(&mut self, labels: &[L], limits: Limits) {
        let most = labels.len() / PIXELS_PER_PIECE;
        let mut largest = 1;
        let is_noise = self.roots() > most;
        while is_noise && self.roots() > most / 4 && largest < limits.smallest {
            let sizes = self.sizes();
            for y in 0..self.height() {
                let is_outside = |run: Run| labels[y * limits.width + run.start as usize] == L::OUTSIDE;
                for i in self.span(y).start + 1..self.span(y).end - 1 {
                    let root = self.root(i as u32);
                    let pair = [self.runs[i - 1], self.runs[i]];
                    if sizes[root as usize] <= largest && !pair.into_iter().any(is_outside) {
                        self.unite(i as u32 - 1, i as u32);
                    }
                }
            }
            largest *= 2;
        }
    }

    /// Components.
    fn roots(&self) -> usize {
        let closing = self.height();
        self.runs.iter().enumerate().filter(|(i, run)| run.piece as usize == *i).count() - closing
    }

    /// The size of each component at its first run.
    fn sizes(&mut self) -> Vec<u32> {
        let mut sizes = vec![0; self.runs.len()];
        for y in 0..self.height() {
            for i in self.span(y).start..self.span(y).end - 1 {
                let length = self.runs[i + 1].start - self.runs[i].start;
                sizes[self.root(i as u32) as usize] += length;
            }
        }
        sizes
    }

    /// Makes one run of neighbours of one piece.
    fn coalesce(&mut self) {
        let rows = std::mem::replace(&mut self.rows, vec![0]);
        let mut kept = 0;
        for row in rows.windows(2) {
            let (start, close) = (row[0] as usize, row[1] as usize - 1);
            for i in start..=close {
                let run = self.runs[i];
                if i == start || i == close || run.piece != self.runs[kept - 1].piece {
                    self.runs[kept] = run;
                    kept += 1;
                }
            }
            self.rows.push(kept as u32);
        }
        self.runs.truncate(kept);
    }

    /// Numbers the components in the order of their first pixels; every run gets its piece's number.
    fn number<L: Id>(&mut self, labels: &[L], width: usize) {
        for y in 0..self.height() {
            let span = self.span(y);
            for i in span.start..span.end - 1 {
                let (run, end) = (self.runs[i], self.runs[i + 1].start);
                let number = if run.piece as usize == i {
                    self.pieces.push(Piece { size: 0, label: labels[y * width + run.start as usize].wide() });
                    self.pieces.len() as u32 - 1
                } else {
                    self.runs[run.piece as usize].piece
                };
                self.runs[i].piece = number;
                self.pieces[number as usize].size += end - run.start;
            }
        }
    }

    /// Means of the pieces: of its label where that is known and the piece is large, of its pixels otherwise.
    fn measure(&mut self, first: usize, limits: Limits, colors: &impl Colors) {
        let channels = colors.scale().len();
        let lanes = channels.div_ceil(4);
        self.means = vec![[0.0; 4]; self.pieces.len() * lanes];
        let mut summed = vec![true; self.pieces.len()];
        for ((piece, mean), summed) in self.pieces.iter().zip(self.means.chunks_exact_mut(lanes)).zip(&mut summed) {
            *summed = !(piece.size >= limits.smallest && colors.known(piece.label, mean.as_flattened_mut()));
        }
        let mut sums = vec![0i64; channels];
        for y in 0..self.height() {
            for pair in self.runs[self.span(y)].windows(2).filter(|pair| summed[pair[0].piece as usize]) {
                sums.fill(0);
                let (start, end) = (pair[0].start as usize, pair[1].start as usize);
                colors.add([first + y, start], end - start, &mut sums);
                let mean = &mut self.means[pair[0].piece as usize * lanes..][..lanes];
                mean.as_flattened_mut().iter_mut().zip(&sums).for_each(|(mean, &sum)| *mean += sum as f32);
            }
        }
        for ((piece, mean), summed) in self.pieces.iter().zip(self.means.chunks_exact_mut(lanes)).zip(summed) {
            let share = if summed { 1.0 / piece.size as f32 } else { 1.0 };
            mean.as_flattened_mut().iter_mut().zip(colors.scale()).for_each(|(mean, scale)| *mean *= scale * share);
        }
    }

    /// Lists the neighbours of small pieces.
    fn touch(&mut self, limits: Limits) {
        self.near = Near::new(self.pieces.len());
        let kinds: Vec<Kind> = self.pieces.iter().map(|piece| piece.kind(limits.smallest)).collect();
        for y in 0..self.height() {
            let row = &self.runs[self.span(y)];
            for pair in row[..row.len() - 1].windows(2) {
                self.near.meet([pair[0].piece, pair[1].piece], &kinds);
            }
            if y > 0 {
                touching(&self.runs[self.span(y - 1)], row, |a, b| self.near.meet([a, b], &kinds));
            }
        }
    }
}

/// Calls `f(upper piece, lower piece)` for the runs of two rows that touch.
pub(crate) fn touching(upper: &[Run], lower: &[Run], mut f: impl FnMut(u32, u32)) {
    let (mut i, mut j) = (0, 0);
    while i + 1 < upper.len() && j + 1 < lower.len() {
        f(upper[i].piece, lower[j].piece);
        let (a, b) = (upper[i + 1].start, lower[j + 1].start);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
}
