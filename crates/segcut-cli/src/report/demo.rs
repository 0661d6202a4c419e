//! The report of the demo.

use super::{Figure, Picture, render};
use serde::Serialize;

/// What the demo gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct DemoReport {
    /// Heading.
    pub title: String,
    /// One paragraph under it.
    pub text: String,
    /// Program and version.
    pub program: String,
    /// The resolved recipe.
    pub recipe: String,
    /// The scores of the result.
    pub scores: Vec<Figure>,
    /// The steps from the scene to the result.
    pub sections: Vec<Section>,
}

/// A step with its pictures.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Section {
    /// Heading, for example `Eigenvectors`.
    pub title: String,
    /// One paragraph, or empty.
    pub text: String,
    /// The pictures.
    pub panels: Vec<Panel>,
}

/// A picture with its caption.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Panel {
    /// The picture.
    pub picture: Picture,
    /// Its caption.
    pub caption: String,
}

impl DemoReport {
    /// The page.
    ///
    /// # Errors
    /// The template's own, which data cannot cause.
    pub fn html(&self) -> Result<String, minijinja::Error> {
        render("demo.html", self)
    }
}
