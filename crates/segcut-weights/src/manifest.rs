//! The weights that are known by name: `weights/manifest.toml`.

use crate::reference::{Reference, ReferenceError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The manifest that is built in.
const BUILT_IN: &str = include_str!("../../../weights/manifest.toml");

/// Why a manifest or a name in it cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not TOML of this form.
    #[error("weights/manifest.toml: {0}")]
    Toml(#[from] toml::de::Error),
    /// An entry's file is refused.
    #[error("weights/manifest.toml: {name}: {source}")]
    Reference {
        /// The entry.
        name: String,
        /// Why.
        source: ReferenceError,
    },
    /// No entry of this name.
    #[error("there are no weights named {name:?}; known are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
}

/// Weights that have a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestEntry {
    /// The name, for example `dino-vits16`.
    pub name: String,
    /// `ORG/REPO` on the hub.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// The file.
    pub file: String,
    /// Digest of the file, where it is pinned; else the hub's own is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The weights' licence.
    pub licence: String,
    /// What network they are for.
    pub architecture: String,
    /// Whose tensor names they have.
    pub layout: String,
}

impl ManifestEntry {
    /// Where the file is.
    ///
    /// # Errors
    /// [`ManifestError::Reference`] for parts that no hub has.
    pub fn reference(&self) -> Result<Reference, ManifestError> {
        let wrap = |source| ManifestError::Reference { name: self.name.clone(), source };
        Reference::new(&self.repository, &self.revision, &self.file).map_err(wrap)
    }
}

/// Weights by name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The entries in the order of the file.
    pub weights: Vec<ManifestEntry>,
}

impl Manifest {
    /// The manifest that is built in.
    ///
    /// # Errors
    /// [`ManifestError::Toml`] never occurs for a released program: a test reads it.
    pub fn built_in() -> Result<Self, ManifestError> {
        Self::parse(BUILT_IN)
    }

    /// TOML text → manifest.
    ///
    /// # Errors
    /// [`ManifestError::Toml`] with line and column.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        Ok(toml::from_str(text)?)
    }

    /// The entry of a name.
    ///
    /// # Errors
    /// [`ManifestError::Unknown`] with the names that there are.
    pub fn find(&self, name: &str) -> Result<&ManifestEntry, ManifestError> {
        let known = || self.weights.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ");
        let unknown = || ManifestError::Unknown { name: name.to_string(), known: known() };
        self.weights.iter().find(|entry| entry.name == name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_manifest_is_whole() {
        let manifest = Manifest::built_in().unwrap();
        assert!(manifest.weights.len() >= 11);
        for entry in &manifest.weights {
            entry.reference().unwrap();
            assert_eq!(manifest.find(&entry.name).unwrap(), entry);
        }
        assert!(matches!(manifest.find("dino-vitx"), Err(ManifestError::Unknown { .. })));
    }
}
