//! `segcut compare` on two small drawn images.

#![allow(clippy::unwrap_used, clippy::panic)]

use assert_cmd::Command;
use segcut_io::labels::{LabelOptions, read_labels};
use segcut_io::overlay::Picture;
use serde_json::Value;
use std::path::Path;

fn compare(folder: &Path, output: &str, more: &[&str]) -> (i32, Value) {
    let mut command = Command::cargo_bin("segcut").unwrap();
    command.current_dir(folder).args(["compare", "--data", "images", "-o", output, "--json"]).args(more);
    let told = command.output().unwrap();
    (told.status.code().unwrap(), serde_json::from_slice(&told.stdout).unwrap_or(Value::Null))
}

#[test]
fn recipes_on_the_same_images() {
    let dir = tempfile::tempdir().unwrap();
    let images = dir.path().join("images");
    for (name, side) in [("a", 40), ("b", 56)] {
        Picture::filled(side, side, [200, 30, 90]).write_png(&images.join(format!("{name}.png"))).unwrap();
    }
    let recipe = "[superpixels]\nkind = \"slic\"\nn_segments = 9\n[[features]]\nkind = \"color\"\n\
        [graph]\nkind = \"rag\"\n[cluster]\nkind = \"each\"\n";
    std::fs::write(dir.path().join("nine.toml"), recipe).unwrap();
    std::fs::write(dir.path().join("four.toml"), recipe.replace("= 9", "= 4")).unwrap();
    let both = ["--recipe", "nine.toml", "--recipe", "four.toml"];

    let (code, summary) = compare(dir.path(), "one", &both);
    assert_eq!((code, summary["images_compared"].as_u64()), (0, Some(2)), "{summary}");
    let fewer = summary["recipes"][1]["paired"]["regions"]["mean"].as_f64().unwrap();
    assert!(fewer < 0.0, "{summary}");
    let page = std::fs::read_to_string(dir.path().join("one/report.html")).unwrap();
    assert!(page.contains("nine") && page.contains("data:image/png"));
    assert!(page.contains("Affinity values") && page.contains("nine: edges per weight"));
    let map = read_labels(&dir.path().join("one/nine/b.png"), &LabelOptions::default()).unwrap();
    assert_eq!((map.height(), map.width()), (56, 56));

    let (_, _) = compare(dir.path(), "two", &["--jobs", "1", both[0], both[1], both[2], both[3]]);
    let table = |name: &str| std::fs::read(dir.path().join(name).join("compare.csv")).unwrap();
    assert_eq!(table("one"), table("two"));

    std::fs::write(images.join("c.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    let (code, summary) = compare(dir.path(), "three", &both);
    assert_eq!((code, summary["images_compared"].as_u64(), summary["images_failed"].as_u64()), (1, Some(2), Some(1)));
    assert_eq!(String::from_utf8(table("three")).unwrap().matches(",error,").count(), 2);

    assert_eq!(compare(dir.path(), "four", &both[..2]).0, 2);
    assert_eq!(compare(dir.path(), "four", &["--recipe", "nine.toml", "--recipe", "no-such"]).0, 2);
    std::fs::remove_dir_all(&images).unwrap();
    assert_eq!(compare(dir.path(), "four", &both).0, 3);
}
