//! `dataset.toml` → where images and truth are, what is ignored, what is foreground.

use super::{DESCRIPTION_FILE, DatasetError};
use crate::FileError;
use crate::file_error::read_capped;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};

/// What the truth of a data set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Regions without meaning, drawn by one or several people.
    Regions,
    /// One object against the rest.
    Mask,
    /// Classes that mean the same in every image.
    Semantic,
}

/// The keys of `dataset.toml` that segcut reads; others (title, licence, source …) may stand beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The name of the data set.
    #[serde(default)]
    pub name: String,
    /// The folder of the images, under the folder of the description.
    #[serde(default = "here")]
    pub image_dir: String,
    /// The folders of the truth; the first is the one used unless another is asked for.
    #[serde(default)]
    pub label_dirs: Vec<String>,
    /// The label of pixels that do not count.
    #[serde(default)]
    pub ignore_label: Option<u32>,
    /// Values of a mask above this are the object.
    #[serde(default)]
    pub foreground_above: Option<u8>,
    /// What the truth is, where the folders' names do not tell.
    #[serde(default)]
    pub task: Option<Task>,
}

fn here() -> String {
    ".".into()
}

/// A description is larger than this only by mistake.
const MAX_BYTES: u64 = 1 << 20;
/// How many folders above the data the description may lie.
const MAX_LEVELS: usize = 4;

impl Description {
    /// The description in a folder, or in one of the four folders above it, with the folder it lies in.
    ///
    /// # Errors
    /// [`DatasetError`] where the folder or the description cannot be read.
    pub fn find(folder: &Path) -> Result<Option<(PathBuf, Self)>, DatasetError> {
        let folder = folder.canonicalize().map_err(|e| FileError::new(folder, e))?;
        for root in folder.ancestors().take(1 + MAX_LEVELS) {
            let file = root.join(DESCRIPTION_FILE);
            if file.is_file() {
                return Ok(Some((root.to_path_buf(), Self::read(&file)?)));
            }
        }
        Ok(None)
    }

    /// Reads a description.
    ///
    /// # Errors
    /// [`DatasetError`]; folders outside the description's own are refused.
    pub fn read(file: &Path) -> Result<Self, DatasetError> {
        let bytes = read_capped(file, MAX_BYTES)?;
        let described = |e| DatasetError::Description { file: file.to_path_buf(), source: Box::new(e) };
        let description: Self = toml::from_slice(&bytes).map_err(described)?;
        for path in description.label_dirs.iter().chain([&description.image_dir]) {
            check_relative(file, path)?;
        }
        Ok(description)
    }

    /// What the truth in one of the label folders is: the key `task`; else a mask where `foreground_above` is
    /// given; else regions in `groundTruth` and `segments`, classes elsewhere.
    pub fn task_of(&self, label_dir: &str) -> Task {
        match (self.task, self.foreground_above, label_dir) {
            (Some(task), ..) => task,
            (None, Some(_), _) => Task::Mask,
            (None, None, "groundTruth" | "segments" | "boundaries") => Task::Regions,
            _ => Task::Semantic,
        }
    }
}

/// Refuses what leads out of the folder, on any system.
pub(super) fn check_relative(file: &Path, path: &str) -> Result<(), DatasetError> {
    let inside = Path::new(path).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    let bytes = path.as_bytes();
    let drive = bytes.get(1) == Some(&b':') && bytes[0].is_ascii_alphabetic();
    let windows = drive || path.starts_with('\\') || path.split('\\').any(|part| part == "..");
    if inside && !windows && !path.is_empty() && !bytes.contains(&0) {
        return Ok(());
    }
    Err(DatasetError::PathEscapes { file: file.to_path_buf(), path: path.to_owned() })
}
