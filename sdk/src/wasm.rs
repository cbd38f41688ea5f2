//! The host's side of [`Backend`] on WebAssembly: each method is the import it is named after.
//!
//! `Imports` is used as a concrete type, never as `dyn Backend`, so that the linker drops the imports a plugin does not call: an
//! import that is there has to be granted.

use std::any::Any;

use crate::answers::{Part, ToolUse, Whole};
use crate::backend::{
    Backend, Picture, RequestSource, ResponseSink, RunningAnswer, RunningGeneration, Socket, own_picture,
};
use crate::bindings::personality::mimus::plugin;
use crate::chat::{Message, RenderOptions, Rendered};
use crate::embeddings::{self, Embedding};
use crate::inference::{self, Completion, Options, Piece, Prompt};
use crate::launching::{self, Event, Launched, Wish};
use crate::log::Level;
use crate::models::Model;
use crate::registry::{self, Download, Family};
use crate::reranking::{self, Relevance};
use crate::vision::{self, Description, Face, Prediction, TextBlock};
use crate::{blobs, machine, media, state, websocket};

pub(crate) struct Imports;

impl Backend for Imports {
    fn chat(
        &self,
        model: &str,
        messages: &[Message],
        render: &RenderOptions,
        options: &Options,
    ) -> Result<Box<dyn RunningGeneration>, inference::Error> {
        let generation = plugin::inference::chat(model, messages, render, options)?;
        Ok(Box::new(generation))
    }

    fn generate(
        &self,
        model: &str,
        prompt: &Prompt,
        options: &Options,
    ) -> Result<Box<dyn RunningGeneration>, inference::Error> {
        let generation = plugin::inference::generate(model, prompt, options)?;
        Ok(Box::new(generation))
    }

    fn render_chat(
        &self,
        model: &str,
        messages: &[Message],
        render: &RenderOptions,
    ) -> Result<Rendered, inference::Error> {
        plugin::inference::render_chat(model, messages, render)
    }

    fn tokenize(&self, model: &str, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, inference::Error> {
        plugin::inference::tokenize(model, text, add_special_tokens)
    }

    fn detokenize(&self, model: &str, tokens: &[u32], skip_special_tokens: bool) -> Result<String, inference::Error> {
        plugin::inference::detokenize(model, tokens, skip_special_tokens)
    }

    fn cancel_tagged(&self, tag: &str) -> u32 {
        plugin::inference::cancel_tagged(tag)
    }

    fn converse(
        &self,
        model: &str,
        messages: &[Message],
        render: &RenderOptions,
        options: &Options,
        tools: &ToolUse,
    ) -> Result<Box<dyn RunningAnswer>, inference::Error> {
        let answer = plugin::answers::converse(model, messages, render, options, tools)?;
        Ok(Box::new(answer))
    }

    fn embed(
        &self,
        model: &str,
        inputs: &[Prompt],
        options: &embeddings::Options,
    ) -> Result<Vec<Embedding>, inference::Error> {
        plugin::embeddings::embed(model, inputs, options)
    }

    fn models(&self) -> Vec<Model> {
        plugin::models::list()
    }

    fn model(&self, name: &str) -> Option<Model> {
        plugin::models::get(name)
    }

    fn rerank(
        &self,
        model: &str,
        query: &str,
        documents: &[String],
        options: &reranking::Options,
    ) -> Result<Vec<Relevance>, inference::Error> {
        plugin::reranking::rerank(model, query, documents, options)
    }

    fn open_picture(&self, source: media::Source) -> Result<Box<dyn Picture>, media::Error> {
        let image = plugin::media::open(&source)?;
        Ok(Box::new(image))
    }

    fn describe_vision(&self, model: &str) -> Result<Description, inference::Error> {
        plugin::vision::describe(model)
    }

    fn predict(
        &self,
        model: &str,
        images: &[&dyn Picture],
        options: &vision::Options,
    ) -> Result<Vec<Prediction>, inference::Error> {
        plugin::vision::predict(model, &handles(images), options)
    }

    fn embed_images(&self, model: &str, images: &[&dyn Picture]) -> Result<Vec<Vec<f32>>, inference::Error> {
        plugin::vision::embed_images(model, &handles(images))
    }

    fn embed_texts(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, inference::Error> {
        plugin::vision::embed_texts(model, texts)
    }

    fn read_text(&self, model: &str, image: &dyn Picture) -> Result<Vec<TextBlock>, inference::Error> {
        plugin::vision::read_text(model, own_picture(image))
    }

    fn gaze(&self, model: &str, image: &dyn Picture, finds_faces: bool) -> Result<Vec<Face>, inference::Error> {
        plugin::vision::gaze(model, own_picture(image), finds_faces)
    }

    fn families(&self, kind: Option<&str>) -> Vec<Family> {
        plugin::registry::list(kind)
    }

    fn family(&self, kind: &str, name: &str) -> Option<Family> {
        plugin::registry::get(kind, name)
    }

    fn register(&self, family: &Family, is_persistent: bool) -> Result<(), registry::Error> {
        plugin::registry::register(family, is_persistent)
    }

    fn unregister(&self, kind: &str, name: &str) -> Result<bool, registry::Error> {
        plugin::registry::unregister(kind, name)
    }

    fn downloads(&self) -> Vec<Download> {
        plugin::registry::downloads()
    }

    fn remove_download(&self, hub_id: &str) -> Result<u64, registry::Error> {
        plugin::registry::remove_download(hub_id)
    }

    fn launch(&self, wish: &Wish) -> Result<Launched, launching::Error> {
        plugin::launching::launch(wish)
    }

    fn wait_launched(&self, name: &str) -> Result<(), launching::Error> {
        plugin::launching::wait(name)
    }

    fn cancel_launch(&self, name: &str) -> Result<bool, launching::Error> {
        plugin::launching::cancel(name)
    }

    fn terminate(&self, name: &str) -> Result<(), launching::Error> {
        plugin::launching::terminate(name)
    }

    fn add_replica(&self, name: &str) -> Result<u32, launching::Error> {
        plugin::launching::add_replica(name)
    }

    fn remove_replica(&self, name: &str, id: u32) -> Result<(), launching::Error> {
        plugin::launching::remove_replica(name, id)
    }

    fn launch_events(&self, name: &str) -> Vec<Event> {
        plugin::launching::events(name)
    }

    fn machine(&self) -> machine::Info {
        plugin::machine::get()
    }

    fn state_get(&self, key: &str) -> Result<Option<state::Entry>, state::Error> {
        plugin::state::get(key)
    }

    fn state_put(&self, key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<u64, state::Error> {
        plugin::state::put(key, value, ttl_ms)
    }

    fn state_compare_and_swap(
        &self,
        key: &str,
        version: u64,
        value: &[u8],
        ttl_ms: Option<u64>,
    ) -> Result<u64, state::Error> {
        plugin::state::compare_and_swap(key, version, value, ttl_ms)
    }

    fn state_delete(&self, key: &str) -> Result<bool, state::Error> {
        plugin::state::delete(key)
    }

    fn state_list(&self, prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<String>, state::Error> {
        plugin::state::list(prefix, after, max)
    }

    fn state_acquire(&self, key: &str, wait_ms: u32) -> Result<Box<dyn Any>, state::Error> {
        let lease = plugin::state::acquire(key, wait_ms)?;
        Ok(Box::new(lease))
    }

    fn blob_put(&self, bytes: &[u8], content_type: &str, ttl_ms: u64) -> Result<String, blobs::Error> {
        plugin::blobs::put(bytes, content_type, ttl_ms)
    }

    fn blob_stat(&self, id: &str) -> Result<blobs::Info, blobs::Error> {
        plugin::blobs::stat(id)
    }

    fn blob_read(&self, id: &str, offset: u64, length: u32) -> Result<Vec<u8>, blobs::Error> {
        plugin::blobs::read(id, offset, length)
    }

    fn blob_path(&self, id: &str) -> String {
        plugin::blobs::path(id)
    }

    fn blob_delete(&self, id: &str) -> Result<bool, blobs::Error> {
        plugin::blobs::delete(id)
    }

    fn log(&self, level: Level, message: &str) {
        plugin::log::write(level, message);
    }

    fn count(&self, name: &str, by: u64) {
        plugin::metrics::count(name, by);
    }

    fn observe(&self, name: &str, value: f64) {
        plugin::metrics::observe(name, value);
    }

    fn config(&self, key: &str) -> Option<String> {
        plugin::config::get(key)
    }

    fn server_version(&self) -> String {
        plugin::config::server_version()
    }

    fn requires_key(&self) -> bool {
        plugin::config::requires_key()
    }

    fn accepts_key(&self, key: &str) -> bool {
        plugin::config::accepts_key(key)
    }

    fn is_websocket_offered(&self, request: &dyn RequestSource) -> bool {
        plugin::websocket::is_offered(own_request(request))
    }

    fn accept_websocket(
        &self,
        request: &dyn RequestSource,
        response: &mut dyn ResponseSink,
        protocol: Option<&str>,
    ) -> Result<Box<dyn Socket>, websocket::Error> {
        let response: &dyn Any = response;
        let response = response.downcast_ref().expect("responses come from the export macro");
        let socket = plugin::websocket::accept(own_request(request), response, protocol)?;
        Ok(Box::new(socket))
    }

    fn sleep(&self, ms: u32) {
        plugin::clock::sleep(ms);
    }

    fn now_ms(&self) -> u64 {
        plugin::clock::now_ms()
    }

    fn monotonic_us(&self) -> u64 {
        plugin::clock::monotonic_us()
    }

    fn random_bytes(&self, count: u32) -> Vec<u8> {
        plugin::random::bytes(count)
    }

    fn random_id(&self, characters: u32) -> String {
        plugin::random::id(characters)
    }
}

impl RunningGeneration for plugin::inference::Generation {
    fn prompt_tokens(&self) -> u32 {
        plugin::inference::Generation::prompt_tokens(self)
    }

    fn cached_tokens(&self) -> u32 {
        plugin::inference::Generation::cached_tokens(self)
    }

    fn next(&mut self, max: u32) -> Result<Vec<Piece>, inference::Error> {
        plugin::inference::Generation::next(self, max)
    }

    fn collect(&mut self) -> Result<Vec<Completion>, inference::Error> {
        plugin::inference::Generation::collect(self)
    }
}

impl RunningAnswer for plugin::answers::Answer {
    fn prompt_tokens(&self) -> u32 {
        plugin::answers::Answer::prompt_tokens(self)
    }

    fn cached_tokens(&self) -> u32 {
        plugin::answers::Answer::cached_tokens(self)
    }

    fn next(&mut self, max: u32) -> Result<Vec<Part>, inference::Error> {
        plugin::answers::Answer::next(self, max)
    }

    fn collect(&mut self) -> Result<Vec<Whole>, inference::Error> {
        plugin::answers::Answer::collect(self)
    }
}

impl Picture for plugin::media::Image {
    fn width(&self) -> u32 {
        plugin::media::Image::width(self)
    }

    fn height(&self) -> u32 {
        plugin::media::Image::height(self)
    }

    fn orient(&self) {
        plugin::media::Image::orient(self);
    }

    fn draw(&self, marks: &[media::Mark]) -> Result<(), String> {
        plugin::media::Image::draw(self, marks)
    }

    fn encode(&self, format: media::Format) -> Result<Vec<u8>, String> {
        plugin::media::Image::encode(self, format)
    }
}

fn handles<'a>(images: &[&'a dyn Picture]) -> Vec<&'a plugin::media::Image> {
    images.iter().map(|image| own_picture(*image)).collect()
}

impl Socket for plugin::websocket::Socket {
    fn receive(&mut self, wait_ms: u32) -> Result<Option<websocket::Message>, websocket::Error> {
        plugin::websocket::Socket::receive(self, wait_ms)
    }

    fn send(&mut self, message: websocket::Message) -> Result<(), websocket::Error> {
        plugin::websocket::Socket::send(self, &message)
    }

    fn close(&mut self, code: u16, reason: &str) {
        plugin::websocket::Socket::close(self, code, reason);
    }
}

fn own_request(request: &dyn RequestSource) -> &plugin::http::Request {
    let request: &dyn Any = request;
    request.downcast_ref().expect("requests come from the export macro")
}
