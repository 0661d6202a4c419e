//! Normalised pixels → tokens of a layer, on the processor, in f32.
//!
//! The numbers of a token do not depend on which tokens are worked on together, so neither threads nor
//! batches change the result.

use crate::architecture::Family;
use crate::block::Blocks;
use crate::elementwise::layer_norm;
use crate::network::Network;
use crate::positions::{Interpolation, interpolate};
use crate::rotary::Rotary;
use rayon::prelude::*;
use segcut_kernel::{Room16, Rows, RowsMut};
use serde::{Deserialize, Serialize};

/// Patches that are embedded together.
const CHUNK: usize = 48;

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
    /// 24·tokens·dim² + 4·tokens²·dim operations a layer; memory for 6·tokens·dim numbers.
    pub fn forward(&self, planes: Planes<'_>, tap: &Tap) -> Activations {
        let mut all = self.forward_batch(&[planes], tap);
        all.swap_remove(0)
    }

    /// Normalised pixels of several images of one size → descriptors of one layer, image by image.
    ///
    /// The rows of all images are shared out over the threads together.
    ///
    /// # Panics
    /// As [`forward`](Self::forward), and where sizes differ.
    ///
    /// # Determinism
    /// What [`forward`](Self::forward) gives for each image, to the bit.
    ///
    /// # Cost
    /// As [`forward`](Self::forward), an image; memory for all images at once.
    pub fn forward_batch(&self, images: &[Planes<'_>], tap: &Tap) -> Vec<Activations> {
        let Some(first) = images.first() else { return Vec::new() };
        assert!(tap.layer < self.blocks.len(), "layer {} of {}", tap.layer, self.blocks.len());
        assert!(first.height.min(first.width) >= self.architecture.patch, "smaller than a patch");
        for planes in images {
            assert_eq!([planes.height, planes.width], [first.height, first.width], "images of one size");
            assert_eq!(planes.values.len(), 3 * planes.height * planes.width, "three planes");
        }
        let grid @ [rows, cols] = self.grid(first.height, first.width, tap.stride);
        let tokens = self.architecture.prefix() + rows * cols;
        let mut x = self.embed(images, grid, tap);
        let rotary = (self.architecture.family == Family::Dinov3).then(|| Rotary::new(rows, cols, &self.periods));
        let mut blocks = Blocks::new(self, [images.len(), tokens], rotary.as_ref(), tap.epsilon);
        for block in &self.blocks[..tap.layer] {
            blocks.apply(block, &mut x);
        }
        let last = &self.blocks[tap.layer];
        blocks.query_key_value(last, &x);
        let facet = match tap.facet {
            Facet::Query => Some(blocks.part(0)),
            Facet::Key => Some(blocks.part(1)),
            Facet::Value => Some(blocks.part(2)),
            Facet::Token => None,
        };
        blocks.turn();
        let attention = blocks.class_attention();
        let all = facet.unwrap_or_else(|| {
            blocks.finish(last, &mut x);
            x
        });
        let per_image = all.chunks_exact(tokens * self.architecture.dim).zip(attention);
        per_image.map(|(tokens, attention)| Activations { rows, cols, tokens: tokens.to_vec(), attention }).collect()
    }

    /// The final layer norm of tokens.
    pub fn normalise(&self, tokens: &[f32], epsilon: f32) -> Vec<f32> {
        let mut out = vec![0.0; tokens.len()];
        layer_norm(tokens, &self.norm, epsilon, &mut out, self.architecture.dim);
        out
    }

    /// Patches → tokens with their positions; class token and registers in front of each image's.
    fn embed(&self, images: &[Planes<'_>], [rows, cols]: [usize; 2], tap: &Tap) -> Vec<f32> {
        let (dim, patch, prefix) = (self.architecture.dim, self.architecture.patch, self.architecture.prefix());
        let positions = (self.architecture.positions > 0)
            .then(|| interpolate(&self.positions, self.architecture.positions, [rows, cols], tap.positions));
        let image = (prefix + rows * cols) * dim;
        let mut x = vec![0.0; images.len() * image];
        x.par_chunks_mut(image).zip(images).for_each(|(x, &planes)| {
            let (front, body) = x.split_at_mut(prefix * dim);
            let class = self.class.iter().zip(&self.class_position).map(|(c, p)| c + p);
            front.iter_mut().zip(class.chain(self.registers.iter().copied())).for_each(|(x, v)| *x = v);
            if let Some(positions) = &positions {
                body.copy_from_slice(positions);
            }
            body.par_chunks_mut(CHUNK * dim).enumerate().for_each(|(chunk, out)| {
                let (count, stride) = (out.len() / dim, self.patch.inputs);
                let mut cells = vec![0.0; count * stride];
                for (i, cell) in cells.chunks_exact_mut(stride).enumerate() {
                    let at = chunk * CHUNK + i;
                    copy_patch(planes, [at / cols * tap.stride, at % cols * tap.stride], patch, cell);
                }
                let cells = Rows { values: &cells, stride, count };
                self.patch.apply(cells, true, &mut RowsMut { values: out, stride: dim }, &mut Room16::default());
            });
        });
        x
    }
}

/// One patch, channel by channel, row by row.
fn copy_patch(planes: Planes<'_>, [top, left]: [usize; 2], patch: usize, cell: &mut [f32]) {
    for (line, out) in cell.chunks_exact_mut(patch).enumerate() {
        let (channel, row) = (line / patch, line % patch);
        let start = (channel * planes.height + top + row) * planes.width + left;
        out.copy_from_slice(&planes.values[start..][..patch]);
    }
}
