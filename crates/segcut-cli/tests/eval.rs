//! `segcut eval` on small drawn folders.

#![allow(clippy::unwrap_used, clippy::panic)]

use assert_cmd::Command;
use segcut_core::{LabelMap, Mask};
use segcut_io::ScalarField;
use segcut_io::labels::{LabelOptions, write_field, write_labels, write_mask};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

const SIDE: usize = 16;

/// A map of vertical stripes of this width.
fn stripes(width: usize) -> LabelMap {
    LabelMap::new(SIDE, SIDE, (0..SIDE * SIDE).map(|at| (at % SIDE / width) as u32).collect()).unwrap()
}

fn labels(folder: &Path, name: &str, map: &LabelMap) {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    write_labels(&file, map, &LabelOptions::default()).unwrap();
}

/// Truth of two annotators for `a` and one file for `b`.
fn truth(dir: &TempDir) {
    let folder = dir.path().join("truth");
    for annotator in ["a/1.png", "a/2.png", "b/1.png"] {
        labels(&folder, annotator, &stripes(8));
    }
}

struct Told {
    code: i32,
    json: Value,
    stderr: String,
}

fn eval(dir: &TempDir, more: &[&str]) -> Told {
    let mut command = Command::cargo_bin("segcut").unwrap();
    command.current_dir(dir.path()).args(["eval", "--pred", "pred", "--truth", "truth", "--json"]).args(more);
    let output = command.output().unwrap();
    Told {
        code: output.status.code().unwrap(),
        json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn number(told: &Told, name: &str) -> f64 {
    told.json[name].as_f64().unwrap_or_else(|| panic!("{name} in {}; {}", told.json, told.stderr))
}

#[test]
fn equal_maps_are_perfect_under_the_promised_names() {
    let dir = tempfile::tempdir().unwrap();
    truth(&dir);
    labels(&dir.path().join("pred"), "a.png", &stripes(8));
    labels(&dir.path().join("pred"), "b.labels.png", &stripes(8));
    let told = eval(&dir, &[]);
    // A name with an ending is there, so the plain one is something else.
    assert_eq!((told.code, number(&told, "images")), (0, 1.0), "{}", told.stderr);
    std::fs::rename(dir.path().join("pred/b.labels.png"), dir.path().join("pred/b.png")).unwrap();
    let told = eval(&dir, &["-o", "out"]);
    assert_eq!((told.code, number(&told, "images")), (0, 2.0));
    for name in ["covering", "pri", "f_ods", "f_ois", "f_1px", "f_2px", "miou", "precision", "recall"] {
        assert!((number(&told, name) - 1.0).abs() < 1e-12, "{name}");
    }
    assert!(number(&told, "voi").abs() < 1e-12);
    let csv = std::fs::read_to_string(dir.path().join("out/scores.csv")).unwrap();
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("id,status,covering,pri,voi,f,"));
    assert!(lines.next().unwrap().starts_with("a,ok,1.000000,"), "{csv}");
    let summary: Value = serde_json::from_slice(&std::fs::read(dir.path().join("out/summary.json")).unwrap()).unwrap();
    assert_eq!(summary, told.json);
}

#[test]
fn missing_pairs_sizes_and_broken_files() {
    let dir = tempfile::tempdir().unwrap();
    truth(&dir);
    let pred = dir.path().join("pred");
    labels(&pred, "a.png", &stripes(8));
    let told = eval(&dir, &[]);
    assert_eq!((told.code, number(&told, "images")), (0, 1.0));
    assert_eq!(told.json["truth_without_prediction"], serde_json::json!(["b"]));
    assert!(told.stderr.contains("truth without a prediction: 1 (b)"), "{}", told.stderr);

    labels(&pred, "stranger.png", &stripes(8));
    let told = eval(&dir, &[]);
    assert_eq!((told.code, number(&told, "images"), number(&told, "images_failed")), (1, 1.0, 1.0));
    assert_eq!(told.json["errors"][0]["code"], "eval/no-truth");
    let told = eval(&dir, &["--allow-missing"]);
    assert_eq!((told.code, &told.json["prediction_without_truth"][0]), (0, &Value::from("stranger")));
    std::fs::remove_file(pred.join("stranger.png")).unwrap();

    labels(&pred, "b.png", &LabelMap::new(2, 3, vec![0; 6]).unwrap());
    let told = eval(&dir, &[]);
    assert_eq!((told.code, number(&told, "images")), (1, 1.0));
    assert_eq!(told.json["errors"][0]["code"], "eval/size");
    assert!(told.stderr.contains("b.png") && told.stderr.contains("2x3"), "{}", told.stderr);

    std::fs::write(pred.join("b.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    let told = eval(&dir, &[]);
    assert_eq!((told.code, told.json["errors"][0]["code"].as_str()), (1, Some("eval/read")));
}

#[test]
fn nothing_to_read_and_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    truth(&dir);
    assert_eq!(eval(&dir, &[]).code, 3);
    std::fs::create_dir(dir.path().join("pred")).unwrap();
    assert_eq!(eval(&dir, &[]).code, 3);
    labels(&dir.path().join("pred"), "a.png", &stripes(8));
    assert_eq!(eval(&dir, &["--thresholds", "7,x"]).code, 2);
    assert_eq!(eval(&dir, &["--fg-above", "300"]).code, 2);
    std::fs::write(dir.path().join("file"), b"").unwrap();
    assert_eq!(eval(&dir, &["-o", "file"]).code, 4);
    std::fs::remove_dir_all(dir.path().join("truth")).unwrap();
    assert_eq!(eval(&dir, &[]).code, 3);
}

#[test]
fn a_sweep_has_the_best_of_the_set_and_of_each_image() {
    let dir = tempfile::tempdir().unwrap();
    truth(&dir);
    let told = {
        for (value, width) in [("2", 16), ("10", 8), ("9", 2)] {
            labels(&dir.path().join("pred/labels"), &format!("{value}/a.png"), &stripes(width));
            let b = stripes(if value == "2" { 8 } else { 2 });
            labels(&dir.path().join("pred/labels"), &format!("{value}/b.png"), &b);
        }
        eval(&dir, &["-o", "out"])
    };
    assert_eq!((told.code, number(&told, "images")), (0, 2.0), "{}", told.stderr);
    let covering = &told.json["sweep"]["covering"];
    // At 10: 1 for the two annotators of `a`, 1/4 for the one of `b`.
    assert_eq!((covering["ods"].as_f64(), covering["ods_at"].as_str()), (Some(0.75), Some("10")));
    assert_eq!(covering["ois"].as_f64(), Some(1.0));
    let settings = told.json["sweep"]["settings"].as_array().unwrap();
    let order: Vec<&str> = settings.iter().map(|s| s["setting"].as_str().unwrap()).collect();
    assert_eq!(order, ["2", "9", "10"]);
    let csv = std::fs::read_to_string(dir.path().join("out/scores.csv")).unwrap();
    assert_eq!(csv.lines().count(), 7);
    assert!(csv.starts_with("id,value,status,"));

    std::fs::remove_file(dir.path().join("pred/labels/9/b.png")).unwrap();
    let told = eval(&dir, &[]);
    assert_eq!((told.code, told.json["errors"][0]["code"].as_str()), (1, Some("eval/missing")));
}

#[test]
fn ultrametric_maps_are_cut_at_heights() {
    let dir = tempfile::tempdir().unwrap();
    truth(&dir);
    // Stripes of 4: the middle border at 1, the others at 0.3.
    let (rows, columns) = (2 * SIDE + 1, 2 * SIDE + 1);
    let value = |at: usize| match at % columns {
        16 => 1.0,
        8 | 24 => 0.3,
        _ => 0.0,
    };
    let field = ScalarField::new(rows, columns, (0..rows * columns).map(value).collect()).unwrap();
    std::fs::create_dir(dir.path().join("pred")).unwrap();
    write_field(&dir.path().join("pred/a.ucm.png"), &field).unwrap();
    let told = eval(&dir, &["--thresholds", "0.1,0.6"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    let covering = &told.json["sweep"]["covering"];
    assert_eq!((covering["ods"].as_f64(), covering["ods_at"].as_str()), (Some(1.0), Some("0.6")));
    assert_eq!(eval(&dir, &[]).json["sweep"]["settings"].as_array().unwrap().len(), 50);
}

#[test]
fn masks_binary_and_soft() {
    let dir = tempfile::tempdir().unwrap();
    let half = Mask::new(4, 4, (0..16).map(|at| at % 4 >= 2).collect()).unwrap();
    std::fs::create_dir_all(dir.path().join("truth")).unwrap();
    std::fs::create_dir_all(dir.path().join("pred")).unwrap();
    for name in ["hard", "soft", "labels"] {
        write_mask(&dir.path().join(format!("truth/{name}.png")), &half).unwrap();
    }
    write_mask(&dir.path().join("pred/hard.png"), &half).unwrap();
    let values = (0..16).map(|at| if at % 4 >= 2 { 0.75 } else { 0.25 }).collect();
    write_field(&dir.path().join("pred/soft.png"), &ScalarField::new(4, 4, values).unwrap()).unwrap();
    let told = eval(&dir, &["--task", "mask"]);
    assert_eq!((told.code, number(&told, "iou"), number(&told, "f_beta")), (0, 1.0, 1.0), "{}", told.stderr);
    assert!((number(&told, "mae") - 0.125).abs() < 1e-4);
    assert_eq!(told.json["max_f"]["mean_of_f"]["value"].as_f64(), Some(1.0));

    let map = LabelMap::new(4, 4, (0..16).map(|at| u32::from(at % 4 >= 2) * 3).collect()).unwrap();
    labels(&dir.path().join("pred"), "labels.png", &map);
    let told = eval(&dir, &[]);
    assert_eq!((told.code, number(&told, "images"), number(&told, "iou")), (0, 3.0, 1.0));
    assert!(told.json.get("max_f").is_none());
}

#[test]
fn classes_are_ids_and_regions_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let swapped = LabelMap::new(4, 4, (0..16).map(|at| 1 - u32::from(at % 4 >= 2)).collect()).unwrap();
    let classes = LabelMap::new(4, 4, (0..16).map(|at| u32::from(at % 4 >= 2)).collect()).unwrap();
    labels(&dir.path().join("truth"), "x.png", &classes);
    labels(&dir.path().join("pred"), "x.png", &swapped);
    let told = eval(&dir, &["--task", "semantic"]);
    assert_eq!((told.code, number(&told, "miou"), number(&told, "miou_matched")), (0, 0.0, 1.0), "{}", told.stderr);
    let told = eval(&dir, &["--task", "regions"]);
    assert_eq!((number(&told, "miou"), number(&told, "covering")), (1.0, 1.0));
    let told = eval(&dir, &["--task", "superpixels"]);
    for name in ["boundary_recall", "undersegmentation_error", "asa", "compactness", "regions"] {
        number(&told, name);
    }
    let told = eval(&dir, &["--task", "semantic", "--ignore-label", "1"]);
    assert_eq!(told.json["classes"].as_array().unwrap().len(), 2);
}
