//! `segcut train` and `segcut predict`: points, graphs and images; what is refused; interruptions.
#![allow(clippy::unwrap_used, clippy::panic)]

mod drawn;

use drawn::{Numbers, Told, quarters, segcut, told};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

fn run(folder: &Path, args: &str) -> Told {
    told(folder, &args.split_whitespace().collect::<Vec<_>>())
}

/// The JSON of a call that must end well.
fn json(folder: &Path, args: &str) -> Value {
    let told = run(folder, &format!("{args} --json"));
    assert_eq!(told.code, Some(0), "{args}: {}", told.stderr);
    serde_json::from_str(&told.stdout).unwrap()
}

/// Two bent bands of points, far apart, with their labels; `seed` draws others of the same kind.
fn bands(folder: &Path, name: &str, n: u32, seed: u32) {
    let mut numbers = Numbers(seed.into());
    let mut text = String::from("a,b,label\n");
    for i in 0..n {
        let [along, across] = [0, 1].map(|_| numbers.next(1000) as f64 / 1000.0);
        let band = f64::from(i % 2);
        text += &format!("{},{},g{band}\n", 100.0 + 4.0 * along, (3.0 * along).sin() + 0.2 * across + 2.0 * band);
    }
    std::fs::write(folder.join(name), text).unwrap();
}

const SHORT: &str = "--k 2 --set cluster.steps=100 --threads 1";

#[test]
fn a_model_of_points_labels_others() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    bands(at, "train.csv", 400, 1);
    bands(at, "new.csv", 100, 2);
    let told = json(at, &format!("train train.csv -o model --method spectralnet --report page {SHORT}"));
    assert_eq!(
        (&told["method"], &told["n"], &told["status"]),
        (&"spectralnet".into(), &400.into(), &"converged".into())
    );
    let losses = std::fs::read_to_string(at.join("model/losses.csv")).unwrap();
    assert_eq!(std::fs::read_to_string(at.join("page/losses.csv")).unwrap(), losses);
    let page = std::fs::read_to_string(at.join("page/report.html")).unwrap();
    assert!(page.contains("polyline") && page.contains("embedding") && at.join("page/embedding.png").is_file());
    assert_eq!(losses.lines().count() as u64, told["epochs"].as_u64().unwrap() + 1);
    for input in ["train.csv", "new.csv"] {
        let told = json(at, &format!("predict model {input} -o {input}.labels --truth label"));
        assert_eq!(told["accuracy"].as_f64(), Some(1.0), "{input} {told}");
    }
    // One point by itself, twice, and through --recipe: as among all.
    let text = std::fs::read_to_string(at.join("new.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(at.join("one.csv"), format!("{}\n{}\n", lines[0], lines[8])).unwrap();
    let among = std::fs::read_to_string(at.join("new.csv.labels")).unwrap();
    let wanted = among.lines().nth(8).unwrap().split(',').next_back().unwrap().to_string();
    for call in ["predict model one.csv", "predict model one.csv", "cluster one.csv --recipe model"] {
        json(at, &format!("{call} -o one.labels"));
        assert_eq!(
            std::fs::read_to_string(at.join("one.labels")).unwrap(),
            format!("id,label\n0,{wanted}\n"),
            "{call}"
        );
    }
}

#[test]
fn broken_models_and_wrong_inputs_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    bands(at, "train.csv", 60, 1);
    json(at, &format!("train train.csv -o model {SHORT}"));
    let ends = |args: &str, code: i32, part: &str| {
        let told = run(at, args);
        assert_eq!(told.code, Some(code), "{args}: {}", told.stderr);
        assert!(told.stderr.contains(part), "{args}: {}", told.stderr);
    };
    ends("train train.csv -o model --k 2", 2, "holds a model; --overwrite");
    ends("train train.csv -o other --method spectral", 2, "spectralnet");
    ends("train train.csv -o other --k 61", 2, "more than the 60 nodes");
    ends("train nothing.csv -o other", 3, "nothing.csv");
    ends("predict nothing train.csv -o x.csv", 3, "nothing/recipe.toml");
    std::fs::write(at.join("wide.csv"), "a,b,c\n1,2,3\n").unwrap();
    ends("predict model wide.csv -o x.csv", 1, "reads 2 features per node, and these nodes have 3");
    ends("cluster train.csv --recipe model --k 5 -o x.csv", 2, "--k 5: model");
    let file = at.join("model/model.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 8]).unwrap();
    ends("predict model train.csv -o x.csv", 5, "checksum");
    std::fs::remove_file(&file).unwrap();
    ends("predict model train.csv -o x.csv", 5, "model.safetensors");
}

#[test]
fn a_graph_of_the_users_own_is_learned_from() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    bands(at, "features.csv", 60, 1);
    let edges: String = (0..58).map(|i| format!("{i},{}\n", i + 2)).collect();
    std::fs::write(at.join("edges.csv"), format!("u,v\n{edges}")).unwrap();
    let told = json(at, &format!("cluster edges.csv -o l.csv --features features.csv --method spectralnet {SHORT}"));
    assert!(told["modularity"].as_f64().unwrap() > 0.45, "{told}");
    let told = run(at, &format!("cluster edges.csv -o l.csv --method spectralnet {SHORT}"));
    assert!(told.code == Some(1) && told.stderr.contains("reads node features"), "{}", told.stderr);
}

#[test]
fn a_model_of_images_labels_other_images() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    for (file, seed) in [("train/a.png", 1), ("train/b.png", 2), ("new/c.png", 3)] {
        std::fs::create_dir_all(at.join(file).parent().unwrap()).unwrap();
        std::fs::write(at.join(file), quarters((60, 80), seed)).unwrap();
    }
    let told = json(at, "train train -o model --k 4 --set cluster.steps=40 --set superpixels.n_segments=80");
    assert!(told["n"].as_u64().unwrap() > 20, "{told}");
    let patches = "[superpixels]\nkind = \"grid\"\nfrom = \"features\"\n[[features]]\nkind = \"patch\"\nside = 8\n[graph]\n\
        kind = \"rag\"\n[cluster]\nkind = \"spectralnet\"\nk = 4\nsteps = 30\nconvolution.channels = [8]\n";
    std::fs::write(at.join("patches.toml"), patches).unwrap();
    let told = json(at, "train train -o patches --recipe patches.toml --augment flip,brightness");
    assert_eq!(told["n"], 2 * 4 * 80, "{told}");
    assert_eq!(run(at, "predict patches new -o out").code, Some(0));
    std::fs::remove_dir_all(at.join("out")).unwrap();
    let told = run(at, "train new/c.png -o other --augment flip");
    assert!(told.code == Some(2) && told.stderr.contains("--augment"), "{}", told.stderr);
    for call in ["predict model new", "segment new --recipe model"] {
        assert_eq!(run(at, &format!("{call} -o out")).code, Some(0), "{call}");
        assert!(at.join("out/c.labels.png").is_file(), "{call}");
        std::fs::remove_dir_all(at.join("out")).unwrap();
    }
}

/// Three blocks of nodes (node i in i % 3) that are joined within, with attributes that tell them apart in part.
fn blocks(folder: &Path, name: &str, n: u32, shift: u32) {
    let draw = |u: u32, v: u32| (u.wrapping_mul(7919) ^ v.wrapping_mul(104_729)).wrapping_add(shift * 31) % 97;
    let pairs = (0..n).flat_map(|u| (u + 1..n).map(move |v| (u, v)));
    let joined = pairs.filter(|&(u, v)| draw(u, v) < if u % 3 == v % 3 { 24 } else { 2 });
    let edges: String = joined.map(|(u, v)| format!("{u},{v}\n")).collect();
    std::fs::write(folder.join(format!("{name}.csv")), format!("u,v\n{edges}")).unwrap();
    let value = |i: u32, d: u32| f64::from(draw(i + 1000, d)) / 97.0 + if d % 3 == i % 3 { 0.5 } else { 0.0 };
    let rows: String =
        (0..n).map(|i| (0..6).map(|d| format!("{:.3}", value(i, d))).collect::<Vec<_>>().join(",") + "\n").collect();
    std::fs::write(folder.join(format!("{name}.features.csv")), rows).unwrap();
    let truth: String = (0..n).map(|i| format!("{i},{}\n", i % 3)).collect();
    std::fs::write(folder.join(format!("{name}.truth.csv")), format!("id,label\n{truth}")).unwrap();
}

#[test]
fn a_model_of_communities_labels_nodes_that_it_has_not_seen() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    blocks(at, "old", 90, 0);
    blocks(at, "new", 120, 5);
    let of = |name: &str| format!("{name}.csv --format edges --features {name}.features.csv");
    for method in ["gcn", "dmon"] {
        let (old, new) = (of("old"), of("new"));
        let told = json(at, &format!("train {old} -o {method} --method {method} --k 3 --set cluster.dims=6"));
        assert_eq!(told["n"], 90);
        let found = json(at, &format!("predict {method} {new} -o a.csv --truth new.truth.csv"));
        json(at, &format!("cluster {new} -o b.csv --recipe {method}"));
        let [a, b] = ["a.csv", "b.csv"].map(|file| std::fs::read(at.join(file)).unwrap());
        assert_eq!(a, b, "{method}");
        assert!(method == "dmon" || found["accuracy"].as_f64().unwrap() > 0.9, "{found}");
        let wide = run(at, &format!("predict {method} old.csv --format edges --features old.truth.csv -o c.csv"));
        assert_eq!(wide.code, Some(1), "{}", wide.stderr);
    }
    let bare = run(at, "train old.csv --format edges -o bare --method gcn --k 3");
    assert!(bare.code == Some(1) && bare.stderr.contains("old.csv: a model of communities needs"), "{}", bare.stderr);
    let wrong = run(at, "predict gcn new.csv --format edges -o c.csv");
    assert!(wrong.code == Some(1) && wrong.stderr.contains("needs attributes"), "{}", wrong.stderr);
}

#[test]
fn interrupted_communities_go_on_and_end_like_unbroken_ones() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    blocks(at, "old", 300, 0);
    let input = "old.csv --format edges --features old.features.csv --method gcn --k 3 --threads 1";
    let long = "--set cluster.epochs=400 --set cluster.tolerance=0 --set cluster.hidden=[128]";
    for (command, out) in [("cluster", "l.csv"), ("train", "model")] {
        let args = format!("-v {command} {input} {long} -o {out}");
        let mut started = segcut();
        started.current_dir(at).args(args.split(' ')).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = started.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("epoch 1:")), "{command}");
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let told: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{told:?}");
        assert!(told.iter().any(|line| line.contains("goes on from the last epoch")), "{told:?}");
        let state = if command == "cluster" { "l.csv.unfinished" } else { "model/unfinished" };
        assert!(at.join(format!("{state}.safetensors")).is_file());
        let resumed = run(at, &args);
        assert!(
            resumed.code == Some(0) && resumed.stderr.contains("unfinished training goes on"),
            "{}",
            resumed.stderr
        );
        assert!(!resumed.stderr.contains("epoch 1:"), "{}", resumed.stderr);
        assert!(!at.join(format!("{state}.safetensors")).exists() && !at.join(format!("{state}.toml")).exists());
        let straight = run(at, &args.replace(out, &format!("unbroken-{out}")));
        assert_eq!(straight.code, Some(0), "{}", straight.stderr);
    }
    let same = |a: &str, b: &str| assert_eq!(std::fs::read(at.join(a)).unwrap(), std::fs::read(at.join(b)).unwrap());
    same("l.csv", "unbroken-l.csv");
    same("model/model.safetensors", "unbroken-model/model.safetensors");
}
