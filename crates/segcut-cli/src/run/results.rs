//! The journal → scores.csv, summary.json and report.html.

use super::journal::{Journal, Row, RowStatus};
use super::page::run_page;
use super::plan::Plan;
use crate::exit::Failure;
use crate::print::out;
use crate::scoring::Score;
use crate::summary::summarise;
use segcut_io::atomic;
use segcut_io::decode::DecodeOptions;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;

/// What the results tell besides the rows.
#[derive(Debug)]
pub struct RunContext<'a> {
    /// The recipe as it was asked for.
    pub recipe: &'a str,
    /// How images are read, for their thumbnails.
    pub decode: DecodeOptions,
    /// Wall time of this run.
    pub elapsed: Duration,
}

/// Writes the three files; gives the summary.
pub fn write(
    folder: &Path,
    plan: &Plan,
    journal: &Journal,
    context: &RunContext<'_>,
) -> Result<Map<String, Value>, Failure> {
    // A shard's results cover all that its folder holds so far.
    let rows: Vec<&Row> = plan.items.iter().filter_map(|item| journal.rows().get(&item.id)).collect();
    atomic::write(&folder.join("scores.csv"), &scores_csv(plan, &rows)?).map_err(Failure::output)?;
    let summary = summary(plan, &rows, context);
    let text = serde_json::to_vec_pretty(&summary).map_err(Failure::output)?;
    atomic::write(&folder.join("summary.json"), &text).map_err(Failure::output)?;
    let html = run_page(folder, plan, &rows, &summary, &context.decode)?;
    atomic::write(&folder.join("report.html"), html.as_bytes()).map_err(Failure::output)?;
    Ok(summary)
}

/// One row per image and setting, sorted as the images are.
fn scores_csv(plan: &Plan, rows: &[&Row]) -> Result<Vec<u8>, Failure> {
    let columns: Vec<&str> = rows
        .iter()
        .flat_map(|row| &row.cuts)
        .find_map(|cut| cut.score.as_ref())
        .map(|score| score.columns().into_iter().map(|(name, _)| name).collect())
        .unwrap_or_default();
    let swept = plan.settings.len() > 1 || plan.settings.iter().any(|s| !s.value.is_empty());
    let confident = rows.iter().flat_map(|row| &row.cuts).any(|cut| cut.confidence.is_some());
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["id"];
    header.extend(swept.then_some("value"));
    header.extend(["status", "regions"]);
    header.extend(confident.then_some("confidence"));
    header.extend(&columns);
    let shape = Shape { swept, confident, columns: columns.len() };
    header.extend(["notes", "code", "message"]);
    csv.write_record(&header).map_err(Failure::output)?;
    for row in rows {
        for record in records(row, &shape) {
            csv.write_record(&record).map_err(Failure::output)?;
        }
    }
    csv.into_inner().map_err(Failure::output)
}

/// Which fields a row has.
struct Shape {
    swept: bool,
    confident: bool,
    columns: usize,
}

fn records(row: &Row, &Shape { swept, confident, columns }: &Shape) -> Vec<Vec<String>> {
    let status = status_name(row.status).to_string();
    let tail = [row.code.clone().unwrap_or_default(), row.message.clone().unwrap_or_default()];
    if row.cuts.is_empty() {
        let mut record = vec![row.id.clone()];
        record.extend(swept.then(String::new));
        record.extend([status, String::new()]);
        record.extend(confident.then(String::new));
        record.extend(vec![String::new(); columns]);
        record.push(row.warnings.join("; "));
        record.extend(tail);
        return vec![record];
    }
    let of_cut = |cut: &super::journal::Cut| {
        let mut record = vec![row.id.clone()];
        record.extend(swept.then(|| cut.value.clone()));
        record.extend([status.clone(), cut.regions.to_string()]);
        record.extend(confident.then(|| cut.confidence.map(|c| format!("{c:.6}")).unwrap_or_default()));
        match &cut.score {
            Some(score) => record.extend(score.columns().iter().map(|(_, value)| format!("{value:.6}"))),
            None => record.extend(vec![String::new(); columns]),
        }
        let notes: Vec<&str> = row.warnings.iter().chain(&cut.notes).map(String::as_str).collect();
        record.push(notes.join("; "));
        record.extend(tail.clone());
        record
    };
    row.cuts.iter().map(of_cut).collect()
}

/// The word for a status in scores.csv and reports.
pub fn status_name(status: RowStatus) -> &'static str {
    match status {
        RowStatus::Ok => "ok",
        RowStatus::Error => "error",
        RowStatus::Timeout => "timeout",
        RowStatus::Crashed => "crashed",
    }
}

fn summary(plan: &Plan, rows: &[&Row], context: &RunContext<'_>) -> Map<String, Value> {
    let scored: Vec<Vec<&Score>> = rows
        .iter()
        .map(|row| row.cuts.iter().filter_map(|cut| cut.score.as_ref()).collect::<Vec<_>>())
        .filter(|scores| scores.len() == plan.settings.len())
        .collect();
    let count = |status: RowStatus| rows.iter().filter(|row| row.status == status).count();
    let mut summary = Map::new();
    summary.insert("recipe".into(), json!(context.recipe));
    summary.insert("images_ok".into(), json!(count(RowStatus::Ok)));
    summary.insert("images_failed".into(), json!(rows.len() - count(RowStatus::Ok)));
    summary.insert("images_open".into(), json!(plan.items.len().saturating_sub(rows.len())));
    summary.insert("scores".into(), Value::Object(summarise(&plan.values(), &scored)));
    summary.insert("seconds".into(), json!(context.elapsed.as_secs_f64()));
    summary.insert("seconds_of_images".into(), json!(rows.iter().map(|row| row.seconds).sum::<f64>()));
    summary
}

/// The summary in words, to stdout.
pub fn print(summary: &Map<String, Value>, folder: &Path) -> Result<(), Failure> {
    let number = |key: &str| summary.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    out(&format!(
        "{} images, {} failed, {:.1} s: {}",
        number("images_ok") + number("images_failed"),
        number("images_failed"),
        number("seconds"),
        folder.join("report.html").display()
    ))?;
    let Some(Value::Object(scores)) = summary.get("scores") else { return Ok(()) };
    for (name, value) in scores {
        if let Some(value) = value.as_f64().filter(|_| name != "images") {
            out(&format!("{name:>24}  {value:.4}"))?;
        }
    }
    Ok(())
}
