//! A bar on stderr, where that is a terminal.

use crate::print::{escaped, note};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Progress over images.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    shown: bool,
    quiet: bool,
}

impl Progress {
    /// A bar over `all` images, of which `before` are done.
    pub fn new(all: usize, before: usize, quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(all as u64), target);
        let template = "{bar:30} {pos}/{len} images, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_position(before as u64);
        bar.reset_eta();
        Self { bar, shown, quiet }
    }

    /// One more image, with its error where it has one. Errors are told even when quiet.
    pub fn image(&self, id: &str, error: Option<&str>) {
        if let Some(error) = error {
            let line = if error.contains(id) { error.to_string() } else { format!("{id}: {error}") };
            if self.shown {
                self.bar.println(escaped(&line));
            } else {
                note(&line);
            }
        }
        self.bar.inc(1);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if !self.quiet {
            self.bar.finish_and_clear();
        }
    }
}
