//! `segcut weights`: what is known, fetched, checked, converted.

pub mod args;
mod import;
mod inspect;
mod opened;
mod resolve;

use crate::args::Talk;
use crate::exit::{Code, Failure, Outcome};
use crate::print::{note, out, out_json};
use args::{WeightsArgs, WeightsCommand};
use indicatif::ProgressBar;
use segcut_weights::{Manifest, Reference, fetch, sha256_of};
use serde_json::json;
use std::path::Path;

pub use opened::opened;
pub use resolve::weights_path;

/// Runs a subcommand.
pub fn weights(args: &WeightsArgs, talk: Talk) -> Outcome {
    match &args.command {
        WeightsCommand::List => list(talk),
        WeightsCommand::Fetch { names } => fetch_all(names, talk),
        WeightsCommand::Verify { names } => verify(names, talk),
        WeightsCommand::Inspect { weights } => inspect::inspect(weights, talk),
        WeightsCommand::Import { file, output, in_process } => import::import_file(file, output, *in_process),
    }
}

/// Weights by name, and whether they are in the cache.
fn list(talk: Talk) -> Outcome {
    let settings = resolve::settings(true)?;
    let manifest = Manifest::built_in().map_err(Failure::weights)?;
    let mut rows = Vec::new();
    for entry in &manifest.weights {
        let reference = entry.reference().map_err(Failure::weights)?;
        let path = fetch(&settings, &reference, None, &|_, _| {}).ok().map(|found| found.path);
        rows.push((entry, path));
    }
    if talk.json {
        let list: Vec<_> = rows.iter().map(|(entry, path)| json!({ "weights": entry, "path": path })).collect();
        return out_json(&list);
    }
    let width = rows.iter().map(|row| row.0.name.len()).max().unwrap_or(0);
    for (entry, path) in rows {
        let here = if path.is_some() { "here" } else { "    " };
        out(&format!(
            "{:width$}  {here}  {}  {}  ({})",
            entry.name, entry.architecture, entry.repository, entry.licence
        ))?;
    }
    Ok(Code::Fine)
}

fn fetch_all(names: &[String], talk: Talk) -> Outcome {
    let settings = resolve::settings(false)?;
    for name in names {
        let (reference, sha256) = resolve::reference(name)?;
        let bar = if talk.quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        let told = |done: u64, all: u64| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let fetched = fetch(&settings, &reference, sha256.as_deref(), &told).map_err(Failure::weights)?;
        bar.finish_and_clear();
        if !talk.quiet && fetched.cached {
            note(&format!("{reference}: was here already"));
        }
        out(&fetched.path.display().to_string())?;
    }
    Ok(Code::Fine)
}

/// Compares files of the cache with their digests: pinned ones, and those that their names state.
fn verify(names: &[String], talk: Talk) -> Outcome {
    let settings = resolve::settings(true)?;
    let manifest = Manifest::built_in().map_err(Failure::weights)?;
    let asked: Vec<String> = match names {
        [] => manifest.weights.iter().map(|entry| entry.name.clone()).collect(),
        names => names.to_vec(),
    };
    let (mut checked, mut bad) = (0, 0);
    for name in &asked {
        let (reference, pinned) = resolve::reference(name)?;
        let found = match fetch(&settings, &reference, None, &|_, _| {}) {
            Ok(found) => found,
            Err(_) if names.is_empty() => continue,
            Err(error) => return Err(Failure::weights(error)),
        };
        checked += 1;
        bad += usize::from(!verified(name, &reference, &found.path, pinned, talk)?);
    }
    if !talk.quiet {
        note(&format!("{checked} checked, {bad} damaged"));
    }
    if bad > 0 { Err(Failure::weights("remove the damaged files and fetch them again")) } else { Ok(Code::Fine) }
}

fn verified(
    name: &str,
    reference: &Reference,
    path: &Path,
    pinned: Option<String>,
    talk: Talk,
) -> Result<bool, Failure> {
    let digest = sha256_of(path).map_err(|e| Failure::weights(format!("{}: {e}", path.display())))?;
    let blob = std::fs::read_link(path).ok().and_then(|to| Some(to.file_name()?.to_string_lossy().into_owned()));
    let expected = pinned.or_else(|| blob.filter(|name| name.len() == digest.len()));
    let fine = expected.as_ref().is_none_or(|expected| expected.eq_ignore_ascii_case(&digest));
    let says = match (&expected, fine) {
        (None, _) => "no digest to compare with",
        (Some(_), true) => "fine",
        (Some(_), false) => "DAMAGED",
    };
    if talk.json {
        out_json(&json!({ "name": name, "reference": reference.to_string(), "sha256": digest, "fine": fine }))?;
    } else {
        out(&format!("{name}  {digest}  {says}"))?;
    }
    Ok(fine)
}
