//! The folder of a model: unfinished training, and what is left when it is done.

use crate::exit::Failure;
use crate::print::note;
use crate::recipe_choice::MODEL_RECIPE;
use crate::run::lock::Lock;
use segcut_core::{Checkpoint, Fitted, StageError};
use segcut_io::atomic;
use segcut_io::hash::sha256;
use segcut_io::shown;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The model's arrays.
const ARRAYS: &str = "model.safetensors";
/// The state of unfinished training.
const STATE: &str = "unfinished.safetensors";
/// What the unfinished training learns from, and how.
const PLAN: &str = "unfinished.toml";
/// The loss of every epoch.
const LOSSES: &str = "losses.csv";
/// Between two writes of the state, which an interruption writes anyway.
const PAUSE: Duration = Duration::from_secs(2);

/// A folder that training writes to.
#[derive(Debug)]
pub struct ModelFolder {
    folder: PathBuf,
    kept: Option<Vec<u8>>,
    /// The last state, where it is not written yet.
    newest: Option<Vec<u8>>,
    written: Instant,
    _lock: Lock,
}

impl ModelFolder {
    /// Takes the folder; unfinished training with the same plan goes on. A folder with a model, or with unfinished
    /// training of another plan, is refused unless it may be overwritten.
    pub fn take(folder: &Path, plan: &str, overwrite: bool) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|e| Failure::output(format!("{}: {e}", shown(folder))))?;
        let lock = Lock::take(folder, None)?;
        let is = |name: &str| folder.join(name).is_file();
        if overwrite {
            for name in [STATE, PLAN, ARRAYS, MODEL_RECIPE, LOSSES] {
                remove(&folder.join(name))?;
            }
        } else if is(ARRAYS) {
            let folder = shown(folder);
            return Err(Failure::usage(format!("{folder} holds a model; --overwrite trains a new one in its place")));
        }
        let kept = match std::fs::read_to_string(folder.join(PLAN)) {
            Ok(text) if text == plan => std::fs::read(folder.join(STATE)).ok(),
            Ok(_) => {
                let folder = shown(folder);
                return Err(Failure::usage(format!(
                    "{folder} holds unfinished training with another recipe or input; --overwrite starts over"
                )));
            }
            Err(_) => None,
        };
        atomic::write(&folder.join(PLAN), plan.as_bytes()).map_err(Failure::output)?;
        #[allow(clippy::disallowed_methods)]
        let written = Instant::now();
        Ok(Self { folder: folder.to_path_buf(), kept, newest: None, written, _lock: lock })
    }

    /// Whether unfinished training goes on.
    pub fn goes_on(&self) -> bool {
        self.kept.is_some()
    }

    /// Writes the last state, after an interruption.
    pub fn interrupted(&mut self) -> Result<(), Failure> {
        self.flush().map_err(Failure::output)?;
        note(&format!("{}: the same command goes on from the last epoch", shown(&self.folder)));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), atomic::WriteError> {
        let Some(state) = self.newest.take() else { return Ok(()) };
        atomic::write(&self.folder.join(STATE), &state)?;
        #[allow(clippy::disallowed_methods)]
        let now = Instant::now();
        self.written = now;
        Ok(())
    }

    /// Writes the model, its losses and, at last, its recipe; removes the state.
    pub fn finish(&self, fitted: &Fitted, mut recipe: toml::Table) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        fitted.model.save(&mut bytes).map_err(Failure::output)?;
        let mut losses = String::from("epoch,loss\n");
        for (epoch, loss) in (1..).zip(&fitted.losses) {
            losses += &format!("{epoch},{loss}\n");
        }
        let mut entry = toml::Table::new();
        entry.insert("file".into(), ARRAYS.into());
        entry.insert("sha256".into(), sha256(&bytes).into());
        recipe.insert("model".into(), entry.into());
        let text = toml::to_string(&recipe).map_err(Failure::output)?;
        for (name, bytes) in [(ARRAYS, &bytes[..]), (LOSSES, losses.as_bytes()), (MODEL_RECIPE, text.as_bytes())] {
            atomic::write(&self.folder.join(name), bytes).map_err(Failure::output)?;
        }
        remove(&self.folder.join(STATE))?;
        remove(&self.folder.join(PLAN))
    }
}

fn remove(file: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::output(format!("{}: {error}", shown(file))))
        }
        _ => Ok(()),
    }
}

impl Checkpoint for ModelFolder {
    fn kept(&mut self) -> Option<Vec<u8>> {
        self.kept.take()
    }

    fn keep(&mut self, state: &[u8]) -> Result<(), StageError> {
        self.newest = Some(state.to_vec());
        if self.written.elapsed() >= PAUSE { self.flush().map_err(StageError::data) } else { Ok(()) }
    }
}
