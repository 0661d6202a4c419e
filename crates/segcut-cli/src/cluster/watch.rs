//! What is shown while the work goes on: a line on a terminal, details with `-v`.

use crate::args::Talk;
use crate::print::{escaped, note};
use crate::signals::Signals;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use segcut_core::{Context, Start};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

/// The progress of one clustering.
#[derive(Debug)]
pub struct Watch {
    bar: ProgressBar,
    verbose: bool,
    signals: Signals,
}

impl Watch {
    /// A line on stderr where that is a terminal; nothing when quiet.
    pub fn new(talk: Talk, signals: &Signals) -> Self {
        let shown = !talk.quiet && !talk.verbose && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        if shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, verbose: talk.verbose && !talk.quiet, signals: signals.clone() }
    }

    /// A new part of the work.
    pub fn stage(&self, name: &str) {
        self.bar.set_message(name.to_string());
        if self.verbose {
            note(name);
        }
    }

    /// What the clusterer is told, and whom it tells.
    pub fn context(&self, seed: u64, start: Option<Start>) -> Context {
        let (signals, bar, verbose) = (self.signals.clone(), self.bar.clone(), self.verbose);
        let detail = move |line: &str| {
            bar.set_message(escaped(line));
            if verbose {
                note(&format!("  {line}"));
            }
        };
        let bar = self.bar.clone();
        let progress = move |stage: &str, share: f64| bar.set_message(format!("{stage} {:.0} %", 100.0 * share));
        Context {
            stop: Some(Arc::new(move || signals.stop())),
            detail: Some(Arc::new(detail)),
            progress: Some(Arc::new(progress)),
            start,
            ..Context::seeded(seed)
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
