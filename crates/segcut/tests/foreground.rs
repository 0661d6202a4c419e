//! The recipes for a foreground, on drawn images of all kinds and sizes.

#![allow(clippy::unwrap_used)]

use segcut::{Pipeline, Registry, Segmentation, recipe_named, soft_foreground};
use segcut_core::{ColorSpace, Context, Image, Mask, Samples, VOID};

const RECIPES: [&str; 3] = ["foreground", "foreground-fast", "robust-background"];

fn pipeline(name: &str) -> Pipeline {
    Pipeline::from_recipe(&recipe_named(name).unwrap(), &Registry::standard()).unwrap()
}

fn segment(name: &str, image: &Image) -> Segmentation {
    pipeline(name).segment(image, &Context::default()).unwrap()
}

/// A bright disc before a darker, slightly uneven ground.
fn disc(height: usize, width: usize, channels: usize) -> Vec<f32> {
    let pixel = |i: usize| {
        let (y, x) = ((i / width) as f32 + 0.5 - height as f32 / 2.0, (i % width) as f32 + 0.5 - width as f32 / 2.0);
        let inside = (y * y + x * x).sqrt() < height.min(width) as f32 * 0.25;
        let wave = 0.02 * ((i * 7 % 11) as f32 / 11.0);
        (0..channels).map(move |c| if inside { 0.8 - 0.2 * c as f32 / channels as f32 } else { 0.2 + wave })
    };
    (0..height * width).flat_map(pixel).collect()
}

/// The disc in 8-bit color, 16-bit gray and six bands of f32.
fn images(height: usize, width: usize) -> Vec<Image> {
    let bytes = |v: Vec<f32>| Samples::U8(v.iter().map(|v| (v * 255.0) as u8).collect());
    let words = |v: Vec<f32>| Samples::U16(v.iter().map(|v| (v * 65_535.0) as u16).collect());
    let image = |space, samples| Image::new(height, width, space, samples).unwrap();
    vec![
        image(ColorSpace::Srgb, bytes(disc(height, width, 3))),
        image(ColorSpace::Gray, words(disc(height, width, 1))),
        image(ColorSpace::Multiband, Samples::F32(disc(height, width, 6))),
    ]
}

#[test]
fn a_disc_is_found_in_images_of_every_kind() {
    for image in images(90, 120) {
        for name in RECIPES {
            let done = segment(name, &image);
            let truth = disc(90, 120, 1);
            let pairs = || done.labels.labels().iter().zip(&truth);
            let both = pairs().filter(|(label, value)| **label == 1 && **value > 0.5).count() as f64;
            let any = pairs().filter(|(label, value)| **label == 1 || **value > 0.5).count() as f64;
            assert!(both / any > 0.8, "{name}, {} channels: {}", image.channels(), both / any);
            assert!(done.confidence.unwrap() > 0.5, "{name}: {:?}", done.confidence);
        }
    }
}

#[test]
fn tiny_narrow_and_plain_images_have_a_mask() {
    let sizes = (1..=8).map(|side| (side, side)).chain([(1, 50), (50, 1), (2, 30)]);
    for (height, width) in sizes {
        let plain = Image::new(height, width, ColorSpace::Srgb, Samples::U8(vec![90; height * width * 3])).unwrap();
        for name in RECIPES {
            assert!(segment(name, &plain).labels.labels().iter().all(|&label| label == 0), "{name} {height}x{width}");
            for image in images(height, width) {
                assert!(segment(name, &image).labels.labels().iter().all(|&label| label < 2), "{name}");
            }
        }
    }
}

#[test]
fn void_pixels_stay_void_and_have_no_membership() {
    let values = disc(60, 60, 3).iter().map(|v| (v * 255.0) as u8).collect();
    let valid = Mask::new(60, 60, (0..3600).map(|i| i % 60 > 8).collect()).unwrap();
    let image = Image::with_mask(60, 60, ColorSpace::Srgb, Samples::U8(values), Some(valid.clone())).unwrap();
    for name in RECIPES {
        let pipeline = pipeline(name);
        let prepared = pipeline.prepare(&image, &Context::default()).unwrap();
        let done = pipeline.finish(&prepared, &Context::default()).unwrap();
        let soft = soft_foreground(&prepared, &done).unwrap();
        for ((&label, &inside), &x) in done.labels.labels().iter().zip(valid.bits()).zip(&soft) {
            assert_eq!(label == VOID, !inside, "{name}");
            assert!((0.0..=1.0).contains(&x) && (inside || x == 0.0), "{name}");
        }
    }
}

#[test]
fn large_images_are_worked_on_small_and_come_back_at_full_size() {
    let image = &images(500, 900)[0];
    let pipeline = pipeline("foreground");
    let prepared = pipeline.prepare(image, &Context::default()).unwrap();
    assert_eq!(prepared.working().width(), 640);
    let done = pipeline.finish(&prepared, &Context::default()).unwrap();
    assert_eq!((done.labels.height(), done.labels.width()), (500, 900));
    assert_eq!(soft_foreground(&prepared, &done).unwrap().len(), 500 * 900);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let image = &images(120, 160)[0];
    for name in RECIPES {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let done = pool.install(|| segment(name, image));
            (done.labels, done.confidence.map(f64::to_bits))
        };
        assert_eq!(run(1), run(2), "{name}");
    }
}
