//! Graphs against scikit-image, cut values against dense matrices (fixtures in `tests/oracle`).

#![allow(clippy::unwrap_used)] // a fixture that does not parse fails its test

use segcut_core::{
    Affinity, Context, FeatureMap, GraphBuilder, Grid, LabelMap, Partition, RegionGraph, SparseAffinity,
};
use segcut_graph::{Rag, RagParams, Scale, cut_values};

macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../../tests/oracle/", $path))
    };
}

fn rows(text: &str) -> Vec<Vec<f64>> {
    text.lines().map(|line| line.split(',').map(|field| field.parse().unwrap()).collect()).collect()
}

fn build(connectivity: u8) -> RegionGraph {
    let labels = rows(fixture!("skimage_rag/labels.csv"));
    let (height, width) = (labels.len(), labels[0].len());
    let labels = LabelMap::new(height, width, labels.concat().iter().map(|&l| l as u32).collect()).unwrap();
    let rgb = rows(fixture!("skimage_rag/image.csv")).concat().iter().map(|&v| v as f32).collect();
    let map = FeatureMap::held("color", Grid::pixels(height, width), 3, rgb).unwrap();
    let params = RagParams { connectivity, scale: Scale::Fixed { sigma: 255.0 }, ..RagParams::default() };
    Rag::new(params).unwrap().build(&labels, &[map], &Context::default()).unwrap()
}

/// Means are kept as f32, so a weight exp(−d²/255) moves by about 1e-7·d²/255 of itself.
#[test]
fn the_graph_is_scikit_images() {
    for (connectivity, expected) in [(8, fixture!("skimage_rag/edges.csv")), (4, fixture!("skimage_rag/edges4.csv"))] {
        let graph = build(connectivity);
        let sparse = graph.affinity().sparse().unwrap();
        let expected = rows(expected);
        assert_eq!(sparse.edges().len(), expected.len());
        for ((edge, weight), row) in sparse.edges().iter().zip(sparse.weights()).zip(&expected) {
            assert_eq!(edge.map(f64::from), [row[0], row[1]]);
            assert!((weight - row[2]).abs() <= 1e-5 * row[2], "{edge:?}: {weight} {}", row[2]);
        }
    }
}

#[test]
fn mean_colors_are_scikit_images() {
    let graph = build(8);
    for (node, row) in rows(fixture!("skimage_rag/nodes.csv")).iter().enumerate() {
        assert_eq!(graph.geometry().unwrap().size[node], row[0]);
        for (found, expected) in graph.features()[0].row(node).iter().zip(&row[1..]) {
            assert!((f64::from(*found) - expected).abs() < 1e-5);
        }
    }
}

#[derive(Default)]
struct Case {
    n: usize,
    edges: Vec<[u32; 2]>,
    weights: Vec<f64>,
    labels: Vec<u32>,
}

fn check(case: Case, k: usize, expected: &[f64]) {
    let sparse = SparseAffinity::new(case.n, case.edges, case.weights).unwrap();
    let found = cut_values(&Affinity::Sparse(sparse), &Partition::new(case.labels, k).unwrap()).unwrap();
    let values = [
        found.ncut(),
        found.ratio_cut(),
        found.cheeger(),
        found.ratio_cheeger(),
        found.conductance(),
        found.modularity(),
        found.total(),
    ];
    for (found, expected) in values.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{values:?} {expected}");
    }
}

#[test]
fn cut_values_are_those_of_dense_matrices() {
    let (mut case, mut k, mut checked) = (Case::default(), 0, 0);
    for line in fixture!("cut_values/graphs.csv").lines() {
        let (kind, rest) = line.split_once(',').unwrap();
        let fields = rows(rest).concat();
        match kind {
            "graph" => (case.n, k) = (fields[0] as usize, fields[1] as usize),
            "edge" => {
                case.edges.push([fields[0] as u32, fields[1] as u32]);
                case.weights.push(fields[2]);
            }
            "labels" => case.labels = fields.iter().map(|&l| l as u32).collect(),
            _ => {
                check(std::mem::take(&mut case), k, &fields);
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 4);
}
