//! Results as self-contained HTML pages: data in, text out.
//!
//! A page holds its pictures as `data:` URIs, has no script and forbids everything else by its content security
//! policy. Every text is escaped by the templates. Pages depend on their data alone: no clock, no environment.

mod chart;
mod cluster;
mod compare;
mod demo;
mod picture;
mod run;
mod sweep;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

pub use chart::Histogram;
pub use cluster::{ClusterReport, Curve, Spectrum, Step};
pub use compare::{CompareCell, CompareImage, CompareReport, CompareResult, CompareRow, Paired};
pub use demo::{DemoReport, Panel, Section};
pub use picture::Picture;
pub use run::{Failure, ImageRow, RunReport, Sort};
pub use sweep::{Sweep, SweepPoint};

/// A number of the summary, as it is to be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What it is, for example `covering`.
    pub name: String,
    /// The value as text.
    pub value: String,
    /// A remark, or empty.
    pub note: String,
}

impl Figure {
    /// A figure without a remark.
    pub fn new(name: impl Into<String>, value: impl std::fmt::Display) -> Self {
        Self { name: name.into(), value: value.to_string(), note: String::new() }
    }
}

const TEMPLATES: [(&str, &str); 6] = [
    ("page.html", include_str!("templates/page.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("run.html", include_str!("templates/run.html")),
    ("demo.html", include_str!("templates/demo.html")),
    ("cluster.html", include_str!("templates/cluster.html")),
    ("compare.html", include_str!("templates/compare.html")),
];

/// A template's name and its data → the page.
fn render(template: &str, data: &impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("score", score);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    environment.get_template(template)?.render(Serde(data))
}

/// A number with four decimals; a dash where there is none.
fn score(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(number) if number.is_finite() => format!("{number:.4}"),
        _ => "–".into(),
    }
}

#[cfg(test)]
mod tests;
