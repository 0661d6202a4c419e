//! `journal.jsonl`: what a run has done, one line per event, appended in one write.
//!
//! A killed run loses at most the images that it was working on: whatever a line says is done is
//! verified (size and hash of the files) before it counts.

use crate::exit::Failure;
use crate::scoring::Score;
use segcut_io::hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The file's name in the folder of a run.
pub const JOURNAL_FILE: &str = "journal.jsonl";

/// How an image ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// Segmented.
    Ok,
    /// Not segmented; the row says why.
    Error,
    /// `--timeout-per-image` came first.
    Timeout,
    /// The process died on it again and again.
    Crashed,
}

/// A file of the run, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path from the run's folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Hash of the bytes, in hex.
    pub sha256: String,
}

/// One segmentation of an image: one per swept value, or just one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// The swept value; empty without a sweep.
    pub value: String,
    /// Regions made.
    pub regions: usize,
    /// How far a foreground mask can be trusted, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<f64>,
    /// What a user should know.
    pub notes: Vec<String>,
    /// Against the truth, where there is one.
    pub score: Option<Score>,
    /// What was written.
    pub files: Vec<FileRecord>,
}

/// What became of one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The image's id.
    pub id: String,
    /// How it ended.
    pub status: RowStatus,
    /// Code of the error, for example `decode/damaged`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The error in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// What the decoder remarked.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
    /// Height and width of the image, where it was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<[usize; 2]>,
    /// The segmentations.
    pub cuts: Vec<Cut>,
    /// Wall time.
    pub seconds: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    Start { id: String },
    Cancelled { id: String },
    Done(Row),
}

/// Deaths of the process with an image in work after which it is worked on by itself, after all others.
const SUSPECT: usize = 2;

/// Deaths after which it is left out. Nobody can tell a death by the image from a kill by the user, who may
/// meet the same image twice, but hardly in each of these runs.
const DEADLY: usize = 5;

/// The journal of a run, open for appending.
#[derive(Debug)]
pub struct Journal {
    file: File,
    rows: BTreeMap<String, Row>,
    open_starts: BTreeMap<String, usize>,
    /// Lines that could not be read.
    pub unreadable: usize,
}

impl Journal {
    /// Reads what there is and opens the file for appending.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(JOURNAL_FILE);
        let fail = |e: std::io::Error| Failure::output(format!("{}: {e}", path.display()));
        let bytes = bytes_of(&path)?;
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(fail)?;
        if bytes.last().is_some_and(|&b| b != b'\n') {
            file.write_all(b"\n").map_err(fail)?;
        }
        let mut journal = Self { file, rows: BTreeMap::new(), open_starts: BTreeMap::new(), unreadable: 0 };
        journal.take_all(&bytes);
        Ok(journal)
    }

    /// Takes in what shards beside this one have appended meanwhile.
    pub fn refresh(&mut self, folder: &Path) -> Result<(), Failure> {
        (self.rows, self.open_starts, self.unreadable) = Default::default();
        self.take_all(&bytes_of(&folder.join(JOURNAL_FILE))?);
        Ok(())
    }

    fn take_all(&mut self, bytes: &[u8]) {
        for line in bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            self.take(line);
        }
    }

    fn take(&mut self, line: &[u8]) {
        match serde_json::from_slice(line) {
            Ok(Line::Start { id }) => *self.open_starts.entry(id).or_default() += 1,
            Ok(Line::Cancelled { id }) => {
                self.open_starts.remove(&id);
            }
            Ok(Line::Done(row)) => {
                self.open_starts.remove(&row.id);
                self.rows.insert(row.id.clone(), row);
            }
            Err(_) => self.unreadable += 1,
        }
    }

    /// The rows so far.
    pub fn rows(&self) -> &BTreeMap<String, Row> {
        &self.rows
    }

    /// Whether an image is done and its files are as they were written.
    pub fn is_done(&self, id: &str, folder: &Path) -> bool {
        let Some(row) = self.rows.get(id) else { return false };
        match row.status {
            RowStatus::Ok => row.cuts.iter().flat_map(|cut| &cut.files).all(|file| verified(file, folder)),
            RowStatus::Crashed => true,
            RowStatus::Error | RowStatus::Timeout => false,
        }
    }

    /// Whether the process has died so often with this image in work that it should be worked on by itself.
    pub fn is_suspect(&self, id: &str) -> bool {
        self.deaths(id) >= SUSPECT
    }

    /// Whether the process has died with this image in work as often as it may.
    pub fn is_deadly(&self, id: &str) -> bool {
        self.deaths(id) >= DEADLY
    }

    fn deaths(&self, id: &str) -> usize {
        self.open_starts.get(id).copied().unwrap_or(0)
    }

    /// Notes that work on an image begins, so that a death leaves a trace.
    pub fn start(&mut self, id: &str) -> Result<(), Failure> {
        self.append(&Line::Start { id: id.to_string() })
    }

    /// Notes that the user stopped the work on an image: it is as if it had not begun.
    pub fn cancelled(&mut self, id: &str) -> Result<(), Failure> {
        self.open_starts.remove(id);
        self.append(&Line::Cancelled { id: id.to_string() })
    }

    /// Notes what became of an image.
    pub fn done(&mut self, row: Row) -> Result<(), Failure> {
        self.rows.insert(row.id.clone(), row.clone());
        self.open_starts.remove(&row.id);
        self.append(&Line::Done(row))
    }

    fn append(&mut self, line: &Line) -> Result<(), Failure> {
        let mut text = serde_json::to_string(line).map_err(|e| Failure::output(format!("journal: {e}")))?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).map_err(|e| Failure::output(format!("journal: {e}")))
    }
}

/// What the file holds; nothing where it is not there.
fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    match std::fs::read(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|e| Failure::output(format!("{}: {e}", path.display()))),
    }
}

fn verified(record: &FileRecord, folder: &Path) -> bool {
    let path = folder.join(&record.path);
    std::fs::metadata(&path).is_ok_and(|m| m.len() == record.size)
        && hash::sha256_file(&path).is_ok_and(|sha256| sha256 == record.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, status: RowStatus, files: Vec<FileRecord>) -> Row {
        let cuts = vec![Cut { value: String::new(), regions: 1, confidence: None, notes: vec![], score: None, files }];
        Row { id: id.into(), status, code: None, message: None, warnings: vec![], size: None, cuts, seconds: 0.1 }
    }

    #[test]
    fn a_cut_tail_is_ignored_and_files_are_verified() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.png"), b"abc").unwrap();
        let record = FileRecord { path: "a.png".into(), size: 3, sha256: hash::sha256(b"abc") };
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.start("a").unwrap();
        journal.done(row("a", RowStatus::Ok, vec![record])).unwrap();
        journal.done(row("b", RowStatus::Error, vec![])).unwrap();
        drop(journal);
        let path = dir.path().join("journal.jsonl");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"event\":\"done\",\"id\":\"c");
        std::fs::write(&path, bytes).unwrap();

        let mut journal = Journal::open(dir.path()).unwrap();
        assert_eq!((journal.unreadable, journal.rows().len()), (1, 2));
        assert!(
            journal.is_done("a", dir.path()) && !journal.is_done("b", dir.path()) && !journal.is_done("c", dir.path())
        );
        std::fs::write(dir.path().join("a.png"), b"abd").unwrap();
        assert!(!journal.is_done("a", dir.path()));
        journal.start("d").unwrap();
        assert_eq!(Journal::open(dir.path()).unwrap().unreadable, 1);
    }

    #[test]
    fn deaths_are_counted_until_an_image_is_done_or_cancelled() {
        let dir = tempfile::tempdir().unwrap();
        for deaths in 0..6 {
            let mut journal = Journal::open(dir.path()).unwrap();
            assert_eq!((journal.is_suspect("a"), journal.is_deadly("a")), (deaths >= 2, deaths >= 5));
            journal.start("a").unwrap();
        }
        Journal::open(dir.path()).unwrap().cancelled("a").unwrap();
        assert!(!Journal::open(dir.path()).unwrap().is_suspect("a"));
    }

    #[test]
    fn the_rows_of_other_shards_are_taken_in() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = Journal::open(dir.path()).unwrap();
        let mut two = Journal::open(dir.path()).unwrap();
        one.done(row("a", RowStatus::Ok, vec![])).unwrap();
        two.done(row("b", RowStatus::Ok, vec![])).unwrap();
        two.refresh(dir.path()).unwrap();
        assert_eq!(two.rows().keys().collect::<Vec<_>>(), ["a", "b"]);
    }
}
