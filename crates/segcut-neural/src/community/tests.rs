//! The stage on drawn graphs.

use super::*;
use segcut_core::Status;

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
    for k_by in [CountBy::Modularity, CountBy::Silhouette, CountBy::Eigengap] {
        let params = CommunityParams { k_by, k_max: 9, hops: vec![2], ..few() };
        let found = Community::new(params).unwrap().cluster(&graph, &Context::seeded(1)).unwrap();
        assert_eq!((found.partition.k(), &found.notes[..]), (5, &[Note::KChosen(5)][..]), "{k_by:?}");
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
    let stop: segcut_core::StopSignal = std::sync::Arc::new(|| segcut_core::Stop::Cancelled);
    let context = Context { start: Some(Start::Partition(start)), stop: Some(stop), ..Context::default() };
    let found = Community::new(params).unwrap().cluster(&graph, &context).unwrap();
    assert_eq!(found.status, Status::Cancelled);
    assert!(whole(found.partition.labels(), 3, 6));
}
