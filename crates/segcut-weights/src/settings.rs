//! Where a Hugging Face cache lies and how its hub is reached.

use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No folder for the cache.
    #[error("no place for weights: set HF_HOME or HF_HUB_CACHE (neither they nor HOME is set)")]
    NoCache,
    /// The endpoint is not encrypted.
    #[error("HF_ENDPOINT = {0:?} is refused: it must begin with https:// (http:// only for this machine itself)")]
    Endpoint(String),
}

/// A hub and its cache on disk, by the names of Hugging Face.
#[derive(Clone)]
pub struct Settings {
    /// Folder of `models--ORG--REPO` folders (`HF_HUB_CACHE`, or `hub` in `HF_HOME`).
    pub cache: PathBuf,
    /// The hub's address (`HF_ENDPOINT`).
    pub endpoint: String,
    /// Secret of the user (`HF_TOKEN`, or the file `token` in `HF_HOME`); never shown.
    pub token: Option<String>,
    /// Use what is there and ask nobody (`HF_HUB_OFFLINE`).
    pub offline: bool,
    /// Wait before the second try; it doubles with every further one.
    pub backoff: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "set");
        let mut form = f.debug_struct("Settings");
        form.field("cache", &self.cache).field("endpoint", &self.endpoint).field("token", &token);
        form.field("offline", &self.offline).finish_non_exhaustive()
    }
}

impl Settings {
    /// Environment → settings; `variable` looks a name up, `read` a file of one line.
    ///
    /// # Errors
    /// [`SettingsError`] where there is no place for a cache, or the endpoint is not encrypted.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        read: impl Fn(&Path) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let home = set("HF_HOME").map(PathBuf::from).or_else(|| {
            let cache = set("XDG_CACHE_HOME").map(PathBuf::from);
            let cache = cache.or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")))?;
            Some(cache.join("huggingface"))
        });
        let cache = set("HF_HUB_CACHE").map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join("hub")));
        let token = set("HF_TOKEN").or_else(|| read(&home.as_ref()?.join("token")));
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_string());
        let offline = set("HF_HUB_OFFLINE")
            .is_some_and(|v| matches!(v.to_ascii_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE"));
        if !encrypted(&endpoint) {
            return Err(SettingsError::Endpoint(endpoint));
        }
        Ok(Self {
            cache: cache.ok_or(SettingsError::NoCache)?,
            endpoint: endpoint.trim_end_matches('/').to_string(),
            token: token.map(|token| token.trim().to_string()).filter(|token| !token.is_empty()),
            offline,
            backoff: Duration::from_secs(1),
        })
    }
}

/// https, or http to the machine itself.
fn encrypted(endpoint: &str) -> bool {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let at_host_end = |rest: &str| rest.is_empty() || rest.starts_with(':') || rest.starts_with('/');
    endpoint.starts_with("https://") || local.iter().any(|host| endpoint.strip_prefix(host).is_some_and(at_host_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let look = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_string());
        Settings::from_environment(look, |path| path.ends_with("h/token").then(|| "secret\n".to_string()))
    }

    #[test]
    fn places_follow_hugging_face() {
        assert_eq!(settings(&[("HOME", "/u")]).unwrap().cache, Path::new("/u/.cache/huggingface/hub"));
        assert_eq!(
            settings(&[("HOME", "/u"), ("XDG_CACHE_HOME", "/c")]).unwrap().cache,
            Path::new("/c/huggingface/hub")
        );
        let own = settings(&[("HF_HOME", "/h"), ("HF_HUB_OFFLINE", "yes")]).unwrap();
        assert_eq!(
            (own.cache.as_path(), own.offline, own.token.as_deref()),
            (Path::new("/h/hub"), true, Some("secret"))
        );
        assert!(!format!("{own:?}").contains("secret"));
        assert_eq!(settings(&[("HF_HUB_CACHE", "/x")]).unwrap().cache, Path::new("/x"));
        assert_eq!(settings(&[]).unwrap_err(), SettingsError::NoCache);
    }

    #[test]
    fn only_encrypted_or_local_hubs() {
        let with = |endpoint| settings(&[("HOME", "/u"), ("HF_ENDPOINT", endpoint)]);
        assert!(with("http://127.0.0.1:8080").is_ok() && with("https://mirror.example/").is_ok());
        for odd in ["http://huggingface.co", "http://localhost.evil.example", "ftp://x"] {
            assert!(matches!(with(odd), Err(SettingsError::Endpoint(_))), "{odd}");
        }
    }
}
