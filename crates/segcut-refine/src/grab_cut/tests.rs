use super::*;
use ndarray::Array2;
use segcut_core::{Affinity, Clustering, ColorSpace, Image, Mask, Partition, RegionGraph, Samples, SparseAffinity};

const SIDE: usize = 48;

/// A red disc of radius 12 in the middle of a green square; the last pixels may be void.
fn scene(void: usize) -> Image {
    let inside = |i: usize| (i / SIDE).abs_diff(24).pow(2) + (i % SIDE).abs_diff(24).pow(2) <= 144;
    let pixel = |i: usize| {
        let wave = (i * 7 % 13) as u8;
        if inside(i) { [200 + wave, 40 + wave, 30] } else { [50, 150 + wave, 60 + wave] }
    };
    let samples = Samples::U8((0..SIDE * SIDE).flat_map(pixel).collect());
    let valid = Mask::new(SIDE, SIDE, (0..SIDE * SIDE).map(|i| i < SIDE * SIDE - void).collect()).unwrap();
    Image::with_mask(SIDE, SIDE, ColorSpace::Srgb, samples, Some(valid)).unwrap()
}

/// Superpixels of 4×4 pixels and their memberships, 1 in a square about the middle.
fn ranked(image: &Image, membership: impl Fn(usize, usize) -> f64) -> (LabelMap, Clustering) {
    let (height, width) = (image.height(), image.width());
    let cols = width.div_ceil(4);
    let n = height.div_ceil(4) * cols;
    let valid = |i: usize| image.valid().is_none_or(|mask| mask.bits()[i]);
    let label = |i: usize| if valid(i) { (i / width / 4 * cols + i % width / 4) as u32 } else { VOID };
    let map = LabelMap::with_n(height, width, (0..height * width).map(label).collect(), n).unwrap();
    let x: Vec<f64> = (0..n).map(|i| membership(i / cols, i % cols)).collect();
    let partition = Partition::new(x.iter().map(|&x| u32::from(x >= 0.5)).collect(), 2).unwrap();
    let soft = Array2::from_shape_fn((n, 2), |(i, k)| if k == 1 { x[i] } else { 1.0 - x[i] });
    (map, Clustering { soft: Some(soft), ..Clustering::converged(partition) })
}

fn refine(params: GrabCutParams, image: &Image, map: &LabelMap, clustering: &Clustering) -> LabelMap {
    let sparse = SparseAffinity::new(map.n(), Vec::new(), Vec::new()).unwrap();
    let graph = RegionGraph::new(Affinity::Sparse(sparse));
    let evidence = Evidence { image, superpixels: map, graph: &graph, clustering, attention: None };
    let names = clustering.partition.labels();
    let start = map.clone().map_pixels(2, |_, region| names[region as usize]);
    GrabCut::new(params).unwrap().refine(&evidence, start, &Context::default()).unwrap()
}

fn square(row: usize, column: usize) -> f64 {
    let far = row.abs_diff(6).max(column.abs_diff(6));
    [0.95, 0.95, 0.6, 0.4, 0.3, 0.05, 0.02][far.min(6)]
}

#[test]
fn the_mask_moves_to_the_edge_of_the_object() {
    let image = scene(0);
    let (map, clustering) = ranked(&image, square);
    for step in [1, 2] {
        let mask = refine(GrabCutParams { step, ..GrabCutParams::default() }, &image, &map, &clustering);
        let inside = |i: usize| (i / SIDE).abs_diff(24).pow(2) + (i % SIDE).abs_diff(24).pow(2) <= 144;
        let wrong = mask.labels().iter().enumerate().filter(|&(i, &label)| (label == 1) != inside(i)).count();
        assert!(wrong <= 30 * step, "step {step}: {wrong} pixels");
    }
}

#[test]
fn void_stays_void() {
    let image = scene(10 * SIDE + 5);
    let (map, clustering) = ranked(&image, square);
    let mask = refine(GrabCutParams::default(), &image, &map, &clustering);
    let valid = image.valid().unwrap().bits();
    assert!(mask.labels().iter().zip(valid).all(|(&label, &valid)| (label == VOID) != valid));
    assert!(mask.labels().contains(&1));
}

#[test]
fn what_would_lose_the_mask_is_not_done() {
    let image = scene(0);
    // The soft map is sure of the background's colors: a few of the disc's superpixels and much of the square.
    let (map, clustering) = ranked(&image, |row, column| if row < 3 { 0.9 } else { square(row, column).min(0.45) });
    let params = GrabCutParams { overlap: 1.0, keep: 0.0, ..GrabCutParams::default() };
    let mask = refine(params, &image, &map, &clustering);
    let start = clustering.partition.labels();
    assert!(mask.labels().iter().zip(map.labels()).all(|(&label, &region)| label == start[region as usize]));
}

#[test]
fn too_small_classes_and_gray_images_keep_their_mask() {
    let image = scene(0);
    let (map, clustering) = ranked(&image, |row, column| if (row, column) == (6, 6) { 0.9 } else { 0.2 });
    let mask = refine(GrabCutParams::default(), &image, &map, &clustering);
    assert_eq!(mask.labels().iter().filter(|&&label| label == 1).count(), 16);

    let gray = Image::new(SIDE, SIDE, ColorSpace::Gray, Samples::U8(vec![9; SIDE * SIDE])).unwrap();
    let (map, clustering) = ranked(&gray, square);
    let mask = refine(GrabCutParams::default(), &gray, &map, &clustering);
    let start = clustering.partition.labels();
    assert!(mask.labels().iter().zip(map.labels()).all(|(&label, &region)| label == start[region as usize]));
}

#[test]
fn tiny_constant_and_void_images_have_a_mask() {
    for (height, width) in [(1, 1), (1, 40), (40, 1), (2, 3), (8, 8), (30, 30)] {
        for void in [0, 1, height * width - 1] {
            let valid = (0..height * width).map(|i| i >= void).collect();
            let valid = Mask::new(height, width, valid).unwrap();
            let samples = Samples::U8(vec![120; height * width * 5]);
            let Ok(image) = Image::with_mask(height, width, ColorSpace::Multiband, samples, Some(valid)) else {
                continue;
            };
            for value in [0.0, 0.5, 1.0] {
                let (map, clustering) = ranked(&image, |row, column| value * ((row + column) % 2) as f64);
                let mask = refine(GrabCutParams::default(), &image, &map, &clustering);
                assert!(
                    mask.labels().iter().zip(map.labels()).all(|(&label, &region)| (label == VOID) == (region == VOID))
                );
            }
        }
    }
}

#[test]
fn crumbs_are_dropped() {
    let mut labels = vec![0; 100];
    labels[..20].fill(1);
    labels[55] = 1;
    labels[99] = VOID;
    let mask = without_crumbs(LabelMap::new(10, 10, labels.clone()).unwrap(), 0.1);
    labels[55] = 0;
    assert_eq!(mask.labels(), labels);
}

#[test]
fn parameters_are_checked() {
    let refused = |params| GrabCut::new(params).unwrap_err().to_string();
    assert!(refused(GrabCutParams { step: 0, ..GrabCutParams::default() }).starts_with("refine.step = 0"));
    assert!(refused(GrabCutParams { gamma: f64::NAN, ..GrabCutParams::default() }).starts_with("refine.gamma = NaN"));
    assert!(refused(GrabCutParams { low: 2.0, ..GrabCutParams::default() }).starts_with("refine.low = 2"));
}

#[test]
fn cells_near_an_outline_are_those_that_see_both_labels() {
    for (height, width, reach) in [(5, 7, 1), (6, 4, 2), (3, 3, 9), (1, 6, 2)] {
        let mask: Vec<bool> = (0..height * width).map(|i| i * i % 11 < 2).collect();
        let sees = |i: usize| {
            let (y, x) = (i / width, i % width);
            let close = |j: &usize| (j / width).abs_diff(y) <= reach && (j % width).abs_diff(x) <= reach;
            let labels: Vec<bool> = (0..mask.len()).filter(close).map(|j| mask[j]).collect();
            labels.contains(&true) && labels.contains(&false)
        };
        assert_eq!(near_outline(&mask, width, reach), (0..mask.len()).map(sees).collect::<Vec<_>>());
    }
}
