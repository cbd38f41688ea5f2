//! Gets one file: goes on where an earlier download stopped, tries again within bounds, checks what came.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, RANGE};
use reqwest::{Response, StatusCode};

use super::cache::Cache;
use super::listing::Listed;
use super::remote::{Remote, chain};
use super::sink::Sink;
use super::{HubError, names};
use crate::limits;

/// Where files come from, and where they go.
pub struct Transfer {
    pub remote: Remote,
    pub cache: Cache,
    pub repo: String,
    pub commit: String,
}

/// A file whose content is known by name.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its path in the repository.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// What the hub calls its content: the SHA-256 of a large file, git's hash of a small one.
    pub etag: String,
}

impl Blob {
    /// Whether the ETag is a SHA-256.
    fn is_hashed(&self) -> bool {
        self.etag.len() == 64 && names::is_hex(&self.etag)
    }
}

/// Why one attempt failed.
enum Fault {
    /// Another attempt may do better.
    Passing(Why),
    Final(HubError),
}

enum Why {
    Silent,
    Broke(String),
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Fault {
        let error = error.without_url();
        match () {
            () if error.is_timeout() => Fault::Passing(Why::Silent),
            () if error.is_redirect() => {
                Fault::Final(HubError::Answer { what: "the hub".into(), reason: chain(&error) })
            }
            () => Fault::Passing(Why::Broke(chain(&error))),
        }
    }
}

impl From<HubError> for Fault {
    fn from(error: HubError) -> Fault {
        Fault::Final(error)
    }
}

impl Transfer {
    /// Asks what the content of a file is called.
    ///
    /// # Errors
    /// [`HubError`]
    pub async fn describe(&self, file: &Listed) -> Result<Blob, HubError> {
        let mut tries = Tries::default();
        loop {
            match self.ask(file).await {
                Ok(blob) => return Ok(blob),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Passing(why)) => tries.again(why, &file.name, 0, self.remote.stall).await?,
            }
        }
    }

    async fn ask(&self, file: &Listed) -> Result<Blob, Fault> {
        let url = self.remote.file_url(&self.repo, &self.commit, &file.name)?;
        let response = self.remote.head(&url).await?;
        if !response.status().is_redirection() {
            self.check_status(response.status(), &file.name)?;
        }
        let headers = response.headers();
        let wrong = |reason: String| HubError::Answer { what: file.name.clone(), reason };
        let etag = text(headers, "x-linked-etag").or_else(|| text(headers, ETAG.as_str())).unwrap_or_default();
        let etag = etag.trim_start_matches("W/").trim_matches('"').to_owned();
        if !names::is_plain(&etag) {
            return Err(wrong("the hub names no content (ETag)".into()).into());
        }
        // The length of a redirect is its own.
        let own_length = text(headers, CONTENT_LENGTH.as_str()).filter(|_| response.status().is_success());
        let bytes = text(headers, "x-linked-size").or(own_length).and_then(|bytes| bytes.parse::<u64>().ok());
        match bytes {
            Some(bytes) if bytes != file.bytes => {
                Err(wrong(format!("the hub lists {} bytes and then says {bytes}", file.bytes)).into())
            }
            _ => Ok(Blob { name: file.name.clone(), bytes: file.bytes, etag }),
        }
    }

    /// Brings a blob into the cache. `grown` tells how much of it is here.
    ///
    /// # Errors
    /// [`HubError`]; what has come stays for the next time, unless it is damaged.
    pub async fn fetch(&self, file: &Blob, grown: &AtomicU64) -> Result<(), HubError> {
        let lock = self.cache.lock(&self.repo, &file.etag).await?;
        let path = self.cache.blob(&self.repo, &file.etag);
        if std::fs::metadata(&path).is_ok_and(|meta| meta.len() == file.bytes) {
            grown.store(file.bytes, Ordering::Relaxed);
            return Ok(());
        }
        let partial = self.cache.partial(&self.repo, &file.etag);
        let (total, is_hashed) = (file.bytes, file.is_hashed());
        let sink = blocking(move || Sink::open(partial, total, is_hashed, lock)).await?;
        let sink = Growing(Arc::new(Mutex::new(sink)));
        let mut tries = Tries::default();
        loop {
            let before = sink.bytes();
            grown.store(before, Ordering::Relaxed);
            if before == file.bytes {
                break;
            }
            match self.attempt(file, &sink, grown).await {
                Ok(()) => {}
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Passing(why)) => {
                    if sink.bytes() > before {
                        tries.have_helped();
                    }
                    tries.again(why, &file.name, sink.bytes(), self.remote.stall).await?;
                }
            }
        }
        let expected = file.etag.to_ascii_lowercase();
        match sink.with(|sink| Ok(sink.digest())).await? {
            Some(found) if found != expected => {
                sink.with(Sink::discard).await?;
                Err(HubError::Damaged { file: file.name.clone(), kind: "SHA-256", expected, found })
            }
            _ => sink.with(move |sink| sink.finish(&path)).await,
        }
    }

    /// Asks for what is missing and writes it as it comes.
    async fn attempt(&self, file: &Blob, sink: &Growing, grown: &AtomicU64) -> Result<(), Fault> {
        let start = sink.bytes();
        let url = self.remote.file_url(&self.repo, &self.commit, &file.name)?;
        let mut request = self.remote.client.get(url).headers(self.remote.headers());
        if start > 0 {
            request = request.header(RANGE, format!("bytes={start}-"));
        }
        let response = request.send().await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if start > 0 && continues(response.headers(), start, file.bytes) => {}
            // What we have is not the beginning of what the hub has.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                sink.with(Sink::restart).await?;
                return Err(Fault::Passing(Why::Broke("the hub sent another part than was asked for".into())));
            }
            status => {
                self.check_status(status, &file.name)?;
                if start > 0 {
                    // The hub sends everything, asked for or not.
                    sink.with(Sink::restart).await?;
                    grown.store(0, Ordering::Relaxed);
                }
            }
        }
        self.receive(response, file, sink, grown).await
    }

    async fn receive(
        &self,
        mut response: Response,
        file: &Blob,
        sink: &Growing,
        grown: &AtomicU64,
    ) -> Result<(), Fault> {
        let mut waiting: Vec<Bytes> = Vec::new();
        let mut waiting_bytes = 0;
        let mut bytes = sink.bytes();
        let end = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    bytes += chunk.len() as u64;
                    waiting_bytes += chunk.len();
                    waiting.push(chunk);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(Fault::from(error)),
            }
            if bytes > file.bytes {
                sink.with(Sink::discard).await?;
                let (expected, found) = (format!("{} bytes", file.bytes), "larger".to_owned());
                return Err(HubError::Damaged { file: file.name.clone(), kind: "size", expected, found }.into());
            }
            if waiting_bytes >= limits::HUB_BUFFER_BYTES {
                let chunks = std::mem::take(&mut waiting);
                waiting_bytes = 0;
                sink.with(move |sink| sink.write(&chunks)).await?;
            }
            grown.store(bytes, Ordering::Relaxed);
        };
        // What came before the connection broke is kept.
        sink.with(move |sink| sink.write(&waiting)).await?;
        end?;
        if bytes < file.bytes {
            return Err(Fault::Passing(Why::Broke("the hub ended the file too early".into())));
        }
        Ok(())
    }

    fn check_status(&self, status: StatusCode, file: &str) -> Result<(), Fault> {
        let what = format!("{file} of {}", self.repo);
        let url = || format!("{}/{}", self.remote.endpoint, self.repo);
        let status = status.as_u16();
        Err(match status {
            200 => return Ok(()),
            401 | 403 => Fault::Final(HubError::Refused { repo: self.repo.clone(), status, url: url() }),
            404 | 410 => Fault::Final(HubError::NotFound { what }),
            408 | 429 | 500.. => Fault::Passing(Why::Broke(format!("the hub answers with status {status}"))),
            _ => Fault::Final(HubError::Status { what, status }),
        })
    }
}

/// Whether a part is the one that was asked for: `bytes START-…/TOTAL`.
fn continues(headers: &HeaderMap, start: u64, total: u64) -> bool {
    let range = text(headers, CONTENT_RANGE.as_str()).unwrap_or_default();
    let Some((part, whole)) = range.strip_prefix("bytes ").and_then(|range| range.split_once('/')) else {
        return false;
    };
    let is_start = part.split_once('-').and_then(|(first, _)| first.parse().ok()) == Some(start);
    is_start && (whole == "*" || whole.parse() == Ok(total))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// A sink that several steps use, one after the other, each on a thread that may block. No step is cut in two when the download is
/// given up.
struct Growing(Arc<Mutex<Sink>>);

impl Growing {
    fn bytes(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes()
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Sink) -> Result<T, HubError> + Send + 'static,
    ) -> Result<T, HubError> {
        let sink = self.0.clone();
        blocking(move || work(&mut sink.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HubError> + Send + 'static,
) -> Result<T, HubError> {
    let stopped = |error| HubError::Answer { what: "the download".into(), reason: format!("stopped: {error}") };
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

/// How often something was tried.
#[derive(Default)]
struct Tries {
    in_a_row: u32,
    in_all: u32,
}

impl Tries {
    /// The last attempt brought something.
    fn have_helped(&mut self) {
        self.in_a_row = 0;
    }

    /// Waits before the next attempt, longer each time.
    ///
    /// # Errors
    /// When it was tried often enough.
    async fn again(&mut self, why: Why, file: &str, bytes: u64, stall: Duration) -> Result<(), HubError> {
        self.in_a_row += 1;
        self.in_all += 1;
        if self.in_a_row >= limits::HUB_ATTEMPTS_MAX || self.in_all >= limits::HUB_ATTEMPTS_IN_ALL_MAX {
            let (file, attempts) = (file.to_owned(), self.in_a_row);
            return Err(match why {
                Why::Silent => HubError::Stalled { file, stall_s: stall.as_secs(), attempts, bytes },
                Why::Broke(reason) => HubError::BrokenOff { file, reason, attempts, bytes },
            });
        }
        let wait = limits::HUB_RETRY_MS << (self.in_a_row - 1);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok(())
    }
}
