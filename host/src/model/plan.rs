//! Which models a configuration asks for, before anything is loaded.

use std::collections::BTreeMap;
use std::path::Path;

use mimus_engine::{LoadOptions, Source};

use super::discover::discover;
use super::{Builtin, check_name};
use crate::config::{Config, ModelConfig};
use crate::hub::Wanted;
use crate::limits;

/// A model to load.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The name clients use.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// The configured prompt format.
    pub template: Option<String>,
    /// Where its files are.
    pub files: Files,
    /// How to load it.
    pub options: LoadOptions,
    /// Who asked for it: decides which one answers people who name none.
    pub origin: Origin,
    /// The family of the registry that it belongs to.
    pub family: Option<String>,
    /// The repository of the hub that its files come from.
    pub hub_id: Option<String>,
    /// What its family says it can do; none where nobody says.
    pub abilities: Option<Vec<String>>,
    /// Copies of it.
    pub replicas: u32,
    /// Requests that it takes at once, over all replicas.
    pub requests_max: Option<u32>,
    /// Whether it stays in memory when another model needs the room.
    pub is_pinned: bool,
}

/// Where a model's files are.
#[derive(Clone, Debug)]
pub enum Files {
    /// On this machine, or in the program.
    Here(Source),
    /// In a repository of the hub; perhaps on this machine already.
    Hub(Wanted),
}

impl Planned {
    /// A model of that name, with nothing said of it.
    pub fn new(name: &str, files: Files, options: LoadOptions, origin: Origin) -> Self {
        Planned {
            name: name.to_owned(),
            aliases: Vec::new(),
            template: None,
            files,
            options,
            origin,
            family: None,
            hub_id: None,
            abilities: None,
            replicas: 1,
            requests_max: None,
            is_pinned: false,
        }
    }

    /// One that is loaded already.
    pub(super) fn inserted(name: &str) -> Self {
        Planned::new(name, Files::Here(Source::Embedded(&[])), LoadOptions::default(), Origin::Configured)
    }
}

/// Who asked for a model, the most deliberate first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The configuration.
    Configured,
    /// Somebody launched it.
    Launched,
    /// It lies in the models folder.
    Discovered,
    /// It comes with the program.
    Builtin,
}

/// All models that a configuration asks for, in the order of their names.
///
/// # Errors
/// A sentence for the operator: the models folder cannot be read, a configured model is nowhere, a name is taken twice.
pub fn plan(builtins: &[Builtin], config: &Config) -> Result<Vec<Planned>, String> {
    let mut planned = BTreeMap::new();
    let mut add = |name: &str, source: Source, origin: Origin| {
        let model = config.model.get(name).cloned().unwrap_or_default();
        let options = load_options(config, &model);
        let origin = if config.model.contains_key(name) { Origin::Configured } else { origin };
        let entry = Planned {
            aliases: model.aliases,
            template: model.template,
            replicas: model.replicas.unwrap_or(1),
            requests_max: model.requests_max,
            is_pinned: model.is_pinned,
            ..Planned::new(name, Files::Here(source), options, origin)
        };
        planned.insert(name.to_owned(), entry);
    };
    // Later ones replace earlier ones of the same name: what an operator put there wins over what came along.
    if config.has_builtin_models {
        for builtin in builtins {
            add(builtin.name, Source::Embedded(builtin.files), Origin::Builtin);
        }
    }
    if let Some(folder) = &config.models {
        let found = discover(folder).map_err(|error| format!("models folder {}: {error}", folder.display()))?;
        for found in found {
            add(&found.name, found.source, Origin::Discovered);
        }
    }
    for (name, model) in &config.model {
        if let Some(path) = &model.path {
            add(name, source_of(path), Origin::Configured);
        }
    }
    let planned: Vec<Planned> = planned.into_values().collect();
    check(&planned, config)?;
    Ok(planned)
}

fn check(planned: &[Planned], config: &Config) -> Result<(), String> {
    if planned.len() > limits::MODELS_MAX {
        return Err(format!("{} models, at most {}", planned.len(), limits::MODELS_MAX));
    }
    let has = |name: &str| planned.iter().any(|model| model.name == name);
    if let Some(name) = config.model.keys().find(|name| !has(name)) {
        return Err(format!(
            "[model.\"{name}\"] has no path, and no model of that name is in the models folder or comes with the server"
        ));
    }
    for model in planned {
        check_name(&model.name)?;
        if let Some(alias) = model.aliases.iter().find(|alias| has(alias)) {
            return Err(format!("[model.\"{}\"]: the alias `{alias}` is the name of another model", model.name));
        }
    }
    Ok(())
}

/// What lies at a path: a GGUF or ONNX file, or a folder.
pub fn source_of(path: &Path) -> Source {
    let is_a = |ending: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending));
    match path.to_owned() {
        path if path.is_dir() => Source::Folder(path),
        path if is_a("gguf") => Source::Gguf(path),
        path if is_a("onnx") => Source::Onnx(path),
        path => Source::Folder(path),
    }
}

/// How a model is loaded, as far as the configuration says.
pub fn load_options(config: &Config, model: &ModelConfig) -> LoadOptions {
    let engine = &config.engine;
    let mut options = LoadOptions::default();
    options.threads = model.threads.or(engine.threads);
    options.context_tokens_max = model.context_tokens.or(engine.context_tokens);
    options.slots = model.slots.or(engine.slots).unwrap_or(options.slots);
    options.kv_bytes_max = model.kv_mib.or(engine.kv_mib).map_or(options.kv_bytes_max, |mib| mib << 20);
    options.queue_requests_max = engine.queue_requests.unwrap_or(options.queue_requests_max);
    options.queue_wait_max = engine.queue_wait.unwrap_or(options.queue_wait_max);
    options.batch_wait_max = engine.batch_wait.unwrap_or(options.batch_wait_max);
    options
}
