//! `segcut eval`: a folder of predictions and a folder of truth → scores.

mod predictions;
mod results;
mod score;
mod set;
mod thresholds;

use crate::args::{EvalArgs, ParallelArgs, Talk, Task, TruthArgs};
use crate::exit::{Code, Failure, Outcome};
use crate::image_job::Failed;
use crate::print::{note, out_json};
use crate::progress::Progress;
use crate::scoring::task_of;
use crate::truth::TruthTable;
use crate::workers::{Ended, Workers, for_each};
use predictions::{Predicted, Predictions};
use score::{Scored, Scorer};
use segcut_eval::SemanticCounts;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// One image with its scores, one per setting.
#[derive(Debug)]
struct Row {
    id: String,
    ending: Ending,
}

/// How an image ended.
#[derive(Debug)]
enum Ending {
    Scored(Vec<Scored>),
    Failed(Failed),
    /// No truth, which `--allow-missing` allows.
    NoTruth,
}

/// Scores predictions.
pub fn eval(args: &EvalArgs, talk: Talk) -> Outcome {
    let Some(truth) = args.truth.truth.as_deref() else {
        return Err(Failure::usage("eval needs --truth DIR"));
    };
    let levels = args.thresholds.as_deref().map(thresholds::parse).transpose()?;
    let task = task(truth, &args.truth)?;
    let paired = |ids: &[&str]| {
        let table = TruthTable::open(truth, &args.truth, ids)?;
        Ok((0..ids.len()).filter(|&index| table.has(index)).count())
    };
    let predictions = Predictions::find(&args.pred, task, levels, &paired)?;
    let ids: Vec<&str> = predictions.images.iter().map(|image| image.id.as_str()).collect();
    let table = TruthTable::open(truth, &args.truth, &ids)?;
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder).map_err(|e| Failure::output(format!("{}: {e}", folder.display())))?;
    }
    if !talk.quiet {
        tell_unpaired(&predictions, &table);
    }
    let semantic = Mutex::new(vec![SemanticCounts::default(); predictions.settings.len()]);
    let scorer = Scorer { predictions: &predictions, task, semantic: &semantic };
    let rows = score_all(args, &scorer, &table, talk)?;
    let semantic = semantic.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut summary = set::summary(&predictions.settings, &rows, &semantic);
    results::add_pairing(&mut summary, &rows, &table, task);
    if let Some(folder) = &args.output {
        results::write(folder, &predictions, &rows, &summary)?;
    }
    if talk.json {
        out_json(&summary)?;
    } else if !talk.quiet {
        results::print(&summary)?;
    }
    let failed = rows.iter().any(|row| matches!(row.ending, Ending::Failed(_)));
    Ok(if failed { Code::Inputs } else { Code::Fine })
}

/// What is scored: classes only where they are asked for, since segcut's labels are regions; truth that is
/// described as classes is one annotator's regions.
fn task(truth: &Path, args: &TruthArgs) -> Result<Option<Task>, Failure> {
    let described = TruthTable::open(truth, args, &[])?.task();
    Ok(match task_of(args.task, described) {
        Some(Task::Semantic) if args.task.is_none() => Some(Task::Regions),
        task => task,
    })
}

fn tell_unpaired(predictions: &Predictions, table: &TruthTable) {
    if predictions.left_out > 0 {
        note(&format!("{} files that are no predictions for this task were left out", predictions.left_out));
    }
    let count = table.unused().len();
    if count > 0 {
        let named: Vec<&str> = table.unused().iter().take(5).map(String::as_str).collect();
        let more = if count > named.len() { ", …" } else { "" };
        note(&format!("truth without a prediction: {count} ({}{more})", named.join(", ")));
    }
}

/// Scores image by image, in parallel; the rows stand in the order of the images.
fn score_all(args: &EvalArgs, scorer: &Scorer<'_>, table: &TruthTable, talk: Talk) -> Result<Vec<Row>, Failure> {
    let images = &scorer.predictions.images;
    let flags = ParallelArgs { jobs: args.jobs, threads: None, max_memory: None };
    let workers = Workers::new(&flags, images.len())?;
    let progress = Progress::new(images.len(), 0, talk.quiet);
    let mut endings: Vec<Option<Ending>> = images.iter().map(|_| None).collect();
    let work = |index: usize, image: &Predicted| match table.load(index) {
        Some(Ok(truth)) => scorer.image(image, truth).map_or_else(Ending::Failed, Ending::Scored),
        Some(Err(error)) => Ending::Failed(Failed::error("eval/truth", &error)),
        None if args.truth.allow_missing => Ending::NoTruth,
        None => Ending::Failed(Failed::error("eval/no-truth", &format!("{}: the truth has no such image", image.id))),
    };
    for_each(workers, images, work, |index, ended| {
        let ending = match ended {
            Ended::Result(ending) => ending,
            Ended::Panicked(text) => Ending::Failed(Failed::error("internal/panic", &text)),
        };
        let error = if let Ending::Failed(failed) = &ending { Some(failed.message.as_str()) } else { None };
        progress.image(&images[index].id, error);
        endings[index] = Some(ending);
        ControlFlow::Continue(())
    })?;
    progress.finish();
    let rows = images.iter().zip(endings);
    Ok(rows.filter_map(|(image, ending)| Some(Row { id: image.id.clone(), ending: ending? })).collect())
}
