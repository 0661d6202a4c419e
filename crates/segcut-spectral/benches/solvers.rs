//! The eigen-solvers on drawn graphs: a smooth image of 96 x 128 pixels and every third of them.
//!
//!     cargo bench -p segcut-spectral --bench solvers

#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use segcut_core::{Context, SparseAffinity};
use segcut_spectral::{EigenParams, Laplacian, Pencil, Solver, smallest};
use std::hint::black_box;

const ROWS: u32 = 96;
const COLUMNS: u32 = 128;

/// Waves with an edge down the middle.
fn brightness(row: u32, column: u32) -> f64 {
    let (y, x) = (f64::from(row), f64::from(column));
    (y / 9.0).sin() + (x / 13.0).cos() + 0.1 * (y * x / 5.0).sin() + if column < COLUMNS / 2 { 0.0 } else { 2.0 }
}

/// A grid with every `step`-th pixel as a node, and the pixels' places.
fn grid(step: u32) -> Pencil {
    let (rows, columns) = (ROWS / step, COLUMNS / step);
    let value = |i: u32| brightness(i / columns * step, i % columns * step);
    let right = (0..rows * columns).filter(|i| i % columns + 1 < columns).map(|i| [i, i + 1]);
    let mut edges: Vec<[u32; 2]> = right.chain((0..(rows - 1) * columns).map(|i| [i, i + columns])).collect();
    edges.sort_unstable();
    let weights = edges.iter().map(|&[u, v]| (-3.0 * (value(u) - value(v)).abs()).exp()).collect();
    let affinity = SparseAffinity::new((rows * columns) as usize, edges, weights).unwrap();
    let places: Vec<[f64; 2]> = (0..rows * columns).map(|i| [f64::from(i / columns), f64::from(i % columns)]).collect();
    Pencil::new(&affinity, Laplacian::Normalized, 0.0).unwrap().with_positions(&places)
}

fn solvers(criterion: &mut Criterion) {
    for (name, pencil) in [("pixels", grid(1)), ("regions", grid(3))] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for solver in [Solver::ShiftInvert, Solver::Lobpcg, Solver::Fast] {
            let params = EigenParams { k: 10, tol: 1e-3, solver, ..EigenParams::default() };
            group.bench_with_input(BenchmarkId::from_parameter(solver), &params, |bencher, params| {
                bencher.iter(|| smallest(black_box(&pencil), params, &Context::default()).unwrap());
            });
        }
    }
}

criterion_group!(benches, solvers);
criterion_main!(benches);
