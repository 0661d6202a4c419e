//! A transformer block applied to the tokens of several images.

use crate::architecture::HEAD;
use crate::attention::{AttentionRoom, KeyValues, Queries};
use crate::elementwise::{Running, gated, gelu, layer_norm, softmax_block};
use crate::linear::Linear;
use crate::network::{Block, Network};
use crate::rotary::Rotary;
use rayon::prelude::*;
use segcut_kernel::{Room16, Rows, RowsMut};

/// Rows of tokens that are worked on together at most: what is between two maps stays in the cache.
const CHUNK: usize = 72;
/// And at least, where there are many threads.
const LEAST: usize = 12;
/// Kept between rows, so that they do not lie a power of two apart.
const GAP: usize = 16;

/// The blocks of a network over images of one size, and the room that they work in.
#[derive(Debug)]
pub(crate) struct Blocks<'a> {
    network: &'a Network,
    rotary: Option<&'a Rotary>,
    epsilon: f32,
    /// Tokens of one image.
    tokens: usize,
    /// Rows of a chunk.
    chunk: usize,
    /// Queries, keys and values of all tokens of all images side by side.
    qkv: Vec<f32>,
    held: Vec<KeyValues>,
}

/// Room of one thread.
#[derive(Default)]
struct Room {
    normed: Vec<f32>,
    hidden: Vec<f32>,
    open: Vec<f32>,
    rounded: Room16,
    attention: AttentionRoom,
}

impl<'a> Blocks<'a> {
    /// Working memory for so many images of so many tokens each.
    pub fn new(network: &'a Network, [images, tokens]: [usize; 2], rotary: Option<&'a Rotary>, epsilon: f32) -> Self {
        let qkv = vec![0.0; images * tokens * 3 * network.architecture.dim];
        let chunk = chunk_rows([images, tokens], rayon::current_num_threads());
        let held = KeyValues::new(tokens, network.architecture.heads(), network.precision);
        Self { network, rotary, epsilon, tokens, chunk, qkv, held: vec![held; images] }
    }

    /// One whole block.
    pub fn apply(&mut self, block: &Block, x: &mut [f32]) {
        self.query_key_value(block, x);
        self.turn();
        self.finish(block, x);
    }

    /// Queries, keys and values of all tokens side by side.
    pub fn query_key_value(&mut self, block: &Block, x: &[f32]) {
        let dim = self.network.architecture.dim;
        let stride = dim + GAP;
        let rows = x.par_chunks(self.chunk * dim).zip(self.qkv.par_chunks_mut(self.chunk * 3 * dim));
        rows.for_each_init(Room::default, |Room { normed, rounded, .. }, (x, out)| {
            normed.resize(self.chunk * stride, 0.0);
            layer_norm(x, &block.norm1, self.epsilon, normed, stride);
            let normed = Rows { values: normed, stride, count: x.len() / dim };
            block.qkv.apply(normed, false, &mut RowsMut { values: out, stride: 3 * dim }, rounded);
        });
    }

    /// Rotary positions: turns the queries and keys of the patches.
    pub fn turn(&mut self) {
        let Some(rotary) = self.rotary else { return };
        let (dim, prefix) = (self.network.architecture.dim, self.network.architecture.prefix());
        self.qkv.par_chunks_mut(self.tokens * 3 * dim).for_each(|image| {
            let patches = image[prefix * 3 * dim..].par_chunks_mut(3 * dim);
            patches.enumerate().for_each(|(at, token)| rotary.turn(at, &mut token[..2 * dim]));
        });
    }

    /// Queries (0), keys (1) or values (2) of all tokens.
    pub fn part(&self, part: usize) -> Vec<f32> {
        let dim = self.network.architecture.dim;
        self.qkv.chunks_exact(3 * dim).flat_map(|token| token[part * dim..][..dim].iter().copied()).collect()
    }

    /// Attention, projection and perceptron added to the tokens.
    pub fn finish(&mut self, block: &Block, x: &mut [f32]) {
        let dim = self.network.architecture.dim;
        let image = self.tokens * 3 * dim;
        self.held.par_iter_mut().zip(self.qkv.par_chunks(image)).for_each(|(held, qkv)| held.fill(qkv));
        let this = &*self;
        let chunks = x.par_chunks_mut(this.tokens * dim).enumerate().flat_map(|(image, x)| {
            x.par_chunks_mut(this.chunk * dim).enumerate().map(move |(chunk, x)| (image, chunk * this.chunk, x))
        });
        chunks.for_each_init(Room::default, |room, (at, first, x)| {
            let qkv = &this.qkv[at * image..][..image];
            let queries = Queries { qkv, dim, first, count: x.len() / dim };
            let stride = dim + GAP;
            room.normed.resize(this.chunk * stride, 0.0);
            let mut mixed = RowsMut { values: &mut room.normed, stride };
            this.held[at].attend(queries, &mut room.attention, &mut mixed);
            let mixed = Rows { values: &room.normed, stride, count: queries.count };
            block.proj.apply(mixed, true, &mut RowsMut { values: x, stride: dim }, &mut room.rounded);
            layer_norm(x, &block.norm2, this.epsilon, &mut room.normed, stride);
            perceptron(block, room, x);
        });
    }

    /// Mean over heads of each image's class token's attention to the patches.
    pub fn class_attention(&self) -> Vec<Vec<f32>> {
        let dim = self.network.architecture.dim;
        self.qkv.par_chunks(self.tokens * 3 * dim).map(|qkv| self.class_attention_of(qkv)).collect()
    }

    fn class_attention_of(&self, qkv: &[f32]) -> Vec<f32> {
        let (dim, heads) = (self.network.architecture.dim, self.network.architecture.heads());
        let scale = std::f32::consts::LOG2_E / (HEAD as f32).sqrt();
        let mut mean = vec![0.0; self.tokens];
        for head in 0..heads {
            let query = &qkv[head * HEAD..][..HEAD];
            let product = |key: &[f32]| key.iter().zip(query).map(|(k, q)| k * q).sum::<f32>() * scale;
            let mut scores: Vec<f32> =
                qkv.chunks_exact(3 * dim).map(|token| product(&token[dim + head * HEAD..][..HEAD])).collect();
            let mut state = [Running::default()];
            softmax_block(&mut scores, [self.tokens; 2], &mut state);
            mean.iter_mut().zip(&scores).for_each(|(m, s)| *m += s / (state[0].sum * heads as f32));
        }
        mean.split_off(self.network.architecture.prefix())
    }
}

/// Perceptron of the normed tokens in `room`, added to the tokens.
fn perceptron(block: &Block, room: &mut Room, x: &mut [f32]) {
    let dim = block.fc2.outputs;
    let count = x.len() / dim;
    let Room { normed, hidden, open, rounded, .. } = room;
    let normed = Rows { values: normed, stride: dim + GAP, count };
    let stride = block.fc1.width() + GAP;
    let mut apply = |linear: &Linear, out: &mut Vec<f32>| {
        out.resize(count * stride, 0.0);
        linear.apply(normed, false, &mut RowsMut { values: out, stride }, rounded);
    };
    apply(&block.fc1, hidden);
    match &block.gate {
        None => gelu(hidden),
        Some(gate) => {
            apply(gate, open);
            gated(hidden, open);
        }
    }
    let hidden = Rows { values: hidden, stride, count };
    block.fc2.apply(hidden, true, &mut RowsMut { values: x, stride: dim }, rounded);
}

/// Rows of a chunk: about equal chunks that keep all threads busy.
fn chunk_rows([images, tokens]: [usize; 2], threads: usize) -> usize {
    let enough = tokens.div_ceil(CHUNK);
    let most = tokens.div_ceil(LEAST).max(1);
    let even = (enough..=most).find(|chunks| (chunks * images).is_multiple_of(threads.max(1)));
    tokens.div_ceil(even.unwrap_or(most)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_even_over_threads() {
        assert_eq!(chunk_rows([1, 197], 1), 66);
        assert_eq!(chunk_rows([1, 197], 2), 50);
        assert_eq!(chunk_rows([8, 197], 2), 66);
        assert_eq!(chunk_rows([1, 5], 64), 5);
        assert_eq!(chunk_rows([1, 197], 64), 12);
    }
}
