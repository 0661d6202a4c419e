//! A pixel grid to the CPU time of p-spectral and 1-spectral bipartitions.
//!
//! `time_pspectral FILE`: the file has `rows columns`, then the values row by row; edges are 4-neighbors with weight
//! exp(−|difference|/(3·std)) + 1e-6, std over all differences.
#![allow(clippy::print_stdout)]

use segcut_core::{Context, SparseAffinity};
use segcut_spectral::{
    Laplacian, OneSpectral, OneSpectralParams, PEigenParams, PSpectral, PSpectralParams, Pencil, p_eigenvector,
};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(std::env::args().nth(1).ok_or("a file is needed")?)?;
    let mut fields = text.split_whitespace();
    let mut size = || -> Result<usize, Box<dyn Error>> { Ok(fields.next().ok_or("rows columns")?.parse()?) };
    let (rows, columns) = (size()?, size()?);
    let values: Vec<f64> = fields.map(str::parse).collect::<Result<_, _>>()?;
    let affinity = grid(rows, columns, &values)?;
    let positions: Vec<[f64; 2]> = (0..rows * columns).map(|i| [(i / columns) as f64, (i % columns) as f64]).collect();
    let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0)?.with_positions(&positions);
    let edges = affinity.edges().len() as f64;
    println!("n {} edges {edges}", pencil.n());
    let begin = cpu_seconds();
    p_eigenvector(&pencil, &PEigenParams { p: 2.0, ..PEigenParams::default() }, None, &Context::default())?;
    let standard = cpu_seconds() - begin;
    let begin = cpu_seconds();
    let found = p_eigenvector(&pencil, &PEigenParams::default(), None, &Context::default())?;
    let each = (cpu_seconds() - begin - standard) / found.iterations.max(1) as f64;
    println!(
        "p = 2 {standard:.2} s; then {} directions to p = 1.1, {each:.4} s each, {:.0} ns an edge; F {:.6e} {:?}",
        found.iterations,
        1e9 * each / edges,
        found.eigenvalue,
        found.status
    );
    for polish in [false, true] {
        let begin = cpu_seconds();
        let params = PSpectralParams { p: 1.1, polish, settled: 5, ..PSpectralParams::default() };
        let found = PSpectral::new(params)?.run_pencil(&pencil, &Context::default())?;
        let split = &found.splits[0];
        let seconds = cpu_seconds() - begin;
        println!("p 1.1 polish {polish}: N-cut {:.6e} NCC {:.6e} {seconds:.2} s", split.cut, split.cheeger);
    }
    let begin = cpu_seconds();
    let found = OneSpectral::new(OneSpectralParams::default())?.run_pencil(&pencil, &Context::default())?;
    let split = &found.splits[0];
    println!("1-spectral: N-cut {:.6e} NCC {:.6e} {:.2} s", split.cut, split.cheeger, cpu_seconds() - begin);
    Ok(())
}

/// CPU seconds of this thread (Linux).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|t| t.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1e-9
}

fn grid(rows: usize, columns: usize, values: &[f64]) -> Result<SparseAffinity, Box<dyn Error>> {
    let mut edges = Vec::new();
    for i in 0..rows * columns {
        if i % columns + 1 < columns {
            edges.push([i as u32, i as u32 + 1]);
        }
        if i + columns < rows * columns {
            edges.push([i as u32, (i + columns) as u32]);
        }
    }
    let gradient: Vec<f64> = edges.iter().map(|&[u, v]| (values[u as usize] - values[v as usize]).abs()).collect();
    let mean = gradient.iter().sum::<f64>() / gradient.len() as f64;
    let variance = gradient.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gradient.len() as f64;
    let weights = gradient.iter().map(|g| (-g / (3.0 * variance.sqrt())).exp() + 1e-6).collect();
    Ok(SparseAffinity::new(rows * columns, edges, weights)?)
}
