//! Prints eigenvalues, cuts and CPU seconds of p-spectral and 1-spectral clustering for a graph.
//!
//! `pspectral GRAPH.mtx [K]`, Matrix Market, coordinate real symmetric. Seconds are the process's CPU time on
//! Linux and 0 elsewhere.

#![allow(clippy::print_stdout)]

use segcut_core::{ClusterCount, Context, SparseAffinity};
use segcut_spectral::{Criterion, CutKind, OneSpectral, OneSpectralParams, PSpectral, PSpectralParams, Split};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let graph = read(&args.next().ok_or("which graph?")?)?;
    let k = ClusterCount::Fixed(args.next().map_or(Ok(2), |k| k.parse())?);
    println!("method\tcut\tcriterion\teigenvalue\tcuts\tcheegers\titerations\tseconds");
    for cut in [CutKind::Normalized, CutKind::Ratio] {
        for p in [2.0, 1.7, 1.4, 1.2, 1.1] {
            for polish in [false, true] {
                p_spectral(&graph, PSpectralParams { k, p, cut, polish, ..PSpectralParams::default() })?;
            }
        }
        for criterion in [Criterion::Cut, Criterion::Cheeger] {
            one_spectral(&graph, OneSpectralParams { k, cut, criterion, ..OneSpectralParams::default() })?;
        }
    }
    Ok(())
}

fn p_spectral(graph: &SparseAffinity, params: PSpectralParams) -> Result<(), Box<dyn Error>> {
    let name = format!(
        "p {}{}\t{:?}\t{:?}",
        params.p,
        if params.polish { " polished" } else { "" },
        params.cut,
        params.criterion
    );
    let before = cpu_seconds();
    let found = PSpectral::new(params)?.run(graph, &Context::default())?;
    let seconds = cpu_seconds() - before;
    let (cuts, cheegers) = values(&found.splits);
    println!("{name}\t{:.10}\t{cuts}\t{cheegers}\t{}\t{seconds:.2}", found.eigen.eigenvalue, found.eigen.iterations);
    Ok(())
}

fn one_spectral(graph: &SparseAffinity, params: OneSpectralParams) -> Result<(), Box<dyn Error>> {
    let name = format!("1\t{:?}\t{:?}", params.cut, params.criterion);
    let before = cpu_seconds();
    let found = OneSpectral::new(params)?.run(graph, &Context::default())?;
    let seconds = cpu_seconds() - before;
    let (cuts, cheegers) = values(&found.splits);
    println!("{name}\t{:.10}\t{cuts}\t{cheegers}\t\t{seconds:.2}", found.eigenvalue);
    Ok(())
}

fn values(splits: &[Split]) -> (String, String) {
    let join = |of: fn(&Split) -> f64| splits.iter().map(|s| format!("{:.8}", of(s))).collect::<Vec<_>>().join(" ");
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

/// User and system time of this process, in ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat.rsplit(')').next().unwrap_or("").split(' ').filter_map(|x| x.parse().ok()).collect();
    fields.get(10..12).map_or(0.0, |ticks| (ticks[0] + ticks[1]) / 100.0)
}
