//! Loads models and executes them: tokens or pictures in, tokens, vectors or scores out.
//!
//! The engine reads a model from a folder, a GGUF file or bytes in the binary, and runs it behind a
//! scheduler on a thread of its own: many requests are decoded together, long prompts are computed in
//! chunks between other requests' tokens, and a request that fails ends alone.
//!
//! What it refuses to do: it knows no HTTP, no JSON of clients, no prompt format and no plugin. It takes
//! token ids and gives back text, token ids and log-probabilities. It is the only crate that names candle and
//! llguidance.
//!
//! ```no_run
//! use mimus_engine::{GenerateRequest, LoadOptions, Model, Progress, Source, load};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let loaded = load(Source::Folder("models/chat".into()), &LoadOptions::default(), &Progress::ignore)?;
//! let Model::Text(model) = loaded else { return Err("a model that continues text is wanted".into()) };
//! let prompt = model.tokenizer().encode("Hello", true)?;
//! let mut generation = model.submit(GenerateRequest::new(prompt))?;
//! while let Some(piece) = generation.next_blocking() {
//!     print!("{}", piece?.text);
//! }
//! # Ok(())
//! # }
//! ```

mod allocator;
mod architecture;
pub mod bench;
mod config;
mod detokenize;
mod embedding;
mod encoding;
mod error;
mod facts;
mod folder;
mod generation;
mod grammar;
mod image_text;
mod kv_cache;
pub mod limits;
mod load;
mod local;
mod model;
mod pictures;
mod request;
mod rerank;
mod sampler;
mod scheduler;
mod scripted;
mod source;
mod stop_strings;
mod text_line;
mod text_model;
mod tokenizer;
mod weights;

pub use architecture::{Ability, architectures, supports};
pub use mimus_vision as vision;

pub use embedding::{EmbedInput, EmbedOptions, EmbedRequest, Embedding, EmbeddingInfo, EmbeddingModel};
pub use encoding::Pending;
pub use error::{EngineError, LoadError};
pub use facts::Facts;
pub use folder::{FolderKind, folder_kind};
pub use generation::{Finish, Generation, Piece, Token, TopToken};
pub use grammar::{Constraint, Grammar};
pub use image_text::{ImageTextInfo, ImageTextModel};
pub use load::{Inspection, LoadOptions, Model, Progress, inspect, load};
pub use request::{GenerateRequest, Sampling};
pub use rerank::{Relevance, RerankInfo, RerankModel, RerankOptions, RerankRequest};
pub use scripted::{Answer, Fault, Script, scripted};
pub use source::Source;
pub use text_line::{OcrInfo, OcrModel, ReadLine};
pub use text_model::{Activity, ModelInfo, SamplingDefaults, TextModel};
pub use tokenizer::Tokenizer;
