//! Scores of images → scores of a set, under the names of `eval --json`.

use crate::scoring::{MaskScore, Score};
use segcut_eval::{Best, MaskScores, SuperpixelScores, Sweep, SweepScores};
use serde_json::{Map, Value, json};

/// The scores of a set. `images` has one score per setting, in the order of the settings; without a
/// sweep there is one setting.
///
/// Regions: ODS is the best one setting for the set, OIS the best per image; without a sweep both are
/// the score itself. Images whose scores are of another kind than the first's are left out.
pub fn summarise(settings: &[String], images: &[Vec<&Score>]) -> Map<String, Value> {
    let summary = match images.first().and_then(|scores| scores.first()) {
        Some(Score::Regions(_)) => regions(settings, images),
        Some(Score::Mask(_)) => masks(settings, images),
        Some(Score::Superpixels(_)) => superpixels(settings, images),
        None => json!({ "images": 0 }),
    };
    match summary {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn regions(settings: &[String], images: &[Vec<&Score>]) -> Value {
    let mut sweep = Sweep::new(settings.to_vec());
    for scores in images {
        let of_image: Vec<_> = scores
            .iter()
            .filter_map(|score| match score {
                Score::Regions(scores) => Some(**scores),
                _ => None,
            })
            .collect();
        // An image with another number of settings is none of this sweep.
        let _ = sweep.add(of_image);
    }
    sweep.scores().map_or_else(|| json!({ "images": 0 }), |scores| region_summary(&scores))
}

fn region_summary(scores: &SweepScores) -> Value {
    let mut summary = json!({
        "images": scores.images,
        "covering": scores.covering.ods, "pri": scores.pri.ods, "voi": scores.voi.ods,
        "f_ods": scores.f.ods, "f_ois": scores.f.ois,
        "f_1px": scores.f_1px.ods, "f_2px": scores.f_2px.ods,
        "miou": scores.miou.ods,
    });
    if let [only] = &scores.settings[..] {
        summary["precision"] = only.f_precision.into();
        summary["recall"] = only.f_recall.into();
        summary["pixel_accuracy"] = only.regions.pixel_accuracy.into();
        summary["ari"] = only.regions.ari.into();
        summary["nmi"] = only.regions.nmi.into();
        summary["regions"] = only.region_count.into();
        return summary;
    }
    let best = |best: &Best| json!({ "ods": best.ods, "ods_at": best.setting, "ois": best.ois });
    summary["sweep"] = json!({
        "covering": best(&scores.covering), "pri": best(&scores.pri), "voi": best(&scores.voi),
        "f": best(&scores.f), "f_1px": best(&scores.f_1px), "f_2px": best(&scores.f_2px),
        "settings": scores.settings,
    });
    summary
}

fn masks(settings: &[String], images: &[Vec<&Score>]) -> Value {
    let of_setting = |setting: usize| -> Vec<MaskScore> {
        let scores = images.iter().filter_map(|scores| scores.get(setting));
        scores.filter_map(|score| if let Score::Mask(mask) = score { Some(*mask) } else { None }).collect()
    };
    let mean = |masks: Vec<MaskScore>| {
        let counts: Vec<_> = masks.iter().map(|mask| mask.counts).collect();
        let outlines: Vec<_> = masks.iter().map(|mask| mask.boundary).collect();
        MaskScores::of(&counts, &outlines)
    };
    let rows: Vec<(String, MaskScores)> =
        settings.iter().enumerate().filter_map(|(i, setting)| Some((setting.clone(), mean(of_setting(i))?))).collect();
    let Some(best) = rows.iter().max_by(|a, b| a.1.iou.total_cmp(&b.1.iou)) else { return json!({ "images": 0 }) };
    let mut summary = json!(best.1);
    if rows.len() > 1 {
        let own = |scores: &Vec<&Score>| scores.iter().map(|score| score.main().1).fold(0.0, f64::max);
        let ois = images.iter().map(own).sum::<f64>() / images.len() as f64;
        let listed: Vec<Value> =
            rows.iter().map(|(setting, scores)| json!({ "setting": setting, "scores": scores })).collect();
        summary["sweep"] = json!({ "iou": { "ods": best.1.iou, "ods_at": best.0, "ois": ois }, "settings": listed });
    }
    summary
}

fn superpixels(settings: &[String], images: &[Vec<&Score>]) -> Value {
    let mean = |setting: usize| -> Option<SuperpixelScores> {
        let scores: Vec<SuperpixelScores> = images
            .iter()
            .filter_map(|s| s.get(setting))
            .filter_map(|score| if let Score::Superpixels(scores) = score { Some(*scores) } else { None })
            .collect();
        let mean = |pick: fn(&SuperpixelScores) -> f64| scores.iter().map(pick).sum::<f64>() / scores.len() as f64;
        (!scores.is_empty()).then(|| SuperpixelScores {
            boundary_recall: mean(|s| s.boundary_recall),
            undersegmentation_error: mean(|s| s.undersegmentation_error),
            asa: mean(|s| s.asa),
            compactness: mean(|s| s.compactness),
            regions: mean(|s| s.regions),
        })
    };
    let rows: Vec<Value> = settings
        .iter()
        .enumerate()
        .filter_map(|(i, setting)| Some(json!({ "setting": setting, "scores": mean(i)? })))
        .collect();
    let mut summary = mean(0).map_or_else(|| json!({}), |scores| json!(scores));
    summary["images"] = images.len().into();
    if rows.len() > 1 {
        summary["sweep"] = json!({ "settings": rows });
    }
    summary
}
