//! Fetching from a server on this machine that speaks the hub's protocol.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use segcut_weights::{FetchError, Reference, Settings, fetch};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// sha256 of [`BODY`].
const DIGEST: &str = "7509e5bda0c762d2bac7f90d758b5b2263fa01ccbc542ab5e3df163be08e6ca9";
const BODY: &[u8] = b"hello world!";

/// How the server behaves.
#[derive(Clone, Copy, Default)]
struct Manner {
    /// Answers 503 to this many requests first.
    busy: usize,
    /// Sends this many bytes and hangs up, once.
    cut: Option<usize>,
    /// Sends other bytes.
    wrong: bool,
    /// Status of every answer.
    status: Option<u16>,
    /// Lets the file's headers be missing.
    plain: bool,
}

struct Server {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

fn serve(manner: Manner) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let endpoint = format!("http://{}", listener.local_addr().expect("address"));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    thread::spawn(move || {
        let mut manner = manner;
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let text = read_request(&stream);
            seen.lock().expect("requests").push(text.clone());
            answer(stream, &text, &mut manner);
        }
    });
    Server { endpoint, requests }
}

fn read_request(stream: &TcpStream) -> String {
    let mut text = String::new();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap_or_default();
        if line.is_empty() {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn answer(mut stream: TcpStream, request: &str, manner: &mut Manner) {
    let mut send = |status: &str, headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
        // a client that hangs up early is no fault of the server
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    };
    if let Some(status) = manner.status {
        return send(&format!("{status} Said"), "Content-Length: 0\r\n", b"");
    }
    if manner.busy > 0 {
        manner.busy -= 1;
        return send("503 Busy", "Content-Length: 0\r\n", b"");
    }
    if request.starts_with("HEAD") {
        let file =
            format!("X-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{DIGEST}\"\r\nX-Linked-Size: {}\r\n", BODY.len());
        let headers = format!(
            "{}Location: http://127.0.0.1:9/elsewhere\r\nContent-Length: 0\r\n",
            if manner.plain { "" } else { &file }
        );
        return send("302 Found", &headers, b"");
    }
    let from = request
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=")?.trim_end_matches('-').parse().ok());
    let body = if manner.wrong { b"other bytes!" } else { BODY };
    let body = &body[from.unwrap_or(0)..];
    let length = format!("Content-Length: {}\r\n", body.len());
    let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
    send(status, &length, &body[..manner.cut.take().unwrap_or(body.len())]);
}

fn settings(server: &Server, cache: &Path) -> Settings {
    Settings {
        cache: cache.to_path_buf(),
        endpoint: server.endpoint.clone(),
        token: Some("secret".to_string()),
        offline: false,
        backoff: Duration::from_millis(1),
    }
}

fn reference() -> Reference {
    "org/net@main".parse().expect("reference")
}

#[test]
fn a_file_lands_in_the_layout_of_hugging_face_and_is_found_again() {
    let (server, cache) = (serve(Manner { busy: 2, ..Manner::default() }), tempfile::tempdir().unwrap());
    let settings = settings(&server, cache.path());
    let first = fetch(&settings, &reference(), None, &|_, _| {}).unwrap();
    let folder = cache.path().join("models--org--net");
    assert_eq!(first.path, folder.join("snapshots").join(COMMIT).join("model.safetensors"));
    assert_eq!(fs::read(&first.path).unwrap(), BODY);
    assert_eq!(fs::read(folder.join("blobs").join(DIGEST)).unwrap(), BODY);
    assert_eq!(fs::read_to_string(folder.join("refs/main")).unwrap(), COMMIT);
    let asked = server.requests.lock().unwrap().len();
    assert!(server.requests.lock().unwrap().iter().all(|r| r.to_lowercase().contains("authorization: bearer secret")));
    let offline = Settings { offline: true, ..settings };
    assert!(fetch(&offline, &reference(), Some(DIGEST), &|_, _| {}).unwrap().cached);
    assert_eq!(server.requests.lock().unwrap().len(), asked);
}

#[test]
fn a_cut_download_goes_on_where_it_stopped() {
    let (server, cache) = (serve(Manner { cut: Some(5), ..Manner::default() }), tempfile::tempdir().unwrap());
    let fetched = fetch(&settings(&server, cache.path()), &reference(), Some(DIGEST), &|_, _| {}).unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), BODY);
    assert!(server.requests.lock().unwrap().iter().any(|r| r.to_lowercase().contains("range: bytes=5-")));
}

#[test]
fn other_bytes_are_refused_and_removed() {
    let (server, cache) = (serve(Manner { wrong: true, ..Manner::default() }), tempfile::tempdir().unwrap());
    let error = fetch(&settings(&server, cache.path()), &reference(), None, &|_, _| {}).unwrap_err();
    assert!(matches!(error, FetchError::Checksum { .. }), "{error}");
    let blobs = fs::read_dir(cache.path().join("models--org--net/blobs")).unwrap();
    assert!(blobs.flatten().all(|entry| entry.path().extension().is_some_and(|e| e == "lock")));
}

#[test]
fn answers_are_told_apart() {
    let error = |manner: Manner| {
        let (server, cache) = (serve(manner), tempfile::tempdir().unwrap());
        fetch(&settings(&server, cache.path()), &reference(), None, &|_, _| {}).unwrap_err()
    };
    let status = |status| error(Manner { status: Some(status), ..Manner::default() });
    assert!(matches!(status(401), FetchError::Gated(_)));
    assert!(matches!(status(403), FetchError::Gated(_)));
    assert!(matches!(status(404), FetchError::Missing(_)));
    assert!(matches!(status(500), FetchError::Answer { status: 500, .. }));
    assert!(matches!(status(429), FetchError::Answer { status: 429, .. }));
    assert!(matches!(error(Manner { plain: true, ..Manner::default() }), FetchError::NotAHub { .. }));
    let cache = tempfile::tempdir().unwrap();
    let nobody = Server { endpoint: "http://127.0.0.1:9".into(), requests: Arc::default() };
    let closed = settings(&nobody, cache.path());
    assert!(matches!(fetch(&closed, &reference(), None, &|_, _| {}), Err(FetchError::Network { .. })));
    let offline = Settings { offline: true, ..closed };
    assert!(matches!(fetch(&offline, &reference(), None, &|_, _| {}), Err(FetchError::Offline { .. })));
}
