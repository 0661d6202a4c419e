//! Every metric against independent implementations; `tests/oracle/metrics` says how the fixtures were made.

#![allow(clippy::unwrap_used)]

use segcut_core::{LabelMap, Mask};
use segcut_eval::*;
use serde_json::Value;

/// Both sides are f64 arithmetic in different order.
const TOLERANCE: f64 = 1e-12;

fn fixtures() -> Value {
    serde_json::from_str(include_str!("../../tests/oracle/metrics/fixtures.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
}

fn size(case: &Value) -> [usize; 2] {
    ["height", "width"].map(|side| case[side].as_u64().unwrap() as usize)
}

fn map(case: &Value, name: &str) -> LabelMap {
    let [height, width] = size(case);
    LabelMap::new(height, width, numbers(&case[name])).unwrap()
}

fn bits(value: &Value) -> Vec<bool> {
    numbers(value).into_iter().map(|v| v > 0).collect()
}

fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= TOLERANCE, "{what}: {found} instead of {expected}");
}

#[test]
fn regions_and_superpixels() {
    let all = fixtures();
    let cases = all["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let (prediction, truth) = (map(case, "prediction"), map(case, "truth"));
        let expected = &case["regions"];
        let scores = serde_json::to_value(score_regions(&prediction, &[&truth]).unwrap()).unwrap();
        for name in ["covering", "pri", "voi", "ari", "nmi", "miou", "pixel_accuracy"] {
            close(scores[name].as_f64().unwrap(), &expected[name], name);
        }
        let scores = serde_json::to_value(score_superpixels(&prediction, &[Annotation::new(truth)]).unwrap()).unwrap();
        for name in ["asa", "undersegmentation_error", "compactness"] {
            close(scores[name].as_f64().unwrap(), &expected[name], name);
        }
        close(scores["boundary_recall"].as_f64().unwrap(), &case["boundary"][0]["recall_2px"], "recall");
    }
}

#[test]
fn boundaries() {
    for case in fixtures()["cases"].as_array().unwrap() {
        let (prediction, truth) = (map(case, "prediction"), map(case, "truth"));
        let stored = boundary(&truth);
        for expected in case["boundary"].as_array().unwrap() {
            assert_eq!(edge_map(&prediction).bits(), bits(&expected["edges"]));
            assert_eq!(boundary(&prediction).bits(), bits(&expected["thin"]));
            let reach = Tolerance::Pixels(expected["reach"].as_f64().unwrap());
            let counts = score_boundary(&boundary(&prediction), &[&stored], reach).unwrap();
            assert_eq!(Some(counts.matched_truth), expected["pairs"].as_u64());
            assert_eq!(counts.matched_prediction, counts.matched_truth);
            assert_eq!(Some(counts.truth), expected["truth"].as_u64());
        }
    }
}

#[test]
fn thinning_of_thick_masks() {
    for case in fixtures()["thick"].as_array().unwrap() {
        let [height, width] = size(case);
        let mask = Mask::new(height, width, bits(&case["mask"])).unwrap();
        assert_eq!(thin(&mask).bits(), bits(&case["thin"]));
    }
}

#[test]
fn masks() {
    for case in fixtures()["masks"].as_array().unwrap() {
        let mask = |name: &str| Mask::new(11, 14, bits(&case[name])).unwrap();
        let counts = MaskCounts::new(&mask("prediction"), &mask("truth"), None).unwrap();
        close(counts.iou(), &case["iou"], "iou");
        close(counts.accuracy(), &case["accuracy"], "accuracy");
        close(counts.precision(), &case["precision"], "precision");
        close(counts.recall(), &case["recall"], "recall");
        close(counts.f_beta(BETA_SQUARED), &case["f_beta"], "f_beta");
        let soft: Vec<f32> = numbers(&case["soft"]).into_iter().map(|v| v as f32 / 255.0).collect();
        let counts = SoftCounts::new(&soft, &mask("truth"), None).unwrap();
        // The soft map is f32 here.
        assert!((counts.mae() - case["mae"].as_f64().unwrap()).abs() < 1e-7);
        let best = SoftCounts::max_f(&[counts], BETA_SQUARED, MaxFProtocol::MeanOfF).unwrap();
        close(best.value, &case["max_f"], "max_f");
        assert_eq!(best.threshold.map(|t| (t * 255.0).round() as u64), case["max_f_level"].as_u64());
    }
}

#[test]
fn classes_and_clusters_over_a_set() {
    let all = fixtures();
    let mut counts = SemanticCounts::default();
    for case in &all["cases"].as_array().unwrap()[..4] {
        counts.add(&map(case, "prediction"), &map(case, "truth")).unwrap();
    }
    let (classes, clusters) = (counts.scores(Labels::Classes), counts.scores(Labels::Clusters));
    close(classes.miou, &all["semantic"]["miou"], "miou");
    close(classes.pixel_accuracy, &all["semantic"]["accuracy"], "accuracy");
    close(clusters.miou, &all["semantic"]["matched_miou"], "matched miou");
    close(clusters.pixel_accuracy, &all["semantic"]["matched_accuracy"], "matched accuracy");
}
