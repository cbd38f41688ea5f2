//! What the engine's tests share.
#![allow(dead_code, missing_docs, reason = "each test file uses a part")]

pub mod constraints;
pub mod pictures;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mimus_engine::{
    EngineError, Finish, GenerateRequest, Generation, LoadOptions, Model, Piece, Progress, Source, TextModel, Token,
    load,
};

/// Longest wait for anything in a test.
const DEADLINE: Duration = Duration::from_secs(60);

/// A file of the golden folder.
pub fn golden(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

/// A model of the golden folder.
pub fn golden_model(name: &str, options: &LoadOptions) -> Arc<dyn TextModel> {
    let path = golden(name);
    let gguf = path.join("model.gguf");
    let source = if gguf.exists() { Source::Gguf(gguf) } else { Source::Folder(path) };
    let loaded = load(source, options, &Progress::ignore).unwrap_or_else(|error| panic!("{name}: {error}"));
    let Model::Text(model) = loaded else { panic!("{name} continues text") };
    model
}

/// The model that comes with the server: small, with a trained tokenizer and special tokens.
pub fn chat_model() -> Arc<dyn TextModel> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/mimus-chat");
    let loaded = load(Source::Folder(folder), &options(), &Progress::ignore);
    let Ok(Model::Text(model)) = loaded else { panic!("mimus-chat continues text") };
    model
}

/// Options for tiny models: one thread, little memory.
pub fn options() -> LoadOptions {
    LoadOptions { threads: Some(1), kv_bytes_max: 16 << 20, ..LoadOptions::default() }
}

/// One choice, read to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    pub text: String,
    pub tokens: Vec<Token>,
    pub prompt: Vec<Token>,
    pub logprobs_of: Vec<f32>,
    pub pieces: usize,
    pub generated: u32,
    pub finish: Option<Finish>,
}

impl Output {
    pub fn ids(&self) -> Vec<u32> {
        self.tokens.iter().map(|token| token.id).collect()
    }

    fn add(&mut self, piece: Piece) {
        assert!(self.finish.is_none(), "nothing follows the end");
        assert!(piece.generated_tokens >= self.generated);
        self.text.push_str(&piece.text);
        self.tokens.extend(piece.tokens);
        self.prompt.extend(piece.prompt);
        assert!(self.pieces == 0 || piece.logprobs_of.is_empty(), "only the first piece has them");
        self.logprobs_of.extend(piece.logprobs_of);
        self.pieces += 1;
        self.generated = piece.generated_tokens;
        self.finish = piece.finish;
    }
}

/// Reads all choices of a generation.
pub fn read_all(mut generation: Generation) -> Result<Vec<Output>, EngineError> {
    let mut outputs: Vec<Output> = Vec::new();
    while let Some(piece) = generation.next_blocking() {
        let piece = piece?;
        let choice = piece.choice as usize;
        outputs.resize(outputs.len().max(choice + 1), Output::default());
        outputs[choice].add(piece);
    }
    for output in &outputs {
        assert!(output.finish.is_some(), "every choice ends");
    }
    Ok(outputs)
}

/// Runs a request for one choice to its end.
pub fn run(model: &dyn TextModel, request: GenerateRequest) -> Result<Output, EngineError> {
    let mut outputs = read_all(model.submit(request)?)?;
    assert_eq!(outputs.len(), 1);
    Ok(outputs.remove(0))
}

/// A request for the ids of `text`.
pub fn request(model: &dyn TextModel, text: &str) -> GenerateRequest {
    GenerateRequest::new(model.tokenizer().encode(text, true).unwrap())
}

/// Waits until `done` holds.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < DEADLINE, "waited in vain until {what}");
        std::thread::yield_now();
    }
}
