//! Small pieces of a label map join a neighbour: the smallest first, to the most similar color.

use crate::connectivity::{Colors, Forest, Limits, Piece};
use segcut_core::VOID;

/// Pieces that become one region.
pub(crate) struct Joined {
    parent: Vec<u32>,
    size: Vec<usize>,
}

impl Joined {
    pub(crate) fn new(pieces: &[Piece]) -> Self {
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
    pub(crate) fn join_small(&mut self, mut near: Near, mut sums: Sums, smallest: usize, scale: &[f32]) {
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
    pub(crate) fn names(&mut self, pieces: &[Piece]) -> (Vec<u32>, usize) {
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
pub(crate) struct Sums {
    channels: usize,
    values: Vec<f32>,
}

impl Sums {
    /// Large pieces take their label's mean where it is known; the others are summed up.
    pub(crate) fn new(forest: &Forest, pieces: &[Piece], limits: Limits, colors: &impl Colors) -> Self {
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
pub(crate) struct Near {
    /// (neighbour, next link).
    links: Vec<(u32, u32)>,
    /// First and last link of each small piece.
    ends: Vec<Option<(u32, u32)>>,
}

impl Near {
    pub(crate) fn new(forest: &Forest, pieces: &[Piece], limits: Limits) -> Self {
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
