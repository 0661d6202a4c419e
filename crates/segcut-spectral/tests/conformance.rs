//! The normalized cut, with every assignment and solver, on graphs whose best cut is known.

#![allow(clippy::unwrap_used, clippy::panic)]

use segcut_core::{Affinity, ClusterCount, Clusterer, Clustering, Context, Note, RegionGraph, SparseAffinity, Status};
use segcut_spectral::{
    Assign, AutoK, Certificate, EigenError, EigenParams, Laplacian, Method, Ncut, NcutParams, Pencil, Solver, smallest,
};

type Edge = (u32, u32, f64);

fn graph(n: usize, mut edges: Vec<Edge>) -> RegionGraph {
    edges.sort_by_key(|e| (e.0, e.1));
    let weights = edges.iter().map(|e| e.2).collect();
    let edges = edges.iter().map(|e| [e.0, e.1]).collect();
    RegionGraph::new(Affinity::Sparse(SparseAffinity::new(n, edges, weights).unwrap()))
}

fn clique(nodes: std::ops::Range<u32>) -> Vec<Edge> {
    nodes.clone().flat_map(|u| (u + 1..nodes.end).map(move |v| (u, v, 1.0))).collect()
}

fn run(params: NcutParams, graph: &RegionGraph) -> Clustering {
    let found = Ncut::new(params).unwrap().cluster(graph, &Context::seeded(3)).unwrap();
    assert_eq!(found.partition.n(), graph.n());
    let sizes = found.partition.sizes();
    assert!(sizes.iter().all(|&s| s > 0), "empty cluster in {sizes:?}");
    if let Some(embedding) = &found.embedding {
        assert!(embedding.iter().all(|x| x.is_finite()));
    }
    found
}

fn fixed(k: usize) -> NcutParams {
    NcutParams { k: ClusterCount::Fixed(k), ..NcutParams::default() }
}

/// Every way to make two clusters.
fn all_ways() -> Vec<NcutParams> {
    let mut ways = Vec::new();
    for solver in [Solver::Auto, Solver::Dense, Solver::ShiftInvert] {
        for assign in
            [Assign::Kmeans, Assign::Discretize, Assign::ClusterQr, Assign::Sign, Assign::Mean, Assign::Threshold]
        {
            ways.push(NcutParams { solver, assign, ..fixed(2) });
        }
        ways.push(NcutParams { solver, method: Method::Recursive, ..fixed(2) });
        ways.push(NcutParams { solver, laplacian: Laplacian::Unnormalized, ..fixed(2) });
    }
    ways
}

#[test]
fn barbell_is_cut_at_its_bar() {
    for size in [4u32, 10, 40] {
        let mut edges = clique(0..size);
        edges.extend(clique(size..2 * size));
        edges.push((0, 2 * size - 1, 0.5));
        let graph = graph(2 * size as usize, edges);
        let expected: Vec<u32> = (0..2 * size).map(|i| u32::from(i >= size)).collect();
        for way in all_ways() {
            let found = run(way.clone(), &graph);
            assert_eq!(found.partition.labels(), expected, "{way:?}");
            assert_eq!(found.status, Status::Converged);
        }
    }
}

#[test]
fn path_is_cut_in_the_middle() {
    let graph = graph(8, (0..7).map(|i| (i, i + 1, 1.0)).collect());
    for way in all_ways() {
        assert_eq!(run(way.clone(), &graph).partition.labels(), [0, 0, 0, 0, 1, 1, 1, 1], "{way:?}");
    }
}

#[test]
fn symmetric_graphs_give_two_sides() {
    let star = graph(7, (1..7).map(|i| (0, i, 1.0)).collect());
    let complete = graph(6, clique(0..6));
    let bipartite = graph(6, (0..3).flat_map(|u| (3..6).map(move |v| (u, v, 1.0))).collect());
    let ring = graph(60, (0..59).map(|i| (i, i + 1, 1.0)).chain([(0, 59, 1.0)]).collect());
    for graph in [star, complete, bipartite, ring] {
        for way in all_ways() {
            let k = run(way.clone(), &graph).partition.k();
            assert!(k == 2 || way.assign != Assign::Threshold && k == 1, "{way:?}");
        }
    }
}

#[test]
fn components_come_first() {
    let mut edges = clique(0..5);
    edges.extend(clique(5..9));
    edges.extend(clique(9..12));
    let three = graph(12, edges);
    let expected = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2];
    for assign in [Assign::Kmeans, Assign::Discretize, Assign::ClusterQr] {
        let found = run(NcutParams { assign, ..fixed(3) }, &three);
        assert_eq!(found.partition.labels(), expected);
        assert!(found.notes.contains(&Note::Components(3)));
        assert_eq!(&found.eigenvalues.unwrap()[..3], &[0.0; 3]);
        let packed = run(NcutParams { assign, ..fixed(2) }, &three);
        assert_eq!(packed.partition.labels(), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
        let auto = run(NcutParams { assign, ..NcutParams::default() }, &three);
        assert_eq!(auto.partition.labels(), expected);
        assert!(auto.notes.contains(&Note::KChosen(3)));
    }
    let recursive = run(NcutParams { method: Method::Recursive, ..NcutParams::default() }, &three);
    assert_eq!(recursive.partition.labels(), expected);
}

#[test]
fn isolated_nodes_are_components_without_volume() {
    let mut edges = clique(0..4);
    edges.extend(clique(5..9));
    edges.push((3, 5, 0.01));
    let graph = graph(11, edges);
    let auto = run(NcutParams::default(), &graph);
    assert!(auto.notes.contains(&Note::Components(4)));
    let labels = auto.partition.labels();
    assert!(labels[4] != labels[9] && labels[9] != labels[10] && labels[4] != labels[0]);
    assert_eq!(run(fixed(5), &graph).partition.labels(), [0, 0, 0, 0, 1, 2, 2, 2, 2, 3, 4]);
    assert_eq!(run(fixed(2), &graph).partition.k(), 2);
    assert_eq!(run(fixed(99), &graph).partition.k(), 11);
}

#[test]
fn one_to_three_nodes_and_none() {
    let graphs = [
        graph(0, vec![]),
        graph(1, vec![]),
        graph(2, vec![]),
        graph(2, vec![(0, 1, 2.0)]),
        graph(3, vec![(0, 1, 1.0)]),
        graph(3, vec![(0, 1, 1.0), (1, 2, 1e-300)]),
        graph(3, clique(0..3)),
    ];
    for graph in &graphs {
        for k in [ClusterCount::Auto, ClusterCount::Fixed(1), ClusterCount::Fixed(2), ClusterCount::Fixed(7)] {
            for method in [Method::Kway, Method::Recursive] {
                for assign in [Assign::Kmeans, Assign::Discretize, Assign::ClusterQr] {
                    let found = run(NcutParams { k, method, assign, ..NcutParams::default() }, graph);
                    assert!(found.partition.k() <= k.fixed().unwrap_or(3).min(graph.n()));
                    if k == ClusterCount::Fixed(1) {
                        assert_eq!(found.partition.k(), graph.n().min(1));
                    }
                }
            }
        }
    }
}

#[test]
fn repeated_eigenvalues_are_all_found() {
    // A 16x16 torus: λ₂ has multiplicity four.
    let side = 16u32;
    let at = |y: u32, x: u32| (y % side) * side + x % side;
    let mut edges = Vec::new();
    for y in 0..side {
        for x in 0..side {
            for other in [at(y, x + 1), at(y + 1, x)] {
                edges.push((at(y, x).min(other), at(y, x).max(other), 1.0));
            }
        }
    }
    let graph = graph(256, edges);
    let values = |solver| run(NcutParams { solver, ..fixed(12) }, &graph).eigenvalues.unwrap();
    for (a, b) in values(Solver::Dense).into_iter().zip(values(Solver::ShiftInvert)) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn large_grids_have_their_closed_form() {
    // The path spectra add up: λ = 4 − 2·cos(πi/100) − 2·cos(πj/80), unnormalized.
    let (rows, columns) = (80u32, 100u32);
    let mut edges = Vec::new();
    for i in 0..rows * columns {
        if i % columns + 1 < columns {
            edges.push((i, i + 1, 1.0));
        }
        if i + columns < rows * columns {
            edges.push((i, i + columns, 1.0));
        }
    }
    let graph = graph((rows * columns) as usize, edges);
    let affinity = graph.affinity().sparse().unwrap();
    let positions: Vec<[f64; 2]> =
        (0..rows * columns).map(|i| [f64::from(i / columns), f64::from(i % columns)]).collect();
    let plain = Pencil::new(affinity, Laplacian::Unnormalized, 0.0).unwrap();
    let path = |i: u32, n: u32| 2.0 - 2.0 * (std::f64::consts::PI * f64::from(i) / f64::from(n)).cos();
    let mut exact: Vec<f64> = (0..20).flat_map(|i| (0..20).map(move |j| path(i, 100) + path(j, 80))).collect();
    exact.sort_by(f64::total_cmp);
    let params = EigenParams { k: 12, tol: 1e-9, ..EigenParams::default() };
    for pencil in [plain.clone().with_positions(&positions), plain] {
        let spectrum = smallest(&pencil, &params, &Context::default()).unwrap();
        assert_eq!((spectrum.status, spectrum.certificate), (Status::Converged, Certificate::Complete));
        for (value, exact) in spectrum.values.iter().zip(&exact) {
            assert!((value - exact).abs() < 1e-9 * exact.max(1e-3), "{value} {exact}");
        }
        let worst = spectrum.residuals.iter().copied().fold(0.0, f64::max) / spectrum.values[11];
        assert!(worst <= 2e-9, "{worst} {:?}", spectrum.history);
    }
}

#[test]
fn k_is_chosen_by_gap_or_by_threshold() {
    let mut edges: Vec<Edge> = (0..4).flat_map(|c| clique(6 * c..6 * c + 6)).collect();
    edges.extend((0..3).map(|c| (6 * c, 6 * c + 6, 0.05)));
    let graph = graph(24, edges);
    for auto in [AutoK::Eigengap, AutoK::NcutThreshold] {
        let found = run(NcutParams { auto, threshold: 0.1, ..NcutParams::default() }, &graph);
        let expected: Vec<u32> = (0..24).map(|i| i / 6).collect();
        assert_eq!(found.partition.labels(), expected);
        assert!(found.notes.contains(&Note::KChosen(4)));
    }
}

#[test]
fn weights_of_any_size_give_no_nan() {
    let mut edges = clique(0..5);
    edges.extend(clique(5..10));
    edges.push((4, 5, 6e-209));
    let small = graph(10, edges.iter().map(|&(u, v, w)| (u, v, w * 1e-200)).collect());
    let graph = graph(10, edges);
    for way in all_ways() {
        assert_eq!(run(way, &graph).partition.labels(), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
        run(way_of(Assign::ClusterQr), &small);
    }
}

fn way_of(assign: Assign) -> NcutParams {
    NcutParams { assign, ..fixed(2) }
}

#[test]
fn bad_parameters_and_graphs_are_named() {
    let refused = |params| Ncut::new(params).unwrap_err().to_string();
    assert!(refused(NcutParams { k_max: 1, ..NcutParams::default() }).contains("cluster.k_max"));
    assert!(refused(NcutParams { tol: f64::NAN, ..NcutParams::default() }).contains("cluster.tol"));
    assert!(refused(NcutParams { assign: Assign::Sign, ..fixed(3) }).contains("k = 2"));
    let negative = graph(2, vec![(0, 1, -1.0)]);
    let error = Ncut::new(fixed(2)).unwrap().cluster(&negative, &Context::default()).unwrap_err();
    assert!(error.to_string().contains("(0, 1)"), "{error}");
}

#[test]
fn recipes_read_the_parameters() {
    let text = "k = \"auto\"\nmethod = \"recursive\"\nthreshold = 0.001\nmax_edge = 1.0\nassign = \"kmeans\"";
    let params: NcutParams = toml::from_str(text).unwrap();
    assert_eq!((params.k, params.method), (ClusterCount::Auto, Method::Recursive));
    assert!(toml::from_str::<NcutParams>("asign = \"kmeans\"").unwrap_err().to_string().contains("asign"));
    let written = toml::to_string(&params).unwrap();
    assert_eq!(toml::from_str::<NcutParams>(&written).unwrap(), params);
}

#[test]
fn a_solver_above_the_limit_is_refused_with_its_estimate() {
    let graph = graph(400, (0..399).map(|i| (i, i + 1, 1.0)).collect());
    let pencil = Pencil::of_graph(&graph, Laplacian::Normalized, 0.0).unwrap();
    for (solver, estimate) in [(Solver::Dense, 8 * 4 * 400 * 400), (Solver::ShiftInvert, 0)] {
        let params = EigenParams { k: 5, solver, max_bytes: Some(1000), ..EigenParams::default() };
        let error = smallest(&pencil, &params, &Context::default()).unwrap_err();
        let EigenError::TooBig { solver: named, bytes, limit: 1000 } = error else { panic!("{error}") };
        assert!(named == solver && bytes > 1000 && (estimate == 0 || bytes == estimate), "{error}");
    }
}

#[test]
fn residuals_are_told_and_kept() {
    let graph = graph(400, (0..399).map(|i| (i, i + 1, 1.0)).collect());
    let pencil = Pencil::of_graph(&graph, Laplacian::Normalized, 0.0).unwrap();
    let lines = std::sync::Arc::new(std::sync::Mutex::new(0));
    let count = lines.clone();
    let detail = std::sync::Arc::new(move |_: &str| *count.lock().unwrap() += 1);
    let context = Context { detail: Some(detail), ..Context::default() };
    let spectrum = smallest(&pencil, &EigenParams { k: 5, ..EigenParams::default() }, &context).unwrap();
    assert_eq!((spectrum.history.len(), spectrum.solver), (*lines.lock().unwrap(), Solver::ShiftInvert));
    assert!(*spectrum.history.last().unwrap() <= 1e-6);
}

#[test]
fn extra_vectors_are_extra_clusters() {
    let edges = (0..4).flat_map(|c| clique(6 * c..6 * c + 6)).chain((0..3).map(|c| (6 * c, 6 * c + 6, 0.05))).collect();
    let found = run(NcutParams { extra_vectors: 2, ..fixed(2) }, &graph(24, edges));
    assert_eq!((found.partition.k(), found.embedding.unwrap().ncols()), (4, 4));
}
