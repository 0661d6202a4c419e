//! Rows → means and paired differences per recipe and score.

use super::plan::Plan;
use super::work::{Cell, Row};
use crate::report::{CompareCell, CompareRow, Paired};

/// Every score of every recipe.
#[derive(Debug)]
pub struct Table {
    /// Names of the scores.
    pub metrics: Vec<String>,
    /// Per recipe, a cell per score; over the images that every recipe has a result for.
    pub rows: Vec<CompareRow>,
    /// How many images these are.
    pub compared: usize,
}

impl Table {
    /// Compares the recipes with the first.
    pub fn new(plan: &Plan, rows: &[Row]) -> Self {
        let complete: Vec<Vec<&Cell>> = rows.iter().filter_map(complete).collect();
        let first = complete.first().and_then(|cells| cells.first());
        let metrics: Vec<String> =
            first.map(|cell| values(cell).into_iter().map(|(name, _)| name.to_string()).collect()).unwrap_or_default();
        let column = |recipe: usize, metric: &str| -> Vec<Option<f64>> {
            complete.iter().map(|cells| value(cells[recipe], metric)).collect()
        };
        let cell = |recipe: usize, metric: &String| {
            let own = column(recipe, metric);
            let paired = if recipe == 0 { None } else { Paired::of(&own, &column(0, metric)) };
            CompareCell { mean: mean(&own), paired }
        };
        let row = |(recipe, name): (usize, &String)| CompareRow {
            recipe: name.clone(),
            cells: metrics.iter().map(|metric| cell(recipe, metric)).collect(),
        };
        let names: Vec<String> = plan.contenders.iter().map(|contender| contender.name.clone()).collect();
        let rows = names.iter().enumerate().map(row).collect();
        Self { metrics, rows, compared: complete.len() }
    }
}

/// The results of an image that every recipe has a result for.
pub fn complete(row: &Row) -> Option<Vec<&Cell>> {
    row.cells.iter().map(|cell| cell.as_ref().ok()).collect()
}

/// Names and values of a result: the scores, where there is truth, else how far it is from the first recipe's; and
/// the number of regions.
pub fn values(cell: &Cell) -> Vec<(&'static str, f64)> {
    let mut values = cell.score.as_ref().map(|score| score.columns()).unwrap_or_default();
    if values.is_empty() {
        values.extend(cell.apart.map(|apart| ("voi_to_first", apart)));
    }
    values.push(("regions", cell.regions as f64));
    values
}

fn value(cell: &Cell, metric: &str) -> Option<f64> {
    values(cell).into_iter().find(|(name, _)| *name == metric).map(|(_, value)| value)
}

/// The mean of what is there.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let there: Vec<f64> = values.iter().copied().flatten().collect();
    (!there.is_empty()).then(|| there.iter().sum::<f64>() / there.len() as f64)
}

/// How much the recipes differ on an image: the range of the score that ranks images, and without truth the largest
/// distance from the first recipe's result.
pub fn difference(row: &Row) -> f64 {
    let cells = row.cells.iter().filter_map(|cell| cell.as_ref().ok());
    let scores: Vec<f64> = cells.clone().filter_map(|cell| Some(cell.score.as_ref()?.main().1)).collect();
    if scores.is_empty() {
        return cells.filter_map(|cell| cell.apart).fold(0.0, f64::max);
    }
    let low = scores.iter().copied().fold(f64::INFINITY, f64::min);
    scores.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::weights::Weights;
    use crate::image_job::Failed;

    fn cell(apart: f64) -> Cell {
        let weights = Weights::default();
        Cell { regions: 2, score: None, apart: Some(apart), weights, notes: vec![], file: String::new(), seconds: 0.0 }
    }

    #[test]
    fn images_differ_by_their_farthest_result() {
        let row = Row { cells: vec![Ok(cell(0.0)), Ok(cell(1.5)), Ok(cell(0.5))] };
        assert_eq!((difference(&row), complete(&row).map(|cells| cells.len())), (1.5, Some(3)));
        let row = Row { cells: vec![Ok(cell(0.0)), Err(Failed::error("x", &"y"))] };
        assert!(complete(&row).is_none());
        assert_eq!(difference(&row), 0.0);
    }

    #[test]
    fn means_leave_out_what_is_missing() {
        assert_eq!(mean(&[Some(1.0), None, Some(3.0)]), Some(2.0));
        assert_eq!(mean(&[None]), None);
        assert_eq!(values(&cell(0.5)), [("voi_to_first", 0.5), ("regions", 2.0)]);
    }
}
