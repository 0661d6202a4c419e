//! Small graphs whose best cut is known, and graphs that have none.

#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use rayon::prelude::*;
use segcut_core::{
    Affinity, ClusterCount, Clusterer, Clustering, Context, FeatureBlock, GramAffinity, Note, Partition, RegionGraph,
    SparseAffinity, Start, Status, Stop,
};
use segcut_neural::{DeepCut, DeepCutParams, Encoder, Labels, Objective, Precision, StartVectors};
use std::sync::Arc;

/// `groups` groups of ten nodes with features near a corner of their own.
fn factors(groups: usize) -> Array2<f32> {
    Array2::from_shape_fn((10 * groups, groups), |(i, d)| {
        let noise = ((i * 7 + d * 3) % 5) as f32 * 0.03;
        noise + if i / 10 == d { 1.0 } else { 0.0 }
    })
}

fn dense(groups: usize, clip: bool) -> RegionGraph {
    RegionGraph::new(Affinity::Gram(GramAffinity { factors: factors(groups), clip, shift: 0.0, diagonal: None }))
}

/// Cliques of ten nodes in a row, one weak edge between neighbors; features as in [`factors`].
fn cliques(groups: usize) -> RegionGraph {
    let inside = |g: usize| (0..10).flat_map(move |u| (u + 1..10).map(move |v| [10 * g + u, 10 * g + v]));
    let mut edges: Vec<[usize; 2]> = (0..groups).flat_map(inside).collect();
    edges.extend((1..groups).map(|g| [10 * g - 1, 10 * g]));
    edges.sort_unstable();
    let weights = edges.iter().map(|[u, v]| if u / 10 == v / 10 { 1.0 } else { 0.1 }).collect();
    let edges = edges.into_iter().map(|e| e.map(|v| v as u32)).collect();
    with_features(SparseAffinity::new(10 * groups, edges, weights).unwrap(), factors(groups))
}

fn with_features(affinity: SparseAffinity, x: Array2<f32>) -> RegionGraph {
    let block = FeatureBlock { name: "x".into(), dims: x.ncols(), values: x.iter().copied().collect(), bins: vec![] };
    RegionGraph::new(Affinity::Sparse(affinity)).with_features(vec![block]).unwrap()
}

fn cluster(graph: &RegionGraph, params: DeepCutParams, context: &Context) -> Clustering {
    DeepCut::new(params).unwrap().cluster(graph, context).unwrap()
}

fn k(k: usize) -> DeepCutParams {
    DeepCutParams { k: ClusterCount::Fixed(k), ..DeepCutParams::default() }
}

fn planted(groups: usize) -> Partition {
    Partition::compact(&(0..10 * groups as u32).map(|i| i / 10).collect::<Vec<_>>())
}

/// 400 nodes of 64 features, in groups that overlap.
fn overlapping(clip: bool) -> RegionGraph {
    let factors = Array2::from_shape_fn((400, 64), |(i, d)| {
        let noise = ((i * 7919 + d * 104_729) % 1009) as f32 / 1009.0 - 0.5;
        noise + if d % 5 == i % 5 { 0.6 } else { 0.0 }
    });
    RegionGraph::new(Affinity::Gram(GramAffinity { factors, clip, shift: 0.0, diagonal: None }))
}

#[test]
fn whole_numbers_train_nearly_the_same_network() {
    for (objective, clusters, clip) in [(Objective::Ncut, 2, true), (Objective::Correlation, 10, false)] {
        let params = DeepCutParams {
            objective,
            dropout: 0.25,
            learning_rate: 1e-3,
            epochs: 100,
            tolerance: 0.0,
            standardize: false,
            ..k(clusters)
        };
        let memberships = |precision| {
            let params = DeepCutParams { precision, ..params.clone() };
            cluster(&overlapping(clip), params, &Context::seeded(1)).soft.unwrap()
        };
        let [single, whole] = [Precision::F32, Precision::I16].map(memberships);
        let off = (&single - &whole).iter().fold(0.0f64, |most, d| most.max(d.abs()));
        assert!(off < 2e-3, "{objective:?}: {off}");
    }
}

#[test]
fn whole_numbers_bear_graphs_of_few_nodes_and_no_features() {
    for (n, value) in [(1, 1.0), (2, 0.0), (3, 1e6), (33, -1e-6)] {
        for (objective, clip) in [(Objective::Ncut, true), (Objective::Correlation, false)] {
            for clusters in [1, 2, 33, 40] {
                let factors = Array2::from_elem((n, 3), value);
                let gram = GramAffinity { factors, clip, shift: 0.0, diagonal: None };
                let params = DeepCutParams { objective, precision: Precision::I16, epochs: 3, ..k(clusters) };
                let graph = RegionGraph::new(Affinity::Gram(gram));
                let found = cluster(&graph, params, &Context::default());
                let labels = found.partition.labels();
                assert!(labels.len() == n && labels.iter().all(|&label| (label as usize) < clusters.min(n)));
                assert!(found.soft.unwrap().iter().all(|share| share.is_finite()));
            }
        }
    }
}

#[test]
fn planted_groups_are_found_on_edges_and_on_factors() {
    for seed in 0..3 {
        for groups in 2..5 {
            for graph in [cliques(groups), dense(groups, true)] {
                let found = cluster(&graph, k(groups), &Context::seeded(seed));
                assert_eq!(Partition::compact(found.partition.labels()), planted(groups), "{seed} {groups}");
            }
        }
    }
}

#[test]
fn every_encoder_finds_planted_groups() {
    for encoder in [Encoder::Gcn, Encoder::Sage, Encoder::Arma, Encoder::Gat] {
        for graph in [cliques(3), dense(3, true)] {
            let found = cluster(&graph, DeepCutParams { encoder, ..k(3) }, &Context::seeded(0));
            assert_eq!(Partition::compact(found.partition.labels()), planted(3), "{encoder:?}");
        }
    }
}

#[test]
fn attention_over_too_many_pairs_is_an_error() {
    let gram = GramAffinity { factors: Array2::ones((4097, 1)), clip: false, shift: 0.0, diagonal: None };
    let graph = RegionGraph::new(Affinity::Gram(gram));
    let params = DeepCutParams { encoder: Encoder::Gat, ..k(2) };
    let error = DeepCut::new(params).unwrap().cluster(&graph, &Context::default()).unwrap_err();
    assert_eq!(error.to_string(), "attention reads every pair of a dense affinity, up to 4096 nodes, not 4097");
}

#[test]
fn correlation_finds_the_number_of_groups() {
    let params = DeepCutParams { objective: Objective::Correlation, ..DeepCutParams::default() };
    let found = cluster(&dense(3, false), params, &Context::seeded(1));
    assert_eq!(found.partition, planted(3));
    assert_eq!(found.notes, [Note::KChosen(3)]);
}

#[test]
fn published_settings_find_a_clear_cut() {
    let params = DeepCutParams {
        dropout: 0.25,
        learning_rate: 1e-3,
        epochs: 100,
        tolerance: 0.0,
        standardize: false,
        labels: Labels::Training,
        ..k(2)
    };
    let graph = dense(2, true);
    let found = cluster(&graph, params.clone(), &Context::seeded(0));
    assert_eq!(found, cluster(&graph, params, &Context::seeded(0)));
    assert_eq!(found.status, Status::Converged);
    let labels = found.partition.labels();
    let right = (0..20).filter(|&i| (labels[i] == labels[0]) == (i < 10)).count();
    assert!(right >= 18, "{labels:?}");
}

#[test]
fn starts_are_followed() {
    let uniform = with_features(SparseAffinity::new(20, vec![], vec![]).unwrap(), factors(2));
    let start = planted(2);
    let context = Context { start: Some(Start::Partition(start.clone())), ..Context::seeded(2) };
    let found = cluster(&uniform, DeepCutParams { epochs: 1, ..k(2) }, &context);
    assert_eq!(found.partition.labels(), start.labels());
    let vectors = Array2::from_shape_fn((20, 1), |(i, _)| if i < 10 { -1.0 } else { 1.0 });
    let blank = with_features(cliques(2).affinity().sparse().unwrap().clone(), Array2::zeros((20, 1)));
    let context = Context { start: Some(Start::Vectors(vectors)), ..Context::seeded(2) };
    assert_eq!(Partition::compact(cluster(&blank, k(2), &context).partition.labels()), planted(2));
}

#[test]
fn an_attachment_holds_a_start_against_the_cut() {
    // Two cliques, and a start that cuts both in halves.
    let halves = Array2::from_shape_fn((20, 2), |(i, c)| if i % 2 == c { 0.9 } else { 0.1 });
    let x = Array2::from_shape_fn((20, 2), |(i, d)| if d == 0 { (i / 10) as f32 } else { (i % 2) as f32 });
    let graph = with_features(cliques(2).affinity().sparse().unwrap().clone(), x);
    let labels = |attachment: f64| {
        let context = Context { start: Some(Start::Vectors(halves.clone())), ..Context::seeded(1) };
        let params = DeepCutParams {
            attachment,
            warm_up: 1,
            vectors: StartVectors::Memberships,
            encoder: Encoder::Sage,
            ..k(2)
        };
        let found = cluster(&graph, params, &context);
        (found.partition, found.soft.unwrap())
    };
    let (free, _) = labels(0.0);
    assert_eq!(Partition::compact(free.labels()), planted(2));
    let (held, soft) = labels(100.0);
    assert!((0..20).all(|i| held.labels()[i] == i as u32 % 2), "{soft}");
    assert!(soft.iter().all(|&x| (0.02..0.98).contains(&x)), "memberships, not labels, are learned: {soft}");
}

#[test]
fn one_start_gives_like_graphs_the_same_numbers() {
    // The graphs of one scene under other light: the seed draws one network, so that numbers agree.
    let scene = |light: f32| with_features(cliques(3).affinity().sparse().unwrap().clone(), factors(3) * light);
    for seed in 0..3 {
        let labels = |light| cluster(&scene(light), k(3), &Context::seeded(seed)).partition.labels().to_vec();
        let first = labels(1.0);
        assert!([0.9f32, 1.1, 1.3].into_iter().all(|light| labels(light) == first), "seed {seed}");
    }
}

#[test]
fn graphs_that_are_learned_side_by_side_do_not_know_of_each_other() {
    let graphs = [cliques(2), dense(3, true), cliques(4), dense(2, false), cliques(3)];
    let params = DeepCutParams { dropout: 0.25, epochs: 40, ..k(3) };
    let alone: Vec<Clustering> =
        graphs.iter().map(|graph| cluster(graph, params.clone(), &Context::seeded(3))).collect();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let one = |graph: &RegionGraph| cluster(graph, params.clone(), &Context::seeded(3));
        let together: Vec<Clustering> = pool.install(|| graphs.par_iter().map(one).collect());
        assert_eq!(together, alone);
    }
}

#[test]
fn sums_beyond_single_precision_are_an_error() {
    let edges = SparseAffinity::new(2, vec![[0, 1]], vec![1e300]).unwrap();
    let graph = with_features(edges, Array2::ones((2, 1)));
    let error = DeepCut::new(k(2)).unwrap().cluster(&graph, &Context::default()).unwrap_err();
    assert!(error.to_string().contains("too large for single precision"), "{error}");
}

#[test]
fn graphs_without_structure_have_a_defined_result() {
    let negative = SparseAffinity::new(3, vec![[0, 1], [1, 2]], vec![-1.0, -2.0]).unwrap();
    let graphs = [
        with_features(SparseAffinity::new(1, vec![], vec![]).unwrap(), Array2::ones((1, 2))),
        with_features(negative, Array2::from_shape_fn((3, 2), |(i, d)| (i * d) as f32)),
        with_features(SparseAffinity::new(2, vec![[0, 1]], vec![1.0]).unwrap(), Array2::zeros((2, 3))),
        dense(1, true),
    ];
    for graph in &graphs {
        for objective in [Objective::Ncut, Objective::Correlation] {
            let found = cluster(graph, DeepCutParams { objective, ..k(30) }, &Context::default());
            assert_eq!(found.partition.n(), graph.n());
            assert!(found.soft.unwrap().iter().all(|s| s.is_finite()));
        }
    }
    let none = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(0, vec![], vec![]).unwrap()));
    assert_eq!(cluster(&none, k(2), &Context::default()).partition.n(), 0);
}

#[test]
fn bad_input_is_named() {
    let error = |graph: &RegionGraph, context: &Context| {
        DeepCut::new(k(2)).unwrap().cluster(graph, context).unwrap_err().to_string()
    };
    let bare = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(2, vec![[0, 1]], vec![1.0]).unwrap()));
    assert_eq!(error(&bare, &Context::default()), "the network needs node features; this graph has none");
    let mut x = Array2::zeros((2, 2));
    x[[1, 0]] = f32::NAN;
    let nan = with_features(SparseAffinity::new(2, vec![], vec![]).unwrap(), x);
    assert_eq!(error(&nan, &Context::default()), "feature 0 of node 1 is not finite");
    let start = Context { start: Some(Start::Partition(Partition::whole(3))), ..Context::default() };
    assert_eq!(error(&cliques(2), &start), "the start has 3 nodes, the graph 20");
    for params in [
        DeepCutParams { dropout: 1.0, ..k(2) },
        DeepCutParams { alpha: 0.0, ..k(2) },
        DeepCutParams { hidden: [0, 4], ..k(2) },
        DeepCutParams { attachment: -1.0, ..k(2) },
        DeepCutParams { learning_rate: f64::NAN, ..k(2) },
        k(0),
    ] {
        assert!(DeepCut::new(params).is_err());
    }
}

#[test]
fn a_stop_keeps_what_was_learned() {
    let context = Context { stop: Some(Arc::new(|| Stop::TimedOut)), ..Context::default() };
    let found = cluster(&cliques(2), k(2), &context);
    assert_eq!((found.status, found.partition.n()), (Status::TimedOut, 20));
}
