//! The report of a comparison of recipes.

use super::{Histogram, Picture, render};
use serde::Serialize;

/// What a comparison gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CompareReport {
    /// Heading.
    pub title: String,
    /// Program and version.
    pub program: String,
    /// How many images every recipe has a result for.
    pub images_compared: usize,
    /// The recipe that the others are compared with.
    pub base: String,
    /// Names of the scores.
    pub metrics: Vec<String>,
    /// One row per recipe, the base first.
    pub rows: Vec<CompareRow>,
    /// The weights of each recipe's graphs.
    pub weights: Vec<Histogram>,
    /// Pictures per image.
    pub images: Vec<CompareImage>,
    /// Images that are in the table and not shown.
    pub left_out: usize,
    /// The resolved recipes: name and text.
    pub recipes: Vec<(String, String)>,
}

/// One recipe of the table.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CompareRow {
    /// The recipe.
    pub recipe: String,
    /// One cell per metric.
    pub cells: Vec<CompareCell>,
}

/// One score of one recipe.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CompareCell {
    /// The mean over the images.
    pub mean: Option<f64>,
    /// The difference to the base; none in its own row.
    pub paired: Option<Paired>,
}

/// Differences of two recipes on the same images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    /// Images with both scores.
    pub images: usize,
    /// Mean difference.
    pub mean: f64,
    /// Standard deviation of the differences (n − 1; 0 for one image).
    pub deviation: f64,
    /// Standard error of the mean difference.
    pub error: f64,
    /// Images on which the recipe scores higher than the base.
    pub higher: usize,
    /// Images on which it scores lower.
    pub lower: usize,
}

impl Paired {
    /// Scores of a recipe and of the base on the same images → their differences; pairs with a score missing are
    /// left out; none without a pair.
    pub fn of(scores: &[Option<f64>], base: &[Option<f64>]) -> Option<Self> {
        let pairs = scores.iter().zip(base);
        let differences: Vec<f64> = pairs.filter_map(|(&a, &b)| Some(a? - b?)).collect();
        if differences.is_empty() {
            return None;
        }
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
        let deviation = if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
        Some(Self {
            images: differences.len(),
            mean,
            deviation,
            error: deviation / n.sqrt(),
            higher: differences.iter().filter(|d| **d > 0.0).count(),
            lower: differences.iter().filter(|d| **d < 0.0).count(),
        })
    }
}

/// One image with the result of every recipe.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CompareImage {
    /// Its name.
    pub id: String,
    /// The image, small.
    pub input: Option<Picture>,
    /// The results, in the order of the rows.
    pub results: Vec<CompareResult>,
}

/// The result of one recipe on one image.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CompareResult {
    /// The recipe.
    pub recipe: String,
    /// The score to show, or an error, as text.
    pub text: String,
    /// Its regions on the image, small.
    pub overlay: Option<Picture>,
}

impl CompareReport {
    /// The page.
    ///
    /// # Errors
    /// The template's own, which data cannot cause.
    pub fn html(&self) -> Result<String, minijinja::Error> {
        render("compare.html", self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_counted_by_hand() {
        let paired =
            Paired::of(&[Some(3.0), Some(1.0), None, Some(2.0)], &[Some(1.0), Some(1.0), Some(0.0), Some(4.0)]);
        let expected = Paired { images: 3, mean: 0.0, deviation: 2.0, error: 2.0 / 3f64.sqrt(), higher: 1, lower: 1 };
        assert_eq!(paired, Some(expected));
        assert_eq!(Paired::of(&[None], &[Some(1.0)]), None);
        assert_eq!(Paired::of(&[Some(1.5)], &[Some(1.0)]).map(|p| (p.mean, p.error)), Some((0.5, 0.0)));
    }
}
