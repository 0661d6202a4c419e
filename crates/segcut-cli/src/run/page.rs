//! The rows of a run → `report.html`.

use super::journal::{Cut, Row, RowStatus};
use super::plan::Plan;
use super::results::status_name;
use crate::exit::Failure;
use crate::pictures::thumbnail;
use crate::report::{self, Figure, Histogram, ImageRow, RunReport, Sort, Sweep, SweepPoint};
use crate::scoring::Score;
use segcut_io::decode::DecodeOptions;
use serde_json::{Map, Value};
use std::path::Path;

/// Images with pictures in the report; all are in scores.csv.
const SHOWN: usize = 60;
const THUMBNAIL: usize = 240;

/// The report of a run.
pub fn run_page(
    folder: &Path,
    plan: &Plan,
    rows: &[&Row],
    summary: &Map<String, Value>,
    decode: &DecodeOptions,
) -> Result<String, Failure> {
    let table = Table::of(rows, best_cut(plan, summary));
    let row = |row: &&Row| ImageRow { scores: table.cells(row), ..image_row(folder, plan, row, table.cut, decode) };
    let middle = table.rows.get(table.rows.len() / 2);
    let columns = table.columns();
    let report = RunReport {
        title: format!("segcut run: {}", text(summary, "recipe")),
        program: concat!("segcut ", env!("CARGO_PKG_VERSION")).into(),
        recipe_name: text(summary, "recipe"),
        recipe: plan.resolved.clone(),
        summary: figures(summary),
        histograms: table.histograms(),
        sweep: sweep(plan, rows, summary).map(|s| s.with_pictures(strip(folder, middle, decode))),
        sort: (!columns.is_empty()).then_some(Sort { column: 0, higher_is_better: true }),
        columns,
        images: table.rows.iter().take(SHOWN).map(row).collect(),
        left_out: table.rows.len().saturating_sub(SHOWN),
        failed: rows.iter().filter(|row| row.status != RowStatus::Ok).map(|row| failed(row)).collect(),
    };
    report.html().map_err(|e| Failure::output(format!("report.html: {e}")))
}

/// The images that were segmented, with the scores of one setting.
struct Table<'a> {
    cut: usize,
    /// The worst first; where there is no truth, the least certain.
    rows: Vec<&'a Row>,
    scores: Vec<&'static str>,
    confident: bool,
}

impl<'a> Table<'a> {
    fn of(rows: &[&'a Row], cut: usize) -> Self {
        let mut rows: Vec<&Row> = rows.iter().copied().filter(|row| row.status == RowStatus::Ok).collect();
        let rank = |row: &Row| match score(row, cut) {
            Some(score) => score.main().1,
            None => confidence(row, cut).unwrap_or(f64::INFINITY),
        };
        rows.sort_by(|a, b| rank(a).total_cmp(&rank(b)).then_with(|| a.id.cmp(&b.id)));
        let first = rows.iter().find_map(|row| score(row, cut));
        let scores = first.map(|s| s.columns().iter().map(|column| column.0).collect()).unwrap_or_default();
        let confident = rows.iter().any(|row| confidence(row, cut).is_some());
        Self { cut, rows, scores, confident }
    }

    fn columns(&self) -> Vec<String> {
        self.scores.iter().chain(self.confident.then_some(&"confidence")).map(ToString::to_string).collect()
    }

    fn cells(&self, row: &Row) -> Vec<Option<f64>> {
        let score = score(row, self.cut);
        let values = self.scores.iter().map(|name| column(score, name));
        values.chain(self.confident.then(|| confidence(row, self.cut))).collect()
    }

    /// How the first scores are spread over the images.
    fn histograms(&self) -> Vec<Histogram> {
        let spread = |name: &&str| {
            let values: Vec<f64> = self.rows.iter().filter_map(|row| column(score(row, self.cut), name)).collect();
            Histogram::of(*name, &values)
        };
        self.scores.iter().take(3).filter_map(spread).collect()
    }
}

fn score(row: &Row, cut: usize) -> Option<&Score> {
    row.cuts.get(cut)?.score.as_ref()
}

/// One image's regions at every swept value.
fn strip(folder: &Path, row: Option<&&Row>, decode: &DecodeOptions) -> Vec<Option<report::Picture>> {
    let Some(row) = row else { return Vec::new() };
    let picture = |cut: &Cut| {
        let file = cut.files.iter().find(|file| file.path.starts_with("overlays/"))?;
        let png = thumbnail(&folder.join(&file.path), THUMBNAIL, decode)?.png().ok()?;
        Some(report::Picture::png(format!("{} at {}: {} regions", row.id, cut.value, cut.regions), &png))
    };
    row.cuts.iter().map(picture).collect()
}

/// The setting that the pictures show: the best one by its first score.
fn best_cut(plan: &Plan, summary: &Map<String, Value>) -> usize {
    let sweep = summary.get("scores").and_then(|scores| scores.get("sweep"));
    let best = ["covering", "iou"].iter().find_map(|name| sweep?.get(name)?.get("ods_at")?.as_str());
    plan.settings.iter().position(|setting| Some(setting.value.as_str()) == best).unwrap_or(0)
}

/// How certain the shown mask of this row is.
fn confidence(row: &Row, cut: usize) -> Option<f64> {
    row.cuts.get(cut)?.confidence
}

fn column(score: Option<&Score>, name: &str) -> Option<f64> {
    score?.columns().iter().find(|(column, _)| *column == name).map(|(_, value)| *value)
}

fn text(summary: &Map<String, Value>, key: &str) -> String {
    summary.get(key).and_then(Value::as_str).unwrap_or("").to_string()
}

fn figures(summary: &Map<String, Value>) -> Vec<Figure> {
    let count = |key: &str| summary.get(key).and_then(Value::as_u64).unwrap_or(0);
    let mut figures = vec![Figure::new("images", count("images_ok")), Figure::new("failed", count("images_failed"))];
    if let Some(Value::Object(scores)) = summary.get("scores") {
        let numbers = scores.iter().filter_map(|(name, value)| Some((name, value.as_f64()?)));
        figures.extend(
            numbers.filter(|(name, _)| *name != "images").map(|(name, value)| Figure::new(name, format!("{value:.4}"))),
        );
    }
    figures
}

fn image_row(folder: &Path, plan: &Plan, row: &Row, cut: usize, decode: &DecodeOptions) -> ImageRow {
    let chosen = row.cuts.get(cut);
    let picture = |path: &Path, what: &str| {
        let png = thumbnail(path, THUMBNAIL, decode)?.png().ok()?;
        Some(report::Picture::png(format!("{what} of {}", row.id), &png))
    };
    let original = plan.items.iter().find(|item| item.id == row.id);
    let overlay = chosen.and_then(|cut| cut.files.iter().find(|file| file.path.starts_with("overlays/")));
    let mut notes = row.warnings.clone();
    notes.extend(chosen.map(|cut| cut.notes.clone()).unwrap_or_default());
    notes.extend(chosen.map(|cut| format!("{} regions", cut.regions)));
    ImageRow {
        id: row.id.clone(),
        status: status_name(row.status).into(),
        notes,
        scores: Vec::new(),
        input: original.and_then(|item| picture(&item.image, "image")),
        overlay: overlay.and_then(|file| picture(&folder.join(&file.path), "regions")),
    }
}

fn failed(row: &Row) -> report::Failure {
    let message = row.message.clone().unwrap_or_default();
    let code = row.code.clone().unwrap_or_default();
    report::Failure { id: row.id.clone(), reason: format!("{code}: {message}") }
}

/// The swept values with their mean scores.
fn sweep(plan: &Plan, rows: &[&Row], summary: &Map<String, Value>) -> Option<Sweep> {
    if plan.settings.len() < 2 {
        return None;
    }
    let names = ["covering", "pri", "voi", "f", "iou", "f_beta", "boundary_recall", "asa"];
    let first = rows.iter().flat_map(|row| &row.cuts).find_map(|cut| cut.score.as_ref())?;
    let metrics: Vec<String> =
        names.iter().filter(|name| column(Some(first), name).is_some()).map(ToString::to_string).collect();
    let best = best_cut(plan, summary);
    let points = plan.settings.iter().enumerate().map(|(index, setting)| {
        let of_setting: Vec<&Score> =
            rows.iter().filter_map(|row| row.cuts.get(index)).filter_map(|cut| cut.score.as_ref()).collect();
        let mean = |name: &String| {
            let values: Vec<f64> = of_setting.iter().filter_map(|score| column(Some(score), name)).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        SweepPoint {
            value: setting.value.clone(),
            scores: metrics.iter().map(mean).collect(),
            picture: None,
            best: index == best,
        }
    });
    let parameter = plan.resolved.lines().find_map(|line| line.strip_prefix("# sweep: ")).unwrap_or("value");
    let parameter = parameter.split('=').next().unwrap_or(parameter);
    Some(Sweep::new(parameter, &metrics, points.collect()))
}
