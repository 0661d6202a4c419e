//! `segcut segment`: images → labels and pictures, one set of files per image.

use crate::args::{SegmentArgs, Talk};
use crate::budget::Budget;
use crate::exit::{Code, Failure, Outcome};
use crate::image_job::{Failed, Limits, decode_options, notes_of};
use crate::print::{note, out, out_json};
use crate::recipe_choice::{choose, pipeline};
use crate::save::{SaveError, Saver};
use crate::signals::Signals;
use crate::workers::{Ended, Workers, for_each};
use segcut::Pipeline;
use segcut_io::dataset::Dataset;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// An image with the name of its results.
#[derive(Debug)]
struct Input {
    path: PathBuf,
    name: String,
}

/// What `--json` tells of an image.
#[derive(Debug, Serialize)]
struct Told {
    image: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regions: Option<usize>,
    notes: Vec<String>,
    files: Vec<PathBuf>,
    seconds: f64,
}

enum Problem {
    Image(Failed),
    Output(Failure),
}

/// Segments images.
pub fn segment(args: &SegmentArgs, talk: Talk) -> Outcome {
    let pipeline = pipeline(&choose(&args.recipe)?, args.recipe.features.cache.as_deref())?;
    let inputs = inputs(args)?;
    let workers = Workers::new(&args.parallel, inputs.len())?;
    std::fs::create_dir_all(&args.output).map_err(|e| Failure::output(format!("{}: {e}", args.output.display())))?;
    let saver = Saver { folder: &args.output, start_label: args.start_label, what: &args.save };
    saver.check_writable()?;
    let signals = Signals::install().map_err(Failure::output)?;
    let budget = Budget::from_flag(args.parallel.max_memory);
    let limits = Limits {
        decode: decode_options(&args.decode, &pipeline),
        budget: &budget,
        signals: &signals,
        timeout: args.timeout_per_image,
    };
    let work = |_: usize, input: &Input| timed(input, || one(input, &pipeline, &limits, &saver));
    let told = work_through(workers, &inputs, work, talk)?;
    if talk.json {
        out_json(&told)?;
    }
    if let Some(code) = signals.code() {
        return Ok(code);
    }
    Ok(if told.iter().all(|row| row.code.is_none()) { Code::Fine } else { Code::Inputs })
}

/// The rows of all images that were worked on, in the order of the inputs, each told as it comes.
fn work_through(
    workers: Workers,
    inputs: &[Input],
    work: impl Fn(usize, &Input) -> Result<Told, Problem> + Sync,
    talk: Talk,
) -> Result<Vec<Told>, Failure> {
    let mut told: Vec<Option<Told>> = inputs.iter().map(|_| None).collect();
    let mut failure = None;
    for_each(workers, inputs, work, |index, ended| {
        let row = match ended {
            Ended::Result(Ok(row)) => row,
            Ended::Result(Err(Problem::Output(error))) => {
                failure = Some(error);
                return ControlFlow::Break(());
            }
            Ended::Result(Err(Problem::Image(_))) => return ControlFlow::Break(()),
            Ended::Panicked(text) => {
                let text = format!("{}: {text}", inputs[index].path.display());
                refused(&inputs[index], Failed::error("internal/panic", &text))
            }
        };
        tell(&row, talk);
        told[index] = Some(row);
        ControlFlow::Continue(())
    })?;
    failure.map_or_else(|| Ok(told.into_iter().flatten().collect()), Err)
}

/// Files, the images of folders, and stdin; two with the same name are refused before any work.
fn inputs(args: &SegmentArgs) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in &args.images {
        if path.is_dir() {
            let data = Dataset::open(path, std::slice::from_ref(&args.output)).map_err(Failure::no_input)?;
            inputs.extend(data.items.into_iter().map(|item| Input { path: item.image, name: item.id }));
        } else {
            let name = if path == Path::new("-") {
                "stdin".to_string()
            } else {
                path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
            };
            inputs.push(Input { path: path.clone(), name });
        }
    }
    let mut names: BTreeMap<String, Vec<&Path>> = BTreeMap::new();
    for input in &inputs {
        names.entry(input.name.to_lowercase()).or_default().push(&input.path);
    }
    for (name, paths) in names {
        if let [first, second, ..] = paths[..] {
            return Err(Failure::usage(format!(
                "{} and {} would both be written as {name}.labels.png; give one of them another name or folder",
                first.display(),
                second.display()
            )));
        }
    }
    Ok(inputs)
}

/// The row of an image, with its time; errors are those that end the command (cancelled, or no output).
fn timed(input: &Input, work: impl FnOnce() -> Result<Told, Problem>) -> Result<Told, Problem> {
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let told = match work() {
        Err(Problem::Image(failed)) if !failed.is_cancelled() => refused(input, failed),
        other => other?,
    };
    Ok(Told { seconds: start.elapsed().as_secs_f64(), ..told })
}

fn one(input: &Input, pipeline: &Pipeline, limits: &Limits<'_>, saver: &Saver<'_>) -> Result<Told, Problem> {
    let opened = limits.open(&input.path).map_err(Problem::Image)?;
    let context = limits.context(pipeline);
    let shown = input.path.display().to_string();
    let stage = |e| Problem::Image(Failed::stage(&shown, &e));
    let prepared = pipeline.prepare(&opened.image, &context).map_err(stage)?;
    let done = pipeline.finish(&prepared, &context).map_err(stage)?;
    let files = saver.save(&input.name, &prepared, &done).map_err(|e| match e {
        SaveError::Image(failed) => Problem::Image(failed),
        SaveError::Output(error) => Problem::Output(Failure::output(error)),
    })?;
    let mut notes = opened.warnings.clone();
    notes.extend(notes_of(&done.clustering));
    Ok(Told {
        image: shown,
        status: "ok",
        code: None,
        message: None,
        regions: Some(done.labels.n()),
        notes,
        files,
        seconds: 0.0,
    })
}

fn refused(input: &Input, failed: Failed) -> Told {
    Told {
        image: input.path.display().to_string(),
        status: crate::run::status_name(failed.status),
        code: Some(failed.code),
        message: Some(failed.message),
        regions: None,
        notes: Vec::new(),
        files: Vec::new(),
        seconds: 0.0,
    }
}

/// A line per image: errors always on stderr, results on stdout unless they come as JSON.
fn tell(row: &Told, talk: Talk) {
    if let Some(message) = &row.message {
        note(&format!("error: {message}"));
    } else if !talk.quiet && !talk.json {
        let notes = if row.notes.is_empty() { String::new() } else { format!(" ({})", row.notes.join("; ")) };
        let regions = row.regions.unwrap_or(0);
        // A closed stdout is noticed at the end.
        let _ = out(&format!("{}: {regions} regions{notes}", crate::print::escaped(&row.image)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_one_name_are_refused() {
        let args = |images: &[&str]| SegmentArgs { images: images.iter().map(PathBuf::from).collect(), ..test_args() };
        assert_eq!(inputs(&args(&["a/x.jpg", "b/y.png", "-"])).unwrap().len(), 3);
        let refused = inputs(&args(&["a/x.jpg", "b/X.png"])).unwrap_err();
        assert_eq!(refused.code, Code::Usage);
        assert!(refused.message.contains("a/x.jpg and b/X.png"), "{refused}");
    }

    fn test_args() -> SegmentArgs {
        use clap::Parser;
        let cli = crate::args::Cli::parse_from(["segcut", "segment", "x", "-o", "out"]);
        match cli.command {
            crate::args::Command::Segment(args) => args,
            _ => unreachable!(),
        }
    }
}
