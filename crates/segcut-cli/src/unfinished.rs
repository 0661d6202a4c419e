//! The state of work that was interrupted, in a file of its own, so that the same command goes on from it.

use crate::exit::Failure;
use segcut_core::{Checkpoint, StageError};
use segcut_io::atomic;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two writes of the state, which an interruption writes anyway.
const PAUSE: Duration = Duration::from_secs(2);

/// Where the state of unfinished work and its plan lie: what is worked on, and how.
#[derive(Debug)]
pub struct Unfinished {
    state: PathBuf,
    plan: PathBuf,
    text: String,
    kept: Option<Vec<u8>>,
    /// The last state, where it is not written yet.
    newest: Option<Vec<u8>>,
    written: Instant,
}

/// Unfinished work of another plan.
#[derive(Debug)]
pub struct Other;

impl Unfinished {
    /// `unfinished.safetensors` and `unfinished.toml`, each after `prefix`, which ends the folder's path; an earlier
    /// state of the same plan is what work goes on from.
    pub fn open(prefix: &Path, plan: &str) -> Result<Self, Other> {
        let [state, path] = files(prefix);
        let kept = match std::fs::read_to_string(&path) {
            Ok(text) if text == plan => std::fs::read(&state).ok(),
            Ok(_) => return Err(Other),
            Err(_) => None,
        };
        #[allow(clippy::disallowed_methods)]
        let written = Instant::now();
        Ok(Self { state, plan: path, text: plan.to_string(), kept, newest: None, written })
    }

    /// Whether work goes on.
    pub fn goes_on(&self) -> bool {
        self.kept.is_some()
    }

    /// Writes the last state, after an interruption; whether there is one.
    pub fn interrupted(&mut self) -> Result<bool, Failure> {
        self.flush().map_err(Failure::output)?;
        Ok(self.state.is_file())
    }

    fn flush(&mut self) -> Result<(), atomic::WriteError> {
        let Some(state) = self.newest.take() else { return Ok(()) };
        atomic::write(&self.plan, self.text.as_bytes())?;
        atomic::write(&self.state, &state)?;
        #[allow(clippy::disallowed_methods)]
        let now = Instant::now();
        self.written = now;
        Ok(())
    }
}

/// The files of the state and of the plan.
fn files(prefix: &Path) -> [PathBuf; 2] {
    ["unfinished.safetensors", "unfinished.toml"].map(|end| {
        let mut name = prefix.as_os_str().to_os_string();
        name.push(end);
        PathBuf::from(name)
    })
}

/// Removes what an interruption left after `prefix`.
pub fn remove(prefix: &Path) -> Result<(), Failure> {
    files(prefix).iter().try_for_each(|file| remove_file(file))
}

/// Removes a file, where there is one.
pub fn remove_file(file: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::output(format!("{}: {error}", segcut_io::shown(file))))
        }
        _ => Ok(()),
    }
}

impl Checkpoint for Unfinished {
    fn kept(&mut self) -> Option<Vec<u8>> {
        self.kept.take()
    }

    fn keep(&mut self, state: &[u8]) -> Result<(), StageError> {
        self.newest = Some(state.to_vec());
        if self.written.elapsed() >= PAUSE { self.flush().map_err(StageError::data) } else { Ok(()) }
    }
}
