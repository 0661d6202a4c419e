//! Prints eigenvalues, cuts and CPU seconds of p-spectral and 1-spectral clustering for a graph.
//!
//! `pspectral GRAPH.mtx [K [FOLDER]]`, Matrix Market, coordinate real symmetric. With a folder every row's labels go to
//! `FOLDER/METHOD-CUT-CRITERION.csv`. Seconds are the thread's CPU time on Linux.

#![allow(clippy::print_stdout)]

use segcut_core::{ClusterCount, Context, SparseAffinity};
use segcut_spectral::{
    Criterion, CutKind, OneSpectral, OneSpectralParams, PSpectral, PSpectralParams, Split, Threshold,
};
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let graph = read(&args.next().ok_or("which graph?")?)?;
    let k = ClusterCount::Fixed(args.next().map_or(Ok(2), |k| k.parse())?);
    let task = Task { graph, k, folder: args.next().map(PathBuf::from) };
    println!("method\tcut\tcriterion\teigenvalue\tcuts\tcheegers\titerations\tseconds");
    for cut in [CutKind::Normalized, CutKind::Ratio] {
        for criterion in [Criterion::Cut, Criterion::Cheeger] {
            let plain = PSpectralParams { k, cut, criterion, polish: false, ..PSpectralParams::default() };
            let sign = PSpectralParams { p: 2.0, threshold: Threshold::Zero, ..plain.clone() };
            task.p_spectral("p2sign", sign)?;
            for p in [2.0, 1.7, 1.4, 1.2, 1.1] {
                task.p_spectral(&format!("p{p}"), PSpectralParams { p, ..plain.clone() })?;
            }
            task.p_spectral("p1.1polish", PSpectralParams { p: 1.1, polish: true, ..plain })?;
            task.one_spectral(cut, criterion)?;
        }
    }
    Ok(())
}

struct Task {
    graph: SparseAffinity,
    k: ClusterCount,
    folder: Option<PathBuf>,
}

impl Task {
    fn p_spectral(&self, method: &str, params: PSpectralParams) -> Result<(), Box<dyn Error>> {
        let name = [method.to_string(), lower(params.cut), lower(params.criterion)];
        let before = cpu_seconds();
        let found = PSpectral::new(params)?.run(&self.graph, &Context::default())?;
        let seconds = cpu_seconds() - before;
        self.row(&name, found.eigen.eigenvalue, &found.splits, (found.eigen.iterations, seconds))
    }

    fn one_spectral(&self, cut: CutKind, criterion: Criterion) -> Result<(), Box<dyn Error>> {
        let name = ["1".to_string(), lower(cut), lower(criterion)];
        let params = OneSpectralParams { k: self.k, cut, criterion, ..OneSpectralParams::default() };
        let before = cpu_seconds();
        let found = OneSpectral::new(params)?.run(&self.graph, &Context::default())?;
        let seconds = cpu_seconds() - before;
        self.row(&name, found.eigenvalue, &found.splits, (0, seconds))
    }

    fn row(
        &self,
        name: &[String; 3],
        eigenvalue: f64,
        splits: &[Split],
        (iterations, seconds): (usize, f64),
    ) -> Result<(), Box<dyn Error>> {
        let (cuts, cheegers) = values(splits);
        println!("{}\t{eigenvalue:.10}\t{cuts}\t{cheegers}\t{iterations}\t{seconds:.3}", name.join("\t"));
        if let (Some(folder), Some(last)) = (&self.folder, splits.last()) {
            let labels: Vec<String> = last.labels.iter().map(u32::to_string).collect();
            std::fs::write(folder.join(name.join("-") + ".csv"), labels.join("\n") + "\n")?;
        }
        Ok(())
    }
}

fn lower(value: impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}

fn values(splits: &[Split]) -> (String, String) {
    let join = |of: fn(&Split) -> f64| splits.iter().map(|s| format!("{:.9}", of(s))).collect::<Vec<_>>().join(" ");
    (join(|s| s.cut), join(|s| s.cheeger))
}

fn read(path: &str) -> Result<SparseAffinity, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let mut rows = text.lines().filter(|l| !l.starts_with('%')).map(|l| l.split_whitespace().collect::<Vec<_>>());
    let n = rows.next().and_then(|row| row.first().map(|n| n.parse())).ok_or("no size line")??;
    let mut entries: Vec<([u32; 2], f64)> = Vec::new();
    for row in rows {
        let [a, b, w] = row[..] else { return Err("an entry is not `row column value`".into()) };
        let (a, b): (u32, u32) = (a.parse()?, b.parse()?);
        if a != b {
            entries.push(([a.min(b) - 1, a.max(b) - 1], w.parse()?));
        }
    }
    entries.sort_by_key(|e| e.0);
    let weights = entries.iter().map(|e| e.1).collect();
    Ok(SparseAffinity::new(n, entries.into_iter().map(|e| e.0).collect(), weights)?)
}

/// CPU seconds of this thread (Linux).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|t| t.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1e-9
}
