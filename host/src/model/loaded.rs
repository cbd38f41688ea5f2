//! A model that answers, by what it can do.

use std::ops::Deref;
use std::sync::Arc;

use mimus_engine::vision::{Description, GazeModel, TextReader, VisionModel};
use mimus_engine::{
    Activity, EmbeddingModel, ImageTextModel, Model as EngineModel, OcrModel, RerankModel, TextModel, Tokenizer,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::ModelStatus;
use super::memory::Reservation;
use super::plan::Planned;

/// A model that answers, of any kind. Who holds a clone keeps it in memory: a request holds one until it has ended.
#[derive(Clone)]
pub struct Loaded {
    resident: Arc<Resident>,
    model: EngineModel,
}

/// The same of one kind: by default one that continues text.
pub struct LoadedModel<M: ?Sized = dyn TextModel> {
    resident: Arc<Resident>,
    /// The model.
    pub model: Arc<M>,
}

/// What the server knows of a model in memory.
pub struct Resident {
    /// The name clients use; not the alias by which it was found.
    pub name: String,
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

impl Loaded {
    /// A model fresh from the engine.
    pub(super) fn new(
        planned: &Planned,
        model: EngineModel,
        created_s: u64,
        requests: Option<Arc<Semaphore>>,
        memory: Reservation,
    ) -> Self {
        let resident = Resident {
            name: planned.name.clone(),
            template: planned.template.clone(),
            created_s,
            abilities: planned.abilities.clone(),
            requests,
            memory,
        };
        Loaded { resident: Arc::new(resident), model }
    }

    /// A model that continues text, if it does.
    pub fn text(&self) -> Option<LoadedModel> {
        match &self.model {
            EngineModel::Text(model) => Some(self.of(model)),
            _ => None,
        }
    }

    /// A model that turns texts into vectors, if it does.
    pub fn embedding(&self) -> Option<LoadedModel<EmbeddingModel>> {
        match &self.model {
            EngineModel::Embedding(model) => Some(self.of(model)),
            _ => None,
        }
    }

    /// A model that says how relevant texts are to a query, if it does.
    pub fn rerank(&self) -> Option<LoadedModel<RerankModel>> {
        match &self.model {
            EngineModel::Rerank(model) => Some(self.of(model)),
            _ => None,
        }
    }

    /// A model that finds objects or classes in pictures, if it does.
    pub fn vision(&self) -> Option<LoadedModel<VisionModel>> {
        match &self.model {
            EngineModel::Vision(model) => Some(self.of(model)),
            _ => None,
        }
    }

    /// A model that has one space for pictures and texts, if it has.
    pub fn image_text(&self) -> Option<LoadedModel<ImageTextModel>> {
        match &self.model {
            EngineModel::ImageText(model) => Some(self.of(model)),
            _ => None,
        }
    }

    /// A model that finds and reads words, if it does.
    pub fn text_reader(&self) -> Option<LoadedModel<TextReader>> {
        match &self.model {
            EngineModel::TextReader(model) => Some(self.of(model)),
            _ => None,
        }
    }

    /// A model that reads a picture of one line, if it does.
    pub fn line_reader(&self) -> Option<LoadedModel<OcrModel>> {
        match &self.model {
            EngineModel::TextLine(model) => Some(self.of(model)),
            _ => None,
        }
    }

    /// A model that tells where faces look, if it does.
    pub fn gaze(&self) -> Option<LoadedModel<GazeModel>> {
        match &self.model {
            EngineModel::Gaze(model) => Some(self.of(model)),
            _ => None,
        }
    }

    /// What a model of pictures is.
    pub fn description(&self) -> Option<Description> {
        self.model.description()
    }

    fn of<M: ?Sized>(&self, model: &Arc<M>) -> LoadedModel<M> {
        LoadedModel { resident: self.resident.clone(), model: model.clone() }
    }

    /// The model's own tokenizer, where it reads text.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.model.tokenizer()
    }

    /// What it does now.
    pub(super) fn activity(&self) -> Activity {
        self.model.activity()
    }

    /// Requests that it works on and that wait for it.
    pub(super) fn load(&self) -> usize {
        let activity = self.activity();
        activity.running_sequences + activity.waiting_requests
    }

    /// Whether somebody besides the catalog holds it.
    pub(super) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.resident) > 1 || self.load() > 0
    }

    /// Memory that it takes at its most, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.resident.memory.bytes()
    }

    /// Fills in what is known of a model once it is loaded.
    pub(super) fn describe(&self, status: &mut ModelStatus) {
        let facts = self.model.facts();
        let own = || facts.abilities.iter().map(|ability| (*ability).to_owned()).collect();
        status.abilities = self.resident.abilities.clone().unwrap_or_else(own);
        status.bos_token = self.tokenizer().and_then(Tokenizer::bos_id);
        status.architecture = facts.architecture.to_owned();
        status.format = facts.format.to_owned();
        status.quantization = facts.quantization.map(str::to_owned);
        status.parameters = facts.parameters;
        status.weight_bytes = facts.weight_bytes;
        status.memory_bytes = self.memory_bytes();
        status.context_tokens = facts.context_tokens;
        status.vocab_tokens = facts.vocab_tokens;
        status.dimensions = facts.dimensions;
        status.created_s = self.resident.created_s;
    }
}

impl LoadedModel {
    /// The same as a model of any kind.
    pub fn any(&self) -> Loaded {
        Loaded { resident: self.resident.clone(), model: EngineModel::Text(self.model.clone()) }
    }
}

impl<M: ?Sized> Clone for LoadedModel<M> {
    fn clone(&self) -> Self {
        LoadedModel { resident: self.resident.clone(), model: self.model.clone() }
    }
}

impl<M: ?Sized> Deref for LoadedModel<M> {
    type Target = Resident;

    fn deref(&self) -> &Resident {
        &self.resident
    }
}

impl Resident {
    /// The right to one request, held until it ends. None where the model has no such bound, an error when all are taken.
    pub fn admit(&self) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
        self.requests.clone().map(Semaphore::try_acquire_owned).transpose()
    }
}
