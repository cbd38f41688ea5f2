//! The cache's layout, which this server shares with other programs on the machine.
//!
//! `models--OWNER--NAME/` has `blobs/` by the hub's ETag, `refs/` from revisions to commits, and `snapshots/COMMIT/` with links to
//! blobs. A blob under way is `blobs/ETAG.incomplete`. Who writes a blob holds the lock on `.locks/models--OWNER--NAME/ETAG.lock`.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::{CachedModel, HubError, names};
use crate::limits;

const PREFIX: &str = "models--";

/// The folder of the cache.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// A cache that need not be there yet.
    pub fn new(root: PathBuf) -> Cache {
        Cache { root }
    }

    /// The folder of a repository's snapshot, when its revision is known here. Its name has been checked.
    pub fn snapshot(&self, repo: &str, revision: Option<&str>) -> Option<PathBuf> {
        let revision = revision.unwrap_or("main");
        let folder = self.folder(repo);
        let commit = match names::is_commit(revision) {
            true => revision.to_owned(),
            false => fs::read_to_string(folder.join("refs").join(revision)).ok()?.trim().to_owned(),
        };
        let snapshot = folder.join("snapshots").join(&commit);
        (names::is_plain(&commit) && snapshot.is_dir()).then_some(snapshot)
    }

    /// Makes the folders for a repository's snapshot and returns the snapshot's.
    pub fn prepare(&self, repo: &str, commit: &str) -> Result<PathBuf, HubError> {
        let folder = self.folder(repo);
        let snapshot = folder.join("snapshots").join(commit);
        for folder in [&folder.join("blobs"), &snapshot, &self.locks(repo)] {
            fs::create_dir_all(folder).map_err(|error| HubError::disk(folder, error, 0))?;
        }
        Ok(snapshot)
    }

    /// Where a blob is, or will be.
    pub fn blob(&self, repo: &str, etag: &str) -> PathBuf {
        self.folder(repo).join("blobs").join(etag)
    }

    /// Where a blob grows.
    pub fn partial(&self, repo: &str, etag: &str) -> PathBuf {
        self.folder(repo).join("blobs").join(format!("{etag}.incomplete"))
    }

    /// Waits until nobody else writes this blob, in this process or another. The lock ends with the file.
    pub async fn lock(&self, repo: &str, etag: &str) -> Result<File, HubError> {
        let path = self.locks(repo).join(format!("{etag}.lock"));
        let failed = |error| HubError::disk(&path, error, 0);
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if started.elapsed().as_millis() > u128::from(limits::HUB_LOCK_MS) => {
                    return Err(HubError::Busy { repo: repo.to_owned() });
                }
                Err(TryLockError::WouldBlock) => {
                    tokio::time::sleep(Duration::from_millis(limits::HUB_LOCK_POLL_MS)).await;
                }
            }
        }
    }

    /// Puts a blob into a snapshot under its name, which has been checked.
    pub fn link(&self, snapshot: &Path, name: &str, etag: &str) -> Result<(), HubError> {
        let pointer = snapshot.join(name);
        let failed = |error| HubError::disk(&pointer, error, 0);
        let parent = pointer.parent().unwrap_or(snapshot);
        fs::create_dir_all(parent).map_err(failed)?;
        let up = "../".repeat(name.split('/').count() + 1);
        let target = PathBuf::from(format!("{up}blobs/{etag}"));
        match std::os::unix::fs::symlink(&target, &pointer) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                if fs::read_link(&pointer).is_ok_and(|there| there == target) {
                    return Ok(());
                }
                // It leads to what the file was before, or is a copy that somebody else made and broke off.
                fs::remove_file(&pointer).map_err(failed)?;
                std::os::unix::fs::symlink(&target, &pointer).map_err(failed)
            }
            result => result.map_err(failed),
        }
    }

    /// Notes to which commit a revision leads.
    pub fn note(&self, repo: &str, revision: &str, commit: &str) -> Result<(), HubError> {
        if names::is_commit(revision) {
            return Ok(());
        }
        let path = self.folder(repo).join("refs").join(revision);
        let parent = path.parent().unwrap_or(&path);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, commit))
            .map_err(|error| HubError::disk(&path, error, 0))
    }

    /// All snapshots, by repository and commit.
    pub fn list(&self) -> Vec<CachedModel> {
        let mut models = Vec::new();
        for folder in entries(&self.root) {
            let name = folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(PREFIX));
            let Some(repo) = name.map(|name| name.replace("--", "/")).filter(|repo| names::check_repo(repo).is_ok())
            else {
                continue;
            };
            let references = references(&folder.join("refs"));
            for snapshot in entries(&folder.join("snapshots")) {
                let Some(commit) = snapshot.file_name().and_then(|name| name.to_str()) else { continue };
                let revision = references.get(commit).map_or_else(|| commit.to_owned(), |names| names.join(", "));
                let metas: Vec<_> =
                    names_below(&snapshot).iter().filter_map(|name| fs::metadata(snapshot.join(name)).ok()).collect();
                if metas.is_empty() {
                    continue;
                }
                let newest = metas.iter().filter_map(|meta| meta.modified().ok()).max();
                models.push(CachedModel {
                    repo: repo.clone(),
                    revision,
                    bytes: metas.iter().map(fs::Metadata::len).sum(),
                    files: metas.len(),
                    last_modified: newest.unwrap_or(SystemTime::UNIX_EPOCH),
                });
            }
        }
        models.sort_by(|one, other| (&one.repo, &one.revision).cmp(&(&other.repo, &other.revision)));
        models
    }

    /// See [`super::Hub::remove`].
    pub fn remove(&self, repo: &str) -> Result<u64, HubError> {
        let folder = self.folder(repo);
        // A link to a folder elsewhere is no folder of this cache.
        if !fs::symlink_metadata(&folder).is_ok_and(|meta| meta.is_dir()) {
            return Err(HubError::NotFound { what: format!("{repo} in the cache {}", self.root.display()) });
        }
        let mut held = Vec::new();
        for path in entries(&self.locks(repo)) {
            let Ok(file) = File::open(&path) else { continue };
            if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
                return Err(HubError::Busy { repo: repo.to_owned() });
            }
            held.push(file);
        }
        let bytes = size_of_files(&folder);
        // The lock files stay: who waits for one must find it where it was.
        fs::remove_dir_all(&folder).map_err(|error| HubError::Disk { path: folder, error })?;
        Ok(bytes)
    }

    fn folder(&self, repo: &str) -> PathBuf {
        self.root.join(folder_name(repo))
    }

    fn locks(&self, repo: &str) -> PathBuf {
        self.root.join(".locks").join(folder_name(repo))
    }

    /// The cache's own folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

fn folder_name(repo: &str) -> String {
    format!("{PREFIX}{}", repo.replace('/', "--"))
}

/// Names of the files below a snapshot's folder, parts joined by `/`, in order. Links that lead nowhere are left out.
pub fn names_below(snapshot: &Path) -> Vec<String> {
    let mut names = Vec::new();
    walk(snapshot, 0, &mut |path| {
        let below = path.strip_prefix(snapshot).ok().and_then(|below| below.to_str());
        if let Some(name) = below.filter(|_| path.is_file()) {
            names.push(name.to_owned());
        }
    });
    names.sort();
    names
}

/// Branches and tags by the commit that they lead to.
fn references(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut references: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names_below(folder) {
        if let Ok(commit) = fs::read_to_string(folder.join(&name)) {
            references.entry(commit.trim().to_owned()).or_default().push(name);
        }
    }
    references
}

fn size_of_files(folder: &Path) -> u64 {
    let mut bytes = 0;
    walk(folder, 0, &mut |path| {
        bytes += fs::symlink_metadata(path).map_or(0, |meta| if meta.is_file() { meta.len() } else { 0 })
    });
    bytes
}

/// Visits what is no folder below a folder. Follows no links to folders.
fn walk(folder: &Path, depth: usize, visit: &mut impl FnMut(&Path)) {
    for path in entries(folder) {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() && depth < limits::HUB_FILE_DEPTH_MAX + 2 => walk(&path, depth + 1, visit),
            Ok(meta) if !meta.is_dir() => visit(&path),
            _ => {}
        }
    }
}

/// What lies in a folder, in order; nothing when there is no such folder. Bounded: a mistaken cache may be any folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().take(limits::HUB_FILES_MAX).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
