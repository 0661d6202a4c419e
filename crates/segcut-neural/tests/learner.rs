//! One network over many graphs, kept and applied to others.

#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use segcut_core::{
    Affinity, Checkpoint, ClusterCount, Clusterer, Context, FeatureBlock, GramAffinity, Learner, RegionGraph,
    SparseAffinity, StageError, Stop, Unkept,
};
use segcut_neural::{DeepCut, DeepCutModel, DeepCutParams, Encoder};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A chain of three groups of eight nodes in some order; features near a corner of the group's own.
fn graph(order: [usize; 3], noise: usize) -> RegionGraph {
    let edges: Vec<[u32; 2]> = (1..24).flat_map(|v| [[v - 2.min(v), v], [v - 1, v]]).collect();
    let mut edges: Vec<[u32; 2]> = edges.into_iter().filter(|e| e[0] < e[1]).collect();
    edges.sort_unstable();
    edges.dedup();
    let weights = edges.iter().map(|[u, v]| if u / 8 == v / 8 { 1.0 } else { 0.05 }).collect();
    let x = features(order, noise);
    let block = FeatureBlock { name: "x".into(), dims: 3, values: x.iter().copied().collect(), bins: vec![] };
    let affinity = Affinity::Sparse(SparseAffinity::new(24, edges, weights).unwrap());
    RegionGraph::new(affinity).with_features(vec![block]).unwrap()
}

fn features(order: [usize; 3], noise: usize) -> Array2<f32> {
    Array2::from_shape_fn((24, 3), |(i, d)| {
        let noise = ((i % 8 * 7 + d * 3 + noise) % 5) as f32 * 0.04;
        noise + if order[i / 8] == d { 1.0 } else { 0.0 }
    })
}

fn dense(order: [usize; 3], noise: usize) -> RegionGraph {
    let factors = features(order, noise);
    RegionGraph::new(Affinity::Gram(GramAffinity { factors, clip: true, shift: 0.0, diagonal: None }))
}

const ORDERS: [[usize; 3]; 5] = [[0, 1, 2], [2, 0, 1], [1, 2, 0], [0, 2, 1], [2, 1, 0]];

fn params() -> DeepCutParams {
    DeepCutParams { k: ClusterCount::Fixed(3), epochs: 120, batch: 2, dropout: 0.25, ..DeepCutParams::default() }
}

fn folder(make: fn([usize; 3], usize) -> RegionGraph) -> Vec<RegionGraph> {
    ORDERS.iter().enumerate().map(|(noise, &order)| make(order, noise)).collect()
}

#[test]
fn numbers_mean_the_same_in_every_graph() {
    for make in [graph, dense] {
        for (encoder, layers) in [(Encoder::Gcn, 1), (Encoder::Sage, 1), (Encoder::Gcn, 2), (Encoder::Gat, 1)] {
            let learner = DeepCut::new(DeepCutParams { encoder, layers, ..params() }).unwrap();
            let fitted = learner.fit(&mut folder(make), &mut Unkept, &Context::seeded(1)).unwrap();
            assert!(fitted.losses.last() < fitted.losses.first());
            let mut bytes = Vec::new();
            fitted.model.save(&mut bytes).unwrap();
            let kept = DeepCutModel::load(DeepCutParams { encoder, layers, ..params() }, &bytes).unwrap();
            let mut numbers = None;
            for (noise, order) in [(9, [1, 0, 2]), (3, [2, 1, 0])] {
                let new = make(order, noise);
                let found = fitted.model.cluster(&new, &Context::default()).unwrap();
                assert_eq!(found.partition, kept.cluster(&new, &Context::seeded(8)).unwrap().partition);
                let mut of_corner = [0; 3];
                for (node, &label) in found.partition.labels().iter().enumerate() {
                    assert_eq!(label, found.partition.labels()[node / 8 * 8], "{encoder:?} {layers}");
                    of_corner[order[node / 8]] = label;
                }
                assert_eq!(*numbers.get_or_insert(of_corner), of_corner);
            }
            let [a, b, c] = numbers.unwrap();
            assert!(a != b && b != c && a != c);
        }
    }
}

/// One graph at a time from the same seed: nothing is shared but the start, and the graphs differ in the order of their
/// nodes.
#[test]
fn the_same_start_keeps_the_numbers_of_graphs_that_are_alike() {
    for seed in 0..4 {
        let single = DeepCut::new(DeepCutParams { dropout: 0.0, ..params() }).unwrap();
        let mut numbers = None;
        for order in ORDERS {
            let found = single.cluster(&dense(order, 0), &Context::seeded(seed)).unwrap();
            let mut of_corner = [0; 3];
            (0..24).for_each(|node| of_corner[order[node / 8]] = found.partition.labels()[node]);
            assert_eq!(*numbers.get_or_insert(of_corner), of_corner, "{seed} {order:?}");
        }
    }
}

struct Memory(Option<Vec<u8>>);

impl Checkpoint for Memory {
    fn kept(&mut self) -> Option<Vec<u8>> {
        self.0.clone()
    }

    fn keep(&mut self, state: &[u8]) -> Result<(), StageError> {
        self.0 = Some(state.to_vec());
        Ok(())
    }
}

#[test]
fn interrupted_training_goes_on_to_the_same_model() {
    let learner = DeepCut::new(DeepCutParams { epochs: 12, ..params() }).unwrap();
    let saved = |fitted: segcut_core::Fitted| {
        let mut bytes = Vec::new();
        fitted.model.save(&mut bytes).unwrap();
        bytes
    };
    let whole = learner.fit(&mut folder(graph), &mut Unkept, &Context::seeded(3)).unwrap();
    let count = AtomicUsize::new(0);
    let stop = Arc::new(move || if count.fetch_add(1, Ordering::SeqCst) < 5 { Stop::No } else { Stop::Cancelled });
    let mut memory = Memory(None);
    let stopped = Context { stop: Some(stop), ..Context::seeded(3) };
    assert!(matches!(learner.fit(&mut folder(graph), &mut memory, &stopped), Err(StageError::Stopped(_))));
    let rest = learner.fit(&mut folder(graph), &mut memory, &Context::seeded(3)).unwrap();
    assert_eq!(rest.losses, whole.losses);
    assert_eq!(saved(rest), saved(whole));
    let mut other = Memory(memory.0.clone());
    let wider = DeepCut::new(DeepCutParams { hidden: [8, 4], ..params() }).unwrap();
    let error = wider.fit(&mut folder(graph), &mut other, &Context::seeded(3)).unwrap_err().to_string();
    assert_eq!(error, "the unfinished training does not fit these parameters");
}

#[test]
fn what_does_not_fit_is_named() {
    let learner = DeepCut::new(params()).unwrap();
    let error = |mut graphs: Vec<RegionGraph>| {
        learner.fit(&mut graphs, &mut Unkept, &Context::default()).unwrap_err().to_string()
    };
    assert_eq!(error(vec![]), "there is no graph with nodes to learn from");
    let narrow = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(2, vec![], vec![]).unwrap()));
    let block = FeatureBlock { name: "x".into(), dims: 1, values: vec![0.0, 1.0], bins: vec![] };
    let narrow = narrow.with_features(vec![block]).unwrap();
    assert_eq!(
        error(vec![graph(ORDERS[0], 0), narrow.clone()]),
        "the network reads 3 features per node; this graph has 1"
    );
    let short = DeepCutParams { epochs: 1, ..params() };
    let learner = DeepCut::new(short.clone()).unwrap();
    let fitted = learner.fit(&mut folder(graph), &mut Unkept, &Context::default()).unwrap();
    let error = fitted.model.cluster(&narrow, &Context::default()).unwrap_err().to_string();
    assert_eq!(error, "the network reads 3 features per node; this graph has 1");
    let mut bytes = Vec::new();
    fitted.model.save(&mut bytes).unwrap();
    assert!(DeepCutModel::load(DeepCutParams { hidden: [7, 7], ..short.clone() }, &bytes).is_err());
    assert!(DeepCutModel::load(short, &bytes[..40]).is_err());
}
