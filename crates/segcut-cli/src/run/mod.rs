//! `segcut run`: a data set → labels, overlays, scores and a report, in a folder that a killed run
//! leaves fit to go on.

pub mod journal;
pub mod lock;
mod page;
mod plan;
mod results;
mod work;

use crate::args::{RunArgs, Talk};
use crate::budget::Budget;
use crate::exit::{Code, Failure, Outcome};
use crate::image_job::{Limits, decode_options};
use crate::print::{note, out_json};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::workers::{Ended, Workers, for_each};
use journal::{JOURNAL_FILE, Journal, Row, RowStatus};
use lock::Lock;
use plan::Plan;
use results::RunContext;
pub use results::status_name;
use segcut_io::atomic;
use segcut_io::dataset::Item;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use work::{Done, Work};

const RECIPE_FILE: &str = "recipe.toml";

/// Runs a recipe over a data set.
pub fn run(args: &RunArgs, talk: Talk) -> Outcome {
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let plan = Plan::new(args)?;
    for line in plan.notes.iter().filter(|_| !talk.quiet) {
        note(line);
    }
    // Wrong numbers are refused before any work; how many fit is known once the journal is read.
    Workers::new(&args.parallel, plan.items.len())?;
    std::fs::create_dir_all(&args.output).map_err(|e| Failure::output(format!("{}: {e}", args.output.display())))?;
    let _lock = Lock::take(&args.output, plan.shard)?;
    claim(&args.output, &plan.resolved, args.overwrite)?;
    let mut journal = Journal::open(&args.output)?;
    if journal.unreadable > 0 && !talk.quiet {
        note(&format!("journal.jsonl: {} unreadable lines ignored (a killed run leaves one)", journal.unreadable));
    }
    let interrupted = work_through(args, &plan, &mut journal, talk)?;
    // The shard that writes last has read all rows.
    let _writing = plan.shard.map(|_| lock::results(&args.output)).transpose()?;
    if plan.shard.is_some() {
        journal.refresh(&args.output)?;
    }
    let summary = results::write(&args.output, &plan, &journal, &context(args, &plan, start.elapsed()))?;
    if talk.json {
        out_json(&summary)?;
    } else if !talk.quiet {
        results::print(&summary, &args.output)?;
    }
    let mine = plan.items.iter().filter(|item| plan.is_mine(item)).filter_map(|item| journal.rows().get(&item.id));
    let failed = mine.into_iter().any(|row| row.status != RowStatus::Ok);
    Ok(interrupted.unwrap_or(if failed { Code::Inputs } else { Code::Fine }))
}

fn context<'a>(args: &'a RunArgs, plan: &Plan, elapsed: Duration) -> RunContext<'a> {
    let decode = plan.settings.first().map(|setting| decode_options(&args.decode, &setting.pipeline));
    RunContext { recipe: &args.recipe.recipe, decode: decode.unwrap_or_default(), elapsed }
}

/// Takes a new folder, goes on in one of the same recipe, or empties it where that is asked for.
fn claim(folder: &Path, resolved: &str, overwrite: bool) -> Result<(), Failure> {
    let path = folder.join(RECIPE_FILE);
    let fail = |e: std::io::Error| Failure::output(format!("{}: {e}", folder.display()));
    // Only what a run has written is removed; its recipe last, so that a kill leaves a run to overwrite.
    if overwrite && path.is_file() && folder.join(JOURNAL_FILE).is_file() {
        for name in ["labels", "overlays"] {
            remove(std::fs::remove_dir_all(folder.join(name))).map_err(fail)?;
        }
        for name in ["scores.csv", "summary.json", "report.html", RECIPE_FILE, JOURNAL_FILE] {
            remove(std::fs::remove_file(folder.join(name))).map_err(fail)?;
        }
    }
    match std::fs::read_to_string(&path) {
        Ok(stored) if stored == resolved => {}
        Ok(_) => {
            return Err(Failure::usage(format!(
                "{} holds a run with another recipe or other settings ({RECIPE_FILE} tells which); \
                 --overwrite starts over",
                folder.display()
            )));
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            atomic::write(&path, resolved.as_bytes()).map_err(Failure::output)?;
        }
        Err(e) => return Err(fail(e)),
    }
    Ok(())
}

fn remove(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Does what the journal does not have yet; tells whether a signal ended it early.
fn work_through(args: &RunArgs, plan: &Plan, journal: &mut Journal, talk: Talk) -> Result<Option<Code>, Failure> {
    let mine = plan.items.iter().enumerate().filter(|(_, item)| plan.is_mine(item));
    let all = mine.clone().count();
    let todo: Vec<(usize, &Item)> = mine.filter(|(_, item)| !journal.is_done(&item.id, &args.output)).collect();
    let before = all - todo.len();
    if before > 0 && !talk.quiet {
        note(&format!("{before} of {all} images were done before"));
    }
    let signals = Signals::install().map_err(Failure::output)?;
    let budget = Budget::from_flag(args.parallel.max_memory);
    let Some(first) = plan.settings.first() else { return Ok(None) };
    let limits = Limits {
        decode: decode_options(&args.decode, &first.pipeline),
        budget: &budget,
        signals: &signals,
        timeout: args.timeout_per_image,
    };
    let progress = Progress::new(all, before, talk.quiet);
    // An image with which the process has died before may not take others with it again.
    let (suspects, todo): (Vec<_>, Vec<_>) = todo.into_iter().partition(|(_, item)| journal.is_suspect(&item.id));
    let desk = Desk {
        work: Work { plan, limits: &limits, folder: &args.output },
        journal: Mutex::new(journal),
        progress: &progress,
    };
    let workers = Workers::new(&args.parallel, todo.len())?;
    desk.work_off(workers, &todo)?;
    if signals.code().is_none() {
        desk.work_off(Workers { jobs: 1, ..workers }, &suspects)?;
    }
    progress.finish();
    Ok(signals.code())
}

/// Where images are handed out and their rows are written down.
struct Desk<'a> {
    work: Work<'a>,
    journal: Mutex<&'a mut Journal>,
    progress: &'a Progress,
}

impl Desk<'_> {
    fn work_off(&self, workers: Workers, todo: &[(usize, &Item)]) -> Result<(), Failure> {
        let mut failure = None;
        let one = |_: usize, &(index, item): &(usize, &Item)| self.image(index, item);
        for_each(workers, todo, one, |at, ended| {
            let id = &todo[at].1.id;
            let noted = match ended {
                Ended::Result(Ok(Done::Row(row))) => self.done(row),
                Ended::Result(Ok(Done::Cancelled)) => {
                    lock(&self.journal).cancelled(id).map(|()| ControlFlow::Break(()))
                }
                Ended::Result(Ok(Done::Unwritable(error))) => Err(Failure::output(error)),
                Ended::Result(Err(error)) => Err(error),
                Ended::Panicked(text) => self.done(row_of(id, RowStatus::Error, "internal/panic", &text)),
            };
            noted.unwrap_or_else(|error| {
                failure.get_or_insert(error);
                ControlFlow::Break(())
            })
        })?;
        failure.map_or(Ok(()), Err)
    }

    fn done(&self, row: Row) -> Result<ControlFlow<()>, Failure> {
        self.progress.image(&row.id, row.message.as_deref());
        lock(&self.journal).done(row)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Notes the start, so that a death is counted, and works on one image.
    fn image(&self, index: usize, item: &Item) -> Result<Done, Failure> {
        {
            let mut journal = lock(&self.journal);
            if journal.is_deadly(&item.id) {
                let text = "the process died on it again and again; --overwrite tries again";
                return Ok(Done::Row(row_of(&item.id, RowStatus::Crashed, "crashed", text)));
            }
            journal.start(&item.id)?;
        }
        Ok(self.work.image(index, item))
    }
}

fn lock<'a, 'j>(journal: &'a Mutex<&'j mut Journal>) -> std::sync::MutexGuard<'a, &'j mut Journal> {
    journal.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn row_of(id: &str, status: RowStatus, code: &str, message: &str) -> Row {
    Row {
        id: id.to_string(),
        status,
        code: Some(code.to_string()),
        message: Some(format!("{id}: {message}")),
        warnings: Vec::new(),
        size: None,
        cuts: Vec::new(),
        seconds: 0.0,
    }
}
