//! Small pieces of a label map join a neighbour: the smallest first, to the most similar color.

use crate::strip::{Kind, Lane, Piece, Strip, touching};
use segcut_core::VOID;

/// The pieces of all strips, and those that became one region.
pub(crate) struct Joined {
    /// Leads to the first piece of a region.
    parent: Vec<u32>,
    /// Size of a region at its first piece.
    pieces: Vec<Piece>,
    means: Vec<Lane>,
    lanes: usize,
    near: Near,
    /// The number of a strip's first piece.
    offsets: Vec<u32>,
}

impl Joined {
    /// Takes the pieces out of the strips and unites those of one label that touch across a seam.
    pub(crate) fn new(strips: &mut [Strip], smallest: u32, lanes: usize) -> Self {
        let count = strips.iter().map(|s| s.pieces.len()).sum();
        let mut joined = Self {
            parent: (0..count as u32).collect(),
            pieces: Vec::with_capacity(count),
            means: Vec::with_capacity(count * lanes),
            lanes,
            near: Near::with_capacity(count, strips.iter().map(|s| s.near.links.len()).sum()),
            offsets: Vec::with_capacity(strips.len()),
        };
        for strip in &mut *strips {
            let offset = joined.pieces.len() as u32;
            joined.offsets.push(offset);
            joined.pieces.append(&mut std::mem::take(&mut strip.pieces));
            joined.means.append(&mut std::mem::take(&mut strip.means));
            joined.near.append(std::mem::take(&mut strip.near), offset);
        }
        let kinds: Vec<Kind> = joined.pieces.iter().map(|piece| piece.kind(smallest)).collect();
        for (pair, offsets) in strips.windows(2).zip(joined.offsets.clone().windows(2)) {
            let (upper, lower) = (pair[0].row(pair[0].rows.len() - 2), pair[1].row(0));
            touching(upper, lower, |a, b| joined.meet([a + offsets[0], b + offsets[1]], &kinds));
        }
        joined
    }

    fn meet(&mut self, [a, b]: [u32; 2], kinds: &[Kind]) {
        if self.pieces[a as usize].label == self.pieces[b as usize].label {
            let (a, b) = (self.root(a), self.root(b));
            if a != b {
                self.unite(a, b);
            }
        } else {
            self.near.meet([a, b], kinds);
        }
    }

    fn root(&mut self, mut piece: u32) -> u32 {
        while self.parent[piece as usize] != piece {
            let above = self.parent[self.parent[piece as usize] as usize];
            self.parent[piece as usize] = above;
            piece = above;
        }
        piece
    }

    /// The region of a strip's piece, before [`Self::names`] as a root.
    pub(crate) fn region(&self, strip: usize, piece: u32) -> u32 {
        let mut piece = self.offsets[strip] + piece;
        while self.parent[piece as usize] != piece {
            piece = self.parent[piece as usize];
        }
        piece
    }

    /// Whether a region has more pixels than that.
    pub(crate) fn is_above(&self, region: u32, largest: usize) -> bool {
        let piece = self.pieces[region as usize];
        self.parent[region as usize] == region && piece.size as usize > largest && !piece.is_outside()
    }

    pub(crate) fn any_above(&self, largest: usize) -> bool {
        (0..self.pieces.len() as u32).any(|p| self.is_above(p, largest))
    }

    /// Makes one region of two; returns the piece that stands for it.
    fn unite(&mut self, a: u32, b: u32) -> usize {
        let (keep, gone) = (a.min(b) as usize, a.max(b) as usize);
        self.parent[gone] = keep as u32;
        let sizes = [keep, gone].map(|p| self.pieces[p].size as f32);
        let share = sizes[1] / (sizes[0] + sizes[1]);
        for lane in 0..self.lanes {
            let other = self.means[gone * self.lanes + lane];
            let mean = &mut self.means[keep * self.lanes + lane];
            mean.iter_mut().zip(other).for_each(|(m, o)| *m += (o - *m) * share);
        }
        self.pieces[keep].size += self.pieces[gone].size;
        self.near.join(keep, gone);
        keep
    }

    /// The smallest first, each to the neighbour whose mean color is nearest (the first of equals).
    pub(crate) fn join_small(&mut self, smallest: u32) {
        let mut queue = BySize::new(smallest, self.pieces.len());
        for p in 0..self.pieces.len() as u32 {
            let piece = self.pieces[p as usize];
            if self.parent[p as usize] == p && !piece.is_outside() {
                queue.push(p, piece.size);
            }
        }
        for size in 1..smallest {
            while let Some(piece) = queue.pop(size) {
                let now = self.pieces[piece as usize].size;
                if self.parent[piece as usize] != piece {
                    continue;
                }
                if now != size {
                    queue.push(piece, now);
                    continue;
                }
                let Some(to) = self.nearest(piece) else { continue };
                // A piece that is still small waits in the queue of the size that it had.
                let waits = to < piece && self.pieces[to as usize].size < smallest;
                let keep = self.unite(piece, to);
                if !waits {
                    queue.push(keep as u32, self.pieces[keep].size);
                }
            }
        }
    }

    fn nearest(&mut self, piece: u32) -> Option<u32> {
        let mut best = (f32::INFINITY, u32::MAX);
        let mut link = self.near.ends[piece as usize].first;
        while let Some(&(other, next)) = self.near.links.get(link as usize) {
            let other = self.root(other);
            self.near.links[link as usize].0 = other;
            link = next;
            if other == piece {
                continue;
            }
            let [a, b] = [piece, other].map(|p| &self.means[p as usize * self.lanes..][..self.lanes]);
            let steps = a.iter().zip(b).map(|(a, b)| std::array::from_fn(|i| (a[i] - b[i]).abs()));
            let distance: f32 = steps.map(|[a, b, c, d]: Lane| (a + b) + (c + d)).sum();
            if distance < best.0 || (distance == best.0 && other < best.1) {
                best = (distance, other);
            }
        }
        (best.1 != u32::MAX).then_some(best.1)
    }

    /// The region of each piece, VOID outside, and how many there are.
    pub(crate) fn names(mut self) -> Names {
        self.near = Near::default();
        let mut names = self.parent;
        let mut n = 0;
        for p in 0..names.len() {
            names[p] = if self.pieces[p].is_outside() {
                VOID
            } else if names[p] as usize == p {
                n += 1;
                n - 1
            } else {
                names[names[p] as usize]
            };
        }
        Names { names, offsets: self.offsets, n: n as usize }
    }
}

/// A first-in, first-out queue for each size below the smallest; a piece is in one of them at a time.
struct BySize {
    /// First and last of each size.
    ends: Vec<(u32, u32)>,
    /// The one after each.
    next: Vec<u32>,
}

impl BySize {
    fn new(smallest: u32, pieces: usize) -> Self {
        Self { ends: vec![(NO_LINK, NO_LINK); smallest as usize], next: vec![NO_LINK; pieces] }
    }

    /// Pieces that are large enough are left out.
    fn push(&mut self, piece: u32, size: u32) {
        let Some(ends) = self.ends.get_mut(size as usize) else { return };
        self.next[piece as usize] = NO_LINK;
        if ends.0 == NO_LINK {
            *ends = (piece, piece);
        } else {
            self.next[ends.1 as usize] = piece;
            ends.1 = piece;
        }
    }

    fn pop(&mut self, size: u32) -> Option<u32> {
        let ends = self.ends.get_mut(size as usize).filter(|ends| ends.0 != NO_LINK)?;
        let piece = ends.0;
        ends.0 = self.next[piece as usize];
        Some(piece)
    }
}

/// What the pieces of all strips are called.
pub(crate) struct Names {
    names: Vec<u32>,
    offsets: Vec<u32>,
    pub(crate) n: usize,
}

impl Names {
    pub(crate) fn of_strip(&self, strip: usize) -> &[u32] {
        &self.names[self.offsets[strip] as usize..]
    }
}

/// The neighbours of small pieces as linked lists, which join in no time.
#[derive(Default)]
pub(crate) struct Near {
    /// (neighbour, next link).
    links: Vec<(u32, u32)>,
    /// The list of each piece.
    ends: Vec<Ends>,
}

/// Links of one list; [`NO_LINK`] where there is none.
#[derive(Clone, Copy)]
struct Ends {
    first: u32,
    /// The one before the last.
    before: u32,
    last: u32,
}

const EMPTY: Ends = Ends { first: NO_LINK, before: NO_LINK, last: NO_LINK };

const NO_LINK: u32 = u32::MAX;

impl Near {
    pub(crate) fn new(pieces: usize) -> Self {
        Self { links: Vec::new(), ends: vec![EMPTY; pieces] }
    }

    fn with_capacity(pieces: usize, links: usize) -> Self {
        Self { links: Vec::with_capacity(links), ends: Vec::with_capacity(pieces) }
    }

    /// Adds the lists of pieces that are numbered from `offset`.
    fn append(&mut self, other: Self, offset: u32) {
        let shift = self.links.len() as u32;
        let moved = |link: u32| if link == NO_LINK { NO_LINK } else { link + shift };
        self.links.extend(other.links.iter().map(|&(piece, next)| (piece + offset, moved(next))));
        let ends = |e: &Ends| Ends { first: moved(e.first), before: moved(e.before), last: moved(e.last) };
        self.ends.extend(other.ends.iter().map(ends));
    }

    /// Two pieces touch: each that is small lists the other.
    #[inline]
    pub(crate) fn meet(&mut self, [a, b]: [u32; 2], kinds: &[Kind]) {
        match (kinds[a as usize], kinds[b as usize]) {
            (Kind::Large, Kind::Small) => self.push(b as usize, a),
            (Kind::Small, Kind::Large) => self.push(a as usize, b),
            (Kind::Small, Kind::Small) if a != b => {
                self.push(a as usize, b);
                self.push(b as usize, a);
            }
            _ => {}
        }
    }

    /// Lists a neighbour, unless it is one of the last two.
    fn push(&mut self, piece: usize, neighbour: u32) {
        let link = self.links.len() as u32;
        let ends = &mut self.ends[piece];
        let is_listed = |at: u32| self.links.get(at as usize).is_some_and(|link| link.0 == neighbour);
        if is_listed(ends.last) || is_listed(ends.before) {
            return;
        }
        match self.links.get_mut(ends.last as usize) {
            Some(last) => last.1 = link,
            None => ends.first = link,
        }
        (ends.before, ends.last) = (ends.last, link);
        self.links.push((neighbour, NO_LINK));
    }

    fn join(&mut self, keep: usize, gone: usize) {
        let (a, b) = (self.ends[keep], self.ends[gone]);
        match self.links.get_mut(a.last as usize) {
            None => self.ends[keep] = b,
            Some(last) if b.first != NO_LINK => {
                last.1 = b.first;
                self.ends[keep] = Ends { first: a.first, ..b };
            }
            _ => {}
        }
    }
}
