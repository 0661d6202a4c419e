//! `--truth` → the truth of each image.

use crate::args::{Task, TruthArgs};
use crate::exit::Failure;
use segcut_io::dataset::{self, DESCRIPTION_FILE, Item};
use segcut_io::truth::{Truth, TruthEntry, TruthError, TruthFolder, TruthOptions, TruthPairs};
use std::path::Path;

/// The truth of each image of a list, in its order.
#[derive(Debug)]
pub struct TruthTable {
    folder: TruthFolder,
    entries: Vec<Option<TruthEntry>>,
    unused: Vec<String>,
}

impl TruthTable {
    /// The truth that `--truth` names, or that the data's own dataset.toml describes; none where neither is there.
    pub fn find(data: &Path, args: &TruthArgs, items: &[Item]) -> Result<Option<Self>, Failure> {
        let described = data.join(DESCRIPTION_FILE).is_file();
        let Some(path) = args.truth.as_deref().or(described.then_some(data)) else { return Ok(None) };
        let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
        Self::open(path, args, &ids).map(Some)
    }

    /// The truth of the images of these ids.
    pub fn open(path: &Path, args: &TruthArgs, ids: &[&str]) -> Result<Self, Failure> {
        let fg_above = args.fg_above.map(u8::try_from).transpose();
        let options = TruthOptions {
            task: match args.task {
                Some(Task::Regions) => Some(dataset::Task::Regions),
                Some(Task::Mask) => Some(dataset::Task::Mask),
                Some(Task::Semantic) => Some(dataset::Task::Semantic),
                Some(Task::Superpixels) | None => None,
            },
            ignore_label: args.ignore_label,
            fg_above: fg_above.map_err(|_| Failure::usage("--fg-above must be from 0 to 255"))?,
            ..TruthOptions::default()
        };
        let folder = TruthFolder::open(path, options).map_err(Failure::no_input)?;
        let TruthPairs { entries, unused } = folder.pair(ids).map_err(Failure::no_input)?;
        Ok(Self { folder, entries, unused })
    }

    /// What does not pair: images without truth end the run (unless they may), truth without an image is told.
    pub fn notes(&self, items: &[Item], allow_missing: bool) -> Result<Vec<String>, Failure> {
        let missing: Vec<&str> = items
            .iter()
            .zip(&self.entries)
            .filter(|(_, entry)| entry.is_none())
            .map(|(item, _)| item.id.as_str())
            .collect();
        let folder = self.folder.folder().display();
        if !missing.is_empty() && !allow_missing {
            let first = missing.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            let count = missing.len();
            return Err(Failure::no_input(format!(
                "{count} images have no truth in {folder}: {first}; --allow-missing runs them unscored"
            )));
        }
        Ok((!self.unused.is_empty())
            .then(|| format!("{} files of truth in {folder} belong to no image", self.unused.len()))
            .into_iter()
            .collect())
    }

    /// Ids of truth that no image has.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Whether the image at this place of the list has truth.
    pub fn has(&self, index: usize) -> bool {
        self.entries.get(index).is_some_and(Option::is_some)
    }

    /// What the truth is, where that is decided.
    pub fn task(&self) -> Option<dataset::Task> {
        self.folder.task()
    }

    /// Reads the truth of an image of the list.
    pub fn load(&self, index: usize) -> Option<Result<Truth, TruthError>> {
        let entry = self.entries.get(index)?.as_ref()?;
        Some(self.folder.load(entry))
    }
}
