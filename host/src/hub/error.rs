//! Why a model could not be had from a hub, and what to do about it.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::space;

/// Why a model could not be had. Messages name repositories, files of repositories and folders, never the token.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum HubError {
    #[error("`{0}` is no model on a hub: OWNER/NAME, of letters, digits, `.`, `_` and `-`")]
    Repo(String),
    #[error("`{0}` is no revision: a branch, tag or commit, of letters, digits, `.`, `_`, `-` and `/`")]
    Revision(String),
    #[error("`{0}` is no file of a model: a relative path of visible characters, without `..` and `\\`")]
    File(String),
    #[error("{repo} is not whole in the cache {}, and the hub is not asked: offline is set (offline in [hub], HF_HUB_OFFLINE)", folder.display())]
    Offline { repo: String, folder: PathBuf },
    #[error(
        "the hub refuses {repo} (status {status}): set HF_TOKEN to a token that may read it; if the model is gated, accept its licence at {url} first"
    )]
    Refused { repo: String, status: u16, url: String },
    #[error("the hub has no {what}; is the name right?")]
    NotFound { what: String },
    #[error("{repo}: {reason}")]
    Files { repo: String, reason: String },
    #[error("{repo} is refused: the hub lists a file `{name}`, a name that could lead out of its folder")]
    Hostile { repo: String, name: String },
    #[error("{what}: the hub answers with status {status}")]
    Status { what: String, status: u16 },
    #[error("{what}: {reason}")]
    Answer { what: String, reason: String },
    #[error("the hub {endpoint} cannot be reached: {reason}")]
    Unreachable { endpoint: String, reason: String },
    #[error(
        "{file}: the hub sent no byte for {stall_s} s, {attempts} times; {bytes} bytes are kept, pull again to go on"
    )]
    Stalled { file: String, stall_s: u64, attempts: u32, bytes: u64 },
    #[error("{file}: {reason}, {attempts} times; {bytes} bytes are kept, pull again to go on")]
    BrokenOff { file: String, reason: String, attempts: u32, bytes: u64 },
    #[error("{file} is damaged: its {kind} is {found}, the hub says {expected}; it is deleted, pull again")]
    Damaged { file: String, kind: &'static str, expected: String, found: String },
    #[error("no space for the model in {}: {needed} bytes more are needed, {free} are free", folder.display())]
    NoSpace { folder: PathBuf, needed: u64, free: u64 },
    #[error("{repo} is being downloaded by another process")]
    Busy { repo: String },
    #[error("{}: {error}", path.display())]
    Disk { path: PathBuf, error: std::io::Error },
}

impl HubError {
    /// A failure of the disk; a full one is told as such, with the bytes that are still to come.
    pub(super) fn disk(path: &Path, error: std::io::Error, needed: u64) -> HubError {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let folder = path.parent().unwrap_or(path).to_owned();
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => {
                let free = space::free_bytes(&folder).unwrap_or(0);
                HubError::NoSpace { folder, needed, free }
            }
            _ => HubError::Disk { path: path.to_owned(), error },
        }
    }

    /// Whether the hub gave no answer at all, so that what is here already will do.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, HubError::Unreachable { .. })
    }
}
