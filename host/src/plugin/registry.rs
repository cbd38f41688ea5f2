//! Which plugins serve: the snapshot that every request reads, and the shelf behind it that only the reloader changes.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::load::{Personality, Plugin, Template};
use super::openapi;
use super::route::RouteTable;

/// An immutable view of all plugins. A request holds one from its first byte to its last, so that a swap never shows in the middle.
#[derive(Default)]
pub struct Snapshot {
    /// Dialects in the order of the configuration, then by name.
    pub dialects: Vec<Dialect>,
    /// Paths at the root of the main listener, each belonging to the first dialect that claims it.
    pub root: RouteTable<Target>,
    /// Claims at the root that lost, for people.
    pub conflicts: Vec<String>,
    /// The merged OpenAPI document, as JSON text.
    pub openapi: Arc<str>,
    formats: HashMap<String, Arc<Template>>,
    by_name: HashMap<String, usize>,
}

/// A dialect with its table.
pub struct Dialect {
    /// The plugin.
    pub personality: Arc<Personality>,
    /// Routes below its mount point; the target is an index into the manifest's routes.
    pub routes: RouteTable<u32>,
    /// Its own OpenAPI document below its mount point, as JSON text.
    pub openapi: Arc<str>,
    /// The same for a listener of its own, without a mount point.
    pub openapi_unmounted: Arc<str>,
}

/// A route of a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Index into `Snapshot::dialects`.
    pub dialect: usize,
    /// Index into the manifest's routes.
    pub route: u32,
}

impl<T: Clone> Default for RouteTable<T> {
    fn default() -> Self {
        RouteTable::new()
    }
}

impl Snapshot {
    /// Lays out plugins for serving. `order` names dialects that come first.
    pub fn new<'a>(plugins: impl Iterator<Item = &'a Plugin>, order: &[String]) -> Snapshot {
        let mut personalities = Vec::new();
        let mut templates: Vec<Arc<Template>> = Vec::new();
        for plugin in plugins {
            match plugin {
                Plugin::Personality(personality) => personalities.push(personality.clone()),
                Plugin::Template(template) => templates.push(template.clone()),
            }
        }
        let place = |name: &str| order.iter().position(|other| other == name).unwrap_or(order.len());
        personalities.sort_by(|a, b| {
            (place(&a.manifest.name), &a.manifest.name).cmp(&(place(&b.manifest.name), &b.manifest.name))
        });
        templates.sort_by(|a, b| (place(&a.name), &a.name).cmp(&(place(&b.name), &b.name)));

        let mut snapshot = Snapshot::default();
        for (index, personality) in personalities.into_iter().enumerate() {
            let routes = snapshot.claim(index, &personality);
            let manifest = &personality.manifest;
            snapshot.by_name.insert(manifest.name.clone(), index);
            snapshot.dialects.push(Dialect {
                openapi: openapi::of_dialect(manifest, &format!("/{}", manifest.name)).into(),
                openapi_unmounted: openapi::of_dialect(manifest, "").into(),
                personality,
                routes,
            });
        }
        snapshot.openapi =
            openapi::merged(snapshot.dialects.iter().map(|dialect| &dialect.personality.manifest)).into();
        for template in templates {
            for format in &template.formats {
                if let Some(first) = snapshot.formats.get(format) {
                    snapshot
                        .conflicts
                        .push(format!("prompt format `{format}` of {} is rendered by {}", template.name, first.name));
                } else {
                    snapshot.formats.insert(format.clone(), template.clone());
                }
            }
        }
        snapshot
    }

    /// Builds a dialect's own table and claims its paths at the root.
    fn claim(&mut self, index: usize, personality: &Personality) -> RouteTable<u32> {
        let mut routes = RouteTable::new();
        let mut lost = BTreeMap::new();
        for (number, route) in personality.manifest.routes.iter().enumerate() {
            let number = u32::try_from(number).expect("a manifest has at most 256 routes");
            // The manifest was checked for routes that match the same requests.
            let _ = routes.add(route.method, &route.pattern, number);
            // `/{project}/{version}` would take nearly every path that nobody has: such routes answer below the mount point alone.
            if route.pattern.begins_with_anything() {
                continue;
            }
            if let Err(winner) = self.root.add(route.method, &route.pattern, Target { dialect: index, route: number }) {
                *lost.entry(winner.dialect).or_insert(0) += 1;
            }
        }
        for (winner, count) in lost {
            let winner = &self.dialects[winner].personality.manifest.name;
            let name = &personality.manifest.name;
            self.conflicts.push(match count {
                1 => format!("1 root path of {name} is answered by {winner}"),
                _ => format!("{count} root paths of {name} are answered by {winner}"),
            });
        }
        routes
    }

    /// A dialect by its name.
    pub fn dialect(&self, name: &str) -> Option<&Dialect> {
        self.by_name.get(name).map(|index| &self.dialects[*index])
    }

    /// The template for a prompt format.
    pub fn template(&self, format: &str) -> Option<Arc<Template>> {
        self.formats.get(format).cloned()
    }
}

/// Everything known about plugins, loaded or not. Only the reloader's thread changes it.
#[derive(Default)]
pub struct Shelf {
    bundled: BTreeMap<String, Plugin>,
    files: BTreeMap<PathBuf, File>,
    failed_bundle: Vec<Record>,
}

/// A file of the plugins folder.
struct File {
    /// Hash of the newest content that was tried.
    hash: String,
    /// What serves from it: its newest good content.
    plugin: Option<Plugin>,
    /// Why the newest content does not serve.
    error: Option<String>,
    is_present: bool,
}

/// A line of `mimus plugin list`.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct Record {
    /// Name, or the file's name while it has none.
    pub name: String,
    /// `personality`, `template`, or empty while unknown.
    pub kind: String,
    /// Version for people.
    pub version: String,
    /// First 12 digits of the content hash.
    pub hash: String,
    /// `bundled`, or the file's name.
    pub source: String,
    /// `active`, `replaced` (a file took its place), `failed`, or `active, newest content failed`.
    pub state: String,
    /// Why the newest content does not serve.
    pub last_error: Option<String>,
    /// When what serves was loaded, in seconds since 1970.
    pub loaded_s: u64,
}

impl Shelf {
    /// Puts a bundled plugin on the shelf.
    pub fn add_bundled(&mut self, name: &str, loaded: Result<Plugin, String>) {
        match loaded {
            Ok(plugin) => {
                self.bundled.insert(plugin.name().to_owned(), plugin);
            }
            Err(error) => self.failed_bundle.push(Record {
                name: name.to_owned(),
                kind: String::new(),
                version: String::new(),
                hash: String::new(),
                source: "bundled".into(),
                state: "failed".into(),
                last_error: Some(error),
                loaded_s: 0,
            }),
        }
    }

    /// Whether this content of a file has been tried already.
    pub fn has_tried(&self, path: &PathBuf, hash: &str) -> bool {
        self.files.get(path).is_some_and(|file| file.hash == hash && file.is_present)
    }

    /// Notes what a file's newest content became. What served before goes on serving when it failed.
    pub fn set_file(&mut self, path: PathBuf, hash: String, loaded: Result<Plugin, String>) {
        let file =
            self.files.entry(path).or_insert(File { hash: String::new(), plugin: None, error: None, is_present: true });
        file.hash = hash;
        file.is_present = true;
        match loaded {
            Ok(plugin) => {
                file.plugin = Some(plugin);
                file.error = None;
            }
            Err(error) => file.error = Some(error),
        }
    }

    /// Notes that a file is gone. What it brought goes on serving until the server restarts: a file that is replaced by deleting it
    /// first must not cost a request. Returns whether that was news.
    pub fn set_missing(&mut self, path: &PathBuf) -> bool {
        let Some(file) = self.files.get_mut(path) else { return false };
        if file.plugin.is_none() {
            return self.files.remove(path).is_some();
        }
        std::mem::replace(&mut file.is_present, false)
    }

    /// Paths known so far.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.files.keys().cloned().collect()
    }

    /// The plugin of another file that has this name.
    pub fn rival(&self, path: &PathBuf, name: &str) -> Option<&PathBuf> {
        let has_name = |file: &File| file.plugin.as_ref().is_some_and(|plugin| plugin.name() == name);
        self.files
            .iter()
            .find(|(other, file)| *other != path && file.is_present && has_name(file))
            .map(|(other, _)| other)
    }

    /// What serves: files over the bundle.
    pub fn active(&self) -> BTreeMap<&str, &Plugin> {
        let mut active: BTreeMap<&str, &Plugin> = self.bundled.values().map(|plugin| (plugin.name(), plugin)).collect();
        // A file that is gone gives way to one that is there.
        let mut files: Vec<&File> = self.files.values().collect();
        files.sort_by_key(|file| file.is_present);
        for plugin in files.into_iter().filter_map(|file| file.plugin.as_ref()) {
            active.insert(plugin.name(), plugin);
        }
        active
    }

    /// One line for each plugin and each file.
    pub fn records(&self) -> Vec<Record> {
        let active = self.active();
        let mut records = self.failed_bundle.clone();
        for plugin in self.bundled.values() {
            let is_active =
                active.get(plugin.name()).is_some_and(|other| other.version().hash == plugin.version().hash);
            records.push(record(plugin, "bundled".into(), if is_active { "active" } else { "replaced" }.into(), None));
        }
        for (path, file) in &self.files {
            let source = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            records.push(match &file.plugin {
                Some(plugin) => {
                    let state = match (&file.error, file.is_present) {
                        (_, false) => "active, file deleted",
                        (Some(_), _) => "active, newest content failed",
                        (None, _) => "active",
                    };
                    record(plugin, source, state.into(), file.error.clone())
                }
                None => Record {
                    name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                    kind: String::new(),
                    version: String::new(),
                    hash: short(&file.hash),
                    source,
                    state: "failed".into(),
                    last_error: file.error.clone(),
                    loaded_s: 0,
                },
            });
        }
        records.sort_by(|a, b| (&a.kind, &a.name, &a.source).cmp(&(&b.kind, &b.name, &b.source)));
        records
    }
}

fn record(plugin: &Plugin, source: String, state: String, last_error: Option<String>) -> Record {
    Record {
        name: plugin.name().to_owned(),
        kind: plugin.kind().to_owned(),
        version: plugin.label().to_owned(),
        hash: short(&plugin.version().hash),
        source,
        state,
        last_error,
        loaded_s: plugin.version().loaded.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs()),
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
