//! Which value wins, and where it came from.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{self, File};
use super::hub::{self, HubEnvironment};
use super::{
    Config, ConfigError, EngineConfig, GRANTS, IN_MEMORY, LaunchConfig, ModelConfig, Overrides, PluginConfig, Ports,
};
use crate::http::ANY_ORIGIN;
use crate::limits;

/// What the configuration takes from the environment: where this user keeps data.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `XDG_DATA_HOME`, else `~/.local/share`.
    pub data_home: Option<PathBuf>,
    /// `XDG_CACHE_HOME`, else `~/.cache`.
    pub cache_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// What it says of the hub.
    pub hub: HubEnvironment,
}

impl Environment {
    /// This process's environment. Relative folders in it are ignored, as the XDG specification says.
    pub fn read() -> Environment {
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = folder("HOME");
        let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
        Environment {
            data_home: folder("XDG_DATA_HOME").or_else(|| below_home(".local/share")),
            cache_home: folder("XDG_CACHE_HOME").or_else(|| below_home(".cache")),
            home,
            hub: HubEnvironment::read(),
        }
    }
}

/// Where values came from, by key path. A key that is not there has its default.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    places: BTreeMap<String, String>,
    file: String,
    lines: BTreeMap<String, usize>,
}

impl Sources {
    /// The place to change for a key, for messages: where its value came from, else the line of its table, else the key.
    pub fn place(&self, key: &str) -> String {
        let mut path = key;
        loop {
            if let Some(place) = self.places.get(path) {
                return place.clone();
            }
            if let Some(line) = self.lines.get(path) {
                return format!("{}:{line}", self.file);
            }
            match path.rsplit_once('.') {
                Some((parent, _)) => path = parent,
                None => return "configuration".to_owned(),
            }
        }
    }

    /// The value of the option, else of the file.
    pub fn choose<T>(&mut self, key: &str, option: Option<T>, file: Option<T>) -> Option<T> {
        let name = key.rsplit('.').next().unwrap_or(key).replace('_', "-");
        if option.is_some() {
            self.places.insert(key.to_owned(), format!("--{name}"));
            return option;
        }
        if file.is_some() {
            let line = self.lines.get(key).copied().unwrap_or(1);
            self.places.insert(key.to_owned(), format!("{}:{line}", self.file));
        }
        file
    }

    /// The value of a variable of the environment, else of the file.
    pub fn choose_variable<T>(&mut self, key: &str, variable: Option<(&str, T)>, file: Option<T>) -> Option<T> {
        let file = self.choose(key, None, file);
        let Some((name, value)) = variable else { return file };
        self.places.insert(key.to_owned(), name.to_owned());
        Some(value)
    }

    fn wrong(&self, key: &str, reason: impl Into<String>) -> ConfigError {
        ConfigError { place: self.place(key), reason: format!("{key}: {}", reason.into()) }
    }
}

/// Puts command line, file and defaults together.
pub fn resolve(file: File, overrides: &Overrides, environment: &Environment) -> Result<Config, ConfigError> {
    let File { content, name, folder, lines } = file;
    let mut sources = Sources { places: BTreeMap::new(), file: name, lines };
    let server = content.server;
    let inside = |path: PathBuf| anchored(path, &folder, environment);

    let listen = sources.choose("server.listen", overrides.listen.clone(), server.listen);
    let listen = parse_listen(listen.as_deref().unwrap_or("127.0.0.1:8080"))
        .map_err(|reason| sources.wrong("server.listen", reason))?;
    let keys = sources.choose("server.api_keys", None, server.api_keys).unwrap_or_default();
    let api_keys = keys
        .iter()
        .map(|key| parse_digest(key))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|reason| sources.wrong("server.api_keys", reason))?;

    let data = sources.choose("server.data", overrides.data.clone(), server.data.map(inside));
    let data = match data {
        Some(path) if path == Path::new(IN_MEMORY) => None,
        Some(path) => Some(path),
        None => environment.data_home.as_ref().map(|home| home.join("mimus")),
    };
    let cache = sources.choose("server.cache", overrides.cache.clone(), server.cache.map(inside));
    let cache = cache.or_else(|| environment.cache_home.as_ref().map(|home| home.join("mimus"))).ok_or_else(|| {
        sources.wrong("server.cache", "this user has no home folder: set cache in [server], or use --cache")
    })?;
    let beside = |folder: &str| data.as_ref().map(|data| data.join(folder));
    let drain_s = sources.choose("server.drain_s", None, server.drain_s);
    let public = sources.choose("server.public", overrides.public.then_some(true), server.public);

    Ok(Config {
        listen,
        ports: sources.choose("server.ports", overrides.ports, server.ports).unwrap_or_default(),
        api_keys,
        is_public: public.unwrap_or(false),
        hub: hub::resolve(content.hub, &mut sources, inside, environment, &cache),
        media_allow: sources.choose("media.allow", None, content.media.allow).unwrap_or_default(),
        cors_origins: sources
            .choose("http.cors_origins", None, content.http.cors_origins)
            .unwrap_or_else(|| vec![ANY_ORIGIN.to_owned()]),
        cache,
        // A folder that somebody named must be there; a default one need not.
        plugins: sources
            .choose("server.plugins", overrides.plugins.clone(), server.plugins.map(inside))
            .or_else(|| beside("plugins").filter(|folder| folder.is_dir())),
        models: sources
            .choose("server.models", overrides.models.clone(), server.models.map(inside))
            .or_else(|| beside("models").filter(|folder| folder.is_dir())),
        has_builtin_models: sources.choose("server.builtin_models", None, server.builtin_models).unwrap_or(true),
        order: sources.choose("server.order", None, server.order).unwrap_or_default(),
        drain: drain_s.map_or(Duration::from_millis(limits::DRAIN_MS), Duration::from_secs),
        log: sources.choose("server.log", overrides.log, server.log).unwrap_or_default(),
        log_level: sources.choose("server.log_level", overrides.log_level, server.log_level).unwrap_or_default(),
        engine: engine(content.engine),
        launch: LaunchConfig {
            is_allowed: sources.choose("launch.allow", None, content.launch.allow).unwrap_or(true),
            is_restored: sources.choose("launch.restore", None, content.launch.restore).unwrap_or(true),
            folders: content.launch.folders.unwrap_or_default().into_iter().map(inside).collect(),
        },
        registry_files: sources
            .choose("registry.files", None, content.registry.files)
            .unwrap_or_default()
            .into_iter()
            .map(inside)
            .collect(),
        plugin: content
            .plugin
            .into_iter()
            .map(|(name, plugin)| Ok((name.clone(), self::plugin(&sources, &name, plugin)?)))
            .collect::<Result<_, ConfigError>>()?,
        model: content.model.into_iter().map(|(name, model)| (name, self::model(model, inside))).collect(),
        data,
        sources,
    })
}

fn engine(file: file::Engine) -> EngineConfig {
    EngineConfig {
        threads: file.threads,
        kv_mib: file.kv_mib,
        slots: file.slots,
        context_tokens: file.context_tokens,
        queue_requests: file.queue_requests,
        queue_wait: file.queue_wait_s.map(Duration::from_secs),
        memory_mib: file.memory_mib,
        batch_wait: file.batch_wait_ms.map(Duration::from_millis),
    }
}

fn plugin(sources: &Sources, name: &str, file: file::Plugin) -> Result<PluginConfig, ConfigError> {
    let settings = file
        .settings
        .into_iter()
        .map(|(key, value)| match to_json(value) {
            Some(value) => Ok((key, value)),
            None => {
                Err(sources.wrong(&format!("plugin.{name}.settings"), format!("`{key}` holds a number that is none")))
            }
        })
        .collect::<Result<_, _>>()?;
    Ok(PluginConfig {
        is_enabled: file.enabled.unwrap_or(true),
        port: file.port,
        grants: file.grants.unwrap_or_else(|| GRANTS.iter().map(|name| (*name).to_owned()).collect()),
        memory_mib: file.memory_mib,
        settings,
    })
}

/// The same value in JSON; dates become text, and NaN and the infinities have no place there.
fn to_json(value: toml::Value) -> Option<serde_json::Value> {
    Some(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)?.into(),
        toml::Value::Boolean(is_true) => is_true.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(to_json).collect::<Option<Vec<_>>>()?.into(),
        toml::Value::Table(table) => {
            let pairs = table.into_iter().map(|(key, value)| Some((key, to_json(value)?)));
            serde_json::Value::Object(pairs.collect::<Option<_>>()?)
        }
    })
}

fn model(file: file::Model, inside: impl Fn(PathBuf) -> PathBuf) -> ModelConfig {
    ModelConfig {
        path: file.path.map(inside),
        template: file.template,
        aliases: file.aliases,
        context_tokens: file.context_tokens,
        slots: file.slots,
        threads: file.threads,
        kv_mib: file.kv_mib,
        replicas: file.replicas,
        requests_max: file.requests_max,
        is_pinned: file.pinned.unwrap_or(false),
    }
}

/// A path of the file, seen from the working folder.
fn anchored(path: PathBuf, folder: &Path, environment: &Environment) -> PathBuf {
    if path == Path::new(IN_MEMORY) {
        return path;
    }
    match (path.strip_prefix("~"), &environment.home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    }
}

/// An address and port; `localhost` stands for the loopback address.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    address.parse().map_err(|_| format!("`{}` is no address with a port such as 127.0.0.1:8080", text.escape_debug()))
}

fn parse_digest(text: &str) -> Result<[u8; 32], String> {
    let digits = text.as_bytes();
    // The text is perhaps a key itself and is not repeated.
    let wrong = || "a digest has 64 hexadecimal digits (make it with: printf %s KEY | sha256sum)".to_owned();
    if digits.len() != 64 {
        return Err(wrong());
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        *byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low).ok_or_else(wrong)?;
    }
    Ok(digest)
}

fn shown_paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// See [`Config::describe`].
pub fn describe(config: &Config) -> String {
    let path =
        |path: &Option<PathBuf>| path.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let ports = if config.ports == Ports::Mounted { "mounted" } else { "conventional" };
    let mut rows = vec![
        ("server.listen".to_owned(), config.listen.to_string()),
        ("server.ports".to_owned(), ports.to_owned()),
        ("server.api_keys".to_owned(), format!("{} keys", config.api_keys.len())),
        ("server.public".to_owned(), config.is_public.to_string()),
        (
            "server.data".to_owned(),
            config.data.as_ref().map_or(IN_MEMORY.to_owned(), |path| path.display().to_string()),
        ),
        ("server.cache".to_owned(), config.cache.display().to_string()),
        ("server.plugins".to_owned(), path(&config.plugins)),
        ("server.models".to_owned(), path(&config.models)),
        ("server.builtin_models".to_owned(), config.has_builtin_models.to_string()),
        ("server.order".to_owned(), format!("[{}]", config.order.join(", "))),
        ("server.drain_s".to_owned(), config.drain.as_secs().to_string()),
        ("server.log".to_owned(), format!("{:?}", config.log).to_lowercase()),
        ("server.log_level".to_owned(), format!("{:?}", config.log_level).to_lowercase()),
        ("http.cors_origins".to_owned(), format!("[{}]", config.cors_origins.join(", "))),
        ("media.allow".to_owned(), format!("[{}]", config.media_allow.join(", "))),
        ("registry.files".to_owned(), format!("[{}]", shown_paths(&config.registry_files))),
    ];
    let mut optional = |key: String, value: Option<String>| rows.extend(value.map(|value| (key, value)));
    let engine = &config.engine;
    optional("engine.threads".into(), engine.threads.map(|n| n.to_string()));
    optional("engine.kv_mib".into(), engine.kv_mib.map(|n| n.to_string()));
    optional("engine.slots".into(), engine.slots.map(|n| n.to_string()));
    optional("engine.context_tokens".into(), engine.context_tokens.map(|n| n.to_string()));
    optional("engine.queue_requests".into(), engine.queue_requests.map(|n| n.to_string()));
    optional("engine.memory_mib".into(), engine.memory_mib.map(|n| n.to_string()));
    let launch = &config.launch;
    optional("launch.allow".into(), Some(launch.is_allowed.to_string()));
    optional("launch.restore".into(), Some(launch.is_restored.to_string()));
    let folders: Vec<String> = launch.folders.iter().map(|folder| folder.display().to_string()).collect();
    optional("launch.folders".into(), (!folders.is_empty()).then(|| format!("[{}]", folders.join(", "))));
    optional("engine.batch_wait_ms".into(), engine.batch_wait.map(|time| time.as_millis().to_string()));
    optional("engine.queue_wait_s".into(), engine.queue_wait.map(|time| time.as_secs().to_string()));
    for (key, value) in config.hub.describe() {
        optional(key.to_owned(), Some(value));
    }
    for (name, plugin) in &config.plugin {
        let key = |key: &str| format!("plugin.{name}.{key}");
        optional(key("enabled"), Some(plugin.is_enabled.to_string()));
        optional(key("port"), plugin.port.map(|port| port.to_string()));
        optional(key("grants"), Some(format!("[{}]", plugin.grants.join(", "))));
        optional(key("memory_mib"), Some((plugin.memory_bytes_max() >> 20).to_string()));
        optional(key("settings"), Some(format!("{} settings", plugin.settings.len())));
    }
    for (name, model) in &config.model {
        let key = |key: &str| format!("model.{name}.{key}");
        optional(key("path"), model.path.as_ref().map(|path| path.display().to_string()));
        optional(key("template"), model.template.clone());
        optional(key("aliases"), (!model.aliases.is_empty()).then(|| format!("[{}]", model.aliases.join(", "))));
        optional(key("context_tokens"), model.context_tokens.map(|n| n.to_string()));
        optional(key("slots"), model.slots.map(|n| n.to_string()));
        optional(key("threads"), model.threads.map(|n| n.to_string()));
        optional(key("kv_mib"), model.kv_mib.map(|n| n.to_string()));
        optional(key("replicas"), model.replicas.map(|n| n.to_string()));
        optional(key("requests_max"), model.requests_max.map(|n| n.to_string()));
        optional(key("pinned"), model.is_pinned.then(|| "true".to_owned()));
    }
    let mut text = String::new();
    for (key, value) in rows {
        let lines = config.sources.lines.get(&key).map(|line| format!("{}:{line}", config.sources.file));
        let source = config.sources.places.get(&key).cloned().or(lines).unwrap_or_else(|| "default".into());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key} = {value}  ({source})");
    }
    text
}
