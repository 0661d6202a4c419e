//! The report of a run over a data set.

use super::{Figure, Histogram, Picture, Sweep, render};
use serde::Serialize;

/// What a run gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RunReport {
    /// Heading, for example the data set's name.
    pub title: String,
    /// Program and version.
    pub program: String,
    /// Name of the recipe.
    pub recipe_name: String,
    /// The resolved recipe.
    pub recipe: String,
    /// Numbers over all images.
    pub summary: Vec<Figure>,
    /// Distributions of scores.
    pub histograms: Vec<Histogram>,
    /// The swept parameter, where there was one.
    pub sweep: Option<Sweep>,
    /// Names of the scores in every row.
    pub columns: Vec<String>,
    /// The images to show, in any order.
    pub images: Vec<ImageRow>,
    /// By which score the images are ordered.
    pub sort: Option<Sort>,
    /// Images that are in `scores.csv` and not shown here.
    pub left_out: usize,
    /// Images without a result.
    pub failed: Vec<Failure>,
}

/// One image of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ImageRow {
    /// Its name.
    pub id: String,
    /// How its computation ended, for example `converged`.
    pub status: String,
    /// What a user should know.
    pub notes: Vec<String>,
    /// One score per column.
    pub scores: Vec<Option<f64>>,
    /// The image, small.
    pub input: Option<Picture>,
    /// Its regions on the image, small.
    pub overlay: Option<Picture>,
}

/// The score that says which image is worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sort {
    /// Index of the column.
    pub column: usize,
    /// Whether higher is better.
    pub higher_is_better: bool,
}

/// An image without a result.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Failure {
    /// Its name.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl RunReport {
    /// The page: worst images first, those without a score after them, equal ones by name.
    ///
    /// # Errors
    /// The template's own, which data cannot cause.
    pub fn html(mut self) -> Result<String, minijinja::Error> {
        if let Some(sort) = self.sort {
            let badness = |row: &ImageRow| {
                let score = row.scores.get(sort.column).copied().flatten();
                score.map_or(f64::INFINITY, |score| if sort.higher_is_better { score } else { -score })
            };
            self.images.sort_by(|a, b| badness(a).total_cmp(&badness(b)).then_with(|| a.id.cmp(&b.id)));
        }
        render("run.html", &self)
    }
}
