//! The file as it is written: text to typed values, and the line of every key.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Section};
use super::{ConfigError, LogFormat, LogLevel, Ports};
use crate::limits;

/// A parsed file. The default is no file.
#[derive(Default)]
pub struct File {
    /// Its content.
    pub content: Content,
    /// Name for messages.
    pub name: String,
    /// Folder at which relative paths start; empty for the working folder.
    pub folder: PathBuf,
    /// Line of each key, from 1, by its path such as `server.listen`.
    pub lines: BTreeMap<String, usize>,
}

/// The tables of the file. [`keys::SECTIONS`] documents each key.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    pub server: Server,
    pub http: Http,
    pub engine: Engine,
    pub launch: Launch,
    pub registry: Registry,
    pub hub: Hub,
    pub media: Media,
    pub plugin: BTreeMap<String, Plugin>,
    pub model: BTreeMap<String, Model>,
}

/// `[server]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    pub listen: Option<String>,
    pub ports: Option<Ports>,
    pub api_keys: Option<Vec<String>>,
    pub public: Option<bool>,
    pub data: Option<PathBuf>,
    pub cache: Option<PathBuf>,
    pub plugins: Option<PathBuf>,
    pub models: Option<PathBuf>,
    pub builtin_models: Option<bool>,
    pub order: Option<Vec<String>>,
    pub drain_s: Option<u64>,
    pub log: Option<LogFormat>,
    pub log_level: Option<LogLevel>,
}

/// `[http]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    pub cors_origins: Option<Vec<String>>,
}

/// `[engine]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    pub threads: Option<usize>,
    pub kv_mib: Option<u64>,
    pub slots: Option<usize>,
    pub context_tokens: Option<u32>,
    pub queue_requests: Option<usize>,
    pub queue_wait_s: Option<u64>,
    pub memory_mib: Option<u64>,
    pub batch_wait_ms: Option<u64>,
}

/// `[launch]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Launch {
    pub allow: Option<bool>,
    pub restore: Option<bool>,
    pub folders: Option<Vec<PathBuf>>,
}

/// `[hub]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hub {
    pub endpoint: Option<String>,
    pub cache: Option<PathBuf>,
    pub offline: Option<bool>,
    pub allow_pull: Option<bool>,
    pub stall_s: Option<u64>,
}

/// `[media]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    pub allow: Option<Vec<String>>,
}

/// `[plugin.<name>]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plugin {
    pub enabled: Option<bool>,
    pub port: Option<u16>,
    pub grants: Option<Vec<String>>,
    pub memory_mib: Option<u32>,
    pub settings: toml::Table,
}

/// `[model."<name>"]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    pub path: Option<PathBuf>,
    pub template: Option<String>,
    pub aliases: Vec<String>,
    pub context_tokens: Option<u32>,
    pub slots: Option<usize>,
    pub threads: Option<usize>,
    pub kv_mib: Option<u64>,
    pub replicas: Option<u32>,
    pub requests_max: Option<u32>,
    pub pinned: Option<bool>,
}

/// `[registry]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registry {
    pub files: Option<Vec<PathBuf>>,
}

/// Reads a file of bounded size.
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let wrong = |reason: String| ConfigError { place: path.display().to_string(), reason };
    let file = std::fs::File::open(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut text = String::new();
    file.take(limits::CONFIG_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if text.len() as u64 > limits::CONFIG_BYTES_MAX {
        return Err(wrong(format!("larger than {} bytes", limits::CONFIG_BYTES_MAX)));
    }
    Ok(text)
}

/// Parses a file's text.
pub fn parse(text: &str, path: &Path) -> Result<File, ConfigError> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let wrong = |error: toml::de::Error| ConfigError {
        place: error.span().map_or_else(|| name.clone(), |span| format!("{name}:{}", line_of(text, span.start))),
        reason: error.message().lines().collect::<Vec<_>>().join("; "),
    };
    let table = DeTable::parse(text).map_err(wrong)?;
    let mut walk = Walk { text, name: &name, lines: BTreeMap::new() };
    walk.file(table.get_ref())?;
    let lines = walk.lines;
    let content = toml::from_str(text).map_err(wrong)?;
    Ok(File { content, name, folder, lines })
}

/// Looks at every key of a file: notes its line, refuses it where it does not exist.
struct Walk<'a> {
    text: &'a str,
    name: &'a str,
    lines: BTreeMap<String, usize>,
}

impl Walk<'_> {
    fn file(&mut self, table: &DeTable<'_>) -> Result<(), ConfigError> {
        for (key, value) in table {
            let line = self.note("", key.get_ref(), key.span().start);
            let Some(section) = keys::section(key.get_ref()) else {
                let candidates = keys::SECTIONS.iter().map(|section| section.name);
                return Err(self.unknown(line, key.get_ref(), "", candidates, owner_of(key.get_ref())));
            };
            // A value that is no table is refused by its type later, in better words.
            let DeValue::Table(table) = value.get_ref() else {
                continue;
            };
            if !section.is_named {
                self.section(section, section.name, table)?;
                continue;
            }
            for (name, value) in table {
                self.note(section.name, name.get_ref(), name.span().start);
                if let DeValue::Table(table) = value.get_ref() {
                    self.section(section, &format!("{}.{}", section.name, name.get_ref()), table)?;
                }
            }
        }
        Ok(())
    }

    fn section(&mut self, section: &Section, path: &str, table: &DeTable<'_>) -> Result<(), ConfigError> {
        for (key, _) in table {
            let line = self.note(path, key.get_ref(), key.span().start);
            if !section.keys.iter().any(|known| known.name == key.get_ref()) {
                let candidates = section.keys.iter().map(|known| known.name);
                return Err(self.unknown(line, key.get_ref(), path, candidates, owner_of(key.get_ref())));
            }
        }
        Ok(())
    }

    fn note(&mut self, path: &str, key: &str, at: usize) -> usize {
        let line = line_of(self.text, at);
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        self.lines.insert(path, line);
        line
    }

    fn unknown<'a>(
        &self,
        line: usize,
        key: &str,
        section: &str,
        candidates: impl Iterator<Item = &'a str>,
        owner: Option<&str>,
    ) -> ConfigError {
        let place = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
        let hint = match (keys::nearest(key, candidates), owner) {
            (Some(nearest), _) => format!(", did you mean `{nearest}`?"),
            (None, Some(owner)) => format!(", it belongs in [{owner}]"),
            (None, None) => String::new(),
        };
        let reason = format!("unknown key `{}`{place}{hint}", key.escape_debug());
        ConfigError { place: format!("{}:{line}", self.name), reason }
    }
}

/// Header of the section that has such a key.
fn owner_of(key: &str) -> Option<&'static str> {
    keys::SECTIONS
        .iter()
        .find(|section| section.keys.iter().any(|known| known.name == key))
        .map(|section| section.header)
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
