//! `segcut demo`: a drawn scene with known regions → pictures, scores and `report.html`.

use crate::args::{DemoArgs, Talk};
use crate::exit::{Code, Failure, Outcome};
use crate::pictures::{borders, overlay};
use crate::print::{out, out_json};
use crate::recipe_choice::{choose, pipeline};
use crate::report::{self, DemoReport, Figure, Panel, Section};
use crate::save::node_field;
use crate::scene::{self, Scene, points};
use segcut::{Pipeline, Prepared, Segmentation};
use segcut_core::Context;
use segcut_eval::{Annotation, ImageScores, score_image};
use segcut_io::atomic;
use segcut_io::labels::{encode_labels, mask_png};
use segcut_io::overlay::{Picture, field_picture};
use serde_json::json;
use std::path::Path;

/// Eigenvectors that are shown.
const EIGENVECTORS: usize = 6;

/// Draws, segments, scores and reports.
pub fn demo(args: &DemoArgs, talk: Talk) -> Outcome {
    let pipeline = pipeline(&choose(&args.recipe)?, args.recipe.features.cache.as_deref())?;
    let scene = scene::draw(pipeline.seed()).map_err(Failure::usage)?;
    let context = Context::seeded(pipeline.seed());
    let prepared = pipeline.prepare(&scene.image, &context).map_err(Failure::usage)?;
    let done = pipeline.finish(&prepared, &context).map_err(Failure::usage)?;
    let scores = score_image(&done.labels, &[Annotation::new(scene.truth.clone())]).map_err(Failure::usage)?;
    let page = Page { folder: &args.output, pipeline: &pipeline, scene: &scene, prepared: &prepared, done: &done };
    page.write(&args.recipe.recipe, &scores)?;
    let report = args.output.join("report.html");
    if talk.json {
        return out_json(&json!({
            "recipe": args.recipe.recipe, "regions": done.labels.n(), "truth_regions": scene.truth.n(),
            "scores": scores, "report": report,
        }));
    }
    if !talk.quiet {
        for figure in figures(&scores) {
            out(&format!("{:>20}  {}", figure.name, figure.value))?;
        }
        out(&format!("{} regions, {} drawn: {}", done.labels.n(), scene.truth.n(), report.display()))?;
    }
    Ok(Code::Fine)
}

/// The files of a demo.
struct Page<'a> {
    folder: &'a Path,
    pipeline: &'a Pipeline,
    scene: &'a Scene,
    prepared: &'a Prepared<'a>,
    done: &'a Segmentation,
}

impl Page<'_> {
    fn write(&self, recipe: &str, scores: &ImageScores) -> Result<(), Failure> {
        let resolved = toml::to_string(self.pipeline.resolved()).map_err(Failure::output)?;
        self.file("recipe.toml", resolved.as_bytes())?;
        self.data()?;
        let section = |title: &str, text: &str, panels| Section { title: title.into(), text: text.into(), panels };
        let report = DemoReport {
            title: "segcut demo".into(),
            text: "A drawn scene with exactly known regions, segmented without labels or weights.".into(),
            program: concat!("segcut ", env!("CARGO_PKG_VERSION")).into(),
            recipe: format!("# {recipe}\n{resolved}"),
            scores: figures(scores),
            sections: vec![
                section(
                    "Scene",
                    "Gradients, textures, shading, noise, and things in front of each other.",
                    self.scene()?,
                ),
                section("Steps", "Superpixels, then eigenvectors of their graph.", self.steps()?),
                section("Result", "The regions that were found.", self.result()?),
            ],
        };
        let html = report.html().map_err(|e| Failure::output(format!("report.html: {e}")))?;
        self.file("report.html", html.as_bytes())
    }

    /// Labels, truth, and the point sets for `segcut cluster`.
    fn data(&self) -> Result<(), Failure> {
        let Scene { truth, mask, .. } = self.scene;
        self.file("labels.png", &encode_labels(&self.done.labels, 0).map_err(Failure::output)?)?;
        self.file("truth.png", &encode_labels(truth, 0).map_err(Failure::output)?)?;
        self.file("truth.mask.png", &mask_png(mask).map_err(Failure::output)?)?;
        let seed = self.pipeline.seed();
        self.file("moons.csv", points::csv(&points::moons(seed)).as_bytes())?;
        self.file("rings.csv", points::csv(&points::rings(seed)).as_bytes())
    }

    fn scene(&self) -> Result<Vec<Panel>, Failure> {
        let Scene { image, truth, .. } = self.scene;
        let drawn = overlay(image, truth).map_err(Failure::output)?;
        Ok(vec![
            self.panel("scene.png", "the scene", &Picture::from_image(image))?,
            self.panel("truth.overlay.png", "its regions as drawn", &drawn)?,
        ])
    }

    fn steps(&self) -> Result<Vec<Panel>, Failure> {
        let superpixels = self.prepared.superpixels();
        let caption = format!("{} superpixels", superpixels.n());
        let drawn = borders(self.prepared.working(), superpixels).map_err(Failure::output)?;
        let mut panels = vec![self.panel("superpixels.png", &caption, &drawn)?];
        panels.extend(self.eigenvectors()?);
        Ok(panels)
    }

    fn result(&self) -> Result<Vec<Panel>, Failure> {
        let caption = format!("{} regions", self.done.labels.n());
        let drawn = overlay(&self.scene.image, &self.done.labels).map_err(Failure::output)?;
        Ok(vec![self.panel("overlay.png", &caption, &drawn)?])
    }

    /// One picture per eigenvector, where the clusterer computed some.
    fn eigenvectors(&self) -> Result<Vec<Panel>, Failure> {
        let Some(vectors) = &self.done.clustering.embedding else { return Ok(Vec::new()) };
        let values = self.done.clustering.eigenvalues.as_deref().unwrap_or(&[]);
        let mut panels = Vec::new();
        for (index, column) in vectors.columns().into_iter().enumerate().take(EIGENVECTORS) {
            let Some(field) = node_field(self.prepared.superpixels(), |node| column[node] as f32) else { continue };
            let value = values.get(index).map(|v| format!(", λ = {v:.4}")).unwrap_or_default();
            let caption = format!("eigenvector {}{value}", index + 1);
            let name = format!("eigenvector{}.png", index + 1);
            panels.push(self.panel(&name, &caption, &field_picture(&field, None))?);
        }
        Ok(panels)
    }

    fn panel(&self, name: &str, caption: &str, picture: &Picture) -> Result<Panel, Failure> {
        let png = picture.png().map_err(Failure::output)?;
        self.file(name, &png)?;
        Ok(Panel { picture: report::Picture::png(caption, &png), caption: caption.into() })
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        atomic::write(&self.folder.join(name), bytes).map_err(Failure::output)
    }
}

fn figures(scores: &ImageScores) -> Vec<Figure> {
    [
        ("covering", scores.regions.covering),
        ("PRI", scores.regions.pri),
        ("VoI (bits)", scores.regions.voi),
        ("boundary F", scores.boundary.diagonal.f()),
        ("boundary F at 2 px", scores.boundary.px2.f()),
        ("mean IoU", scores.regions.miou),
    ]
    .map(|(name, value)| Figure::new(name, format!("{value:.4}")))
    .to_vec()
}
