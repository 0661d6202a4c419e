//! Merging against scikit-image's labels, a plain O(n³) twin, and the odd graphs.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use segcut_core::{
    Affinity, ClusterCount, Clusterer, Context, EdgeColumns, FeatureBlock, Geometry, Note, Partition, RegionGraph,
    SparseAffinity,
};
use segcut_multicut::{Linkage, Merge, MergeParams};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Oracle {
    sizes: Vec<f64>,
    colors: Vec<Vec<f32>>,
    edges: Vec<[u32; 2]>,
    merge_hierarchical: BTreeMap<String, Vec<u32>>,
}

fn with_columns(graph: RegionGraph, sizes: Vec<f64>, dims: usize, values: Vec<f32>) -> RegionGraph {
    let n = sizes.len();
    let geometry =
        Geometry { image_size: [1, 1], size: sizes, centroid: vec![[0.0; 2]; n], border_share: vec![0.0; n] };
    let block = FeatureBlock { name: "color".into(), dims, bins: Vec::new(), values };
    graph.with_features(vec![block]).unwrap().with_geometry(geometry).unwrap()
}

#[test]
fn mean_linkage_gives_scikit_images_regions() {
    let text = include_str!("../../../tests/oracle/skimage_graph/graph.json");
    let oracle: Oracle = serde_json::from_str(text).unwrap();
    let weights = vec![1.0; oracle.edges.len()];
    let affinity = SparseAffinity::new(oracle.sizes.len(), oracle.edges, weights).unwrap();
    let values = oracle.colors.into_iter().flatten().collect();
    let graph = with_columns(RegionGraph::new(Affinity::Sparse(affinity)), oracle.sizes, 3, values);
    assert_eq!(oracle.merge_hierarchical.len(), 5);
    for (threshold, labels) in oracle.merge_hierarchical {
        let threshold = Some(threshold.parse().unwrap());
        let params = MergeParams { linkage: Linkage::Mean, threshold, ..MergeParams::default() };
        let found = Merge::new(params).unwrap().cluster(&graph, &Context::default()).unwrap();
        assert_eq!(found.partition, Partition::compact(&labels), "threshold {threshold:?}");
    }
}

/// Merges by looking at all pairs again after every merge; the heights' running maximum per merge.
fn plain_heights(graph: &RegionGraph, unlike: impl Fn(&[f64], &[f64]) -> f64) -> Vec<f64> {
    let block = &graph.features()[0];
    let sizes = &graph.geometry().unwrap().size;
    let mut regions: Vec<Vec<usize>> = (0..graph.n()).map(|i| vec![i]).collect();
    let edges = graph.affinity().sparse().unwrap().edges();
    let stats = |nodes: &[usize]| {
        let size: f64 = nodes.iter().map(|&i| sizes[i]).sum();
        let mut stat = vec![size];
        stat.extend(
            (0..block.dims).map(|d| nodes.iter().map(|&i| f64::from(block.row(i)[d]) * sizes[i]).sum::<f64>() / size),
        );
        stat
    };
    let touch = |a: &[usize], b: &[usize]| {
        edges.iter().any(|&[u, v]| {
            let (u, v) = (u as usize, v as usize);
            a.contains(&u) && b.contains(&v) || a.contains(&v) && b.contains(&u)
        })
    };
    let (mut heights, mut height) = (Vec::new(), f64::NEG_INFINITY);
    loop {
        let mut best: Option<(f64, usize, usize)> = None;
        for a in 0..regions.len() {
            for b in a + 1..regions.len() {
                if touch(&regions[a], &regions[b]) {
                    let value = unlike(&stats(&regions[a]), &stats(&regions[b]));
                    if best.is_none_or(|x| value < x.0) {
                        best = Some((value, a, b));
                    }
                }
            }
        }
        let Some((value, a, b)) = best else { return heights };
        height = height.max(value);
        heights.push(height);
        let gone = regions.remove(b);
        regions[a].extend(gone);
    }
}

fn random_graph(n: usize, seed: &[f32]) -> RegionGraph {
    let mut edges: Vec<[u32; 2]> = (0..n as u32 - 1).map(|i| [i, i + 1]).collect();
    edges.extend((0..n as u32 - 3).filter(|i| seed[*i as usize] > 0.3).map(|i| [i, i + 3]));
    edges.sort_unstable();
    let weights = vec![1.0; edges.len()];
    let affinity = SparseAffinity::new(n, edges, weights).unwrap();
    let sizes = (0..n).map(|i| 1.0 + f64::from(seed[i] * 9.0).floor()).collect();
    with_columns(RegionGraph::new(Affinity::Sparse(affinity)), sizes, 2, seed[..2 * n].to_vec())
}

fn norm(a: &[f64], b: &[f64]) -> f64 {
    a[1..].iter().zip(&b[1..]).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

proptest! {
    #[test]
    fn heap_and_plain_search_agree(n in 5usize..14, seed in prop::collection::vec(0.0f32..1.0, 28)) {
        let graph = random_graph(n, &seed);
        let ward = |a: &[f64], b: &[f64]| (a[0] * b[0] / (a[0] + b[0])).sqrt() * norm(a, b);
        let twins: [(Linkage, Vec<f64>); 2] =
            [(Linkage::Mean, plain_heights(&graph, norm)), (Linkage::Ward, plain_heights(&graph, ward))];
        for (linkage, plain) in twins {
            let params = MergeParams { linkage, ..MergeParams::default() };
            let found = Merge::new(params).unwrap().cluster(&graph, &Context::default()).unwrap();
            let tree = found.tree.unwrap();
            prop_assert_eq!(tree.merges().len(), plain.len());
            for (merge, height) in tree.merges().iter().zip(plain) {
                prop_assert!((merge.height - height).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn borders_merge_by_their_length_weighted_mean() {
    // 0-1 weak; then {0,1}-2 has (3·0.2 + 1·1.0)/4 = 0.4 and 2-3 has 0.5.
    let edges = vec![[0, 1], [0, 2], [1, 2], [2, 3]];
    let columns = EdgeColumns {
        border_length: Some(vec![2.0, 3.0, 1.0, 4.0]),
        boundary_strength: Some(vec![0.1, 0.2, 1.0, 0.5]),
        feature_distance: None,
    };
    let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(4, edges, vec![1.0; 4]).unwrap()));
    let graph = graph.with_edge_columns(columns).unwrap();
    let params = MergeParams { linkage: Linkage::Border, k: ClusterCount::Fixed(2), ..MergeParams::default() };
    let found = Merge::new(params).unwrap().cluster(&graph, &Context::default()).unwrap();
    assert_eq!(found.partition.labels(), [0, 0, 0, 1]);
    let heights: Vec<f64> = found.tree.unwrap().merges().iter().map(|m| m.height).collect();
    assert!((heights[0] - 0.1).abs() < 1e-6 && (heights[1] - 0.4).abs() < 1e-6 && (heights[2] - 0.5).abs() < 1e-6);
}

fn plain(n: usize, edges: Vec<[u32; 2]>) -> RegionGraph {
    let weights = vec![1.0; edges.len()];
    RegionGraph::new(Affinity::Sparse(SparseAffinity::new(n, edges, weights).unwrap()))
}

#[test]
fn odd_graphs_are_defined() {
    let run = |graph: &RegionGraph, k| {
        let params = MergeParams { linkage: Linkage::Affinity, k, ..MergeParams::default() };
        Merge::new(params).unwrap().cluster(graph, &Context::default()).unwrap()
    };
    for k in [ClusterCount::Auto, ClusterCount::Fixed(1), ClusterCount::Fixed(9)] {
        assert_eq!(run(&plain(0, vec![]), k).partition.n(), 0);
        assert_eq!(run(&plain(1, vec![]), k).partition.labels(), [0]);
        let found = run(&plain(4, vec![[0, 2]]), k);
        assert!(found.notes.contains(&Note::Components(3)));
        assert!(found.tree.unwrap().merges()[2].height.is_infinite());
    }
    assert_eq!(run(&plain(4, vec![[0, 2]]), ClusterCount::Auto).partition.labels(), [0, 1, 0, 2]);
    assert_eq!(run(&plain(4, vec![[0, 2]]), ClusterCount::Fixed(1)).partition.k(), 1);
    let all = run(&plain(3, vec![[0, 1], [0, 2], [1, 2]]), ClusterCount::Fixed(9));
    assert!(all.partition.k() == 3 && all.notes.contains(&Note::KReduced { asked: 9, made: 3 }));
}

#[test]
fn what_a_linkage_lacks_is_named() {
    let graph = plain(2, vec![[0, 1]]);
    for (linkage, word) in [(Linkage::Mean, "features"), (Linkage::Border, "contour")] {
        let params = MergeParams { linkage, ..MergeParams::default() };
        let error = Merge::new(params).unwrap().cluster(&graph, &Context::default()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn parameters_are_read_and_refused() {
    let params: MergeParams = toml::from_str("k = 4\nlinkage = \"ward\"\nfeature = \"color\"").unwrap();
    assert_eq!((params.k, params.linkage), (ClusterCount::Fixed(4), Linkage::Ward));
    assert!(toml::from_str::<MergeParams>("k = 0").is_err());
    assert!(toml::from_str::<MergeParams>("linkage = \"wurd\"").unwrap_err().to_string().contains("ward"));
    assert!(Merge::new(MergeParams { last_exponent: -1.0, ..MergeParams::default() }).is_err());
}
