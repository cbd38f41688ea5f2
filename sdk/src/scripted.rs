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
mod imports;
mod launches;
mod pictures;
mod store;
mod vocabulary;
mod websocket;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::answers::{ToolChoice, ToolUse};
use crate::chat::{Message, Part, RenderOptions, Rendered, Role};
use crate::inference::{ContextExcess, Error, InvalidValue, Options, Prompt};
use crate::log::Level;
use crate::models::{Model, Readiness};
use crate::registry::Family;

use answer::Extras;
use generation::Scripted;
use pictures::Pictures;
use store::Store;
use vocabulary::Vocabulary;

pub use http::{Captured, call};
pub use launches::family;
pub use pictures::{Looked, Shown, description};

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
    /// By kind and name.
    families: RefCell<BTreeMap<(String, String), Family>>,
    key: RefCell<Option<String>>,
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
    pictures: RefCell<Pictures>,
    writes_before_leaving: Cell<Option<u32>>,
    said: websocket::Said,
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
            families: RefCell::default(),
            key: RefCell::default(),
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
            pictures: RefCell::default(),
            writes_before_leaving: Cell::new(None),
            said: Rc::default(),
        };
        ScriptedHost { inner: Rc::new(inner) }.model(model("scripted"))
    }

    /// Adds a model, or replaces one.
    pub fn model(self, model: Model) -> Self {
        self.inner.models.borrow_mut().insert(model.name.clone(), model);
        self
    }

    /// Adds a family to the registry, or replaces one.
    pub fn family(self, family: Family) -> Self {
        self.inner.families.borrow_mut().insert((family.kind.clone(), family.name.clone()), family);
        self
    }

    /// Clients need this key.
    pub fn key(self, key: &str) -> Self {
        *self.inner.key.borrow_mut() = Some(key.into());
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

    /// What the client says over a websocket, in order. When it has said all, time passes while the plugin waits.
    pub fn says(self, texts: &[&str]) -> Self {
        let said = texts.iter().map(|text| crate::websocket::Message::Text((*text).into()));
        self.inner.said.borrow_mut().extend(said);
        self
    }

    /// The client leaves after so many writes of a body, or so many messages.
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
            Readiness::Loading | Readiness::Failed | Readiness::Idle => Err(Error::ModelNotReady(model.detail.clone())),
        }
    }
}

/// A ready model of 1,000 words and 4,096 tokens of context.
pub fn model(name: &str) -> Model {
    Model {
        name: name.into(),
        aliases: Vec::new(),
        abilities: vec!["chat".into(), "generate".into()],
        readiness: Readiness::Ready,
        detail: String::new(),
        progress: None,
        family: None,
        architecture: "scripted".into(),
        format: "scripted".into(),
        quantization: None,
        parameters: 0,
        memory_bytes: 0,
        context_tokens: 4096,
        vocab_tokens: vocabulary::WORDS_MAX,
        dimensions: None,
        created_s: START_MS / 1000,
        bos_token: Some(vocabulary::BOS),
        hub_id: None,
        requests_max: None,
        is_launched: false,
        is_pinned: false,
        replicas: vec![launches::replica(0)],
    }
}

/// A ready model that embeds; its vectors have [`EMBEDDING_DIMENSIONS`] numbers.
pub fn embedding_model(name: &str) -> Model {
    let dimensions = Some(EMBEDDING_DIMENSIONS);
    Model { abilities: vec!["embed".into()], context_tokens: 512, dimensions, ..model(name) }
}

/// A ready model that reranks: a document's score is the share of the query's words that it has.
pub fn rerank_model(name: &str) -> Model {
    Model { abilities: vec!["rerank".into()], context_tokens: 512, ..model(name) }
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

impl ScriptedHost {
    /// 1, 2, 3, …: chance that tests can foresee.
    fn next_id(&self) -> u64 {
        self.inner.ids.set(self.inner.ids.get() + 1);
        self.inner.ids.get()
    }
}
