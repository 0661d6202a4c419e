//! Eigenvalues and labels against scikit-learn and scikit-image.

#![allow(clippy::unwrap_used)]

use flate2::read::GzDecoder;
use segcut_core::{Affinity, ClusterCount, Clusterer, Context, Partition, RegionGraph, SparseAffinity};
use segcut_spectral::{
    Assign, Certificate, EigenParams, Laplacian, Method, Ncut, NcutParams, Pencil, Solver, cluster_qr, discretize,
    smallest,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;

macro_rules! oracle {
    ($path:literal) => {
        concat!("../../../tests/oracle/", $path)
    };
}

fn matrix_market(text: &str) -> SparseAffinity {
    let mut lines = text.lines().filter(|l| !l.starts_with('%'));
    let n = lines.next().unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let mut edges: Vec<([u32; 2], f64)> = lines
        .map(|line| {
            let mut fields = line.split_whitespace();
            let mut id = || fields.next().unwrap().parse::<u32>().unwrap() - 1;
            let (a, b) = (id(), id());
            ([a.min(b), a.max(b)], fields.next().unwrap().parse().unwrap())
        })
        .collect();
    edges.sort_by_key(|e| e.0);
    let weights = edges.iter().map(|e| e.1).collect();
    SparseAffinity::new(n, edges.into_iter().map(|e| e.0).collect(), weights).unwrap()
}

fn coins() -> SparseAffinity {
    let mut text = String::new();
    let bytes: &[u8] = include_bytes!(oracle!("sklearn_spectral/coins_0.2.mtx.gz"));
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    matrix_market(&text)
}

fn labels(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|f| !f.is_empty()).map(|f| f.parse().unwrap()).collect()
}

fn pairs(n: f64) -> f64 {
    n * (n - 1.0) / 2.0
}

/// The adjusted Rand index of Hubert and Arabie.
fn rand_index(a: &[u32], b: &[u32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let mut joint = BTreeMap::new();
    let (mut rows, mut columns) = (BTreeMap::new(), BTreeMap::new());
    for (&x, &y) in a.iter().zip(b) {
        *joint.entry((x, y)).or_insert(0.0) += 1.0;
        *rows.entry(x).or_insert(0.0) += 1.0;
        *columns.entry(y).or_insert(0.0) += 1.0;
    }
    let sum = |map: Vec<f64>| map.into_iter().map(pairs).sum::<f64>();
    let (both, left, right) =
        (sum(joint.into_values().collect()), sum(rows.into_values().collect()), sum(columns.into_values().collect()));
    let chance = left * right / pairs(a.len() as f64);
    (both - chance) / (0.5 * (left + right) - chance)
}

#[derive(Deserialize)]
#[allow(non_snake_case)]
struct Coins {
    eigenvalues_Lsym: Vec<f64>,
}

#[test]
fn coins_have_scikit_learns_eigenvalues_and_labels() {
    let expected: Coins = serde_json::from_str(include_str!(oracle!("sklearn_spectral/coins_0.2.json"))).unwrap();
    let pencil = Pencil::new(&coins(), Laplacian::Normalized, 0.0).unwrap();
    let params = EigenParams { k: 36, tol: 1e-12, ..EigenParams::default() };
    let spectrum = smallest(&pencil, &params, &Context::default()).unwrap();
    assert_eq!(spectrum.certificate, Certificate::Complete);
    for (ours, theirs) in spectrum.values.iter().zip(&expected.eigenvalues_Lsym).skip(1) {
        assert!((ours / theirs - 1.0).abs() < 1e-8, "{ours} {theirs}");
    }
    let vectors = spectrum.vectors.slice(ndarray::s![.., ..29]);
    let qr = labels(include_str!(oracle!("sklearn_spectral/coins_0.2_cluster_qr.csv")));
    assert!(rand_index(&cluster_qr(vectors), &qr) > 0.99);
    // Discretization has several local optima, in the reference as well: the best of a few seeds.
    let discrete = labels(include_str!(oracle!("sklearn_spectral/coins_0.2_discretize.csv")));
    let best = (0..4).map(|seed| rand_index(&discretize(vectors, seed), &discrete)).fold(0.0, f64::max);
    assert!(best > 0.99, "{best}");
}

#[test]
fn moons_are_cut_by_the_sign_of_the_second_vector() {
    let affinity = matrix_market(include_str!(oracle!("sklearn_spectral/moons200.mtx")));
    let expected = labels(include_str!(oracle!("sklearn_spectral/moons200_fiedler_labels.csv")));
    let graph = RegionGraph::new(Affinity::Sparse(affinity));
    for solver in [Solver::Dense, Solver::ShiftInvert] {
        let params = NcutParams { k: ClusterCount::Fixed(2), assign: Assign::Sign, solver, ..NcutParams::default() };
        let found = Ncut::new(params).unwrap().cluster(&graph, &Context::default()).unwrap();
        assert_eq!(found.partition, Partition::compact(&expected));
    }
}

#[derive(Deserialize)]
struct Regions {
    sizes: Vec<f64>,
    edges: Vec<[u32; 2]>,
    similarity: Vec<f64>,
    cut_normalized: BTreeMap<String, Vec<u32>>,
}

#[test]
fn recursive_cuts_give_scikit_images_regions() {
    let regions: Regions = serde_json::from_str(include_str!(oracle!("skimage_graph/graph.json"))).unwrap();
    let affinity = SparseAffinity::new(regions.sizes.len(), regions.edges, regions.similarity).unwrap();
    let graph = RegionGraph::new(Affinity::Sparse(affinity));
    assert_eq!(regions.cut_normalized.len(), 4);
    for (threshold, expected) in regions.cut_normalized {
        let threshold = threshold.parse().unwrap();
        let params = NcutParams { method: Method::Recursive, max_edge: 1.0, threshold, ..NcutParams::default() };
        let found = Ncut::new(params).unwrap().cluster(&graph, &Context::default()).unwrap();
        let index = rand_index(found.partition.labels(), &expected);
        assert!(index > 0.99, "threshold {threshold}: {index}");
    }
}
