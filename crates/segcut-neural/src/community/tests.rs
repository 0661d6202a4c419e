//! The stage on drawn graphs.

use super::*;
use rand::RngExt;
use segcut_core::{Affinity, ClusterCount, FeatureBlock, Learner, Note, SparseAffinity, Start, Status, Stop};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use streams::{Stream, stream};

/// k cliques of a size in a ring, each tied to the next by an edge, then pairs and lone nodes.
fn cliques(k: u32, size: u32, pairs: u32, lone: u32) -> RegionGraph {
    let mut edges = Vec::new();
    for clique in 0..k {
        let first = clique * size;
        edges.extend((0..size).flat_map(|i| (i + 1..size).map(move |j| [first + i, first + j])));
        let next = ((clique + 1) % k) * size;
        edges.push([next.min(first + size - 1), next.max(first + size - 1)]);
    }
    edges.extend((0..pairs).map(|pair| [k * size + 2 * pair, k * size + 2 * pair + 1]));
    edges.sort_unstable();
    edges.dedup();
    let n = (k * size + 2 * pairs + lone) as usize;
    let weights = vec![1.0; edges.len()];
    RegionGraph::new(Affinity::Sparse(SparseAffinity::new(n, edges, weights).unwrap()))
}

fn whole(labels: &[u32], k: usize, size: usize) -> bool {
    let firsts: Vec<u32> = (0..k).map(|c| labels[c * size]).collect();
    let mut sorted = firsts.clone();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len() == k && (0..k * size).all(|i| labels[i] == firsts[i / size])
}

fn few() -> CommunityParams {
    CommunityParams { epochs: 20, hidden: vec![16], dims: 16, ..CommunityParams::default() }
}

#[test]
fn every_encoder_and_loss_finds_cliques() {
    let graph = cliques(4, 6, 2, 1);
    for encoder in [EncoderKind::Gcn, EncoderKind::Sage, EncoderKind::Gat, EncoderKind::Mlp] {
        for loss in [CommunityLoss::Modularity, CommunityLoss::Ncut, CommunityLoss::Edge] {
            let params = CommunityParams { k: ClusterCount::Fixed(4), encoder, loss, ..few() };
            let found = Community::new(params).unwrap().cluster(&graph, &Context::seeded(1)).unwrap();
            assert!(whole(found.partition.labels(), 4, 6), "{encoder:?} {loss:?} {:?}", found.partition.labels());
            assert_eq!(found.partition.n(), 29);
        }
    }
}

#[test]
fn mini_batches_find_cliques_too() {
    let graph = cliques(4, 8, 0, 0);
    let batch = CommunityParams { whole_up_to: 10, batch: 8, neighbors: 3, ..few() };
    for encoder in [EncoderKind::Gcn, EncoderKind::Sage] {
        let params = CommunityParams { k: ClusterCount::Fixed(4), encoder, ..batch.clone() };
        let found = Community::new(params).unwrap().cluster(&graph, &Context::seeded(1)).unwrap();
        assert!(whole(found.partition.labels(), 4, 8), "{encoder:?}");
    }
}

#[test]
fn every_rule_counts_cliques() {
    let graph = cliques(5, 8, 0, 0);
    for k_by in [CountBy::Description, CountBy::Modularity, CountBy::Silhouette, CountBy::Eigengap] {
        for k_held_out in [0.0, 0.1] {
            let params = CommunityParams { k_by, k_held_out, k_max: 9, hops: vec![2], ..few() };
            let found = Community::new(params).unwrap().cluster(&graph, &Context::seeded(1)).unwrap();
            assert_eq!((found.partition.k(), &found.notes[..]), (5, &[Note::KChosen(5)][..]), "{k_by:?} {k_held_out}");
        }
    }
}

#[test]
fn attributes_part_what_edges_do_not() {
    let values = (0..20).flat_map(|i| if i % 2 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
    let block = FeatureBlock { name: "words".into(), dims: 2, values, bins: Vec::new() };
    let none = Affinity::Sparse(SparseAffinity::new(20, Vec::new(), Vec::new()).unwrap());
    let graph = RegionGraph::new(none).with_features(vec![block]).unwrap();
    let params = CommunityParams { k: ClusterCount::Fixed(2), ..few() };
    let found = Community::new(params).unwrap().cluster(&graph, &Context::default()).unwrap();
    let labels = found.partition.labels();
    assert!((0..20).all(|i| (labels[i] == labels[0]) == (i % 2 == 0)));
}

#[test]
fn the_same_seed_gives_the_same_labels() {
    let graph = cliques(3, 7, 3, 2);
    let params = CommunityParams { k: ClusterCount::Fixed(3), dropout: 0.5, ..few() };
    let community = Community::new(params).unwrap();
    let first = community.cluster(&graph, &Context::seeded(7)).unwrap();
    assert_eq!(first, community.cluster(&graph, &Context::seeded(7)).unwrap());
}

#[test]
fn small_and_empty_graphs_have_labels() {
    for (n, k, made) in [(0, 3, 0), (1, 3, 1), (2, 2, 2), (5, 1, 1), (5, 5, 5)] {
        let none = Affinity::Sparse(SparseAffinity::new(n, Vec::new(), Vec::new()).unwrap());
        let params = CommunityParams { k: ClusterCount::Fixed(k), ..few() };
        let found = Community::new(params).unwrap().cluster(&RegionGraph::new(none), &Context::default()).unwrap();
        assert_eq!(found.partition.n(), n);
        assert!(found.partition.k() <= made.max(1), "{n} {k}");
    }
}

#[test]
fn bad_data_and_parameters_are_refused() {
    let negative = Affinity::Sparse(SparseAffinity::new(2, vec![[0, 1]], vec![-1.0]).unwrap());
    let community = Community::new(CommunityParams::default()).unwrap();
    let error = community.cluster(&RegionGraph::new(negative), &Context::default()).unwrap_err();
    assert!(error.to_string().contains("edge 0 has -1"), "{error}");
    let error = Community::new(CommunityParams { hidden: vec![0], ..CommunityParams::default() }).unwrap_err();
    assert!(matches!(error, StageError::Parameter { name: "cluster.hidden", .. }));
    let missing = CommunityParams { features: vec!["words".into()], ..CommunityParams::default() };
    let error = Community::new(missing).unwrap().cluster(&cliques(2, 3, 0, 0), &Context::default()).unwrap_err();
    assert!(error.to_string().contains("named words"), "{error}");
}

#[test]
fn a_start_is_learned_and_stopping_keeps_labels() {
    let graph = cliques(3, 6, 0, 0);
    let start = Partition::new((0..18).map(|i| i / 6).collect(), 3).unwrap();
    let params = CommunityParams { k: ClusterCount::Fixed(3), ..few() };
    let stop: segcut_core::StopSignal = Arc::new(|| Stop::Cancelled);
    let context = Context { start: Some(Start::Partition(start)), stop: Some(stop), ..Context::default() };
    let found = Community::new(params).unwrap().cluster(&graph, &context).unwrap();
    assert_eq!(found.status, Status::Cancelled);
    assert!(whole(found.partition.labels(), 3, 6));
}

/// A state that is held in memory.
#[derive(Default)]
struct Held(Option<Vec<u8>>);

impl Checkpoint for Held {
    fn kept(&mut self) -> Option<Vec<u8>> {
        self.0.take()
    }

    fn keep(&mut self, state: &[u8]) -> Result<(), StageError> {
        self.0 = Some(state.to_vec());
        Ok(())
    }
}

/// A stochastic block model of 3 blocks (node i in i % 3) with 12 noisy attributes, 4 of them higher in each block.
fn blocks(n: u32, seed: u64) -> RegionGraph {
    let mut random = stream(seed, Stream::Network);
    let mut edges = Vec::new();
    for u in 0..n {
        for v in u + 1..n {
            if random.random::<f32>() < if u % 3 == v % 3 { 0.15 } else { 0.02 } {
                edges.push([u, v]);
            }
        }
    }
    let value = |at: u32| if at % 12 / 4 == at / 12 % 3 { 0.6 } else { 0.0 };
    let values = (0..n * 12).map(|at| value(at) + random.random::<f32>()).collect();
    let weights = vec![1.0; edges.len()];
    let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(n as usize, edges, weights).unwrap()));
    let block = FeatureBlock { name: "words".into(), dims: 12, values, bins: Vec::new() };
    graph.with_features(vec![block]).unwrap()
}

/// The share of nodes whose block is that of most nodes with their label.
fn purity(labels: &[u32]) -> f64 {
    let most =
        |label: u32| (0..3).map(|b| (0..labels.len()).filter(|i| i % 3 == b && labels[*i] == label).count()).max();
    (0..3).filter_map(most).sum::<usize>() as f64 / labels.len() as f64
}

fn in_three(hops: &[usize]) -> CommunityParams {
    CommunityParams { k: ClusterCount::Fixed(3), hops: hops.to_vec(), ..few() }
}

#[test]
fn a_model_labels_nodes_that_it_has_not_seen() {
    let (seen, unseen) = (blocks(150, 1), blocks(150, 2));
    let variants = [
        in_three(&[2]),
        CommunityParams { refine_sweeps: 0, ..in_three(&[2, 3]) },
        CommunityParams { encoder: EncoderKind::Sage, assign: CommunityAssign::Kmeans, ..in_three(&[1, 2]) },
        CommunityParams { encoder: EncoderKind::Gat, loss: CommunityLoss::Ncut, ..in_three(&[2]) },
        CommunityParams { loss: CommunityLoss::Edge, epochs: 60, ..in_three(&[2]) },
    ];
    for params in variants {
        let community = Community::new(params.clone()).unwrap();
        let fitted = community.fit(&mut [seen.clone()], &mut Unkept, &Context::seeded(3)).unwrap();
        let mut bytes = Vec::new();
        fitted.model.save(&mut bytes).unwrap();
        let model = CommunityModel::load(params.clone(), &bytes).unwrap();
        let of = |graph: &RegionGraph| model.cluster(graph, &Context::seeded(3)).unwrap().partition;
        let (first, again) = (of(&unseen), of(&unseen));
        assert_eq!(first, again);
        assert_eq!(first, fitted.model.cluster(&unseen, &Context::seeded(3)).unwrap().partition);
        assert!(purity(first.labels()) > 0.9, "{params:?}: {}", purity(first.labels()));
        // A number is the same community in both graphs.
        let old = of(&seen);
        let same = (0..150).filter(|&i| old.labels()[i] == first.labels()[i]).count();
        assert!(same > 130, "{params:?}: {same}");
    }
}

#[test]
fn many_graphs_are_learned_as_one_and_misfits_are_refused() {
    let community = Community::new(in_three(&[2])).unwrap();
    let fit = |mut graphs: Vec<RegionGraph>| community.fit(&mut graphs, &mut Unkept, &Context::seeded(0));
    let model = fit(vec![blocks(90, 1), blocks(60, 2)]).unwrap().model;
    let found = model.cluster(&blocks(120, 3), &Context::default()).unwrap();
    assert!(purity(found.partition.labels()) > 0.9);
    let wide = cliques(2, 3, 0, 0).with_features(vec![FeatureBlock {
        name: "words".into(),
        dims: 2,
        values: vec![0.5; 12],
        bins: Vec::new(),
    }]);
    let wide = wide.unwrap();
    assert!(fit(vec![blocks(30, 1), wide.clone()]).unwrap_err().to_string().contains("graph 1 has 2 attributes"));
    assert!(fit(vec![cliques(2, 3, 0, 0)]).unwrap_err().to_string().contains("needs attributes"));
    assert!(fit(Vec::new()).unwrap_err().to_string().contains("no nodes"));
    let refused = |graph: &RegionGraph| model.cluster(graph, &Context::default()).unwrap_err().to_string();
    assert!(refused(&wide).contains("reads 12 features"));
    assert!(refused(&cliques(2, 3, 0, 0)).contains("needs attributes"));
    assert_eq!(model.cluster(&blocks(0, 0), &Context::default()).unwrap().partition.n(), 0);
    let mut bytes = Vec::new();
    model.save(&mut bytes).unwrap();
    let other = CommunityParams { hidden: vec![15], ..in_three(&[2]) };
    assert!(CommunityModel::load(other, &bytes).unwrap_err().to_string().contains("layer.0"));
    assert!(CommunityModel::load(in_three(&[2]), &bytes[..bytes.len() / 2]).is_err());
}

#[test]
fn stopped_training_goes_on_to_the_same_labels() {
    let graph = blocks(90, 4);
    let whole = CommunityParams { epochs: 25, tolerance: 0.0, dropout: 0.3, ..in_three(&[2]) };
    let parts = CommunityParams { whole_up_to: 10, batch: 40, neighbors: 3, ..whole.clone() };
    for params in [whole, parts] {
        let community = Community::new(params).unwrap();
        let straight = community.cluster(&graph, &Context::seeded(5)).unwrap();
        assert_eq!(straight.losses.len(), 25);
        let asked = Arc::new(AtomicUsize::new(0));
        let stop: segcut_core::StopSignal =
            Arc::new(move || if asked.fetch_add(1, Ordering::Relaxed) < 43 { Stop::No } else { Stop::Cancelled });
        let mut held = Held::default();
        let context = Context { stop: Some(stop), ..Context::seeded(5) };
        let stopped = community.cluster_resumed(&graph, &mut held, &context).unwrap();
        assert_eq!(stopped.status, Status::Cancelled);
        assert!((1..25).contains(&stopped.losses.len()), "{}", stopped.losses.len());
        let resumed = community.cluster_resumed(&graph, &mut held, &Context::seeded(5)).unwrap();
        assert_eq!(resumed, straight);
    }
}

#[test]
fn a_stopped_fit_keeps_its_state_and_a_strange_state_is_refused() {
    let graph = blocks(60, 4);
    let community = Community::new(CommunityParams { epochs: 12, tolerance: 0.0, ..in_three(&[2]) }).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let stop: segcut_core::StopSignal =
        Arc::new(move || if asked.fetch_add(1, Ordering::Relaxed) < 40 { Stop::No } else { Stop::Cancelled });
    let (mut held, context) = (Held::default(), Context { stop: Some(stop), ..Context::seeded(5) });
    let stopped = community.fit(&mut [graph.clone()], &mut held, &context);
    assert!(matches!(stopped, Err(StageError::Stopped(Stop::Cancelled))));
    let state = held.0.clone();
    assert!(state.is_some());
    let fitted = community.fit(&mut [graph.clone()], &mut held, &Context::seeded(5)).unwrap();
    assert_eq!(fitted.losses.len(), 12);
    let other = Community::new(CommunityParams { hidden: vec![9], ..in_three(&[2]) }).unwrap();
    let error = other.cluster_resumed(&graph, &mut Held(state), &Context::seeded(5)).unwrap_err();
    assert!(error.to_string().contains("unfinished training"), "{error}");
    let error = other.cluster_resumed(&graph, &mut Held(Some(b"nonsense".to_vec())), &Context::default());
    assert!(error.is_err());
}

#[test]
fn settled_training_is_converged_and_short_training_is_not() {
    let graph = blocks(150, 1);
    let status = |params: CommunityParams| {
        let found = Community::new(params).unwrap().cluster(&graph, &Context::seeded(1)).unwrap();
        (found.status, found.losses.len())
    };
    let (settled, epochs) = status(CommunityParams { epochs: 100, ..in_three(&[2]) });
    assert!(settled == Status::Converged && epochs < 100);
    let (short, epochs) = status(CommunityParams { epochs: 5, ..in_three(&[2]) });
    assert!(matches!(short, Status::IterationLimit { .. }) && epochs == 5);
}
