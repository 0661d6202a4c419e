//! Queries, keys and values → values mixed by the softmax of queries times keys, never holding all scores.

use crate::architecture::HEAD;
use crate::elementwise::{Running, softmax_block};
use crate::precision::Precision;
use rayon::prelude::*;
use segcut_kernel::{Isa, PANEL, Right, Right16, Room16, Rows, RowsMut, multiply, pack_pairs, pack_transposed};

/// Keys at a time at most: their scores for a few queries stay in the nearest cache.
const BLOCK: usize = 512;
/// Queries at a time at most.
const QUERIES: usize = 12;
/// Kept between rows of scores, so that rows do not lie a power of two apart.
const GAP: usize = 16;

/// Keys and values of one image, laid out for the kernel head by head.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyValues {
    tokens: usize,
    heads: Vec<Head>,
}

/// Keys and values of one head.
#[derive(Debug, Clone, Default)]
struct Head {
    keys: Keys,
    /// Two panels of tokens × 32 numbers.
    values: Vec<f32>,
}

/// Panels of 32 tokens.
#[derive(Debug, Clone)]
enum Keys {
    /// 64 × 32 numbers a panel.
    F32(Vec<f32>),
    /// 32 × 32 pairs of whole numbers a panel, and what a token's numbers are multiples of.
    I16 { panels: Vec<i16>, units: Vec<[f32; PANEL]>, room: Room16 },
}

impl Default for Keys {
    fn default() -> Self {
        Self::F32(Vec::new())
    }
}

impl Keys {
    fn new(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::default(),
            Precision::I16 => Self::I16 { panels: Vec::new(), units: Vec::new(), room: Room16::default() },
        }
    }

    fn fill(&mut self, rows: Rows<'_>) {
        let count = rows.count.div_ceil(PANEL);
        match self {
            Self::F32(panels) => {
                panels.resize(count * HEAD * PANEL, 0.0);
                pack_transposed(rows, HEAD, panels);
            }
            Self::I16 { panels, units, room } => {
                panels.resize(count * HEAD * PANEL, 0);
                units.resize(count, [0.0; PANEL]);
                let rows = room.round(rows, HEAD);
                pack_pairs(rows, HEAD / 2, panels);
                units.as_flattened_mut()[..rows.units.len()].copy_from_slice(rows.units);
            }
        }
    }
}

/// Room that [`KeyValues::attend`] works in.
#[derive(Debug, Default)]
pub(crate) struct AttentionRoom {
    queries: Vec<f32>,
    rounded: Room16,
    scores: Vec<f32>,
    states: Vec<Running>,
}

/// Which queries attend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queries<'a> {
    /// Queries, keys and values of all tokens of the image side by side.
    pub qkv: &'a [f32],
    /// Numbers per token.
    pub dim: usize,
    /// The first token that attends.
    pub first: usize,
    /// How many attend.
    pub count: usize,
}

impl KeyValues {
    /// For an image of so many tokens and heads.
    pub fn new(tokens: usize, heads: usize, precision: Precision) -> Self {
        let head = Head { keys: Keys::new(precision), values: vec![0.0; tokens * HEAD] };
        Self { tokens, heads: vec![head; heads] }
    }

    /// Lays out the keys and values of the image.
    pub fn fill(&mut self, qkv: &[f32]) {
        let dim = self.heads.len() * HEAD;
        let tokens = self.tokens;
        self.heads.par_iter_mut().enumerate().for_each(|(at, head)| {
            head.keys.fill(Rows { values: &qkv[dim + at * HEAD..], stride: 3 * dim, count: tokens });
            for (half, panel) in head.values.chunks_exact_mut(tokens * PANEL).enumerate() {
                let start = 2 * dim + at * HEAD + half * PANEL;
                for (line, token) in panel.chunks_exact_mut(PANEL).zip(qkv.chunks_exact(3 * dim)) {
                    line.copy_from_slice(&token[start..][..PANEL]);
                }
            }
        });
    }

    /// Mixed values of some tokens, heads side by side, one row a token.
    pub fn attend(&self, queries: Queries<'_>, room: &mut AttentionRoom, out: &mut RowsMut<'_>) {
        let Queries { qkv, dim, first, count } = queries;
        // 2^(q·k·scale) = e^(q·k/√64)
        let scale = std::f32::consts::LOG2_E / (HEAD as f32).sqrt();
        for head in 0..dim / HEAD {
            let own = qkv.chunks_exact(3 * dim).skip(first).map(|token| &token[head * HEAD..][..HEAD]);
            room.queries.resize(count * HEAD, 0.0);
            for (scaled, query) in room.queries.chunks_exact_mut(HEAD).zip(own) {
                scaled.iter_mut().zip(query).for_each(|(s, q)| *s = q * scale);
            }
            if matches!(self.heads[head].keys, Keys::I16 { .. }) {
                room.rounded.round(Rows { values: &room.queries, stride: HEAD, count }, HEAD);
            }
            room.states.clear();
            room.states.resize(count, Running::default());
            for row in out.values.chunks_mut(out.stride).take(count) {
                row[head * HEAD..][..HEAD].fill(0.0);
            }
            let blocks = self.tokens.div_ceil(BLOCK);
            let length = self.tokens.div_ceil(blocks).next_multiple_of(PANEL);
            for start in (0..self.tokens).step_by(length) {
                self.block([head, start, length.min(self.tokens - start)], count, room, out);
            }
            for (row, state) in out.values.chunks_mut(out.stride).zip(&room.states) {
                let inverse = 1.0 / state.sum;
                row[head * HEAD..][..HEAD].iter_mut().for_each(|v| *v *= inverse);
            }
        }
    }

    /// Adds what `length` tokens from `start` on give to the mixed values of one head.
    fn block(&self, [head, start, length]: [usize; 3], count: usize, room: &mut AttentionRoom, out: &mut RowsMut<'_>) {
        let isa = Isa::best();
        let width = length.next_multiple_of(PANEL);
        let stride = width + GAP;
        let tiles = count.div_ceil(QUERIES);
        room.scores.resize(QUERIES * stride, 0.0);
        for tile in 0..tiles {
            let [first, last] = [tile, tile + 1].map(|t| t * count / tiles);
            self.score(head, [start / PANEL, width / PANEL], [first, last], room);
            for row in room.scores.chunks_exact_mut(stride).take(last - first) {
                row[length..width].fill(f32::NEG_INFINITY);
            }
            let states = &mut room.states[first..last];
            softmax_block(&mut room.scores, [stride, width], states);
            let own = &mut out.values[first * out.stride + head * HEAD..];
            for (row, state) in own.chunks_mut(out.stride).zip(states) {
                row[..HEAD].iter_mut().for_each(|v| *v *= state.factor);
            }
            let scores = Rows { values: &room.scores, stride, count: last - first };
            for half in 0..HEAD / PANEL {
                let panel = &self.heads[head].values[(half * self.tokens + start) * PANEL..][..length * PANEL];
                let right = Right { panel, bias: &[0.0; PANEL], cols: PANEL, add: true, ahead: 0 };
                isa.multiply(scores, right, &mut RowsMut { values: &mut own[half * PANEL..], stride: out.stride });
            }
        }
    }

    /// Products of the queries from `first` to before `last` with `count` panels of keys from `panel` on.
    fn score(&self, head: usize, [panel, count]: [usize; 2], [first, last]: [usize; 2], room: &mut AttentionRoom) {
        let (stride, bias) = (count * PANEL + GAP, &[0.0; PANEL]);
        let panels = panel * HEAD * PANEL..(panel + count) * HEAD * PANEL;
        let scores = &mut room.scores;
        let mut target = |at: usize, product: &dyn Fn(&mut RowsMut<'_>)| {
            product(&mut RowsMut { values: &mut scores[at * PANEL..], stride });
        };
        match &self.heads[head].keys {
            Keys::F32(keys) => {
                let queries = Rows { values: &room.queries[first * HEAD..], stride: HEAD, count: last - first };
                let isa = Isa::best();
                for (at, panel) in keys[panels].chunks_exact(HEAD * PANEL).enumerate() {
                    target(at, &|out| {
                        isa.multiply(queries, Right { panel, bias, cols: PANEL, add: false, ahead: 0 }, out)
                    });
                }
            }
            Keys::I16 { panels: keys, units, .. } => {
                let queries = room.rounded.part(first, last);
                for (at, (panel, units)) in keys[panels].chunks_exact(HEAD * PANEL).zip(&units[panel..]).enumerate() {
                    target(at, &|out| multiply(queries, Right16 { panel, units, bias, add: false, ahead: 0 }, out));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Softmax(q·k/8)·v of one token and head in f64.
    fn plain(qkv: &[f32], dim: usize, token: usize, head: usize) -> Vec<f64> {
        let at = |t: usize, part: usize, i: usize| f64::from(qkv[t * 3 * dim + part * dim + head * HEAD + i]);
        let tokens = qkv.len() / (3 * dim);
        let score = |t: usize| (0..HEAD).map(|i| at(token, 0, i) * at(t, 1, i)).sum::<f64>() / 8.0;
        let scores: Vec<f64> = (0..tokens).map(score).collect();
        let highest = scores.iter().copied().fold(f64::MIN, f64::max);
        let weights: Vec<f64> = scores.iter().map(|s| (s - highest).exp()).collect();
        let total: f64 = weights.iter().sum();
        (0..HEAD).map(|i| (0..tokens).map(|t| weights[t] * at(t, 2, i)).sum::<f64>() / total).collect()
    }

    #[test]
    fn blocks_and_tiles_give_the_attention_of_the_formula() {
        for (tokens, first, count) in [(1, 0, 1), (33, 0, 33), (530, 7, 25)] {
            let dim = 2 * HEAD;
            let qkv: Vec<f32> =
                (0..tokens * 3 * dim).map(|i| ((i * i * 31 + i * 7) % 401) as f32 / 100.0 - 2.0).collect();
            let mut held = KeyValues::new(tokens, 2, Precision::F32);
            held.fill(&qkv);
            let mut out = vec![9.0; count * (dim + 8)];
            let target = &mut RowsMut { values: &mut out, stride: dim + 8 };
            held.attend(Queries { qkv: &qkv, dim, first, count }, &mut AttentionRoom::default(), target);
            for (row, mixed) in out.chunks_exact(dim + 8).enumerate() {
                for head in 0..2 {
                    let exact = plain(&qkv, dim, first + row, head);
                    let own = &mixed[head * HEAD..][..HEAD];
                    let worst = own.iter().zip(&exact).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
                    assert!(worst < 1e-5, "{tokens} tokens, row {row}: {worst}");
                }
                assert!(mixed[dim..].iter().all(|&v| v == 9.0));
            }
        }
    }
}
