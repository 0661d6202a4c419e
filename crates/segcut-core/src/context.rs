//! What a caller hands to every stage.

use crate::{Partition, Status};
use ndarray::Array2;
use std::sync::Arc;

/// Whether the caller wants the work to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Go on.
    No,
    /// The user cancelled.
    Cancelled,
    /// The time is up.
    TimedOut,
}

/// A warm start for a clusterer.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// A partition.
    Partition(Partition),
    /// n×m vectors.
    Vectors(Array2<f64>),
}

/// Asks the caller whether to go on.
pub type StopSignal = Arc<dyn Fn() -> Stop + Send + Sync>;

/// Tells the caller a stage's name and the share done, 0 to 1.
pub type Progress = Arc<dyn Fn(&str, f64) + Send + Sync>;

/// Tells the caller a line of detail, such as the residuals of a solver.
pub type Detail = Arc<dyn Fn(&str) + Send + Sync>;

/// Seed, stop signal, progress and warm start of one run.
///
/// The number of threads is the rayon pool's that the caller runs the stage in.
#[derive(Clone, Default)]
pub struct Context {
    /// Every random choice derives from this.
    pub seed: u64,
    /// Asked in outer loops; reads the clock or a flag for the library, which does neither.
    pub stop: Option<StopSignal>,
    /// Told the stage's name and the share done, 0 to 1.
    pub progress: Option<Progress>,
    /// Told a line now and then inside long stages.
    pub detail: Option<Detail>,
    /// A warm start.
    pub start: Option<Start>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("seed", &self.seed).field("start", &self.start).finish_non_exhaustive()
    }
}

impl Context {
    /// A context with a seed and nothing else.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Whether to go on.
    pub fn stopped(&self) -> Stop {
        self.stop.as_ref().map_or(Stop::No, |stop| stop())
    }

    /// How a computation ends where the caller wants it to; none where it goes on.
    pub fn ended(&self) -> Option<Status> {
        match self.stopped() {
            Stop::No => None,
            Stop::Cancelled => Some(Status::Cancelled),
            Stop::TimedOut => Some(Status::TimedOut),
        }
    }

    /// Tells a line of detail, made only where somebody listens.
    pub fn detail(&self, line: impl FnOnce() -> String) {
        if let Some(detail) = &self.detail {
            detail(&line());
        }
    }

    /// Reports the share done of a stage.
    pub fn report(&self, stage: &str, share: f64) {
        if let Some(progress) = &self.progress {
            progress(stage, share);
        }
    }
}
