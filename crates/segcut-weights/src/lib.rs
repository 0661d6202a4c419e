//! Weights: manifest, cache, fetch, verify, import.
//!
//! Files come from model hubs that speak Hugging Face's protocol and lie in its cache, so weights that
//! a user already has are found, and those fetched here are shared. PyTorch's own files become
//! safetensors by [`import`], which runs nothing in them.

mod cache;
mod fetch;
mod import;
mod manifest;
mod reference;
mod settings;

pub use fetch::{FetchError, Fetched, fetch, sha256_of};
pub use import::{ImportError, PickleError, import};
pub use manifest::{Manifest, ManifestEntry, ManifestError};
pub use reference::{DEFAULT_FILE, Reference, ReferenceError};
pub use settings::{Settings, SettingsError};
