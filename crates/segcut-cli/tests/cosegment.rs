//! One network over a folder of images, kept and applied to others.

#![allow(clippy::unwrap_used)]

mod drawn;

use drawn::{rgb_png, told};
use segcut_io::labels::{LabelOptions, read_labels};
use std::fs;
use std::path::Path;

const RECIPE: &str = "[superpixels]\nkind = \"grid\"\ncell = 8\n[[features]]\nkind = \"color\"\n[graph]\nkind = \"rag\"\n\
    [cluster]\nkind = \"deepcut\"\nk = 2\nepochs = 60\nbatch = 2\n";

/// A dark square at a place of a lighter ground.
fn square(at: usize) -> Vec<u8> {
    let inside = |y: usize, x: usize| (24..56).contains(&y) && (at..at + 32).contains(&x);
    rgb_png(80, 104, |y, x| if inside(y, x) { [40, 30, 60] } else { [190, 200, (170 + (x * y) % 9) as u8] })
}

/// The labels inside and outside the square.
fn pair(folder: &Path, file: &str, at: usize) -> [u32; 2] {
    let map = read_labels(&folder.join(file), &LabelOptions::default()).unwrap();
    let label = |y: usize, x: usize| map.labels()[y * map.width() + x];
    [label(40, at + 16), label(8, 8)]
}

#[test]
fn a_label_means_the_same_in_every_image() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    fs::create_dir(folder.join("images")).unwrap();
    for (name, at) in [("a", 16), ("b", 48), ("c", 32)] {
        fs::write(folder.join(format!("images/{name}.png")), square(at)).unwrap();
    }
    fs::write(folder.join("new.png"), square(64)).unwrap();
    fs::write(folder.join("mine.toml"), RECIPE).unwrap();
    let trained = told(folder, &["train", "images", "-o", "model", "--recipe", "mine.toml", "--json", "-q"]);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let predicted = told(folder, &["predict", "model", "new.png", "images/a.png", "-o", "out"]);
    assert_eq!(predicted.code, Some(0), "{}", predicted.stderr);
    let new = pair(folder, "out/new.labels.png", 64);
    assert_ne!(new[0], new[1]);
    assert_eq!(pair(folder, "out/a.labels.png", 16), new);
    let segmented = told(folder, &["segment", "images/b.png", "-o", "out", "--recipe", "model"]);
    assert_eq!(segmented.code, Some(0), "{}", segmented.stderr);
    assert_eq!(pair(folder, "out/b.labels.png", 48), new);
}

#[test]
fn a_network_of_points_labels_others() {
    let dir = tempfile::tempdir().unwrap();
    let table = |shift: f64| {
        let row = |i: usize| {
            let (x, y) = ((i % 6) as f64 * 0.1, (i / 6 % 5) as f64 * 0.1 + shift);
            if i < 30 { format!("{x},{y}\n") } else { format!("{},{y}\n", x + 5.0) }
        };
        format!("x,y\n{}", (0..60).map(row).collect::<String>())
    };
    fs::write(dir.path().join("points.csv"), table(0.0)).unwrap();
    fs::write(dir.path().join("more.csv"), table(0.05)).unwrap();
    let args =
        ["train", "points.csv", "-o", "model", "--method", "deepcut", "--k", "2", "--set", "cluster.epochs=80", "-q"];
    let trained = told(dir.path(), &args);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let predicted = told(dir.path(), &["predict", "model", "more.csv", "-o", "labels.csv", "-q"]);
    assert_eq!(predicted.code, Some(0), "{}", predicted.stderr);
    let text = fs::read_to_string(dir.path().join("labels.csv")).unwrap();
    let labels: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(labels.len(), 60);
    assert!((0..60).all(|i| (labels[i] == labels[0]) == (i < 30)), "{text}");
}
