//! A pixel grid to the CPU time of its eigenvectors and their assignments.
//!
//! `time_grid FILE [K [TOL [SOLVER]]]`: the file has `rows columns`, then the values row by row; edges are 4-neighbors with weight
//! exp(−10·|difference|/std) + 1e-6, std over all stored entries (every edge twice and the values), as in
//! scikit-learn's coin example.
#![allow(clippy::print_stdout)]

use segcut_core::{Affinity, Context, Partition, SparseAffinity};
use segcut_graph::cut_values;
use segcut_spectral::{EigenParams, KMeansParams, Laplacian, Pencil, Solver, cluster_qr, discretize, kmeans, smallest};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = std::fs::read_to_string(arguments.next().ok_or("a file is needed")?)?;
    let k = arguments.next().map_or(Ok(29), |k| k.parse())?;
    let tol = arguments.next().map_or(Ok(1e-3), |tol| tol.parse())?;
    let solver = match arguments.next().as_deref() {
        None | Some("auto") => Solver::Auto,
        Some("lobpcg") => Solver::Lobpcg,
        Some("fast") => Solver::Fast,
        Some(other) => return Err(format!("the solver {other} is not auto, lobpcg or fast").into()),
    };
    let mut fields = text.split_whitespace();
    let mut size =
        || -> Result<usize, Box<dyn std::error::Error>> { Ok(fields.next().ok_or("rows columns")?.parse()?) };
    let (rows, columns) = (size()?, size()?);
    let values: Vec<f64> = fields.map(str::parse).collect::<Result<_, _>>()?;
    let affinity = grid(rows, columns, &values)?;
    drop((text, values));
    let positions: Vec<[f64; 2]> = (0..rows * columns).map(|i| [(i / columns) as f64, (i % columns) as f64]).collect();
    let start = cpu_seconds();
    let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0)?.with_positions(&positions);
    let params = EigenParams { k, tol, solver, ..EigenParams::default() };
    let spectrum = smallest(&pencil, &params, &Context::default())?;
    let embedding = cpu_seconds() - start;
    let worst = spectrum.residuals.iter().copied().fold(0.0, f64::max);
    println!(
        "n {} k {k} embedding {embedding:.3} s residual {worst:.1e} of {:.2e} {:?} {:?}",
        pencil.n(),
        spectrum.values[k - 1],
        spectrum.status,
        spectrum.certificate
    );
    let affinity = Affinity::Sparse(affinity);
    for name in ["cluster_qr", "discretize", "kmeans"] {
        let start = cpu_seconds();
        let labels = match name {
            "cluster_qr" => cluster_qr(spectrum.vectors.view()),
            "discretize" => discretize(spectrum.vectors.view(), 0),
            _ => kmeans(spectrum.vectors.view(), &KMeansParams { k, ..KMeansParams::default() }, 0).labels,
        };
        let seconds = cpu_seconds() - start;
        let ncut = cut_values(&affinity, &Partition::compact(&labels))?.ncut();
        println!("  {name} {seconds:.3} s N-cut {ncut:.4}");
    }
    Ok(())
}

/// CPU seconds of this thread (Linux).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|t| t.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1e-9
}

fn grid(rows: usize, columns: usize, values: &[f64]) -> Result<SparseAffinity, Box<dyn std::error::Error>> {
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
    let stored = || gradient.iter().chain(&gradient).chain(values);
    let mean = stored().sum::<f64>() / stored().count() as f64;
    let variance = stored().map(|g| (g - mean).powi(2)).sum::<f64>() / stored().count() as f64;
    let weights = gradient.iter().map(|g| (-10.0 * g / variance.sqrt()).exp() + 1e-6).collect();
    Ok(SparseAffinity::new(rows * columns, edges, weights)?)
}
