//! A pixel grid to the time and memory of its eigenvectors and their assignments.
//!
//! `time_grid FILE [K [TOL [SOLVER [RADIUS [bare]]]]]`: the file has `rows columns`, then the values row by row; edges join
//! pixels up to RADIUS apart (1: 4-neighbors) with weight exp(−10·|difference|/std) + 1e-6, std over all stored entries
//! (every edge twice and the values), as in scikit-learn's coin example. `bare` leaves the assignments out. Seconds are
//! CPU seconds of all threads, `wall` is elapsed time, `peak` the process's largest resident memory so far (Linux).
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use segcut_core::{Affinity, Context, Partition, SparseAffinity};
use segcut_graph::cut_values;
use segcut_spectral::{EigenParams, KMeansParams, Laplacian, Pencil, Solver, cluster_qr, discretize, kmeans, smallest};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = std::fs::read_to_string(arguments.next().ok_or("a file is needed")?)?;
    let k = arguments.next().map_or(Ok(29), |k| k.parse())?;
    let tol = arguments.next().map_or(Ok(1e-3), |tol| tol.parse())?;
    let solver = match arguments.next().as_deref() {
        None | Some("auto") => Solver::Auto,
        Some("lobpcg") => Solver::Lobpcg,
        Some("fast") => Solver::Fast,
        Some("shift_invert") => Solver::ShiftInvert,
        Some(other) => return Err(format!("the solver {other} is not auto, shift_invert, lobpcg or fast").into()),
    };
    let radius: f64 = arguments.next().map_or(Ok(1.0), |radius| radius.parse())?;
    let bare = arguments.next().is_some_and(|word| word == "bare");
    let mut fields = text.split_whitespace();
    let mut size = || -> Result<usize, Box<dyn Error>> { Ok(fields.next().ok_or("rows columns")?.parse()?) };
    let (rows, columns) = (size()?, size()?);
    let values: Vec<f64> = fields.map(str::parse).collect::<Result<_, _>>()?;
    let affinity = grid([rows, columns], &values, radius)?;
    drop((text, values));
    let positions: Vec<[f64; 2]> = (0..rows * columns).map(|i| [(i / columns) as f64, (i % columns) as f64]).collect();
    let (start, clock) = (cpu_seconds(), Instant::now());
    let pencil = Pencil::new(&affinity, Laplacian::Normalized, 0.0)?.with_positions(&positions);
    let params = EigenParams { k, tol, solver, ..EigenParams::default() };
    let spectrum = smallest(&pencil, &params, &Context::default())?;
    let embedding = cpu_seconds() - start;
    let worst = spectrum.residuals.iter().copied().fold(0.0, f64::max);
    println!(
        "n {} k {k} embedding {embedding:.3} s wall {:.3} s residual {worst:.1e} of {:.2e} {:?} {:?} by {:?} peak {} MB",
        pencil.n(),
        clock.elapsed().as_secs_f64(),
        spectrum.values[k - 1],
        spectrum.status,
        spectrum.certificate,
        spectrum.solver,
        peak_megabytes()
    );
    if bare {
        return Ok(());
    }
    let affinity = Affinity::Sparse(affinity);
    for name in ["cluster_qr", "discretize", "kmeans"] {
        let (start, clock) = (cpu_seconds(), Instant::now());
        let labels = match name {
            "cluster_qr" => cluster_qr(spectrum.vectors.view()),
            "discretize" => discretize(spectrum.vectors.view(), 0),
            _ => kmeans(spectrum.vectors.view(), &KMeansParams { k, ..KMeansParams::default() }, 0).labels,
        };
        let (seconds, wall) = (cpu_seconds() - start, clock.elapsed().as_secs_f64());
        let ncut = cut_values(&affinity, &Partition::compact(&labels))?.ncut();
        println!("  {name} {seconds:.3} s wall {wall:.3} s N-cut {ncut:.4}");
    }
    Ok(())
}

/// CPU seconds of all threads of this process (Linux).
fn cpu_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = tasks.map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0)
    });
    nanoseconds.sum::<f64>() * 1e-9
}

/// The largest resident memory of this process so far (Linux).
fn peak_megabytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    peak.unwrap_or(0) * 1024 / 1_000_000
}

fn grid([rows, columns]: [usize; 2], values: &[f64], radius: f64) -> Result<SparseAffinity, Box<dyn Error>> {
    let reach = radius as isize;
    let steps: Vec<[isize; 2]> = (0..=reach)
        .flat_map(|dy| (-reach..=reach).map(move |dx| [dy, dx]))
        .filter(|&[dy, dx]| (dy > 0 || dx > 0) && ((dy * dy + dx * dx) as f64) <= radius * radius)
        .collect();
    let mut edges = Vec::new();
    for i in 0..rows * columns {
        let at = [(i / columns) as isize, (i % columns) as isize];
        for [y, x] in steps.iter().map(|[dy, dx]| [at[0] + dy, at[1] + dx]) {
            if y < rows as isize && (0..columns as isize).contains(&x) {
                edges.push([i as u32, (y * columns as isize + x) as u32]);
            }
        }
    }
    let gradient: Vec<f64> = edges.iter().map(|&[u, v]| (values[u as usize] - values[v as usize]).abs()).collect();
    let stored = || gradient.iter().chain(&gradient).chain(values);
    let mean = stored().sum::<f64>() / stored().count() as f64;
    let variance = stored().map(|g| (g - mean).powi(2)).sum::<f64>() / stored().count() as f64;
    let weights = gradient.iter().map(|g| (-10.0 * g / variance.sqrt()).exp() + 1e-6).collect();
    Ok(SparseAffinity::new(rows * columns, edges, weights)?)
}
