//! The report of one clustering.

use super::input::Nodes;
use super::plane::principal_plane;
use super::recipe::Chosen;
use super::results::{Told, Values};
use crate::exit::Failure;
use crate::report::{ClusterReport, Curve, Figure, Panel, Picture, Spectrum, Step};
use segcut_core::{Clustering, RegionGraph, VOID};
use segcut_eval::{Contingency, Overlap, best_matching};
use segcut_io::atomic;
use segcut_io::overlay::scatter;
use std::collections::BTreeMap;
use std::path::Path;

/// Pixels per side of a picture.
const SIDE: usize = 640;

/// What the report is made of.
pub struct Page<'a> {
    /// Where it is written.
    pub folder: &'a Path,
    /// The method.
    pub chosen: &'a Chosen,
    /// What was clustered.
    pub nodes: &'a Nodes,
    /// Its graph.
    pub graph: &'a RegionGraph,
    /// The result.
    pub clustering: &'a Clustering,
    /// True labels.
    pub truth: Option<&'a [u32]>,
    /// The numbers.
    pub told: &'a Told,
}

impl Page<'_> {
    /// Writes `report.html`, `recipe.toml` and the pictures.
    pub fn write(&self) -> Result<(), Failure> {
        let resolved = toml::to_string(self.chosen.grouping.resolved()).map_err(Failure::output)?;
        self.file("recipe.toml", resolved.as_bytes())?;
        let report = ClusterReport {
            title: format!("segcut cluster: {}", self.chosen.method),
            text: format!("{} nodes in {} clusters, {}.", self.told.n, self.told.k, self.told.status.replace('_', " ")),
            program: concat!("segcut ", env!("CARGO_PKG_VERSION")).into(),
            figures: self.figures(),
            notes: self.told.notes.clone(),
            panels: self.panels()?,
            spectrum: self.clustering.eigenvalues.as_deref().and_then(|values| Spectrum::of(values, self.told.k)),
            curve: Curve::of(&self.clustering.losses),
            steps: self.steps()?,
            recipe: resolved,
        };
        let html = report.html().map_err(|e| Failure::output(format!("report.html: {e}")))?;
        self.file("report.html", html.as_bytes())
    }

    fn figures(&self) -> Vec<Figure> {
        let scores = self.told.scores.iter().flat_map(super::results::Scores::named);
        let values = self.told.values.named().into_iter().chain(scores);
        values.map(|(name, value)| Figure::new(name, format!("{value:.5}"))).collect()
    }

    /// Points of two dimensions as they are, others by two vectors of their embedding; an array as an image.
    fn panels(&self) -> Result<Vec<Panel>, Failure> {
        let Some((caption, places)) = self.places() else { return Ok(Vec::new()) };
        let labels = self.clustering.partition.labels();
        let mut panels = vec![self.panel("scatter.png", &format!("clusters, {caption}"), &places, labels)?];
        if let Some(truth) = self.truth {
            let truth = in_colors_of(labels, truth)?;
            panels.push(self.panel("truth.png", &format!("true labels, {caption}"), &places, &truth)?);
        }
        Ok(panels)
    }

    fn places(&self) -> Option<(&'static str, Vec<[f64; 2]>)> {
        if let Some((shape, cells)) = self.nodes.array.as_ref().filter(|(shape, _)| shape.len() == 2) {
            let place = |&cell: &u32| [cell as usize % shape[1], cell as usize / shape[1]];
            return Some((
                "cells in their places",
                cells.iter().map(place).map(|[x, y]| [x as f64, -(y as f64)]).collect(),
            ));
        }
        if let Some(points) = self.nodes.points.as_ref().filter(|points| points.ncols() == 2) {
            return Some(("points", points.rows().into_iter().map(|row| [row[0], row[1]]).collect()));
        }
        let vectors = self.clustering.embedding.as_ref()?;
        if self.clustering.eigenvalues.is_none() {
            return Some(("embedding on its two principal axes", principal_plane(vectors)));
        }
        // The first vector of a connected graph is constant.
        let first = usize::from(vectors.ncols() > 2);
        (vectors.ncols() > first + 1).then(|| {
            let rows = vectors.rows().into_iter();
            ("eigenvectors 2 and 3", rows.map(|row| [row[first], row[first + 1]]).collect())
        })
    }

    fn panel(&self, name: &str, caption: &str, places: &[[f64; 2]], labels: &[u32]) -> Result<Panel, Failure> {
        let png = scatter(places, labels, SIDE).png().map_err(Failure::output)?;
        self.file(name, &png)?;
        Ok(Panel { picture: Picture::png(caption, &png), caption: caption.into() })
    }

    fn steps(&self) -> Result<Vec<Step>, Failure> {
        let step = |partition: &segcut_core::Partition| {
            let values = Values::of(self.graph.affinity(), partition)?;
            let value = |value: Option<f64>| value.unwrap_or(0.0);
            Ok(Step {
                k: partition.k(),
                ncut: value(values.ncut),
                ratio_cut: value(values.ratio_cut),
                cheeger: value(values.cheeger),
                sizes: partition.sizes(),
            })
        };
        self.clustering.steps.iter().map(step).collect()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        atomic::write(&self.folder.join(name), bytes).map_err(Failure::output)
    }
}

/// True labels with the number of the cluster that each is matched with; others follow after the clusters.
fn in_colors_of(labels: &[u32], truth: &[u32]) -> Result<Vec<u32>, Failure> {
    let table = Contingency::from_labels(labels, truth).map_err(Failure::inputs)?;
    let matched = best_matching(&table, Overlap::Pixels);
    let pairs = matched.iter().map(|cell| {
        let (cluster, class) = (cell.prediction as usize, cell.truth as usize);
        (table.truth()[class].label, table.prediction()[cluster].label)
    });
    let cluster_of: BTreeMap<u32, u32> = pairs.collect();
    let next = labels.iter().max().map_or(0, |&label| label + 1);
    let number = |&label: &u32| match cluster_of.get(&label) {
        Some(&cluster) => cluster,
        None if label == VOID => VOID,
        None => next + label,
    };
    Ok(truth.iter().map(number).collect())
}
