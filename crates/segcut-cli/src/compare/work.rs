//! One image → its regions by every recipe, written and scored.

use super::plan::Plan;
use super::weights::Weights;
use crate::image_job::{Failed, Limits, Problem, notes_of};
use crate::scoring::Score;
use segcut::Prepared;
use segcut_core::{Context, Image, LabelMap};
use segcut_eval::{Contingency, variation_of_information};
use segcut_io::atomic::{self, WriteError};
use segcut_io::dataset::Item;
use segcut_io::labels::{LabelFormat, encode_labels, label_format};
use segcut_io::truth::Truth;
use std::path::Path;
use std::time::{Duration, Instant};

/// What every image of the comparison shares.
pub struct Work<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// Memory and signals, one per group of recipes that read images alike.
    pub limits: &'a [Limits<'a>],
    /// The folder of the results.
    pub folder: &'a Path,
}

/// The result of one recipe on one image.
#[derive(Debug)]
pub struct Cell {
    /// Regions made.
    pub regions: usize,
    /// Against the truth, where there is one.
    pub score: Option<Score>,
    /// Variation of information between this result and the first recipe's, in bits.
    pub apart: Option<f64>,
    /// The weights of the graph that was cut.
    pub weights: Weights,
    /// What a user should know.
    pub notes: Vec<String>,
    /// The label map, from the folder of the results.
    pub file: String,
    /// From image to labels; what is shared with other recipes counts in full.
    pub seconds: f64,
}

/// One image: a result, or an error, per recipe.
#[derive(Debug)]
pub struct Row {
    /// In the order of the recipes.
    pub cells: Vec<Result<Cell, Failed>>,
}

/// A row, or what ends the whole comparison.
pub enum Done {
    /// The image has results or errors of its own.
    Row(Row),
    /// The user stopped it.
    Cancelled,
    /// The folder takes no more files.
    Unwritable(WriteError),
}

/// What the recipes of one image share.
struct Scene<'i> {
    item: &'i Item,
    truth: Option<&'i Truth>,
}

impl Row {
    /// The same error for every recipe.
    pub fn failed(recipes: usize, failed: &Failed) -> Self {
        Self { cells: (0..recipes).map(|_| Err(failed.clone())).collect() }
    }

    /// The first error.
    pub fn error(&self) -> Option<String> {
        self.cells.iter().find_map(|cell| cell.as_ref().err()).map(|failed| failed.message.clone())
    }
}

impl Work<'_> {
    /// Runs every recipe on one image.
    pub fn image(&self, index: usize, item: &Item) -> Done {
        let mut cells: Vec<Option<Result<Cell, Failed>>> = self.plan.contenders.iter().map(|_| None).collect();
        let mut first: Option<LabelMap> = None;
        for group in 0..self.plan.groups.len() {
            match self.group(group, (index, item), &mut cells, &mut first) {
                Ok(()) => {}
                Err(Problem::Output(error)) => return Done::Unwritable(error),
                Err(Problem::Image(failed)) if failed.is_cancelled() => return Done::Cancelled,
                Err(Problem::Image(failed)) => {
                    let of_group = self.plan.groups[group].batches.iter().flatten();
                    of_group.for_each(|&recipe| cells[recipe] = Some(Err(failed.clone())));
                }
            }
        }
        if cells.iter().flatten().any(|cell| cell.as_ref().is_err_and(Failed::is_cancelled)) {
            return Done::Cancelled;
        }
        let missing = || Err(Failed::error("internal/skipped", &format!("{}: not computed", item.id)));
        Done::Row(Row { cells: cells.into_iter().map(|cell| cell.unwrap_or_else(missing)).collect() })
    }

    /// The recipes that read the image in the same way.
    fn group(
        &self,
        group: usize,
        (index, item): (usize, &Item),
        cells: &mut [Option<Result<Cell, Failed>>],
        first: &mut Option<LabelMap>,
    ) -> Result<(), Problem> {
        let limits = &self.limits[group];
        let opened = limits.open(&item.image)?;
        let truth = self.truth(index, &opened.image)?;
        let scene = Scene { item, truth: truth.as_ref() };
        for batch in &self.plan.groups[group].batches {
            let Some(&leader) = batch.first() else { continue };
            let pipeline = &self.plan.contenders[leader].pipeline;
            #[allow(clippy::disallowed_methods)]
            let start = Instant::now();
            let context = limits.context(pipeline);
            let prepared = pipeline.prepare(&opened.image, &context).map_err(|e| Failed::stage(&item.id, &e));
            let spent = start.elapsed();
            for &recipe in batch {
                cells[recipe] = Some(match &prepared {
                    Err(failed) => Err(failed.clone()),
                    Ok(prepared) => match self.recipe(recipe, &scene, (prepared, spent, &context), first) {
                        Err(Problem::Output(error)) => return Err(error.into()),
                        Err(Problem::Image(failed)) => Err(failed),
                        Ok(cell) => Ok(cell),
                    },
                });
            }
        }
        Ok(())
    }

    fn recipe(
        &self,
        recipe: usize,
        scene: &Scene<'_>,
        (prepared, spent, context): (&Prepared<'_>, Duration, &Context),
        first: &mut Option<LabelMap>,
    ) -> Result<Cell, Problem> {
        let contender = &self.plan.contenders[recipe];
        let id = &scene.item.id;
        #[allow(clippy::disallowed_methods)]
        let start = Instant::now();
        let done = contender.pipeline.finish(prepared, context).map_err(|e| Failed::stage(id, &e))?;
        let seconds = (spent + start.elapsed()).as_secs_f64();
        let notes = notes_of(&done.clustering);
        let file = self.write(&contender.name, id, &done.labels)?;
        let fault = |e: segcut_eval::EvalError| Failed::error("eval/score", &format!("{id}: {e}"));
        let score = scene
            .truth
            .map(|truth| Score::new(&done.labels, truth.clone(), self.plan.task))
            .transpose()
            .map_err(fault)?;
        let apart = first.as_ref().map(|first| Contingency::new(&done.labels, first)).transpose().map_err(fault)?;
        let apart = apart.map(|table| variation_of_information(&table)).or((recipe == 0).then_some(0.0));
        let regions = done.labels.n();
        if recipe == 0 {
            *first = Some(done.labels);
        }
        let weights = Weights::of(prepared.graph().affinity());
        Ok(Cell { regions, score, apart, weights, notes, file, seconds })
    }

    fn truth(&self, index: usize, image: &Image) -> Result<Option<Truth>, Failed> {
        let Some(loaded) = self.plan.truth.as_ref().and_then(|table| table.load(index)) else { return Ok(None) };
        let truth = loaded.map_err(|e| Failed::error("eval/truth", &e))?;
        truth
            .check_size(image.height(), image.width())
            .map_err(|e| Failed::error("eval/size", &format!("{}: image and truth: {e}", image.id())))?;
        Ok(Some(truth))
    }

    /// Writes `RECIPE/ID.png`.
    fn write(&self, recipe: &str, id: &str, labels: &LabelMap) -> Result<String, Problem> {
        let extension = if label_format(labels.n(), 0) == LabelFormat::Tiff32 { "tif" } else { "png" };
        let path = format!("{recipe}/{id}.{extension}");
        let bytes = encode_labels(labels, 0).map_err(|e| Failed::error("io/encode", &e))?;
        atomic::write(&self.folder.join(&path), &bytes)?;
        Ok(path)
    }
}
