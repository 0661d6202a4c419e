//! What a user calls weights → a file.

use crate::exit::Failure;
use segcut_weights::{Manifest, Reference, Settings, fetch};
use std::path::{Path, PathBuf};

/// Cache and hub from the environment; `offline` asks nobody whatever the environment says.
pub fn settings(offline: bool) -> Result<Settings, Failure> {
    #[allow(clippy::disallowed_methods)]
    let variable = |name: &str| std::env::var(name).ok();
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let settings = Settings::from_environment(variable, read).map_err(Failure::weights)?;
    Ok(Settings { offline: offline || settings.offline, ..settings })
}

/// A name of the manifest, or ORG/REPO@REVISION:FILE → what to fetch and its pinned digest.
pub fn reference(name: &str) -> Result<(Reference, Option<String>), Failure> {
    if name.contains('/') {
        return Ok((name.parse().map_err(Failure::weights)?, None));
    }
    let manifest = Manifest::built_in().map_err(Failure::weights)?;
    let entry = manifest.find(name).map_err(Failure::weights)?;
    Ok((entry.reference().map_err(Failure::weights)?, entry.sha256.clone()))
}

/// The file of weights: a path as it is, else what the cache has under the name. Nothing is fetched.
pub fn weights_path(weights: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(weights);
    if path.is_file() || path.extension().is_some_and(|e| e == "safetensors" || e == "pth") {
        return Ok(path.to_path_buf());
    }
    let (reference, sha256) = reference(weights)?;
    let found = fetch(&settings(true)?, &reference, sha256.as_deref(), &|_, _| {});
    let found = found.map_err(|e| Failure::weights(format!("{e}; get them by `segcut weights fetch {weights}`")))?;
    Ok(found.path)
}
