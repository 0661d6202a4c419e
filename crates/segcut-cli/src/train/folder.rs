//! The folder of a model: unfinished training, and what is left when it is done.

use crate::exit::Failure;
use crate::print::note;
use crate::recipe_choice::MODEL_RECIPE;
use crate::run::lock::Lock;
use crate::unfinished::{self, Unfinished, remove_file};
use segcut_core::{Checkpoint, Fitted};
use segcut_io::atomic;
use segcut_io::hash::sha256;
use segcut_io::shown;
use std::path::{Path, PathBuf};

/// The model's arrays.
const ARRAYS: &str = "model.safetensors";
/// The loss of every epoch.
pub const LOSSES: &str = "losses.csv";

/// A folder that training writes to.
#[derive(Debug)]
pub struct ModelFolder {
    folder: PathBuf,
    unfinished: Unfinished,
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
            unfinished::remove(&folder.join(""))?;
            for name in [ARRAYS, MODEL_RECIPE, LOSSES] {
                remove_file(&folder.join(name))?;
            }
        } else if is(ARRAYS) {
            let folder = shown(folder);
            return Err(Failure::usage(format!("{folder} holds a model; --overwrite trains a new one in its place")));
        }
        let unfinished = Unfinished::open(&folder.join(""), plan).map_err(|unfinished::Other| {
            let folder = shown(folder);
            Failure::usage(format!(
                "{folder} holds unfinished training with another recipe or input; --overwrite starts over"
            ))
        })?;
        Ok(Self { folder: folder.to_path_buf(), unfinished, _lock: lock })
    }

    /// Whether unfinished training goes on.
    pub fn goes_on(&self) -> bool {
        self.unfinished.goes_on()
    }

    /// Writes the last state, after an interruption.
    pub fn interrupted(&mut self) -> Result<(), Failure> {
        if self.unfinished.interrupted()? {
            note(&format!("{}: the same command goes on from the last epoch", shown(&self.folder)));
        }
        Ok(())
    }

    /// Where the state is kept.
    pub fn checkpoint(&mut self) -> &mut dyn Checkpoint {
        &mut self.unfinished
    }

    /// Writes the model, its losses and, at last, its recipe; removes the state.
    pub fn finish(&self, fitted: &Fitted, mut recipe: toml::Table) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        fitted.model.save(&mut bytes).map_err(Failure::output)?;
        let losses = losses(fitted);
        let mut entry = toml::Table::new();
        entry.insert("file".into(), ARRAYS.into());
        entry.insert("sha256".into(), sha256(&bytes).into());
        recipe.insert("model".into(), entry.into());
        let text = toml::to_string(&recipe).map_err(Failure::output)?;
        for (name, bytes) in [(ARRAYS, &bytes[..]), (LOSSES, losses.as_bytes()), (MODEL_RECIPE, text.as_bytes())] {
            atomic::write(&self.folder.join(name), bytes).map_err(Failure::output)?;
        }
        unfinished::remove(&self.folder.join(""))
    }
}

/// The table of losses.
pub fn losses(fitted: &Fitted) -> String {
    let rows = (1..).zip(&fitted.losses).map(|(epoch, loss)| format!("{epoch},{loss}\n"));
    ["epoch,loss\n".to_string()].into_iter().chain(rows).collect()
}
