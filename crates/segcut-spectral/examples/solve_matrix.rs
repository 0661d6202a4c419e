//! A graph to its eigenpairs and clusters, as text for `tests/peers/spectral/check_oracle.py`.
//!
//! `solve_matrix FILE K TOL SOLVER`: the file is Matrix Market, coordinate, real and symmetric; its diagonal is left out.
//! Prints the values and the residuals of L·x = λ·D·x in a line each, status and certificate in a third, then per node
//! its row of the vectors and its labels by `kmeans`, `discretize` and `cluster_qr`.
#![allow(clippy::print_stdout)]

use segcut_core::{Context, SparseAffinity};
use segcut_spectral::{Assign, EigenParams, Laplacian, Pencil, Solver, smallest};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, k, tol, solver] = &arguments[..] else { return Err("FILE K TOL SOLVER".into()) };
    let (k, tol) = (k.parse()?, tol.parse()?);
    let solver = match solver.as_str() {
        "auto" => Solver::Auto,
        "dense" => Solver::Dense,
        "shift_invert" => Solver::ShiftInvert,
        "lobpcg" => Solver::Lobpcg,
        "lanczos" => Solver::Lanczos,
        other => return Err(format!("no solver {other}").into()),
    };
    let pencil = Pencil::new(&read(&std::fs::read_to_string(file)?)?, Laplacian::Normalized, 0.0)?;
    let params = EigenParams { k, tol, solver, ..EigenParams::default() };
    let spectrum = smallest(&pencil, &params, &Context::default())?;
    let line = |numbers: &[f64]| numbers.iter().map(|x| format!("{x:e}")).collect::<Vec<_>>().join(" ");
    println!("{}\n{}", line(&spectrum.values), line(&spectrum.residuals));
    println!("{:?} {:?}", spectrum.status, spectrum.certificate);
    let vectors = spectrum.vectors.view();
    let [means, discrete, pivoted] =
        [Assign::Kmeans, Assign::Discretize, Assign::ClusterQr].map(|assign| assign.labels(&pencil, vectors, 0));
    for (i, row) in vectors.rows().into_iter().enumerate() {
        println!("{} {} {} {}", line(&row.to_vec()), means[i], discrete[i], pivoted[i]);
    }
    Ok(())
}

fn read(text: &str) -> Result<SparseAffinity, Box<dyn Error>> {
    let mut lines = text.lines().filter(|line| !line.starts_with('%'));
    let size = lines.next().and_then(|line| line.split_whitespace().next()).ok_or("no size")?.parse()?;
    let mut edges: Vec<([u32; 2], f64)> = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [u, v, w] = fields[..] else { return Err("three fields a line".into()) };
        let (u, v) = (u.parse::<u32>()? - 1, v.parse::<u32>()? - 1);
        if u != v {
            edges.push(([u.min(v), u.max(v)], w.parse()?));
        }
    }
    edges.sort_by_key(|edge| edge.0);
    let weights = edges.iter().map(|edge| edge.1).collect();
    Ok(SparseAffinity::new(size, edges.into_iter().map(|edge| edge.0).collect(), weights)?)
}
