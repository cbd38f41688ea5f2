//! A host for unit tests: a model that says what the test wrote, state in memory, a clock that stands still.
//!
//! ```
//! use mimus_sdk::inference::{self, Options, Prompt};
//! use mimus_sdk::scripted::ScriptedHost;
//! use std::rc::Rc;
//!
//! let host = ScriptedHost::new().answer("one two three");
//! let text = mimus_sdk::native::with_backend(Rc::new(host.clone()), || {
//!     let prompt = Prompt::Text("count".into());
//!     let options = Options { tokens_max: Some(2), ..Options::default() };
//!     inference::generate("scripted", &prompt, &options)?.collect()
//! });
//! assert_eq!(text.unwrap()[0].text, "one two");
//! assert_eq!(host.asked()[0].options.tokens_max, Some(2));
//! ```

mod answer;
mod bounds;
mod generation;
mod http;
mod store;
mod vocabulary;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::answers::{ToolChoice, ToolUse};
use crate::backend::{Backend, RunningAnswer, RunningGeneration};
use crate::chat::{Message, Part, RenderOptions, Rendered, Role};
use crate::embeddings::{self, Embedding};
use crate::inference::{ContextExcess, Error, InvalidValue, Options, Prompt};
use crate::log::Level;
use crate::models::{Model, Readiness};
use crate::{blobs, state};

use answer::{Extras, ScriptedAnswer};
use generation::Scripted;
use store::Store;
use vocabulary::Vocabulary;

pub use http::{Captured, call};

/// The time at which a scripted clock starts, in milliseconds since 1970.
pub const START_MS: u64 = 1_700_000_000_000;

/// Numbers in a scripted embedding.
pub const EMBEDDING_DIMENSIONS: u32 = 4;

/// A host that follows a script. Clones are handles of one host.
#[derive(Clone)]
pub struct ScriptedHost {
    pub(crate) inner: Rc<Inner>,
}

pub(crate) struct Inner {
    script: RefCell<Script>,
    models: RefCell<BTreeMap<String, Model>>,
    settings: RefCell<BTreeMap<String, String>>,
    vocabulary: RefCell<Vocabulary>,
    store: Rc<RefCell<Store>>,
    blobs: RefCell<BTreeMap<String, (Vec<u8>, String)>>,
    now_ms: Cell<u64>,
    ids: Cell<u64>,
    asked: RefCell<Vec<Asked>>,
    logged: RefCell<Vec<(Level, String)>>,
    counted: RefCell<BTreeMap<String, u64>>,
    tags: Rc<RefCell<Vec<generation::Tag>>>,
    writes_before_leaving: Cell<Option<u32>>,
}

#[derive(Clone)]
struct Script {
    answer: Answer,
    extras: Extras,
    pieces_at_once: usize,
    refusal: Option<Error>,
    failure: Option<(usize, Error)>,
}

#[derive(Clone)]
enum Answer {
    Text(String),
    Echo,
}

/// What a plugin asked of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The model's name.
    pub model: String,
    /// The conversation or the prompt.
    pub input: Input,
    /// How to generate.
    pub options: Options,
}

/// What a plugin gave the model to answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// By `chat`.
    Chat(Vec<Message>, RenderOptions),
    /// By `converse`.
    Answer(Vec<Message>, RenderOptions, ToolUse),
    /// By `generate`.
    Prompt(Prompt),
}

impl Default for ScriptedHost {
    fn default() -> Self {
        ScriptedHost::new()
    }
}

impl ScriptedHost {
    /// A host with one model, `scripted`, that answers `Hello there friend`, one word a piece.
    pub fn new() -> Self {
        let script = Script {
            answer: Answer::Text("Hello there friend".into()),
            extras: Extras::default(),
            pieces_at_once: 1,
            refusal: None,
            failure: None,
        };
        let inner = Inner {
            script: RefCell::new(script),
            models: RefCell::default(),
            settings: RefCell::default(),
            vocabulary: RefCell::default(),
            store: Rc::default(),
            blobs: RefCell::default(),
            now_ms: Cell::new(START_MS),
            ids: Cell::new(0),
            asked: RefCell::default(),
            logged: RefCell::default(),
            counted: RefCell::default(),
            tags: Rc::default(),
            writes_before_leaving: Cell::new(None),
        };
        ScriptedHost { inner: Rc::new(inner) }.model(model("scripted"))
    }

    /// Adds a model, or replaces one.
    pub fn model(self, model: Model) -> Self {
        self.inner.models.borrow_mut().insert(model.name.clone(), model);
        self
    }

    /// What the model says from now on. Each word with the space before it is a token.
    pub fn answer(self, text: &str) -> Self {
        self.inner.script.borrow_mut().answer = Answer::Text(text.into());
        self
    }

    /// The model repeats the last message, or the prompt.
    pub fn echo(self) -> Self {
        self.inner.script.borrow_mut().answer = Answer::Echo;
        self
    }

    /// What the model thinks before each answer.
    pub fn reasoning(self, text: &str) -> Self {
        self.inner.script.borrow_mut().extras.reasoning = Some(text.into());
        self
    }

    /// The calls that the model makes in place of an answer: name and JSON arguments. A choice of tools takes its pick of them.
    pub fn calls(self, calls: &[(&str, &str)]) -> Self {
        let calls = calls.iter().map(|(name, arguments)| ((*name).into(), (*arguments).into()));
        self.inner.script.borrow_mut().extras.calls = calls.collect();
        self
    }

    /// How many pieces are waiting each time the plugin asks; 1 unless told.
    pub fn pieces_at_once(self, count: usize) -> Self {
        self.inner.script.borrow_mut().pieces_at_once = count.max(1);
        self
    }

    /// `chat`, `generate`, `render-chat`, `tokenize` and `detokenize` fail at once.
    pub fn refuse(self, error: Error) -> Self {
        self.inner.script.borrow_mut().refusal = Some(error);
        self
    }

    /// Generations fail after so many pieces.
    pub fn fail_after(self, pieces: usize, error: Error) -> Self {
        self.inner.script.borrow_mut().failure = Some((pieces, error));
        self
    }

    /// The client leaves after so many writes of a body.
    pub fn client_leaves_after(self, writes: u32) -> Self {
        self.inner.writes_before_leaving.set(Some(writes));
        self
    }

    /// A setting of the plugin.
    pub fn setting(self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.inner.settings.borrow_mut().insert(key.into(), value.into().to_string());
        self
    }

    /// Moves both clocks.
    pub fn advance(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.inner.now_ms.set(self.inner.now_ms.get().saturating_add(ms));
    }

    /// What the plugin asked of the model so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.borrow().clone()
    }

    /// Lines that the plugin logged so far.
    pub fn logged(&self) -> Vec<(Level, String)> {
        self.inner.logged.borrow().clone()
    }

    /// Value of a counter.
    pub fn counted(&self, name: &str) -> u64 {
        self.inner.counted.borrow().get(name).copied().unwrap_or(0)
    }

    /// How many generations are running, each until it is dropped.
    pub fn running(&self) -> usize {
        self.inner.tags.borrow().len()
    }

    /// Sends one request to a dialect, routed as a server does it. See [`call`].
    pub fn call<D: crate::Dialect>(
        &self,
        dialect: &D,
        method: &str,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Captured {
        http::call_on(self, dialect, method, path_and_query, headers, body)
    }

    /// Makes the model's answer to an input of `prompt` tokens.
    fn start(&self, name: &str, input: Input, prompt: Vec<u32>, options: &Options) -> Result<Scripted, Error> {
        let asked = Asked { model: name.into(), input, options: options.clone() };
        let echoed = last_text(&asked.input, &self.inner.vocabulary.borrow());
        self.inner.asked.borrow_mut().push(asked);
        let model = self.ready_model(name)?;
        bounds::check(options, model.vocab_tokens)?;
        let prompt_tokens = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        let wanted = options.tokens_max.unwrap_or(0);
        if prompt_tokens.saturating_add(wanted.max(1)) > model.context_tokens {
            let excess = ContextExcess { limit: model.context_tokens, prompt: prompt_tokens, wanted };
            return Err(Error::ContextExceeded(excess));
        }
        let script = self.inner.script.borrow().clone();
        let answer = match script.answer {
            Answer::Text(text) => text,
            Answer::Echo => echoed,
        };
        let tokens_max = options.tokens_max.unwrap_or(model.context_tokens - prompt_tokens);
        let mut vocabulary = self.inner.vocabulary.borrow_mut();
        let pieces = generation::write(&mut vocabulary, &answer, &prompt, options, tokens_max);
        let tag = generation::Tag::register(&self.inner.tags, options.tag.clone());
        Ok(Scripted::new(prompt_tokens, pieces, script.pieces_at_once, script.failure, tag))
    }

    fn ready_model(&self, name: &str) -> Result<Model, Error> {
        if let Some(error) = &self.inner.script.borrow().refusal {
            return Err(error.clone());
        }
        let models = self.inner.models.borrow();
        let model = models.get(name).ok_or_else(|| Error::UnknownModel(name.into()))?;
        match model.readiness {
            Readiness::Ready => Ok(model.clone()),
            Readiness::Loading | Readiness::Failed => Err(Error::ModelNotReady(model.detail.clone())),
        }
    }
}

/// A ready model of 1,000 words and 4,096 tokens of context.
pub fn model(name: &str) -> Model {
    Model {
        name: name.into(),
        abilities: vec!["chat".into(), "generate".into()],
        readiness: Readiness::Ready,
        detail: String::new(),
        architecture: "scripted".into(),
        format: "scripted".into(),
        quantization: None,
        parameters: 0,
        context_tokens: 4096,
        vocab_tokens: vocabulary::WORDS_MAX,
        created_s: START_MS / 1000,
        bos_token: Some(vocabulary::BOS),
    }
}

/// A ready model that embeds; its vectors have [`EMBEDDING_DIMENSIONS`] numbers.
pub fn embedding_model(name: &str) -> Model {
    Model { abilities: vec!["embed".into()], context_tokens: 512, ..model(name) }
}

fn check_tools(render: &RenderOptions, tools: &ToolUse) -> Result<(), Error> {
    let error = |reason: String| Err(Error::Invalid(InvalidValue { field: "tool-choice".into(), reason }));
    match &tools.choice {
        ToolChoice::Required if render.tools.is_empty() => error("needs tools".into()),
        ToolChoice::Named(name) if !render.tools.iter().any(|tool| tool.name == *name) => {
            error(format!("there is no tool `{name}`"))
        }
        _ => Ok(()),
    }
}

fn last_text(input: &Input, vocabulary: &Vocabulary) -> String {
    match input {
        Input::Chat(messages, _) | Input::Answer(messages, ..) => {
            messages.last().and_then(|message| message.plain_text()).map(|text| text.into_owned()).unwrap_or_default()
        }
        Input::Prompt(Prompt::Text(text)) => text.clone(),
        Input::Prompt(Prompt::Tokens(tokens)) => vocabulary.text(tokens, true).unwrap_or_default(),
    }
}

/// `role: text` on a line for each message.
fn render(messages: &[Message], options: &RenderOptions) -> Rendered {
    let mut prompt = String::new();
    for message in messages {
        prompt.push_str(message.role.name());
        prompt.push_str(": ");
        for part in &message.content {
            prompt.push_str(if let Part::Text(text) = part { text } else { "<media>" });
        }
        prompt.push('\n');
    }
    if options.add_generation_prompt {
        prompt.push_str(Role::Assistant.name());
        prompt.push(':');
    }
    Rendered { prompt, stop: Vec::new() }
}

impl Backend for ScriptedHost {
    fn chat(
        &self,
        model: &str,
        messages: &[Message],
        options: &RenderOptions,
        generate: &Options,
    ) -> Result<Box<dyn RunningGeneration>, Error> {
        let rendered = render(messages, options);
        let tokens = self.inner.vocabulary.borrow_mut().tokens(&rendered.prompt);
        let scripted = self.start(model, Input::Chat(messages.to_vec(), options.clone()), tokens, generate)?;
        Ok(Box::new(scripted))
    }

    fn converse(
        &self,
        model: &str,
        messages: &[Message],
        render_options: &RenderOptions,
        options: &Options,
        tools: &ToolUse,
    ) -> Result<Box<dyn RunningAnswer>, Error> {
        check_tools(render_options, tools)?;
        let rendered = render(messages, render_options);
        let tokens = self.inner.vocabulary.borrow_mut().tokens(&rendered.prompt);
        let input = Input::Answer(messages.to_vec(), render_options.clone(), tools.clone());
        let scripted = self.start(model, input, tokens, options)?;
        let extras = match render_options.tools.is_empty() {
            true => Extras { calls: Vec::new(), ..self.inner.script.borrow().extras.clone() },
            false => self.inner.script.borrow().extras.clone().chosen(tools),
        };
        Ok(Box::new(ScriptedAnswer::new(scripted, extras)))
    }

    /// A vector for each input: its length in words, then ones.
    fn embed(&self, model: &str, inputs: &[Prompt], options: &embeddings::Options) -> Result<Vec<Embedding>, Error> {
        let found = self.ready_model(model)?;
        if !found.abilities.iter().any(|ability| ability == "embed") {
            return Err(Error::Unsupported("embeddings by this model".into()));
        }
        if inputs.is_empty() || inputs.len() > embeddings::INPUTS_MAX {
            let reason = format!("must be 1 to {}, got {}", embeddings::INPUTS_MAX, inputs.len());
            return Err(Error::Invalid(InvalidValue { field: "inputs".into(), reason }));
        }
        let dimensions = options.dimensions.unwrap_or(EMBEDDING_DIMENSIONS);
        if !(1..=EMBEDDING_DIMENSIONS).contains(&dimensions) {
            let reason = format!("must be 1 to {EMBEDDING_DIMENSIONS}, got {dimensions}");
            return Err(Error::Invalid(InvalidValue { field: "dimensions".into(), reason }));
        }
        let mut vocabulary = self.inner.vocabulary.borrow_mut();
        let embed = |input: &Prompt| {
            let length = match input {
                Prompt::Text(text) => vocabulary.tokens(text).len() as u32 + 1,
                Prompt::Tokens(tokens) => tokens.len() as u32,
            };
            let limit = options.truncate_tokens.unwrap_or(u32::MAX).min(found.context_tokens);
            if length > limit && options.truncate_tokens.is_none() {
                return Err(Error::ContextExceeded(ContextExcess { limit, prompt: length, wanted: 0 }));
            }
            let tokens = length.min(limit);
            let mut vector = vec![1.0; dimensions as usize];
            vector[0] = tokens as f32;
            Ok(Embedding { vector, tokens, is_truncated: length > limit })
        };
        inputs.iter().map(embed).collect()
    }

    fn generate(&self, model: &str, prompt: &Prompt, options: &Options) -> Result<Box<dyn RunningGeneration>, Error> {
        let tokens = match prompt {
            Prompt::Text(text) => {
                let mut tokens = vec![vocabulary::BOS];
                tokens.extend(self.inner.vocabulary.borrow_mut().tokens(text));
                tokens
            }
            Prompt::Tokens(tokens) => tokens.clone(),
        };
        if tokens.is_empty() || tokens.iter().any(|token| *token >= vocabulary::WORDS_MAX) {
            let reason = format!("must be 1 or more token ids below {}", vocabulary::WORDS_MAX);
            return Err(Error::Invalid(InvalidValue { field: "prompt".into(), reason }));
        }
        Ok(Box::new(self.start(model, Input::Prompt(prompt.clone()), tokens, options)?))
    }

    fn render_chat(&self, model: &str, messages: &[Message], options: &RenderOptions) -> Result<Rendered, Error> {
        self.ready_model(model)?;
        Ok(render(messages, options))
    }

    fn tokenize(&self, model: &str, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, Error> {
        self.ready_model(model)?;
        let mut tokens: Vec<u32> = add_special_tokens.then_some(vocabulary::BOS).into_iter().collect();
        tokens.extend(self.inner.vocabulary.borrow_mut().tokens(text));
        Ok(tokens)
    }

    fn detokenize(&self, model: &str, tokens: &[u32], skip_special_tokens: bool) -> Result<String, Error> {
        self.ready_model(model)?;
        self.inner.vocabulary.borrow().text(tokens, skip_special_tokens).ok_or_else(|| {
            let reason = format!("must be token ids below {}", vocabulary::WORDS_MAX);
            Error::Invalid(InvalidValue { field: "tokens".into(), reason })
        })
    }

    fn cancel_tagged(&self, tag: &str) -> u32 {
        let tags = self.inner.tags.borrow();
        let count = tags.iter().filter(|running| running.cancel_if(tag)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn models(&self) -> Vec<Model> {
        self.inner.models.borrow().values().cloned().collect()
    }

    fn model(&self, name: &str) -> Option<Model> {
        self.inner.models.borrow().get(name).cloned()
    }

    fn state_get(&self, key: &str) -> Result<Option<state::Entry>, state::Error> {
        self.inner.store.borrow().get(key, self.inner.now_ms.get())
    }

    fn state_put(&self, key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<u64, state::Error> {
        self.inner.store.borrow_mut().put(key, value, ttl_ms, self.inner.now_ms.get())
    }

    fn state_compare_and_swap(
        &self,
        key: &str,
        version: u64,
        value: &[u8],
        ttl_ms: Option<u64>,
    ) -> Result<u64, state::Error> {
        let now_ms = self.inner.now_ms.get();
        let present = self.inner.store.borrow().get(key, now_ms)?.map_or(0, |entry| entry.version);
        if present != version {
            return Err(state::Error::Conflict(present));
        }
        self.inner.store.borrow_mut().put(key, value, ttl_ms, now_ms)
    }

    fn state_delete(&self, key: &str) -> Result<bool, state::Error> {
        self.inner.store.borrow_mut().delete(key, self.inner.now_ms.get())
    }

    fn state_list(&self, prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<String>, state::Error> {
        Ok(self.inner.store.borrow().list(prefix, after, max, self.inner.now_ms.get()))
    }

    fn state_acquire(&self, key: &str, _wait_ms: u32) -> Result<Box<dyn Any>, state::Error> {
        // Nothing else runs on this thread, so waiting would not help.
        Store::acquire(&self.inner.store, key).map(|lease| Box::new(lease) as Box<dyn Any>)
    }

    fn blob_put(&self, bytes: &[u8], content_type: &str, _ttl_ms: u64) -> Result<String, blobs::Error> {
        let id = format!("{:032x}", self.next_id());
        self.inner.blobs.borrow_mut().insert(id.clone(), (bytes.into(), content_type.into()));
        Ok(id)
    }

    fn blob_stat(&self, id: &str) -> Result<blobs::Info, blobs::Error> {
        let blobs = self.inner.blobs.borrow();
        let (bytes, content_type) = blobs.get(id).ok_or(blobs::Error::NotFound)?;
        Ok(blobs::Info { bytes: bytes.len() as u64, content_type: content_type.clone() })
    }

    fn blob_read(&self, id: &str, offset: u64, length: u32) -> Result<Vec<u8>, blobs::Error> {
        let blobs = self.inner.blobs.borrow();
        let (bytes, _) = blobs.get(id).ok_or(blobs::Error::NotFound)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(length as usize).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    }

    fn blob_delete(&self, id: &str) -> Result<bool, blobs::Error> {
        Ok(self.inner.blobs.borrow_mut().remove(id).is_some())
    }

    fn log(&self, level: Level, message: &str) {
        self.inner.logged.borrow_mut().push((level, message.into()));
    }

    fn count(&self, name: &str, by: u64) {
        *self.inner.counted.borrow_mut().entry(name.into()).or_default() += by;
    }

    fn config(&self, key: &str) -> Option<String> {
        self.inner.settings.borrow().get(key).cloned()
    }

    fn server_version(&self) -> String {
        "0.0.0-scripted".into()
    }

    fn now_ms(&self) -> u64 {
        self.inner.now_ms.get()
    }

    fn monotonic_us(&self) -> u64 {
        (self.inner.now_ms.get() - START_MS) * 1000
    }

    fn random_bytes(&self, count: u32) -> Vec<u8> {
        let seed = self.next_id();
        (0..count.min(1024)).map(|index| (seed.wrapping_mul(31).wrapping_add(u64::from(index))) as u8).collect()
    }

    fn random_id(&self, characters: u32) -> String {
        let width = characters.clamp(1, 64) as usize;
        let digits = format!("{:0width$}", self.next_id());
        digits[digits.len() - width..].to_owned()
    }
}

impl ScriptedHost {
    /// 1, 2, 3, …: chance that tests can foresee.
    fn next_id(&self) -> u64 {
        self.inner.ids.set(self.inner.ids.get() + 1);
        self.inner.ids.get()
    }
}
