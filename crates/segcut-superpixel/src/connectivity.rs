//! Labels to connected regions that are neither too small nor too large.
//!
//! Components are found on runs of equal labels with a disjoint-set forest (Wu, Otoo & Suzuki 2009);
//! small ones join a neighbour, the smallest first.

use segcut_core::{Mask, VOID};

/// A stretch of equal labels in one row.
#[derive(Clone, Copy)]
struct Run {
    start: u32,
    parent: u32,
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
struct Forest {
    runs: Vec<Run>,
    /// Runs before each row.
    rows: Vec<usize>,
}

/// A connected piece.
#[derive(Clone, Copy)]
struct Piece {
    size: usize,
    label: u32,
    outside: bool,
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

    fn columns(&self, run: usize, y: usize, width: usize) -> std::ops::Range<usize> {
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
    fn borders(&self, limits: Limits, mut f: impl FnMut(u32, u32)) {
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

/// Pieces that become one region.
struct Joined {
    parent: Vec<u32>,
    size: Vec<usize>,
}

impl Joined {
    fn new(pieces: &[Piece]) -> Self {
        Self { parent: (0..pieces.len() as u32).collect(), size: pieces.iter().map(|p| p.size).collect() }
    }

    fn root(&mut self, mut piece: u32) -> u32 {
        while self.parent[piece as usize] != piece {
            self.parent[piece as usize] = self.parent[self.parent[piece as usize] as usize];
            piece = self.parent[piece as usize];
        }
        piece
    }

    /// The smallest first, each to the neighbour whose mean color is nearest (the first of equals).
    fn join_small(&mut self, mut near: Near, mut sums: Sums, smallest: usize, scale: &[f32]) {
        let mut by_size = vec![Vec::new(); smallest];
        for p in (0..self.size.len()).filter(|&p| near.ends[p].is_some()) {
            by_size[self.size[p]].push(p as u32);
        }
        for size in 1..smallest {
            let mut next = 0;
            while let Some(&piece) = by_size[size].get(next) {
                next += 1;
                let p = piece as usize;
                if self.parent[p] != piece || self.size[p] != size {
                    continue;
                }
                let Some(to) = self.nearest(piece, &near, &sums, scale) else { continue };
                let (keep, gone) = (piece.min(to) as usize, piece.max(to) as usize);
                self.parent[gone] = keep as u32;
                self.size[keep] += self.size[gone];
                sums.join(keep, gone);
                near.join(keep, gone);
                if self.size[keep] < smallest {
                    by_size[self.size[keep]].push(keep as u32);
                }
            }
        }
    }

    fn nearest(&mut self, piece: u32, near: &Near, sums: &Sums, scale: &[f32]) -> Option<u32> {
        let mut best: Option<(f32, u32)> = None;
        let own = sums.mean(piece as usize, self.size[piece as usize]);
        for other in near.of(piece as usize) {
            let other = self.root(other);
            if other == piece {
                continue;
            }
            let mean = sums.mean(other as usize, self.size[other as usize]);
            let distance = own.clone().zip(mean).zip(scale).map(|((a, b), s)| (a - b).abs() * s).sum::<f32>();
            if best.is_none_or(|b| distance < b.0 || (distance == b.0 && other < b.1)) {
                best = Some((distance, other));
            }
        }
        best.map(|best| best.1)
    }

    /// The region of each piece, VOID outside, and how many there are.
    fn names(&mut self, pieces: &[Piece]) -> (Vec<u32>, usize) {
        let mut names = vec![VOID; pieces.len()];
        let mut next = 0;
        for p in (0..pieces.len()).filter(|&p| !pieces[p].outside) {
            let root = self.root(p as u32) as usize;
            if root == p {
                names[p] = next;
                next += 1;
            } else {
                names[p] = names[root];
            }
        }
        (names, next as usize)
    }
}

/// Sums of channels per piece.
struct Sums {
    channels: usize,
    values: Vec<f32>,
}

impl Sums {
    /// Large pieces take their label's mean where it is known; the others are summed up.
    fn new(forest: &Forest, pieces: &[Piece], limits: Limits, colors: &impl Colors) -> Self {
        let channels = colors.scale().len();
        let mut values = vec![0f32; pieces.len() * channels];
        let mut summed = vec![true; pieces.len()];
        for ((piece, sums), summed) in pieces.iter().zip(values.chunks_exact_mut(channels)).zip(&mut summed) {
            if piece.size >= limits.smallest && colors.known(piece.label, sums) {
                sums.iter_mut().for_each(|v| *v *= piece.size as f32);
                *summed = false;
            }
        }
        let mut run = vec![0i64; channels];
        for y in 0..limits.height {
            for i in forest.rows[y]..forest.rows[y + 1] {
                let piece = forest.runs[i].parent as usize;
                if !summed[piece] {
                    continue;
                }
                let columns = forest.columns(i, y, limits.width);
                run.fill(0);
                colors.add([y, columns.start], columns.len(), &mut run);
                values[piece * channels..].iter_mut().zip(&run).for_each(|(sum, &add)| *sum += add as f32);
            }
        }
        Self { channels, values }
    }

    fn mean(&self, piece: usize, size: usize) -> impl Iterator<Item = f32> + Clone {
        let share = 1.0 / size as f32;
        self.values[piece * self.channels..(piece + 1) * self.channels].iter().map(move |&v| v * share)
    }

    fn join(&mut self, keep: usize, gone: usize) {
        for c in 0..self.channels {
            self.values[keep * self.channels + c] += self.values[gone * self.channels + c];
        }
    }
}

/// The neighbours of small pieces as linked lists, which join in no time.
struct Near {
    /// (neighbour, next link).
    links: Vec<(u32, u32)>,
    /// First and last link of each small piece.
    ends: Vec<Option<(u32, u32)>>,
}

impl Near {
    fn new(forest: &Forest, pieces: &[Piece], limits: Limits) -> Self {
        let mut near = Self { links: Vec::new(), ends: vec![None; pieces.len()] };
        let small: Vec<bool> = pieces.iter().map(|p| p.size < limits.smallest && !p.outside).collect();
        forest.borders(limits, |a, b| {
            if a != b && small[a as usize] && !pieces[b as usize].outside {
                near.push(a as usize, b);
            }
            if a != b && small[b as usize] && !pieces[a as usize].outside {
                near.push(b as usize, a);
            }
        });
        near
    }

    fn push(&mut self, piece: usize, neighbour: u32) {
        let link = self.links.len() as u32;
        let first = self.ends[piece].map_or(link, |ends| ends.0);
        if let Some((_, last)) = self.ends[piece] {
            if self.links[last as usize].0 == neighbour {
                return;
            }
            self.links[last as usize].1 = link;
        }
        self.links.push((neighbour, u32::MAX));
        self.ends[piece] = Some((first, link));
    }

    fn of(&self, piece: usize) -> impl Iterator<Item = u32> {
        let mut next = self.ends[piece].map_or(u32::MAX, |ends| ends.0);
        std::iter::from_fn(move || {
            let (neighbour, after) = *self.links.get(next as usize)?;
            next = after;
            Some(neighbour)
        })
    }

    fn join(&mut self, keep: usize, gone: usize) {
        self.ends[keep] = match (self.ends[keep], self.ends[gone]) {
            (Some(a), Some(b)) => {
                self.links[a.1 as usize].1 = b.0;
                Some((a.0, b.1))
            }
            (a, b) => a.or(b),
        };
    }
}
