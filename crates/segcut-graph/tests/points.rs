//! Graphs of points and arrays against scikit-learn and numpy (fixtures in `tests/oracle`).

#![allow(clippy::unwrap_used)] // a fixture that does not parse fails its test

use ndarray::Array2;
use segcut_core::{Affinity, Partition, SparseAffinity};
use segcut_graph::{GradientParams, Kernel, PointAffinity, PointGraph, PointGraphParams, array_graph, cut_values};

macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../../tests/oracle/", $path))
    };
}

fn rows(text: &str) -> Vec<Vec<f64>> {
    let row = |line: &str| line.split(',').map(|field| field.parse().ok()).collect::<Option<Vec<f64>>>();
    text.lines().filter_map(row).collect()
}

fn table(text: &str) -> Array2<f64> {
    let rows = rows(text);
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

/// Edges of one case of scikit-learn's.
fn expected(case: &str) -> Vec<([u32; 2], f64)> {
    let lines = fixture!("sklearn_affinity/edges.csv").lines().map(|line| line.split(',').collect::<Vec<_>>());
    let edge = |f: Vec<&str>| ([f[1].parse().unwrap(), f[2].parse().unwrap()], f[3].parse().unwrap());
    lines.filter(|fields| fields[0] == case).map(edge).collect()
}

/// Within a few roundings of the exponent.
fn assert_same(graph: &SparseAffinity, case: &str) {
    let expected = expected(case);
    assert!(expected.len() > 20, "{case}");
    assert_eq!(graph.edges(), expected.iter().map(|e| e.0).collect::<Vec<_>>(), "{case}");
    for (weight, (edge, other)) in graph.weights().iter().zip(expected) {
        assert!((weight - other).abs() <= 1e-13 * other, "{case} {edge:?}: {weight} {other}");
    }
}

#[test]
fn affinities_are_scikit_learns() {
    let points = table(fixture!("sklearn_affinity/points.csv"));
    let base = PointGraphParams::default;
    let rbf = PointGraphParams { affinity: PointAffinity::Rbf, gamma: 0.7, ..base() };
    let knn = PointGraphParams { n_neighbors: 5, ..base() };
    let radius = PointGraphParams { affinity: PointAffinity::Epsilon, epsilon: Some(0.9), ..base() };
    for (params, case) in [(rbf, "rbf"), (knn, "knn"), (radius, "radius")] {
        assert_same(&PointGraph::new(params).unwrap().build(points.view(), usize::MAX).unwrap(), case);
    }
}

#[test]
fn array_graphs_are_scikit_learns() {
    let image = table(fixture!("sklearn_affinity/image.csv"));
    let volume = rows(fixture!("sklearn_affinity/volume.csv")).concat();
    let image: Vec<f64> = image.iter().copied().collect();
    let mask: Vec<bool> = (0..30).map(|cell| cell >= 6).collect();
    let build = |shape: &[usize], values: &[f64], mask: Option<&[bool]>| {
        array_graph(shape, values, mask, &GradientParams::default()).unwrap().graph
    };
    assert_same(build(&[5, 6], &image, None).affinity().sparse().unwrap(), "image");
    assert_same(build(&[5, 6], &image, Some(&mask)).affinity().sparse().unwrap(), "image_mask");
    assert_same(build(&[3, 4, 2], &volume, None).affinity().sparse().unwrap(), "volume");
}

/// Points of a blog with their ε and what its own functions print, every cut edge counted twice.
#[test]
fn the_blogs_cuts_are_exact() {
    let all = [
        ("moons200_points.csv", fixture!("blog/moons200_points.csv")),
        ("blobs200_points.csv", fixture!("blog/blobs200_points.csv")),
    ];
    let mut checked = 0;
    for line in fixture!("blog/expected.csv").lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let Some((_, text)) = all.iter().find(|(name, _)| *name == fields[0]) else { continue };
        let number = |at: usize| fields[at].parse::<f64>().unwrap();
        let points = table(text);
        let params =
            PointGraphParams { affinity: PointAffinity::Epsilon, epsilon: Some(number(1)), ..Default::default() };
        let coordinates = points.slice(ndarray::s![.., ..2]);
        let graph = PointGraph::new(params).unwrap().build(coordinates, usize::MAX).unwrap();
        assert_eq!(graph.edges().len() as f64, number(2));
        let truth: Vec<u32> = points.column(2).iter().map(|&label| label as u32).collect();
        let affinity = Affinity::Sparse(graph.clone());
        assert_eq!(segcut_graph::components(&affinity).k() as f64, number(3));
        let values = cut_values(&affinity, &Partition::new(truth.clone(), 2).unwrap()).unwrap();
        assert_eq!(2.0 * values.total(), number(4));
        assert!((2.0 * values.ncut() - number(5)).abs() < 1e-16, "{}", 2.0 * values.ncut());
        assert!((2.0 * values.ncut() - quadratic_form(&affinity, &truth)).abs() < 1e-14);
        checked += 1;
    }
    assert_eq!(checked, 2);
}

/// The page's identity for its normcut: 2·zᵀ(D − W)z / zᵀDz with z = vol(B) on A and −vol(A) on B.
fn quadratic_form(affinity: &Affinity, labels: &[u32]) -> f64 {
    let degrees = affinity.degrees();
    let volume = |side: u32| -> f64 { labels.iter().zip(&degrees).filter(|(l, _)| **l == side).map(|(_, d)| d).sum() };
    let (a, b) = (volume(0), volume(1));
    let z: ndarray::Array1<f64> = labels.iter().map(|&label| if label == 0 { b } else { -a }).collect();
    let dz = &degrees * &z;
    let numerator = z.dot(&(&dz - &affinity.apply(&z)));
    2.0 * numerator / z.dot(&dz)
}

#[test]
fn many_coordinates_give_the_graph_of_few() {
    // Constant columns turn the tree's points into those of the matrix products.
    let points = table(fixture!("sklearn_affinity/points.csv"));
    let wide = Array2::from_shape_fn((30, 12), |(i, j)| if j < 3 { points[[i, j]] } else { 0.25 });
    for kernel in [Kernel::Gaussian, Kernel::Local] {
        let builder = PointGraph::new(PointGraphParams { kernel, ..Default::default() }).unwrap();
        let few = builder.build(points.view(), usize::MAX).unwrap();
        assert_eq!(few, builder.build(wide.view(), usize::MAX).unwrap());
    }
}
