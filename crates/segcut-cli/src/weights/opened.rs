//! Weights that this process has read.

use segcut::{Weights, WeightsError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static OPENED: Mutex<BTreeMap<PathBuf, Weights>> = Mutex::new(BTreeMap::new());

/// The weights of a file, which is read once however many pipelines use it.
pub fn opened(path: &Path) -> Result<Weights, WeightsError> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(weights) = opened.get(path) {
        return Ok(weights.clone());
    }
    let weights = Weights::open(path)?;
    opened.insert(path.to_path_buf(), weights.clone());
    Ok(weights)
}
