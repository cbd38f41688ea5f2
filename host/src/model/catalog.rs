//! The models that are there, and loading them beside the serving threads.
//!
//! Readers see an immutable snapshot; a model that has loaded or failed is a new snapshot. Nothing waits for a lock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use mimus_engine::Model as EngineModel;
use mimus_engine::{Activity, LoadError, TextModel};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::plan::{Origin, Planned, plan};
use super::{Builtin, Loaded, LoadedEmbedding, LoadedModel, LoadedRerank};
use crate::config::Config;
use crate::limits;

/// All models of the server by name.
pub struct Catalog {
    shelf: ArcSwap<Shelf>,
    /// How many are loading.
    loading: watch::Sender<usize>,
}

/// What stands behind a name.
#[derive(Clone)]
pub enum Lookup {
    /// A model that answers.
    Ready(Loaded),
    /// A model that will.
    Loading,
    /// A model that did not load: why, without paths of this machine.
    Failed(String),
    /// No model has this name.
    Unknown,
}

/// What is known of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelStatus {
    /// The name clients use.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// What it can do, from an open list; empty until it is ready.
    pub abilities: Vec<String>,
    /// Whether it answers.
    pub readiness: Readiness,
    /// Why it does not; empty when it does.
    pub detail: String,
    /// Family; empty until it is ready.
    pub architecture: String,
    /// Kind of files; empty until it is ready.
    pub format: String,
    /// Kind of most quantized weights.
    pub quantization: Option<String>,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Bytes of the weights in memory.
    pub weight_bytes: u64,
    /// Tokens of prompt and answer together.
    pub context_tokens: u32,
    /// Tokens of the vocabulary.
    pub vocab_tokens: u32,
    /// When it was loaded, in seconds since 1970; 0 until then.
    pub created_s: u64,
    /// The token that begins a sequence.
    pub bos_token: Option<u32>,
}

/// Whether a model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// It will.
    Loading,
    /// It does.
    Ready,
    /// It did not load.
    Failed,
}

/// A snapshot.
#[derive(Clone, Default)]
struct Shelf {
    models: BTreeMap<String, Arc<Model>>,
    aliases: HashMap<String, String>,
}

struct Model {
    aliases: Vec<String>,
    origin: Origin,
    /// Never `Unknown`.
    state: Lookup,
}

/// What loads a model; replaced in tests.
type Load = dyn Fn(&Planned) -> Result<EngineModel, LoadError> + Send + Sync;

impl Catalog {
    /// Finds the models of a configuration and starts to load them on threads of their own. Returns at once.
    ///
    /// # Errors
    /// A sentence for the operator; see [`plan`].
    pub fn start(builtins: Vec<Builtin>, config: &Config) -> Result<Arc<Catalog>, String> {
        Catalog::start_with(plan(&builtins, config)?, Arc::new(load_in_engine))
    }

    fn start_with(planned: Vec<Planned>, load: Arc<Load>) -> Result<Arc<Catalog>, String> {
        let mut shelf = Shelf::default();
        for model in &planned {
            let state = Lookup::Loading;
            shelf.put(&model.name, Model { aliases: model.aliases.clone(), origin: model.origin, state });
        }
        let catalog =
            Arc::new(Catalog { shelf: ArcSwap::from_pointee(shelf), loading: watch::Sender::new(planned.len()) });
        let threads = planned.len().min(limits::MODELS_LOADING_MAX);
        // Deliberate choices first: people wait for those.
        let mut planned = planned;
        planned.sort_by_key(|model| model.origin);
        let queue = Arc::new(Mutex::new(VecDeque::from(planned)));
        for _ in 0..threads {
            let (catalog, queue, load) = (catalog.clone(), queue.clone(), load.clone());
            let work = move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(planned) = next else { return };
                    let state = load_one(&planned, &*load);
                    catalog.settle(&planned, state);
                }
            };
            std::thread::Builder::new()
                .name("load".into())
                .spawn(work)
                .map_err(|error| format!("cannot load models: {error}"))?;
        }
        Ok(catalog)
    }

    /// Adds a model that is loaded already, or replaces one.
    pub fn insert(&self, name: &str, model: Arc<dyn TextModel>) {
        let loaded = LoadedModel { name: name.to_owned(), model, template: None, created_s: now_s() };
        let loaded = Loaded::Text(Arc::new(loaded));
        let model = Arc::new(Model { aliases: Vec::new(), origin: Origin::Configured, state: Lookup::Ready(loaded) });
        self.shelf.rcu(|shelf| {
            let mut shelf = Shelf::clone(shelf);
            shelf.models.insert(name.to_owned(), model.clone());
            shelf
        });
    }

    /// What stands behind a name or alias.
    pub fn get(&self, name: &str) -> Lookup {
        self.shelf.load().model(name).map_or(Lookup::Unknown, |(_, model)| model.state.clone())
    }

    /// What is known of one model, by its name or an alias.
    pub fn status(&self, name: &str) -> Option<ModelStatus> {
        self.shelf.load().model(name).map(|(name, model)| model.status(name))
    }

    /// What is known of all models, in the order of their names.
    pub fn list(&self) -> Vec<ModelStatus> {
        self.shelf.load().models.iter().map(|(name, model)| model.status(name)).collect()
    }

    /// Names of the models that are loading.
    pub fn loading(&self) -> Vec<String> {
        let shelf = self.shelf.load();
        let is_loading = |model: &Model| matches!(model.state, Lookup::Loading);
        shelf.models.iter().filter(|(_, model)| is_loading(model)).map(|(name, _)| name.clone()).collect()
    }

    /// The model for people who name none: a configured one, else one from the models folder, else a built-in one; among those the
    /// first by name that has not failed. One that is known to continue no text is for nobody who names none.
    pub fn default_name(&self) -> Option<String> {
        let shelf = self.shelf.load();
        let is_usable = |model: &Model| matches!(model.state, Lookup::Loading | Lookup::Ready(Loaded::Text(_)));
        let usable = shelf.models.iter().filter(|(_, model)| is_usable(model));
        usable.min_by_key(|(_, model)| model.origin).map(|(name, _)| name.clone())
    }

    /// What each loaded model does now, by name.
    pub fn activities(&self) -> Vec<(String, Activity)> {
        let shelf = self.shelf.load();
        let activity = |model: &Model| match &model.state {
            Lookup::Ready(loaded) => Some(loaded.activity()),
            _ => None,
        };
        shelf.models.iter().filter_map(|(name, model)| Some((name.clone(), activity(model)?))).collect()
    }

    /// Waits until every model has loaded or failed.
    pub async fn wait_loaded(&self) {
        // The sender lives as long as this.
        let _ = self.loading.subscribe().wait_for(|loading| *loading == 0).await;
    }

    fn settle(&self, planned: &Planned, state: Lookup) {
        let model = Arc::new(Model { aliases: planned.aliases.clone(), origin: planned.origin, state });
        self.shelf.rcu(|shelf| {
            let mut shelf = Shelf::clone(shelf);
            // One that was inserted meanwhile under this name stays.
            if let Some(place) =
                shelf.models.get_mut(&planned.name).filter(|model| matches!(model.state, Lookup::Loading))
            {
                *place = model.clone();
            }
            shelf
        });
        self.loading.send_modify(|loading| *loading -= 1);
    }
}

impl Shelf {
    fn put(&mut self, name: &str, model: Model) {
        for alias in &model.aliases {
            self.aliases.insert(alias.clone(), name.to_owned());
        }
        self.models.insert(name.to_owned(), Arc::new(model));
    }

    fn model(&self, name: &str) -> Option<(&str, &Model)> {
        let found = self.models.get_key_value(name).or_else(|| self.models.get_key_value(self.aliases.get(name)?));
        found.map(|(name, model)| (name.as_str(), &**model))
    }
}

impl Model {
    fn status(&self, name: &str) -> ModelStatus {
        let mut status = ModelStatus {
            name: name.to_owned(),
            aliases: self.aliases.clone(),
            abilities: Vec::new(),
            readiness: Readiness::Loading,
            detail: String::new(),
            architecture: String::new(),
            format: String::new(),
            quantization: None,
            parameters: 0,
            weight_bytes: 0,
            context_tokens: 0,
            vocab_tokens: 0,
            created_s: 0,
            bos_token: None,
        };
        match &self.state {
            Lookup::Loading | Lookup::Unknown => "it is loading".clone_into(&mut status.detail),
            Lookup::Failed(reason) => {
                status.readiness = Readiness::Failed;
                status.detail.clone_from(reason);
            }
            Lookup::Ready(loaded) => {
                status.readiness = Readiness::Ready;
                loaded.describe(&mut status);
            }
        }
        status
    }
}

fn load_in_engine(planned: &Planned) -> Result<EngineModel, LoadError> {
    mimus_engine::load(planned.source.clone(), &planned.options, &mimus_engine::Progress::ignore)
}

/// Loads one model. A panic on a hostile file costs that model, not the server.
fn load_one(planned: &Planned, load: &Load) -> Lookup {
    let start = Instant::now();
    tracing::info!(model = planned.name, "a model is loading");
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| load(planned)));
    let reason = match result {
        Ok(Ok(model)) => {
            let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            let (architecture, format) = match &model {
                EngineModel::Text(model) => (&model.info().architecture, &model.info().format),
                EngineModel::Embedding(model) => (&model.info().architecture, &model.info().format),
                EngineModel::Rerank(model) => (&model.info().architecture, &model.info().format),
            };
            tracing::info!(model = planned.name, architecture, format, took_ms, "a model is ready");
            let (name, created_s) = (planned.name.clone(), now_s());
            return Lookup::Ready(match model {
                EngineModel::Text(model) => {
                    let template = planned.template.clone();
                    Loaded::Text(Arc::new(LoadedModel { name, model, template, created_s }))
                }
                EngineModel::Embedding(model) => {
                    Loaded::Embedding(Arc::new(LoadedEmbedding { name, model, created_s }))
                }
                EngineModel::Rerank(model) => Loaded::Rerank(Arc::new(LoadedRerank { model, created_s })),
            });
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "loading it failed unexpectedly; the log says where".to_owned(),
    };
    tracing::error!(model = planned.name, reason, "a model does not load");
    Lookup::Failed(reason)
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests;
