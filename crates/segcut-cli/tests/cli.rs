//! What the program says, where it says it, and how it ends.
#![allow(clippy::unwrap_used, clippy::panic)]

mod drawn;

use drawn::{quarters, rgb_png, segcut, told, told_of};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

fn image(folder: &Path, name: &str) {
    std::fs::write(folder.join(name), quarters((60, 80), 1)).unwrap();
}

#[test]
fn segment_writes_labels_and_overlay_and_says_so_on_stdout() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "a.png");
    let plain = told(dir.path(), &["segment", "a.png", "-o", "out"]);
    assert_eq!((plain.code, plain.stderr.as_str()), (Some(0), ""));
    assert!(plain.stdout.starts_with("a.png: ") && plain.stdout.contains(" regions"), "{}", plain.stdout);
    for name in ["a.labels.png", "a.overlay.png"] {
        assert!(dir.path().join("out").join(name).is_file());
    }
    let quiet = told(dir.path(), &["segment", "a.png", "-o", "out", "-q"]);
    assert_eq!((quiet.code, quiet.stdout.as_str(), quiet.stderr.as_str()), (Some(0), "", ""));
    let json = told(dir.path(), &["segment", "a.png", "none.png", "-o", "out", "--json"]);
    assert_eq!(json.code, Some(1));
    let rows: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&rows[0]["status"], &rows[1]["code"]), (&"ok".into(), &"io/notfound".into()));
    assert!(json.stderr.starts_with("error: none.png: "), "{}", json.stderr);
}

#[test]
fn everything_that_can_be_saved_is() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "a.png");
    let save = ["segment", "a.png", "-o", "out", "--k", "4", "--save", "superpixels,eigenvectors,affinity,mask"];
    let told = told(dir.path(), &save);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    for ending in [
        "superpixels.png",
        "superpixels.overlay.png",
        "eigenvectors.npy",
        "eigenvector1.png",
        "affinity.mtx",
        "mask.png",
    ] {
        assert!(dir.path().join(format!("out/a.{ending}")).is_file(), "{ending}");
    }
    let absent = drawn::told(
        dir.path(),
        &["segment", "a.png", "-o", "out", "--recipe", "superpixels", "--save", "eigenvectors"],
    );
    assert_eq!(absent.code, Some(1));
    assert!(absent.stderr.contains("no eigenvectors"), "{}", absent.stderr);
}

#[test]
fn k_is_clamped_with_a_note_and_must_be_positive() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.png"), rgb_png(2, 2, |y, x| [80 * y as u8, 80 * x as u8, 0])).unwrap();
    let clamped = told(dir.path(), &["segment", "a.png", "-o", "out", "--k", "50", "--json"]);
    assert_eq!(clamped.code, Some(0), "{}", clamped.stderr);
    let rows: Value = serde_json::from_str(&clamped.stdout).unwrap();
    assert!(rows[0]["regions"].as_u64().unwrap() <= 4 && rows[0]["notes"].to_string().contains("50"), "{rows}");
    for wrong in ["0", "-1", "x"] {
        assert_eq!(
            told(dir.path(), &["segment", "a.png", "-o", "out", &format!("--k={wrong}")]).code,
            Some(2),
            "{wrong}"
        );
    }
}

#[test]
fn wrong_recipes_name_the_line_and_the_allowed_words() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "a.png");
    let good = "[superpixels]\nkind = \"slic\"\n\n[graph]\nkind = \"rag\"\n\n[cluster]\nkind = \"each\"\n";
    let try_with = |from: &str, to: &str| {
        std::fs::write(dir.path().join("r.toml"), good.replacen(from, to, 1)).unwrap();
        let told = told(dir.path(), &["segment", "a.png", "-o", "out", "--recipe", "r.toml"]);
        (told.code, told.stderr)
    };
    assert_eq!(try_with("", "").0, Some(0));
    for (from, to, words) in [
        ("\"slic\"\n", "\"slic\"\nn_segment = 9\n", ["line 3", "n_segment", "n_segments"]),
        ("\"slic\"", "\"slick\"", ["line 1", "slick", "slic"]),
        ("\"slic\"\n", "\"slic\"\nn_segments = \"many\"\n", ["line 3", "string", "usize"]),
        ("[graph]", "[grap]", ["line 4", "grap", "graph"]),
    ] {
        let (code, stderr) = try_with(from, to);
        assert_eq!(code, Some(2), "{to}: {stderr}");
        assert!(words.iter().all(|word| stderr.contains(word)), "{to}: {stderr}");
    }
    let unknown = told(dir.path(), &["segment", "a.png", "-o", "out", "--recipe", "ncut"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("ncut-slic-color"), "{}", unknown.stderr);
}

#[test]
fn names_that_meet_and_folders_in_the_way_are_seen_before_any_work() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "a.png");
    std::fs::write(dir.path().join("A.jpg"), "").unwrap();
    let twins = told(dir.path(), &["segment", "a.png", "A.jpg", "-o", "out"]);
    assert!(twins.code == Some(2) && twins.stderr.contains("a.png and A.jpg"), "{}", twins.stderr);
    let blocked = told(dir.path(), &["segment", "a.png", "-o", "a.png/out"]);
    assert!(blocked.code == Some(4) && blocked.stderr.contains("a.png/out"), "{}", blocked.stderr);
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    assert_eq!(told(dir.path(), &["segment", "empty", "-o", "out"]).code, Some(3));
}

#[test]
fn a_folder_does_not_hide_the_recipe_of_its_name() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "a.png");
    let run =
        |recipe: &str| told(dir.path(), &["segment", "a.png", "--recipe", recipe, "-o", "superpixels", "-q"]).code;
    assert_eq!([run("superpixels"), run("superpixels")], [Some(0), Some(0)]);
    assert_eq!(run("./superpixels"), Some(3), "a folder without a model");
}

#[test]
fn stdin_is_an_image() {
    let dir = tempfile::tempdir().unwrap();
    let feed = |bytes: &[u8]| {
        let mut command = segcut();
        command.current_dir(dir.path()).args(["segment", "-", "-o", "out"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        told_of(child.wait_with_output().unwrap())
    };
    assert_eq!(feed(&quarters((30, 30), 2)).code, Some(0));
    assert!(dir.path().join("out/stdin.labels.png").is_file());
    let garbage = feed(b"no image");
    assert!(garbage.code == Some(1) && garbage.stderr.starts_with("error: stdin: "), "{}", garbage.stderr);
}

#[test]
fn a_closed_stdout_ends_the_program_quietly() {
    for args in [&["completions", "bash"][..], &["man"], &["recipes"], &["recipes", "superpixels"]] {
        let mut child = segcut().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let told = told_of(child.wait_with_output().unwrap());
        assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn what_is_generated_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = told(dir.path(), &["completions", shell]);
        assert!(script.code == Some(0) && script.stdout.contains("recipe"), "{shell}");
    }
    assert!(told(dir.path(), &["man"]).stdout.contains(".TH segcut"));
    let list = told(dir.path(), &["recipes"]).stdout;
    for name in [
        "ncut-slic-color",
        "ncut-slic-skimage",
        "merge-slic-color",
        "ncut-pixels",
        "pspectral-slic-color",
        "two-step",
        "foreground",
        "foreground-fast",
        "robust-background",
        "superpixels",
    ] {
        assert!(list.contains(name), "{list}");
        let resolved = told(dir.path(), &["recipes", name]);
        let table: toml::Table = toml::from_str(&resolved.stdout).unwrap();
        assert!(table["superpixels"]["kind"].is_str(), "{name}");
        // What it resolves to is a recipe itself, and resolves to itself.
        std::fs::write(dir.path().join("r.toml"), &resolved.stdout).unwrap();
        assert_eq!(told(dir.path(), &["recipes", "r.toml"]).stdout, resolved.stdout, "{name}");
    }
    let json: Value = serde_json::from_str(&told(dir.path(), &["recipes", "--json"]).stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), list.lines().count());
}

#[test]
fn every_recipe_segments() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.png"), quarters((40, 50), 4)).unwrap();
    for name in [
        "ncut-slic-color",
        "ncut-slic-skimage",
        "merge-slic-color",
        "ncut-pixels",
        "pspectral-slic-color",
        "two-step",
        "superpixels",
        "coins",
        "onespectral-slic-color",
    ] {
        let told = told(dir.path(), &["segment", "a.png", "-o", name, "--recipe", name]);
        assert_eq!(told.code, Some(0), "{name}: {}", told.stderr);
    }
}

#[test]
fn the_demo_needs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let demo = told(dir.path(), &["demo", "-o", "out", "--json"]);
    assert_eq!(demo.code, Some(0), "{}", demo.stderr);
    let scores: Value = serde_json::from_str(&demo.stdout).unwrap();
    assert!(scores["scores"]["covering"].as_f64().unwrap() > 0.3, "{scores}");
    let report = std::fs::read_to_string(dir.path().join("out/report.html")).unwrap();
    assert!(report.contains("data:image/png;base64,") && !report.contains("<script"));
}

#[test]
fn a_time_limit_ends_an_image_not_the_call() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "a.png");
    let told = told(dir.path(), &["segment", "a.png", "-o", "out", "--timeout-per-image", "0.000001", "--json"]);
    assert_eq!(told.code, Some(1));
    let rows: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&rows[0]["status"], &rows[0]["code"]), (&"timeout".into(), &"timeout".into()));
}
