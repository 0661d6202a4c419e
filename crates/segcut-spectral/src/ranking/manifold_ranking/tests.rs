use super::*;
use segcut_core::{Affinity, EdgeColumns, SparseAffinity};
use segcut_graph::SIDES;

/// A grid of side² regions in which the block from 2 to side − 3 has another color.
fn grid(side: usize, apart: f64) -> RegionGraph {
    let inside = |i: usize| [i / side, i % side].iter().all(|&v| (2..side - 2).contains(&v));
    let mut edges = Vec::new();
    for i in 0..side * side {
        edges.extend((i % side + 1 < side).then(|| [i as u32, i as u32 + 1]));
        edges.extend((i / side + 1 < side).then(|| [i as u32, (i + side) as u32]));
    }
    let crosses = |e: &[u32; 2]| inside(e[0] as usize) != inside(e[1] as usize);
    let weights = edges.iter().map(|e| if crosses(e) { (-apart).exp() } else { 1.0 }).collect();
    let distance = edges.iter().map(|e| if crosses(e) { apart as f32 } else { 0.0 }).collect();
    let at = |i: usize| {
        let (y, x) = (i / side, i % side);
        [y == 0, y + 1 == side, x == 0, x + 1 == side]
    };
    let values = (0..side * side).flat_map(at).map(|b| f32::from(u8::from(b))).collect();
    let geometry = Geometry {
        image_size: [side, side],
        size: vec![1.0; side * side],
        centroid: (0..side * side).map(|i| [(i / side) as f64, (i % side) as f64]).collect(),
        border_share: vec![0.0; side * side],
    };
    RegionGraph::new(Affinity::Sparse(SparseAffinity::new(side * side, edges, weights).unwrap()))
        .with_features(vec![FeatureBlock { name: SIDES.into(), dims: 4, values, bins: vec![] }])
        .and_then(|g| g.with_edge_columns(EdgeColumns { feature_distance: Some(distance), ..EdgeColumns::default() }))
        .and_then(|g| g.with_geometry(geometry))
        .unwrap()
}

fn cluster(graph: &RegionGraph, params: ManifoldRankingParams) -> Clustering {
    ManifoldRanking::new(params).unwrap().cluster(graph, &Context::default()).unwrap()
}

#[test]
fn the_block_in_the_middle_is_foreground() {
    let found = cluster(&grid(7, 5.0), ManifoldRankingParams::default());
    let expected = (0..49).map(|i: u32| u32::from((2..5).contains(&(i / 7)) && (2..5).contains(&(i % 7))));
    assert_eq!(found.partition.labels(), expected.collect::<Vec<_>>());
    let soft = found.soft.unwrap();
    assert!(soft.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    let strict = ManifoldRankingParams { level: Some(1.0), ..ManifoldRankingParams::default() };
    assert!((1..9).contains(&cluster(&grid(7, 5.0), strict).partition.labels().iter().sum::<u32>()));
}

#[test]
fn one_color_has_no_foreground() {
    let found = cluster(&grid(6, 0.0), ManifoldRankingParams::default());
    assert_eq!(found.partition.labels(), [0; 36]);
}

#[test]
fn a_graph_without_a_frame_is_an_error() {
    let sparse = SparseAffinity::new(2, vec![[0, 1]], vec![1.0]).unwrap();
    let plain = RegionGraph::new(Affinity::Sparse(sparse));
    let ranking = ManifoldRanking::new(ManifoldRankingParams::default()).unwrap();
    let message = ranking.cluster(&plain, &Context::default()).unwrap_err().to_string();
    assert!(message.contains("no geometry"), "{message}");
    let bad = ManifoldRankingParams { alpha: 1.0, ..ManifoldRankingParams::default() };
    assert!(ManifoldRanking::new(bad).unwrap_err().to_string().starts_with("cluster.alpha = 1"));
}

#[test]
fn sides_that_are_left_out_do_not_make_background() {
    let everywhere = ManifoldRankingParams { center: [0.0; 2], ..ManifoldRankingParams::default() };
    let rank = |params: ManifoldRankingParams| {
        let soft = cluster(&grid(7, 5.0), params).soft.unwrap();
        move |y: usize, x: usize| soft[(7 * y + x, 1)]
    };
    let all = rank(everywhere.clone());
    assert!((all(6, 3) - all(0, 3)).abs() < 1e-9 && (all(3, 0) - all(0, 3)).abs() < 1e-9);
    let open = rank(ManifoldRankingParams { sides: [1.0, 0.0, 1.0, 1.0], ..everywhere.clone() });
    assert!(open(6, 3) > 1.05 * open(0, 3), "{} {}", open(6, 3), open(0, 3));
    let wide = ManifoldRanking::new(ManifoldRankingParams { center: [0.0, 0.2], ..everywhere }).unwrap();
    assert!((wide.closeness([0.0, 49.5], [100, 100]) - 1.0).abs() < 1e-12);
    assert!((wide.closeness([49.5, 29.5], [100, 100]) - (-0.5f64).exp()).abs() < 1e-12);
    for bad in [[f64::NAN, 0.1], [0.1, -1.0]] {
        let params = ManifoldRankingParams { center: bad, ..ManifoldRankingParams::default() };
        assert!(ManifoldRanking::new(params).unwrap_err().to_string().starts_with("cluster.center"));
    }
}
