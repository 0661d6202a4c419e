use super::*;
use segcut_core::{FeatureMap, GraphBuilder, Grid, LabelMap};
use segcut_graph::{RankingGraph, RankingGraphParams};

/// Single pixels, dark but for a bright block in the middle.
fn graph(side: usize, bright: f32) -> RegionGraph {
    let labels = LabelMap::new(side, side, (0..(side * side) as u32).collect()).unwrap();
    let inside = |i: usize| [i / side, i % side].iter().all(|v| (3..side - 3).contains(v));
    let values = (0..side * side).map(|i| if inside(i) { bright } else { (i % 3) as f32 * bright / 100.0 }).collect();
    let map = FeatureMap::held("lab", Grid::pixels(side, side), 1, values).unwrap();
    RankingGraph::new(RankingGraphParams::default()).unwrap().build(&labels, &[map], &Context::default()).unwrap()
}

fn cluster(graph: &RegionGraph) -> Clustering {
    RobustBackground::new(RobustBackgroundParams::default()).unwrap().cluster(graph, &Context::default()).unwrap()
}

#[test]
fn the_block_in_the_middle_is_foreground() {
    let found = cluster(&graph(9, 50.0));
    let expected = (0..81).map(|i: u32| u32::from((3..6).contains(&(i / 9)) && (3..6).contains(&(i % 9))));
    assert_eq!(found.partition.labels(), expected.collect::<Vec<_>>());
}

#[test]
fn one_color_has_no_foreground() {
    assert_eq!(cluster(&graph(7, 0.0)).partition.labels(), [0; 49]);
}

#[test]
fn paths_are_the_shortest() {
    let inf = f64::INFINITY;
    let mut path =
        ndarray::array![[0.0, 1.0, 9.0, inf], [1.0, 0.0, 2.0, inf], [9.0, 2.0, 0.0, inf], [inf, inf, inf, 0.0]];
    shortest_paths(&mut path);
    assert_eq!(
        path,
        ndarray::array![[0.0, 1.0, 3.0, inf], [1.0, 0.0, 2.0, inf], [3.0, 2.0, 0.0, inf], [inf, inf, inf, 0.0]]
    );
}

#[test]
fn the_scales_by_hand() {
    let color = ndarray::array![[0.0, 4.0, 1.0], [4.0, 0.0, 8.0], [1.0, 8.0, 0.0]];
    let pairs = vec![([0, 1], Pair::Touching), ([1, 2], Pair::Touching), ([0, 2], Pair::Far)];
    let scales = Scales::of(&Regions { color, pairs, at_frame: vec![false; 3] });
    // Nearest neighbours: 4, 4, 8; with neighbours' neighbours 1, 4, 1.
    assert_eq!((scales.step, scales.path, scales.smoothness), (2.0, 5.0, 1.6));
}
