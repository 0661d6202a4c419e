//! Folder → its truth entries, paired with images by name.

use super::{Truth, TruthError, load};
use crate::dataset::{Description, FoundFile, PairError, TRUTH_FOLDERS, Task, pair_ids, same_folder, walk};
use crate::labels::LabelOptions;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How truth is read; what is absent is taken from `dataset.toml`, then from the data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TruthOptions {
    /// What the truth is. Undecided by option and description: several annotators and `.mat` files are regions,
    /// a file of black and white is a mask, any other file regions.
    pub task: Option<Task>,
    /// The label of pixels that do not count.
    pub ignore_label: Option<u32>,
    /// Values of a mask above this are the object (127 where nothing says otherwise).
    pub fg_above: Option<u8>,
    /// The folder of labels under the data set's, where it has several.
    pub label_dir: Option<String>,
    /// How label files are read.
    pub labels: LabelOptions,
}

/// The truth of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthEntry {
    /// The path under the folder of truth, without extension.
    pub id: String,
    /// One file per annotator.
    pub(super) files: Vec<PathBuf>,
    /// Whether the files stand in a folder of the image's name.
    pub(super) annotators: bool,
}

impl TruthEntry {
    /// One file per annotator, sorted.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

/// Which truth belongs to which image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthPairs {
    /// One per image, in the order of the images.
    pub entries: Vec<Option<TruthEntry>>,
    /// Ids of truth that belongs to none of them.
    pub unused: Vec<String>,
}

/// A folder of truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthFolder {
    pub(super) folder: PathBuf,
    pub(super) boundaries: Option<PathBuf>,
    pub(super) options: TruthOptions,
    single: Vec<TruthEntry>,
    several: Vec<TruthEntry>,
}

const TRUTH_EXTENSIONS: [&str; 4] = ["png", "tif", "tiff", "mat"];

impl TruthFolder {
    /// Lists the truth of a folder: the folder of a `dataset.toml` (its first label folder is used), one of
    /// [`TRUTH_FOLDERS`] under the folder, or the folder itself.
    ///
    /// # Errors
    /// [`TruthError`] where the folder cannot be read or holds no truth.
    pub fn open(folder: &Path, options: TruthOptions) -> Result<Self, TruthError> {
        let described = Description::find(folder)?;
        let base = label_folder(folder, described.as_ref(), options.label_dir.as_deref());
        let options = described.map_or_else(|| options.clone(), |(root, d)| fill_in(&options, &root, &d, &base));
        let files = walk(&base, &|extension| TRUTH_EXTENSIONS.contains(&extension), &[])?.files;
        if files.is_empty() {
            return Err(TruthError::Empty { folder: base });
        }
        let (single, several) = (single_entries(&files), folder_entries(&base, &files));
        Ok(Self { boundaries: boundary_folder(&base), folder: base, options, single, several })
    }

    /// The folder that holds the truth.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the truth is, where options or description say so.
    pub fn task(&self) -> Option<Task> {
        self.options.task
    }

    /// The truth of every image, by the names' ends (see [`pair_ids`]).
    ///
    /// Whether `a/b/1.png` is the truth of image `a/b/1` or annotator 1 of image `a/b` is decided for the whole
    /// folder, by which reading finds more of the images.
    ///
    /// # Errors
    /// [`TruthError::Pair`] where names fit several images.
    pub fn pair(&self, ids: &[&str]) -> Result<TruthPairs, TruthError> {
        let (single, several) = (pair_with(ids, &self.single), pair_with(ids, &self.several));
        let count = |pairs: &Result<Vec<Option<usize>>, _>| pairs.as_ref().map_or(0, |p| p.iter().flatten().count());
        let (pairs, entries) = match (count(&single), count(&several)) {
            (0, 0) if single.is_ok() && several.is_err() => (several, &self.several),
            (s, f) if f > s => (several, &self.several),
            _ => (single, &self.single),
        };
        let pairs = pairs.map_err(|source| TruthError::Pair { folder: self.folder.clone(), source })?;
        let used: BTreeSet<usize> = pairs.iter().flatten().copied().collect();
        let unused = (0..entries.len()).filter(|i| !used.contains(i)).map(|i| entries[i].id.clone()).collect();
        Ok(TruthPairs { entries: pairs.into_iter().map(|i| Some(entries[i?].clone())).collect(), unused })
    }

    /// Reads the truth of one image.
    ///
    /// # Errors
    /// [`TruthError`] that names the file.
    pub fn load(&self, entry: &TruthEntry) -> Result<Truth, TruthError> {
        load::load(self, entry)
    }
}

fn pair_with(ids: &[&str], entries: &[TruthEntry]) -> Result<Vec<Option<usize>>, PairError> {
    let available: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    pair_ids(ids, &available)
}

fn label_folder(folder: &Path, described: Option<&(PathBuf, Description)>, wanted: Option<&str>) -> PathBuf {
    if let Some(name) = wanted.filter(|name| folder.join(name).is_dir()) {
        return folder.join(name);
    }
    if let Some((root, description)) = described
        && same_folder(root, folder)
        && let Some(first) = description.label_dirs.first()
    {
        return folder.join(first);
    }
    let known = TRUTH_FOLDERS.iter().map(|name| folder.join(name)).find(|path| path.is_dir());
    known.unwrap_or_else(|| folder.to_path_buf())
}

/// The options with what the description says about a folder; the task only for folders that it lists.
fn fill_in(options: &TruthOptions, root: &Path, description: &Description, base: &Path) -> TruthOptions {
    let base = base.canonicalize().unwrap_or_else(|_| base.to_path_buf());
    let listed = description.label_dirs.iter().find(|dir| base.starts_with(root.join(dir)));
    TruthOptions {
        task: options.task.or_else(|| listed.map(|dir| description.task_of(dir))),
        ignore_label: options.ignore_label.or(description.ignore_label),
        fg_above: options.fg_above.or(description.foreground_above),
        ..options.clone()
    }
}

/// `boundaries/REST` beside `groundTruth/REST`.
fn boundary_folder(base: &Path) -> Option<PathBuf> {
    let base = base.canonicalize().ok()?;
    let root = base.ancestors().find(|path| path.file_name().is_some_and(|name| name == "groundTruth"))?;
    let boundaries = root.with_file_name("boundaries").join(base.strip_prefix(root).ok()?);
    boundaries.is_dir().then_some(boundaries)
}

/// Every file the truth of an image of its name; of `a.png` and `a.mat` the first.
fn single_entries(files: &[FoundFile]) -> Vec<TruthEntry> {
    let mut entries: BTreeMap<&str, &FoundFile> = BTreeMap::new();
    for file in files {
        let there = entries.entry(&file.stem).or_insert(file);
        if there.extension == "mat" {
            *there = file;
        }
    }
    let entry =
        |file: &FoundFile| TruthEntry { id: file.stem.clone(), files: vec![file.path.clone()], annotators: false };
    entries.into_values().map(entry).collect()
}

/// Every folder of files the truth of an image of its name, a file per annotator.
fn folder_entries(base: &Path, files: &[FoundFile]) -> Vec<TruthEntry> {
    let mut folders: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.path.parent() != Some(base) && file.extension != "mat") {
        if let Some((folder, _)) = file.stem.rsplit_once('/') {
            folders.entry(folder).or_default().push(file.path.clone());
        }
    }
    let entry = |(id, files): (&str, _)| TruthEntry { id: id.to_owned(), files, annotators: true };
    folders.into_iter().map(entry).collect()
}
