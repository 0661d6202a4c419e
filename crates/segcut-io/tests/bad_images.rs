//! Bad, odd and ordinary images made here, each with what must become of it.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "bad_images/files.rs"]
mod files;
#[path = "bad_images/tiff_file.rs"]
mod tiff_file;

use files::{exif, jpeg_with_exif, png, png_header, png_with};
use png::{BitDepth, ColorType};
use proptest::prelude::*;
use segcut_core::{ColorSpace, Samples};
use segcut_io::decode::{Alpha, Damaged, DecodeOptions, Decoded, Warning, decode, open};
use std::path::Path;
use tiff_file::TiffFile;

const RGB_JPEG: &[u8] = include_bytes!("oracle/pillow/rgb.jpg");

fn good(bytes: &[u8]) -> Decoded {
    decode(bytes, &DecodeOptions::default()).unwrap()
}

fn code(bytes: &[u8]) -> &'static str {
    decode(bytes, &DecodeOptions::default()).unwrap_err().code()
}

fn with(change: impl Fn(&mut DecodeOptions)) -> DecodeOptions {
    let mut options = DecodeOptions::default();
    change(&mut options);
    options
}

fn bytes_of(decoded: &Decoded) -> &[u8] {
    let Samples::U8(values) = decoded.image.samples() else { panic!("not u8") };
    values
}

fn floats_of(decoded: &Decoded) -> &[f32] {
    let Samples::F32(values) = decoded.image.samples() else { panic!("not f32") };
    values
}

fn shape(decoded: &Decoded) -> (usize, usize, usize) {
    (decoded.image.height(), decoded.image.width(), decoded.image.channels())
}

#[test]
fn what_is_no_image() {
    assert_eq!(code(b""), "decode/unrecognised");
    assert_eq!(code(b"\x89PNG\r\n\x1a\n"), "decode/unrecognised");
    assert_eq!(code(b"this is not an image\n"), "decode/unrecognised");
    assert_eq!(code(b"<!doctype html><html><title>404</title>"), "decode/unrecognised");
    assert_eq!(code(b"version https://git-lfs.github.com/spec/v1\n"), "decode/unrecognised");
    assert_eq!(code(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "unsupported");
    assert_eq!(code(b"%PDF-1.7\n"), "unsupported");
}

#[test]
fn headers_are_checked_before_anything_is_allocated() {
    for (w, h, wanted) in [
        (0, 5, "decode/empty"),
        (5, 0, "decode/empty"),
        (0, 0, "decode/empty"),
        (0x7fff_ffff, 0x7fff_ffff, "limits/pixels"),
        (0x7fff_ffff, 1, "limits/pixels"),
        (20_000, 20_000, "limits/pixels"),
    ] {
        assert_eq!(code(&png_header(w, h)), wanted, "{w}x{h}");
    }
    assert_eq!(code(b"P6 1000000000 1000000000 255\n"), "limits/pixels");
    assert!(code(b"P6 -5 4 255\n").starts_with("decode/"));
    assert!(code(b"P3 2 2 255 nan").starts_with("decode/"));
    let frame = RGB_JPEG.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let mut jpeg = RGB_JPEG.to_vec();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert_eq!(code(&jpeg), "limits/pixels");
    jpeg[frame + 5..frame + 7].fill(0);
    assert_eq!(code(&jpeg), "decode/empty");
    let few = with(|o| o.max_bytes = 100);
    assert_eq!(decode(RGB_JPEG, &few).unwrap_err().code(), "limits/bytes");
}

#[test]
fn compressed_text_is_not_inflated() {
    use std::io::Write;
    let mut deflater = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    deflater.write_all(&vec![0; 8 << 20]).unwrap();
    let bomb = deflater.finish().unwrap();
    let image = png((1, 1), ColorType::Grayscale, BitDepth::Eight, &[7]);
    let text = png_with(&image, b"zTXt", &[&b"Comment\0\0"[..], &bomb].concat());
    let profile = png_with(&image, b"iCCP", &[&b"icc\0\0"[..], &bomb].concat());
    assert_eq!(bytes_of(&good(&text)), [7]);
    assert_eq!(bytes_of(&good(&profile)), [7]);
}

#[test]
fn damage_is_an_error_unless_it_is_kept() {
    let keep = with(|o| o.damaged = Damaged::Keep);
    let noise: Vec<u8> = (0..64 * 64 * 3u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let png_file = png((64, 64), ColorType::Rgb, BitDepth::Eight, &noise);
    let mut bad_checksum = png_file.clone();
    let data = png_file.windows(4).position(|name| name == b"IDAT").unwrap();
    let length = u32::from_be_bytes(png_file[data - 4..data].try_into().unwrap()) as usize;
    bad_checksum[data + 4 + length] ^= 0xff;
    assert_eq!(code(&bad_checksum), "decode/damaged");
    let kept = decode(&bad_checksum, &keep).unwrap();
    assert_eq!(bytes_of(&kept), noise);
    assert!(matches!(kept.warnings.as_slice(), [Warning::Damaged { .. }]));
    let tiff_file =
        TiffFile { size: (40, 40), channels: 3, photometric: 2, tile: Some((16, 16)), ..Default::default() }.write();
    let mut ppm = b"P6 64 64 255\n".to_vec();
    ppm.extend(&noise);
    for whole in [&png_file[..], RGB_JPEG, &ppm] {
        for percent in [10, 50, 90] {
            let cut = &whole[..whole.len() * percent / 100];
            assert_eq!(code(cut), "decode/damaged", "{percent} %");
        }
    }
    for percent in [10, 50, 90] {
        assert!(decode(&tiff_file[..tiff_file.len() * percent / 100], &keep).is_err(), "no directory is left");
    }
    // Rows that are missing are masked out.
    let half = decode(&png_file[..png_file.len() / 2], &keep).unwrap();
    let valid = half.image.valid().unwrap();
    assert!(valid.bits()[0] && !valid.bits()[64 * 63]);
    assert_eq!(bytes_of(&half)[..64 * 3], noise[..64 * 3]);
}

#[test]
fn a_jpeg_that_was_cut_and_closed_again_is_seen() {
    let mut cut = RGB_JPEG[..RGB_JPEG.len() * 9 / 10].to_vec();
    cut.extend([0xff, 0xd9]);
    assert_eq!(code(&cut), "decode/damaged");
    let kept = decode(&cut, &with(|o| o.damaged = Damaged::Keep)).unwrap();
    assert_eq!(shape(&kept), (16, 24, 3));
}

#[test]
fn trailing_data_is_no_damage() {
    assert_eq!(good(&[RGB_JPEG, RGB_JPEG].concat()), good(RGB_JPEG));
    assert_eq!(good(&[RGB_JPEG, b"PK\x03\x04 a zip"].concat()), good(RGB_JPEG));
}

#[test]
fn jpegs_are_as_pillow_reads_them() {
    macro_rules! fixtures {
        ($($name:literal),*) => {
            [$(($name, &include_bytes!(concat!("oracle/pillow/", $name, ".jpg"))[..],
                &include_bytes!(concat!("oracle/pillow/", $name, ".rgb"))[..])),*]
        };
    }
    for (name, file, expected) in fixtures!("rgb", "chroma420", "progressive", "gray", "cmyk", "ycck", "cmyk_plain") {
        let decoded = good(file);
        let channels = decoded.image.channels();
        let samples = bytes_of(&decoded);
        assert_eq!(samples.len() / channels * 3, expected.len(), "{name}");
        let off = |i: usize| samples[i / 3 * channels + (i % 3) % channels].abs_diff(expected[i]);
        let worst = (0..expected.len()).map(off).max().unwrap();
        let mean = (0..expected.len()).map(|i| f64::from(off(i))).sum::<f64>() / expected.len() as f64;
        assert!(worst <= 4 && mean < 1.0, "{name}: worst {worst}, mean {mean}");
    }
}

#[test]
fn exif_orientation_is_applied() {
    let upright = good(RGB_JPEG);
    for orientation in 1..=8u16 {
        let decoded = good(&jpeg_with_exif(RGB_JPEG, orientation));
        let size = if orientation < 5 { (16, 24, 3) } else { (24, 16, 3) };
        assert_eq!((u16::from(decoded.orientation), shape(&decoded)), (orientation, size));
        // Where the stored upper left corner goes: (from bottom, from right), EXIF 2.3.
        let (bottom, right) = (matches!(orientation, 3 | 4 | 7 | 8), matches!(orientation, 2 | 3 | 6 | 7));
        let row = if bottom { size.0 - 1 } else { 0 };
        let column = if right { size.1 - 1 } else { 0 };
        let at = (row * size.1 + column) * 3;
        assert_eq!(bytes_of(&decoded)[at..at + 3], bytes_of(&upright)[..3], "{orientation}");
    }
    let odd = good(&jpeg_with_exif(RGB_JPEG, 99));
    assert_eq!((odd.orientation, odd.image), (1, upright.image));
    let png_file = png((1, 2), ColorType::Grayscale, BitDepth::Eight, &[1, 2]);
    assert_eq!(shape(&good(&png_with(&png_file, b"eXIf", &exif(6)))), (2, 1, 1));
    let turned = TiffFile { extra: &[(274, vec![8])], ..Default::default() }.write();
    assert_eq!(shape(&good(&turned)), (7, 5, 1));
}

#[test]
fn every_png_mode() {
    use BitDepth::{Eight, One, Sixteen};
    let gray1 = good(&png((1, 9), ColorType::Grayscale, One, &[0b1010_1010, 0x80]));
    assert_eq!(bytes_of(&gray1), [255, 0, 255, 0, 255, 0, 255, 0, 255]);
    assert_eq!(gray1.image.space(), ColorSpace::Gray);
    let wide = good(&png((1, 2), ColorType::Grayscale, Sixteen, &[1, 2, 3, 4]));
    assert_eq!(wide.image.samples(), &Samples::U16(vec![0x102, 0x304]));
    let rgb16 = good(&png((1, 1), ColorType::Rgb, Sixteen, &[0, 1, 0, 2, 0, 3]));
    assert_eq!(rgb16.image.samples(), &Samples::U16(vec![1, 2, 3]));
    let gray_alpha = good(&png((1, 2), ColorType::GrayscaleAlpha, Eight, &[5, 255, 6, 0]));
    assert_eq!((bytes_of(&gray_alpha), shape(&gray_alpha)), (&[5, 6][..], (1, 2, 1)));
    assert_eq!(gray_alpha.image.valid().unwrap().bits(), [true, false]);
    let palette = good(&png((1, 3), ColorType::Indexed, Eight, &[0, 1, 2]));
    assert_eq!(bytes_of(&palette), [255, 0, 0, 0, 255, 0, 0, 0, 255]);
    assert_eq!(palette.image.valid().unwrap().bits(), [true, false, true]);
    assert_eq!(palette.image.space(), ColorSpace::Srgb);
}

#[test]
fn alpha_masks_is_ignored_or_laid_over_white() {
    let clear = png((1, 2), ColorType::Rgba, BitDepth::Eight, &[9, 8, 7, 0, 1, 2, 3, 0]);
    assert_eq!(code(&clear), "mask/empty");
    let ignored = decode(&clear, &with(|o| o.alpha = Alpha::Ignore)).unwrap();
    assert_eq!((bytes_of(&ignored), ignored.image.valid()), (&[9, 8, 7, 1, 2, 3][..], None));
    let white = decode(&clear, &with(|o| o.alpha = Alpha::White)).unwrap();
    assert_eq!(bytes_of(&white), [255; 6]);
}

#[test]
fn small_and_thin_images() {
    for (h, w) in [(1, 1), (1, 2), (2, 1), (1, 64), (64, 1), (1, 5000), (5000, 1)] {
        let data = vec![100; (h * w) as usize];
        let decoded = good(&png((h, w), ColorType::Grayscale, BitDepth::Eight, &data));
        assert_eq!(shape(&decoded), (h as usize, w as usize, 1));
    }
}

#[test]
fn other_formats_by_their_content() {
    use image::{DynamicImage, ImageFormat, RgbImage};
    let picture = RgbImage::from_fn(6, 4, |x, y| image::Rgb([x as u8 * 40, y as u8 * 60, 9]));
    for format in [ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Pnm, ImageFormat::Png] {
        let mut file = std::io::Cursor::new(Vec::new());
        DynamicImage::from(picture.clone()).write_to(&mut file, format).unwrap();
        let file = file.into_inner();
        let decoded = good(&file);
        assert_eq!(
            (bytes_of(&decoded), decoded.image.space()),
            (&picture.as_raw()[..], ColorSpace::Srgb),
            "{format:?}"
        );
        for percent in [10, 50, 90] {
            match decode(&file[..file.len() * percent / 100], &DecodeOptions::default()) {
                // A last byte or two may be missing without a loss of pixels.
                Ok(decoded) => assert_eq!((shape(&decoded), percent), ((4, 6, 3), 90), "{format:?}"),
                Err(error) => assert!(error.code().starts_with("decode/"), "{format:?}: {error}"),
            }
        }
    }
}

#[test]
fn tiff_layouts_all_give_the_same_samples() {
    for (big_tiff, big_endian) in [(false, false), (false, true), (true, false), (true, true)] {
        for (planar, tile) in [(false, None), (true, None), (false, Some((16, 16))), (true, Some((16, 16)))] {
            for bytes in [1, 2] {
                let value = |y: usize, x: usize, c: usize| (y * 7 + x * 2 + c * 50) as f64;
                let size = (19, 37);
                let file = TiffFile { big_tiff, big_endian, size, planar, tile, bytes, ..Default::default() };
                let decoded = good(&TiffFile { channels: 5, value: &value, ..file }.write());
                assert_eq!((shape(&decoded), decoded.image.space()), ((19, 37, 5), ColorSpace::Multiband));
                let at = |i: usize| value(i / 5 / 37, i / 5 % 37, i % 5) as u16;
                match decoded.image.samples() {
                    Samples::U8(v) => assert!(v.iter().enumerate().all(|(i, &s)| s == at(i) as u8)),
                    Samples::U16(v) => assert!(v.iter().enumerate().all(|(i, &s)| s == at(i))),
                    Samples::F32(_) => panic!("integers became floats"),
                }
            }
        }
    }
}

#[test]
fn tiff_sample_types_become_f32() {
    for (sample_format, bytes, factor) in
        [(1, 4, 1e3), (2, 1, -1.0), (2, 2, -100.0), (2, 4, -1e5), (3, 4, 0.5), (3, 8, 0.25)]
    {
        let value = |y: usize, x: usize, _: usize| (y + x) as f64 * factor;
        let decoded = good(&TiffFile { sample_format, bytes, value: &value, ..Default::default() }.write());
        let expected: Vec<f32> = (0..35).map(|i| value(i / 7, i % 7, 0) as f32).collect();
        assert_eq!((floats_of(&decoded), decoded.image.space()), (&expected[..], ColorSpace::Gray));
    }
}

#[test]
fn tiff_colors() {
    let pixel = |photometric, channels, values: &'static [f64], extra: &[(u16, Vec<u16>)]| {
        let value = move |_: usize, _: usize, c: usize| values[c];
        let decoded =
            good(&TiffFile { photometric, channels, size: (1, 1), extra, value: &value, ..Default::default() }.write());
        (bytes_of(&decoded).to_vec(), decoded.image.space())
    };
    assert_eq!(pixel(0, 1, &[10.0], &[]), (vec![245], ColorSpace::Gray));
    assert_eq!(pixel(2, 3, &[1.0, 2.0, 3.0], &[]), (vec![1, 2, 3], ColorSpace::Srgb));
    assert_eq!(pixel(2, 4, &[1.0, 2.0, 3.0, 9.0], &[]), (vec![1, 2, 3], ColorSpace::Srgb));
    assert_eq!(pixel(2, 4, &[1.0, 2.0, 3.0, 9.0], &[(338, vec![0])]), (vec![1, 2, 3, 9], ColorSpace::Multiband));
    assert_eq!(pixel(2, 4, &[50.0, 25.0, 0.0, 51.0], &[(338, vec![1])]), (vec![250, 125, 0], ColorSpace::Srgb));
    assert_eq!(pixel(5, 4, &[0.0, 255.0, 55.0, 0.0], &[]), (vec![255, 0, 200], ColorSpace::Srgb));
    let map: Vec<u16> = (0..768u16).map(|i| (i % 256 + i / 256) << 8).collect();
    assert_eq!(pixel(3, 1, &[7.0], &[(320, map)]), (vec![7, 8, 9], ColorSpace::Srgb));
    let lab = TiffFile { photometric: 8, channels: 3, ..Default::default() }.write();
    assert_eq!(code(&lab), "unsupported");
}

#[test]
fn nan_and_nodata_are_masked() {
    let value = |y: usize, x: usize, _: usize| match (y, x) {
        (0, 0) => f64::NAN,
        (0, 1) => f64::INFINITY,
        (0, 2) => -9999.0,
        _ => 1.5,
    };
    let file = TiffFile { sample_format: 3, bytes: 4, nodata: Some("-9999"), value: &value, ..Default::default() };
    let decoded = good(&file.write());
    let valid = decoded.image.valid().unwrap();
    assert_eq!((valid.count(), &valid.bits()[..4]), (32, &[false, false, false, true][..]));
    assert_eq!(floats_of(&decoded)[..4], [0.0, 0.0, 0.0, 1.5]);
    let nowhere = TiffFile { sample_format: 3, bytes: 4, value: &|_, _, _| f64::NAN, ..Default::default() };
    assert_eq!(code(&nowhere.write()), "mask/empty");
    // In a color only all three together are "no data".
    let value = |_: usize, x: usize, c: usize| if x == 0 || (x == 1 && c == 0) { 0.0 } else { 8.0 };
    let color = TiffFile { photometric: 2, channels: 3, nodata: Some("0"), value: &value, ..Default::default() };
    assert_eq!(good(&color.write()).image.valid().unwrap().bits()[..3], [false, true, true]);
}

#[test]
fn bands_and_frames_are_chosen() {
    let file = TiffFile { channels: 5, pages: 3, ..Default::default() }.write();
    let decoded = decode(&file, &with(|o| (o.bands, o.frame) = (Some(vec![4, 1]), 2))).unwrap();
    assert_eq!((shape(&decoded), &bytes_of(&decoded)[..4]), ((5, 7, 2), &[3, 0, 6, 3][..]));
    assert_eq!(decoded.warnings, [Warning::Frames { used: 2, frames: Some(3) }]);
    assert_eq!(decode(&file, &with(|o| o.frame = 3)).unwrap_err().code(), "decode/frame");
    assert_eq!(decode(&file, &with(|o| o.bands = Some(vec![6]))).unwrap_err().code(), "decode/bands");
    let one = decode(RGB_JPEG, &with(|o| o.bands = Some(vec![2]))).unwrap();
    assert_eq!((shape(&one), one.image.space()), ((16, 24, 1), ColorSpace::Gray));
}

#[test]
fn a_directory_that_points_at_itself_ends() {
    let mut file = TiffFile::default().write();
    let end = file.len() - 4;
    let first: [u8; 4] = file[4..8].try_into().unwrap();
    file[end..].copy_from_slice(&first);
    assert_eq!(code(&file), "decode/damaged");
    file[4..8].copy_from_slice(&4u32.to_le_bytes());
    assert!(code(&file).starts_with("decode/"));
}

#[test]
fn npy_arrays() {
    let array = |descr: &str, shape: &str, data: &[u8]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    };
    assert_eq!(bytes_of(&good(&array("|u1", "(1, 2)", &[3, 4]))), [3, 4]);
    assert_eq!(good(&array(">u2", "(1, 1)", &[1, 2])).image.samples(), &Samples::U16(vec![0x102]));
    let half: Vec<u8> = [0.5f64, 0.25, 1.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let color = good(&array("<f8", "(1, 1, 3)", &half));
    assert_eq!((floats_of(&color), color.image.space()), (&[0.5, 0.25, 1.0][..], ColorSpace::Srgb));
    assert_eq!(code(&array("|u1", "(1, 2)", &[3])), "decode/damaged");
    assert_eq!(code(&array("<i8", "(1, 1)", &[0; 8])), "unsupported");
    assert_eq!(code(&array("|u1", "(4294967295, 4294967295)", &[])), "limits/pixels");
}

#[test]
fn files_are_opened_with_care() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a\u{1b}b.png");
    std::fs::write(&path, RGB_JPEG).unwrap();
    let decoded = open(&path, &DecodeOptions::default()).unwrap();
    assert_eq!(decoded.image.id(), "a\u{1b}b");
    assert!(matches!(decoded.warnings.as_slice(), [Warning::Extension { .. }]));
    let error = open(&path, &with(|o| o.max_file_bytes = 10)).unwrap_err();
    assert_eq!(error.source.code(), "limits/file");
    assert!(error.to_string().contains("a\\u{1b}b.png: the file has"), "{error}");
    let codes = |path: &Path| open(path, &DecodeOptions::default()).unwrap_err().source.code();
    assert_eq!(codes(folder.path()), "io/notafile");
    assert_eq!(codes(&folder.path().join("none.png")), "io/notfound");
    #[cfg(unix)]
    assert_eq!(codes(Path::new("/dev/null")), "io/notafile");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any change of a few bytes gives an image or an error, never a panic; lenient decoding too.
    #[test]
    fn changed_bytes_never_panic(which in 0usize..5, places in prop::collection::vec((0usize..4000, any::<u8>()), 1..6)) {
        let mut file = match which {
            0 => RGB_JPEG.to_vec(),
            1 => png((8, 8), ColorType::Indexed, BitDepth::Eight, &[1; 64]),
            2 => TiffFile { size: (20, 20), channels: 3, planar: true, tile: Some((16, 16)), ..Default::default() }.write(),
            3 => TiffFile { big_tiff: true, photometric: 2, channels: 3, ..Default::default() }.write(),
            _ => b"P5 3 3 255 123456789".to_vec(),
        };
        let length = file.len();
        for (at, byte) in places {
            file[at % length] = byte;
        }
        let small = |damaged| with(|o| (o.damaged, o.max_pixels, o.max_bytes) = (damaged, 1 << 20, 1 << 24));
        for damaged in [Damaged::Fail, Damaged::Keep] {
            if let Err(error) = decode(&file, &small(damaged)) {
                prop_assert!(!error.code().is_empty() && !error.to_string().is_empty());
            }
        }
    }
}
