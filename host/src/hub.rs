//! Models from a hub: finds them in the local cache, and downloads what is missing.
//!
//! The cache has the layout that other programs on the machine use, so that nothing is downloaded twice. What a hub says is not
//! trusted: names, sizes and addresses are checked, and every large file by its SHA-256. It knows nothing of how a model is loaded.

mod cache;
mod error;
mod listing;
mod names;
mod pull;
mod remote;
mod select;
mod sink;
mod space;
mod transfer;

use std::path::PathBuf;
use std::time::SystemTime;

use crate::config::HubConfig;
use cache::Cache;
pub use error::HubError;

/// A hub and the cache of what came from it.
#[derive(Clone, Debug)]
pub struct Hub {
    config: HubConfig,
    cache: Cache,
}

/// What to have from a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `OWNER/NAME`, or a name alone.
    pub repo: String,
    /// Branch, tag or commit; none is `main`.
    pub revision: Option<String>,
    /// Which of its files.
    pub files: Files,
}

/// Which files of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// What the engine loads from a folder: configuration, tokenizer, safetensors, modules of an embedding model. Never a pickle.
    Weights,
    /// The GGUF file with this quantization such as `Q4_K_M`, or with this name; all parts of one that was split.
    Gguf(String),
    /// These files.
    Named(Vec<String>),
}

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PullProgress {
    /// The file that has grown.
    pub file: String,
    /// Bytes of it that are here.
    pub file_bytes: u64,
    /// Its size.
    pub file_total: u64,
    /// Bytes of all files that are here, those of earlier downloads included.
    pub bytes: u64,
    /// Size of all files.
    pub total: u64,
}

/// One revision of a model in the cache, whole or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedModel {
    /// `OWNER/NAME`, or a name alone.
    pub repo: String,
    /// Branches and tags that lead to it, else its commit.
    pub revision: String,
    /// Size of its files. Revisions of one model may share files.
    pub bytes: u64,
    /// How many files are here.
    pub files: usize,
    /// When the newest of them was written.
    pub last_modified: SystemTime,
}

impl Hub {
    /// The hub of a configuration. Nothing is asked yet.
    pub fn new(config: &HubConfig) -> Hub {
        Hub { config: config.clone(), cache: Cache::new(config.cache.clone()) }
    }

    /// Downloads what is wanted and not here yet. Returns the folder that a model is loaded from, or the (first) file. Where the hub
    /// cannot be reached, what is whole in the cache will do. Dropping the future stops; a later call goes on where it stopped.
    ///
    /// `progress` is called at most some ten times a second for each file.
    ///
    /// # Errors
    /// [`HubError`], with what to do about it.
    pub async fn pull(&self, wanted: &Wanted, progress: &(dyn Fn(PullProgress) + Sync)) -> Result<PathBuf, HubError> {
        names::check_wanted(wanted)?;
        if self.config.is_offline {
            let missing = || HubError::Offline { repo: wanted.repo.clone(), folder: self.config.cache.clone() };
            return self.cached(wanted).ok_or_else(missing);
        }
        match pull::pull(&self.config, &self.cache, wanted, progress).await {
            Err(error) if error.is_unreachable() => match self.cached(wanted) {
                Some(path) => {
                    tracing::warn!(repo = wanted.repo, %error, "the hub cannot be reached; the cache has the model");
                    Ok(path)
                }
                None => Err(error),
            },
            result => result,
        }
    }

    /// The same folder or file when all of it is in the cache. Asks no network.
    pub fn cached(&self, wanted: &Wanted) -> Option<PathBuf> {
        names::check_wanted(wanted).ok()?;
        let snapshot = self.cache.snapshot(&wanted.repo, wanted.revision.as_deref())?;
        select::complete(&snapshot, &wanted.files).ok()
    }

    /// The models in the cache, by name. What cannot be read is left out.
    pub fn list_cached(&self) -> Vec<CachedModel> {
        self.cache.list()
    }

    /// Deletes a model with all its revisions. Returns the bytes that are free now.
    ///
    /// # Errors
    /// When it is not there, is being downloaded, or cannot be deleted.
    pub fn remove(&self, repo: &str) -> Result<u64, HubError> {
        names::check_repo(repo)?;
        self.cache.remove(repo)
    }
}
