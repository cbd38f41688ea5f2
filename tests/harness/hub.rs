//! A model hub in the test's own process: a real HTTP server with the paths, headers and redirects of the real hub.
//!
//! Large files are redirected to a second listener, as the real hub does to its storage. Faults are told per file.

#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Files up to this size are in git itself; larger ones are elsewhere, known by their SHA-256.
const GIT_BYTES_MAX: usize = 200_000;
/// Entries of one page of a listing: small, so that listings have pages.
const PAGE: usize = 4;
/// Bytes of one frame.
const FRAME: usize = 32 << 10;

/// What goes wrong with a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The connection is cut before this byte.
    Cut(usize),
    /// Nothing comes from this byte on until the fault is lifted, and then the rest.
    Hold(usize),
    /// This byte is another one.
    Flip(usize),
    /// Ranges are ignored: the whole file is sent.
    Whole,
}

/// One request that the hub saw.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// First byte that was asked for.
    pub range: Option<usize>,
    pub has_token: bool,
}

#[derive(Clone)]
struct Repo {
    commit: String,
    files: BTreeMap<String, Bytes>,
    /// Sizes that the hub claims instead of the real ones.
    claims: BTreeMap<String, u64>,
    token: Option<String>,
}

#[derive(Default)]
struct State {
    repos: HashMap<String, Repo>,
    faults: HashMap<String, Fault>,
    seen: Vec<Seen>,
}

pub struct Hub {
    pub url: String,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    state: Mutex<State>,
    /// Changes with the faults.
    changes: watch::Sender<u64>,
    url: String,
    storage_url: String,
}

impl Hub {
    /// Starts on free ports; ends when dropped.
    pub fn start() -> Hub {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let (main, storage) = runtime.block_on(async {
            let bind = || TcpListener::bind("127.0.0.1:0");
            (bind().await.expect("a free port"), bind().await.expect("a free port"))
        });
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("bound"));
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changes: watch::Sender::new(0),
            url: url(&main),
            storage_url: url(&storage),
        });
        runtime.spawn(serve(main, shared.clone()));
        runtime.spawn(serve(storage, shared.clone()));
        Hub { url: shared.url.clone(), shared, _runtime: runtime }
    }

    /// Puts a repository there, or a new commit of it. Returns the commit.
    pub fn put<'a>(&self, repo: &str, files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> String {
        let files: BTreeMap<String, Bytes> =
            files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.into())).collect();
        let mut hash = Sha256::new();
        files.iter().for_each(|(name, bytes)| hash.update([name.as_bytes(), bytes].concat()));
        let commit = hex(&hash.finalize())[..40].to_owned();
        let entry = Repo { commit: commit.clone(), files, claims: BTreeMap::new(), token: None };
        self.shared.lock().repos.insert(repo.to_owned(), entry);
        commit
    }

    /// Makes a repository one that only this token opens.
    pub fn gate(&self, repo: &str, token: &str) {
        self.shared.lock().repos.get_mut(repo).expect("it is there").token = Some(token.to_owned());
    }

    /// Makes the hub lie about a file's size.
    pub fn claim(&self, repo: &str, file: &str, bytes: u64) {
        self.shared.lock().repos.get_mut(repo).expect("it is there").claims.insert(file.to_owned(), bytes);
    }

    /// Makes something go wrong with a file from now on.
    pub fn fault(&self, file: &str, fault: Fault) {
        self.shared.lock().faults.insert(file.to_owned(), fault);
    }

    /// Makes everything go well from now on.
    pub fn heal(&self) {
        self.shared.lock().faults.clear();
        self.shared.changes.send_modify(|change| *change += 1);
    }

    /// The requests since the last call.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.lock().seen)
    }

    /// The requests so far for a file's bytes: at the storage for a large one.
    pub fn gets(&self, file: &str) -> Vec<Seen> {
        let state = self.shared.lock();
        let is_large = |seen: &&Seen| seen.path.starts_with("/storage/");
        state
            .seen
            .iter()
            .filter(|seen| seen.method == "GET" && seen.path.ends_with(file))
            .filter(is_large)
            .cloned()
            .collect()
    }

    /// How often a file's headers were asked for.
    pub fn heads(&self, file: &str) -> usize {
        self.shared.lock().seen.iter().filter(|seen| seen.method == "HEAD" && seen.path.ends_with(file)).count()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tokio::spawn(async move {
            let answer = hyper::service::service_fn(move |request| {
                let shared = shared.clone();
                async move { Ok::<_, Infallible>(shared.answer(&request)) }
            });
            // A client that goes away, and a fault that cuts, are both errors here.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

type Reply = Response<BoxBody<Bytes, std::io::Error>>;

impl Shared {
    fn answer(self: &Arc<Self>, request: &Request<Incoming>) -> Reply {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let range = header("range").and_then(|range| range.strip_prefix("bytes=")?.split('-').next()?.parse().ok());
        let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let path = percent_decoded(request.uri().path());
        let seen = Seen { method: request.method().to_string(), path: path.clone(), range, has_token: token.is_some() };
        self.lock().seen.push(seen);
        let query = request.uri().query().unwrap_or_default();
        if let Some(rest) = path.strip_prefix("/storage/") {
            return self.bytes(rest, request.method(), range);
        }
        if let Some(rest) = path.strip_prefix("/api/models/") {
            return self.api(rest, query, token);
        }
        match path.trim_start_matches('/').split_once("/resolve/") {
            Some((repo, rest)) => self.resolve(repo, rest, request.method(), token),
            None => error(StatusCode::NOT_FOUND, "EntryNotFound"),
        }
    }

    fn api(&self, path: &str, query: &str, token: Option<&str>) -> Reply {
        let (repo, rest) = ["/revision/", "/tree/"]
            .iter()
            .find_map(|kind| path.split_once(kind).map(|(repo, rest)| (repo, Some((*kind, rest)))))
            .unwrap_or((path, None));
        let found = match self.open(repo, token) {
            Ok(found) => found,
            Err((status, code)) => return error(status, code),
        };
        if rest.is_some_and(|(_, revision)| revision != "main" && revision != found.commit) {
            return error(StatusCode::NOT_FOUND, "RevisionNotFound");
        }
        if rest.is_some_and(|(kind, _)| kind == "/tree/") {
            return self.tree(path, &found, query);
        }
        let siblings: Vec<Value> = found.files.keys().map(|name| json!({"rfilename": name})).collect();
        reply_json(&json!({
            "_id": "1", "id": repo, "modelId": repo, "sha": found.commit, "private": false, "gated": false,
            "disabled": false, "tags": [], "downloads": 0, "likes": 0, "siblings": siblings,
        }))
    }

    fn tree(&self, path: &str, repo: &Repo, query: &str) -> Reply {
        let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor=")?.parse::<usize>().ok()).unwrap_or(0);
        let entry = |(name, bytes): (&String, &Bytes)| {
            let size = repo.claims.get(name).copied().unwrap_or(bytes.len() as u64);
            let mut entry = json!({"type": "file", "oid": git_oid(bytes), "size": size, "path": name});
            if bytes.len() > GIT_BYTES_MAX {
                entry["lfs"] = json!({"oid": sha256(bytes), "size": size, "pointerSize": 130});
            }
            entry
        };
        let entries: Vec<Value> = repo.files.iter().skip(cursor).take(PAGE).map(entry).collect();
        let mut reply = reply_json(&Value::Array(entries));
        if cursor + PAGE < repo.files.len() {
            let next =
                format!("<{}/api/models/{path}?recursive=true&cursor={}>; rel=\"next\"", self.url, cursor + PAGE);
            reply.headers_mut().insert("link", next.parse().expect("a header"));
        }
        reply
    }

    fn resolve(self: &Arc<Self>, repo: &str, rest: &str, method: &Method, token: Option<&str>) -> Reply {
        let found = match self.open(repo, token) {
            Ok(found) => found,
            Err((status, code)) => return error(status, code),
        };
        let Some((revision, file)) = rest.split_once('/') else { return error(StatusCode::NOT_FOUND, "EntryNotFound") };
        if revision != "main" && revision != found.commit {
            return error(StatusCode::NOT_FOUND, "RevisionNotFound");
        }
        let Some(bytes) = found.files.get(file) else { return error(StatusCode::NOT_FOUND, "EntryNotFound") };
        let size = found.claims.get(file).copied().unwrap_or(bytes.len() as u64);
        let is_large = bytes.len() > GIT_BYTES_MAX;
        let mut reply = if is_large {
            // Storage has addresses of its own, which are good for a while.
            let mut reply = reply(StatusCode::FOUND, Bytes::new());
            let location = format!("{}/storage/{repo}/{file}", self.storage_url);
            reply.headers_mut().insert("location", location.parse().expect("a header"));
            reply
        } else {
            self.bytes(&format!("{repo}/{file}"), method, None)
        };
        let headers = reply.headers_mut();
        headers.insert("x-repo-commit", found.commit.parse().expect("a header"));
        if is_large {
            headers.insert("x-linked-etag", format!("\"{}\"", sha256(bytes)).parse().expect("a header"));
            headers.insert("x-linked-size", size.into());
        } else {
            headers.insert("etag", format!("\"{}\"", git_oid(bytes)).parse().expect("a header"));
        }
        reply
    }

    /// A file's bytes, with what goes wrong.
    fn bytes(self: &Arc<Self>, path: &str, method: &Method, range: Option<usize>) -> Reply {
        let state = self.lock();
        let found = state.repos.iter().find_map(|(repo, there)| {
            let file = path.strip_prefix(repo.as_str())?.strip_prefix('/')?;
            Some((there.files.get(file)?.clone(), state.faults.get(file).copied(), file.to_owned()))
        });
        drop(state);
        let Some((mut bytes, fault, file)) = found else { return error(StatusCode::NOT_FOUND, "EntryNotFound") };
        if let Some(Fault::Flip(at)) = fault {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1;
            bytes = damaged.into();
        }
        let total = bytes.len();
        let start = range.filter(|_| fault != Some(Fault::Whole)).unwrap_or(0);
        if start >= total && range.is_some() {
            return reply(StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new());
        }
        let content = if *method == Method::HEAD { Bytes::new() } else { bytes.slice(start..) };
        let changes = self.changes.subscribe();
        let body = File { shared: self.clone(), file, content, start, at: 0, has_paused: false, changes };
        let mut builder = Response::builder().header("content-length", total - start).header("accept-ranges", "bytes");
        // The storage's name for the content is its own.
        builder = builder.header("etag", "\"of-the-storage\"");
        if start > 0 {
            builder = builder.status(206).header("content-range", format!("bytes {start}-{}/{total}", total - 1));
        }
        builder.body(BodyExt::boxed(body)).expect("good headers")
    }

    fn open(&self, repo: &str, token: Option<&str>) -> Result<Repo, (StatusCode, &'static str)> {
        let state = self.lock();
        match state.repos.get(repo) {
            // So the real hub answers people whom it does not know.
            None if token.is_none() && repo.starts_with("private/") => Err((StatusCode::UNAUTHORIZED, "RepoNotFound")),
            None => Err((StatusCode::NOT_FOUND, "RepoNotFound")),
            Some(found) => match (&found.token, token) {
                (Some(_), None) => Err((StatusCode::UNAUTHORIZED, "GatedRepo")),
                (Some(needed), Some(token)) if needed != token => Err((StatusCode::FORBIDDEN, "GatedRepo")),
                _ => Ok(found.clone()),
            },
        }
    }
}

/// The bytes of a file, frame by frame, until its fault strikes.
struct File {
    shared: Arc<Shared>,
    file: String,
    content: Bytes,
    /// Where in the file the content begins.
    start: usize,
    at: usize,
    has_paused: bool,
    changes: watch::Receiver<u64>,
}

impl Body for File {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        // Between frames the connection gets the time to send what it has, so that a cut comes after what was before it.
        if !std::mem::replace(&mut self.has_paused, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.has_paused = false;
        let fault = self.shared.lock().faults.get(&self.file).copied();
        let until = match fault {
            Some(Fault::Cut(at) | Fault::Hold(at)) => at.saturating_sub(self.start).min(self.content.len()),
            _ => self.content.len(),
        };
        if self.at < until {
            let end = (self.at + FRAME).min(until);
            let frame = self.content.slice(self.at..end);
            self.at = end;
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        match fault {
            _ if self.at == self.content.len() => Poll::Ready(None),
            Some(Fault::Cut(_)) => Poll::Ready(Some(Err(std::io::Error::other("cut")))),
            _ => {
                self.has_paused = true;
                let mut changes = self.changes.clone();
                changes.mark_unchanged();
                let waker = context.waker().clone();
                if self.shared.lock().faults.contains_key(&self.file) {
                    tokio::spawn(async move {
                        // Fails only when the hub has ended.
                        let _ = changes.changed().await;
                        waker.wake();
                    });
                } else {
                    waker.wake();
                }
                Poll::Pending
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.content.len() - self.at) as u64)
    }
}

fn reply(status: StatusCode, body: Bytes) -> Reply {
    let body = Full::new(body).map_err(|never| match never {}).boxed();
    Response::builder().status(status).body(body).expect("no headers")
}

fn reply_json(value: &Value) -> Reply {
    let mut reply = reply(StatusCode::OK, value.to_string().into());
    reply.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
    reply
}

fn error(status: StatusCode, code: &'static str) -> Reply {
    let mut reply = reply(status, format!(r#"{{"error":"{code}"}}"#).into());
    reply.headers_mut().insert("x-error-code", code.parse().expect("a header"));
    reply
}

fn percent_decoded(path: &str) -> String {
    let mut bytes = path.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let digit = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16)).expect("two digits");
        decoded.push(match byte {
            b'%' => u8::try_from(digit(bytes.next()) << 4 | digit(bytes.next())).expect("a byte"),
            byte => byte,
        });
    }
    String::from_utf8(decoded).expect("UTF-8")
}

/// In the place of git's hash of a file: as long, and as good at telling contents apart.
fn git_oid(bytes: &[u8]) -> String {
    sha256(bytes)[..40].to_owned()
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
