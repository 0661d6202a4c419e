//! All eigen-solvers on the same graphs: the same values, the same spaces, small residuals.

#![allow(clippy::unwrap_used)]

use ndarray::{Array2, ArrayView2, s};
use segcut_core::{Context, SparseAffinity, Status};
use segcut_spectral::{Certificate, EigenParams, Laplacian, Pencil, Solver, Spectrum, smallest};

type Edge = (u32, u32, f64);

const ALL: [Solver; 5] = [Solver::Dense, Solver::Auto, Solver::ShiftInvert, Solver::Lobpcg, Solver::Lanczos];

fn pencil(n: usize, mut edges: Vec<Edge>, laplacian: Laplacian) -> Pencil {
    edges.sort_by_key(|e| (e.0, e.1));
    let weights = edges.iter().map(|e| e.2).collect();
    let affinity = SparseAffinity::new(n, edges.iter().map(|e| [e.0, e.1]).collect(), weights).unwrap();
    Pencil::new(&affinity, laplacian, 0.0).unwrap()
}

fn solve(pencil: &Pencil, k: usize, solver: Solver) -> Spectrum {
    let params = EigenParams { k, tol: 1e-9, solver, ..EigenParams::default() };
    smallest(pencil, &params, &Context::seeded(5)).unwrap()
}

/// The largest sine of an angle between the spaces of M-orthonormal columns.
fn angle(pencil: &Pencil, a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> f64 {
    let weighted = Array2::from_shape_fn(b.dim(), |(i, j)| b[[i, j]] * pencil.mass()[i]);
    let left = &a - &b.dot(&weighted.t().dot(&a));
    let size = |(i, row): (usize, ndarray::ArrayView1<'_, f64>)| pencil.mass()[i] * row.dot(&row);
    left.rows().into_iter().enumerate().map(size).sum::<f64>().sqrt()
}

/// A grid whose lower half hangs on weak edges.
fn grid(rows: u32, columns: u32) -> Vec<Edge> {
    let weight = |i: u32, j: u32| if (i / columns < rows / 2) == (j / columns < rows / 2) { 1.0 } else { 0.05 };
    let right = (0..rows * columns).filter(|i| i % columns + 1 < columns).map(|i| (i, i + 1, 1.0));
    right.chain((0..(rows - 1) * columns).map(|i| (i, i + columns, weight(i, i + columns)))).collect()
}

/// The graphs: name, nodes, edges, and a k with a gap after it.
fn graphs() -> Vec<(&'static str, usize, Vec<Edge>, usize)> {
    let path = |n: u32| (0..n - 1).map(|i| (i, i + 1, 1.0)).collect::<Vec<_>>();
    let clique = |a: u32, b: u32| (a..b).flat_map(move |u| (u + 1..b).map(move |v| (u, v, 1.0))).collect::<Vec<_>>();
    let star = (1..90).map(|i| (0, i, 1.0)).collect();
    let bipartite = (0..30).flat_map(|u| (30..70).map(move |v| (u, v, 1.0))).collect();
    let cliques = (0..4).flat_map(|c| clique(30 * c, 30 * c + 30)).chain((0..3).map(|c| (30 * c, 30 * c + 30, 0.1)));
    let ring = path(100).into_iter().chain([(0, 99, 1.0)]).collect();
    vec![
        ("one", 1, vec![], 1),
        ("pair", 2, path(2), 2),
        ("triangle", 3, clique(0, 3), 3),
        ("path", 150, path(150), 5),
        ("ring, values repeated twice", 100, ring, 5),
        ("star, all values repeated", 90, star, 1),
        ("complete", 70, clique(0, 70), 1),
        ("bipartite", 70, bipartite, 1),
        ("cliques", 120, cliques.collect(), 4),
        ("grid", 20 * 25, grid(20, 25), 6),
        (
            "two components and an isolated node",
            201,
            path(100).into_iter().chain((100..199).map(|i| (i, i + 1, 2.0))).collect(),
            5,
        ),
    ]
}

#[test]
fn all_solvers_agree() {
    for (name, n, edges, k) in graphs() {
        for laplacian in [Laplacian::Normalized, Laplacian::Unnormalized] {
            let pencil = pencil(n, edges.clone(), laplacian);
            let exact = solve(&pencil, k, Solver::Dense);
            assert_eq!(exact.certificate, Certificate::Complete);
            for solver in ALL {
                let found = solve(&pencil, k, solver);
                assert_eq!(found.status, Status::Converged, "{name} {solver} {:?}", found.history);
                let last = exact.values[k - 1];
                for (value, expected) in found.values.iter().zip(&exact.values) {
                    assert!((value - expected).abs() <= 1e-8 * last, "{name} {solver}: {value} {expected}");
                }
                let angle = angle(&pencil, found.vectors.slice(s![.., ..k]), exact.vectors.slice(s![.., ..k]));
                assert!(angle < 1e-6 || n == 201, "{name} {solver} {laplacian:?}: {angle}");
                assert!(found.residuals.iter().all(|&r| r <= 1e-8 * last.max(1e-6)), "{name} {solver}");
            }
        }
    }
}

#[test]
fn repeated_values_are_all_found() {
    for (name, n, edges, _) in graphs().into_iter().filter(|g| (70..=100).contains(&g.1)) {
        let pencil = pencil(n, edges, Laplacian::Normalized);
        let exact = solve(&pencil, 8, Solver::Dense);
        for solver in ALL {
            let found = solve(&pencil, 8, solver);
            for (value, expected) in found.values.iter().zip(&exact.values) {
                assert!((value - expected).abs() <= 1e-8, "{name} {solver}: {value} {expected}");
            }
        }
    }
}

#[test]
fn fast_is_near_and_says_how_near() {
    let pencil = pencil(60 * 50, grid(60, 50), Laplacian::Normalized);
    let exact = solve(&pencil, 6, Solver::ShiftInvert);
    let found = solve(&pencil, 6, Solver::Fast);
    let worst = found.residuals.iter().copied().fold(0.0, f64::max) / found.values[5];
    let Status::IterationLimit { residual } = found.status else { unreachable!("{:?}", found.status) };
    assert!((residual / worst - 1.0).abs() < 1e-6 && found.certificate == Certificate::Unknown);
    for (value, expected) in found.values.iter().zip(&exact.values) {
        assert!(*value >= expected - 1e-12 && *value <= 1.5 * expected + 1e-12, "{value} {expected}");
    }
}

#[test]
fn seeds_and_runs_agree() {
    let (_, n, edges, _) = graphs().into_iter().find(|g| g.0 == "grid").unwrap();
    let pencil = pencil(n, edges, Laplacian::Normalized);
    for solver in ALL.into_iter().chain([Solver::Fast]) {
        assert_eq!(solve(&pencil, 6, solver), solve(&pencil, 6, solver));
    }
}

/// Pixels as smooth as a photograph's, with specks between which weights fall to 1e-300.
#[test]
fn weights_over_the_range_of_f64_are_solved() {
    let (rows, columns) = (76u32, 90u32);
    let edges: Vec<Edge> = grid(rows, columns)
        .into_iter()
        .map(|(u, v, w)| {
            let speck =
                |i: u32| (i / columns % 9 == 4 && i % columns % 11 < 2).then_some(i.wrapping_mul(2_654_435_761));
            let depth = speck(u).or(speck(v)).map_or(0.0, |hash| f64::from(hash % 301));
            (u, v, w * (1.0 + 0.3 * f64::from(u % 7).sin()) * 10f64.powf(-depth))
        })
        .collect();
    let pencil = pencil((rows * columns) as usize, edges, Laplacian::Normalized);
    let (least, most) =
        (0..pencil.n()).flat_map(|i| pencil.row(i).1).fold((1.0f64, 0.0f64), |(a, b), &w| (a.min(w), b.max(w)));
    assert!(least < 1e-290 && most > 0.7, "{least}");
    for k in [12, 90] {
        let found = solve(&pencil, k, Solver::ShiftInvert);
        assert!(found.vectors.iter().all(|x| x.is_finite()), "{k}");
        assert_eq!(found.status, Status::Converged, "{k} {:?}", found.history);
        let last = found.values[k - 1];
        assert!(found.residuals.iter().all(|&r| r <= (1e-8 * last).max(1e-12)), "{k} {last:e} {:?}", found.residuals);
    }
}
