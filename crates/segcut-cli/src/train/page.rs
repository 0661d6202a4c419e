//! The report of a training.

use super::Told;
use super::folder::{LOSSES, losses};
use crate::cluster::plane::principal_plane;
use crate::exit::Failure;
use crate::report::{ClusterReport, Curve, Figure, Panel, Picture, Spectrum};
use ndarray::{Array2, Axis, concatenate};
use segcut_core::{Context, Fitted, GraphSource};
use segcut_io::atomic;
use segcut_io::overlay::scatter;
use std::path::Path;

/// Pixels per side of the picture.
const SIDE: usize = 640;

/// Nodes in the picture, at least one graph's.
const SHOWN: usize = 20_000;

/// What the report is made of.
pub struct Page<'a> {
    /// Where it is written.
    pub folder: &'a Path,
    /// The numbers.
    pub told: &'a Told,
    /// The model with its losses.
    pub fitted: &'a Fitted,
    /// The resolved recipe.
    pub resolved: &'a toml::Table,
    /// For the model's clusters.
    pub context: &'a Context,
}

/// Some nodes as the model sees them.
struct Seen {
    rows: Vec<Array2<f64>>,
    labels: Vec<u32>,
    values: Option<Vec<f64>>,
    k: usize,
}

impl Page<'_> {
    /// Writes `report.html`, `losses.csv`, `recipe.toml` and, where the model has an embedding, its picture.
    pub fn write(&self, graphs: &mut dyn GraphSource) -> Result<(), Failure> {
        let recipe = toml::to_string(self.resolved).map_err(Failure::output)?;
        let seen = self.seen(graphs)?;
        let report = ClusterReport {
            title: format!("segcut train: {}", self.told.method),
            text: format!("Learned from {} nodes, {}.", self.told.n, self.told.status.replace('_', " ")),
            program: concat!("segcut ", env!("CARGO_PKG_VERSION")).into(),
            figures: self.figures(),
            notes: self.told.notes.clone(),
            panels: self.panels(&seen)?,
            spectrum: seen.values.as_deref().and_then(|values| Spectrum::of(values, seen.k)),
            curve: Curve::of(&self.fitted.losses),
            steps: Vec::new(),
            recipe: recipe.clone(),
        };
        let html = report.html().map_err(|e| Failure::output(format!("report.html: {e}")))?;
        self.file("recipe.toml", recipe.as_bytes())?;
        self.file(LOSSES, losses(self.fitted).as_bytes())?;
        self.file("report.html", html.as_bytes())
    }

    fn figures(&self) -> Vec<Figure> {
        let loss = self.told.loss.map(|loss| Figure::new("loss", format!("{loss:.5}")));
        let counts = [("epochs", self.told.epochs), ("nodes", self.told.n)];
        counts.map(|(name, count)| Figure::new(name, count.to_string())).into_iter().chain(loss).collect()
    }

    /// The first graphs through the model.
    fn seen(&self, graphs: &mut dyn GraphSource) -> Result<Seen, Failure> {
        let mut seen = Seen { rows: Vec::new(), labels: Vec::new(), values: None, k: 0 };
        for index in 0..graphs.len() {
            let graph = graphs.graph(index).map_err(Failure::inputs)?;
            let clustering = self.fitted.model.cluster(&graph, self.context).map_err(Failure::inputs)?;
            seen.labels.extend(clustering.partition.labels());
            seen.rows.extend(clustering.embedding.or(clustering.soft));
            if index == 0 {
                (seen.values, seen.k) = (clustering.eigenvalues, clustering.partition.k());
            }
            if seen.labels.len() >= SHOWN {
                break;
            }
        }
        Ok(seen)
    }

    fn panels(&self, seen: &Seen) -> Result<Vec<Panel>, Failure> {
        let views: Vec<_> = seen.rows.iter().map(|rows| rows.view()).collect();
        let Ok(rows) = concatenate(Axis(0), &views) else { return Ok(Vec::new()) };
        if rows.nrows() != seen.labels.len() || rows.is_empty() {
            return Ok(Vec::new());
        }
        let png = scatter(&principal_plane(&rows), &seen.labels, SIDE).png().map_err(Failure::output)?;
        self.file("embedding.png", &png)?;
        let caption = "clusters, embedding on its two principal axes";
        Ok(vec![Panel { picture: Picture::png(caption, &png), caption: caption.into() }])
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        atomic::write(&self.folder.join(name), bytes).map_err(Failure::output)
    }
}
