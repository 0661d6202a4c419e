//! A run that is killed, stopped, shared out or started twice.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

mod drawn;

use drawn::{Numbers, assert_same, data_set, results, segcut, told, tree};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUN: [&str; 6] = ["run", "--data", "images", "--truth", "truth", "-o"];

fn run(folder: &Path, out: &str, more: &[&str]) -> drawn::Told {
    told(folder, &[&RUN[..], &[out], more].concat())
}

/// Whatever has its final name is whole.
fn assert_whole(run: &Path) {
    let is_png = |path: &Path| path.extension().is_some_and(|e| e == "png");
    for (path, bytes) in tree(run).iter().filter(|(path, _)| is_png(path)) {
        assert!(bytes.ends_with(b"IEND\xae\x42\x60\x82"), "{} is half a file", path.display());
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_like_an_unbroken_one() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 12, (60, 80));
    let whole = run(dir.path(), "whole", &["--jobs", "1"]);
    assert_eq!(whole.code, Some(1), "{}", whole.stderr);
    let expected = results(&dir.path().join("whole"));
    let mut numbers = Numbers(7);
    for round in 0..2 {
        let out = format!("broken{round}");
        for _ in 0..5 {
            let mut command = segcut();
            command.current_dir(dir.path()).args(RUN).args([out.as_str(), "--jobs", "2"]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(5 + numbers.next(250)));
            child.kill().unwrap();
            child.wait().unwrap();
            if dir.path().join(&out).is_dir() {
                assert_whole(&dir.path().join(&out));
            }
        }
        let resumed = run(dir.path(), &out, &["--jobs", "2"]);
        assert_eq!(resumed.code, Some(1), "{}", resumed.stderr);
        assert_same(&expected, &results(&dir.path().join(&out)));
        let left = tree(&dir.path().join(&out));
        assert!(left.keys().all(|path| !path.to_string_lossy().contains(".segcut-tmp-")), "{:?}", left.keys());
    }
}

#[test]
fn a_file_that_was_changed_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 4, (40, 40));
    run(dir.path(), "out", &[]);
    let out = dir.path().join("out");
    let expected = results(&out);
    std::fs::write(out.join("labels/a00.png"), b"half").unwrap();
    std::fs::remove_file(out.join("overlays/a01.png")).unwrap();
    let mut journal = std::fs::read(out.join("journal.jsonl")).unwrap();
    journal.extend(b"{\"event\":\"do");
    std::fs::write(out.join("journal.jsonl"), journal).unwrap();
    let again = run(dir.path(), "out", &[]);
    assert!(again.stderr.contains("1 of 4 images were done before"), "{}", again.stderr);
    assert!(again.stderr.contains("1 unreadable lines"), "{}", again.stderr);
    assert_same(&expected, &results(&out));
}

#[test]
fn other_settings_are_not_mixed_in() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 2, (40, 40));
    run(dir.path(), "out", &[]);
    let refused = run(dir.path(), "out", &["--k", "2"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("--overwrite"), "{}", refused.stderr);
    let replaced = run(dir.path(), "out", &["--k", "2", "--overwrite"]);
    assert_eq!(replaced.code, Some(1), "{}", replaced.stderr);
    assert!(std::fs::read_to_string(dir.path().join("out/recipe.toml")).unwrap().contains("k = 2"));
}

#[test]
fn overwriting_removes_no_folder_that_is_not_a_runs() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 2, (40, 40));
    std::fs::create_dir_all(dir.path().join("out/labels")).unwrap();
    std::fs::write(dir.path().join("out/labels/mine.txt"), "precious").unwrap();
    run(dir.path(), "out", &["--overwrite"]);
    assert!(dir.path().join("out/labels/mine.txt").is_file());
}

#[test]
fn a_second_run_in_the_same_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 2, (40, 40));
    std::fs::create_dir(dir.path().join("out")).unwrap();
    let held = std::fs::File::create(dir.path().join("out/.segcut-lock")).unwrap();
    held.lock().unwrap();
    let refused = run(dir.path(), "out", &[]);
    assert_eq!(refused.code, Some(4));
    assert!(refused.stderr.contains("locked"), "{}", refused.stderr);
    drop(held);
    assert_eq!(run(dir.path(), "out", &[]).code, Some(1));
}

#[test]
fn shards_of_one_folder_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 8, (40, 60));
    run(dir.path(), "whole", &[]);
    let start = |shard: &str| {
        let mut command = segcut();
        command.current_dir(dir.path()).args(RUN).args(["shared", "--shard", shard, "--jobs", "1"]);
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let shards = [start("1/2"), start("2/2")];
    let codes: Vec<_> = shards.map(|mut shard| shard.wait().unwrap().code()).into();
    // The cut image belongs to one of them.
    assert!(codes == [Some(0), Some(1)] || codes == [Some(1), Some(0)], "{codes:?}");
    assert_same(&results(&dir.path().join("whole")), &results(&dir.path().join("shared")));
    assert_eq!(run(dir.path(), "other", &["--shard", "3/2"]).code, Some(2));
}

#[test]
fn the_same_bytes_at_any_number_of_jobs_and_threads() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 4, (60, 80));
    let one = |out: &str, jobs: &str, threads: &str| {
        run(dir.path(), out, &["--jobs", jobs, "--threads", threads]);
        results(&dir.path().join(out))
    };
    let expected = one("1-1", "1", "1");
    for (jobs, threads) in [("2", "1"), ("1", "2"), ("4", "4")] {
        assert_same(&expected, &one(&format!("{jobs}-{threads}"), jobs, threads));
    }
}

#[test]
fn an_interrupted_run_ends_soon_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 60, (60, 80));
    let mut command = segcut();
    command.current_dir(dir.path()).args(RUN).args(["out", "--jobs", "1"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let journal = dir.path().join("out/journal.jsonl");
    let done = || std::fs::read_to_string(&journal).is_ok_and(|text| text.contains("\"event\":\"done\""));
    let start = Instant::now();
    while !done() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // Two seconds are promised; a loaded machine gets some more.
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    let text = std::fs::read_to_string(&journal).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
    assert_eq!(count("start"), count("done") + count("cancelled"), "{text}");
    assert!(count("done") < 60);
}

#[test]
fn a_sweep_writes_a_folder_per_value_and_finds_the_best() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 3, (40, 40));
    let told = run(dir.path(), "out", &["--sweep", "cluster.k=2,4", "--json"]);
    assert_eq!(told.code, Some(1), "{}", told.stderr);
    let summary: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(summary["scores"]["sweep"]["covering"]["ods_at"], "4");
    for value in ["2", "4"] {
        assert!(dir.path().join(format!("out/labels/{value}/a00.png")).is_file());
    }
    let scores = std::fs::read_to_string(dir.path().join("out/scores.csv")).unwrap();
    assert!(scores.lines().any(|line| line.starts_with("a00,4,ok,4,")), "{scores}");
    assert!(scores.lines().any(|line| line.starts_with("a01,,error,")), "{scores}");
    assert_eq!(run(dir.path(), "other", &["--sweep", "cluster.k=2,,4"]).code, Some(2));
}

#[test]
fn what_stops_a_run_before_any_work() {
    let dir = tempfile::tempdir().unwrap();
    data_set(dir.path(), 2, (40, 40));
    std::fs::write(dir.path().join("file"), "").unwrap();
    let code = |out: &str, more: &[&str]| run(dir.path(), out, more).code;
    assert_eq!(code("file/out", &[]), Some(4));
    assert_eq!(code("out", &["--k", "0"]), Some(2));
    assert_eq!(code("out", &["--set", "cluster.k=0"]), Some(2));
    assert_eq!(code("out", &["--jobs", "0"]), Some(2));
    assert_eq!(code("out", &["--timeout-per-image", "-1"]), Some(2));
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    assert_eq!(told(dir.path(), &["run", "--data", "empty", "-o", "out"]).code, Some(3));
    assert_eq!(told(dir.path(), &["run", "--data", "missing", "-o", "out"]).code, Some(3));
    assert!(!dir.path().join("out").exists());
}
