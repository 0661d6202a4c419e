//! Two-step cutting: foreground and background first, then the parts of each.

use segcut_core::{Clusterer, Clustering, Context, Geometry, Note, Partition, RegionGraph, StageError};
use segcut_graph::subgraph;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// Which clusters of the first step are background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Background {
    /// The one that holds most of the image's four corners; on a tie the smaller number. As published, for any number
    /// of clusters. A corner belongs to the node whose centroid is nearest.
    Corners,
    /// The one that covers most of the image's frame.
    BorderShare,
    /// Those whose length on the frame over the root of their area (Zhu et al. 2014) reaches
    /// [`max_connectivity`](TwoStepParams::max_connectivity), the highest always and the lowest never.
    #[default]
    BoundaryConnectivity,
}

/// What is cut again, and how the foreground is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoStepParams {
    /// Which clusters of the first step are background.
    pub background: Background,
    /// Clusters of the first step whose boundary connectivity reaches this are background.
    pub max_connectivity: f64,
    /// Whether the background is cut into parts as well.
    pub parts_of_background: bool,
}

impl Default for TwoStepParams {
    fn default() -> Self {
        Self { background: Background::BoundaryConnectivity, max_connectivity: 1.5, parts_of_background: false }
    }
}

/// A clusterer that wraps two others: `first` cuts the graph into two or more clusters, some of them are
/// background ([`Background`]), and `second` cuts the subgraph of the others into parts.
///
/// Source: the two steps are those of Aflalo et al., DeepCut (ICCVW 2023), where the corners tell the background.
/// Without geometry the largest cluster is background.
///
/// Background is cluster 0, the parts follow from 1. Where `first` makes one cluster, all is background;
/// where the foreground has one node, there is nothing to cut again.
pub struct TwoStep {
    params: TwoStepParams,
    first: Box<dyn Clusterer>,
    second: Box<dyn Clusterer>,
}

impl std::fmt::Debug for TwoStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TwoStep").field("params", &self.params).finish_non_exhaustive()
    }
}

impl TwoStep {
    /// Wraps two clusterers.
    pub fn new(params: TwoStepParams, first: Box<dyn Clusterer>, second: Box<dyn Clusterer>) -> Self {
        Self { params, first, second }
    }

    fn parts(&self, graph: &RegionGraph, nodes: &[u32], context: &Context) -> Result<Clustering, StageError> {
        if nodes.len() < 2 {
            return Ok(Clustering::converged(Partition::whole(nodes.len())));
        }
        let part = subgraph(graph, nodes).map_err(StageError::data)?;
        self.second.cluster(&part, context)
    }
}

impl Clusterer for TwoStep {
    fn cluster(&self, graph: &RegionGraph, context: &Context) -> Result<Clustering, StageError> {
        let first = self.first.cluster(graph, context)?;
        let clusters = foreground_clusters(graph, &first.partition, &self.params);
        let is_foreground: Vec<bool> = first.partition.labels().iter().map(|&l| clusters[l as usize]).collect();
        let mut result = Clustering { tree: None, soft: None, steps: Vec::new(), ..first };
        let mut labels = vec![0u32; graph.n()];
        let mut next = 1;
        for (foreground, cut) in [(true, true), (false, self.params.parts_of_background)] {
            let nodes: Vec<u32> = (0..graph.n() as u32).filter(|&i| is_foreground[i as usize] == foreground).collect();
            if !cut || nodes.is_empty() {
                continue;
            }
            let parts = self.parts(graph, &nodes, context)?;
            let base = if foreground { next } else { next - 1 };
            for (&node, &label) in nodes.iter().zip(parts.partition.labels()) {
                labels[node as usize] = if foreground || label > 0 { base + label } else { 0 };
            }
            next = base + parts.partition.k() as u32;
            result.notes.extend(parts.notes);
            result.status = result.status.and(parts.status);
        }
        let k = labels.iter().max().map_or(0, |&l| l as usize + 1);
        result.notes.retain(|note| !matches!(note, Note::KChosen(_)));
        result.partition = Partition::new(labels, k).map_err(StageError::data)?;
        Ok(result)
    }
}

/// Which clusters are foreground: none where there are fewer than two.
fn foreground_clusters(graph: &RegionGraph, partition: &Partition, params: &TwoStepParams) -> Vec<bool> {
    let sizes = partition.sizes();
    let present: Vec<usize> = (0..partition.k()).filter(|&c| sizes[c] > 0).collect();
    let rated = match (graph.geometry(), params.background) {
        (None, _) => sizes.into_iter().map(|size| size as f64).collect(),
        (Some(geometry), Background::Corners) => corners_held(geometry, partition),
        (Some(geometry), Background::BorderShare) => summed(partition, &geometry.border_share),
        (Some(geometry), Background::BoundaryConnectivity) => connectivities(geometry, partition),
    };
    let by_rate = |&a: &usize, &b: &usize| rated[a].total_cmp(&rated[b]).then(Reverse(a).cmp(&Reverse(b)));
    let most = present.iter().copied().max_by(by_rate);
    let least = present.iter().copied().min_by(|a, b| rated[*a].total_cmp(&rated[*b]));
    let limited = graph.geometry().is_some() && params.background == Background::BoundaryConnectivity;
    let below = |c| !limited || rated[c] < params.max_connectivity || Some(c) == least;
    let mut foreground = vec![false; partition.k()];
    present.into_iter().for_each(|c| foreground[c] = Some(c) != most && below(c));
    foreground
}

/// How many corners of the image every cluster holds.
fn corners_held(geometry: &Geometry, partition: &Partition) -> Vec<f64> {
    let [bottom, right] = geometry.image_size.map(|side| side.saturating_sub(1) as f64);
    let mut held = vec![0.0; partition.k()];
    for corner in [[0.0, 0.0], [0.0, right], [bottom, 0.0], [bottom, right]] {
        let away = |c: &[f64; 2]| (c[0] - corner[0]).powi(2) + (c[1] - corner[1]).powi(2);
        let nodes = geometry.centroid.iter().zip(partition.labels());
        let nearest = nodes.min_by(|a, b| away(a.0).total_cmp(&away(b.0)));
        nearest.into_iter().for_each(|(_, &cluster)| held[cluster as usize] += 1.0);
    }
    held
}

/// Per cluster its pixels on the frame over the root of its area.
fn connectivities(geometry: &Geometry, partition: &Partition) -> Vec<f64> {
    let [height, width] = geometry.image_size;
    let frame = (2 * (height + width)) as f64;
    let (shares, areas) = (summed(partition, &geometry.border_share), summed(partition, &geometry.size));
    shares.into_iter().zip(areas).map(|(share, area)| share * frame / area.max(1.0).sqrt()).collect()
}

fn summed(partition: &Partition, values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; partition.k()];
    partition.labels().iter().zip(values).for_each(|(&cluster, value)| sums[cluster as usize] += value);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use segcut_core::{Affinity, Geometry, SparseAffinity};

    /// Gives every node a cluster of its own.
    struct Singly;
    impl Clusterer for Singly {
        fn cluster(&self, graph: &RegionGraph, _: &Context) -> Result<Clustering, StageError> {
            Ok(Clustering::converged(Partition::singletons(graph.n())))
        }
    }

    /// Gives every node the same cluster.
    struct Whole;
    impl Clusterer for Whole {
        fn cluster(&self, graph: &RegionGraph, _: &Context) -> Result<Clustering, StageError> {
            Ok(Clustering::converged(Partition::whole(graph.n())))
        }
    }

    fn graph(border_share: Vec<f64>) -> RegionGraph {
        let edges = SparseAffinity::new(3, vec![[0, 1], [1, 2]], vec![1.0, 1.0]).unwrap();
        let geometry =
            Geometry { image_size: [10, 10], size: vec![60.0, 20.0, 20.0], centroid: vec![[0.0; 2]; 3], border_share };
        RegionGraph::new(Affinity::Sparse(edges)).with_geometry(geometry).unwrap()
    }

    fn labels(graph: &RegionGraph, first: impl Clusterer + 'static, second: impl Clusterer + 'static) -> Vec<u32> {
        let clusterer = TwoStep::new(TwoStepParams::default(), Box::new(first), Box::new(second));
        clusterer.cluster(graph, &Context::default()).unwrap().partition.labels().to_vec()
    }

    #[test]
    fn what_lies_on_the_frame_is_background() {
        let graph = graph(vec![1.0, 0.0, 0.02]);
        assert_eq!(labels(&graph, Singly, Singly), [0, 1, 2]);
        assert_eq!(labels(&graph, Singly, Whole), [0, 1, 1]);
    }

    /// Gives these labels.
    struct Given(Vec<u32>);
    impl Clusterer for Given {
        fn cluster(&self, _: &RegionGraph, _: &Context) -> Result<Clustering, StageError> {
            Ok(Clustering::converged(Partition::compact(&self.0)))
        }
    }

    #[test]
    fn parts_of_the_background_follow_those_of_the_foreground() {
        let graph = graph(vec![0.7, 0.0, 0.3]);
        let run = |parts_of_background| {
            let params = TwoStepParams { parts_of_background, ..TwoStepParams::default() };
            let clusterer = TwoStep::new(params, Box::new(Given(vec![0, 1, 0])), Box::new(Singly));
            clusterer.cluster(&graph, &Context::default()).unwrap().partition
        };
        assert_eq!((run(false).labels(), run(false).k()), (&[0, 1, 0][..], 2));
        assert_eq!((run(true).labels(), run(true).k()), (&[0, 1, 2][..], 3));
    }

    #[test]
    fn the_background_is_told_in_three_ways() {
        // Four clusters: three corners, the fourth corner and most of the frame, a part of the frame, the middle.
        let edges = SparseAffinity::new(6, vec![], vec![]).unwrap();
        let geometry = Geometry {
            image_size: [10, 10],
            size: vec![4.0, 4.0, 4.0, 40.0, 9.0, 39.0],
            centroid: vec![[0.5, 0.5], [0.5, 8.5], [8.5, 0.5], [8.0, 8.0], [9.0, 4.0], [4.0, 4.0]],
            border_share: vec![0.1, 0.1, 0.1, 0.6, 0.1, 0.0],
        };
        let graph = RegionGraph::new(Affinity::Sparse(edges)).with_geometry(geometry).unwrap();
        let run = |background| {
            let params = TwoStepParams { background, ..TwoStepParams::default() };
            let clusterer = TwoStep::new(params, Box::new(Given(vec![0, 0, 0, 1, 2, 3])), Box::new(Whole));
            clusterer.cluster(&graph, &Context::default()).unwrap().partition.labels().to_vec()
        };
        assert_eq!(run(Background::Corners), [0, 0, 0, 1, 1, 1]);
        assert_eq!(run(Background::BorderShare), [1, 1, 1, 0, 1, 1]);
        // 12 / √12, 24 / √40, 4 / 3 and 0: the first two reach 1.5.
        assert_eq!(run(Background::BoundaryConnectivity), [0, 0, 0, 0, 1, 1]);
        let bare = RegionGraph::new(graph.affinity().clone());
        let labels = labels(&bare, Given(vec![0, 0, 0, 1, 2, 3]), Whole);
        assert_eq!(labels, [0, 0, 0, 1, 1, 1], "the largest");
    }

    #[test]
    fn graphs_of_no_and_of_one_node_are_background() {
        for n in [0, 1] {
            let graph = RegionGraph::new(Affinity::Sparse(SparseAffinity::new(n, vec![], vec![]).unwrap()));
            assert_eq!(labels(&graph, Singly, Singly), vec![0; n]);
        }
    }

    #[test]
    fn one_cluster_is_all_background() {
        assert_eq!(labels(&graph(vec![0.5, 0.3, 0.2]), Whole, Singly), [0, 0, 0]);
    }
}
