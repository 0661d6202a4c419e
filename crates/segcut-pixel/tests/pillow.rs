//! Resampling against Pillow's (tests/oracle/pillow_resize/generate.py).

#![allow(clippy::unwrap_used, clippy::panic)]

use segcut_core::{ColorSpace, Image, Samples};
use segcut_pixel::{Filter, resize_with};
use std::fs;
use std::path::Path;

const FILTERS: [(&str, Filter); 3] =
    [("bilinear", Filter::Bilinear), ("bicubic", Filter::Bicubic), ("lanczos", Filter::Lanczos)];

/// Rows of the fixture; a pixel's numbers lie together.
fn table(name: &str) -> Vec<Vec<f32>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/pillow_resize").join(name);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect()
}

fn bytes(rows: &[Vec<f32>]) -> Vec<u8> {
    rows.concat().into_iter().map(|v| v as u8).collect()
}

#[test]
fn bytes_are_pillows() {
    let source = table("source.csv");
    let image = Image::new(29, 41, ColorSpace::Srgb, Samples::U8(bytes(&source))).unwrap();
    for (name, filter) in FILTERS {
        for (height, width) in [(48, 64), (16, 16), (24, 48), (29, 8), (5, 30), (5, 28)] {
            let expected = bytes(&table(&format!("{name}_{height}x{width}.csv")));
            let resized = resize_with(&image, height, width, filter).unwrap();
            let Samples::U8(found) = resized.samples() else { panic!("bytes") };
            assert_eq!(found.len(), expected.len());
            let most = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
            assert_eq!(most, Some(0), "{name} {height}x{width}");
        }
    }
}

#[test]
fn floats_are_pillows() {
    let first: Vec<f32> = table("source.csv").iter().flat_map(|row| row.iter().step_by(3).copied()).collect();
    let image = Image::new(29, 41, ColorSpace::Gray, Samples::F32(first)).unwrap();
    for (name, filter) in FILTERS {
        let resized = resize_with(&image, 16, 24, filter).unwrap();
        let Samples::F32(found) = resized.samples() else { panic!("floats") };
        for (a, b) in found.iter().zip(table(&format!("float_{name}_16x24.csv")).concat()) {
            assert!((a - b).abs() < 1e-3, "{name}: {a}, not {b}");
        }
    }
}
