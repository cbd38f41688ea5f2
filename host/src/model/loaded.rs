//! A model that answers, by what it can do.

use std::sync::Arc;

use mimus_engine::{Activity, EmbeddingModel, Model as EngineModel, RerankModel, TextModel, Tokenizer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::ModelStatus;
use super::memory::Reservation;
use super::plan::Planned;

/// A model that answers. Who holds a clone keeps it in memory: a request holds one until it has ended.
#[derive(Clone)]
pub enum Loaded {
    /// It continues text.
    Text(Arc<LoadedModel>),
    /// It turns texts into vectors.
    Embedding(Arc<LoadedModel<EmbeddingModel>>),
    /// It says how relevant texts are to a query.
    Rerank(Arc<LoadedModel<RerankModel>>),
}

/// A model in memory, with what the server knows of it.
pub struct LoadedModel<M: ?Sized = dyn TextModel> {
    /// The name clients use; not the alias by which it was found.
    pub name: String,
    /// The model.
    pub model: Arc<M>,
    /// The configured prompt format, which goes before the model's own template.
    pub template: Option<String>,
    /// When it was loaded, in seconds since 1970.
    pub created_s: u64,
    /// Abilities that its family states; none: those of its kind.
    abilities: Option<Vec<String>>,
    /// Requests that it takes at once, over all replicas.
    requests: Option<Arc<Semaphore>>,
    /// Its share of the memory for models, given back when the last request lets go of it.
    memory: Reservation,
}

/// What is told of a loaded model, whatever its kind.
struct Info<'a> {
    architecture: &'a str,
    format: &'a str,
    quantization: Option<&'a str>,
    parameters: u64,
    weight_bytes: u64,
    context_tokens: u32,
    vocab_tokens: u32,
    dimensions: Option<u32>,
    abilities: &'static [&'static str],
}

impl Loaded {
    /// A model fresh from the engine.
    pub(super) fn new(
        planned: &Planned,
        model: EngineModel,
        created_s: u64,
        requests: Option<Arc<Semaphore>>,
        memory: Reservation,
    ) -> Self {
        match model {
            EngineModel::Text(model) => {
                Loaded::Text(Arc::new(LoadedModel::new(planned, model, created_s, requests, memory)))
            }
            EngineModel::Embedding(model) => {
                Loaded::Embedding(Arc::new(LoadedModel::new(planned, model, created_s, requests, memory)))
            }
            EngineModel::Rerank(model) => {
                Loaded::Rerank(Arc::new(LoadedModel::new(planned, model, created_s, requests, memory)))
            }
        }
    }

    /// The model's own tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        match self {
            Loaded::Text(loaded) => loaded.model.tokenizer(),
            Loaded::Embedding(loaded) => loaded.model.tokenizer(),
            Loaded::Rerank(loaded) => loaded.model.tokenizer(),
        }
    }

    /// What it does now.
    pub(super) fn activity(&self) -> Activity {
        match self {
            Loaded::Text(loaded) => loaded.model.activity(),
            Loaded::Embedding(loaded) => loaded.model.activity(),
            Loaded::Rerank(loaded) => loaded.model.activity(),
        }
    }

    /// Requests that it works on and that wait for it.
    pub(super) fn load(&self) -> usize {
        let activity = self.activity();
        activity.running_sequences + activity.waiting_requests
    }

    /// Whether somebody besides the catalog holds it.
    pub(super) fn is_in_use(&self) -> bool {
        let holders = match self {
            Loaded::Text(loaded) => Arc::strong_count(loaded),
            Loaded::Embedding(loaded) => Arc::strong_count(loaded),
            Loaded::Rerank(loaded) => Arc::strong_count(loaded),
        };
        holders > 1 || self.load() > 0
    }

    /// Memory that it takes at its most, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        match self {
            Loaded::Text(loaded) => loaded.memory.bytes(),
            Loaded::Embedding(loaded) => loaded.memory.bytes(),
            Loaded::Rerank(loaded) => loaded.memory.bytes(),
        }
    }

    /// Fills in what is known of a model once it is loaded.
    pub(super) fn describe(&self, status: &mut ModelStatus) {
        let (info, created_s, stated) = match self {
            Loaded::Text(loaded) => {
                let info = loaded.model.info();
                let info = Info {
                    architecture: &info.architecture,
                    format: &info.format,
                    quantization: info.quantization.as_deref(),
                    parameters: info.parameters,
                    weight_bytes: info.weight_bytes,
                    context_tokens: info.context_tokens,
                    vocab_tokens: info.vocab_tokens,
                    dimensions: None,
                    abilities: &["chat", "generate"],
                };
                (info, loaded.created_s, &loaded.abilities)
            }
            Loaded::Embedding(loaded) => {
                let info = loaded.model.info();
                let info = Info {
                    architecture: &info.architecture,
                    format: &info.format,
                    quantization: None,
                    parameters: info.parameters,
                    weight_bytes: info.weight_bytes,
                    context_tokens: info.context_tokens,
                    vocab_tokens: info.vocab_tokens,
                    dimensions: Some(info.dimensions),
                    abilities: &["embed"],
                };
                (info, loaded.created_s, &loaded.abilities)
            }
            Loaded::Rerank(loaded) => {
                let info = loaded.model.info();
                let info = Info {
                    architecture: &info.architecture,
                    format: &info.format,
                    quantization: None,
                    parameters: info.parameters,
                    weight_bytes: info.weight_bytes,
                    context_tokens: info.context_tokens,
                    vocab_tokens: info.vocab_tokens,
                    dimensions: None,
                    abilities: &["rerank"],
                };
                (info, loaded.created_s, &loaded.abilities)
            }
        };
        let own = || info.abilities.iter().map(|ability| (*ability).to_owned()).collect();
        status.abilities = stated.clone().unwrap_or_else(own);
        status.bos_token = self.tokenizer().bos_id();
        status.architecture = info.architecture.to_owned();
        status.format = info.format.to_owned();
        status.quantization = info.quantization.map(str::to_owned);
        status.parameters = info.parameters;
        status.weight_bytes = info.weight_bytes;
        status.memory_bytes = self.memory_bytes();
        status.context_tokens = info.context_tokens;
        status.vocab_tokens = info.vocab_tokens;
        status.dimensions = info.dimensions;
        status.created_s = created_s;
    }
}

impl<M: ?Sized> LoadedModel<M> {
    fn new(
        planned: &Planned,
        model: Arc<M>,
        created_s: u64,
        requests: Option<Arc<Semaphore>>,
        memory: Reservation,
    ) -> Self {
        LoadedModel {
            name: planned.name.clone(),
            model,
            template: planned.template.clone(),
            created_s,
            abilities: planned.abilities.clone(),
            requests,
            memory,
        }
    }

    /// The right to one request, held until it ends. None where the model has no such bound, an error when all are taken.
    pub fn admit(&self) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
        self.requests.clone().map(Semaphore::try_acquire_owned).transpose()
    }
}
