//! Pictures of images, labels, masks and fields.

#![allow(clippy::unwrap_used, clippy::panic)]

use segcut_core::{ColorSpace, Image, LabelMap, Mask, Samples, VOID};
use segcut_io::ScalarField;
use segcut_io::overlay::*;

fn gray(width: usize, values: Vec<u8>) -> Picture {
    let image = Image::new(values.len() / width, width, ColorSpace::Gray, Samples::U8(values)).unwrap();
    Picture::from_image(&image)
}

#[test]
fn the_contour_is_one_pixel_wide_on_the_upper_and_left_side() {
    let labels = LabelMap::new(3, 4, vec![0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 2]).unwrap();
    let mut picture = gray(4, vec![10; 12]);
    draw_boundaries(&mut picture, &labels, [1, 2, 3]).unwrap();
    let drawn: Vec<bool> = picture.rgb().chunks_exact(3).map(|p| p == [1, 2, 3]).collect();
    let (t, f) = (true, false);
    assert_eq!(drawn, [f, t, f, f, t, t, t, t, f, f, f, f]);
}

#[test]
fn mean_fill_at_alpha_one_paints_each_region_with_its_mean_and_leaves_void() {
    let labels = LabelMap::new(1, 5, vec![0, 0, 1, 1, VOID]).unwrap();
    let mut picture = gray(5, vec![10, 20, 100, 200, 7]);
    draw_regions(&mut picture, &labels, &RegionStyle { fill: Fill::Mean, alpha: 1.0, contour: None }).unwrap();
    let first: Vec<u8> = picture.rgb().iter().copied().step_by(3).collect();
    assert_eq!(first, [15, 15, 150, 150, 7]);
}

#[test]
fn a_mask_tints_its_inside_and_sizes_are_checked() {
    let mut picture = gray(3, vec![100; 3]);
    let mask = Mask::new(1, 3, vec![true, true, false]).unwrap();
    draw_mask(&mut picture, &mask, [255, 0, 0], 0.5).unwrap();
    assert_eq!(picture.rgb(), [177, 50, 50, 255, 0, 0, 100, 100, 100]);
    assert!(draw_mask(&mut picture, &Mask::filled(2, 3, true), [0; 3], 0.5).is_err());
    assert!(draw_boundaries(&mut picture, &LabelMap::new(3, 1, vec![0; 3]).unwrap(), [0; 3]).is_err());
}

#[test]
fn pixels_without_data_are_a_checkerboard() {
    let mask = Mask::new(1, 10, (0..10).map(|i| i == 9).collect()).unwrap();
    let image = Image::with_mask(1, 10, ColorSpace::Gray, Samples::U8(vec![5; 10]), Some(mask)).unwrap();
    let first: Vec<u8> = Picture::from_image(&image).rgb().iter().copied().step_by(3).collect();
    assert_eq!(first, [102, 102, 102, 102, 102, 102, 102, 102, 153, 5]);
}

#[test]
fn a_png_decodes_to_the_picture() {
    let mut picture = gray(31, (0..=247).collect());
    draw_boundaries(&mut picture, &LabelMap::new(8, 31, (0..248).collect()).unwrap(), [9, 8, 7]).unwrap();
    let bytes = picture.png().unwrap();
    let decoded = image::load_from_memory(&bytes).unwrap().into_rgb8();
    assert_eq!((decoded.height(), decoded.width()), (8, 31));
    assert_eq!(decoded.as_raw(), picture.rgb());
    let dir = tempfile::tempdir().unwrap();
    picture.write_png(&dir.path().join("a/b.png")).unwrap();
    assert_eq!(std::fs::read(dir.path().join("a/b.png")).unwrap(), bytes);
}

#[test]
fn a_thumbnail_keeps_shape_and_mean() {
    let picture = gray(6, vec![0, 0, 0, 90, 90, 90, 0, 0, 0, 90, 90, 90]);
    let small = picture.thumbnail(2);
    assert_eq!((small.height(), small.width()), (1, 2));
    assert_eq!(small.rgb(), [0, 0, 0, 90, 90, 90]);
    assert_eq!(picture.thumbnail(6), picture);
    let line = gray(1000, vec![7; 1000]).thumbnail(10);
    assert_eq!((line.height(), line.width()), (1, 10));
}

#[test]
fn fields_of_one_sign_are_viridis_and_constants_have_a_color() {
    let ramp = ScalarField::new(1, 101, (0..=100).map(|i| i as f32).collect()).unwrap();
    let picture = field_picture(&ramp, None);
    assert_eq!(picture.rgb()[..3], [68, 1, 84]);
    assert_eq!(picture.rgb()[300..], [253, 231, 37]);
    let odd = ScalarField::new(1, 3, vec![1.0, 1.0, f32::NAN]).unwrap();
    assert_eq!(field_picture(&odd, None).rgb(), [68, 1, 84, 68, 1, 84, 128, 128, 128]);
}
