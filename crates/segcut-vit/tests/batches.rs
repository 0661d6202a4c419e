//! Images together and alone.

#![allow(clippy::unwrap_used)]

use segcut_core::{ColorSpace, Context, FeatureExtractor, Image, Samples};
use segcut_vit::{Network, Tensor, Tensors, Vit, VitParams};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A DINO network of one block, one head and patches of 8.
fn network() -> Arc<Network> {
    let mut shapes: Vec<(&str, Vec<usize>)> = vec![
        ("cls_token", vec![1, 1, 64]),
        ("pos_embed", vec![1, 10, 64]),
        ("patch_embed.proj.weight", vec![64, 3, 8, 8]),
        ("blocks.0.attn.qkv.weight", vec![192, 64]),
        ("blocks.0.attn.qkv.bias", vec![192]),
        ("blocks.0.attn.proj.weight", vec![64, 64]),
        ("blocks.0.mlp.fc1.weight", vec![256, 64]),
        ("blocks.0.mlp.fc1.bias", vec![256]),
        ("blocks.0.mlp.fc2.weight", vec![64, 256]),
    ];
    let vectors = ["patch_embed.proj.bias", "norm.weight", "norm.bias", "blocks.0.norm1.weight", "blocks.0.norm1.bias"];
    let more = ["blocks.0.norm2.weight", "blocks.0.norm2.bias", "blocks.0.attn.proj.bias", "blocks.0.mlp.fc2.bias"];
    shapes.extend(vectors.into_iter().chain(more).map(|name| (name, vec![64])));
    let tensor = |shape: Vec<usize>| {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|i| ((i * 7919 + count) % 101) as f32 / 500.0 - 0.1).collect();
        Tensor { shape, values }
    };
    let tensors: BTreeMap<_, _> = shapes.into_iter().map(|(name, shape)| (name.to_string(), tensor(shape))).collect();
    Arc::new(Network::from_tensors(Tensors(tensors)).unwrap())
}

fn image(height: usize, width: usize, seed: usize) -> Image {
    let samples = (0..height * width * 3).map(|i| ((i * 31 + seed * 97) % 251) as u8).collect();
    Image::new(height, width, ColorSpace::Srgb, Samples::U8(samples)).unwrap()
}

#[test]
fn a_slice_gives_what_every_image_gives_alone() {
    let vit = Vit::new(network(), VitParams { unit: true, ..VitParams::default() }).unwrap();
    let mut images: Vec<Image> = (0..11).map(|seed| image(24, 33, seed)).collect();
    images.extend([image(16, 16, 1), image(24, 31, 2), image(24, 33, 3)]);
    let together = vit.extract(&images, &Context::default()).unwrap();
    assert_eq!(together.len(), images.len());
    for (image, both) in images.chunks(1).zip(&together) {
        let alone = vit.extract(image, &Context::default()).unwrap().remove(0);
        assert_eq!(alone.maps[0].grid(), both.maps[0].grid());
        assert_eq!(alone.maps[0].held_values(), both.maps[0].held_values());
        assert_eq!(alone.attention.unwrap().held_values(), both.attention.as_ref().unwrap().held_values());
    }
    assert!(vit.extract(&[], &Context::default()).unwrap().is_empty());
    let odd = Image::new(8, 8, ColorSpace::Multiband, Samples::U8(vec![0; 320])).unwrap();
    assert!(vit.extract(&[image(8, 8, 0), odd], &Context::default()).is_err());
}
