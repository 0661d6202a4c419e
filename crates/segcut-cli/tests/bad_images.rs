//! Bad, odd and ordinary images in one call of `segcut segment`: the good ones are written, the others named.
#![allow(clippy::unwrap_used, clippy::panic)]

mod drawn;
// The same generators as in the tests of segcut-io, of which some are not needed here.
#[allow(dead_code)]
#[path = "../../segcut-io/tests/bad_images/files.rs"]
mod files;
#[allow(dead_code)]
#[path = "../../segcut-io/tests/bad_images/tiff_file.rs"]
mod tiff_file;

use drawn::{Numbers, quarters, rgb_png, told};
use files::{jpeg_with_exif, png, png_header, png_with};
use png::{BitDepth, ColorType};
use segcut_io::labels::{LabelOptions, read_labels};
use serde_json::Value;
use std::path::Path;
use tiff_file::TiffFile;

const JPEG: &[u8] = include_bytes!("../../segcut-io/tests/oracle/pillow/rgb.jpg");

/// Content and what must become of it: the height and width of its labels, or the code of its error.
type Case = (&'static str, Vec<u8>, Result<(usize, usize), &'static str>);

fn gray(size: (usize, usize), value: impl FnMut(usize) -> u8) -> Vec<u8> {
    let data: Vec<u8> = (0..size.0 * size.1).map(value).collect();
    png((size.0 as u32, size.1 as u32), ColorType::Grayscale, BitDepth::Eight, &data)
}

fn good() -> Vec<Case> {
    let mut numbers = Numbers(1);
    let noise: Vec<u8> = (0..90 * 70).map(|_| numbers.next(256) as u8).collect();
    let nan_corner = |y: usize, x: usize, _: usize| if y + x < 5 { f64::NAN } else { (y * x) as f64 };
    let tiff = |file: TiffFile<'_>| TiffFile { size: (20, 30), ..file }.write();
    vec![
        ("one pixel.png", gray((1, 1), |_| 7), Ok((1, 1))),
        ("row.png", gray((1, 5000), |at| (at / 20) as u8), Ok((1, 5000))),
        ("column.png", gray((5000, 1), |at| (at % 2 * 255) as u8), Ok((5000, 1))),
        ("two by two.png", gray((2, 2), |at| at as u8 * 60), Ok((2, 2))),
        ("constant.png", gray((80, 60), |_| 99), Ok((80, 60))),
        ("checkerboard.png", gray((64, 65), |at| (at % 2 * 255) as u8), Ok((64, 65))),
        ("noise.png", gray((90, 70), |at| noise[at]), Ok((90, 70))),
        ("odd pixel.png", gray((50, 50), |at| u8::from(at == 1234) * 255), Ok((50, 50))),
        ("palette.png", png((9, 9), ColorType::Indexed, BitDepth::Eight, &[0; 81]), Ok((9, 9))),
        (
            "half transparent.png",
            png((6, 2), ColorType::Indexed, BitDepth::Eight, &[0, 1, 0, 1, 2, 2, 1, 0, 0, 0, 0, 1]),
            Ok((6, 2)),
        ),
        ("turned.jpg", jpeg_with_exif(JPEG, 6), Ok((24, 16))),
        ("trailing.jpg", [JPEG, b"PK\x03\x04 a zip"].concat(), Ok((16, 24))),
        ("five bands.tif", tiff(TiffFile { channels: 5, bytes: 2, ..TiffFile::default() }), Ok((20, 30))),
        (
            "tiled planar.tif",
            tiff(TiffFile { channels: 3, planar: true, tile: Some((16, 16)), photometric: 2, ..TiffFile::default() }),
            Ok((20, 30)),
        ),
        (
            "nan.tif",
            tiff(TiffFile { sample_format: 3, bytes: 4, value: &nan_corner, ..TiffFile::default() }),
            Ok((20, 30)),
        ),
        ("wrong ending.tif", JPEG.to_vec(), Ok((16, 24))),
    ]
}

fn bad() -> Vec<Case> {
    let whole = quarters((64, 64), 3);
    let nowhere = TiffFile { sample_format: 3, bytes: 4, value: &|_, _, _| f64::NAN, ..TiffFile::default() }.write();
    let mut checksum = png_with(&whole, b"tEXt", b"k\0v");
    let at = checksum.len() - 16;
    checksum[at] ^= 1;
    vec![
        ("empty.png", Vec::new(), Err("decode/unrecognised")),
        ("signature.png", b"\x89PNG\r\n\x1a\n".to_vec(), Err("decode/unrecognised")),
        ("page.jpg", b"<!doctype html><html></html>".to_vec(), Err("decode/unrecognised")),
        ("pointer.png", b"version https://git-lfs.github.com/spec/v1\n".to_vec(), Err("decode/unrecognised")),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), Err("unsupported")),
        ("cut.png", whole[..whole.len() / 2].to_vec(), Err("decode/damaged")),
        ("checksum.png", checksum, Err("decode/damaged")),
        ("cut.jpg", JPEG[..JPEG.len() / 2].to_vec(), Err("decode/damaged")),
        ("no rows.png", png_header(5, 0), Err("decode/empty")),
        ("bomb.png", png_header(0x7fff_ffff, 0x7fff_ffff), Err("limits/pixels")),
        ("bomb.ppm", b"P6 1000000000 1000000000 255\n".to_vec(), Err("limits/pixels")),
        ("transparent.png", png((2, 2), ColorType::Indexed, BitDepth::Eight, &[1; 4]), Err("mask/empty")),
        ("nan only.tif", nowhere, Err("mask/empty")),
        ("control\u{1b}]0;x\n.png", vec![0; 9], Err("decode/unrecognised")),
    ]
}

fn walk(recipe: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut cases = [good(), bad()].concat();
    cases.iter_mut().enumerate().for_each(|(i, case)| case.0 = Box::leak(format!("{i} {}", case.0).into_boxed_str()));
    let mut args = vec!["segment", "--recipe", recipe, "--json", "-o", "out", "--"];
    for (name, bytes, _) in &cases {
        std::fs::write(dir.path().join(name), bytes).unwrap();
        args.push(name);
    }
    let told = told(dir.path(), &args);
    assert_eq!(told.code, Some(1), "{}", told.stderr);
    assert!(!told.stderr.contains("panicked") && !told.stderr.contains('\u{1b}'), "{}", told.stderr);
    let rows: Vec<Value> = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(rows.len(), cases.len());
    for (row, (name, _, wanted)) in rows.iter().zip(&cases) {
        assert_eq!(row["image"].as_str(), Some(*name));
        match wanted {
            Ok(size) => {
                let file = row["files"][0].as_str().unwrap_or_else(|| panic!("{recipe}: {row}"));
                let labels = read_labels(&dir.path().join(file), &LabelOptions::default()).unwrap();
                assert_eq!((labels.height(), labels.width()), *size, "{name}");
                assert!(dir.path().join(row["files"][1].as_str().unwrap()).is_file());
            }
            Err(code) => {
                assert_eq!(row["code"].as_str(), Some(*code), "{recipe}: {row}");
                let plain = name.split('\u{1b}').next().unwrap();
                assert!(row["message"].as_str().unwrap().contains(plain), "{row}");
            }
        }
    }
    let written = std::fs::read_dir(dir.path().join("out")).unwrap().count();
    assert_eq!(written, 2 * good().len(), "labels and an overlay of each good image");
}

#[test]
fn through_the_default_recipe() {
    walk("ncut-slic-color");
}

#[test]
fn through_superpixels_alone() {
    walk("superpixels");
}

#[test]
fn a_damaged_image_is_kept_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let whole = quarters((64, 64), 3);
    std::fs::write(dir.path().join("cut.png"), &whole[..whole.len() / 2]).unwrap();
    let told = told(dir.path(), &["segment", "cut.png", "-o", "out", "--damaged", "keep"]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert!(told.stdout.contains("kept although damaged"), "{}", told.stdout);
}

#[test]
fn an_image_that_needs_more_memory_than_there_is_is_refused_by_its_header() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("small.png"), rgb_png(8, 8, |_, _| [9; 3])).unwrap();
    std::fs::write(dir.path().join("large.png"), rgb_png(600, 600, |_, _| [9; 3])).unwrap();
    let told = told(dir.path(), &["segment", "small.png", "large.png", "-o", "out", "--max-memory", "1M"]);
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("large.png: it would take about 10 MiB"), "{}", told.stderr);
    assert!(Path::new(&dir.path().join("out/small.labels.png")).is_file());
}
