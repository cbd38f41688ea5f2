//! From a source to a running model.

mod decoder;
mod encoder;
mod image_text;
mod text_line;
mod vision;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use mimus_vision::{GazeModel, TextReader, VisionModel};
use rayon::ThreadPool;

use crate::allocator::return_large_blocks;
use crate::architecture::Ability;
use crate::config;
use crate::embedding::EmbeddingModel;
use crate::error::LoadError;
use crate::image_text::ImageTextModel;
use crate::limits;
use crate::rerank::RerankModel;
use crate::source::{Files, ModelFile, Source};
use crate::text_line::OcrModel;
use crate::text_model::TextModel;

/// Formats of weights, as models name them.
const SAFETENSORS: &str = "safetensors";
const GGUF: &str = "gguf";
const ONNX: &str = "onnx";

/// How a model is loaded and what it may use.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    /// Threads that compute. `None`: as many as the process may run at once.
    pub threads: Option<usize>,
    /// Cuts the model's context to this many tokens.
    pub context_tokens_max: Option<u32>,
    /// Sequences decoded together.
    pub slots: usize,
    /// Bytes of keys and values for all sequences. One context always fits: the context is cut where it does not.
    pub kv_bytes_max: u64,
    /// Requests that may wait for a slot.
    pub queue_requests_max: usize,
    /// Longest wait for a slot.
    pub queue_wait_max: Duration,
    /// Longest wait of a picture for others to be computed with.
    pub batch_wait_max: Duration,
    /// Token rows of one step.
    pub step_tokens: usize,
}

impl Default for LoadOptions {
    /// The constants of [`limits`].
    fn default() -> Self {
        Self {
            threads: None,
            context_tokens_max: None,
            slots: limits::SLOTS,
            kv_bytes_max: limits::KV_BYTES_MAX,
            queue_requests_max: limits::QUEUE_REQUESTS_MAX,
            queue_wait_max: limits::QUEUE_WAIT_MAX,
            batch_wait_max: limits::BATCH_WAIT_MAX,
            step_tokens: limits::STEP_TOKENS_MAX,
        }
    }
}

/// How far loading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of weights in memory.
    pub loaded_bytes: u64,
    /// Bytes of weights in all.
    pub total_bytes: u64,
}

impl Progress {
    /// Lets loading go on, whatever its progress.
    pub fn ignore(self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Who hears of progress.
type Listener<'a> = &'a dyn Fn(Progress) -> ControlFlow<()>;

/// What a model's configuration and headers say, before its weights are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// What it does.
    pub ability: Ability,
    /// Family, as [`ModelInfo::architecture`](crate::ModelInfo::architecture).
    pub architecture: String,
    /// Where its weights are: `safetensors`, `gguf` or `onnx`.
    pub format: String,
    /// Kind of most quantized weights, such as `Q8_0`; `None` when none is quantized.
    pub quantization: Option<String>,
    /// Numbers in the weights, a tied head counted once.
    pub parameters: u64,
    /// Bytes the weights will take in memory.
    pub weight_bytes: u64,
    /// Bytes that keys and values may take beside them.
    pub kv_bytes: u64,
    /// Tokens of prompt and output together, or of the longest input.
    pub context_tokens: u32,
}

/// A loaded model, by what it can do.
#[derive(Clone)]
pub enum Model {
    /// It continues text.
    Text(Arc<dyn TextModel>),
    /// It turns texts into vectors.
    Embedding(Arc<EmbeddingModel>),
    /// It scores documents for a query.
    Rerank(Arc<RerankModel>),
    /// It turns pictures and texts into vectors of one space.
    ImageText(Arc<ImageTextModel>),
    /// It reads a line of text in a picture.
    TextLine(Arc<OcrModel>),
    /// It finds objects or classes in pictures.
    Vision(Arc<VisionModel>),
    /// It finds and reads the words in pictures.
    TextReader(Arc<TextReader>),
    /// It tells where faces look.
    Gaze(Arc<GazeModel>),
}

/// Loads a model and starts its scheduler. Blocks for as long as reading the weights takes.
///
/// * `progress`: called on this thread, after each tensor; [`Progress::ignore`] where nobody listens. Once it breaks,
///   no further tensor is read.
///
/// # Errors
/// [`LoadError`], [`LoadError::Cancelled`] among them; nothing stays allocated then.
pub fn load(
    source: Source,
    options: &LoadOptions,
    progress: &dyn Fn(Progress) -> ControlFlow<()>,
) -> Result<Model, LoadError> {
    return_large_blocks();
    if let Some(kind) = vision::kind(&source) {
        return vision::load(kind, &source, options);
    }
    let pool = pool(options)?;
    let files = match source {
        Source::Gguf(path) | Source::Onnx(path) => {
            return decoder::gguf(ModelFile::open(&path)?, options, pool, progress).map(Model::Text);
        }
        Source::Folder(folder) => Files::Folder(folder),
        Source::Embedded(files) => Files::Embedded { files, below: String::new() },
    };
    if let Some(kind) = image_text::find(&files)? {
        let model = image_text::model(&files, &kind, options, pool, progress);
        return model.map(Arc::new).map(Model::ImageText);
    }
    if let Some(config) = config::text_line::describe(&files)? {
        let model = text_line::model(&files, &config, options, pool, progress);
        return model.map(Arc::new).map(Model::TextLine);
    }
    match config::encoder::describe(&files)? {
        None => decoder::folder(&files, options, pool, progress).map(Model::Text),
        Some(config) if config.is_scorer => {
            encoder::rerank(&files, &config, options, pool, progress).map(Arc::new).map(Model::Rerank)
        }
        Some(config) => {
            encoder::embedding(&files, &config, options, pool, progress).map(Arc::new).map(Model::Embedding)
        }
    }
}

/// Reads configuration and headers, and no weights: what the model is, whether its files are whole and what it will
/// take. Every tensor that [`load`] would read is looked up. What is wrong with a tokenizer is not noticed.
///
/// # Errors
/// Those of [`load`]: [`LoadError::UnsupportedArchitecture`] where [`supports`](crate::supports) knows none of the names,
/// [`LoadError::Read`] for a missing file or shard, [`LoadError::Malformed`] for one that is shorter than it says.
pub fn inspect(source: &Source, options: &LoadOptions) -> Result<Inspection, LoadError> {
    if let Some(kind) = vision::kind(source) {
        return vision::inspect(kind, source);
    }
    let files = match source {
        Source::Gguf(path) | Source::Onnx(path) => return decoder::inspect_gguf(ModelFile::open(path)?, options),
        Source::Folder(folder) => Files::Folder(folder.clone()),
        Source::Embedded(files) => Files::Embedded { files, below: String::new() },
    };
    if let Some(kind) = image_text::find(&files)? {
        return image_text::inspect(&files, &kind, options);
    }
    if let Some(config) = config::text_line::describe(&files)? {
        return text_line::inspect(&files, &config);
    }
    match config::encoder::describe(&files)? {
        None => decoder::inspect_folder(&files, options),
        Some(config) => encoder::inspect(&files, &config, options),
    }
}

/// The threads that read a model and then compute it.
fn pool(options: &LoadOptions) -> Result<ThreadPool, LoadError> {
    let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1));
    pool.thread_name(|index| format!("engine-{index}")).build().map_err(|error| LoadError::Resource(error.to_string()))
}

/// Reads the tokenizer on a thread of its own while this one sees to the weights: a large vocabulary takes as long.
fn beside<T: Send, W>(
    tokenizer: impl FnOnce() -> Result<T, LoadError> + Send,
    weights: impl FnOnce() -> Result<W, LoadError>,
) -> Result<(T, W), LoadError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("tokenizer".to_owned());
        let thread = thread.spawn_scoped(scope, tokenizer).map_err(|error| LoadError::Resource(error.to_string()))?;
        let weights = weights();
        let tokenizer = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((tokenizer?, weights?))
    })
}
