//! One image of a run → its row in the journal.

use super::journal::{Cut, FileRecord, Row, RowStatus};
use super::plan::{Plan, Setting};
use crate::image_job::{Failed, Limits, Opened, Problem, notes_of};
use crate::pictures::overlay;
use crate::save::soft_png;
use crate::scoring::Score;
use segcut::{Prepared, Segmentation, soft_foreground};
use segcut_core::{Context, Image, LabelMap};
use segcut_io::atomic::WriteError;
use segcut_io::dataset::Item;
use segcut_io::labels::{LabelFormat, encode_labels, label_format};
use segcut_io::truth::Truth;
use segcut_io::{atomic, hash};
use std::path::Path;
use std::time::Instant;

/// What every image of the run shares.
pub struct Work<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// Memory, time, signals.
    pub limits: &'a Limits<'a>,
    /// The run's folder.
    pub folder: &'a Path,
}

/// A row, or what ends the whole run.
pub enum Done {
    /// The image has a result or an error of its own.
    Row(Row),
    /// The user stopped the run: the image is as if it had not begun.
    Cancelled,
    /// The folder takes no more files.
    Unwritable(WriteError),
}

impl Work<'_> {
    /// Segments, writes and scores one image.
    pub fn image(&self, index: usize, item: &Item) -> Done {
        #[allow(clippy::disallowed_methods)]
        let start = Instant::now();
        let mut row = Row {
            id: item.id.clone(),
            status: RowStatus::Ok,
            code: None,
            message: None,
            warnings: Vec::new(),
            size: None,
            cuts: Vec::new(),
            seconds: 0.0,
        };
        match self.fill(index, item, &mut row) {
            Ok(()) => {}
            Err(Problem::Output(error)) => return Done::Unwritable(error),
            Err(Problem::Image(failed)) if failed.is_cancelled() => return Done::Cancelled,
            Err(Problem::Image(failed)) => {
                row.status = failed.status;
                row.code = Some(failed.code);
                row.message = Some(failed.message);
                row.cuts.clear();
            }
        }
        row.seconds = start.elapsed().as_secs_f64();
        Done::Row(row)
    }

    fn fill(&self, index: usize, item: &Item, row: &mut Row) -> Result<(), Problem> {
        let opened = self.limits.open(&item.image)?;
        let Opened { image, warnings, .. } = &opened;
        row.warnings.clone_from(warnings);
        row.size = Some([image.height(), image.width()]);
        let truth = self.truth(index, image)?;
        let mut prepared: Option<(Prepared<'_>, &Setting)> = None;
        for setting in &self.plan.settings {
            let context = self.limits.context(&setting.pipeline);
            let kept = prepared.take().filter(|(_, made_by)| made_by.pipeline.prepares_like(&setting.pipeline));
            let ready = match kept {
                Some((ready, _)) => ready,
                None => setting.pipeline.prepare(image, &context).map_err(|e| Failed::stage(&item.id, &e))?,
            };
            row.cuts.push(self.cut(item, setting, &ready, &context, truth.as_ref())?);
            prepared = Some((ready, setting));
        }
        Ok(())
    }

    fn cut(
        &self,
        item: &Item,
        setting: &Setting,
        prepared: &Prepared<'_>,
        context: &Context,
        truth: Option<&Truth>,
    ) -> Result<Cut, Problem> {
        let done = setting.pipeline.finish(prepared, context).map_err(|e| Failed::stage(&item.id, &e))?;
        let Segmentation { labels, clustering, confidence } = &done;
        let notes = notes_of(clustering);
        let mut files = self.write(item, &setting.value, prepared.original(), labels)?;
        if let Some(map) = soft_foreground(prepared, &done) {
            let png = soft_png(labels, map).map_err(|e| Failed::error("io/encode", &e))?;
            files.push(self.record(format!("soft/{}{}.png", below(&setting.value), item.id), &png)?);
        }
        let score = truth
            .map(|truth| Score::new(labels, truth.clone(), self.plan.task))
            .transpose()
            .map_err(|e| Failed::error("eval/score", &format!("{}: {e}", item.id)))?;
        Ok(Cut { value: setting.value.clone(), regions: labels.n(), confidence: *confidence, notes, score, files })
    }

    fn truth(&self, index: usize, image: &Image) -> Result<Option<Truth>, Failed> {
        let Some(loaded) = self.plan.truth.as_ref().and_then(|table| table.load(index)) else { return Ok(None) };
        let truth = loaded.map_err(|e| Failed::error("eval/truth", &e))?;
        truth
            .check_size(image.height(), image.width())
            .map_err(|e| Failed::error("eval/size", &format!("{}: image and truth: {e}", image.id())))?;
        Ok(Some(truth))
    }

    /// Writes labels and overlay.
    fn write(&self, item: &Item, value: &str, image: &Image, labels: &LabelMap) -> Result<Vec<FileRecord>, Problem> {
        let extension = if label_format(labels.n(), 0) == LabelFormat::Tiff32 { "tif" } else { "png" };
        let below = below(value);
        let png = encode_labels(labels, 0).map_err(|e| Failed::error("io/encode", &e))?;
        let mut files = vec![self.record(format!("labels/{below}{}.{extension}", item.id), &png)?];
        let picture = overlay(image, labels).map_err(|e| Failed::error("io/encode", &e))?;
        let picture = picture.png().map_err(|e| Failed::error("io/encode", &e))?;
        files.push(self.record(format!("overlays/{below}{}.png", item.id), &picture)?);
        Ok(files)
    }

    fn record(&self, path: String, bytes: &[u8]) -> Result<FileRecord, WriteError> {
        atomic::write(&self.folder.join(&path), bytes)?;
        Ok(FileRecord { path, size: bytes.len() as u64, sha256: hash::sha256(bytes) })
    }
}

/// The folder of a swept value.
fn below(value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("{value}/") }
}
