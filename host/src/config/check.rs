//! Whether values make sense, alone and together.

use std::collections::{BTreeMap, BTreeSet};

use mimus_media::Place;

use super::keys::nearest;
use super::{Config, ConfigError, GRANTS, PluginConfig};
use crate::http::{ANY_ORIGIN, is_origin};
use crate::limits;
use crate::model;

/// Refuses what would not work or what would be dangerous.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    check_server(config)?;
    check_http(config)?;
    check_engine(config)?;
    check_registry(config)?;
    check_media(config)?;
    super::hub::check(config)?;
    let mut ports = BTreeMap::from([(config.listen.port(), "server.listen".to_owned())]);
    for (name, plugin) in &config.plugin {
        check_plugin(config, name, plugin, &mut ports)?;
    }
    check_models(config)
}

fn check_server(config: &Config) -> Result<(), ConfigError> {
    if !config.listen.ip().is_loopback() && config.api_keys.is_empty() && !config.is_public {
        return Err(config.wrong(
            "server.listen",
            format!(
                "{} can be reached from other machines, and no key is asked for: \
                 set api_keys in [server], or say public = true there (or --public) if everyone may use the server",
                config.listen
            ),
        ));
    }
    if config.api_keys.len() > limits::API_KEYS_MAX {
        let reason = format!("{} keys, at most {}", config.api_keys.len(), limits::API_KEYS_MAX);
        return Err(config.wrong("server.api_keys", reason));
    }
    if config.drain.as_millis() > u128::from(limits::DRAIN_MS_MAX) {
        let reason = format!("{} is not 0 to {}", config.drain.as_secs(), limits::DRAIN_MS_MAX / 1_000);
        return Err(config.wrong("server.drain_s", reason));
    }
    let mut seen = BTreeSet::new();
    for name in &config.order {
        check_plugin_name(name).map_err(|reason| config.wrong("server.order", reason))?;
        if !seen.insert(name) {
            return Err(config.wrong("server.order", format!("`{name}` is there twice")));
        }
    }
    Ok(())
}

fn check_http(config: &Config) -> Result<(), ConfigError> {
    let wrong = |reason: String| Err(config.wrong("http.cors_origins", reason));
    let origins = &config.cors_origins;
    if origins.len() > limits::CORS_ORIGINS_MAX {
        return wrong(format!("{} origins, at most {}", origins.len(), limits::CORS_ORIGINS_MAX));
    }
    if origins.len() > 1 && origins.iter().any(|origin| origin == ANY_ORIGIN) {
        return wrong("`*` is every origin already and stands alone".into());
    }
    match origins.iter().find(|origin| *origin != ANY_ORIGIN && !is_origin(origin)) {
        Some(origin) => wrong(format!(
            "`{}` is no origin such as https://app.example, in lower case and without a path",
            origin.escape_debug()
        )),
        None => Ok(()),
    }
}

fn check_engine(config: &Config) -> Result<(), ConfigError> {
    let engine = &config.engine;
    let engine_wait = engine.queue_wait.map(|wait| wait.as_secs());
    within(config, "engine.threads", engine.threads, 1, 1_024)?;
    within(config, "engine.kv_mib", engine.kv_mib, 1, 1 << 24)?;
    within(config, "engine.slots", engine.slots, 1, 4_096)?;
    within(config, "engine.context_tokens", engine.context_tokens, 16, 1 << 24)?;
    within(config, "engine.memory_mib", engine.memory_mib, 1, 1 << 30)?;
    within(config, "engine.queue_requests", engine.queue_requests, 1, 1 << 20)?;
    within(config, "engine.batch_wait_ms", engine.batch_wait.map(|wait| wait.as_millis()), 0, 1_000)?;
    within(config, "engine.queue_wait_s", engine_wait, 1, limits::REQUEST_MS / 1_000)
}

fn check_media(config: &Config) -> Result<(), ConfigError> {
    let places = &config.media_allow;
    if places.len() > mimus_media::limits::PLACES_MAX {
        let reason = format!("{} places, at most {}", places.len(), mimus_media::limits::PLACES_MAX);
        return Err(config.wrong("media.allow", reason));
    }
    places
        .iter()
        .try_for_each(|place| place.parse::<Place>().map(|_| ()))
        .map_err(|error| config.wrong("media.allow", error.to_string()))
}

fn check_registry(config: &Config) -> Result<(), ConfigError> {
    let count = config.registry_files.len();
    if count > limits::REGISTRY_FILES_MAX {
        return Err(config.wrong("registry.files", format!("{count} files, at most {}", limits::REGISTRY_FILES_MAX)));
    }
    Ok(())
}

fn check_plugin(
    config: &Config,
    name: &str,
    plugin: &PluginConfig,
    ports: &mut BTreeMap<u16, String>,
) -> Result<(), ConfigError> {
    let table = format!("plugin.{name}");
    check_plugin_name(name).map_err(|reason| config.wrong(&table, reason))?;
    if let Some(grant) = plugin.grants.iter().find(|grant| !GRANTS.contains(&grant.as_str())) {
        let hint = match nearest(grant, GRANTS.into_iter()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("there are {}", GRANTS.join(", ")),
        };
        let reason = format!("no interface is called `{}`, {hint}", grant.escape_debug());
        return Err(config.wrong(&format!("{table}.grants"), reason));
    }
    let memory_mib_max = u32::try_from(limits::GUEST_MEMORY_BYTES_CEILING >> 20).unwrap_or(u32::MAX);
    within(config, &format!("{table}.memory_mib"), plugin.memory_mib, 1, memory_mib_max)?;
    if plugin.settings.len() > limits::SETTINGS_MAX {
        let reason = format!("{} settings, at most {}", plugin.settings.len(), limits::SETTINGS_MAX);
        return Err(config.wrong(&format!("{table}.settings"), reason));
    }
    let key = format!("{table}.port");
    match plugin.port {
        // Port 0 takes a free one, so any number of listeners may ask for it.
        None | Some(0) => Ok(()),
        Some(port) => match ports.insert(port, key.clone()) {
            None => Ok(()),
            Some(other) => Err(config.wrong(&key, format!("{port} is the port of {other} already"))),
        },
    }
}

fn check_models(config: &Config) -> Result<(), ConfigError> {
    if config.model.len() > limits::MODELS_MAX {
        return Err(config.wrong("model", format!("{} models, at most {}", config.model.len(), limits::MODELS_MAX)));
    }
    let mut names: BTreeSet<&str> = config.model.keys().map(String::as_str).collect();
    for (name, model) in &config.model {
        let table = format!("model.{name}");
        model::check_name(name).map_err(|reason| config.wrong(&table, reason))?;
        for alias in &model.aliases {
            let key = format!("{table}.aliases");
            model::check_name(alias).map_err(|reason| config.wrong(&key, reason))?;
            if !names.insert(alias) {
                return Err(config.wrong(&key, format!("`{alias}` is the name of another model")));
            }
        }
        within(config, &format!("{table}.context_tokens"), model.context_tokens, 16, 1 << 24)?;
        within(config, &format!("{table}.slots"), model.slots, 1, 4_096)?;
        within(config, &format!("{table}.threads"), model.threads, 1, 1_024)?;
        within(config, &format!("{table}.kv_mib"), model.kv_mib, 1, 1 << 24)?;
        within(config, &format!("{table}.replicas"), model.replicas, 1, limits::REPLICAS_MAX)?;
        within(config, &format!("{table}.requests_max"), model.requests_max, 1, 1 << 20)?;
    }
    Ok(())
}

/// `[a-z][a-z0-9-]{0,31}`, as in a manifest.
fn check_plugin_name(name: &str) -> Result<(), String> {
    let is_good = name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_good { Ok(()) } else { Err(format!("`{}` is no plugin's name: [a-z][a-z0-9-]{{0,31}}", name.escape_debug())) }
}

pub(super) fn within<T: PartialOrd + std::fmt::Display>(
    config: &Config,
    key: &str,
    value: Option<T>,
    least: T,
    most: T,
) -> Result<(), ConfigError> {
    match value {
        Some(value) if value < least || value > most => {
            Err(config.wrong(key, format!("{value} is not {least} to {most}")))
        }
        _ => Ok(()),
    }
}
