//! What holds for every pair of label maps.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use segcut_core::{LabelMap, VOID};
use segcut_eval::*;

fn label_map() -> impl Strategy<Value = LabelMap> {
    let label = prop_oneof![9 => 0u32..5, 1 => Just(VOID)];
    prop::collection::vec(label, 6 * 7).prop_map(|labels| LabelMap::new(6, 7, labels).unwrap())
}

fn renamed(map: &LabelMap) -> LabelMap {
    let labels = map.labels().iter().map(|&l| if l == VOID { VOID } else { 1000 - 7 * l }).collect();
    LabelMap::new(map.height(), map.width(), labels).unwrap()
}

fn values(scores: &RegionScores) -> [f64; 7] {
    [scores.covering, scores.pri, scores.voi, scores.ari, scores.nmi, scores.miou, scores.pixel_accuracy]
}

proptest! {
    #[test]
    fn names_do_not_matter(a in label_map(), b in label_map()) {
        let plain = values(&score_regions(&a, &[&b]).unwrap());
        let other = values(&score_regions(&renamed(&a), &[&renamed(&b)]).unwrap());
        for (x, y) in plain.into_iter().zip(other) {
            prop_assert!((x - y).abs() < 1e-9 && x.is_finite());
        }
    }

    #[test]
    fn a_map_is_perfect_against_itself(a in label_map()) {
        let scores = score_image(&a, &[Annotation::new(a.clone())]).unwrap();
        let perfect = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        for (x, y) in values(&scores.regions).into_iter().zip(perfect) {
            prop_assert!((x - y).abs() < 1e-9);
        }
        prop_assert_eq!(scores.boundary.diagonal.f(), 1.0);
        let superpixels = score_superpixels(&a, &[Annotation::new(a.clone())]).unwrap();
        prop_assert_eq!((superpixels.boundary_recall, superpixels.undersegmentation_error), (1.0, 0.0));
    }

    #[test]
    fn wider_tolerances_match_no_less(a in label_map(), b in label_map()) {
        let (drawn, stored) = (boundary(&a), boundary(&b));
        let pairs = |reach| score_boundary(&drawn, &[&stored], Tolerance::Pixels(reach)).unwrap();
        let swapped = score_boundary(&stored, &[&drawn], Tolerance::Pixels(2.0)).unwrap();
        prop_assert!(pairs(0.0).matched_truth <= pairs(1.0).matched_truth);
        prop_assert!(pairs(1.0).matched_truth <= pairs(2.0).matched_truth);
        prop_assert_eq!(swapped.matched_truth, pairs(2.0).matched_truth);
    }

    #[test]
    fn thinning_twice_changes_nothing(a in label_map()) {
        let once = boundary(&a);
        prop_assert_eq!(&thin(&once), &once);
    }

    #[test]
    fn asa_and_covering_stay_in_range(a in label_map(), b in label_map()) {
        let table = Contingency::new(&a, &b).unwrap();
        for score in [covering(&table), achievable_accuracy(&table), matched_mean_iou(&table), compactness(&a)] {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&score));
        }
        prop_assert!(matched_accuracy(&table) <= achievable_accuracy(&table) + 1e-12);
    }
}
