//! What holds for superpixels of any image.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use segcut_core::{ColorSpace, Context, FeatureMap, Grid, Image, LabelMap, Mask, Oversegmenter, Samples, VOID};
use segcut_superpixel::{Distance, Etps, EtpsParams, Seeding, Slic, SlicFrom, SlicParams, Snic, SnicParams};

fn segment(image: &Image, params: &SlicParams) -> LabelMap {
    Slic::new(params.clone()).unwrap().oversegment(image, &[], &Context::default()).unwrap()
}

/// The number of 4-connected pieces of equal labels.
fn pieces(map: &LabelMap) -> usize {
    let (labels, width) = (map.labels(), map.width());
    let mut seen: Vec<bool> = labels.iter().map(|&l| l == VOID).collect();
    let mut count = 0;
    for start in 0..labels.len() {
        if seen[start] {
            continue;
        }
        count += 1;
        let mut stack = vec![start];
        seen[start] = true;
        while let Some(at) = stack.pop() {
            let x = at % width;
            let sides = [(x > 0).then(|| at - 1), (x + 1 < width).then_some(at + 1)];
            let rest = [at.checked_sub(width), Some(at + width).filter(|&p| p < labels.len())];
            for p in sides.into_iter().chain(rest).flatten() {
                if !seen[p] && labels[p] == labels[at] {
                    seen[p] = true;
                    stack.push(p);
                }
            }
        }
    }
    count
}

fn noise(height: usize, width: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..height * width * 3).map(next).collect()
}

fn check(image: &Image, params: &SlicParams) {
    let map = segment(image, params);
    let valid = image.valid().map_or(image.pixels(), Mask::count);
    assert!(map.n() >= 1 && map.n() <= valid);
    assert_eq!(pieces(&map), map.n(), "every region is one piece");
    let sizes = map.sizes();
    assert!(sizes.iter().all(|&s| s > 0));
    if image.valid().is_none() && params.n_segments < valid && params.seeding == Seeding::Even {
        // The segment size first, as the algorithm has it: 0.35 · (480 / 7) rounds to below 24.
        let smallest = (params.min_size_factor * (valid as f64 / params.n_segments as f64)) as usize;
        assert!(sizes.iter().all(|&s| s >= smallest || map.n() == 1), "none under {smallest}: {sizes:?}");
    }
    for at in 0..image.pixels() {
        assert_eq!(map.labels()[at] == VOID, image.valid().is_some_and(|mask| !mask.bits()[at]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn regions_are_connected_and_large_enough(
        (height, width) in (1usize..40, 1usize..40),
        n_segments in 1usize..60,
        seed: u64,
        narrow: bool,
        lattice: bool,
        holes: bool,
    ) {
        let samples = noise(height, width, seed);
        let mut bits: Vec<bool> = samples.chunks(3).map(|p| !holes || p[0] > 60).collect();
        bits[0] = true;
        let samples = match narrow {
            true => Samples::U8(samples),
            false => Samples::U16(samples.iter().map(|&v| u16::from(v) * 200).collect()),
        };
        let mask = Mask::new(height, width, bits).unwrap();
        let image = Image::with_mask(height, width, ColorSpace::Srgb, samples, Some(mask)).unwrap();
        let seeding = if lattice { Seeding::Lattice } else { Seeding::Even };
        check(&image, &SlicParams { n_segments, seeding, ..SlicParams::default() });
    }
}

#[test]
fn any_number_of_threads_gives_the_same_labels() {
    let bytes = noise(150, 70, 7);
    let wide = Samples::F32(bytes.iter().map(|&v| f32::from(v) / 255.0).collect());
    for samples in [Samples::U8(bytes), wide] {
        let image = Image::new(150, 70, ColorSpace::Srgb, samples).unwrap();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| segment(&image, &SlicParams { n_segments: 50, ..SlicParams::default() }))
        };
        let one = run(1);
        for threads in [2, 4, 8] {
            assert_eq!(run(threads), one);
        }
    }
}

#[test]
fn more_segments_than_pixels_make_single_pixels() {
    let image = Image::new(3, 4, ColorSpace::Gray, Samples::U8(vec![5; 12])).unwrap();
    for n_segments in [12, 13, usize::MAX] {
        let map = segment(&image, &SlicParams { n_segments, ..SlicParams::default() });
        assert_eq!(map.labels(), (0..12).collect::<Vec<u32>>());
    }
}

#[test]
fn a_constant_image_gives_the_grid_of_seeds() {
    for samples in [Samples::U8(vec![90; 3600]), Samples::F32(vec![0.3; 3600])] {
        let image = Image::new(60, 60, ColorSpace::Gray, samples).unwrap();
        let map = segment(&image, &SlicParams { n_segments: 9, ..SlicParams::default() });
        assert_eq!(map.n(), 9);
        assert!(map.sizes().iter().all(|s| (300..=500).contains(s)), "{:?}", map.sizes());
    }
}

#[test]
fn lines_and_checkerboards_are_segmented() {
    let line = Image::new(1, 200, ColorSpace::Gray, Samples::U8((0..200).map(|i| i / 50 * 60).collect())).unwrap();
    let map = segment(&line, &SlicParams { n_segments: 8, ..SlicParams::default() });
    assert!((4..=12).contains(&map.n()));
    assert!([49, 99, 149].iter().all(|&x| map.labels()[x] != map.labels()[x + 1]));
    let board: Vec<u8> = (0..64 * 64).map(|i| if (i / 64 + i % 64) % 2 == 0 { 0 } else { 255 }).collect();
    let board = Image::new(64, 64, ColorSpace::Gray, Samples::U8(board)).unwrap();
    check(&board, &SlicParams { n_segments: 16, ..SlicParams::default() });
}

#[test]
fn bands_and_the_settings_of_scikit_image_run() {
    let bands = Samples::U16((0..40 * 40 * 5).map(|i| if i % 200 < 100 { 100 } else { 60_000 }).collect());
    let image = Image::new(40, 40, ColorSpace::Multiband, bands).unwrap();
    let map = segment(&image, &SlicParams { n_segments: 20, ..SlicParams::default() });
    assert!(map.labels().chunks(40).all(|row| row[19] != row[20]));
    let params = SlicParams {
        n_segments: 20,
        distance: Distance::Euclidean,
        seeding: Seeding::Lattice,
        stretch: true,
        sigma: 0.5,
        row_stride: Some(1),
        ..SlicParams::default()
    };
    assert_eq!(pieces(&segment(&image, &params)), segment(&image, &params).n());
}

#[test]
fn slico_evens_out_texture() {
    // The right half is noise; SLICO keeps its regions as smooth as those of the left half.
    let noise = noise(60, 60, 5);
    let samples = (0..3600).map(|i| if i % 60 < 30 { 100 } else { noise[i] }).collect();
    let image = Image::new(60, 60, ColorSpace::Gray, Samples::U8(samples)).unwrap();
    let params = SlicParams { n_segments: 36, min_size_factor: 0.0, ..SlicParams::default() };
    let plain = segment(&image, &params);
    let slico = segment(&image, &SlicParams { slic_zero: true, ..params });
    assert!(slico.n() * 2 < plain.n(), "{} regions instead of {}", slico.n(), plain.n());
}

#[test]
fn unconnected_labels_cover_every_valid_pixel() {
    let image = Image::new(50, 50, ColorSpace::Srgb, Samples::U8(noise(50, 50, 3))).unwrap();
    let map = segment(&image, &SlicParams { n_segments: 25, enforce_connectivity: false, ..SlicParams::default() });
    assert!(map.n() <= 25 && !map.labels().contains(&VOID));
}

#[test]
fn refused_parameters_are_named() {
    let with = |change: fn(&mut SlicParams)| {
        let mut params = SlicParams::default();
        change(&mut params);
        Slic::new(params).unwrap_err().to_string()
    };
    assert_eq!(with(|p| p.n_segments = 0), "superpixels.n_segments = 0 is refused: it must be at least 1");
    assert!(with(|p| p.compactness = f64::NAN).contains("compactness"));
    assert!(with(|p| p.max_num_iter = 0).contains("max_num_iter"));
    assert!(with(|p| p.sigma = -1.0).contains("sigma"));
    assert!(with(|p| p.min_size_factor = 1.5).contains("min_size_factor"));
    assert!(with(|p| p.max_size_factor = f64::NAN).contains("max_size_factor"));
    assert!(with(|p| p.row_stride = Some(0)).contains("row_stride"));
}

#[test]
fn snic_makes_as_many_connected_regions_as_asked() {
    for (height, width, n_segments) in [(40, 60, 24), (1, 90, 7), (33, 2, 5), (9, 9, 80)] {
        let samples = Samples::U8(noise(height, width, 11));
        let image = Image::new(height, width, ColorSpace::Srgb, samples).unwrap();
        let snic = Snic::new(SnicParams { n_segments, ..SnicParams::default() }).unwrap();
        let map = snic.oversegment(&image, &[], &Context::default()).unwrap();
        assert_eq!((map.n(), pieces(&map)), (n_segments, n_segments));
    }
}

#[test]
fn snic_covers_the_islands_of_a_mask() {
    let bits = (0..400).map(|i| i % 20 < 8 || i == 399).collect();
    let mask = Mask::new(20, 20, bits).unwrap();
    let samples = Samples::F32(vec![0.5; 400]);
    let image = Image::with_mask(20, 20, ColorSpace::Gray, samples, Some(mask)).unwrap();
    let snic = Snic::new(SnicParams { n_segments: 4, ..SnicParams::default() }).unwrap();
    let map = snic.oversegment(&image, &[], &Context::default()).unwrap();
    assert_eq!(pieces(&map), map.n());
    assert!((0..400).all(|i| (map.labels()[i] == VOID) != (i % 20 < 8 || i == 399)));
}

#[test]
fn etps_makes_as_many_connected_regions_as_asked() {
    for (height, width, n_segments) in [(40, 60, 24), (1, 90, 7), (33, 2, 5), (9, 9, 80), (5, 5, 1)] {
        let samples = Samples::U8(noise(height, width, 11));
        let image = Image::new(height, width, ColorSpace::Srgb, samples).unwrap();
        let etps = Etps::new(EtpsParams { n_segments, ..EtpsParams::default() }).unwrap();
        let map = etps.oversegment(&image, &[], &Context::default()).unwrap();
        assert_eq!((map.n(), pieces(&map)), (n_segments, n_segments));
        let smallest = (height * width / n_segments / 10).max(1);
        assert!(map.sizes().iter().all(|&s| s >= smallest), "{:?}", map.sizes());
    }
}

#[test]
fn feature_maps_of_any_number_of_channels_are_clustered() {
    let image = Image::new(32, 48, ColorSpace::Gray, Samples::U8(vec![7; 32 * 48])).unwrap();
    // Cells of 4 pixels; the first of six channels steps between columns 23 and 24.
    let grid = Grid { rows: 8, cols: 12, step: [4.0; 2], origin: [1.5; 2] };
    let values = (0..8 * 12 * 6).map(|i| if i % 6 == 0 && i / 6 % 12 >= 6 { 50.0 } else { 1.0 }).collect();
    let maps = [FeatureMap::held("deep", grid, 6, values).unwrap()];
    let params = SlicParams { n_segments: 6, from: SlicFrom::Features, ..SlicParams::default() };
    let slic = Slic::new(params).unwrap();
    let map = slic.oversegment(&image, &maps, &Context::default()).unwrap();
    assert!(map.labels().chunks(48).all(|row| row[22] != row[25]));
    assert_eq!(pieces(&map), map.n());
    let error = slic.oversegment(&image, &[], &Context::default()).unwrap_err();
    assert!(error.to_string().contains("needs a feature map"));
}

#[test]
fn sixteen_bits_and_floats_agree_with_eight() {
    // Photograph-like: smooth, with edges. The 8-bit form differs by rounding only.
    let value =
        |i: usize| (((i / 3 % 90) as f64 / 9.0).sin() * 60.0 + (i / 270) as f64 + (i % 3) as f64 * 30.0 + 60.0) as u8;
    let bytes: Vec<u8> = (0..90 * 60 * 3).map(value).collect();
    let params = SlicParams { n_segments: 40, ..SlicParams::default() };
    let labels = |samples| {
        let image = Image::new(60, 90, ColorSpace::Srgb, samples).unwrap();
        segment(&image, &params)
    };
    let wide = labels(Samples::U16(bytes.iter().map(|&v| u16::from(v) * 257).collect()));
    let float = labels(Samples::F32(bytes.iter().map(|&v| f32::from(v) / 255.0).collect()));
    let narrow = labels(Samples::U8(bytes));
    let same = |a: &LabelMap, b: &LabelMap| {
        a.labels().iter().zip(b.labels()).filter(|(a, b)| a == b).count() as f64 / a.labels().len() as f64
    };
    assert!(same(&wide, &float) > 0.99, "{}", same(&wide, &float));
    let edges = |map: &LabelMap| -> Vec<bool> { map.labels().windows(2).map(|p| p[0] != p[1]).collect() };
    let agree = edges(&narrow).iter().zip(edges(&wide)).filter(|(a, b)| **a == *b).count() as f64 / 5399.0;
    assert!(agree > 0.85, "{agree}");
}
