//! Watches the plugins folder and swaps what changed. One thread, beside the serving ones.
//!
//! A swap is one pointer store. Whatever goes wrong before it leaves the old version serving, and says why in the log, in
//! `mimus plugin list` and in a metric.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::compile::{Trust, content_hash};
use super::load::{Loader, Plugin};
use super::registry::{Record, Shelf, Snapshot};
use super::swaps::{Swap, Swaps};
use crate::limits;
use crate::telemetry::Metrics;

/// The thread's belongings.
pub struct Reloader {
    loader: Loader,
    shelf: Shelf,
    snapshot: Arc<ArcSwap<Snapshot>>,
    records: Arc<ArcSwap<Vec<Record>>>,
    swaps: Arc<Swaps>,
    metrics: Arc<Metrics>,
    order: Vec<String>,
    folder: Option<PathBuf>,
}

/// A component that comes with the server.
#[derive(Clone, Copy)]
pub struct Bundled {
    /// Package name, for messages.
    pub name: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

/// Keeps the watch alive; dropping it ends the thread.
pub struct Watch {
    _watcher: RecommendedWatcher,
}

impl Reloader {
    /// A reloader with nothing on its shelf.
    pub fn new(
        loader: Loader,
        snapshot: Arc<ArcSwap<Snapshot>>,
        records: Arc<ArcSwap<Vec<Record>>>,
        swaps: Arc<Swaps>,
        metrics: Arc<Metrics>,
        order: Vec<String>,
        folder: Option<PathBuf>,
    ) -> Reloader {
        Reloader { loader, shelf: Shelf::default(), snapshot, records, swaps, metrics, order, folder }
    }

    /// Loads the bundle, on as many threads as there are processors, and then the folder; serves the result.
    pub fn load_all(&mut self, bundle: &[Bundled], is_enabled: impl Fn(&str) -> bool) {
        let loader = &self.loader;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let next = std::sync::atomic::AtomicUsize::new(0);
        let loaded = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..threads.min(bundle.len()) {
                scope.spawn(|| {
                    while let Some(component) = bundle.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                        let plugin = loader.load(component.bytes, Trust::Bundled).map_err(|error| error.0);
                        loaded.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((component.name, plugin));
                    }
                });
            }
        });
        for (name, plugin) in loaded.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            if let Err(error) = &plugin {
                tracing::error!(plugin = name, error, "a bundled plugin does not load");
            }
            if plugin.as_ref().map_or(true, |plugin| is_enabled(plugin.name())) {
                self.shelf.add_bundled(name, plugin);
            }
        }
        self.scan();
        self.publish();
    }

    /// Starts to watch the folder, if there is one, on a thread of its own.
    ///
    /// # Errors
    /// When the operating system offers no watch.
    pub fn watch(mut self) -> notify::Result<Option<Watch>> {
        let Some(folder) = self.folder.clone() else { return Ok(None) };
        let (sender, events) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is an event as well; only changes matter.
            if event.as_ref().map_or(true, |event| !event.kind.is_access()) {
                let _ = sender.send(());
            }
        })?;
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        std::thread::Builder::new()
            .name("reload".into())
            .spawn(move || self.follow(&events))
            .map_err(notify::Error::io)?;
        Ok(Some(Watch { _watcher: watcher }))
    }

    /// Waits for changes, lets them settle, scans. Ends when the watcher is dropped.
    fn follow(&mut self, events: &mpsc::Receiver<()>) {
        let quiet = Duration::from_millis(limits::RELOAD_QUIET_MS);
        // What happened between the first scan and the watch.
        let mut is_due = true;
        loop {
            if !is_due && events.recv().is_err() {
                return;
            }
            // An endless storm of events must not put the scan off for ever.
            let latest = Instant::now() + quiet * 10;
            loop {
                match events.recv_timeout(quiet) {
                    Ok(()) if Instant::now() < latest => {}
                    Ok(()) | Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            is_due = false;
            if self.scan() {
                self.publish();
            }
        }
    }

    /// Reads the folder and loads what is new. Returns whether anything changed.
    fn scan(&mut self) -> bool {
        let Some(folder) = self.folder.clone() else { return false };
        let present = match plugin_files(&folder) {
            Ok(present) => present,
            Err(error) => {
                tracing::warn!(%error, "the plugins folder cannot be read; everything goes on as it is");
                return false;
            }
        };
        let mut is_changed = false;
        for path in self.shelf.paths().iter().filter(|path| !present.contains(path)) {
            if self.shelf.set_missing(path) {
                tracing::info!(file = %file_name(path), "a plugin's file is gone; what it brought serves until the server restarts");
                is_changed = true;
            }
        }
        for path in present {
            is_changed |= self.scan_file(path);
        }
        is_changed
    }

    fn scan_file(&mut self, path: PathBuf) -> bool {
        let bytes = match read_bounded(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let hash = format!("unreadable: {error}");
                if self.shelf.has_tried(&path, &hash) {
                    return false;
                }
                tracing::warn!(file = %file_name(&path), error, "a plugin's file cannot be read");
                self.shelf.set_file(path, hash, Err(error));
                return true;
            }
        };
        let hash = content_hash(&bytes);
        if self.shelf.has_tried(&path, &hash) {
            return false;
        }
        let start = Instant::now();
        let loaded = self
            .loader
            .load(&bytes, Trust::Foreign)
            .map_err(|error| error.0)
            .and_then(|plugin| self.admit(&path, plugin));
        let file = file_name(&path);
        let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.remember(&path, &hash, took_ms, &loaded);
        match &loaded {
            Ok(plugin) => {
                tracing::info!(
                    file,
                    plugin = plugin.name(),
                    version = plugin.label(),
                    hash = &hash[..12],
                    took_ms,
                    "a plugin was swapped in"
                );
                self.metrics.plugin_swap(plugin.name(), true);
            }
            Err(error) => {
                tracing::warn!(
                    file,
                    hash = &hash[..12],
                    error,
                    "a plugin's new content does not load; what served before goes on"
                );
                self.metrics.plugin_swap(&path.file_stem().unwrap_or_default().to_string_lossy(), false);
            }
        }
        self.shelf.set_file(path, hash, loaded);
        true
    }

    /// Adds to the history what became of a file's new content.
    fn remember(&self, path: &Path, hash: &str, took_ms: u64, loaded: &Result<Plugin, String>) {
        let plugin = match loaded {
            Ok(plugin) => plugin.name().to_owned(),
            Err(_) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.swaps.note(Swap {
            at_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            before: self.shelf.active().get(plugin.as_str()).map(|before| before.label().to_owned()),
            plugin,
            file: file_name(path),
            version: loaded.as_ref().map_or_else(|_| String::new(), |plugin| plugin.label().to_owned()),
            hash: hash[..12].to_owned(),
            took_ms,
            error: loaded.as_ref().err().cloned(),
        });
    }

    /// Refuses a second file of the same name: which of the two should serve is the operator's to say.
    fn admit(&self, path: &PathBuf, plugin: Plugin) -> Result<Plugin, String> {
        match self.shelf.rival(path, plugin.name()) {
            Some(rival) => {
                Err(format!("another file, {}, brings a plugin named `{}` too", file_name(rival), plugin.name()))
            }
            None => Ok(plugin),
        }
    }

    /// The swap.
    fn publish(&self) {
        let snapshot = Snapshot::new(self.shelf.active().into_values(), &self.order);
        for conflict in &snapshot.conflicts {
            tracing::info!(conflict, "plugins claim the same");
        }
        // Told of first: whoever is served by a plugin finds it listed.
        self.records.store(Arc::new(self.shelf.records()));
        self.snapshot.store(Arc::new(snapshot));
    }
}

/// `*.wasm` files right inside the folder, in order. Links out of the folder, pipes and folders are not files.
fn plugin_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let is_named_so = path.extension().is_some_and(|extension| extension == "wasm");
        if is_named_so && entry.file_type()?.is_file() {
            files.push(path);
        }
    }
    files.sort();
    files.truncate(limits::PLUGINS_MAX);
    Ok(files)
}

/// Reads a file that may be in the middle of changing; never more than a plugin may have.
fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(limits::PLUGIN_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > limits::PLUGIN_FILE_BYTES_MAX {
        return Err(format!("larger than {} bytes", limits::PLUGIN_FILE_BYTES_MAX));
    }
    Ok(bytes)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
