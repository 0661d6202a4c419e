//! Rows and table → compare.csv, summary.json and the table on stdout.

use super::plan::Plan;
use super::table::{Table, complete};
use super::work::{Cell, Row};
use crate::exit::Failure;
use crate::print::out;
use crate::scoring::Score;
use crate::summary::summarise;
use segcut_io::atomic;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;

/// Writes both files; gives the summary.
pub fn write(folder: &Path, plan: &Plan, rows: &[Row], table: &Table, elapsed: Duration) -> Result<Value, Failure> {
    atomic::write(&folder.join("compare.csv"), &compare_csv(plan, rows)?).map_err(Failure::output)?;
    let summary = summary(plan, rows, table, elapsed);
    let text = serde_json::to_vec_pretty(&summary).map_err(Failure::output)?;
    atomic::write(&folder.join("summary.json"), &text).map_err(Failure::output)?;
    Ok(summary)
}

/// One row per image and recipe; images sorted by path, recipes as they were asked for.
fn compare_csv(plan: &Plan, rows: &[Row]) -> Result<Vec<u8>, Failure> {
    let scored = |row: &Row| row.cells.iter().flatten().find_map(|cell| cell.score.clone());
    let columns: Vec<&str> =
        rows.iter().find_map(scored).map(|s| s.columns().iter().map(|c| c.0).collect()).unwrap_or_default();
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["id", "recipe", "status", "regions", "voi_to_first"];
    header.extend(&columns);
    header.extend(["notes", "code", "message"]);
    csv.write_record(&header).map_err(Failure::output)?;
    for (item, row) in plan.items.iter().zip(rows) {
        for (contender, cell) in plan.contenders.iter().zip(&row.cells) {
            let mut record = vec![item.id.clone(), contender.name.clone()];
            match cell {
                Ok(cell) => record.extend(result_fields(cell, &columns)),
                Err(failed) => {
                    record.push(crate::run::status_name(failed.status).to_string());
                    record.extend(vec![String::new(); columns.len() + 3]);
                    record.extend([failed.code.clone(), failed.message.clone()]);
                }
            }
            csv.write_record(&record).map_err(Failure::output)?;
        }
    }
    csv.into_inner().map_err(Failure::output)
}

fn result_fields(cell: &Cell, columns: &[&str]) -> Vec<String> {
    let six = |value: f64| format!("{value:.6}");
    let scores = cell.score.as_ref().map(Score::columns).unwrap_or_default();
    let score = |name: &&str| scores.iter().find(|(column, _)| column == name).map(|(_, value)| six(*value));
    let mut fields = vec!["ok".to_string(), cell.regions.to_string(), cell.apart.map(six).unwrap_or_default()];
    fields.extend(columns.iter().map(|name| score(name).unwrap_or_default()));
    fields.extend([cell.notes.join("; "), String::new(), String::new()]);
    fields
}

fn summary(plan: &Plan, rows: &[Row], table: &Table, elapsed: Duration) -> Value {
    let failed = rows.iter().filter(|row| row.cells.iter().any(Result::is_err)).count();
    let recipe = |index: usize| recipe_summary(plan, rows, table, index);
    json!({
        "images": rows.len(),
        "images_compared": table.compared,
        "images_failed": failed,
        "base": plan.contenders.first().map(|contender| contender.name.as_str()),
        "recipes": (0..plan.contenders.len()).map(recipe).collect::<Vec<Value>>(),
        "seconds": elapsed.as_secs_f64(),
    })
}

/// Means and paired differences over the images that all recipes have, and the scores of this set as `eval` gives them.
fn recipe_summary(plan: &Plan, rows: &[Row], table: &Table, index: usize) -> Value {
    let cells: Vec<&Cell> = rows.iter().filter_map(|row| complete(row).map(|cells| cells[index])).collect();
    let scores: Vec<Vec<&Score>> = cells.iter().filter_map(|cell| Some(vec![cell.score.as_ref()?])).collect();
    let named = |pick: &dyn Fn(usize) -> Option<Value>| -> Map<String, Value> {
        let pairs = table.metrics.iter().enumerate().filter_map(|(i, name)| Some((name.clone(), pick(i)?)));
        pairs.collect()
    };
    let of_recipe = |metric: usize| table.rows.get(index).and_then(|row| row.cells.get(metric));
    json!({
        "recipe": plan.contenders[index].name,
        "images_failed": rows.iter().filter(|row| row.cells[index].is_err()).count(),
        "mean": named(&|metric| Some(json!(of_recipe(metric)?.mean?))),
        "paired": named(&|metric| Some(json!(of_recipe(metric)?.paired?))),
        "scores": (!scores.is_empty()).then(|| summarise(&[String::new()], &scores)),
        "seconds_per_image": cells.iter().map(|cell| cell.seconds).sum::<f64>() / cells.len().max(1) as f64,
    })
}

/// The table, to stdout: a line per score; under the second recipe and those after it the mean difference to the
/// first with its standard error.
pub fn print(plan: &Plan, table: &Table, folder: &Path) -> Result<(), Failure> {
    let report = folder.join("report.html");
    out(&format!("{} of {} images compared: {}", table.compared, plan.items.len(), report.display()))?;
    let width = table.metrics.iter().map(String::len).max().unwrap_or(0);
    let names = table.rows.iter().map(|row| format!("  {:>28}", shortened(&row.recipe, 28)));
    out(&format!("{:width$}{}", "", names.collect::<String>()))?;
    for (index, metric) in table.metrics.iter().enumerate() {
        let cells = table.rows.iter().map(|row| {
            let cell = &row.cells[index];
            let mean = cell.mean.map_or_else(|| "-".to_string(), |mean| format!("{mean:.4}"));
            let difference = cell.paired.map(|paired| format!(" ({:+.4} ±{:.4})", paired.mean, paired.error));
            format!("  {:>28}", mean + &difference.unwrap_or_default())
        });
        out(&format!("{metric:width$}{}", cells.collect::<String>()))?;
    }
    Ok(())
}

/// The end of a name that is too long for its column.
fn shortened(name: &str, most: usize) -> String {
    let count = name.chars().count();
    if count <= most { name.to_string() } else { "…".chars().chain(name.chars().skip(count + 1 - most)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_their_end() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcdef", 3), "…ef");
    }
}
