//! Files of a Hugging Face cache: `blobs`, `refs` and `snapshots` of a repository.

use crate::reference::Reference;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of one repository in a cache.
#[derive(Debug, Clone)]
pub(crate) struct RepositoryFolder(PathBuf);

impl RepositoryFolder {
    /// The folder of a repository within the cache, which need not exist.
    pub fn new(cache: &Path, reference: &Reference) -> Self {
        Self(cache.join(reference.folder()))
    }

    /// A file that is there already, whoever fetched it.
    pub fn find(&self, reference: &Reference) -> Option<PathBuf> {
        let stored = fs::read_to_string(self.0.join("refs").join(reference.revision())).ok();
        let commit = stored.map_or_else(|| reference.revision().to_string(), |text| text.trim().to_string());
        if commit.is_empty() || !commit.chars().all(|c| c.is_ascii_alphanumeric()) {
            return None;
        }
        let path = self.0.join("snapshots").join(commit).join(reference.file());
        path.is_file().then_some(path)
    }

    /// Where the bytes of this digest lie.
    pub fn blob(&self, digest: &str) -> PathBuf {
        self.0.join("blobs").join(digest)
    }

    /// Locks the bytes of this digest against other downloads; freed when dropped.
    pub fn lock(&self, digest: &str) -> io::Result<File> {
        fs::create_dir_all(self.0.join("blobs"))?;
        let lock = File::create(self.blob(digest).with_extension("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Enters a blob under its commit and its name, and the commit under its revision.
    pub fn enter(&self, reference: &Reference, commit: &str, digest: &str) -> io::Result<PathBuf> {
        let path = self.0.join("snapshots").join(commit).join(reference.file());
        let parent = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent)?;
        if fs::symlink_metadata(&path).is_ok() {
            fs::remove_file(&path)?;
        }
        link(&self.blob(digest), reference.file().split('/').count(), &path)?;
        if reference.revision() != commit {
            let named = self.0.join("refs").join(reference.revision());
            fs::create_dir_all(named.parent().unwrap_or(&self.0))?;
            fs::write(named, commit)?;
        }
        Ok(path)
    }
}

/// A relative link where the system has them, else a hard link.
#[cfg(unix)]
fn link(blob: &Path, depth: usize, path: &Path) -> io::Result<()> {
    let mut target: PathBuf = std::iter::repeat_n("..", depth + 1).collect();
    target.push("blobs");
    target.push(blob.file_name().unwrap_or_default());
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn link(blob: &Path, _: usize, path: &Path) -> io::Result<()> {
    fs::hard_link(blob, path).or_else(|_| fs::copy(blob, path).map(drop))
}
