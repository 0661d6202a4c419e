//! sRGB to CIE 1976 L*a*b*.

use multiversion::multiversion;
use segcut_core::{ColorSpace, Image, Samples};
use std::ops::Range;
use std::sync::LazyLock;
use thiserror::Error;

/// The image has no colors that Lab could describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Lab needs a gray or sRGB image; this one is {space:?}")]
pub struct LabError {
    /// The image's color space.
    pub space: ColorSpace,
}

/// Steps of [`lab8_rows`] per unit of L, a and b.
pub const LAB8_SCALE: [f32; 3] = [2.55, 1.17, 1.17];

/// The value of [`lab8_rows`] that stands for L = 0, a = 0, b = 0.
pub const LAB8_ZERO: [f32; 3] = [0.0, 127.0, 127.0];

/// Pixels that are converted at once, as planes on the stack.
const CHUNK: usize = 64;

type Planes = [[f32; CHUNK]; 3];

/// Rows of a gray or sRGB image → L, a, b (D65; L from 0 to 100).
///
/// IEC 61966-2-1 for the transfer curve, CIE 15:2004 for L*a*b*. The white point is the sum of the
/// RGB → XYZ rows, so that gray has a = b = 0. f32 samples are read as 0 … 1; samples below 0 count as 0.
///
/// # Shapes
/// `out` takes rows.len()·width·3 values, interleaved.
///
/// # Errors
/// [`LabError`] for multi-band images.
///
/// # Panics
/// Where the rows leave the image or `out` has another length.
///
/// # Examples
/// ```
/// use segcut_core::{ColorSpace, Image, Samples};
/// let white = Image::new(1, 1, ColorSpace::Srgb, Samples::U8(vec![255; 3]))?;
/// let mut lab = [0.0; 3];
/// segcut_pixel::lab_rows(&white, 0..1, &mut lab)?;
/// assert!((lab[0] - 100.0).abs() < 0.01 && lab[1].abs() < 0.01 && lab[2].abs() < 0.01);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn lab_rows(image: &Image, rows: Range<usize>, out: &mut [f32]) -> Result<(), LabError> {
    let pixels = pixel_span(image, rows);
    assert_eq!(out.len(), pixels.len() * 3, "out has three values per pixel");
    check_space(image)?;
    for (start, out) in pixels.step_by(CHUNK).zip(out.chunks_mut(CHUNK * 3)) {
        let mut planes = linear_chunk(image, start, out.len() / 3);
        lab_of_linear(&mut planes);
        let [l, a, b] = &planes;
        for (i, out) in out.chunks_exact_mut(3).enumerate() {
            out.copy_from_slice(&[l[i], a[i], b[i]]);
        }
    }
    Ok(())
}

/// Rows of a gray or sRGB image → L, a, b in 8 bits, one plane each.
///
/// A value is x · LAB8_SCALE + LAB8_ZERO, rounded (and at most 0.1 off before that), so that L fills 0 … 255 and the whole sRGB gamut
/// fits for a and b (−107.9 … 98.3).
///
/// # Shapes
/// Each plane takes rows.len()·width bytes.
///
/// # Errors
/// [`LabError`] for multi-band images.
///
/// # Panics
/// Where the rows leave the image or a plane has another length.
pub fn lab8_rows(image: &Image, rows: Range<usize>, out: [&mut [u8]; 3]) -> Result<(), LabError> {
    let pixels = pixel_span(image, rows);
    assert!(out.iter().all(|plane| plane.len() == pixels.len()), "each plane has one byte per pixel");
    check_space(image)?;
    let [l, a, b] = out.map(|plane| plane.chunks_mut(CHUNK));
    for (start, ((l, a), b)) in pixels.step_by(CHUNK).zip(l.zip(a).zip(b)) {
        let mut planes = linear_chunk(image, start, l.len());
        coarse_lab_of_linear(&mut planes);
        quantise(&planes, [l, a, b]);
    }
    Ok(())
}

fn check_space(image: &Image) -> Result<(), LabError> {
    match image.space() {
        ColorSpace::Gray | ColorSpace::Srgb => Ok(()),
        space => Err(LabError { space }),
    }
}

fn pixel_span(image: &Image, rows: Range<usize>) -> Range<usize> {
    assert!(rows.start <= rows.end && rows.end <= image.height(), "rows outside the image");
    rows.start * image.width()..rows.end * image.width()
}

/// `count` pixels from `start` as linear r, g, b.
#[inline]
fn linear_chunk(image: &Image, start: usize, count: usize) -> Planes {
    match image.samples() {
        Samples::U8(v) => gather(v, image.channels(), start, count, |s| LINEAR8[s as usize]),
        Samples::U16(v) => gather(v, image.channels(), start, count, |s| LINEAR16[s as usize]),
        Samples::F32(v) => gather(v, image.channels(), start, count, linear),
    }
}

#[inline]
fn gather<T: Copy>(samples: &[T], channels: usize, start: usize, count: usize, curve: impl Fn(T) -> f32) -> Planes {
    let mut planes = [[0.0; CHUNK]; 3];
    let samples = &samples[start * channels..(start + count) * channels];
    let [r, g, b] = &mut planes;
    if channels == 3 {
        for (i, rgb) in samples.chunks_exact(3).enumerate() {
            (r[i], g[i], b[i]) = (curve(rgb[0]), curve(rgb[1]), curve(rgb[2]));
        }
    } else {
        r.iter_mut().zip(samples).for_each(|(r, &s)| *r = curve(s));
        (*g, *b) = (*r, *r);
    }
    planes
}

static LINEAR8: LazyLock<[f32; 256]> = LazyLock::new(|| std::array::from_fn(|s| linear(s as f32 / 255.0)));

static LINEAR16: LazyLock<Vec<f32>> = LazyLock::new(|| (0..=65_535).map(|s| linear(s as f32 / 65_535.0)).collect());

/// The sRGB transfer curve, from samples of 0 … 1 to linear light.
fn linear(s: f32) -> f32 {
    let s = f64::from(s.max(0.0));
    (if s <= 0.04045 { s / 12.92 } else { ((s + 0.055) / 1.055).powf(2.4) }) as f32
}

/// Rows of linear sRGB → XYZ, each divided by its sum, which is the white point.
const XYZ: [[f32; 3]; 3] = [
    [0.412_453 / 0.950_456, 0.357_580 / 0.950_456, 0.180_423 / 0.950_456],
    [0.212_671, 0.715_160, 0.072_169],
    [0.019_334 / 1.088_754, 0.119_193 / 1.088_754, 0.950_227 / 1.088_754],
];

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn lab_of_linear(planes: &mut Planes) {
    lab_in_steps::<2>(planes);
}

/// As [`lab_of_linear`] with cube roots right to 3e-5, which 8 bits do not see.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn coarse_lab_of_linear(planes: &mut Planes) {
    lab_in_steps::<1>(planes);
}

#[inline(always)]
fn lab_in_steps<const STEPS: usize>(planes: &mut Planes) {
    let [r, g, b] = planes;
    let [to_x, to_y, to_z] = XYZ;
    for i in 0..CHUNK {
        let x = lab_curve::<STEPS>(to_x[0] * r[i] + to_x[1] * g[i] + to_x[2] * b[i]);
        let y = lab_curve::<STEPS>(to_y[0] * r[i] + to_y[1] * g[i] + to_y[2] * b[i]);
        let z = lab_curve::<STEPS>(to_z[0] * r[i] + to_z[1] * g[i] + to_z[2] * b[i]);
        r[i] = 116.0 * y - 16.0;
        g[i] = 500.0 * (x - y);
        b[i] = 200.0 * (y - z);
    }
}

/// The curve f of CIE 15:2004: a cube root with a straight piece near 0.
#[inline(always)]
fn lab_curve<const STEPS: usize>(t: f32) -> f32 {
    let root = cube_root::<STEPS>(t.max(1e-3));
    let line = 7.787 * t + 16.0 / 116.0;
    if t > 0.008_856 { root } else { line }
}

/// Cube root of a normal number: a guess from the exponent and steps of Halley's method; two reach 2 ulp.
#[inline(always)]
fn cube_root<const STEPS: usize>(t: f32) -> f32 {
    let mut x = f32::from_bits(t.to_bits() / 3 + 0x2a51_19f2);
    for _ in 0..STEPS {
        let cube = x * x * x;
        x *= (cube + 2.0 * t) / (2.0 * cube + t);
    }
    x
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn quantise(planes: &Planes, out: [&mut [u8]; 3]) {
    // Added to a number of 0 … 255, this leaves the rounded number in the lowest byte.
    const ROUND: f32 = 8_388_608.0;
    for (channel, out) in out.into_iter().enumerate() {
        let (scale, zero) = (LAB8_SCALE[channel], LAB8_ZERO[channel]);
        let mut bytes = [0u8; CHUNK];
        for (byte, &x) in bytes.iter_mut().zip(&planes[channel]) {
            *byte = ((x * scale + zero).clamp(0.0, 255.0) + ROUND).to_bits() as u8;
        }
        out.copy_from_slice(&bytes[..out.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(rgb: [f64; 3]) -> [f64; 3] {
        let [r, g, b] = rgb.map(|s| if s <= 0.04045 { s / 12.92 } else { ((s + 0.055) / 1.055).powf(2.4) });
        let x = (0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047;
        let y = 0.212671 * r + 0.715160 * g + 0.072169 * b;
        let z = (0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883;
        let [x, y, z] = [x, y, z].map(|t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// Every 5th level of each channel.
    fn cube() -> Vec<u8> {
        let levels = || (0..=255u8).step_by(5);
        levels().flat_map(|r| levels().flat_map(move |g| levels().flat_map(move |b| [r, g, b]))).collect()
    }

    fn rgb_image(samples: Samples) -> Image {
        Image::new(1, samples.len() / 3, ColorSpace::Srgb, samples).unwrap()
    }

    fn lab(image: &Image) -> Vec<f32> {
        let mut out = vec![0.0; image.pixels() * 3];
        lab_rows(image, 0..image.height(), &mut out).unwrap();
        out
    }

    fn worst(a: &[f32], b: impl Iterator<Item = f64>) -> f64 {
        a.iter().zip(b).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn the_formula_is_met_to_a_hundredth_for_every_sample_type() {
        let bytes = cube();
        let truth = || bytes.chunks(3).flat_map(|p| plain([0, 1, 2].map(|i| f64::from(p[i]) / 255.0)));
        let wide = bytes.iter().map(|&b| u16::from(b) * 257).collect();
        let float = bytes.iter().map(|&b| f32::from(b) / 255.0).collect();
        for samples in [Samples::U8(bytes.clone()), Samples::U16(wide), Samples::F32(float)] {
            assert!(worst(&lab(&rgb_image(samples)), truth()) < 0.01);
        }
    }

    #[test]
    fn kornia_agrees() {
        let bytes = cube();
        let floats: Vec<f32> = bytes.iter().map(|&b| f32::from(b) / 255.0).collect();
        let size = kornia_image::ImageSize { width: bytes.len() / 3, height: 1 };
        let source = kornia_image::Image::<f32, 3>::new(size, floats).unwrap();
        let mut twin = kornia_image::Image::<f32, 3>::from_size_val(size, 0.0).unwrap();
        kornia_imgproc::color::lab_from_rgb(&source, &mut twin).unwrap();
        let ours = lab(&rgb_image(Samples::U8(bytes)));
        assert!(worst(&ours, twin.as_slice().iter().map(|&v| f64::from(v))) < 0.01);
    }

    #[test]
    fn gray_is_neutral_and_bands_are_refused() {
        let gray = Image::new(2, 100, ColorSpace::Gray, Samples::U8((0..200).collect())).unwrap();
        for lab in lab(&gray).chunks(3) {
            assert!(lab[1].abs() < 2e-4 && lab[2].abs() < 2e-4);
        }
        let bands = Image::new(1, 1, ColorSpace::Multiband, Samples::U8(vec![0; 3])).unwrap();
        assert_eq!(lab_rows(&bands, 0..1, &mut [0.0; 3]), Err(LabError { space: ColorSpace::Multiband }));
    }

    #[test]
    fn eight_bits_are_the_rounded_floats() {
        let image = rgb_image(Samples::U8(cube()));
        let mut planes = [(); 3].map(|()| vec![0; image.pixels()]);
        let [l, a, b] = &mut planes;
        lab8_rows(&image, 0..1, [l, a, b]).unwrap();
        for (i, lab) in lab(&image).chunks(3).enumerate() {
            for c in 0..3 {
                let value = lab[c] * LAB8_SCALE[c] + LAB8_ZERO[c];
                assert!((0.0..=255.01).contains(&value), "{value}");
                assert!((f32::from(planes[c][i]) - value).abs() <= 0.6);
            }
        }
    }

    #[test]
    fn bands_do_not_change_values() {
        let image = Image::new(5, 70, ColorSpace::Srgb, Samples::U8(cube()[..1050].to_vec())).unwrap();
        let mut band = vec![0.0; 2 * 70 * 3];
        lab_rows(&image, 2..4, &mut band).unwrap();
        assert_eq!(band, lab(&image)[2 * 210..4 * 210]);
    }
}
