//! A file of a model hub → the same file in the cache, checked.

use crate::cache::RepositoryFolder;
use crate::reference::Reference;
use crate::settings::Settings;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;
use thiserror::Error;
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Agent, Body};

/// Tries before giving up on a server that is busy.
const TRIES: u32 = 4;
/// Moves of a repository that are followed.
const MOVES: usize = 5;
/// Bytes read at a time.
const PIECE: usize = 1 << 20;
/// The largest file that is fetched.
const MAX_BYTES: u64 = 16 << 30;

/// Why a file was not fetched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Nothing may be asked, and the file is not there.
    #[error("{reference} is not in {cache}, and HF_HUB_OFFLINE is set", cache = cache.display())]
    Offline {
        /// The file.
        reference: Reference,
        /// Where it was looked for.
        cache: PathBuf,
    },
    /// The hub wants to know who asks (401 or 403).
    #[error("{0} is gated or private: accept its licence on its page and set HF_TOKEN to a token that may read it")]
    Gated(Reference),
    /// The hub has no such file (404).
    #[error("{0} does not exist on the hub: check the repository, the revision and the file's name")]
    Missing(Reference),
    /// The hub answered otherwise.
    #[error("{reference}: the hub answered {status}")]
    Answer {
        /// The file.
        reference: Reference,
        /// Its status code.
        status: u16,
    },
    /// The hub's answer lacks what a model hub tells of a file.
    #[error("{reference}: the answer has no {header}, so it is not from a model hub")]
    NotAHub {
        /// The file.
        reference: Reference,
        /// The header that is missing.
        header: &'static str,
    },
    /// No connection.
    #[error("{reference}: no answer: {source}")]
    Network {
        /// The file.
        reference: Reference,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// Fewer or more bytes than announced.
    #[error("{reference}: {found} bytes came, {expected} were announced; what came is kept for the next try")]
    Size {
        /// The file.
        reference: Reference,
        /// Bytes that the hub announced.
        expected: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// Other bytes than expected.
    #[error("{reference}: its sha256 is {found}, expected {expected}; the file was removed")]
    Checksum {
        /// The file.
        reference: Reference,
        /// The digest that the manifest or the hub states.
        expected: String,
        /// The digest of what came.
        found: String,
    },
    /// The cache cannot be written.
    #[error("{path}: {source}", path = path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

/// A file in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its path.
    pub path: PathBuf,
    /// Whether it was there already.
    pub cached: bool,
}

/// What the hub says of a file.
struct Announced {
    commit: String,
    digest: String,
    size: u64,
}

/// Finds a file in the cache, or fetches it from the hub.
///
/// The layout is that of `huggingface_hub`: what it fetched is found here, and the other way round. A
/// download that was cut goes on where it stopped. The size and, where the hub or `sha256` states one,
/// the digest are checked before the file gets its name. `progress` is told bytes done and in all.
///
/// # Errors
/// [`FetchError`]; 429 and 5xx are tried again three times, waiting longer each time.
pub fn fetch(
    settings: &Settings,
    reference: &Reference,
    sha256: Option<&str>,
    progress: &dyn Fn(u64, u64),
) -> Result<Fetched, FetchError> {
    let folder = RepositoryFolder::new(&settings.cache, reference);
    if let Some(path) = folder.find(reference) {
        check_digest(&path, reference, sha256)?;
        return Ok(Fetched { path, cached: true });
    }
    if settings.offline {
        return Err(FetchError::Offline { reference: reference.clone(), cache: settings.cache.clone() });
    }
    let hub = Hub { settings, reference };
    let announced = hub.announced()?;
    let cache = |path: &Path| {
        let path = path.to_path_buf();
        move |source| FetchError::Cache { path, source }
    };
    let blob = folder.blob(&announced.digest);
    let _lock = folder.lock(&announced.digest).map_err(cache(&blob))?;
    if !blob.is_file() {
        let part = blob.with_extension("incomplete");
        hub.download_in_parts(&part, &announced, progress)?;
        let own = is_sha256(&announced.digest).then_some(announced.digest.as_str());
        check_digest(&part, reference, sha256.or(own))?;
        fs::rename(&part, &blob).map_err(cache(&blob))?;
    }
    let path = folder.enter(reference, &announced.commit, &announced.digest).map_err(cache(&blob))?;
    Ok(Fetched { path, cached: false })
}

/// The sha256 of a file in hexadecimal digits.
///
/// # Errors
/// The reader's own.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            n => hash.update(&piece[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn is_sha256(digest: &str) -> bool {
    digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit())
}

/// Compares with the digest that is expected; a file with another one is removed.
fn check_digest(path: &Path, reference: &Reference, expected: Option<&str>) -> Result<(), FetchError> {
    let Some(expected) = expected else { return Ok(()) };
    let found = sha256_of(path).map_err(|source| FetchError::Cache { path: path.to_path_buf(), source })?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    // a file that cannot be removed is found and refused again by the next call
    let _ = fs::remove_file(path);
    Err(FetchError::Checksum { reference: reference.clone(), expected: expected.to_string(), found })
}

/// One file on the hub.
struct Hub<'a> {
    settings: &'a Settings,
    reference: &'a Reference,
}

impl Hub<'_> {
    fn url(&self) -> String {
        let Settings { endpoint, .. } = self.settings;
        let reference = self.reference;
        format!("{endpoint}/{}/resolve/{}/{}", reference.repository(), reference.revision(), reference.file())
    }

    fn agent(&self, redirects: u32) -> Agent {
        let config = Agent::config_builder()
            .https_only(self.settings.endpoint.starts_with("https://"))
            .http_status_as_error(false)
            .max_redirects(redirects)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .user_agent(concat!("segcut/", env!("CARGO_PKG_VERSION")));
        config.build().into()
    }

    /// Asks until the answer is neither "busy" nor a broken connection.
    fn ask(&self, request: impl Fn() -> Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, FetchError> {
        let mut wait = self.settings.backoff;
        for attempt in 1..=TRIES {
            let last = attempt == TRIES;
            match request() {
                Ok(answer) if last || !busy(answer.status()) => return self.accepted(answer),
                Err(source) if last => {
                    return Err(FetchError::Network { reference: self.reference.clone(), source: Box::new(source) });
                }
                _ => sleep(wait),
            }
            wait *= 2;
        }
        Err(FetchError::Missing(self.reference.clone()))
    }

    fn accepted(&self, answer: Response<Body>) -> Result<Response<Body>, FetchError> {
        let reference = self.reference.clone();
        match answer.status().as_u16() {
            200..=399 => Ok(answer),
            401 | 403 => Err(FetchError::Gated(reference)),
            404 => Err(FetchError::Missing(reference)),
            status => Err(FetchError::Answer { reference, status }),
        }
    }

    /// Commit, digest and size of the file. The answer that has them is often a redirection to a store
    /// of large files, which is not followed here; a repository that moved is.
    fn announced(&self) -> Result<Announced, FetchError> {
        let agent = self.agent(0);
        let mut url = self.url();
        for _ in 0..MOVES {
            let answer = self.ask(|| self.with_token(agent.head(&url)).call())?;
            let moved = header(answer.headers(), "location").filter(|to| to.starts_with('/'));
            match moved {
                Some(to) => url = format!("{}{to}", self.settings.endpoint),
                None => return self.read_headers(answer.headers()),
            }
        }
        Err(FetchError::Missing(self.reference.clone()))
    }

    fn with_token<T>(&self, request: ureq::RequestBuilder<T>) -> ureq::RequestBuilder<T> {
        match &self.settings.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn read_headers(&self, headers: &HeaderMap) -> Result<Announced, FetchError> {
        let missing = |name| FetchError::NotAHub { reference: self.reference.clone(), header: name };
        let first = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| header(headers, name)).ok_or_else(|| missing(names[0]))
        };
        let commit = header(headers, "x-repo-commit").ok_or_else(|| missing("x-repo-commit"))?;
        let tag = first(["x-linked-etag", "etag"])?;
        let digest = tag.trim_start_matches("W/").trim_matches('"').to_string();
        let size = first(["x-linked-size", "content-length"])?.parse().map_err(|_| missing("x-linked-size"))?;
        let safe = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
        match () {
            () if !safe(&commit) => Err(missing("x-repo-commit")),
            () if !safe(&digest) => Err(missing("etag")),
            () if size > MAX_BYTES => Err(missing("x-linked-size")),
            () => Ok(Announced { commit, digest, size }),
        }
    }

    /// Goes on after broken connections, as long as every try brings bytes.
    fn download_in_parts(
        &self,
        part: &Path,
        announced: &Announced,
        progress: &dyn Fn(u64, u64),
    ) -> Result<(), FetchError> {
        let mut before = None;
        loop {
            match self.download(part, announced, progress) {
                Err(FetchError::Size { found, .. }) if before.is_none_or(|b| found > b) => before = Some(found),
                result => return result,
            }
        }
    }

    /// Bytes → `part`, from where an earlier call stopped.
    fn download(&self, part: &Path, announced: &Announced, progress: &dyn Fn(u64, u64)) -> Result<(), FetchError> {
        let failed = |source| FetchError::Cache { path: part.to_path_buf(), source };
        let mut done = fs::metadata(part).map_or(0, |data| data.len());
        if done > announced.size {
            fs::remove_file(part).map_err(failed)?;
            done = 0;
        }
        if done < announced.size || announced.size == 0 {
            let agent = self.agent(10);
            let answer = self.ask(|| {
                let request = self.with_token(agent.get(self.url()));
                if done > 0 { request.header("range", format!("bytes={done}-")) } else { request }.call()
            })?;
            let resumed = answer.status() == StatusCode::PARTIAL_CONTENT;
            let mut file = OpenOptions::new()
                .create(true)
                .append(resumed)
                .write(true)
                .truncate(!resumed)
                .open(part)
                .map_err(failed)?;
            done = if resumed { done } else { 0 };
            let reader = answer.into_body().into_reader().take(announced.size - done);
            done += copy(reader, &mut file, |bytes| progress(done + bytes, announced.size)).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        if done == announced.size {
            return Ok(());
        }
        Err(FetchError::Size { reference: self.reference.clone(), expected: announced.size, found: done })
    }
}

fn busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_string)
}

/// Copies until the end, or until the connection breaks: what came is kept.
fn copy(mut from: impl Read, to: &mut File, progress: impl Fn(u64)) -> io::Result<u64> {
    let (mut piece, mut done) = (vec![0; PIECE], 0);
    while let Ok(n @ 1..) = from.read(&mut piece) {
        to.write_all(&piece[..n])?;
        done += n as u64;
        progress(done);
    }
    Ok(done)
}
