//! Recipes with networks: end to end with random weights, their features on disk, and weights that are none.

#![allow(clippy::unwrap_used, clippy::panic)]

mod drawn;
mod networks;

use drawn::{Told, rgb_png, segcut, told_of, tree};
use networks::checkpoint;
use segcut_io::labels::{LabelOptions, read_labels};
use segcut_io::npy::{NpyData, write_npy};
use std::fs;
use std::path::{Path, PathBuf};

const RECIPES: [&str; 3] = ["tokencut", "deep-spectral", "ncut-dino-superpixels"];
/// Random keys may well make one region of these.
const NETWORKS: [&str; 3] = ["deepcut-ncut-dino", "deepcut-cc-dino", "deepcut-two-step-dino"];

/// Runs the program where no weights are cached.
fn run(folder: &Path, args: &[&str]) -> Told {
    let mut command = segcut();
    command.current_dir(folder).env("HF_HOME", folder.join("hf")).env_remove("HF_HUB_CACHE").args(args);
    told_of(command.output().unwrap())
}

/// A dark square at a place of a lighter ground.
fn square(at: usize) -> Vec<u8> {
    let inside = |y: usize, x: usize| (24..56).contains(&y) && (at..at + 32).contains(&x);
    rgb_png(80, 104, |y, x| if inside(y, x) { [40, 30, 60] } else { [190, 200, (170 + (x * y) % 9) as u8] })
}

/// A folder with two images and a network.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("images")).unwrap();
    fs::write(dir.path().join("images/a.png"), square(16)).unwrap();
    fs::write(dir.path().join("images/b.png"), square(48)).unwrap();
    fs::write(dir.path().join("small.safetensors"), checkpoint(3, |_, _, _| {})).unwrap();
    dir
}

fn labels(path: PathBuf) -> Vec<u32> {
    read_labels(&path, &LabelOptions::default()).unwrap().labels().to_vec()
}

const SMALL: [&str; 2] = ["--set", "features.0.weights=small.safetensors"];

#[test]
fn recipes_run_end_to_end_with_random_weights() {
    let dir = prepared();
    for recipe in RECIPES {
        let told = run(dir.path(), &["run", "--data", "images", "-o", recipe, "--recipe", recipe, SMALL[0], SMALL[1]]);
        assert_eq!(told.code, Some(0), "{recipe}: {}", told.stderr);
        let stored = fs::read_to_string(dir.path().join(recipe).join("recipe.toml")).unwrap();
        assert!(stored.contains("sha256 = \""), "{stored}");
        for name in ["a", "b"] {
            let map = labels(dir.path().join(format!("{recipe}/labels/{name}.png")));
            assert_eq!(map.len(), 80 * 104);
            assert!(map.iter().any(|&l| l != map[0]), "{recipe}, {name}: one region");
        }
    }
}

#[test]
fn deepcut_runs_on_keys() {
    let dir = prepared();
    for recipe in NETWORKS {
        let args = ["segment", "images", "-o", recipe, "--recipe", recipe, SMALL[0], SMALL[1]];
        let told = run(dir.path(), &args);
        assert_eq!(told.code, Some(0), "{recipe}: {}", told.stderr);
        let map = labels(dir.path().join(format!("{recipe}/a.labels.png")));
        assert_eq!(map.len(), 80 * 104);
    }
}

/// The same square is found wherever it is: even random keys tell its patches from the ground.
#[test]
fn tokencut_finds_a_square() {
    let dir = prepared();
    let told = run(dir.path(), &["segment", "images", "-o", "out", "--recipe", "tokencut", SMALL[0], SMALL[1]]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    for (name, at) in [("a", 16), ("b", 48)] {
        let map = labels(dir.path().join(format!("out/{name}.labels.png")));
        let inside = |i: usize| (24..56).contains(&(i / 104)) && (at..at + 32).contains(&(i % 104));
        let both = (0..map.len()).filter(|&i| inside(i) && map[i] == 1).count() as f64;
        let any = (0..map.len()).filter(|&i| inside(i) || map[i] == 1).count() as f64;
        assert!(both / any > 0.8, "{name}: IoU {}", both / any);
    }
}

#[test]
fn absent_weights_are_told_before_any_image() {
    let dir = tempfile::tempdir().unwrap();
    let list = run(dir.path(), &["recipes"]);
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    let shown = run(dir.path(), &["recipes", "tokencut"]);
    assert_eq!(shown.code, Some(0));
    assert!(shown.stdout.contains("weights = \"dino-vits16\"") && shown.stderr.contains("weights fetch dino-vits16"));
    for recipe in RECIPES {
        let line = list.stdout.lines().find(|line| line.starts_with(recipe)).unwrap();
        assert!(line.ends_with("(needs weights dino-vits16: segcut weights fetch dino-vits16)"), "{line}");
        let told = run(dir.path(), &["segment", "no-such.png", "-o", "out", "--recipe", recipe]);
        assert_eq!(told.code, Some(5), "{}", told.stderr);
        assert_eq!(told.stderr.lines().count(), 1, "{}", told.stderr);
        assert!(told.stderr.contains("segcut weights fetch dino-vits16"), "{}", told.stderr);
        assert!(!dir.path().join("out").exists());
    }
}

#[test]
fn a_recipe_may_pin_its_weights() {
    let dir = prepared();
    let first = run(dir.path(), &["run", "--data", "images", "-o", "one", "--recipe", "tokencut", SMALL[0], SMALL[1]]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let again = ["run", "--data", "images", "--recipe", "one/recipe.toml", "-o"];
    assert_eq!(run(dir.path(), &[&again[..], &["two"]].concat()).code, Some(0));
    fs::write(dir.path().join("small.safetensors"), checkpoint(4, |_, _, _| {})).unwrap();
    let told = run(dir.path(), &[&again[..], &["three"]].concat());
    assert_eq!(told.code, Some(5));
    assert!(told.stderr.contains("the recipe asks for"), "{}", told.stderr);
}

#[test]
fn files_that_are_no_weights_give_one_line_and_exit_5() {
    let dir = prepared();
    let whole = checkpoint(3, |_, _, _| {});
    let header = |length: u64, text: &str| [&length.to_le_bytes()[..], text.as_bytes()].concat();
    let nan = checkpoint(3, |name, _, values| {
        if name == "norm.bias" {
            values[7] = f32::NAN;
        }
    });
    let shape = checkpoint(3, |name, shape, values| {
        if name == "blocks.1.mlp.fc2.bias" {
            shape[0] -= 1;
            values.pop();
        }
    });
    let other = r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("page", b"<!DOCTYPE html><html><title>404</title></html>".to_vec()),
        ("pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".to_vec()),
        ("torch", b"PK\x03\x04rest".to_vec()),
        ("noise", vec![0xA5; 5000]),
        ("huge-header", header(1 << 40, "{}")),
        ("no-json", header(5, "{ab:}")),
        ("other-network", [header(other.len() as u64, other), vec![0; 4]].concat()),
        ("cut", whole[..whole.len() - 10].to_vec()),
        ("cut-header", whole[..100].to_vec()),
        ("tail", [&whole[..], &[0; 3]].concat()),
        ("nan", nan),
        ("shape", shape),
    ];
    for (name, bytes) in cases {
        let file = format!("{name}.safetensors");
        fs::write(dir.path().join(&file), bytes).unwrap();
        let set = format!("features.0.weights={file}");
        let told = run(dir.path(), &["segment", "images", "-o", "out", "--recipe", "tokencut", "--set", &set]);
        assert_eq!(told.code, Some(5), "{name}: {}", told.stderr);
        assert!(told.stderr.lines().count() == 1 && told.stderr.contains(&file), "{name}: {}", told.stderr);
        assert_eq!(run(dir.path(), &["weights", "inspect", &file]).code, Some(5), "{name}");
        assert!(!dir.path().join("out").exists(), "{name}");
    }
}

#[test]
fn a_pickle_that_is_no_state_dict_is_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let call = b"\x80\x02cos\nsystem\nq\x00X\x09\x00\x00\x00touch ranq\x01\x85q\x02Rq\x03.";
    for (name, bytes) in [("raw", call.to_vec()), ("none", Vec::new()), ("page", b"<html></html>".to_vec())] {
        let file = format!("{name}.pth");
        fs::write(dir.path().join(&file), bytes).unwrap();
        let told = run(dir.path(), &["weights", "import", &file, "-o", "out.safetensors"]);
        assert_eq!(told.code, Some(5), "{name}: {}", told.stderr);
        assert!(told.stderr.lines().count() == 1 && told.stderr.contains(&file), "{name}: {}", told.stderr);
        assert!(!dir.path().join("out.safetensors").exists() && !dir.path().join("ran").exists());
    }
}

#[test]
fn features_on_disk_are_read_and_never_mixed() {
    let dir = prepared();
    let run_with = |output: &str, more: &[&str]| {
        let mut args = vec!["segment", "images", "-o", output, "--recipe", "tokencut", "--feature-cache", "cache"];
        args.extend(SMALL.iter().chain(more));
        let told = run(dir.path(), &args);
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        labels(dir.path().join(format!("{output}/a.labels.png")))
    };
    let plain = run_with("one", &[]);
    let first = tree(&dir.path().join("cache"));
    assert_eq!(first.len(), 2);
    assert_eq!(run_with("two", &["--jobs", "2"]), plain);
    assert_eq!(tree(&dir.path().join("cache")), first);

    // Where the files of the two images are exchanged, so are the results: the files are read.
    let paths: Vec<&PathBuf> = first.keys().collect();
    for (to, from) in [(paths[0], paths[1]), (paths[1], paths[0])] {
        fs::write(dir.path().join("cache").join(to), &first[from]).unwrap();
    }
    run_with("exchanged", &[]);
    let of = |name: &str| labels(dir.path().join(name));
    assert_eq!(of("exchanged/a.labels.png"), of("one/b.labels.png"));
    assert_eq!(of("exchanged/b.labels.png"), plain);

    // A damaged file is made again, and another facet or other weights have files of their own.
    for path in &paths {
        fs::write(dir.path().join("cache").join(path), &first[*path][..50]).unwrap();
    }
    assert_eq!(run_with("three", &[]), plain);
    assert_eq!(tree(&dir.path().join("cache")), first);
    run_with("four", &["--set", "features.0.facet=query"]);
    assert_eq!(tree(&dir.path().join("cache")).len(), 4);
    fs::write(dir.path().join("small.safetensors"), checkpoint(5, |_, _, _| {})).unwrap();
    run_with("five", &[]);
    assert_eq!(tree(&dir.path().join("cache")).len(), 6);
}

#[test]
fn features_may_come_from_arrays() {
    let dir = prepared();
    fs::create_dir(dir.path().join("arrays")).unwrap();
    // 10 x 13 cells: the square of image a has other features than the ground.
    let values: Vec<f32> = (0..130)
        .flat_map(
            |cell| if (3..7).contains(&(cell / 13)) && (2..6).contains(&(cell % 13)) { [1.0, 0.0] } else { [0.0, 1.0] },
        )
        .collect();
    write_npy(&dir.path().join("arrays/a.npy"), &[10, 13, 2], NpyData::F32(&values)).unwrap();
    let recipe = "[superpixels]\nkind = \"grid\"\nfrom = \"features\"\n[[features]]\nkind = \"npy\"\ndir = \"arrays\"\n\
        [graph]\nkind = \"cosine\"\nmap = \"npy\"\nbelow = 1e-5\n[cluster]\nkind = \"ncut\"\nk = 2\n";
    fs::write(dir.path().join("mine.toml"), recipe).unwrap();
    let told = run(dir.path(), &["segment", "images", "-o", "out", "--recipe", "mine.toml"]);
    assert_eq!(told.code, Some(1), "{}", told.stderr);
    assert!(told.stderr.contains("arrays/b.npy"), "{}", told.stderr);
    let map = labels(dir.path().join("out/a.labels.png"));
    let inside = |i: usize| (24..56).contains(&(i / 104)) && (16..48).contains(&(i % 104));
    assert!((0..map.len()).all(|i| (map[i] == map[30 * 104 + 20]) == inside(i)));
}

#[test]
fn extractors_are_compared_on_the_same_images() {
    let dir = prepared();
    let network = "[superpixels]\nkind = \"slic\"\nn_segments = 40\n[[features]]\nkind = \"vit\"\nweights = \"small.safetensors\"\n\
        [graph]\nkind = \"rag\"\n[cluster]\nkind = \"ncut\"\nk = 2\n";
    fs::write(dir.path().join("keys.toml"), network).unwrap();
    let colors = network.replace("\"vit\"\nweights = \"small.safetensors\"", "\"color\"");
    fs::write(dir.path().join("colors.toml"), colors).unwrap();
    let args =
        ["compare", "--data", "images", "-o", "out", "--recipe", "colors.toml", "--recipe", "keys.toml", "--json"];
    let told = run(dir.path(), &args);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    let summary: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(summary["images_compared"].as_u64(), Some(2), "{summary}");
}
