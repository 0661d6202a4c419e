//! The rows of all images → scores of the set, under the names of `eval --json`.

use super::score::Scored;
use super::{Ending, Row};
use crate::scoring::Score;
use crate::summary::summarise;
use segcut_eval::{BETA_SQUARED, Labels, MaxFProtocol, SemanticCounts, SoftCounts};
use serde_json::{Map, Value, json};

/// The scores of the set over the images that have all of theirs.
pub fn summary(settings: &[String], rows: &[Row], semantic: &[SemanticCounts]) -> Map<String, Value> {
    let scored: Vec<&Vec<Scored>> = rows
        .iter()
        .filter_map(|row| if let Ending::Scored(scores) = &row.ending { Some(scores) } else { None })
        .collect();
    if scored.iter().any(|scores| scores.iter().any(|s| matches!(s, Scored::Semantic(_)))) {
        return classes(settings, semantic);
    }
    let plain: Vec<Vec<&Score>> =
        scored.iter().map(|scores| scores.iter().filter_map(Scored::plain).collect()).collect();
    let mut summary = summarise(settings, &plain);
    let best = summary.get("sweep").and_then(|sweep| sweep.get("iou")?.get("ods_at")?.as_str());
    let best = settings.iter().position(|setting| Some(setting.as_str()) == best).unwrap_or(0);
    add_soft(&mut summary, &scored, best);
    summary
}

/// Error and largest F of gray masks, where all predictions are; F at the threshold that is best by each protocol.
fn add_soft(summary: &mut Map<String, Value>, scored: &[&Vec<Scored>], setting: usize) {
    let soft = |scores: &&Vec<Scored>| match scores.get(setting) {
        Some(Scored::Gray { soft, .. }) => Some((**soft).clone()),
        _ => None,
    };
    let Some(counts) = scored.iter().map(soft).collect::<Option<Vec<SoftCounts>>>().filter(|c| !c.is_empty()) else {
        return;
    };
    summary.insert("mae".into(), json!(counts.iter().map(SoftCounts::mae).sum::<f64>() / counts.len() as f64));
    let mut max_f = Map::new();
    for protocol in [MaxFProtocol::MeanOfF, MaxFProtocol::FOfMeans, MaxFProtocol::PerImage] {
        let Some(best) = SoftCounts::max_f(&counts, BETA_SQUARED, protocol) else { continue };
        let name = json!(protocol).as_str().unwrap_or_default().to_string();
        max_f.insert(name, json!({ "value": best.value, "threshold": best.threshold }));
    }
    summary.insert("max_f".into(), Value::Object(max_f));
}

/// Classes over the set, at the setting with the best mean IoU; matched, the labels take the classes with which they
/// share most pixels.
fn classes(settings: &[String], semantic: &[SemanticCounts]) -> Map<String, Value> {
    let scores: Vec<_> = semantic.iter().map(|counts| counts.scores(Labels::Classes)).collect();
    let best = (0..scores.len()).fold(0, |best, i| if scores[i].miou > scores[best].miou { i } else { best });
    let (Some(score), Some(counts)) = (scores.get(best), semantic.get(best)) else { return Map::new() };
    let matched = counts.scores(Labels::Clusters);
    let mut summary = json!({
        "images": score.images,
        "miou": score.miou,
        "pixel_accuracy": score.pixel_accuracy,
        "miou_matched": matched.miou,
        "pixel_accuracy_matched": matched.pixel_accuracy,
        "classes": score.classes,
    });
    if settings.len() > 1 {
        let listed: Vec<Value> = settings
            .iter()
            .zip(&scores)
            .map(|(setting, s)| json!({ "setting": setting, "miou": s.miou, "pixel_accuracy": s.pixel_accuracy }))
            .collect();
        summary["sweep"] = json!({ "miou": { "ods": score.miou, "ods_at": settings[best] }, "settings": listed });
    }
    if let Value::Object(map) = summary { map } else { Map::new() }
}
