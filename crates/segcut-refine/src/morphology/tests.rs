use super::*;
use proptest::prelude::*;
use segcut_core::VOID;

fn drawn(rows: &[&str]) -> LabelMap {
    let label = |c: char| if c == '#' { VOID } else { c.to_digit(10).unwrap_or(0) };
    let labels = rows.iter().flat_map(|row| row.chars().map(label)).collect();
    LabelMap::new(rows.len(), rows[0].len(), labels).unwrap()
}

fn stage(operation: Operation, shape: Shape, radius: usize) -> Morphology {
    Morphology::new(MorphologyParams { operation, shape, radius, ..MorphologyParams::default() }).unwrap()
}

#[test]
fn opening_removes_specks_and_keeps_the_frame() {
    let map = drawn(&["11....", "11..1.", "11....", "11...."]);
    let open = stage(Operation::Open, Shape::Square, 1).apply(map);
    assert_eq!(
        open,
        LabelMap::with_n(4, 6, drawn(&["11....", "11....", "11....", "11...."]).into_labels(), 2).unwrap()
    );
}

#[test]
fn closing_joins_with_the_nearest_label() {
    let map = drawn(&["......", "......", "111.22", "......", "......"]);
    let closed = stage(Operation::Close, Shape::Square, 1).apply(map);
    assert_eq!(closed, drawn(&["......", "......", "111122", "......", "......"]));
}

#[test]
fn holes_are_filled_unless_open_or_large() {
    let map = drawn(&["11111", "1.111", "111.#", "1.111"]);
    assert_eq!(
        stage(Operation::FillHoles, Shape::Disk, 1).apply(map.clone()),
        drawn(&["11111", "11111", "111.#", "1.111"])
    );
    let params = MorphologyParams { operation: Operation::FillHoles, max_hole_share: 0.01, ..Default::default() };
    assert_eq!(Morphology::new(params).unwrap().apply(map.clone()), map);
}

#[test]
fn nested_regions_go_to_the_one_around_them() {
    let map = drawn(&["000000", "011110", "012310", "011110", "000005"]);
    let filled = stage(Operation::FillRegions, Shape::Disk, 1).apply(map.clone());
    assert_eq!(filled, map, "a pair of regions side by side stays, so does what holds it");
    let map = drawn(&["000000", "011110", "012210", "011110", "000005"]);
    let filled = stage(Operation::FillRegions, Shape::Disk, 1).apply(map);
    assert_eq!(filled, drawn(&["000000", "000000", "000000", "000000", "000005"]));
}

#[test]
fn the_majority_wins_and_ties_keep() {
    let map = drawn(&["0001", "0201", "0001"]);
    assert_eq!(stage(Operation::Majority, Shape::Square, 1).apply(map).labels(), [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
    let pair = drawn(&["12"]);
    assert_eq!(stage(Operation::Majority, Shape::Square, 1).apply(pair.clone()), pair);
}

#[test]
fn maps_without_pixels_stay_so() {
    use Operation::{Close, FillHoles, FillRegions, Majority, Open};
    for (height, width) in [(0, 0), (0, 3), (3, 0)] {
        let map = LabelMap::new(height, width, Vec::new()).unwrap();
        for operation in [Open, Close, FillHoles, FillRegions, Majority] {
            assert_eq!(stage(operation, Shape::Disk, 2).apply(map.clone()), map);
        }
    }
}

#[test]
fn bad_parameters_are_refused() {
    for params in [
        MorphologyParams { radius: 0, ..Default::default() },
        MorphologyParams { max_hole_share: f64::NAN, ..Default::default() },
    ] {
        assert!(matches!(Morphology::new(params), Err(StageError::Parameter { .. })));
    }
}

fn plain_majority(map: &LabelMap, radius: i64, disk: bool) -> Vec<u32> {
    let (h, w) = (map.height() as i64, map.width() as i64);
    let winner = |at: usize| {
        let label = map.labels()[at];
        let mut counts = std::collections::BTreeMap::new();
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                let (y, x) = (at as i64 / w + dy, at as i64 % w + dx);
                let under = !disk || dy * dy + dx * dx <= radius * radius;
                if under && (0..h).contains(&y) && (0..w).contains(&x) && map.labels()[(y * w + x) as usize] != VOID {
                    *counts.entry(map.labels()[(y * w + x) as usize]).or_insert(0) += 1;
                }
            }
        }
        let most = counts.values().max().copied().unwrap_or(0);
        let first = counts.iter().find(|(_, c)| **c == most).map_or(label, |(l, _)| *l);
        if label == VOID || counts.get(&label) == Some(&most) { label } else { first }
    };
    (0..map.labels().len()).map(winner).collect()
}

fn any_map() -> impl Strategy<Value = LabelMap> {
    (1usize..12, proptest::collection::vec(0u32..9, 12..100)).prop_map(|(width, cells)| {
        let height = cells.len() / width;
        let name = |&c: &u32| match c {
            0..4 => 0,
            4..7 => 1,
            7 => 2,
            _ => VOID,
        };
        LabelMap::with_n(height, width, cells[..height * width].iter().map(name).collect(), 3).unwrap()
    })
}

proptest! {
    #[test]
    fn majority_equals_the_definition(map in any_map(), radius in 1usize..4, disk: bool) {
        let shape = if disk { Shape::Disk } else { Shape::Square };
        let out = stage(Operation::Majority, shape, radius).apply(map.clone());
        prop_assert_eq!(out.labels(), plain_majority(&map, radius as i64, disk));
    }

    #[test]
    fn open_shrinks_close_grows_and_both_are_idempotent(map in any_map(), radius in 1usize..4, disk: bool) {
        let shape = if disk { Shape::Disk } else { Shape::Square };
        for operation in [Operation::Open, Operation::Close, Operation::FillHoles, Operation::FillRegions] {
            let stage = stage(operation, shape, radius);
            let once = stage.apply(map.clone());
            prop_assert_eq!(&stage.apply(once.clone()), &once, "{:?}", operation);
            for (&old, &new) in map.labels().iter().zip(once.labels()) {
                prop_assert_eq!(old == VOID, new == VOID);
                prop_assert!(operation != Operation::Open || new == old || new == 0);
                prop_assert!(!matches!(operation, Operation::Close | Operation::FillHoles) || new == old || old == 0);
            }
        }
    }
}
