//! The recipes `ucm` and `ucm-fast`: one tree answers every k and height, on every kind of image.

#![allow(clippy::unwrap_used)]

use segcut::{Pipeline, Registry, Segmentation, contour_map, recipe_named};
use segcut_core::{ColorSpace, Context, Image, LabelMap, Mask, Partition, Samples, VOID};
use segcut_eval::UltrametricMap;

const RECIPES: [&str; 2] = ["ucm", "ucm-fast"];
const SIDE: usize = 72;

fn pipeline(name: &str, overrides: &[(&str, &str)]) -> Pipeline {
    let mut recipe = recipe_named(name).unwrap();
    for (key, value) in overrides {
        recipe.set(key, value).unwrap();
    }
    Pipeline::from_recipe(&recipe, &Registry::standard()).unwrap()
}

/// Nine fields of gray with a texture in some of them.
fn fields() -> Image {
    let pixel = |at: usize| {
        let (y, x) = (at / SIDE, at % SIDE);
        let field = y / 24 * 3 + x / 24;
        let texture = if field % 2 == 0 { (y * 7 + x * 13) % 5 * 4 } else { 0 };
        [(20 + 25 * field + texture) as u8, (230 - 20 * field) as u8, 90]
    };
    Image::new(SIDE, SIDE, ColorSpace::Srgb, Samples::U8((0..SIDE * SIDE).flat_map(pixel).collect())).unwrap()
}

/// Regions numbered by their first pixel.
fn projected(leaves: &LabelMap, partition: &Partition) -> Vec<u32> {
    let labels = leaves.labels().iter().map(|&leaf| partition.labels()[leaf as usize]).collect();
    LabelMap::new(leaves.height(), leaves.width(), labels).unwrap().compact().labels().to_vec()
}

#[test]
fn one_tree_answers_every_k() {
    let image = fields();
    for name in RECIPES {
        let auto = pipeline(name, &[]).segment(&image, &Context::default()).unwrap();
        assert!((7..=12).contains(&auto.labels.n()), "{name}: {}", auto.labels.n());
        let tree = auto.clustering.tree.unwrap();
        for k in [1, 2, 9, 20] {
            let pipeline = pipeline(name, &[("cluster.k", &k.to_string())]);
            let prepared = pipeline.prepare(&image, &Context::default()).unwrap();
            let found = pipeline.finish(&prepared, &Context::default()).unwrap();
            assert_eq!(found.labels.n(), k.min(tree.leaves()));
            assert_eq!(found.labels.compact().labels(), projected(prepared.superpixels(), &tree.cut_k(k)));
        }
    }
}

#[test]
fn the_contour_map_cut_at_a_height_is_the_tree_cut_there() {
    let image = fields();
    for name in RECIPES {
        let pipeline = pipeline(name, &[]);
        let prepared = pipeline.prepare(&image, &Context::default()).unwrap();
        let done = pipeline.finish(&prepared, &Context::default()).unwrap();
        let map = contour_map(&prepared, &done).unwrap();
        let map = UltrametricMap::new(2 * SIDE + 1, 2 * SIDE + 1, &map).unwrap();
        let tree = done.clustering.tree.as_ref().unwrap();
        let own = tree.own_cut().unwrap();
        for share in [0.101, 0.173, 0.25, 0.391, 0.577] {
            let cut = tree.cut_height(own * f64::from(share) / 0.25);
            assert_eq!(map.cut(share).unwrap().labels(), projected(prepared.superpixels(), &cut), "{name} {share}");
        }
        assert_eq!(map.cut(0.25).unwrap().labels(), done.labels.compact().labels(), "{name}");
    }
}

fn segment_on(threads: usize, name: &str, image: &Image) -> Segmentation {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| pipeline(name, &[]).segment(image, &Context::default()).unwrap())
}

#[test]
fn the_same_tree_at_any_number_of_threads() {
    let image = fields();
    for name in RECIPES {
        let (one, two) = (segment_on(1, name, &image), segment_on(2, name, &image));
        assert_eq!(one.labels, two.labels);
        assert_eq!(one.clustering.tree, two.clustering.tree);
    }
}

fn drawn(height: usize, width: usize, channels: usize) -> Vec<u16> {
    (0..height * width * channels).map(|i| ((i * i + 31 * i) % 251 * 257) as u16).collect()
}

#[test]
fn every_kind_of_image_has_a_result() {
    let mut images = Vec::new();
    for (height, width) in [(1, 1), (1, 2), (2, 1), (3, 3), (8, 8), (1, 200), (200, 1), (2, 90)] {
        for (space, channels) in [(ColorSpace::Gray, 1), (ColorSpace::Srgb, 3), (ColorSpace::Multiband, 5)] {
            let samples = Samples::U16(drawn(height, width, channels));
            images.push(Image::new(height, width, space, samples).unwrap());
        }
    }
    for name in RECIPES {
        let pipeline = pipeline(name, &[]);
        for image in &images {
            let found = pipeline.segment(image, &Context::default()).unwrap();
            assert!(found.labels.n() >= 1 && found.labels.labels().iter().all(|&l| (l as usize) < found.labels.n()));
        }
    }
}

#[test]
fn one_color_is_one_region_and_void_stays_void() {
    let flat = Image::new(20, 30, ColorSpace::Srgb, Samples::U8([9, 80, 200].repeat(600))).unwrap();
    let bits: Vec<bool> = (0..SIDE * SIDE).map(|at| at % SIDE < 40).collect();
    let samples = fields().samples().clone();
    let mask = Mask::new(SIDE, SIDE, bits.clone()).unwrap();
    let masked = Image::with_mask(SIDE, SIDE, ColorSpace::Srgb, samples, Some(mask)).unwrap();
    for name in RECIPES {
        let pipeline = pipeline(name, &[]);
        assert_eq!(pipeline.segment(&flat, &Context::default()).unwrap().labels.n(), 1, "{name}");
        let found = pipeline.segment(&masked, &Context::default()).unwrap();
        let valid: Vec<bool> = found.labels.labels().iter().map(|&label| label != VOID).collect();
        assert_eq!(valid, bits);
    }
}
