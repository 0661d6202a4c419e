//! Edge list (`n`, then `u v weight` per line, sorted) to the time of a recursive cut and of k eigenpairs.
//!
//! `time_ncut FILE [K [TOL]]` prints one line; the labels go to `FILE.segcut`.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used)]

use segcut_core::{Affinity, Clusterer, Context, RegionGraph, SparseAffinity};
use segcut_spectral::{EigenParams, Laplacian, Method, Ncut, NcutParams, Pencil, smallest};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("a file is needed")?;
    let k = arguments.next().map_or(Ok(10), |k| k.parse())?;
    let tol = arguments.next().map_or(Ok(1e-6), |tol| tol.parse())?;
    let graph = read(&path)?;
    let affinity = graph.affinity().sparse().ok_or("edges")?.clone();
    let params = NcutParams { method: Method::Recursive, max_edge: 1.0, ..NcutParams::default() };
    let ncut = Ncut::new(params)?;
    let (recursive, found) = best_of(100, || ncut.cluster(&graph, &Context::default()));
    let found = found?;
    let labels: Vec<String> = found.partition.labels().iter().map(u32::to_string).collect();
    std::fs::write(format!("{path}.segcut"), labels.join("\n"))?;
    let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0)?;
    let eigen = EigenParams { k, tol, ..EigenParams::default() };
    let (pairs, spectrum) = best_of(100, || smallest(&pencil, &eigen, &Context::default()));
    let spectrum = spectrum?;
    let bare = EigenParams { certify: false, ..eigen };
    let (uncertified, _) = best_of(100, || smallest(&pencil, &bare, &Context::default()));
    let worst = spectrum.residuals.iter().copied().fold(0.0, f64::max);
    println!(
        "{path} n {} parts {} recursive {recursive:.2} ms; {k} pairs {pairs:.2} ms ({uncertified:.2} without \
         certificate) residual {worst:.1e} {:?} {:?}",
        graph.n(),
        found.partition.k(),
        spectrum.status,
        spectrum.certificate
    );
    Ok(())
}

fn best_of<T>(runs: usize, mut work: impl FnMut() -> T) -> (f64, T) {
    let mut best = f64::INFINITY;
    let mut last = None;
    for _ in 0..runs {
        let start = Instant::now();
        last = Some(work());
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    (best, last.unwrap())
}

fn read(path: &str) -> Result<RegionGraph, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(path)?;
    let mut lines = text.lines();
    let n = lines.next().ok_or("empty")?.trim().parse()?;
    let (mut edges, mut weights) = (Vec::new(), Vec::new());
    for line in lines {
        let mut fields = line.split_whitespace();
        let mut field = || fields.next().ok_or("three fields a line");
        edges.push([field()?.parse()?, field()?.parse()?]);
        weights.push(field()?.parse()?);
    }
    Ok(RegionGraph::new(Affinity::Sparse(SparseAffinity::new(n, edges, weights)?)))
}
