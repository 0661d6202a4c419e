use super::*;
use segcut_core::{ColorSpace, Mask, Samples};

fn contour(oriented: bool) -> SpectralContour {
    SpectralContour::new(SpectralContourParams { oriented, side: 40, ..Default::default() }).unwrap()
}

fn values(image: &Image, oriented: bool) -> Vec<f32> {
    let features = contour(oriented).extract(std::slice::from_ref(image), &Context::default()).unwrap();
    let map = &features[0].maps[0];
    assert_eq!((map.name(), map.grid().is_pixels()), ("spectral_contour", true));
    let mut out = vec![9.0; image.pixels() * map.dims()];
    map.read_rows(0..image.height(), &mut out);
    out
}

/// A textured disc of one pair of colors before a textured ground of another.
fn textured(height: usize, width: usize, bands: usize) -> Vec<u16> {
    let inside =
        |y: usize, x: usize| (2 * y).abs_diff(height).pow(2) + (2 * x).abs_diff(width).pow(2) < height * width / 4;
    let value = |y: usize, x: usize, c: usize| {
        let check = (y * 7 + x * 3 + (y * x) % 5) % 4;
        (if inside(y, x) { 9_000 + 2_000 * check + 300 * c } else { 40_000 - 3_000 * check + 500 * c }) as u16
    };
    (0..height * width * bands).map(|i| value(i / bands / width, i / bands % width, i % bands)).collect()
}

fn image(height: usize, width: usize, bands: usize, samples: Samples) -> Image {
    let space = match bands {
        1 => ColorSpace::Gray,
        3 => ColorSpace::Srgb,
        _ => ColorSpace::Multiband,
    };
    Image::new(height, width, space, samples).unwrap()
}

#[test]
fn texture_has_no_contour_but_its_end() {
    let (height, width) = (120, 160);
    for bands in [1, 2, 3, 7] {
        let strength = values(&image(height, width, bands, Samples::U16(textured(height, width, bands))), false);
        let at = |y: usize, x: usize| strength[y * width + x];
        // The disc's radius is about 35 pixels.
        let edge = (width / 2 + 30..width / 2 + 40).map(|x| at(height / 2, x)).fold(0.0, f32::max);
        let inner = (width / 2 - 15..width / 2 + 15).map(|x| at(height / 2, x)).fold(0.0, f32::max);
        assert!(edge > 3.0 * inner && edge > 4.0, "{bands} bands: {edge} {inner}");
    }
}

#[test]
fn the_orientation_is_that_of_the_edge() {
    let samples = (0..80 * 80).map(|i| if i % 80 < 40 { 40 } else { 190 }).collect();
    let strengths = values(&image(80, 80, 1, Samples::U8(samples)), true);
    let at_edge = &strengths[(40 * 80 + 40) * 8..][..8];
    // Down is a quarter turn: orientation 4 of 8.
    let strongest = (0..8).max_by(|&a, &b| at_edge[a].total_cmp(&at_edge[b])).unwrap();
    assert_eq!(strongest, 4, "{at_edge:?}");
}

#[test]
fn sample_types_agree() {
    let samples = textured(60, 50, 3);
    let sixteen = values(&image(60, 50, 3, Samples::U16(samples.clone())), false);
    let float = samples.iter().map(|&s| f32::from(s) / 65_535.0).collect();
    let float = values(&image(60, 50, 3, Samples::F32(float)), false);
    let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
    assert!((mean(&sixteen) - mean(&float)).abs() < 0.1 * mean(&float));
}

#[test]
fn images_without_evidence_have_no_contour() {
    for (height, width) in [(1, 1), (1, 2), (5, 3), (8, 8), (1, 90), (90, 1), (70, 60)] {
        for bands in [1, 3, 5] {
            let constant = image(height, width, bands, Samples::U8(vec![77; height * width * bands]));
            assert!(values(&constant, true).iter().all(|v| *v == 0.0), "{height}x{width}x{bands}");
        }
    }
}

#[test]
fn tiny_and_thin_images_have_finite_strength() {
    for (height, width) in [(1, 1), (1, 2), (2, 1), (3, 5), (8, 8), (1, 700), (700, 1), (2, 300), (17, 19)] {
        for bands in [1, 3, 4] {
            let samples = (0..height * width * bands).map(|i| (i * i * 31 % 251) as u8).collect();
            let strength = values(&image(height, width, bands, Samples::U8(samples)), true);
            assert!(strength.iter().all(|v| v.is_finite() && *v >= 0.0), "{height}x{width}x{bands}");
        }
    }
}

#[test]
fn what_a_mask_hides_does_not_matter() {
    let masked = |outside: u8| {
        let samples =
            (0..64 * 64).map(|i| if i % 64 > 50 { outside } else { 60 + 70 * u8::from(i / 64 > 30) }).collect();
        let mask = Mask::new(64, 64, (0..64 * 64).map(|i| i % 64 <= 50).collect()).unwrap();
        Image::with_mask(64, 64, ColorSpace::Gray, Samples::U8(samples), Some(mask)).unwrap()
    };
    let strength = values(&masked(0), false);
    assert_eq!(strength, values(&masked(255), false));
    let (edge, mask) = (strength[31 * 64 + 20], strength[10 * 64 + 50]);
    assert!(edge > 5.0 * mask, "{edge} {mask}");
}

#[test]
fn threads_do_not_change_bytes() {
    let image = image(90, 130, 3, Samples::U16(textured(90, 130, 3)));
    let strength = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| values(&image, true))
    };
    assert_eq!(strength(1), strength(2));
}

#[test]
fn bad_parameters_are_named() {
    let refused = |params| SpectralContour::new(params).unwrap_err().to_string();
    let base = SpectralContourParams::default;
    assert!(refused(SpectralContourParams { side: 7, ..base() }).starts_with("spectral_contour.side = 7"));
    assert!(refused(SpectralContourParams { radius: f64::NAN, ..base() }).starts_with("spectral_contour.radius = NaN"));
    assert!(refused(SpectralContourParams { vectors: 0, ..base() }).starts_with("spectral_contour.vectors = 0"));
    assert!(refused(SpectralContourParams { epsilon: 0.0, ..base() }).starts_with("spectral_contour.epsilon = 0"));
    assert!(refused(SpectralContourParams { orientations: 1, ..base() }).contains("from 2 to 64"));
}

#[test]
fn samples_beyond_all_range_are_an_error() {
    let samples = (0..400).map(|i| if i % 3 == 0 { f32::MAX } else { -f32::MAX }).collect();
    let image = image(20, 20, 2, Samples::F32(samples).clone());
    assert!(contour(true).extract(std::slice::from_ref(&image), &Context::default()).is_err());
}
