//! `segcut compare`: several recipes on the same images → one table, one report.

mod page;
mod plan;
mod results;
mod table;
mod weights;
mod work;

use crate::args::{CompareArgs, Talk};
use crate::budget::Budget;
use crate::exit::{Code, Failure, Outcome};
use crate::image_job::{Failed, Limits};
use crate::print::{note, out_json};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::workers::{Ended, Workers, for_each};
use plan::Plan;
use segcut_io::atomic;
use segcut_io::dataset::Item;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use table::Table;
use work::{Done, Row, Work};

/// Compares recipes.
pub fn compare(args: &CompareArgs, talk: Talk) -> Outcome {
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let budget = Budget::from_flag(args.parallel.max_memory);
    let plan = Plan::new(args)?;
    for line in plan.notes.iter().filter(|_| !talk.quiet) {
        note(line);
    }
    std::fs::create_dir_all(&args.output).map_err(|e| Failure::output(format!("{}: {e}", args.output.display())))?;
    atomic::remove_unfinished(&args.output).map_err(|e| Failure::output(format!("{}: {e}", args.output.display())))?;
    let signals = Signals::install().map_err(Failure::output)?;
    let Some(rows) = work_through(args, &plan, &Shared { budget: &budget, signals: &signals }, talk)? else {
        return Ok(signals.code().unwrap_or(Code::Interrupted));
    };
    let table = Table::new(&plan, &rows);
    let workers = Workers::new(&args.parallel, plan.items.len())?;
    let html = page::page(&args.output, &plan, &rows, &table, workers)?;
    let summary = results::write(&args.output, &plan, &rows, &table, start.elapsed())?;
    atomic::write(&args.output.join("report.html"), html.as_bytes()).map_err(Failure::output)?;
    if talk.json {
        out_json(&summary)?;
    } else if !talk.quiet {
        results::print(&plan, &table, &args.output)?;
    }
    let failed = rows.iter().any(|row| row.cells.iter().any(Result::is_err));
    Ok(if failed { Code::Inputs } else { Code::Fine })
}

struct Shared<'a> {
    budget: &'a Budget,
    signals: &'a Signals,
}

/// Every image with every recipe, in the order of the images; none where a signal ended it.
fn work_through(args: &CompareArgs, plan: &Plan, shared: &Shared<'_>, talk: Talk) -> Result<Option<Vec<Row>>, Failure> {
    let limits = |group: &plan::Group| Limits {
        decode: group.decode.clone(),
        budget: shared.budget,
        signals: shared.signals,
        timeout: None::<Duration>,
    };
    let limits: Vec<Limits<'_>> = plan.groups.iter().map(limits).collect();
    let work = Work { plan, limits: &limits, folder: &args.output };
    let workers = Workers::new(&args.parallel, plan.items.len())?;
    let progress = Progress::new(plan.items.len(), 0, talk.quiet);
    let mut rows: Vec<Option<Row>> = plan.items.iter().map(|_| None).collect();
    let mut failure = None;
    let one = |index: usize, item: &Item| work.image(index, item);
    for_each(workers, &plan.items, one, |index, ended| {
        let id = &plan.items[index].id;
        let row = match ended {
            Ended::Result(Done::Row(row)) => row,
            Ended::Result(Done::Cancelled) => return ControlFlow::Break(()),
            Ended::Result(Done::Unwritable(error)) => {
                failure = Some(Failure::output(error));
                return ControlFlow::Break(());
            }
            Ended::Panicked(text) => {
                Row::failed(plan.contenders.len(), &Failed::error("internal/panic", &format!("{id}: {text}")))
            }
        };
        progress.image(id, row.error().as_deref());
        rows[index] = Some(row);
        ControlFlow::Continue(())
    })?;
    progress.finish();
    failure.map_or_else(|| Ok(rows.into_iter().collect()), Err)
}
