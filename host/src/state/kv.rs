//! Key-value state: read anywhere, written by one thread that makes many changes durable at once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use redb::{Database, ReadableDatabase};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::clock::Clock;
use super::tables::{self, Change, ENTRIES, NEVER, Share, Terms};
use crate::limits;

/// The state of all plugins, each one's apart.
pub struct Store {
    inner: Arc<Inner>,
    jobs: Option<mpsc::Sender<Job>>,
    places: Arc<Semaphore>,
    writer: Option<JoinHandle<()>>,
}

/// A value with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bytes as they were put.
    pub value: Vec<u8>,
    /// Grows with every change in the whole store, is never given twice, and is never 0.
    pub version: u64,
}

/// Why state was not read or changed. On every error nothing was changed, except that a [`StateError::Failed`] write may show after
/// a restart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// A key or value passes its bound: which.
    #[error("{0}")]
    TooLarge(String),
    /// The plugin's share is used up.
    #[error(
        "the share of {} bytes or {} entries is used up",
        limits::STATE_BYTES_PER_PLUGIN_MAX,
        limits::STATE_ENTRIES_PER_PLUGIN_MAX
    )]
    Full,
    /// The key has another version, this one; 0 when it is absent.
    #[error("the version is {0}")]
    Conflict(u64),
    /// The storage failed.
    #[error("{0}")]
    Failed(String),
}

/// Why there is no store. For the operator.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct StoreError {
    /// The file or folder.
    pub path: PathBuf,
    /// What happened.
    pub reason: String,
}

struct Inner {
    /// None while the file is opened anew after a failure.
    database: ArcSwapOption<Database>,
    /// None in memory.
    path: Option<PathBuf>,
    clock: Clock,
    share: Share,
}

struct Job {
    change: Change,
    reply: oneshot::Sender<Result<u64, StateError>>,
    _place: OwnedSemaphorePermit,
}

impl Store {
    /// Opens or makes `state.redb` in a folder, which is made if need be; in memory without one.
    ///
    /// # Errors
    /// When the file cannot be made, is no state file, or is open in another server.
    pub fn open(folder: Option<&Path>) -> Result<Store, StoreError> {
        let share =
            Share { bytes_max: limits::STATE_BYTES_PER_PLUGIN_MAX, entries_max: limits::STATE_ENTRIES_PER_PLUGIN_MAX };
        Store::open_with(folder, Clock::running(), share)
    }

    fn open_with(folder: Option<&Path>, clock: Clock, share: Share) -> Result<Store, StoreError> {
        let wrong = |path: &Path, reason: String| StoreError { path: path.to_owned(), reason };
        if let Some(folder) = folder {
            make_private_folder(folder).map_err(|error| wrong(folder, error.to_string()))?;
        }
        let path = folder.map(|folder| folder.join("state.redb"));
        let shown = path.as_deref().unwrap_or(Path::new("memory"));
        let database = open_database(path.as_deref()).map_err(|reason| wrong(shown, reason))?;
        let inner = Inner { database: ArcSwapOption::from_pointee(database), path: path.clone(), clock, share };
        let inner = Arc::new(inner);
        let (jobs, queue) = mpsc::channel();
        let writer = std::thread::Builder::new().name("state".into()).spawn({
            let inner = inner.clone();
            move || inner.write_all(&queue)
        });
        Ok(Store {
            inner,
            jobs: Some(jobs),
            places: Arc::new(Semaphore::new(limits::STATE_WRITES_WAITING_MAX)),
            writer: Some(writer.map_err(|error| wrong(shown, error.to_string()))?),
        })
    }

    /// A plugin's value of a key; none when it is absent or has expired.
    ///
    /// # Errors
    /// [`StateError::TooLarge`] for the key, [`StateError::Failed`].
    pub async fn get(&self, plugin: &str, key: &str) -> Result<Option<Entry>, StateError> {
        check_key(key)?;
        let (plugin, key) = (plugin.to_owned(), key.to_owned());
        self.read(move |entries, now_ms| {
            let Some(guard) = entries.get((plugin.as_str(), key.as_str()))? else {
                return Ok(None);
            };
            let (version, expires_ms, value) = guard.value();
            Ok((expires_ms > now_ms).then(|| Entry { value: value.to_vec(), version }))
        })
        .await
    }

    /// Stores and returns the new version; on disk when it returns. `ttl`: forget the key after that time. A caller that stops
    /// waiting may find it stored all the same.
    ///
    /// # Errors
    /// [`StateError`], but no conflict.
    pub async fn put(&self, plugin: &str, key: &str, value: Vec<u8>, ttl: Option<Duration>) -> Result<u64, StateError> {
        self.store(plugin, key, value, ttl, None).await
    }

    /// [`Store::put`], if the key has that version; 0 means absent.
    ///
    /// # Errors
    /// [`StateError`].
    pub async fn compare_and_swap(
        &self,
        plugin: &str,
        key: &str,
        version: u64,
        value: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Result<u64, StateError> {
        self.store(plugin, key, value, ttl, Some(version)).await
    }

    /// Removes a key; true when there was something to remove.
    ///
    /// # Errors
    /// [`StateError::TooLarge`] for the key, [`StateError::Failed`].
    pub async fn delete(&self, plugin: &str, key: &str) -> Result<bool, StateError> {
        check_key(key)?;
        let change = Change::Delete { plugin: plugin.to_owned(), key: key.to_owned() };
        Ok(self.change(change).await? > 0)
    }

    /// A plugin's keys with that prefix in order, at most `max` (1 to [`limits::STATE_LIST_MAX`]), after the key `after`.
    ///
    /// # Errors
    /// [`StateError::TooLarge`] for the prefix, [`StateError::Failed`].
    pub async fn list(
        &self,
        plugin: &str,
        prefix: &str,
        after: Option<&str>,
        max: u32,
    ) -> Result<Vec<String>, StateError> {
        for (what, text) in [("prefix", prefix), ("after", after.unwrap_or_default())] {
            if text.len() > limits::STATE_KEY_BYTES_MAX {
                return Err(too_large(what, text.len(), limits::STATE_KEY_BYTES_MAX));
            }
        }
        let max = max.clamp(1, limits::STATE_LIST_MAX) as usize;
        let (plugin, prefix, after) = (plugin.to_owned(), prefix.to_owned(), after.map(str::to_owned));
        self.read(move |entries, now_ms| {
            let start = after.as_deref().unwrap_or_default().max(prefix.as_str());
            let mut keys = Vec::new();
            for row in entries.range((plugin.as_str(), start)..)?.take(limits::STATE_LIST_SCANNED_MAX) {
                let (key, entry) = row?;
                let (owner, key) = key.value();
                if owner != plugin || !key.starts_with(&prefix) || keys.len() == max {
                    break;
                }
                if entry.value().1 > now_ms && after.as_deref() != Some(key) {
                    keys.push(key.to_owned());
                }
            }
            Ok(keys)
        })
        .await
    }

    /// Removes a batch of what has expired; returns how many. The writer does it by itself every [`limits::STATE_SWEEP_MS`].
    #[cfg(test)]
    async fn sweep(&self) -> Result<u64, StateError> {
        self.change(Change::Sweep).await
    }

    async fn store(
        &self,
        plugin: &str,
        key: &str,
        value: Vec<u8>,
        ttl: Option<Duration>,
        only_if: Option<u64>,
    ) -> Result<u64, StateError> {
        check_key(key)?;
        if value.len() > limits::STATE_VALUE_BYTES_MAX {
            return Err(too_large("value", value.len(), limits::STATE_VALUE_BYTES_MAX));
        }
        let expires_ms = ttl.map_or(NEVER, |ttl| {
            let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).min(limits::TTL_MS_MAX);
            self.inner.clock.now_ms().saturating_add(ttl_ms)
        });
        self.change(Change::Put { plugin: plugin.to_owned(), key: key.to_owned(), value, expires_ms, only_if }).await
    }

    async fn change(&self, change: Change) -> Result<u64, StateError> {
        let ended = || StateError::Failed("the state's writer has ended".into());
        let place = self.places.clone().acquire_owned().await.map_err(|_| ended())?;
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(Job { change, reply, _place: place }).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Reads on a thread that may wait for the disk; in memory at once.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Entries, u64) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StateError> {
        let inner = self.inner.clone();
        if inner.path.is_none() {
            return inner.read(work);
        }
        let failed = |_| StateError::Failed("reading was interrupted".into());
        tokio::task::spawn_blocking(move || inner.read(work)).await.map_err(failed)?
    }
}

impl Drop for Store {
    /// Ends the writer once it has made the changes that wait, and closes the file.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so already.
            let _ = writer.join();
        }
    }
}

type Entries = redb::ReadOnlyTable<(&'static str, &'static str), (u64, u64, &'static [u8])>;

impl Inner {
    fn read<T>(&self, work: impl FnOnce(&Entries, u64) -> Result<T, redb::Error>) -> Result<T, StateError> {
        let Some(database) = self.database.load_full() else {
            return Err(StateError::Failed("the state is being opened anew".into()));
        };
        let read = || -> Result<T, redb::Error> {
            let entries = database.begin_read()?.open_table(ENTRIES)?;
            work(&entries, self.clock.now_ms())
        };
        read().map_err(|error| self.failed(&error))
    }

    /// The writer: batches of changes until the store is dropped, and a sweep now and then.
    fn write_all(&self, jobs: &mpsc::Receiver<Job>) {
        let pause = Duration::from_millis(limits::STATE_SWEEP_MS);
        let mut sweep_at = Instant::now() + pause;
        loop {
            let now = Instant::now();
            if now >= sweep_at {
                // A failure has been logged, and shows with the next change.
                let swept = self.write(&[&Change::Sweep]).ok().and_then(|results| results.into_iter().next()?.ok());
                // A full batch was perhaps not all. Changes that wait come in between.
                sweep_at = if swept.unwrap_or(0) < limits::STATE_SWEEP_BATCH as u64 { now + pause } else { now };
            }
            let first = match jobs.recv_timeout(sweep_at.saturating_duration_since(now)) {
                Ok(job) => job,
                Err(mpsc::RecvTimeoutError::Timeout) => continue,
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            };
            let batch: Vec<Job> =
                std::iter::once(first).chain(jobs.try_iter()).take(limits::STATE_WRITES_BATCH).collect();
            let changes: Vec<&Change> = batch.iter().map(|job| &job.change).collect();
            let results = self.write(&changes);
            for (index, job) in batch.into_iter().enumerate() {
                let result = match &results {
                    Ok(results) => results[index].clone(),
                    Err(error) => Err(error.clone()),
                };
                // The caller may have left.
                let _ = job.reply.send(result);
            }
        }
    }

    /// One transaction for all: durable together, or failed together.
    fn write(&self, changes: &[&Change]) -> Result<Vec<Result<u64, StateError>>, StateError> {
        let database = match self.database.load_full() {
            Some(database) => database,
            None => self.reopen()?,
        };
        let write = || -> Result<_, redb::Error> {
            let transaction = database.begin_write()?;
            let terms = Terms { now_ms: self.clock.now_ms(), share: self.share };
            let results = changes
                .iter()
                .map(|change| tables::apply(&transaction, change, terms))
                .collect::<Result<Vec<_>, _>>()?;
            transaction.commit()?;
            Ok(results)
        };
        write().map_err(|error| {
            // After a failed write the file must be opened anew before it takes another one: by the next change.
            if self.path.is_some() {
                self.database.store(None);
            }
            self.failed(&error)
        })
    }

    fn reopen(&self) -> Result<Arc<Database>, StateError> {
        let database = open_database(self.path.as_deref()).map_err(|reason| {
            tracing::error!(reason, "the state cannot be opened anew");
            StateError::Failed("the state is not available".into())
        })?;
        tracing::warn!("the state was opened anew after a failure");
        let database = Arc::new(database);
        self.database.store(Some(database.clone()));
        Ok(database)
    }

    fn failed(&self, error: &redb::Error) -> StateError {
        tracing::error!(%error, "the state failed");
        // What the client sees names no file.
        StateError::Failed("the storage failed".into())
    }
}

fn open_database(path: Option<&Path>) -> Result<Database, String> {
    let mut builder = Database::builder();
    builder.set_cache_size(limits::STATE_CACHE_BYTES);
    let database = match path {
        Some(path) => builder.create(path),
        None => builder.create_with_backend(redb::backends::InMemoryBackend::new()),
    };
    let database = database.map_err(|error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen => {
            "another server uses this data folder; give each its own with --data".into()
        }
        error => error.to_string(),
    })?;
    let make = || -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        tables::create(&transaction)?;
        Ok(transaction.commit()?)
    };
    make().map_err(|error| error.to_string())?;
    Ok(database)
}

/// Makes a folder that only this user can enter; one that is there keeps its rights.
pub(super) fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn check_key(key: &str) -> Result<(), StateError> {
    match key.len() {
        0 => Err(StateError::TooLarge("the key is empty".into())),
        bytes if bytes > limits::STATE_KEY_BYTES_MAX => Err(too_large("key", bytes, limits::STATE_KEY_BYTES_MAX)),
        _ => Ok(()),
    }
}

fn too_large(what: &str, bytes: usize, bytes_max: usize) -> StateError {
    StateError::TooLarge(format!("{what} of {bytes} bytes, at most {bytes_max}"))
}

#[cfg(test)]
mod tests;
