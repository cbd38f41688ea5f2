//! Blobs: large bytes that clients get by URL, for a limited time.
//!
//! Each is a file below the data folder, or bytes in memory where there is none. An id is 128 random bits: who knows it may read the
//! blob; only the plugin that put it may delete it.

mod disk;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::clock::Clock;
use super::kv::StoreError;
use crate::limits;

/// All blobs of the server.
pub struct Blobs {
    /// None keeps bytes in memory.
    folder: Option<PathBuf>,
    index: Arc<Mutex<Index>>,
    clock: Clock,
}

/// What is known of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its size.
    pub bytes: u64,
    /// As it was put: visible ASCII, but not checked to be a content type.
    pub content_type: String,
}

/// Why there is no blob. The messages name no file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Larger than one blob may be, which is so many bytes.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// The plugin's share is used up.
    #[error("the share is used up")]
    Full,
    /// No blob has this id, or its time is over.
    #[error("no such blob")]
    NotFound,
    /// The storage failed, or the content type is none.
    #[error("{0}")]
    Failed(String),
}

#[derive(Default)]
struct Index {
    blobs: HashMap<String, Blob>,
    usage: HashMap<String, Usage>,
    /// When a `put` next removes what has expired.
    sweep_at_ms: u64,
}

#[derive(Clone)]
struct Blob {
    plugin: String,
    info: BlobInfo,
    expires_ms: u64,
    place: Place,
}

/// Where the bytes are.
#[derive(Clone)]
enum Place {
    /// Still being written; nobody can read it.
    Nowhere,
    Memory(Bytes),
    /// In the file, from this offset.
    File(PathBuf, u64),
}

#[derive(Clone, Copy, Default)]
struct Usage {
    bytes: u64,
    blobs: u64,
}

impl Blobs {
    /// Opens or makes `blobs` in a folder and drops what has expired or is damaged; in memory without a folder.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(folder: Option<&Path>) -> Result<Blobs, StoreError> {
        Blobs::open_with(folder, Clock::running())
    }

    fn open_with(folder: Option<&Path>, clock: Clock) -> Result<Blobs, StoreError> {
        let folder = folder.map(|folder| folder.join("blobs"));
        let mut index = Index::default();
        if let Some(folder) = &folder {
            let wrong = |error: std::io::Error| StoreError { path: folder.clone(), reason: error.to_string() };
            super::kv::make_private_folder(folder).map_err(wrong)?;
            for (id, blob) in disk::scan(folder, clock.now_ms()).map_err(wrong)? {
                index.insert(id, blob);
            }
        }
        Ok(Blobs { folder, index: Arc::new(Mutex::new(index)), clock })
    }

    /// Keeps bytes for `ttl_ms` (at most [`limits::TTL_MS_MAX`]) and returns their id, 32 hexadecimal digits. A caller that stops
    /// waiting leaves a blob that nobody knows, until its time is over.
    ///
    /// # Errors
    /// [`BlobError`], but not `NotFound`.
    pub async fn put(&self, plugin: &str, bytes: Bytes, content_type: &str, ttl_ms: u64) -> Result<String, BlobError> {
        if bytes.len() as u64 > limits::BLOB_BYTES_MAX {
            return Err(BlobError::TooLarge(limits::BLOB_BYTES_MAX));
        }
        // The content type becomes a header of a response.
        let is_type = content_type.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !is_type || content_type.len() > limits::BLOB_CONTENT_TYPE_BYTES_MAX {
            return Err(BlobError::Failed("the content type is not one line of visible characters".into()));
        }
        let id = format!("{:032x}", rand::random::<u128>());
        let blob = Blob {
            plugin: plugin.to_owned(),
            info: BlobInfo { bytes: bytes.len() as u64, content_type: content_type.to_owned() },
            expires_ms: self.clock.now_ms().saturating_add(ttl_ms.min(limits::TTL_MS_MAX)),
            place: Place::Nowhere,
        };
        let Some(folder) = &self.folder else {
            self.reserve(&id, &blob)?;
            self.lock().settle(&id, Place::Memory(bytes));
            return Ok(id);
        };
        self.reserve(&id, &blob)?;
        // The thread that writes also settles the index, so that a caller who leaves meanwhile cannot part the two.
        let write = {
            let (index, id, path) = (self.index.clone(), id.clone(), folder.join(&id));
            move || {
                let written = disk::write(&path, &blob, &bytes);
                let mut index = lock(&index);
                match written {
                    Ok(offset) => index.settle(&id, Place::File(path, offset)),
                    Err(error) => {
                        index.remove(&id);
                        tracing::error!(%error, "a blob cannot be written");
                        return Err(BlobError::Failed("the storage failed".into()));
                    }
                }
                Ok(id)
            }
        };
        let interrupted = |_| BlobError::Failed("writing was interrupted".into());
        tokio::task::spawn_blocking(write).await.map_err(interrupted)?
    }

    /// What is known of a plugin's blob.
    ///
    /// # Errors
    /// [`BlobError::NotFound`].
    pub fn stat(&self, plugin: &str, id: &str) -> Result<BlobInfo, BlobError> {
        self.find(id, Some(plugin)).map(|blob| blob.info)
    }

    /// `length` bytes of a plugin's blob from `offset`, at most [`limits::BLOB_READ_BYTES_MAX`]; fewer at the end, none past it.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::Failed`].
    pub async fn read(&self, plugin: &str, id: &str, offset: u64, length: u32) -> Result<Bytes, BlobError> {
        let blob = self.find(id, Some(plugin))?;
        let start = offset.min(blob.info.bytes);
        let end = start.saturating_add(u64::from(length.min(limits::BLOB_READ_BYTES_MAX))).min(blob.info.bytes);
        read(blob.place, start, end - start).await
    }

    /// A whole blob for a client.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::Failed`].
    pub async fn get(&self, id: &str) -> Result<(BlobInfo, Bytes), BlobError> {
        let blob = self.find(id, None)?;
        let bytes = read(blob.place, 0, blob.info.bytes).await?;
        Ok((blob.info, bytes))
    }

    /// Path on the main listener under which clients get the blob.
    pub fn path(id: &str) -> String {
        format!("/blobs/{id}")
    }

    /// Removes a plugin's blob; true when there was something to remove.
    pub async fn delete(&self, plugin: &str, id: &str) -> bool {
        if self.find(id, Some(plugin)).is_err() {
            return false;
        }
        let Some(blob) = self.lock().remove(id) else {
            return false;
        };
        // Interrupted only when the server ends; the next start finds what is left.
        let _ = tokio::task::spawn_blocking(move || disk::remove_all(&[blob])).await;
        true
    }

    fn reserve(&self, id: &str, blob: &Blob) -> Result<(), BlobError> {
        let bytes_max = match self.folder {
            Some(_) => limits::BLOB_BYTES_PER_PLUGIN_MAX,
            None => limits::BLOB_BYTES_PER_PLUGIN_IN_MEMORY_MAX,
        };
        let now_ms = self.clock.now_ms();
        let mut index = self.lock();
        if now_ms >= index.sweep_at_ms || !index.has_room(blob, bytes_max) {
            index.sweep_at_ms = now_ms.saturating_add(limits::STATE_SWEEP_MS);
            // Unlinking is quick enough for a serving thread, and this is rare.
            disk::remove_all(&index.take_dead(now_ms));
            if !index.has_room(blob, bytes_max) {
                return Err(BlobError::Full);
            }
        }
        index.insert(id.to_owned(), blob.clone());
        Ok(())
    }

    /// A blob that can be read: of that plugin, where one is given.
    fn find(&self, id: &str, plugin: Option<&str>) -> Result<Blob, BlobError> {
        let index = self.lock();
        let blob = index.blobs.get(id).ok_or(BlobError::NotFound)?;
        let is_allowed = plugin.is_none_or(|plugin| plugin == blob.plugin);
        let is_there = blob.expires_ms > self.clock.now_ms() && !matches!(blob.place, Place::Nowhere);
        if is_allowed && is_there { Ok(blob.clone()) } else { Err(BlobError::NotFound) }
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }
}

impl Index {
    fn has_room(&self, blob: &Blob, bytes_max: u64) -> bool {
        let used = self.usage.get(&blob.plugin).copied().unwrap_or_default();
        used.bytes.saturating_add(blob.info.bytes) <= bytes_max && used.blobs < limits::BLOBS_PER_PLUGIN_MAX
    }

    fn insert(&mut self, id: String, blob: Blob) {
        let used = self.usage.entry(blob.plugin.clone()).or_default();
        used.bytes += blob.info.bytes;
        used.blobs += 1;
        self.blobs.insert(id, blob);
    }

    /// Makes a reserved blob readable.
    fn settle(&mut self, id: &str, place: Place) {
        if let Some(blob) = self.blobs.get_mut(id) {
            blob.place = place;
        }
    }

    fn remove(&mut self, id: &str) -> Option<Blob> {
        let blob = self.blobs.remove(id)?;
        if let Some(used) = self.usage.get_mut(&blob.plugin) {
            used.bytes = used.bytes.saturating_sub(blob.info.bytes);
            used.blobs = used.blobs.saturating_sub(1);
            if used.blobs == 0 {
                self.usage.remove(&blob.plugin);
            }
        }
        Some(blob)
    }

    fn take_dead(&mut self, now_ms: u64) -> Vec<Blob> {
        let is_dead = |blob: &Blob| blob.expires_ms <= now_ms && !matches!(blob.place, Place::Nowhere);
        let dead: Vec<String> = self.blobs.iter().filter(|(_, blob)| is_dead(blob)).map(|(id, _)| id.clone()).collect();
        dead.iter().filter_map(|id| self.remove(id)).collect()
    }
}

fn lock(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of a blob, which lie inside it.
async fn read(place: Place, start: u64, length: u64) -> Result<Bytes, BlobError> {
    let size = |bytes: u64| usize::try_from(bytes).map_err(|_| BlobError::NotFound);
    let (path, from) = match place {
        Place::Nowhere => return Err(BlobError::NotFound),
        Place::Memory(bytes) => return Ok(bytes.slice(size(start)?..size(start + length)?)),
        Place::File(path, from) => (path, from),
    };
    let length = size(length)?;
    match tokio::task::spawn_blocking(move || disk::read(&path, from + start, length)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Err(BlobError::NotFound),
        Ok(Err(error)) => {
            tracing::error!(%error, "a blob cannot be read");
            Err(BlobError::Failed("the storage failed".into()))
        }
        Err(_) => Err(BlobError::Failed("reading was interrupted".into())),
    }
}

#[cfg(test)]
mod tests;
