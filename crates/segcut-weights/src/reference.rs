//! `ORG/REPO@REVISION:FILE` → a file of a model hub.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The file that is meant where none is named.
pub const DEFAULT_FILE: &str = "model.safetensors";

/// Why text names no file of a hub.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// No organisation and repository.
    #[error("{0:?} is no ORG/REPO, ORG/REPO@REVISION or ORG/REPO@REVISION:FILE")]
    Form(String),
    /// A part could leave the cache folder.
    #[error("{part:?} in {text:?} is refused: letters, digits, '-', '_' and '.' only, and no '..'")]
    Part {
        /// The text.
        text: String,
        /// Its refused part.
        part: String,
    },
}

/// A file of a repository on a model hub at a revision.
///
/// *Guarantees*: no part leaves a folder that it is joined to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    repository: String,
    revision: String,
    file: String,
}

impl Reference {
    /// Checks the parts.
    ///
    /// # Errors
    /// [`ReferenceError`] for parts that no hub has.
    ///
    /// # Examples
    /// ```
    /// use segcut_weights::Reference;
    /// let reference: Reference = "timm/vit_small_patch16_224.dino@main".parse()?;
    /// assert_eq!(reference.folder(), "models--timm--vit_small_patch16_224.dino");
    /// assert!("timm/../secrets".parse::<Reference>().is_err());
    /// # Ok::<(), segcut_weights::ReferenceError>(())
    /// ```
    pub fn new(repository: &str, revision: &str, file: &str) -> Result<Self, ReferenceError> {
        let text = || format!("{repository}@{revision}:{file}");
        let parts: Vec<&str> = repository.split('/').collect();
        if parts.len() != 2 {
            return Err(ReferenceError::Form(text()));
        }
        let pieces = parts.into_iter().chain(revision.split('/')).chain(file.split('/'));
        for part in pieces {
            if !plain(part) {
                return Err(ReferenceError::Part { text: text(), part: part.to_string() });
            }
        }
        let owned = str::to_string;
        Ok(Self { repository: owned(repository), revision: owned(revision), file: owned(file) })
    }

    /// `ORG/REPO`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// A branch, a tag or a commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The file inside the repository.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The repository's folder in a Hugging Face cache.
    pub fn folder(&self) -> String {
        format!("models--{}", self.repository.replace('/', "--"))
    }
}

fn plain(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !part.is_empty() && part != "." && !part.contains("..") && part.chars().all(allowed)
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (rest, file) = text.split_once(':').unwrap_or((text, DEFAULT_FILE));
        let (repository, revision) = rest.split_once('@').unwrap_or((rest, "main"));
        Self::new(repository, revision, file)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}", self.repository, self.revision, self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_default_and_come_back() {
        let reference: Reference = "a/b@v1:sub/x.safetensors".parse().unwrap();
        assert_eq!(
            (reference.repository(), reference.revision(), reference.file()),
            ("a/b", "v1", "sub/x.safetensors")
        );
        assert_eq!(reference.to_string(), "a/b@v1:sub/x.safetensors");
        assert_eq!("a/b".parse::<Reference>().unwrap().to_string(), "a/b@main:model.safetensors");
        for odd in ["a", "a/b/c", "a/b@../x", "a/b:..", "a/b:/etc/passwd", "a/", "a/b@", "a /b"] {
            assert!(odd.parse::<Reference>().is_err(), "{odd}");
        }
    }
}
