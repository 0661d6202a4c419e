//! Decodes every file under a folder, each in a process of its own, and says what became of it.
//!
//! `walk_corpus DIR [--list]`: folders named `weights` and `.csv` files are left out. Where a folder holds
//! `SYNTH_EXPECT.csv`, its `synthetic/` files are compared with it. Exit code 1 on any panic or abort, on a file
//! that takes longer than 5 s or 1 GB, and on any result that was not expected. `--list` prints a line a file.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)]

use segcut_io::decode::{DecodeOptions, open};
use segcut_io::shown;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

const SLOW: Duration = Duration::from_secs(5);
const LARGE_KB: u64 = 1 << 20;

fn main() -> ExitCode {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match args.as_slice() {
        [one, file] if one.as_os_str() == "--one" => decode_one(file),
        [dir] => walk(dir, false),
        [dir, list] if list.as_os_str() == "--list" => walk(dir, true),
        _ => {
            println!("usage: walk_corpus DIR [--list]");
            ExitCode::from(2)
        }
    }
}

/// The child: prints `CODE PEAK_KB MESSAGE`.
fn decode_one(file: &Path) -> ExitCode {
    let (code, message) = match open(file, &DecodeOptions::default()) {
        Ok(d) => {
            let (h, w, c) = (d.image.height(), d.image.width(), d.image.channels());
            let warnings: Vec<&str> = d.warnings.iter().map(segcut_io::decode::Warning::code).collect();
            ("ok", format!("{h}x{w}x{c} {:?} {} {warnings:?}", d.image.space(), d.format))
        }
        Err(error) => (error.source.code(), error.source.to_string()),
    };
    println!("{code} {} {}", peak_kb(), message.escape_debug());
    ExitCode::SUCCESS
}

fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// What became of one file.
struct Outcome {
    code: String,
    message: String,
    time: Duration,
    peak_kb: u64,
    /// It died, or a panic was caught inside it.
    panicked: bool,
}

fn in_child(file: &Path) -> Outcome {
    let start = Instant::now();
    let output = Command::new(std::env::current_exe().unwrap()).arg("--one").arg(file).output().unwrap();
    let time = start.elapsed();
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.trim().splitn(3, ' ');
    let code = if output.status.success() { words.next().unwrap_or_default() } else { "died" };
    let peak_kb = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    Outcome {
        code: code.to_owned(),
        message: words.next().unwrap_or_default().to_owned(),
        time,
        peak_kb,
        panicked: !output.status.success() || !output.stderr.is_empty(),
    }
}

fn walk(dir: &Path, list: bool) -> ExitCode {
    let expected = expectations(dir);
    let (mut counts, mut faults, mut slowest, mut largest) = (BTreeMap::new(), 0, Duration::ZERO, 0);
    let mut checked = 0;
    for file in files(dir) {
        let outcome = in_child(&file);
        *counts.entry(outcome.code.clone()).or_insert(0usize) += 1;
        (slowest, largest) = (slowest.max(outcome.time), largest.max(outcome.peak_kb));
        let name = file.strip_prefix(dir).unwrap_or(&file);
        let wanted = expected.get(name);
        checked += usize::from(wanted.is_some());
        let fault = fault_of(&outcome, wanted.map(String::as_str));
        if list || fault.is_some() {
            let Outcome { code, message, time, peak_kb, .. } = &outcome;
            println!("{} {code} {} ms {peak_kb} kB {message}", shown(name), time.as_millis());
        }
        if let Some(fault) = fault {
            faults += 1;
            println!("  ^ {fault}");
        }
    }
    let total: usize = counts.values().sum();
    println!("{total} files, {faults} faults; {checked} compared with expectations");
    println!("slowest {} ms, largest peak {} MB", slowest.as_millis(), largest / 1024);
    counts.iter().for_each(|(code, n)| println!("{n:6} {code}"));
    ExitCode::from(u8::from(faults > 0 || total == 0))
}

fn fault_of(outcome: &Outcome, wanted: Option<&str>) -> Option<String> {
    if outcome.panicked {
        return Some("panicked or died".to_owned());
    }
    if outcome.time > SLOW || outcome.peak_kb > LARGE_KB {
        return Some("slow or large".to_owned());
    }
    let wanted = wanted?;
    (!fits(&outcome.code, wanted)).then(|| format!("expected {wanted}"))
}

/// Whether a result is one of those that `SYNTH_EXPECT.csv` allows. Fully transparent images are an error
/// (`mask/empty`), text is `decode/unrecognised`.
fn fits(code: &str, wanted: &str) -> bool {
    let one_of = |starts: &[&str]| starts.iter().any(|start| code.starts_with(start));
    match wanted {
        "err:decode" => one_of(&["decode/"]),
        "err:unsupported" => one_of(&["unsupported", "decode/unrecognised"]),
        "err:limits" | "limits" => one_of(&["limits/"]),
        "err-or-partial" => one_of(&["ok", "decode/"]),
        "ok-or-limits" => one_of(&["ok", "limits/"]),
        _ => one_of(&["ok", "mask/empty"]),
    }
}

fn expectations(dir: &Path) -> BTreeMap<PathBuf, String> {
    let text = std::fs::read_to_string(dir.join("SYNTH_EXPECT.csv")).unwrap_or_default();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader
        .records()
        .filter_map(Result::ok)
        .filter_map(|row| Some((Path::new("synthetic").join(row.get(0)?), row.get(2)?.to_owned())))
        .collect()
}

/// Regular files below a folder, sorted.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "weights") {
            found.extend(files(&path));
        } else if path.is_file() && path.extension().is_none_or(|ending| ending != "csv") {
            found.push(path);
        }
    }
    found
}
