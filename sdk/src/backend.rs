//! The host as the rest of this crate sees it: one trait, implemented by the contract's imports on WebAssembly and by whatever
//! [`crate::native::with_backend`] is given elsewhere (the scripted host of unit tests, a server without a sandbox).

use std::any::Any;

use crate::answers::{Part, ToolUse, Whole};
use crate::bindings::personality::mimus::plugin;
use crate::chat::{Message, RenderOptions, Rendered};
use crate::embeddings::{self, Embedding};
use crate::inference::{self, Completion, Options, Piece, Prompt};
use crate::launching::{self, Event, Launched, Wish};
use crate::log::Level;
use crate::models::Model;
use crate::registry::{self, Download, Family};
use crate::request::Header;
use crate::reranking::{self, Relevance};
use crate::response::WriteError;
use crate::vision::{self, Description, Face, Prediction, TextBlock};
use crate::{blobs, machine, media, state, websocket};

/// Everything that the host offers to a personality.
///
/// Each method is the function of the same name in the contract (`wit/`), which documents it. The methods that a backend leaves out
/// answer that the ability is missing, so a backend for a benchmark implements only what its handler calls.
#[allow(unused_variables)]
pub trait Backend {
    /// `inference.chat`.
    fn chat(
        &self,
        model: &str,
        messages: &[Message],
        render: &RenderOptions,
        options: &Options,
    ) -> Result<Box<dyn RunningGeneration>, inference::Error>;

    /// `inference.generate`.
    fn generate(
        &self,
        model: &str,
        prompt: &Prompt,
        options: &Options,
    ) -> Result<Box<dyn RunningGeneration>, inference::Error>;

    /// `inference.render-chat`.
    fn render_chat(
        &self,
        model: &str,
        messages: &[Message],
        render: &RenderOptions,
    ) -> Result<Rendered, inference::Error> {
        Err(inference::Error::Unsupported("render-chat".into()))
    }

    /// `inference.tokenize`.
    fn tokenize(&self, model: &str, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, inference::Error> {
        Err(inference::Error::Unsupported("tokenize".into()))
    }

    /// `inference.detokenize`.
    fn detokenize(&self, model: &str, tokens: &[u32], skip_special_tokens: bool) -> Result<String, inference::Error> {
        Err(inference::Error::Unsupported("detokenize".into()))
    }

    /// `inference.cancel-tagged`.
    fn cancel_tagged(&self, tag: &str) -> u32 {
        0
    }

    /// `answers.converse`.
    fn converse(
        &self,
        model: &str,
        messages: &[Message],
        render: &RenderOptions,
        options: &Options,
        tools: &ToolUse,
    ) -> Result<Box<dyn RunningAnswer>, inference::Error> {
        Err(inference::Error::Unsupported("answers".into()))
    }

    /// `embeddings.embed`.
    fn embed(
        &self,
        model: &str,
        inputs: &[Prompt],
        options: &embeddings::Options,
    ) -> Result<Vec<Embedding>, inference::Error> {
        Err(inference::Error::Unsupported("embeddings".into()))
    }

    /// `models.list`.
    fn models(&self) -> Vec<Model> {
        Vec::new()
    }

    /// `models.get`.
    fn model(&self, name: &str) -> Option<Model> {
        None
    }

    /// `reranking.rerank`.
    fn rerank(
        &self,
        model: &str,
        query: &str,
        documents: &[String],
        options: &reranking::Options,
    ) -> Result<Vec<Relevance>, inference::Error> {
        Err(inference::Error::Unsupported("reranking".into()))
    }

    /// `media.open`.
    fn open_picture(&self, source: media::Source) -> Result<Box<dyn Picture>, media::Error> {
        Err(media::Error::Refused("this backend opens no pictures".into()))
    }

    /// `vision.describe`.
    fn describe_vision(&self, model: &str) -> Result<Description, inference::Error> {
        Err(no_vision())
    }

    /// `vision.predict`.
    fn predict(
        &self,
        model: &str,
        images: &[&dyn Picture],
        options: &vision::Options,
    ) -> Result<Vec<Prediction>, inference::Error> {
        Err(no_vision())
    }

    /// `vision.embed-images`.
    fn embed_images(&self, model: &str, images: &[&dyn Picture]) -> Result<Vec<Vec<f32>>, inference::Error> {
        Err(no_vision())
    }

    /// `vision.embed-texts`.
    fn embed_texts(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, inference::Error> {
        Err(no_vision())
    }

    /// `vision.read-text`.
    fn read_text(&self, model: &str, image: &dyn Picture) -> Result<Vec<TextBlock>, inference::Error> {
        Err(no_vision())
    }

    /// `vision.gaze`.
    fn gaze(&self, model: &str, image: &dyn Picture, finds_faces: bool) -> Result<Vec<Face>, inference::Error> {
        Err(no_vision())
    }

    /// `registry.list`.
    fn families(&self, kind: Option<&str>) -> Vec<Family> {
        Vec::new()
    }

    /// `registry.get`.
    fn family(&self, kind: &str, name: &str) -> Option<Family> {
        None
    }

    /// `registry.register`.
    fn register(&self, family: &Family, is_persistent: bool) -> Result<(), registry::Error> {
        Err(no_registry())
    }

    /// `registry.unregister`.
    fn unregister(&self, kind: &str, name: &str) -> Result<bool, registry::Error> {
        Err(no_registry())
    }

    /// `registry.downloads`.
    fn downloads(&self) -> Vec<Download> {
        Vec::new()
    }

    /// `registry.remove-download`.
    fn remove_download(&self, hub_id: &str) -> Result<u64, registry::Error> {
        Err(no_registry())
    }

    /// `launching.launch`.
    fn launch(&self, wish: &Wish) -> Result<Launched, launching::Error> {
        Err(no_launching())
    }

    /// `launching.wait`.
    fn wait_launched(&self, name: &str) -> Result<(), launching::Error> {
        Err(no_launching())
    }

    /// `launching.cancel`.
    fn cancel_launch(&self, name: &str) -> Result<bool, launching::Error> {
        Err(no_launching())
    }

    /// `launching.terminate`.
    fn terminate(&self, name: &str) -> Result<(), launching::Error> {
        Err(no_launching())
    }

    /// `launching.add-replica`.
    fn add_replica(&self, name: &str) -> Result<u32, launching::Error> {
        Err(no_launching())
    }

    /// `launching.remove-replica`.
    fn remove_replica(&self, name: &str, id: u32) -> Result<(), launching::Error> {
        Err(no_launching())
    }

    /// `launching.events`.
    fn launch_events(&self, name: &str) -> Vec<Event> {
        Vec::new()
    }

    /// `machine.get`.
    fn machine(&self) -> machine::Info {
        machine::Info {
            uptime_s: 0,
            processors: 1,
            processor_load: 0.0,
            memory_bytes: 0,
            memory_available_bytes: 0,
            model_memory_bytes: 0,
            gpus: Vec::new(),
        }
    }

    /// `state.get`.
    fn state_get(&self, key: &str) -> Result<Option<state::Entry>, state::Error> {
        Err(no_state())
    }

    /// `state.put`.
    fn state_put(&self, key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<u64, state::Error> {
        Err(no_state())
    }

    /// `state.compare-and-swap`.
    fn state_compare_and_swap(
        &self,
        key: &str,
        version: u64,
        value: &[u8],
        ttl_ms: Option<u64>,
    ) -> Result<u64, state::Error> {
        Err(no_state())
    }

    /// `state.delete`.
    fn state_delete(&self, key: &str) -> Result<bool, state::Error> {
        Err(no_state())
    }

    /// `state.list`.
    fn state_list(&self, prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<String>, state::Error> {
        Err(no_state())
    }

    /// `state.acquire`. Dropping the value gives the lease back.
    fn state_acquire(&self, key: &str, wait_ms: u32) -> Result<Box<dyn Any>, state::Error> {
        Err(no_state())
    }

    /// `blobs.put`.
    fn blob_put(&self, bytes: &[u8], content_type: &str, ttl_ms: u64) -> Result<String, blobs::Error> {
        Err(no_blobs())
    }

    /// `blobs.stat`.
    fn blob_stat(&self, id: &str) -> Result<blobs::Info, blobs::Error> {
        Err(no_blobs())
    }

    /// `blobs.read`.
    fn blob_read(&self, id: &str, offset: u64, length: u32) -> Result<Vec<u8>, blobs::Error> {
        Err(no_blobs())
    }

    /// `blobs.path`.
    fn blob_path(&self, id: &str) -> String {
        format!("/blobs/{id}")
    }

    /// `blobs.delete`.
    fn blob_delete(&self, id: &str) -> Result<bool, blobs::Error> {
        Err(no_blobs())
    }

    /// `log.write`.
    fn log(&self, level: Level, message: &str) {}

    /// `metrics.count`.
    fn count(&self, name: &str, by: u64) {}

    /// `metrics.observe`.
    fn observe(&self, name: &str, value: f64) {}

    /// `config.get`.
    fn config(&self, key: &str) -> Option<String> {
        None
    }

    /// `config.server-version`.
    fn server_version(&self) -> String {
        env!("CARGO_PKG_VERSION").into()
    }

    /// `config.requires-key`.
    fn requires_key(&self) -> bool {
        false
    }

    /// `config.accepts-key`.
    fn accepts_key(&self, key: &str) -> bool {
        true
    }

    /// `websocket.is-offered`.
    fn is_websocket_offered(&self, request: &dyn RequestSource) -> bool {
        false
    }

    /// `websocket.accept`.
    fn accept_websocket(
        &self,
        request: &dyn RequestSource,
        response: &mut dyn ResponseSink,
        protocol: Option<&str>,
    ) -> Result<Box<dyn Socket>, websocket::Error> {
        Err(websocket::Error::NotOffered("this backend has no websockets".into()))
    }

    /// `clock.sleep`.
    fn sleep(&self, ms: u32) {}

    /// `clock.now-ms`.
    fn now_ms(&self) -> u64;

    /// `clock.monotonic-us`.
    fn monotonic_us(&self) -> u64;

    /// `random.bytes`.
    fn random_bytes(&self, count: u32) -> Vec<u8>;

    /// `random.id`.
    fn random_id(&self, characters: u32) -> String;
}

fn no_state() -> state::Error {
    state::Error::Failed("this backend keeps no state".into())
}

fn no_vision() -> inference::Error {
    inference::Error::Unsupported("vision".into())
}

fn no_registry() -> registry::Error {
    registry::Error::Failed("this backend keeps no registry".into())
}

fn no_launching() -> launching::Error {
    launching::Error::Failed("this backend launches no models".into())
}

fn no_blobs() -> blobs::Error {
    blobs::Error::Failed("this backend keeps no blobs".into())
}

/// A generation under way. Dropping it cancels.
pub trait RunningGeneration {
    /// `generation.prompt-tokens`.
    fn prompt_tokens(&self) -> u32;

    /// `generation.cached-tokens`.
    fn cached_tokens(&self) -> u32 {
        0
    }

    /// `generation.next`. Empty: every choice has finished.
    fn next(&mut self, max: u32) -> Result<Vec<Piece>, inference::Error>;

    /// `generation.collect`.
    fn collect(&mut self) -> Result<Vec<Completion>, inference::Error>;
}

/// An answer under way. Dropping it cancels.
pub trait RunningAnswer {
    /// `answer.prompt-tokens`.
    fn prompt_tokens(&self) -> u32;

    /// `answer.cached-tokens`.
    fn cached_tokens(&self) -> u32;

    /// `answer.next`. Empty: every choice has finished.
    fn next(&mut self, max: u32) -> Result<Vec<Part>, inference::Error>;

    /// `answer.collect`.
    fn collect(&mut self) -> Result<Vec<Whole>, inference::Error>;
}

/// A picture that the host holds. Dropping it gives it back.
pub trait Picture: Any {
    /// `image.width`.
    fn width(&self) -> u32;

    /// `image.height`.
    fn height(&self) -> u32;

    /// `image.orient`.
    fn orient(&self);

    /// `image.draw`.
    fn draw(&self, marks: &[media::Mark]) -> Result<(), String>;

    /// `image.encode`.
    fn encode(&self, format: media::Format) -> Result<Vec<u8>, String>;
}

/// An open websocket. Dropping it closes it.
pub trait Socket {
    /// `socket.receive`.
    fn receive(&mut self, wait_ms: u32) -> Result<Option<websocket::Message>, websocket::Error>;

    /// `socket.send`.
    fn send(&mut self, message: websocket::Message) -> Result<(), websocket::Error>;

    /// `socket.close`.
    fn close(&mut self, code: u16, reason: &str);
}

/// The backend's own type behind a picture that it opened.
pub fn own_picture<T: Picture>(picture: &dyn Picture) -> &T {
    let picture: &dyn Any = picture;
    picture.downcast_ref().expect("a backend is given the pictures that it opened")
}

/// Where a request's headers and body come from.
pub trait RequestSource: Any {
    /// First value of a header, by its lower-case name.
    fn header(&self, name: &str) -> Option<String>;

    /// All headers, in order.
    fn headers(&self) -> Vec<Header>;

    /// Whether the headers hold a key that lets the client in; true where none is asked for.
    fn is_admitted(&self) -> bool;

    /// The whole body; the second call returns nothing.
    fn body(&self) -> Vec<u8>;
}

/// Where a response goes.
pub trait ResponseSink: Any {
    /// `response.send`.
    fn send(&mut self, status: u16, headers: Vec<Header>, body: Vec<u8>) -> Result<(), WriteError>;

    /// `response.start`.
    fn start(&mut self, status: u16, headers: Vec<Header>) -> Result<(), WriteError>;

    /// `response.write`.
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError>;

    /// `response.repeat`.
    fn repeat(&mut self, bytes: &[u8], interval_ms: u32) -> Result<(), WriteError>;
}

impl RequestSource for plugin::http::Request {
    fn header(&self, name: &str) -> Option<String> {
        plugin::http::Request::header(self, name)
    }

    fn headers(&self) -> Vec<Header> {
        plugin::http::Request::headers(self)
    }

    fn is_admitted(&self) -> bool {
        plugin::http::Request::is_admitted(self)
    }

    fn body(&self) -> Vec<u8> {
        plugin::http::Request::body(self)
    }
}

impl ResponseSink for plugin::http::Response {
    fn send(&mut self, status: u16, headers: Vec<Header>, body: Vec<u8>) -> Result<(), WriteError> {
        plugin::http::Response::send(self, status, &headers, &body)
    }

    fn start(&mut self, status: u16, headers: Vec<Header>) -> Result<(), WriteError> {
        plugin::http::Response::start(self, status, &headers)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        plugin::http::Response::write(self, bytes)
    }

    fn repeat(&mut self, bytes: &[u8], interval_ms: u32) -> Result<(), WriteError> {
        plugin::http::Response::repeat(self, bytes, interval_ms)
    }
}

/// The host of this thread.
#[cfg(target_arch = "wasm32")]
pub(crate) fn host() -> &'static crate::wasm::Imports {
    &crate::wasm::Imports
}

/// The host of this thread.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn host() -> std::rc::Rc<dyn Backend> {
    crate::native::current()
}
