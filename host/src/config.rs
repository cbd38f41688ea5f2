//! The configuration: one typed value, made once from `mimus.toml`, the command line and defaults.
//!
//! A key that does not exist, a value out of bounds and a setting that would open the server to strangers are refused at the start,
//! with the line to change. Nothing else in the server reads the environment or the file.

mod check;
mod file;
mod hub;
mod keys;
mod sources;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits;
pub use hub::HubConfig;
pub use sources::Environment;
use sources::Sources;

/// Interfaces that a plugin can be granted, and is unless its `grants` say otherwise.
pub const GRANTS: [&str; 18] = [
    "websocket",
    "inference",
    "answers",
    "embeddings",
    "reranking",
    "media",
    "vision",
    "models",
    "registry",
    "launching",
    "machine",
    "state",
    "blobs",
    "log",
    "metrics",
    "config",
    "clock",
    "random",
];

/// The configuration file's name, looked for in the working folder.
pub const FILE_NAME: &str = "mimus.toml";

/// The value of `data` that keeps state in memory only.
pub const IN_MEMORY: &str = ":memory:";

/// What the command line says; it goes before the file. Each field is an option of `mimus serve`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Overrides {
    /// Address and port of the main listener
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Where dialects answer besides the main listener
    #[arg(long, value_enum)]
    pub ports: Option<Ports>,
    /// Let everyone who can reach the server use it, without a key
    #[arg(long)]
    pub public: bool,
    /// Folder for state and blobs, or :memory:
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Folder for compiled plugins
    #[arg(long, value_name = "FOLDER")]
    pub cache: Option<PathBuf>,
    /// Folder of plugins, watched for changes
    #[arg(long, value_name = "FOLDER")]
    pub plugins: Option<PathBuf>,
    /// Folder of models
    #[arg(long, value_name = "FOLDER")]
    pub models: Option<PathBuf>,
    /// Form of the log
    #[arg(long, value_enum)]
    pub log: Option<LogFormat>,
    /// Least important lines that the log holds
    #[arg(long, value_enum)]
    pub log_level: Option<LogLevel>,
}

/// Where dialects answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Ports {
    /// Below `/<plugin>/` on the main listener, and at its root where only one dialect claims a path.
    #[default]
    Mounted,
    /// Also each at the root of a listener of its own, on its conventional port.
    Conventional,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Least important lines that the log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// Everything that an operator can decide, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The main listener.
    pub listen: SocketAddr,
    /// Where dialects answer.
    pub ports: Ports,
    /// SHA-256 digests of the keys that may use the server. Empty: everyone may.
    pub api_keys: Vec<[u8; 32]>,
    /// Everyone who reaches the server may use it: stated, not overlooked.
    pub is_public: bool,
    /// Origins of web pages that may read what dialects answer, or `*` alone.
    pub cors_origins: Vec<String>,
    /// Folder for state and blobs; none keeps them in memory.
    pub data: Option<PathBuf>,
    /// Folder for compiled plugins.
    pub cache: PathBuf,
    /// Folder of plugins, watched; by default `plugins` in the data folder, where there is one.
    pub plugins: Option<PathBuf>,
    /// Folder of models; by default `models` in the data folder, where there is one.
    pub models: Option<PathBuf>,
    /// Whether the models that come with the server are loaded.
    pub has_builtin_models: bool,
    /// Plugins in the order in which they win conflicts; others follow by name.
    pub order: Vec<String>,
    /// Time for requests in flight when the server stops.
    pub drain: Duration,
    /// Form of the log.
    pub log: LogFormat,
    /// Least important lines that the log holds.
    pub log_level: LogLevel,
    /// What is common to all models.
    pub engine: EngineConfig,
    /// Launching models while the server runs.
    pub launch: LaunchConfig,
    /// Files of families of models, in the order in which later ones replace earlier ones.
    pub registry_files: Vec<PathBuf>,
    /// Where models are downloaded from.
    pub hub: HubConfig,
    /// Addresses of pictures that clients may have fetched; empty: none.
    pub media_allow: Vec<String>,
    /// What is said of plugins, by name. [`Config::plugin`] fills in the rest.
    pub plugin: BTreeMap<String, PluginConfig>,
    /// What is said of models, by name.
    pub model: BTreeMap<String, ModelConfig>,
    sources: Sources,
}

/// One plugin's configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginConfig {
    /// Whether it serves at all.
    pub is_enabled: bool,
    /// Port of a listener of its own.
    pub port: Option<u16>,
    /// Interfaces it may use, from [`GRANTS`].
    pub grants: Vec<String>,
    /// Largest linear memory of its guests, in MiB; none takes the default.
    pub memory_mib: Option<u32>,
    /// Its own settings, as it reads them by the interface `config`.
    pub settings: BTreeMap<String, serde_json::Value>,
}

impl Default for PluginConfig {
    /// Enabled, with every grant and no settings.
    fn default() -> Self {
        let grants = GRANTS.iter().map(|name| (*name).to_owned()).collect();
        PluginConfig { is_enabled: true, port: None, grants, memory_mib: None, settings: BTreeMap::new() }
    }
}

impl PluginConfig {
    /// Largest linear memory of its guests, in bytes; at most [`limits::GUEST_MEMORY_BYTES_CEILING`].
    pub fn memory_bytes_max(&self) -> usize {
        let bytes =
            self.memory_mib.map_or(limits::GUEST_MEMORY_BYTES_MAX, |mib| (mib as usize).saturating_mul(1 << 20));
        bytes.min(limits::GUEST_MEMORY_BYTES_CEILING)
    }
}

/// One model's configuration. What is not said comes from [`EngineConfig`], then from the model's own files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelConfig {
    /// Its folder or GGUF file; none for a built-in or discovered model.
    pub path: Option<PathBuf>,
    /// The prompt format that renders its conversations, instead of the model's own template.
    pub template: Option<String>,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// Cuts its context.
    pub context_tokens: Option<u32>,
    /// Sequences decoded together.
    pub slots: Option<usize>,
    /// Threads that compute.
    pub threads: Option<usize>,
    /// Memory for keys and values, in MiB.
    pub kv_mib: Option<u64>,
    /// Copies of it that share its requests.
    pub replicas: Option<u32>,
    /// Requests that it takes at once.
    pub requests_max: Option<u32>,
    /// Whether it stays in memory when another model needs the room.
    pub is_pinned: bool,
}

/// Launching models while the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchConfig {
    /// Whether clients may launch and end models.
    pub is_allowed: bool,
    /// Whether models that clients launched are launched again when the server starts.
    pub is_restored: bool,
    /// Folders whose models clients may launch by their path, besides the models folder.
    pub folders: Vec<PathBuf>,
}

/// What is common to all models. None takes the engine's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineConfig {
    /// Threads that compute, for each model.
    pub threads: Option<usize>,
    /// Memory for keys and values, for each model, in MiB.
    pub kv_mib: Option<u64>,
    /// Sequences that each model decodes together.
    pub slots: Option<usize>,
    /// Cuts every model's context.
    pub context_tokens: Option<u32>,
    /// Requests that may wait for a model.
    pub queue_requests: Option<usize>,
    /// Longest wait for a model.
    pub queue_wait: Option<Duration>,
    /// Memory that all models together may take, in MiB.
    pub memory_mib: Option<u64>,
    /// Longest wait of a picture for others to be computed with.
    pub batch_wait: Option<Duration>,
}

/// Why there is no configuration. Names the file and line, or the option, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ConfigError {
    /// `mimus.toml:12`, `--listen`, or a file.
    pub place: String,
    /// What is wrong, with the value and the bound.
    pub reason: String,
}

impl Config {
    /// Reads the file at `path`, or [`FILE_NAME`] in the working folder where there is one, and puts the command line over it.
    ///
    /// # Errors
    /// When the named file cannot be read, and see [`Config::from_text`].
    pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Config, ConfigError> {
        let default = Path::new(FILE_NAME);
        let path = path.or_else(|| default.is_file().then_some(default));
        let text = path.map(file::read).transpose()?;
        Config::from_text(text.as_deref().zip(path), overrides, &Environment::read())
    }

    /// The configuration of a text, if any, that stands at a path; relative paths in it start at that path's folder.
    ///
    /// # Errors
    /// For malformed TOML, an unknown key, a value out of bounds, two uses of one port, and a listener that strangers could use.
    pub fn from_text(
        text: Option<(&str, &Path)>,
        overrides: &Overrides,
        environment: &Environment,
    ) -> Result<Config, ConfigError> {
        let file = text.map(|(text, path)| file::parse(text, path)).transpose()?.unwrap_or_default();
        let config = sources::resolve(file, overrides, environment)?;
        check::check(&config)?;
        Ok(config)
    }

    /// What holds for a plugin, configured or not.
    pub fn plugin(&self, name: &str) -> PluginConfig {
        self.plugin.get(name).cloned().unwrap_or_default()
    }

    /// Every effective value with where it comes from, a line each. Keys and settings are counted, not shown.
    pub fn describe(&self) -> String {
        sources::describe(self)
    }

    /// A configuration file that shows every key with its default and what it is for. Every line of it is a comment.
    pub fn example() -> String {
        keys::example()
    }

    fn wrong(&self, key: &str, reason: impl Into<String>) -> ConfigError {
        ConfigError { place: self.sources.place(key), reason: format!("{key}: {}", reason.into()) }
    }
}

#[cfg(test)]
mod tests;
