//! From a conversation to a running generation: template, tokens, queue. Used by every way into the server.
//!
//! Knows no HTTP and no guest: plugins and the server's own endpoints call it alike.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mimus_engine::{Constraint, EngineError, GenerateRequest, Generation, Grammar, Piece, Sampling, SamplingDefaults};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::answer::Marks;
use crate::limits;
use crate::model::{Catalog, Loaded, LoadedModel, Lookup};
use crate::plugin::Templates;
use crate::plugin::chat::{Message, Part, RenderOptions, Rendered};
use crate::telemetry::Metrics;

/// Starts generations. One for the whole server.
pub struct Inference {
    catalog: Arc<Catalog>,
    templates: Arc<Templates>,
    metrics: Arc<Metrics>,
    tags: Arc<Tags>,
    compiling: Arc<Semaphore>,
}

/// Why a generation did not start or go on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InferenceError {
    /// No model has this name.
    #[error("the model `{0}` does not exist")]
    UnknownModel(String),
    /// Loading, or failed to load.
    #[error("model is not ready: {0}")]
    NotReady(String),
    /// The conversation does not fit the prompt format.
    #[error("{0}")]
    Template(String),
    /// This server or model cannot do that.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// Cancelled by its tag.
    #[error("cancelled")]
    Cancelled,
    /// The engine's word.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What to generate, with the model's own defaults where nothing is said.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Options {
    pub choices: u32,
    pub tokens_max: Option<u32>,
    /// Bounds each choice where `tokens_max` is none.
    pub tokens_open_max: Option<u32>,
    pub tokens_min: u32,
    pub temperature: Option<f32>,
    pub top_p: Option<f32>,
    pub top_k: Option<u32>,
    pub min_p: Option<f32>,
    pub repetition_penalty: Option<f32>,
    pub presence_penalty: f32,
    pub frequency_penalty: f32,
    pub logit_bias: Vec<(u32, f32)>,
    pub seed: Option<u64>,
    pub stop: Vec<String>,
    pub stop_tokens: Vec<u32>,
    pub ignore_eos: bool,
    pub include_stop: bool,
    pub skip_special_tokens: bool,
    pub logprobs: Option<u32>,
    pub prompt_logprobs: bool,
    /// Tokens whose log-probabilities in place of the first token are reported, likely or not.
    pub logprobs_of: Vec<u32>,
    pub token_ids: bool,
    /// Special tokens that show although others do not: marks that are read from the text.
    pub shown_special_tokens: Vec<u32>,
    /// The shape that every answer must have.
    pub constraint: Option<Constraint>,
    /// Prompts are shared in the cache within one tenant only.
    pub tenant: u64,
    /// Owner and label by which the generation can be cancelled.
    pub tag: Option<(String, String)>,
}

/// What to continue.
pub enum Prompt {
    /// Tokenized with the model's begin token.
    Text(String),
    /// Used as it is.
    Tokens(Vec<u32>),
}

impl Inference {
    /// Models and templates to work with.
    pub fn new(catalog: Arc<Catalog>, templates: Arc<Templates>, metrics: Arc<Metrics>) -> Self {
        let compiling = Arc::new(Semaphore::new(limits::GRAMMARS_COMPILING_MAX));
        Inference { catalog, templates, metrics, tags: Arc::default(), compiling }
    }

    /// Continues a prompt.
    ///
    /// # Errors
    /// See [`InferenceError`]. Nothing is queued on an error.
    pub async fn generate(&self, model: &str, prompt: Prompt, options: Options) -> Result<Running, InferenceError> {
        let model = self.model(model).await?;
        let tokens = match prompt {
            Prompt::Text(text) => encode(&model.any(), text, true).await?,
            Prompt::Tokens(tokens) => tokens,
        };
        self.submit(&model, tokens, options).await
    }

    /// Answers a conversation.
    ///
    /// # Errors
    /// See [`InferenceError`]. Nothing is queued on an error.
    pub async fn chat(
        &self,
        model: &str,
        messages: Vec<Message>,
        render: RenderOptions,
        mut options: Options,
    ) -> Result<Running, InferenceError> {
        let model = self.model(model).await?;
        let rendered = self.render(&model, messages, render).await?;
        let tokens = self.encode_rendered(&model, rendered, &mut options).await?;
        self.submit(&model, tokens, options).await
    }

    /// The prompt that `chat` would use.
    ///
    /// # Errors
    /// See [`InferenceError`].
    pub async fn render_chat(
        &self,
        model: &str,
        messages: Vec<Message>,
        render: RenderOptions,
    ) -> Result<Rendered, InferenceError> {
        let model = self.model(model).await?;
        self.render(&model, messages, render).await
    }

    /// Tokens of a text.
    ///
    /// # Errors
    /// See [`InferenceError`].
    pub async fn tokenize(&self, model: &str, text: String, add_special: bool) -> Result<Vec<u32>, InferenceError> {
        encode(&self.loaded(model).await?, text, add_special).await
    }

    /// Text of tokens.
    ///
    /// # Errors
    /// See [`InferenceError`].
    pub async fn detokenize(&self, model: &str, tokens: &[u32], skip_special: bool) -> Result<String, InferenceError> {
        let model = self.loaded(model).await?;
        let tokenizer = model.tokenizer().ok_or_else(no_tokens)?;
        let vocab_tokens = tokenizer.vocab_tokens();
        // The tokenizer passes over what it does not know.
        if tokens.iter().any(|token| *token >= vocab_tokens) {
            let reason = format!("must be token ids below {vocab_tokens}");
            return Err(EngineError::Invalid { field: "tokens", reason }.into());
        }
        Ok(tokenizer.decode(tokens, skip_special)?)
    }

    /// Takes note of tokens that a model read.
    pub(crate) fn count_prompt_tokens(&self, model: &str, tokens: u32) {
        self.metrics.prompt_tokens(model, tokens);
    }

    /// Cancels the generations that `owner` labelled so; returns how many.
    pub fn cancel_tagged(&self, owner: &str, tag: &str) -> u32 {
        self.tags.cancel(owner, tag)
    }

    /// A model, and how its answers to such a conversation are marked.
    pub(crate) async fn marks(
        &self,
        model: &str,
        render: &RenderOptions,
    ) -> Result<(LoadedModel, Arc<Marks>), InferenceError> {
        let model = self.model(model).await?;
        let marks = self.templates.marks(&model, render).await?;
        Ok((model, marks))
    }

    /// Tokens of a rendered conversation. What ends an answer in its format goes into `options`.
    pub(crate) async fn encode_rendered(
        &self,
        model: &LoadedModel,
        rendered: Rendered,
        options: &mut Options,
    ) -> Result<Vec<u32>, InferenceError> {
        let tokens = encode(&model.any(), rendered.prompt, false).await?;
        if !options.ignore_eos {
            // A stop that is one special token never shows in the text when special tokens are left out: it stops as a token.
            let tokenizer = model.model.tokenizer();
            for stop in rendered.stop {
                match tokenizer.token_id(&stop).filter(|id| tokenizer.is_special(*id)) {
                    Some(id) => options.stop_tokens.push(id),
                    None => options.stop.push(stop),
                }
            }
        }
        Ok(tokens)
    }

    /// A model that continues text.
    async fn model(&self, name: &str) -> Result<LoadedModel, InferenceError> {
        let missing = || InferenceError::Unsupported("text generation by this model".into());
        self.loaded(name).await?.text().ok_or_else(missing)
    }

    /// A model of any kind. Waits for one that was taken out of memory.
    pub(crate) async fn loaded(&self, name: &str) -> Result<Loaded, InferenceError> {
        let not_ready = |why: &str| InferenceError::NotReady(format!("`{name}`: {why}"));
        match self.catalog.get_awake(name).await {
            Lookup::Ready(model) => Ok(model),
            Lookup::Loading(progress) => Err(not_ready(&progress.sentence())),
            Lookup::Idle => Err(not_ready("its memory was needed again before the request began; try again")),
            Lookup::Failed(why) => Err(InferenceError::NotReady(why)),
            Lookup::Unknown => {
                Err(InferenceError::UnknownModel(name.chars().take(limits::MODEL_NAME_SHOWN_CHARS).collect()))
            }
        }
    }

    pub(crate) async fn render(
        &self,
        model: &LoadedModel,
        messages: Vec<Message>,
        render: RenderOptions,
    ) -> Result<Rendered, InferenceError> {
        if let Some(kind) = messages.iter().flat_map(|message| &message.content).find_map(medium) {
            return Err(InferenceError::Unsupported(format!("{kind} input for this model")));
        }
        self.templates.render(model, messages, render).await
    }

    pub(crate) async fn submit(
        &self,
        model: &LoadedModel,
        prompt: Vec<u32>,
        mut options: Options,
    ) -> Result<Running, InferenceError> {
        let tag = options.tag.take();
        let left = model.model.info().context_tokens.saturating_sub(u32::try_from(prompt.len()).unwrap_or(u32::MAX));
        if let (None, Some(open)) = (options.tokens_max, options.tokens_open_max) {
            // With nothing left the engine says so, in the words for a prompt that is too long.
            options.tokens_max = Some(open.min(left)).filter(|tokens| *tokens > 0);
        }
        let work_tokens = u64::from(options.choices) * u64::from(options.tokens_max.unwrap_or(left));
        let grammar = match options.constraint.take() {
            Some(constraint) => Some(self.grammar(model, constraint).await?),
            None => None,
        };
        let request = GenerateRequest { grammar, ..engine_request(prompt, options, &model.model.info().defaults) };
        let admission = admit(model)?;
        let generation = model.model.submit(request)?;
        self.metrics.prompt_tokens(&model.name, generation.prompt_tokens());
        Ok(Running {
            generation,
            cancel: tag.map(|(owner, tag)| self.tags.register(owner, tag)),
            generated: HashMap::new(),
            metrics: self.metrics.clone(),
            model: model.clone(),
            work_tokens,
            _admission: admission,
        })
    }
}

impl Inference {
    /// Compiles a constraint, unless the model knows it: on a thread that may block, and few at once, because a client
    /// chooses what it costs.
    async fn grammar(&self, model: &LoadedModel, constraint: Constraint) -> Result<Arc<Grammar>, InferenceError> {
        if let Some(compiled) = model.model.compiled(&constraint) {
            return Ok(compiled?);
        }
        let wait = Duration::from_millis(limits::GRAMMAR_WAIT_MS);
        let turn = tokio::time::timeout(wait, self.compiling.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(EngineError::Overloaded { retry_after: wait }.into());
        };
        let model = model.clone();
        let compile = move || {
            // Kept to the end even when the client has gone: the work goes on.
            let _turn = turn;
            model.model.compile(&constraint)
        };
        let compiled = tokio::task::spawn_blocking(compile).await;
        Ok(compiled.map_err(|_| EngineError::Failed("compiling failed".into()))??)
    }
}

/// The right to one request of a model, for models that take so many at once.
pub(crate) fn admit<M: ?Sized>(model: &LoadedModel<M>) -> Result<Option<OwnedSemaphorePermit>, InferenceError> {
    let retry_after = Duration::from_millis(limits::REQUESTS_MAX_RETRY_MS);
    model.admit().map_err(|_| EngineError::Overloaded { retry_after }.into())
}

/// Kind of a part that is no text.
fn medium(part: &Part) -> Option<&'static str> {
    match part {
        Part::Text(_) => None,
        Part::Image(_) => Some("image"),
        Part::Audio(_) => Some("audio"),
        Part::Video(_) => Some("video"),
    }
}

fn engine_request(prompt: Vec<u32>, options: Options, defaults: &SamplingDefaults) -> GenerateRequest {
    GenerateRequest {
        sampling: Sampling {
            temperature: options.temperature.or(defaults.temperature).unwrap_or(1.0),
            top_k: options.top_k.or(defaults.top_k).unwrap_or(0),
            top_p: options.top_p.or(defaults.top_p).unwrap_or(1.0),
            min_p: options.min_p.unwrap_or(0.0),
            repetition_penalty: options.repetition_penalty.or(defaults.repetition_penalty).unwrap_or(1.0),
            presence_penalty: options.presence_penalty,
            frequency_penalty: options.frequency_penalty,
            logit_bias: options.logit_bias,
            seed: options.seed,
        },
        choices: options.choices,
        tokens_max: options.tokens_max,
        tokens_min: options.tokens_min,
        stop_strings: options.stop,
        stop_tokens: options.stop_tokens,
        ignore_eos: options.ignore_eos,
        include_stop: options.include_stop,
        skip_special: options.skip_special_tokens,
        shown_special: options.shown_special_tokens,
        logprobs: options.logprobs,
        prompt_logprobs: options.prompt_logprobs,
        logprobs_of: options.logprobs_of,
        return_tokens: options.token_ids,
        cache_scope: options.tenant,
        ..GenerateRequest::new(prompt)
    }
}

/// Tokenizes; long texts on a thread that may block, so that they hold up no other request.
async fn encode(model: &Loaded, text: String, add_special: bool) -> Result<Vec<u32>, InferenceError> {
    let encode = move |model: &Loaded, text: &str| -> Result<Vec<u32>, InferenceError> {
        Ok(model.tokenizer().ok_or_else(no_tokens)?.encode(text, add_special)?)
    };
    if text.len() <= limits::TOKENIZE_INLINE_BYTES_MAX {
        return encode(model, &text);
    }
    let model = model.clone();
    let encoded = tokio::task::spawn_blocking(move || encode(&model, &text)).await;
    encoded.map_err(|_| EngineError::Failed("tokenizing failed".into()))?
}

fn no_tokens() -> InferenceError {
    InferenceError::Unsupported("tokens of this model".into())
}

/// A running generation. Dropping it frees its slot before the engine's next step.
pub struct Running {
    generation: Generation,
    cancel: Option<Registration>,
    generated: HashMap<u32, u32>,
    metrics: Arc<Metrics>,
    /// Held to the end, so that the model stays in memory.
    model: LoadedModel,
    work_tokens: u64,
    _admission: Option<OwnedSemaphorePermit>,
}

impl Running {
    /// Tokens of the prompt.
    pub fn prompt_tokens(&self) -> u32 {
        self.generation.prompt_tokens()
    }

    /// How many of those were in the cache; 0 until the first piece is there.
    pub fn cached_tokens(&self) -> u32 {
        self.generation.cached_tokens()
    }

    /// Tokens that all choices together may take.
    pub fn work_tokens(&self) -> u64 {
        self.work_tokens
    }

    /// Waits until something is there and returns all that is, at most `max` pieces. Empty at the end.
    ///
    /// # Errors
    /// The request's own failure; nothing follows it.
    pub async fn next(&mut self, max: usize) -> Result<Vec<Piece>, InferenceError> {
        let first = match &self.cancel {
            None => self.generation.next().await,
            Some(registration) => {
                let cancel = registration.cancel.clone();
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(InferenceError::Cancelled),
                    piece = self.generation.next() => piece,
                }
            }
        };
        let Some(first) = first else { return Ok(Vec::new()) };
        let mut pieces = vec![self.count(first?)];
        while pieces.len() < max {
            match self.generation.try_next() {
                Some(piece) => pieces.push(self.count(piece?)),
                None => break,
            }
        }
        Ok(pieces)
    }

    fn count(&mut self, piece: Piece) -> Piece {
        self.generated.insert(piece.choice, piece.generated_tokens);
        piece
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.metrics.generated_tokens(&self.model.name, self.generated.values().map(|count| u64::from(*count)).sum());
    }
}

/// Labels of running generations.
#[derive(Default)]
struct Tags(Mutex<Tagged>);

/// Running generations by owner and label.
type Tagged = HashMap<(String, String), Vec<Weak<Cancel>>>;

impl Tags {
    fn register(self: &Arc<Self>, owner: String, tag: String) -> Registration {
        let cancel = Arc::new(Cancel::default());
        let key = (owner, tag);
        self.lock().entry(key.clone()).or_default().push(Arc::downgrade(&cancel));
        Registration { cancel, key, tags: self.clone() }
    }

    fn cancel(&self, owner: &str, tag: &str) -> u32 {
        let cancels = self.lock().remove(&(owner.to_owned(), tag.to_owned())).unwrap_or_default();
        let live = cancels.iter().filter_map(Weak::upgrade);
        u32::try_from(live.map(|cancel| cancel.cancel()).count()).unwrap_or(u32::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Tagged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A generation's place among the labels, given back when it ends.
struct Registration {
    cancel: Arc<Cancel>,
    key: (String, String),
    tags: Arc<Tags>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut tags = self.tags.lock();
        if let Some(cancels) = tags.get_mut(&self.key) {
            cancels
                .retain(|other| other.strong_count() > 0 && !std::ptr::eq(other.as_ptr(), Arc::as_ptr(&self.cancel)));
            if cancels.is_empty() {
                tags.remove(&self.key);
            }
        }
    }
}

#[derive(Default)]
struct Cancel {
    is_cancelled: AtomicBool,
    notify: Notify,
}

impl Cancel {
    fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    async fn cancelled(&self) {
        let notified = self.notify.notified();
        if !self.is_cancelled.load(Ordering::Acquire) {
            notified.await;
        }
    }
}
