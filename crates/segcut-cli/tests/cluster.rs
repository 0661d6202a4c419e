//! `segcut cluster`: formats, options, scores, reports, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

mod drawn;

use drawn::{Numbers, Told, segcut, told, told_of};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

const ORACLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracle");

fn cluster(folder: &Path, args: &str) -> Told {
    let words: Vec<&str> = ["cluster"].into_iter().chain(args.split_whitespace()).collect();
    told(folder, &words)
}

/// The JSON of a call that must end well.
fn json(folder: &Path, args: &str) -> Value {
    let told = cluster(folder, &format!("{args} --json"));
    assert_eq!(told.code, Some(0), "{args}: {}", told.stderr);
    serde_json::from_str(&told.stdout).unwrap()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} in {value}"))
}

/// Three groups of 30 points, far apart, with their labels.
fn groups(folder: &Path) {
    let mut numbers = Numbers(3);
    let mut text = String::from("a,b,label\n");
    for i in 0..90 {
        let group = i % 3;
        let [x, y] = [0, 1].map(|_| numbers.next(1000) as f64 / 1000.0);
        text += &format!("{},{},g{group}\n", x + 10.0 * f64::from(group), y - 5.0 * f64::from(group));
    }
    std::fs::write(folder.join("points.csv"), text).unwrap();
}

/// Two cliques of 4 with one edge between.
const CLIQUES: &str = "u,v\n0,1\n0,2\n0,3\n1,2\n1,3\n2,3\n4,5\n4,6\n4,7\n5,6\n5,7\n6,7\n3,4\n";

#[test]
fn points_get_labels_scores_and_a_report() {
    let dir = tempfile::tempdir().unwrap();
    groups(dir.path());
    for method in ["spectral", "kmeans", "pspectral", "onespectral"] {
        let told = json(
            dir.path(),
            &format!("points.csv -o {method}.csv --method {method} --k 3 --truth label --report {method}"),
        );
        assert_eq!((&told["method"], number(&told, "accuracy")), (&method.into(), 1.0), "{told}");
        for key in ["n", "k", "nmi", "ari", "seconds", "seconds_read"] {
            number(&told, key);
        }
        assert!(told["notes"].to_string().contains("the column label holds labels"), "{told}");
        let report = std::fs::read_to_string(dir.path().join(method).join("report.html")).unwrap();
        assert!(report.contains("data:image/png;base64,") && !report.contains("<script"), "{method}");
        assert!(dir.path().join(method).join("scatter.png").is_file());
        let resolved = std::fs::read_to_string(dir.path().join(method).join("recipe.toml")).unwrap();
        assert!(resolved.contains("[points]") && resolved.contains("[cluster]"), "{resolved}");
    }
    let labels = std::fs::read_to_string(dir.path().join("spectral.csv")).unwrap();
    assert!(labels.starts_with("id,label\n0,") && labels.lines().count() == 91, "{labels}");
    let split = std::fs::read_to_string(dir.path().join("pspectral.csv")).unwrap();
    assert!(split.starts_with("id,label,label_k2,label_k3\n"), "{split}");
    let plain = cluster(dir.path(), "points.csv -o a.csv --k 3");
    assert!(plain.stdout.starts_with("a.csv: 90 nodes in 3 clusters (converged)\n"), "{}", plain.stdout);
    assert_eq!(cluster(dir.path(), "points.csv -o a.csv --k 3 -q").stdout, "");
    // A run of the resolved recipe gives the same labels.
    let again = cluster(dir.path(), "points.csv -o again.csv --recipe spectral/recipe.toml");
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(dir.path().join("again.csv")).unwrap(), labels);
}

#[test]
fn threads_and_auto_k() {
    let dir = tempfile::tempdir().unwrap();
    groups(dir.path());
    let auto = json(dir.path(), "points.csv -o 1.csv --gamma 0.05 --threads 1");
    assert_eq!(number(&auto, "k"), 3.0, "{auto}");
    json(dir.path(), "points.csv -o 4.csv --gamma 0.05 --threads 4");
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    assert_eq!(read("1.csv"), read("4.csv"));
    assert_eq!(number(&json(dir.path(), "points.csv -o one.csv --k 1"), "k"), 1.0);
    let verbose = cluster(dir.path(), "points.csv -o v.csv --k 3 -v");
    assert!(verbose.stderr.starts_with("reading\ngraph\nspectral\n"), "{}", verbose.stderr);
}

#[test]
fn two_pairs_of_points_are_two_clusters() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("p.csv"), "0,0\n0,1\n5,5\n5,6\n").unwrap();
    let values = json(dir.path(), "p.csv -o l.csv");
    assert_eq!(number(&values, "cut"), 0.0, "{values}");
    assert!(values["notes"].to_string().contains("few points: n_neighbors = 2"), "{values}");
    assert_eq!(std::fs::read_to_string(dir.path().join("l.csv")).unwrap(), "id,label\n0,0\n1,0\n2,1\n3,1\n");
}

#[test]
fn graphs_in_every_format_agree() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("e.csv"), CLIQUES).unwrap();
    std::fs::write(path("e.txt"), CLIQUES.replace("u,v", "# nodes").replace(',', " ")).unwrap();
    let pairs: Vec<Vec<usize>> =
        CLIQUES.lines().skip(1).map(|l| l.split(',').map(|f| f.parse().unwrap()).collect()).collect();
    let entries: String = pairs.iter().map(|p| format!("{} {}\n", p[1] + 1, p[0] + 1)).collect();
    let matrix = format!("%%MatrixMarket matrix coordinate pattern symmetric\n8 8 {}\n{entries}", pairs.len());
    std::fs::write(path("e.mtx"), &matrix).unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(matrix.as_bytes()).unwrap();
    std::fs::write(path("e.mtx.gz"), packer.finish().unwrap()).unwrap();
    let mut dense = vec![["0"; 8]; 8];
    for p in &pairs {
        (dense[p[0]][p[1]], dense[p[1]][p[0]]) = ("1", "1");
    }
    std::fs::write(path("d.csv"), dense.iter().map(|row| row.join(",") + "\n").collect::<String>()).unwrap();
    for (file, options) in
        [("e.csv", ""), ("e.txt", ""), ("e.mtx", ""), ("e.mtx.gz", ""), ("d.csv", "--affinity precomputed")]
    {
        let told = json(dir.path(), &format!("{file} -o {file}.labels.csv --k 2 {options}"));
        assert!((number(&told, "ncut") - 2.0 / 13.0).abs() < 1e-15, "{file}: {told}");
        assert_eq!((number(&told, "cut"), number(&told, "ratio_cut")), (1.0, 0.5), "{file}");
        assert_eq!(number(&told, "cheeger"), 1.0 / 13.0);
        assert!((number(&told, "modularity") - (12.0 / 13.0 - 0.5)).abs() < 1e-15);
        let labels = std::fs::read_to_string(path(&format!("{file}.labels.csv"))).unwrap();
        assert_eq!(labels, "id,label\n0,0\n1,0\n2,0\n3,0\n4,1\n5,1\n6,1\n7,1\n", "{file}");
    }
}

#[test]
fn names_are_ids_and_nodes_without_edges_keep_a_label() {
    let dir = tempfile::tempdir().unwrap();
    let text = "source,target,weight\nann,bob,2\nbob,carl,2\nann,carl,2\ncarl,dora,0.1\ndora,eve,2\n";
    std::fs::write(dir.path().join("e.csv"), text).unwrap();
    std::fs::write(dir.path().join("t.csv"), "node,class\neve,x\ndora,x\nann,y\nbob,y\ncarl,-1\n").unwrap();
    let told = json(dir.path(), "e.csv -o l.csv --k 2 --truth t.csv");
    assert_eq!((number(&told, "accuracy"), number(&told, "scored")), (1.0, 4.0), "{told}");
    let labels = std::fs::read_to_string(dir.path().join("l.csv")).unwrap();
    assert_eq!(labels, "id,label\nann,0\nbob,0\ncarl,0\ndora,1\neve,1\n");
    std::fs::write(dir.path().join("n.csv"), CLIQUES).unwrap();
    let told = json(dir.path(), "n.csv -o l.csv --nodes 10");
    assert_eq!(number(&told, "n"), 10.0);
    assert_eq!(std::fs::read_to_string(dir.path().join("l.csv")).unwrap().lines().count(), 11);
    std::fs::write(dir.path().join("f.csv"), "0\n".repeat(4) + &"9\n".repeat(5)).unwrap();
    let told = json(dir.path(), "n.csv -o l.csv --features f.csv --method kmeans --k 2");
    assert_eq!((number(&told, "n"), number(&told, "k")), (9.0, 2.0));
}

#[test]
fn the_blogs_points() {
    let dir = tempfile::tempdir().unwrap();
    let moons = format!("{ORACLE}/blog/moons200_points.csv -o m.csv --affinity epsilon --epsilon 0.4");
    let sign = json(dir.path(), &format!("{moons} --assign sign --truth {ORACLE}/blog/moons200_fiedler.csv"));
    assert_eq!(number(&sign, "accuracy"), 1.0, "{sign}");
    for line in std::fs::read_to_string(format!("{ORACLE}/blog/expected.csv")).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let base = format!("{ORACLE}/blog/{} -o c.csv --epsilon {} --k 2", fields[0], fields[1]);
        for (assign, column) in [("sign", 6), ("threshold", 7)] {
            let told = json(dir.path(), &format!("{base} --assign {assign}"));
            assert_eq!(number(&told, "edges"), fields[2].parse::<f64>().unwrap(), "{line}");
            let expected = fields[column].parse().unwrap_or(0.0);
            assert!((number(&told, "ncut") - expected).abs() < 1e-12, "{line} {assign}: {told}");
        }
    }
}

#[test]
fn arrays_are_cut_by_their_gradients() {
    use segcut_io::npy::{NpyData, read_npy, write_npy};
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    // Two halves of a volume.
    let values: Vec<f64> = (0..60).map(|cell| f64::from(u8::from(cell >= 30)) + 0.01 * f64::from(cell % 2)).collect();
    write_npy(&file("v.npy"), &[4, 3, 5], NpyData::F64(&values)).unwrap();
    json(dir.path(), "v.npy -o l.npy --format array --k 2");
    let labels = read_npy(&file("l.npy")).unwrap();
    assert_eq!(labels.shape, [4, 3, 5]);
    assert_eq!(labels.to_f64(), values.iter().map(|v| v.floor()).collect::<Vec<_>>());
    write_npy(&file("m.npy"), &[4, 3, 5], NpyData::F32(&[vec![0.0; 10], vec![1.0; 50]].concat())).unwrap();
    let told = json(dir.path(), "v.npy -o l.csv --format array --k 2 --mask m.npy");
    assert_eq!(number(&told, "n"), 50.0);
    assert!(std::fs::read_to_string(file("l.csv")).unwrap().starts_with("id,label\n10,"));
    let refused = cluster(dir.path(), "v.npy -o l.csv --format array --k 2 --gamma 1");
    assert!(refused.code == Some(2) && refused.stderr.contains("--gamma has no meaning"), "{}", refused.stderr);
}

#[test]
fn wrong_usage_ends_with_2() {
    let dir = tempfile::tempdir().unwrap();
    groups(dir.path());
    std::fs::write(dir.path().join("e.csv"), CLIQUES).unwrap();
    for (args, words) in [
        ("points.csv -o l.csv --k 0", "--k 0"),
        ("points.csv -o l.csv --k x", "--k x"),
        ("points.csv -o l.csv --k 91", "k = 91 is more than the 90 nodes"),
        ("points.csv -o l.csv --method kmeans --k auto", "k-means chooses no k"),
        ("points.csv -o l.csv --k 3 --assign sign", "used with k = 2"),
        ("points.csv -o l.csv --affinity epsilon", "points.epsilon"),
        ("points.csv -o l.csv --epsilon=-1", "points.epsilon"),
        ("points.csv -o l.csv --p 1.2", "--p 1.2"),
        ("points.csv -o l.csv --method pspectral --p 3", "--p 3.0"),
        ("points.csv -o l.csv --method nothing", "nothing"),
        ("points.csv -o l.csv --solver magic", "--solver magic"),
        ("points.csv -o l.csv --truth nowhere", "nowhere"),
        ("points.csv -o l.csv --threads 0", "--threads"),
        ("e.csv -o l.csv --gamma 1", "--gamma has no meaning"),
        ("e.csv -o l.csv --affinity rbf", "--affinity rbf"),
        ("points.csv -o l.csv --set cluster.nothing=1", "nothing"),
    ] {
        let told = cluster(dir.path(), args);
        assert!(told.code == Some(2) && told.stderr.contains(words), "{args}: {:?} {}", told.code, told.stderr);
    }
}

#[test]
fn bad_input_names_file_line_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text, options, words) in [
        ("nan.csv", "1,2\n3,nan\n", "", "nan.csv line 2: column 2: nan is not a finite number"),
        ("ragged.csv", "1,2\n3\n", "", "ragged.csv line 2: the row has 1 fields"),
        ("empty.csv", "", "", "empty.csv: there is nothing in it"),
        ("word.csv", "1,2\nx,2\n", "", "word.csv line 2: column 1: \"x\" is not a number"),
        ("w.txt", "0 1 -2\n", "", "w.txt line 1: the weight -2 is negative"),
        ("d.txt", "0 1 1\n1 0 3\n", "", "d.txt line 2: the graph is directed"),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n2 1 1\n", "", "--directed max"),
        ("i.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 1\n", "", "i.mtx line 3: the index"),
        ("h.mtx", "%%MatrixMarket matrix coordinate real general\n3000000000 3000000000 0\n", "", "--max-memory"),
        ("s.csv", "0,1\n1,0\n0,0\n", "--affinity precomputed", "s.csv: the matrix is 3 x 2"),
        ("n.npy", "\u{1}NUMPY", "", "n.npy: not a .npy array"),
        ("many.csv", &"1,2\n3,4\n".repeat(600), "--affinity rbf --max-memory 1M", "1200 points make more than"),
        ("few.csv", "1\n2\n", "--n-neighbors 3", "n_neighbors = 3 is more than the 2 points"),
    ] {
        std::fs::write(dir.path().join(name), text).unwrap();
        let told = cluster(dir.path(), &format!("{name} -o l.csv {options}"));
        assert_eq!(told.code, Some(1), "{name}: {}", told.stderr);
        assert!(told.stderr.starts_with("error: ") && told.stderr.contains(words), "{name}: {}", told.stderr);
        assert!(!dir.path().join("l.csv").exists(), "{name}");
    }
    let absent = cluster(dir.path(), "absent.csv -o l.csv");
    assert!(absent.code == Some(3) && absent.stderr.contains("absent.csv"), "{}", absent.stderr);
    groups(dir.path());
    let blocked = cluster(dir.path(), "points.csv -o points.csv/l.csv --k 3");
    assert!(blocked.code == Some(4), "{}", blocked.stderr);
    let symmetric = json(dir.path(), "d.txt -o l.csv --directed mean --k 1");
    assert!(symmetric["notes"].to_string().contains("1 directed pairs made symmetric"), "{symmetric}");
}

#[test]
fn stdin_is_text() {
    let dir = tempfile::tempdir().unwrap();
    let feed = |text: &str, options: &[&str]| {
        let mut command = segcut();
        command.current_dir(dir.path()).args(["cluster", "-", "-o", "l.csv", "--k", "2", "--json"]).args(options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        told_of(child.wait_with_output().unwrap())
    };
    assert_eq!(feed("0\n1\n9\n10\n", &["--method", "kmeans"]).code, Some(0));
    assert_eq!(feed(CLIQUES, &[]).code, Some(0));
    assert_eq!(feed("0 1\n1 2\n", &["--format", "edges"]).code, Some(0));
    let bad = feed("0,a\n1,2\n", &[]);
    assert!(bad.code == Some(1) && bad.stderr.contains("stdin line 1: column 2"), "{}", bad.stderr);
}

#[test]
fn communities_and_signed_edges() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("e.csv"), CLIQUES).unwrap();
    let leiden = json(dir.path(), "e.csv -o l.csv --method leiden");
    assert_eq!((number(&leiden, "k"), number(&leiden, "cut")), (2.0, 1.0), "{leiden}");
    std::fs::write(dir.path().join("s.txt"), "0 1 2\n1 2 -1\n2 3 2\n0 3 -0.5\n").unwrap();
    json(dir.path(), "s.txt -o l.csv --method multicut --set cluster.bias=0");
    let labels = std::fs::read_to_string(dir.path().join("l.csv")).unwrap();
    assert_eq!(labels, "id,label\n0,0\n1,0\n2,1\n3,1\n");
    assert_eq!(cluster(dir.path(), "s.txt -o m.csv --method leiden").code, Some(1));
}

#[test]
fn communities_by_graph_networks() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("e.csv"), CLIQUES).unwrap();
    std::fs::write(dir.path().join("t.csv"), "node,label\n0,a\n1,a\n2,a\n3,a\n4,b\n5,b\n6,b\n7,b\n").unwrap();
    std::fs::write(dir.path().join("f.csv"), "1,0\n".repeat(4) + &"0,1\n".repeat(4)).unwrap();
    let few = "--set cluster.epochs=30 --set cluster.dims=4";
    for options in ["gcn --k 2", "gcn --k 2 --features f.csv", "dmon --k 2 --features f.csv", "gcn --features f.csv"] {
        let told = json(dir.path(), &format!("e.csv -o l.csv --method {options} --truth t.csv {few}"));
        assert_eq!(&told["method"], &options[..options.find(' ').unwrap()], "{told}");
        for key in ["modularity", "conductance", "ncut", "nmi", "ari", "accuracy"] {
            number(&told, key);
        }
        assert!(options.starts_with("dmon") || number(&told, "accuracy") == 1.0, "{options}: {told}");
    }
    json(dir.path(), &format!("e.csv -o l.csv --method gcn --k 2 --report r {few} --set cluster.tolerance=0"));
    let page = std::fs::read_to_string(dir.path().join("r/report.html")).unwrap();
    assert!(page.contains("principal axes") && page.contains("<polyline"));
    let rows = cluster(dir.path(), "e.csv -o l.csv --method gcn --k 2 --features t.csv");
    assert_eq!(rows.code, Some(1), "{}", rows.stderr);
    std::fs::write(dir.path().join("short.csv"), "1,0\n0,1\n").unwrap();
    let short = cluster(dir.path(), "e.csv -o l.csv --method gcn --k 2 --features short.csv");
    assert!(short.code == Some(1) && short.stderr.contains("2 rows of features for 8 nodes"), "{}", short.stderr);
    std::fs::write(dir.path().join("huge.csv"), "1,0\n".repeat(3) + "1,1e300\n" + &"0,1\n".repeat(4)).unwrap();
    let huge = cluster(dir.path(), "e.csv -o l.csv --method gcn --k 2 --features huge.csv");
    assert!(huge.code == Some(1) && huge.stderr.contains("huge.csv: row 4, column 2: 1e300 is too"), "{}", huge.stderr);
    let many = cluster(dir.path(), "e.csv -o l.csv --method gcn --k 9");
    assert!(many.code == Some(2) && many.stderr.contains("k = 9 is more than the 8 nodes"), "{}", many.stderr);
}

#[test]
fn starts_are_vectors_or_labels() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("e.csv"), CLIQUES).unwrap();
    std::fs::write(dir.path().join("v.csv"), "1\n1\n1\n1\n-1\n-1\n-1\n-1\n").unwrap();
    std::fs::write(dir.path().join("s.csv"), "id,label\n0,0\n1,0\n2,0\n3,0\n4,1\n5,1\n6,1\n7,1\n").unwrap();
    for start in ["v.csv", "s.csv"] {
        for method in ["pspectral --p 1.3 --p-start 1.5", "onespectral"] {
            let told = json(dir.path(), &format!("e.csv -o l.csv --k 2 --method {method} --start {start}"));
            assert!((number(&told, "ncut") - 2.0 / 13.0).abs() < 1e-15, "{told}");
        }
    }
    std::fs::write(dir.path().join("short.csv"), "1\n2\n").unwrap();
    let short = cluster(dir.path(), "e.csv -o l.csv --method pspectral --start short.csv");
    assert!(short.code == Some(1) && short.stderr.contains("a start of 2 rows for 8 nodes"), "{}", short.stderr);
}

#[test]
fn bad_graphs_and_attributes_name_file_line_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let wrong = |name: &str, options: &str, code: i32, words: &str| {
        for method in ["gcn", "dmon", "leiden"] {
            let told = cluster(at, &format!("{name} --format edges -o l.csv --method {method} {options}"));
            assert!(told.code == Some(code) && told.stderr.contains(words), "{name} {method}: {}", told.stderr);
        }
    };
    for (name, text, words) in [
        ("word.csv", "u,v,weight\n0,1,1\n1,2,x\n", "word.csv line 3: weight: \"x\" is not a number"),
        ("nan.csv", "u,v,weight\n0,1,1\n1,2,nan\n", "nan.csv line 3: weight: nan is not a finite number"),
        ("ragged.csv", "u,v\n0,1\n1,2,3\n", "ragged.csv line 3: the row has 3 fields"),
        ("empty.csv", "u,v\n", "empty.csv: there is nothing in it"),
        ("minus.csv", "u,v\n0,1\n1,-2\n", "minus.csv line 3: the node -2 is negative"),
        ("directed.csv", "u,v,w\n0,1,1\n1,0,2\n", "directed.csv line 3: the graph is directed: 0 -> 1 has weight 1"),
    ] {
        std::fs::write(at.join(name), text).unwrap();
        wrong(name, "--k 2", 1, words);
    }
    std::fs::write(at.join("e.csv"), "u,v\n0,1\n1,2\n").unwrap();
    let matrix = "%%MatrixMarket matrix coordinate real general\n3 2 1\n4 1 1\n";
    for (name, text, words) in [
        ("f.nan.csv", "1,0\n0,1\n1,nan\n", "f.nan.csv line 3: column 2: nan is not a finite number"),
        ("f.ragged.csv", "1,0\n0\n1,1\n", "f.ragged.csv line 2: the row has 1 fields"),
        ("f.mtx", matrix, "f.mtx line 3: the index (4, 1) lies outside"),
    ] {
        std::fs::write(at.join(name), text).unwrap();
        wrong("e.csv", &format!("--k 2 --features {name}"), 1, words);
    }
    wrong("e.csv", "--k 2 --features nowhere.npy", 3, "nowhere.npy: No such file");
    wrong("e.csv", "--k 4", 2, "k = 4 is more than the 3 nodes");
    // Names are ids, comments are skipped, repeats joined, a node that only meets itself keeps a label.
    std::fs::write(at.join("odd.csv"), "# c\nu,v\na,b\na,b\n% x\nb,c\nd,d\n").unwrap();
    for (method, features) in [("gcn", ""), ("gcn", "--features odd.f.csv"), ("leiden", "")] {
        std::fs::write(at.join("odd.f.csv"), "1,0\n1,0\n0,1\n0,2\n").unwrap();
        json(at, &format!("odd.csv --format edges -o l.csv --method {method} --k 2 {features}"));
        let labels = std::fs::read_to_string(at.join("l.csv")).unwrap();
        let ids: Vec<&str> = labels.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert_eq!(ids, ["a", "b", "c", "d"], "{method}");
    }
}
