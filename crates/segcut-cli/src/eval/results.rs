//! Rows and summary → scores.csv, summary.json and the table on stdout.

use super::predictions::Predictions;
use super::score::Scored;
use super::{Ending, Row};
use crate::args::Task;
use crate::exit::Failure;
use crate::print::out;
use crate::truth::TruthTable;
use clap::ValueEnum;
use segcut_io::atomic;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Adds to the summary what was scored and what did not pair or failed.
pub fn add_pairing(summary: &mut Map<String, Value>, rows: &[Row], table: &TruthTable, task: Option<Task>) {
    let errors: Vec<Value> = rows
        .iter()
        .filter_map(|row| match &row.ending {
            Ending::Failed(failed) => Some(json!({ "id": row.id, "code": failed.code, "message": failed.message })),
            _ => None,
        })
        .collect();
    let without: Vec<&str> =
        rows.iter().filter(|row| matches!(row.ending, Ending::NoTruth)).map(|row| row.id.as_str()).collect();
    let task = task.and_then(|task| Some(task.to_possible_value()?.get_name().to_string()));
    summary.insert("task".into(), json!(task));
    summary.insert("images_failed".into(), json!(errors.len()));
    summary.insert("errors".into(), json!(errors));
    summary.insert("truth_without_prediction".into(), json!(table.unused()));
    summary.insert("prediction_without_truth".into(), json!(without));
}

/// Writes scores.csv and summary.json.
pub fn write(
    folder: &Path,
    predictions: &Predictions,
    rows: &[Row],
    summary: &Map<String, Value>,
) -> Result<(), Failure> {
    atomic::write(&folder.join("scores.csv"), &scores_csv(predictions, rows)?).map_err(Failure::output)?;
    let text = serde_json::to_vec_pretty(summary).map_err(Failure::output)?;
    atomic::write(&folder.join("summary.json"), &text).map_err(Failure::output)
}

/// One row per image and setting, sorted by image, then as the settings are.
fn scores_csv(predictions: &Predictions, rows: &[Row]) -> Result<Vec<u8>, Failure> {
    let first =
        rows.iter().find_map(|row| if let Ending::Scored(scores) = &row.ending { scores.first() } else { None });
    let columns: Vec<&str> = first.map(|scored| scored.columns().iter().map(|c| c.0).collect()).unwrap_or_default();
    let swept = predictions.swept();
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["id"];
    header.extend(swept.then_some("value"));
    header.push("status");
    header.extend(&columns);
    header.extend(["code", "message"]);
    csv.write_record(&header).map_err(Failure::output)?;
    let mut record = |id: &str, value: &str, status: &str, cells: Vec<String>, tail: [&str; 2]| {
        let mut fields = vec![id.to_string()];
        fields.extend(swept.then(|| value.to_string()));
        fields.push(status.to_string());
        fields.extend(cells);
        fields.extend(tail.map(ToString::to_string));
        csv.write_record(&fields).map_err(Failure::output)
    };
    let empty = || vec![String::new(); columns.len()];
    for row in rows {
        match &row.ending {
            Ending::Scored(scores) => {
                for (scored, value) in scores.iter().zip(&predictions.settings) {
                    record(&row.id, value, "ok", cells(scored, &columns), ["", ""])?;
                }
            }
            Ending::Failed(failed) => record(&row.id, "", "error", empty(), [&failed.code, &failed.message])?,
            Ending::NoTruth => record(&row.id, "", "no truth", empty(), ["", ""])?,
        }
    }
    csv.into_inner().map_err(Failure::output)
}

fn cells(scored: &Scored, columns: &[&str]) -> Vec<String> {
    let values = scored.columns();
    let cell = |name: &&str| values.iter().find(|(column, _)| column == name).map(|(_, value)| format!("{value:.6}"));
    columns.iter().map(|name| cell(name).unwrap_or_default()).collect()
}

/// The summary in words, to stdout.
pub fn print(summary: &Map<String, Value>) -> Result<(), Failure> {
    let count = |key: &str| summary.get(key).and_then(Value::as_u64).unwrap_or(0);
    out(&format!("{} images scored, {} failed", count("images"), count("images_failed")))?;
    for (name, value) in summary {
        if let Some(value) = value.as_f64().filter(|_| !name.starts_with("images")) {
            out(&format!("{name:>24}  {value:.4}"))?;
        }
    }
    if let Some(Value::Object(protocols)) = summary.get("max_f") {
        for (protocol, best) in protocols {
            let name = format!("max_f ({protocol})");
            let at = best["threshold"].as_f64().map(|t| format!("  at {t:.3}")).unwrap_or_default();
            out(&format!("{name:>24}  {:.4}{at}", best["value"].as_f64().unwrap_or(0.0)))?;
        }
    }
    let Some(Value::Object(sweep)) = summary.get("sweep") else { return Ok(()) };
    out(&format!("{:>24}  {:>8} {:>10}  {:>8}", "of the sweep", "set", "at", "image"))?;
    for (name, best) in sweep.iter().filter(|(name, _)| *name != "settings") {
        let number = |key: &str| best[key].as_f64().map_or_else(String::new, |value| format!("{value:.4}"));
        let at = best["ods_at"].as_str().unwrap_or("");
        out(&format!("{name:>24}  {:>8} {at:>10}  {:>8}", number("ods"), number("ois")))?;
    }
    Ok(())
}
