//! Every file under a folder through `segcut segment`, several hundred per call, and what became of it.
//!
//! `bad_corpus DIR [--recipe NAME]… [--batch N] [--program FILE] [--list]`. Build the program first:
//! `cargo build --release -p segcut-cli`, then
//! `cargo run --release -p segcut-cli --example bad_corpus -- DIR`. Folders named `weights` and `.csv` files are
//! left out. A fault is: a call that dies, prints a panic, leaves a file without a row, or has another exit code
//! than 1 with failures and 0 without; a failed file whose message does not name it or that has left results; a
//! good one without them; more than 5 s (of processor time by itself, where other work slows the call down) or
//! 1 GiB for a file of up to 33 megapixels. Exit code 1 on any fault.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)]

use segcut_io::decode::{DecodeOptions, open};
use segcut_io::labels::{LabelOptions, read_labels};
use segcut_io::shown;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const SLOW: f64 = 5.0;
const LARGE_KB: u64 = 1 << 20;
const LARGE_PIXELS: usize = 33_000_000;

struct Settings {
    dir: PathBuf,
    recipes: Vec<String>,
    batch: usize,
    program: PathBuf,
    list: bool,
}

fn main() -> ExitCode {
    let Some(settings) = settings() else {
        println!("usage: bad_corpus DIR [--recipe NAME]… [--batch N] [--program FILE] [--list]");
        return ExitCode::from(2);
    };
    let files = files(&settings.dir);
    let batches = batches(&files, settings.batch);
    println!("{} files in {} calls of {}", files.len(), batches.len(), settings.program.display());
    let mut faults = files.is_empty();
    for recipe in &settings.recipes {
        let mut tally = Tally::default();
        for batch in &batches {
            call(&settings, recipe, batch, &mut tally);
        }
        tally.print(recipe);
        faults |= tally.faults > 0;
    }
    ExitCode::from(u8::from(faults))
}

fn settings() -> Option<Settings> {
    let mut settings = Settings {
        dir: PathBuf::new(),
        recipes: Vec::new(),
        batch: 300,
        program: std::env::current_exe().unwrap().parent().unwrap().with_file_name("segcut"),
        list: false,
    };
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--recipe") => settings.recipes.push(args.next()?.into_string().ok()?),
            Some("--batch") => settings.batch = args.next()?.to_str()?.parse().ok().filter(|&n| n > 0)?,
            Some("--program") => settings.program = args.next()?.into(),
            Some("--list") => settings.list = true,
            _ => settings.dir = arg.into(),
        }
    }
    if settings.recipes.is_empty() {
        settings.recipes = ["ncut-slic-color", "superpixels"].map(str::to_string).into();
    }
    settings.dir.is_dir().then_some(settings)
}

/// Groups in which no two files have the same stem (they would be written to the same name).
fn batches(files: &[PathBuf], size: usize) -> Vec<Vec<&Path>> {
    let mut batches: Vec<(BTreeSet<String>, Vec<&Path>)> = Vec::new();
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let fits = |(stems, batch): &&mut (BTreeSet<String>, Vec<&Path>)| batch.len() < size && !stems.contains(&stem);
        match batches.iter_mut().find(fits) {
            Some((stems, batch)) => {
                stems.insert(stem);
                batch.push(file);
            }
            None => batches.push((BTreeSet::from([stem]), vec![file])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

#[derive(Default)]
struct Tally {
    codes: BTreeMap<String, usize>,
    faults: usize,
    slowest: (f64, String),
    peak_kb: u64,
}

impl Tally {
    fn fault(&mut self, what: &str) {
        self.faults += 1;
        println!("FAULT {what}");
    }

    fn print(&self, recipe: &str) {
        let total: usize = self.codes.values().sum();
        println!("{recipe}: {total} files, {} faults", self.faults);
        println!(
            "  slowest {:.2} s ({}), largest peak of a call {} MiB",
            self.slowest.0,
            self.slowest.1,
            self.peak_kb >> 10
        );
        self.codes.iter().for_each(|(code, n)| println!("  {n:6} {code}"));
    }
}

/// One call of the program, one image at a time so that its peak is that of one image.
fn call(settings: &Settings, recipe: &str, batch: &[&Path], tally: &mut Tally) {
    let out = tempfile::tempdir().unwrap();
    let (stdout, stderr) = (out.path().join("stdout"), out.path().join("stderr"));
    let mut command = Command::new(&settings.program);
    command.args(["segment", "--json", "--jobs", "1", "--recipe", recipe, "-o"]).arg(out.path().join("results"));
    command.arg("--").args(batch);
    command.stdin(Stdio::null()).stdout(std::fs::File::create(&stdout).unwrap());
    let mut child = command.stderr(std::fs::File::create(&stderr).unwrap()).spawn().unwrap();
    let limit = Duration::from_secs_f64(60.0 + SLOW * batch.len() as f64);
    let (code, peak_kb, _) = watched(&mut child, limit);
    tally.peak_kb = tally.peak_kb.max(peak_kb);
    let told = std::fs::read_to_string(&stderr).unwrap();
    let Ok(Value::Array(rows)) = serde_json::from_slice(&std::fs::read(&stdout).unwrap()) else {
        return tally.fault(&format!("a call with {} first died: {code:?}\n{told}", shown(batch[0])));
    };
    if told.contains("panicked") || rows.len() != batch.len() {
        tally.fault(&format!("{} rows for {} files; stderr: {told}", rows.len(), batch.len()));
    }
    let failed = rows.iter().any(|row| row["status"] != "ok");
    if code != Some(i32::from(failed)) {
        tally.fault(&format!("exit code {code:?} where {} is right", i32::from(failed)));
    }
    for (row, file) in rows.iter().zip(batch) {
        check((settings, recipe), row, file, tally);
    }
    if peak_kb > LARGE_KB {
        single_peaks(settings, recipe, batch, tally);
    }
}

/// How a call ended: its exit code (none where a signal or the time limit ended it), the peak of its resident
/// memory and its processor time in seconds.
fn watched(child: &mut Child, limit: Duration) -> (Option<i32>, u64, f64) {
    let start = Instant::now();
    let process = format!("/proc/{}", child.id());
    let of = |name: &str| std::fs::read_to_string(format!("{process}/{name}")).unwrap_or_default();
    let (mut peak, mut cpu) = (0, 0.0f64);
    loop {
        let text = of("status");
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = line.trim().trim_end_matches(" kB").parse().unwrap_or(0).max(peak);
        // Behind the name in parentheses: user and system time are the 12th and 13th, in 100ths of a second.
        let stat = of("stat");
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        cpu = cpu.max(fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0);
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), peak, cpu);
        }
        if start.elapsed() > limit {
            child.kill().unwrap();
            child.wait().unwrap();
            return (None, peak, cpu);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// One file by itself: the peak of its memory and its processor time.
fn alone(settings: &Settings, recipe: &str, file: &Path) -> (u64, f64) {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(&settings.program);
    command.args(["segment", "-q", "--recipe", recipe, "-o"]).arg(out.path()).arg("--").arg(file);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (_, peak_kb, cpu) = watched(&mut child, Duration::from_secs(300));
    (peak_kb, cpu)
}

fn check((settings, recipe): (&Settings, &str), row: &Value, file: &Path, tally: &mut Tally) {
    let name = shown(file.strip_prefix(&settings.dir).unwrap_or(file)).to_string();
    let code = row["code"].as_str().unwrap_or("ok").to_string();
    let seconds = row["seconds"].as_f64().unwrap_or(f64::INFINITY);
    let message = row["message"].as_str().unwrap_or_default();
    *tally.codes.entry(code.clone()).or_default() += 1;
    if seconds > tally.slowest.0 {
        tally.slowest = (seconds, name.clone());
    }
    if settings.list {
        println!("{name} {code} {seconds:.3} s {message}");
    }
    let files: Vec<PathBuf> =
        row["files"].as_array().into_iter().flatten().filter_map(Value::as_str).map(PathBuf::from).collect();
    if row["status"] != "ok" {
        let names_it = message.contains(&shown(file).to_string()) || message.contains(&file.display().to_string());
        if !names_it || code.starts_with("internal") || !files.is_empty() {
            tally.fault(&format!("{name}: {code}: {message}"));
        }
    } else if files.len() != 2 || read_labels(&files[0], &LabelOptions::default()).is_err() {
        tally.fault(&format!("{name}: ok without readable labels and an overlay"));
    }
    if seconds > SLOW && pixels(file) <= LARGE_PIXELS {
        let (_, cpu) = alone(settings, recipe, file);
        println!("  {name}: {seconds:.1} s among others, {cpu:.1} s of processor time by itself");
        if cpu > SLOW {
            tally.fault(&format!("{name}: {cpu:.1} s"));
        }
    }
}

fn pixels(file: &Path) -> usize {
    open(file, &DecodeOptions::default()).map_or(0, |decoded| decoded.image.pixels())
}

/// Which files of a large call are large themselves.
fn single_peaks(settings: &Settings, recipe: &str, batch: &[&Path], tally: &mut Tally) {
    for file in batch.iter().filter(|file| std::fs::metadata(file).is_ok_and(|m| m.len() > 0)) {
        let (peak_kb, _) = alone(settings, recipe, file);
        let pixels = pixels(file);
        if peak_kb > LARGE_KB {
            println!("  {}: {} MiB, {pixels} pixels", shown(file), peak_kb >> 10);
        }
        if peak_kb > LARGE_KB && pixels <= LARGE_PIXELS {
            tally.fault(&format!("{}: {} MiB", shown(file), peak_kb >> 10));
        }
    }
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
