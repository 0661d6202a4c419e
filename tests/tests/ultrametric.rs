//! A merge tree's contour map, cut and scored, against the tree's own cuts.

#![allow(clippy::unwrap_used)]

use segcut_core::{LabelMap, Merge, MergeTree};
use segcut_eval::{Annotation, ImageScores, Sweep, UltrametricMap, score_image};
use segcut_graph::ultrametric_contour;

const SIDE: usize = 24;

/// Cells of 4×4 pixels, and a tree that joins neighbours along rows and then the rows.
fn leaves_and_tree() -> (LabelMap, MergeTree) {
    let cells = SIDE / 4;
    let cell = |at: usize| (at / SIDE / 4 * cells + at % SIDE / 4) as u32;
    let leaves = LabelMap::new(SIDE, SIDE, (0..SIDE * SIDE).map(cell).collect()).unwrap();
    let mut merges = Vec::new();
    let mut rows: Vec<u32> = (0..cells).map(|row| (row * cells) as u32).collect();
    for column in 1..cells {
        for (row, node) in rows.iter_mut().enumerate() {
            let height = (1 + merges.len()) as f64 / 40.0;
            merges.push(Merge { nodes: [*node, (row * cells + column) as u32], height });
            *node = (leaves.n() + merges.len() - 1) as u32;
        }
    }
    let mut whole = rows[0];
    for &row in &rows[1..] {
        let height = (1 + merges.len()) as f64 / 40.0;
        merges.push(Merge { nodes: [whole, row], height });
        whole = (leaves.n() + merges.len() - 1) as u32;
    }
    let tree = MergeTree::new(leaves.n(), merges).unwrap();
    (leaves, tree)
}

fn truth() -> Vec<Annotation> {
    let halves = (0..SIDE * SIDE).map(|at| u32::from(at / SIDE >= 12)).collect();
    let quarters = (0..SIDE * SIDE).map(|at| u32::from(at / SIDE >= 8) * 2 + u32::from(at % SIDE >= 16)).collect();
    [halves, quarters].map(|labels| Annotation::new(LabelMap::new(SIDE, SIDE, labels).unwrap())).into()
}

#[test]
fn scores_on_an_ultrametric_map_equal_those_of_the_same_heights_cut_one_by_one() {
    let (leaves, tree) = leaves_and_tree();
    let values = ultrametric_contour(&tree, &leaves).unwrap();
    let map = UltrametricMap::new(2 * SIDE + 1, 2 * SIDE + 1, &values).unwrap();
    let thresholds: Vec<f32> = (0..=20).map(|i| i as f32 / 20.0).collect();
    let truth = truth();
    let of_map = |&at: &f32| score_image(&map.cut(at).unwrap(), &truth).unwrap();
    let of_tree = |&at: &f32| {
        // Heights are compared as the map holds them.
        let merged = tree.merges().iter().filter(|merge| merge.height as f32 <= at).count();
        let partition = tree.cut_k(tree.leaves() - merged);
        let labels = leaves.labels().iter().map(|&leaf| partition.labels()[leaf as usize]).collect();
        score_image(&LabelMap::new(SIDE, SIDE, labels).unwrap(), &truth).unwrap()
    };
    let (map_scores, tree_scores): (Vec<ImageScores>, Vec<ImageScores>) =
        (thresholds.iter().map(of_map).collect(), thresholds.iter().map(of_tree).collect());
    assert_eq!(map_scores, tree_scores);
    let sweep = |scores| {
        let mut sweep = Sweep::new(thresholds.iter().map(ToString::to_string).collect());
        sweep.add(scores).unwrap();
        sweep.scores().unwrap()
    };
    let (by_map, by_tree) = (sweep(map_scores), sweep(tree_scores));
    assert_eq!(by_map, by_tree);
    let counts: Vec<f64> = by_map.settings.iter().map(|setting| setting.region_count).collect();
    assert_eq!((counts[0], counts[20]), (36.0, 1.0));
    assert!(by_map.covering.ods > by_map.settings[0].regions.covering);
}
