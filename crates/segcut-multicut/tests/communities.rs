//! Communities and multicuts through the public API.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use segcut_core::{
    Affinity, ClusterCount, Clusterer, Clustering, Context, GramAffinity, Note, Partition, RegionGraph, SparseAffinity,
    Start,
};
use segcut_graph::cut_values;
use segcut_multicut::{Bias, Leiden, LeidenParams, Multicut, MulticutParams, Quality, SignedWeight};

fn sparse(n: usize, edges: Vec<[u32; 2]>, weights: Vec<f64>) -> RegionGraph {
    RegionGraph::new(Affinity::Sparse(SparseAffinity::new(n, edges, weights).unwrap()))
}

/// Cliques in a ring, joined by one edge each.
fn ring_of_cliques(cliques: u32, size: u32) -> RegionGraph {
    let n = cliques * size;
    let inside = |c: u32| (0..size).flat_map(move |u| (u + 1..size).map(move |v| [c * size + u, c * size + v]));
    let mut edges: Vec<[u32; 2]> = (0..cliques).flat_map(inside).collect();
    for clique in 0..cliques {
        let ends = [clique * size + size - 1, (clique * size + size) % n];
        edges.push([ends[0].min(ends[1]), ends[0].max(ends[1])]);
    }
    edges.sort_unstable();
    let weights = vec![1.0; edges.len()];
    sparse(n as usize, edges, weights)
}

fn leiden(graph: &RegionGraph, params: LeidenParams, seed: u64) -> Clustering {
    Leiden::new(params).unwrap().cluster(graph, &Context::seeded(seed)).unwrap()
}

fn modularity(graph: &RegionGraph, partition: &Partition) -> f64 {
    cut_values(graph.affinity(), partition).unwrap().modularity()
}

#[test]
fn cliques_are_the_communities_at_every_seed() {
    let graph = ring_of_cliques(8, 6);
    let truth: Vec<u32> = (0..48).map(|v| v / 6).collect();
    for seed in 0..5 {
        let found = leiden(&graph, LeidenParams::default(), seed);
        assert_eq!(found.partition.labels(), truth);
        assert_eq!(found.notes, [Note::KChosen(8)]);
    }
}

#[test]
fn karate_reaches_its_known_best_modularity() {
    // Zachary 1977; the optimum is 0.4197896 (Brandes et al. 2008).
    let text = "0 1 2 3 4 5 6 7 8 10 11 12 13 17 19 21 31;1 2 3 7 13 17 19 21 30;2 3 7 8 9 13 27 28 32;3 7 12 13;4 6 10;\
                5 6 10 16;6 16;8 30 32 33;9 33;13 33;14 32 33;15 32 33;18 32 33;19 33;20 32 33;22 32 33;\
                23 25 27 29 32 33;24 25 27 31;25 31;26 29 33;27 33;28 31 33;29 32 33;30 32 33;31 32 33;32 33";
    let mut edges = Vec::new();
    for row in text.split(';') {
        let nodes: Vec<u32> = row.split_whitespace().map(|word| word.parse().unwrap()).collect();
        edges.extend(nodes[1..].iter().map(|&v| [nodes[0], v]));
    }
    assert_eq!(edges.len(), 78);
    let graph = sparse(34, edges, vec![1.0; 78]);
    let found = leiden(&graph, LeidenParams::default(), 0);
    assert!((modularity(&graph, &found.partition) - 0.419_789_612).abs() < 1e-8);
}

#[test]
fn k_joins_communities_and_components() {
    let params = |k| LeidenParams { k: ClusterCount::Fixed(k), ..LeidenParams::default() };
    let graph = ring_of_cliques(8, 6);
    for k in 1..=8 {
        assert_eq!(leiden(&graph, params(k), 0).partition.k(), k);
    }
    let found = leiden(&graph, params(9), 0);
    assert_eq!(found.notes, [Note::KReduced { asked: 9, made: 8 }]);
    let lonely = sparse(6, vec![[0, 1]], vec![1.0]);
    assert_eq!(leiden(&lonely, LeidenParams::default(), 0).partition.k(), 5);
    assert_eq!(leiden(&lonely, params(2), 0).partition.k(), 2);
    assert_eq!(leiden(&sparse(0, vec![], vec![]), params(2), 0).partition.n(), 0);
}

#[test]
fn potts_communities_are_denser_than_the_resolution() {
    let graph = ring_of_cliques(8, 6);
    let params = |resolution| LeidenParams { quality: Quality::Cpm, resolution, ..LeidenParams::default() };
    assert_eq!(leiden(&graph, params(0.5), 0).partition.k(), 8);
    assert_eq!(leiden(&graph, params(1.1), 0).partition.k(), 48);
    assert_eq!(leiden(&graph, params(0.0), 0).partition.k(), 1);
}

#[test]
fn bad_graphs_and_parameters_are_refused() {
    let negative = sparse(2, vec![[0, 1]], vec![-1.0]);
    let error = Leiden::new(LeidenParams::default()).unwrap().cluster(&negative, &Context::default()).unwrap_err();
    assert_eq!(error.to_string(), "Leiden needs weights of at least 0; edge 0 has -1");
    assert!(Leiden::new(LeidenParams { resolution: f64::NAN, ..LeidenParams::default() }).is_err());
    assert!(Leiden::new(LeidenParams { runs: 0, ..LeidenParams::default() }).is_err());
    let shares = MulticutParams { weights: SignedWeight::LogOdds, ..MulticutParams::default() };
    let error = Multicut::new(shares).unwrap().cluster(&negative, &Context::default()).unwrap_err();
    assert_eq!(error.to_string(), "log_odds needs weights from 0 to 1; edge 0 has -1");
    let start = Context { start: Some(Start::Partition(Partition::whole(3))), ..Context::default() };
    let error = Multicut::new(MulticutParams::default()).unwrap().cluster(&negative, &start).unwrap_err();
    assert_eq!(error.to_string(), "the start has 3 nodes, the graph 2");
}

#[test]
fn a_multicut_of_fixed_k_has_k_clusters() {
    let graph = ring_of_cliques(4, 4);
    let cluster = |k| {
        let params = MulticutParams { k, bias: Bias::Fixed(0.5), ..MulticutParams::default() };
        Multicut::new(params).unwrap().cluster(&graph, &Context::default()).unwrap().partition.k()
    };
    assert_eq!([1, 3, 16].map(|k| cluster(ClusterCount::Fixed(k))), [1, 3, 16]);
    let parts = sparse(4, vec![[0, 1]], vec![1.0]);
    let params = MulticutParams { k: ClusterCount::Fixed(2), ..MulticutParams::default() };
    let found = Multicut::new(params).unwrap().cluster(&parts, &Context::default()).unwrap();
    assert_eq!(found.partition.labels(), [0, 0, 1, 1]);
}

#[test]
fn factors_and_their_clipped_form_give_the_planted_groups() {
    let truth: Vec<u32> = (0..30).map(|v| v % 3).collect();
    let factors =
        ndarray::Array2::from_shape_fn((30, 3), |(v, d)| if v % 3 == d { 1.0f32 } else { 0.1 * (v % 2) as f32 });
    for clip in [false, true] {
        let gram = GramAffinity { factors: factors.clone(), clip, shift: 0.0, diagonal: None };
        let graph = RegionGraph::new(Affinity::Gram(gram));
        for bias in [Bias::Auto, Bias::Alpha(3.0)] {
            let params = MulticutParams { bias, ..MulticutParams::default() };
            let found = Multicut::new(params).unwrap().cluster(&graph, &Context::default()).unwrap();
            assert_eq!(found.partition.labels(), truth);
        }
    }
}

proptest! {
    #[test]
    fn communities_are_connected_and_better_than_none(seed in 0u64..50, keep in proptest::collection::vec(any::<bool>(), 190)) {
        let pairs = (0..20u32).flat_map(|u| (u + 1..20).map(move |v| [u, v]));
        let edges: Vec<[u32; 2]> = pairs.zip(keep).filter(|(e, keep)| *keep && (e[0] / 5 == e[1] / 5 || e[1] % 3 == 0)).map(|(e, _)| e).collect();
        let weights = vec![1.0; edges.len()];
        let graph = sparse(20, edges.clone(), weights);
        let found = leiden(&graph, LeidenParams::default(), seed);
        prop_assert_eq!(&found, &leiden(&graph, LeidenParams::default(), seed));
        prop_assert!(modularity(&graph, &found.partition) >= -1e-12);
        // Edges across communities taken away, as many components as communities are left.
        let labels = found.partition.labels();
        let inside: Vec<[u32; 2]> = edges.into_iter().filter(|e| labels[e[0] as usize] == labels[e[1] as usize]).collect();
        let ones = vec![1.0; inside.len()];
        let parts = segcut_graph::components(sparse(20, inside, ones).affinity());
        prop_assert_eq!(parts.k(), found.partition.k());
    }
}
