//! Small images with their truth, and the program to run on them.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use png::{BitDepth, ColorType, Encoder};
use segcut_core::LabelMap;
use segcut_io::labels::{LabelOptions, write_labels};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program.
pub fn segcut() -> Command {
    Command::new(env!("CARGO_BIN_EXE_segcut"))
}

/// What a call said.
pub struct Told {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program in a folder.
pub fn told(folder: &Path, args: &[&str]) -> Told {
    told_of(segcut().current_dir(folder).args(args).output().unwrap())
}

pub fn told_of(output: Output) -> Told {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Told { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Numbers that look random, the same on every machine.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// An 8-bit RGB PNG.
pub fn rgb_png(height: usize, width: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let data: Vec<u8> = (0..height * width).flat_map(|at| pixel(at / width, at % width)).collect();
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
    bytes
}

/// Which quarter of the image a pixel lies in.
fn quarter(size: (usize, usize), y: usize, x: usize) -> usize {
    2 * usize::from(2 * y >= size.0) + usize::from(2 * x >= size.1)
}

/// Four quarters of different colors with a little noise.
pub fn quarters(size: (usize, usize), seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let colors: Vec<[u8; 3]> =
        (0..4).map(|i| [0, 1, 2].map(|c| (60 * ((i + c) % 4) + numbers.next(40) as usize) as u8)).collect();
    let noise: Vec<u8> = (0..size.0 * size.1).map(|_| numbers.next(12) as u8).collect();
    rgb_png(size.0, size.1, |y, x| colors[quarter(size, y, x)].map(|v| v.saturating_add(noise[y * size.1 + x])))
}

/// `images/a00.png` … with `truth/a00.png` …, and one image that is cut.
pub fn data_set(folder: &Path, count: usize, size: (usize, usize)) {
    std::fs::create_dir_all(folder.join("images")).unwrap();
    let labels: Vec<u32> = (0..size.0 * size.1).map(|at| quarter(size, at / size.1, at % size.1) as u32).collect();
    let truth = LabelMap::new(size.0, size.1, labels).unwrap();
    std::fs::create_dir_all(folder.join("truth")).unwrap();
    for index in 0..count {
        let name = format!("a{index:02}.png");
        let mut bytes = quarters(size, index as u64);
        if index == count / 2 {
            bytes.truncate(bytes.len() / 2);
        }
        std::fs::write(folder.join("images").join(&name), bytes).unwrap();
        write_labels(&folder.join("truth").join(&name), &truth, &LabelOptions::default()).unwrap();
    }
}

/// Every file below a folder, with its bytes.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(&below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// What of a run must be the same bytes however it came about.
pub fn results(run: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = tree(run);
    let kept = |path: &Path| {
        path.starts_with("labels")
            || path.starts_with("overlays")
            || ["scores.csv", "recipe.toml"].iter().any(|n| path == Path::new(n))
    };
    files.retain(|path, _| kept(path));
    assert!(files.contains_key(Path::new("scores.csv")) && files.contains_key(Path::new("recipe.toml")));
    files
}

/// The same, with a short message where it is not.
pub fn assert_same(one: &BTreeMap<PathBuf, Vec<u8>>, other: &BTreeMap<PathBuf, Vec<u8>>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (path, bytes) in one {
        let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]).into_owned();
        assert!(*bytes == other[path], "{} differs:\n{}\n{}", path.display(), text(bytes), text(&other[path]));
    }
}
