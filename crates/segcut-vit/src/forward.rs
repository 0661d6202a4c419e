//! Normalised pixels → tokens of a layer, on the processor, in f32.
//!
//! Tokens are worked on in chunks of rows whose intermediate results stay in the cache; attention is
//! made chunk of queries by chunk of queries, so its scores are never held whole. Chunks do not
//! depend on the number of threads, so neither does the result.

use crate::architecture::{Family, HEAD};
use crate::elementwise::{gated, gelu, layer_norm, softmax_numerators};
use crate::network::{Block, Linear, Network};
use crate::positions::{Interpolation, interpolate};
use crate::rotary::Rotary;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Rows of tokens that are worked on together.
const CHUNK: usize = 64;

/// Which numbers of a layer describe a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// The block's output.
    Token,
    /// The keys of its attention, heads side by side, before rotary positions.
    Key,
    /// The queries of its attention.
    Query,
    /// The values of its attention.
    Value,
}

/// What is wanted of a forward pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tap {
    /// Block, from 0.
    pub layer: usize,
    /// Which of its numbers.
    pub facet: Facet,
    /// Pixels from one patch to the next.
    pub stride: usize,
    /// How learned positions are brought to the grid.
    pub positions: Interpolation,
    /// Tolerance inside the square root of layer norms.
    pub epsilon: f32,
}

/// What a forward pass gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    /// Rows of patches.
    pub rows: usize,
    /// Columns of patches.
    pub cols: usize,
    /// `prefix + rows·cols` descriptors of `dim` numbers: class token, registers, patches row by row.
    pub tokens: Vec<f32>,
    /// Attention that the class token pays to each patch, mean over heads.
    pub attention: Vec<f32>,
}

/// Three planes of normalised samples (channels × height × width).
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    /// 3·height·width values.
    pub values: &'a [f32],
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Network {
    /// Rows and columns of patches of an image of this size.
    pub fn grid(&self, height: usize, width: usize, stride: usize) -> [usize; 2] {
        [height, width].map(|side| (side.max(self.architecture.patch) - self.architecture.patch) / stride + 1)
    }

    /// Normalised pixels → descriptors of one layer.
    ///
    /// # Panics
    /// Where the planes are smaller than a patch or hold another number of values, or the layer is
    /// not one of the network's.
    ///
    /// # Determinism
    /// The same at any number of threads.
    ///
    /// # Cost
    /// 24·tokens·dim² + 4·tokens²·dim operations a layer; memory for 5·tokens·dim numbers.
    pub fn forward(&self, planes: Planes<'_>, tap: &Tap) -> Activations {
        assert!(tap.layer < self.blocks.len(), "layer {} of {}", tap.layer, self.blocks.len());
        assert_eq!(planes.values.len(), 3 * planes.height * planes.width, "three planes");
        assert!(planes.height.min(planes.width) >= self.architecture.patch, "smaller than a patch");
        let [rows, cols] = self.grid(planes.height, planes.width, tap.stride);
        let mut x = self.embed(planes, [rows, cols], tap);
        let rotary = (self.architecture.family == Family::Dinov3).then(|| Rotary::new(rows, cols, &self.periods));
        for block in &self.blocks[..tap.layer] {
            let mut qkv = self.query_key_value(block, &x, tap.epsilon);
            self.turn(&mut qkv, rotary.as_ref());
            self.finish_block(block, &mut x, &qkv, tap.epsilon);
        }
        let last = &self.blocks[tap.layer];
        let mut qkv = self.query_key_value(last, &x, tap.epsilon);
        let part = |part| self.part(&qkv, part);
        let facet = match tap.facet {
            Facet::Query => Some(part(0)),
            Facet::Key => Some(part(1)),
            Facet::Value => Some(part(2)),
            Facet::Token => None,
        };
        self.turn(&mut qkv, rotary.as_ref());
        let attention = self.class_attention(&qkv);
        let tokens = facet.unwrap_or_else(|| {
            self.finish_block(last, &mut x, &qkv, tap.epsilon);
            x
        });
        Activations { rows, cols, tokens, attention }
    }

    /// The final layer norm of tokens.
    pub fn normalise(&self, tokens: &[f32], epsilon: f32) -> Vec<f32> {
        let mut out = vec![0.0; tokens.len()];
        layer_norm(tokens, &self.norm, epsilon, &mut out);
        out
    }

    /// Patches → tokens with their positions; class token and registers in front.
    fn embed(&self, planes: Planes<'_>, [rows, cols]: [usize; 2], tap: &Tap) -> Vec<f32> {
        let (dim, patch, prefix) = (self.architecture.dim, self.architecture.patch, self.architecture.prefix());
        let mut x = vec![0.0; (prefix + rows * cols) * dim];
        let (front, body) = x.split_at_mut(prefix * dim);
        let class = self.class.iter().zip(&self.class_position).map(|(c, p)| c + p);
        front.iter_mut().zip(class.chain(self.registers.iter().copied())).for_each(|(x, v)| *x = v);
        if self.architecture.positions > 0 {
            body.copy_from_slice(&interpolate(
                &self.positions,
                self.architecture.positions,
                [rows, cols],
                tap.positions,
            ));
        }
        body.par_chunks_mut(CHUNK * dim).enumerate().for_each(|(chunk, out)| {
            let count = out.len() / dim;
            let mut cells = vec![0.0; count * self.patch.inputs];
            for (i, cell) in cells.chunks_exact_mut(self.patch.inputs).enumerate() {
                let at = chunk * CHUNK + i;
                copy_patch(planes, [at / cols * tap.stride, at % cols * tap.stride], patch, cell);
            }
            add_linear(&self.patch, &cells, out);
        });
        x
    }

    /// Queries, keys and values of all tokens side by side.
    fn query_key_value(&self, block: &Block, x: &[f32], epsilon: f32) -> Vec<f32> {
        let dim = self.architecture.dim;
        let mut qkv = vec![0.0; 3 * x.len()];
        qkv.par_chunks_mut(CHUNK * 3 * dim).zip(x.par_chunks(CHUNK * dim)).for_each(|(out, x)| {
            let mut normed = vec![0.0; x.len()];
            layer_norm(x, &block.norm1, epsilon, &mut normed);
            add_linear(&block.qkv, &normed, out);
        });
        qkv
    }

    /// Rotary positions: turns the queries and keys of the patches.
    fn turn(&self, qkv: &mut [f32], rotary: Option<&Rotary>) {
        let Some(rotary) = rotary else { return };
        let (dim, prefix) = (self.architecture.dim, self.architecture.prefix());
        let patches = &mut qkv[prefix * 3 * dim..];
        patches.par_chunks_mut(3 * dim).enumerate().for_each(|(at, token)| rotary.turn(at, &mut token[..2 * dim]));
    }

    /// Queries (0), keys (1) or values (2) of all tokens.
    fn part(&self, qkv: &[f32], part: usize) -> Vec<f32> {
        let dim = self.architecture.dim;
        qkv.chunks_exact(3 * dim).flat_map(|token| token[part * dim..][..dim].iter().copied()).collect()
    }

    /// Attention, projection and perceptron added to the tokens.
    fn finish_block(&self, block: &Block, x: &mut [f32], qkv: &[f32], epsilon: f32) {
        let dim = self.architecture.dim;
        x.par_chunks_mut(CHUNK * dim).enumerate().for_each(|(chunk, x)| {
            let mut mixed = vec![0.0; x.len()];
            self.attend(qkv, chunk * CHUNK, &mut mixed);
            add_linear(&block.proj, &mixed, x);
            layer_norm(x, &block.norm2, epsilon, &mut mixed);
            let mut hidden = vec![0.0; mixed.len() / dim * block.fc1.outputs];
            add_linear(&block.fc1, &mixed, &mut hidden);
            match &block.gate {
                None => gelu(&mut hidden),
                Some(gate) => {
                    let mut open = vec![0.0; hidden.len()];
                    add_linear(gate, &mixed, &mut open);
                    gated(&mut hidden, &open);
                }
            }
            add_linear(&block.fc2, &hidden, x);
        });
    }

    /// Values mixed by the attention of the tokens from `first` on, heads side by side in `out`.
    fn attend(&self, qkv: &[f32], first: usize, out: &mut [f32]) {
        let dim = self.architecture.dim;
        let (tokens, count) = (qkv.len() / (3 * dim), out.len() / dim);
        let all = MatRef::from_row_major_slice(qkv, tokens, 3 * dim);
        let mut scores = vec![0.0; count * tokens];
        let mut inverse = vec![0.0; count];
        for head in 0..dim / HEAD {
            let at = |part: usize| part * dim + head * HEAD;
            let queries = all.submatrix(first, at(0), count, HEAD);
            let keys = all.submatrix(0, at(1), tokens, HEAD);
            let values = all.submatrix(0, at(2), tokens, HEAD);
            let table = MatMut::from_row_major_slice_mut(&mut scores, count, tokens);
            matmul(table, Accum::Replace, queries, keys.transpose(), 1.0, Par::Seq);
            softmax_numerators(&mut scores, tokens, (HEAD as f32).sqrt().recip(), &mut inverse);
            let table = MatRef::from_row_major_slice(&scores, count, tokens);
            let mixed = MatMut::from_row_major_slice_mut(out, count, dim).submatrix_mut(0, head * HEAD, count, HEAD);
            matmul(mixed, Accum::Replace, table, values, 1.0, Par::Seq);
            for (row, inverse) in out.chunks_exact_mut(dim).zip(&inverse) {
                row[head * HEAD..][..HEAD].iter_mut().for_each(|v| *v *= inverse);
            }
        }
    }

    /// Mean over heads of the class token's attention to the patches.
    fn class_attention(&self, qkv: &[f32]) -> Vec<f32> {
        let (dim, heads) = (self.architecture.dim, self.architecture.heads());
        let mut mean = vec![0.0; qkv.len() / (3 * dim)];
        for head in 0..heads {
            let query = &qkv[head * HEAD..][..HEAD];
            let score = |token: &[f32]| token[dim + head * HEAD..][..HEAD].iter().zip(query).map(|(k, q)| k * q).sum();
            let mut scores: Vec<f32> = qkv.chunks_exact(3 * dim).map(score).collect();
            let mut inverse = [0.0];
            let tokens = scores.len();
            softmax_numerators(&mut scores, tokens, (HEAD as f32).sqrt().recip(), &mut inverse);
            mean.iter_mut().zip(&scores).for_each(|(m, s)| *m += s * inverse[0] / heads as f32);
        }
        mean.split_off(self.architecture.prefix())
    }
}

/// out += W x + b for rows of x.
fn add_linear(linear: &Linear, x: &[f32], out: &mut [f32]) {
    let rows = x.len() / linear.inputs;
    for row in out.chunks_exact_mut(linear.outputs) {
        row.iter_mut().zip(&linear.bias).for_each(|(o, b)| *o += b);
    }
    let x = MatRef::from_row_major_slice(x, rows, linear.inputs);
    let weight = MatRef::from_row_major_slice(&linear.weight, linear.outputs, linear.inputs);
    let out = MatMut::from_row_major_slice_mut(out, rows, linear.outputs);
    matmul(out, Accum::Add, x, weight.transpose(), 1.0, Par::Seq);
}

/// One patch, channel by channel, row by row.
fn copy_patch(planes: Planes<'_>, [top, left]: [usize; 2], patch: usize, cell: &mut [f32]) {
    for (line, out) in cell.chunks_exact_mut(patch).enumerate() {
        let (channel, row) = (line / patch, line % patch);
        let start = (channel * planes.height + top + row) * planes.width + left;
        out.copy_from_slice(&planes.values[start..][..patch]);
    }
}
