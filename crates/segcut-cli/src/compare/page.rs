//! Rows and table → `report.html`.

use super::plan::Plan;
use super::table::{Table, difference};
use super::weights::Weights;
use super::work::{Cell, Row};
use crate::exit::Failure;
use crate::image_job::Failed;
use crate::pictures::overlay;
use crate::report::{CompareImage, CompareReport, CompareResult, Histogram, Picture};
use crate::workers::{Ended, Workers, for_each};
use segcut_core::Image;
use segcut_io::decode;
use segcut_io::labels::{LabelOptions, read_labels};
use segcut_io::overlay::Picture as Drawn;
use std::ops::ControlFlow;
use std::path::Path;

/// Images with pictures in the report; all are in compare.csv.
const SHOWN: usize = 40;
const THUMBNAIL: usize = 240;

/// The report of a comparison: the images on which the recipes differ most come first.
pub fn page(folder: &Path, plan: &Plan, rows: &[Row], table: &Table, workers: Workers) -> Result<String, Failure> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| difference(&rows[b]).total_cmp(&difference(&rows[a])).then(a.cmp(&b)));
    order.truncate(SHOWN);
    let mut images: Vec<Option<CompareImage>> = order.iter().map(|_| None).collect();
    for_each(
        workers,
        &order,
        |_, &index| image(folder, plan, index, &rows[index]),
        |at, ended| {
            if let Ended::Result(image) = ended {
                images[at] = Some(image);
            }
            ControlFlow::Continue(())
        },
    )?;
    let text = |pipeline: &segcut::Pipeline| toml::to_string(pipeline.resolved()).map_err(Failure::usage);
    let recipes = plan.contenders.iter().map(|c| Ok((c.name.clone(), text(&c.pipeline)?)));
    let report = CompareReport {
        title: "segcut compare".into(),
        program: concat!("segcut ", env!("CARGO_PKG_VERSION")).into(),
        images_compared: table.compared,
        base: plan.contenders.first().map(|contender| contender.name.clone()).unwrap_or_default(),
        metrics: table.metrics.clone(),
        rows: table.rows.clone(),
        weights: weights(plan, rows),
        images: images.into_iter().flatten().collect(),
        left_out: rows.len().saturating_sub(SHOWN),
        recipes: recipes.collect::<Result<_, Failure>>()?,
    };
    report.html().map_err(|e| Failure::output(format!("report.html: {e}")))
}

/// Per recipe the weights of the graphs of all images.
fn weights(plan: &Plan, rows: &[Row]) -> Vec<Histogram> {
    let of_recipe = |(recipe, name): (usize, &String)| {
        let mut sum = Weights::default();
        rows.iter().filter_map(|row| row.cells[recipe].as_ref().ok()).for_each(|cell| sum.add(&cell.weights));
        sum.histogram(name)
    };
    let names: Vec<String> = plan.contenders.iter().map(|contender| contender.name.clone()).collect();
    names.iter().enumerate().filter_map(of_recipe).collect()
}

/// One image with its results. Pictures that cannot be made are left out; the table tells why.
fn image(folder: &Path, plan: &Plan, index: usize, row: &Row) -> CompareImage {
    let item = &plan.items[index];
    let options = plan.groups.first().map(|group| group.decode.clone()).unwrap_or_default();
    let opened = decode::open(&item.image, &options).ok().map(|decoded| decoded.image);
    let result = |(name, cell): (&String, &Result<Cell, Failed>)| match cell {
        Ok(cell) => CompareResult {
            recipe: name.clone(),
            text: caption(cell),
            overlay: opened.as_ref().and_then(|image| regions(image, &folder.join(&cell.file), name)),
        },
        Err(failed) => CompareResult { recipe: name.clone(), text: failed.message.clone(), overlay: None },
    };
    let names: Vec<String> = plan.contenders.iter().map(|contender| contender.name.clone()).collect();
    CompareImage {
        id: item.id.clone(),
        input: opened.as_ref().and_then(|image| small(&Drawn::from_image(image), &item.id)),
        results: names.iter().zip(&row.cells).map(result).collect(),
    }
}

fn caption(cell: &Cell) -> String {
    let score = cell.score.as_ref().map(|score| score.main());
    let score = score.map(|(name, value)| format!("{name} {value:.3}, ")).unwrap_or_default();
    format!("{score}{} regions", cell.regions)
}

/// The stored label map over its image.
fn regions(image: &Image, file: &Path, recipe: &str) -> Option<Picture> {
    let labels = read_labels(file, &LabelOptions::default()).ok()?;
    small(&overlay(image, &labels).ok()?, &format!("regions by {recipe}"))
}

fn small(picture: &Drawn, text: &str) -> Option<Picture> {
    Some(Picture::png(text, &picture.thumbnail(THUMBNAIL).png().ok()?))
}
