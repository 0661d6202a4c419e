//! Folder → the files under it, sorted.

use super::DatasetError;
use crate::{FileError, shown};
use std::fmt::{self, Display, Formatter, Write};
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// Why something under a folder was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhySkipped {
    /// A linked folder (it may lead out of the data or back into it).
    LinkedFolder,
    /// A link to nothing.
    BrokenLink,
    /// A pipe, socket or device.
    NotAFile,
    /// The results of an earlier run.
    RunFolder,
    /// Folders nested more than 64 deep.
    TooDeep,
}

/// Something under a folder that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What.
    pub path: PathBuf,
    /// Why.
    pub why: WhySkipped,
}

impl Display for Skipped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            WhySkipped::LinkedFolder => "a linked folder is not entered",
            WhySkipped::BrokenLink => "a link to nothing",
            WhySkipped::NotAFile => "a pipe, socket or device",
            WhySkipped::RunFolder => "the results of an earlier run",
            WhySkipped::TooDeep => "nested too deeply",
        };
        write!(f, "{} is left out: {why}", shown(&self.path))
    }
}

/// A file under a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    /// The path under the folder without extension.
    pub stem: String,
    /// The extension in lower case.
    pub extension: String,
    /// Where it is.
    pub path: PathBuf,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub files: Vec<FoundFile>,
    pub skipped: Vec<Skipped>,
}

const MAX_DEPTH: usize = 64;
/// What marks the results of a run.
const RUN_FILE: &str = "journal.jsonl";

/// Lists the files under `root` whose extension is kept, sorted by path. Hidden names are left out in silence.
pub(crate) fn walk(root: &Path, keep: &dyn Fn(&str) -> bool, exclude: &[PathBuf]) -> Result<Walk, DatasetError> {
    let exclude = exclude.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mut walker = Walker { root, keep, exclude, found: Walk::default() };
    walker.folder(root, MAX_DEPTH)?;
    walker.found.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(walker.found)
}

struct Walker<'a> {
    root: &'a Path,
    keep: &'a dyn Fn(&str) -> bool,
    exclude: Vec<PathBuf>,
    found: Walk,
}

impl Walker<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), DatasetError> {
        let fail = |e| FileError::new(folder, e);
        let mut entries = fs::read_dir(folder).map_err(fail)?.collect::<Result<Vec<_>, _>>().map_err(fail)?;
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                self.entry(&entry, depth)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, depth: usize) -> Result<(), DatasetError> {
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| FileError::new(&path, e))?;
        if kind.is_dir() {
            return self.subfolder(&path, depth);
        }
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if kind.is_symlink() && path.is_dir() {
            self.skip(path, WhySkipped::LinkedFolder);
        } else if (self.keep)(&extension) {
            match fs::metadata(&path) {
                Ok(meta) if meta.is_file() => {
                    let stem = stem_of(path.strip_prefix(self.root).unwrap_or(&path));
                    self.found.files.push(FoundFile { stem, extension, path });
                }
                Ok(_) => self.skip(path, WhySkipped::NotAFile),
                Err(_) => self.skip(path, WhySkipped::BrokenLink),
            }
        }
        Ok(())
    }

    fn subfolder(&mut self, path: &Path, depth: usize) -> Result<(), DatasetError> {
        if self.is_excluded(path) {
            return Ok(());
        }
        if path.join(RUN_FILE).exists() {
            self.skip(path.to_path_buf(), WhySkipped::RunFolder);
            return Ok(());
        }
        let Some(depth) = depth.checked_sub(1) else {
            self.skip(path.to_path_buf(), WhySkipped::TooDeep);
            return Ok(());
        };
        self.folder(path, depth)
    }

    fn is_excluded(&self, path: &Path) -> bool {
        !self.exclude.is_empty() && path.canonicalize().is_ok_and(|path| self.exclude.contains(&path))
    }

    fn skip(&mut self, path: PathBuf, why: WhySkipped) {
        self.found.skipped.push(Skipped { path, why });
    }
}

/// The path without extension, `/` between its parts, other bytes than UTF-8 percent-encoded.
pub(super) fn stem_of(relative: &Path) -> String {
    let without = relative.with_extension("");
    let normal = without.components().filter(|c| matches!(c, std::path::Component::Normal(_)));
    let parts: Vec<String> = normal.map(|part| part_text(part.as_os_str())).collect();
    parts.join("/")
}

fn part_text(part: &std::ffi::OsStr) -> String {
    if let Some(text) = part.to_str() {
        return text.to_owned();
    }
    part.as_encoded_bytes().iter().fold(String::new(), |mut text, &byte| {
        if byte.is_ascii() && byte != b'%' {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}
