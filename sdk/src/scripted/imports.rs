//! The scripted host's side of [`Backend`].

use std::any::Any;
use std::time::Duration;

use super::answer::{Extras, ScriptedAnswer};
use super::http::Capture;
use super::launches;
use super::pictures;
use super::store::Store;
use super::websocket::ScriptedSocket;
use super::{EMBEDDING_DIMENSIONS, Input, START_MS, ScriptedHost, check_tools, render, vocabulary};
use crate::answers::ToolUse;
use crate::backend::{Backend, Picture, RequestSource, ResponseSink, RunningAnswer, RunningGeneration, Socket};
use crate::chat::{Message, RenderOptions, Rendered};
use crate::embeddings::{self, Embedding};
use crate::inference::{ContextExcess, Error, InvalidValue, Options, Prompt};
use crate::launching::{self, Event, Launched, Wish};
use crate::log::Level;
use crate::models::Model;
use crate::registry::{self, Family};
use crate::reranking::{self, Relevance};
use crate::vision::{self, Description, Face, Prediction, TextBlock};
use crate::{blobs, media, state, websocket};

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

    /// The share of the query's words that the document has.
    fn rerank(
        &self,
        model: &str,
        query: &str,
        documents: &[String],
        options: &reranking::Options,
    ) -> Result<Vec<Relevance>, Error> {
        let found = self.ready_model(model)?;
        if !found.can("rerank") {
            return Err(Error::Unsupported("reranking by this model".into()));
        }
        let words: Vec<&str> = query.split_whitespace().collect();
        let relevance = |document: &String| {
            let has = |word: &&&str| document.split_whitespace().any(|other| other == **word);
            let score = words.iter().filter(has).count() as f32 / words.len().max(1) as f32;
            let length = (words.len() + document.split_whitespace().count()) as u32 + 3;
            let limit = options.truncate_tokens.unwrap_or(u32::MAX).min(found.context_tokens);
            Relevance { score, tokens: length.min(limit), is_truncated: length > limit }
        };
        Ok(documents.iter().map(relevance).collect())
    }

    fn open_picture(&self, source: media::Source) -> Result<Box<dyn Picture>, media::Error> {
        pictures::open(self, source)
    }

    fn describe_vision(&self, model: &str) -> Result<Description, Error> {
        pictures::describe(self, model)
    }

    fn predict(
        &self,
        model: &str,
        images: &[&dyn Picture],
        options: &vision::Options,
    ) -> Result<Vec<Prediction>, Error> {
        pictures::predict(self, model, images, options)
    }

    fn embed_images(&self, model: &str, images: &[&dyn Picture]) -> Result<Vec<Vec<f32>>, Error> {
        pictures::embed_images(self, model, images)
    }

    fn embed_texts(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
        pictures::embed_texts(self, model, texts)
    }

    fn read_text(&self, model: &str, image: &dyn Picture) -> Result<Vec<TextBlock>, Error> {
        pictures::read_text(self, model, image)
    }

    fn gaze(&self, model: &str, image: &dyn Picture, finds_faces: bool) -> Result<Vec<Face>, Error> {
        pictures::gaze(self, model, image, finds_faces)
    }

    fn families(&self, kind: Option<&str>) -> Vec<Family> {
        let families = self.inner.families.borrow();
        families.values().filter(|family| kind.is_none_or(|kind| family.kind == kind)).cloned().collect()
    }

    fn family(&self, kind: &str, name: &str) -> Option<Family> {
        self.inner.families.borrow().get(&(kind.into(), name.into())).cloned()
    }

    fn register(&self, family: &Family, _is_persistent: bool) -> Result<(), registry::Error> {
        launches::register(self, family)
    }

    fn unregister(&self, kind: &str, name: &str) -> Result<bool, registry::Error> {
        Ok(launches::unregister(self, kind, name))
    }

    fn launch(&self, wish: &Wish) -> Result<Launched, launching::Error> {
        launches::launch(self, wish)
    }

    fn wait_launched(&self, name: &str) -> Result<(), launching::Error> {
        launches::find(self, name).map(drop)
    }

    fn cancel_launch(&self, name: &str) -> Result<bool, launching::Error> {
        launches::find(self, name).map(|_| false)
    }

    fn terminate(&self, name: &str) -> Result<(), launching::Error> {
        launches::terminate(self, name)
    }

    fn add_replica(&self, name: &str) -> Result<u32, launching::Error> {
        launches::add_replica(self, name)
    }

    fn remove_replica(&self, name: &str, id: u32) -> Result<(), launching::Error> {
        launches::remove_replica(self, name, id)
    }

    fn launch_events(&self, name: &str) -> Vec<Event> {
        let launched = launches::find(self, name).is_ok();
        launched.then(|| Event { at_ms: START_MS, text: "it is ready".into(), is_error: false }).into_iter().collect()
    }

    fn requires_key(&self) -> bool {
        self.inner.key.borrow().is_some()
    }

    fn accepts_key(&self, key: &str) -> bool {
        self.inner.key.borrow().as_deref().is_none_or(|wanted| wanted == key)
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

    fn is_websocket_offered(&self, request: &dyn RequestSource) -> bool {
        request.header("upgrade").is_some_and(|wanted| wanted.eq_ignore_ascii_case("websocket"))
    }

    fn accept_websocket(
        &self,
        request: &dyn RequestSource,
        response: &mut dyn ResponseSink,
        _protocol: Option<&str>,
    ) -> Result<Box<dyn Socket>, websocket::Error> {
        if !self.is_websocket_offered(request) {
            return Err(websocket::Error::NotOffered("the header `upgrade` is not `websocket`".into()));
        }
        let response: &mut dyn Any = response;
        let capture = response.downcast_mut::<Capture>().expect("a scripted request has a scripted response");
        if capture.captured.borrow().status != 0 {
            return Err(websocket::Error::OutOfOrder("the response has begun already".into()));
        }
        capture.captured.borrow_mut().status = 101;
        let (captured, sends_left) = (capture.captured.clone(), capture.writes_left);
        Ok(Box::new(ScriptedSocket { host: self.clone(), captured, sends_left }))
    }

    /// Takes no time but the scripted clock's.
    fn sleep(&self, ms: u32) {
        self.advance(Duration::from_millis(ms.into()));
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
