//! Queries, keys and values → values mixed by the softmax of queries times keys, never holding all scores.

use crate::architecture::HEAD;
use crate::elementwise::{Running, softmax_block};
use crate::linear::pack_transposed;
use crate::microkernel::{Isa, PANEL, Right, Rows, RowsMut};
use rayon::prelude::*;

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
    /// A head: panels of 32 tokens, 64 × 32 numbers each.
    keys: Vec<f32>,
    /// A head: two panels of tokens × 32 numbers.
    values: Vec<f32>,
}

/// Room that [`KeyValues::attend`] works in.
#[derive(Debug, Default)]
pub(crate) struct AttentionRoom {
    queries: Vec<f32>,
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
    /// Lays out the keys and values of an image; what was held before is dropped.
    pub fn fill(&mut self, qkv: &[f32], dim: usize) {
        let tokens = qkv.len() / (3 * dim);
        let padded = tokens.next_multiple_of(PANEL);
        if tokens != self.tokens {
            // what fills up the last panel must be zeros
            self.keys.clear();
        }
        self.tokens = tokens;
        self.keys.resize(padded * dim, 0.0);
        self.values.resize(tokens * dim, 0.0);
        let keys = self.keys.par_chunks_exact_mut(padded * HEAD);
        let values = self.values.par_chunks_exact_mut(tokens * HEAD);
        keys.zip(values).enumerate().for_each(|(head, (keys, values))| {
            let own = Rows { values: &qkv[dim + head * HEAD..], stride: 3 * dim };
            pack_transposed(own, tokens, HEAD, keys);
            for (half, panel) in values.chunks_exact_mut(tokens * PANEL).enumerate() {
                let start = 2 * dim + head * HEAD + half * PANEL;
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
        let padded = self.tokens.next_multiple_of(PANEL);
        let width = length.next_multiple_of(PANEL);
        let stride = width + GAP;
        let keys = &self.keys[(head * padded + start) * HEAD..][..width * HEAD];
        let tiles = count.div_ceil(QUERIES);
        room.scores.resize(QUERIES * stride, 0.0);
        for tile in 0..tiles {
            let [first, last] = [tile, tile + 1].map(|t| t * count / tiles);
            let (rows, states) = (last - first, &mut room.states[first..last]);
            let queries = Rows { values: &room.queries[first * HEAD..], stride: HEAD };
            for (at, panel) in keys.chunks_exact(HEAD * PANEL).enumerate() {
                let right = Right { panel, bias: &[0.0; PANEL], add: false };
                isa.multiply(rows, queries, right, &mut RowsMut { values: &mut room.scores[at * PANEL..], stride });
            }
            for row in room.scores.chunks_exact_mut(stride).take(rows) {
                row[length..width].fill(f32::NEG_INFINITY);
            }
            softmax_block(&mut room.scores, [stride, width], states);
            let own = &mut out.values[first * out.stride + head * HEAD..];
            for (row, state) in own.chunks_mut(out.stride).zip(states) {
                row[..HEAD].iter_mut().for_each(|v| *v *= state.factor);
            }
            let scores = Rows { values: &room.scores, stride };
            for half in 0..HEAD / PANEL {
                let line = (head * HEAD / PANEL + half) * self.tokens + start;
                let panel = &self.values[line * PANEL..][..length * PANEL];
                let right = Right { panel, bias: &[0.0; PANEL], add: true };
                isa.multiply(
                    rows,
                    scores,
                    right,
                    &mut RowsMut { values: &mut own[half * PANEL..], stride: out.stride },
                );
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
            let mut held = KeyValues::default();
            held.fill(&qkv, dim);
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
