//! Which room uses which: the invariants of ARCHITECTURE.md, read off the manifests and the sources.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and the rooms that they may use, as in ARCHITECTURE.md.
const MAY_USE: &[(&str, &[&str])] = &[
    ("segcut-core", &[]),
    // Vector code that both kinds of networks multiply with.
    ("segcut-kernel", &[]),
    ("segcut-pixel", &["segcut-core"]),
    ("segcut-superpixel", &["segcut-core", "segcut-pixel"]),
    ("segcut-features", &["segcut-core", "segcut-pixel"]),
    // Images are resized before the network sees them.
    ("segcut-vit", &["segcut-core", "segcut-kernel", "segcut-pixel"]),
    ("segcut-weights", &["segcut-core"]),
    ("segcut-graph", &["segcut-core"]),
    // Its contour extractor reads colors, and filters along their edges.
    ("segcut-spectral", &["segcut-core", "segcut-graph", "segcut-pixel"]),
    ("segcut-multicut", &["segcut-core", "segcut-graph"]),
    ("segcut-neural", &["segcut-core", "segcut-graph", "segcut-kernel", "segcut-spectral"]),
    ("segcut-refine", &["segcut-core", "segcut-graph", "segcut-pixel"]),
    ("segcut-io", &["segcut-core"]),
    ("segcut-eval", &["segcut-core"]),
    (
        "segcut",
        &[
            "segcut-core",
            "segcut-features",
            "segcut-graph",
            "segcut-multicut",
            "segcut-neural",
            "segcut-pixel",
            "segcut-refine",
            "segcut-spectral",
            "segcut-superpixel",
            "segcut-vit",
        ],
    ),
    ("segcut-cli", &["segcut", "segcut-core", "segcut-eval", "segcut-io", "segcut-pixel", "segcut-weights"]),
];

/// Words that only some rooms may contain, outside their tests.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("std::fs", &["segcut-io", "segcut-weights", "segcut-vit", "segcut-cli"]),
    ("std::env::", &["segcut-cli", "segcut-weights"]),
    ("Instant::now", &["segcut-cli"]),
    ("SystemTime", &["segcut-cli"]),
    ("candle", &["segcut-vit", "segcut-neural"]),
    ("println!", &["segcut-cli"]),
    ("HashMap", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifests() -> BTreeMap<String, (PathBuf, toml::Table)> {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|e| e.unwrap().path());
    crates
        .chain([root().join("eval")])
        .map(|dir| {
            let manifest: toml::Table = fs::read_to_string(dir.join("Cargo.toml")).unwrap().parse().unwrap();
            (manifest["package"]["name"].as_str().unwrap().to_string(), (dir, manifest))
        })
        .collect()
}

#[test]
fn rooms_use_only_what_they_may() {
    let manifests = manifests();
    assert_eq!(manifests.len(), MAY_USE.len(), "every room is listed");
    for (room, allowed) in MAY_USE {
        let (_, manifest) = &manifests[*room];
        let dependencies = manifest["dependencies"].as_table().unwrap();
        for name in dependencies.keys().filter(|name| name.starts_with("segcut")) {
            assert!(allowed.contains(&name.as_str()), "{room} must not use {name}");
        }
    }
}

#[test]
fn words_stay_in_their_rooms() {
    let mut sources = 0;
    for (room, (dir, _)) in manifests() {
        let mut files = Vec::new();
        collect(&dir.join("src"), &mut files);
        for file in files {
            sources += 1;
            let text = code(&fs::read_to_string(&file).unwrap());
            for (word, rooms) in ONLY_IN {
                let allowed = rooms.contains(&room.as_str());
                assert!(allowed || !text.contains(word), "{} must not contain {word}", file.display());
            }
        }
    }
    assert!(sources > 50, "the walk found only {sources} sources");
}

/// The code of a file without its comments and its test module.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or("");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}
