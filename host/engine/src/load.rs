//! From a source to a running model.

use std::sync::Arc;
use std::time::Duration;

use crate::config::encoder::{self, EncoderConfig};
use crate::config::sentence::{self, SentenceConfig};
use crate::config::{DecoderConfig, gguf, hugging_face};
use crate::embedding::{EmbeddingInfo, EmbeddingModel, EncoderForward, Head};
use crate::error::LoadError;
use crate::kv_cache::BLOCK_TOKENS;
use crate::limits;
use crate::local::LocalModel;
use crate::model::Decoder;
use crate::model::decoder::LlamaDecoder;
use crate::model::encoder::Encoder;
use crate::scheduler::{Bounds, blocks_for};
use crate::source::{Files, ModelFile, Source};
use crate::text_model::{Activity, ModelInfo, SamplingDefaults, TextModel};
use crate::tokenizer::{self, Tokenizer, vocabulary};
use crate::weights::gguf::Gguf;
use crate::weights::safetensors::Safetensors;
use crate::weights::{Store, Weights};

const TOKENIZER: &str = "tokenizer.json";

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

/// A loaded model, by what it can do.
#[derive(Clone)]
pub enum Model {
    /// It continues text.
    Text(Arc<dyn TextModel>),
    /// It turns texts into vectors.
    Embedding(Arc<EmbeddingModel>),
}

impl Model {
    /// The model's own tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        match self {
            Self::Text(model) => model.tokenizer(),
            Self::Embedding(model) => model.tokenizer(),
        }
    }

    /// What the model does now, for metrics.
    pub fn activity(&self) -> Activity {
        match self {
            Self::Text(model) => model.activity(),
            Self::Embedding(model) => model.activity(),
        }
    }
}

/// Loads a model and starts its scheduler. Blocks for as long as reading the weights takes.
///
/// * `progress`: called on this thread, after each tensor.
///
/// # Errors
/// [`LoadError`]; nothing stays allocated then.
pub fn load(source: Source, options: &LoadOptions, progress: &dyn Fn(Progress)) -> Result<Model, LoadError> {
    let files = match source {
        Source::Folder(folder) => Files::Folder(folder),
        Source::Embedded(files) => Files::Embedded { files, below: String::new() },
        Source::Gguf(path) => return start(read_gguf(ModelFile::open(&path)?, progress)?, options).map(Model::Text),
    };
    match encoder::describe(&files)? {
        Some(config) => read_encoder(&files, &config, options, progress).map(Arc::new).map(Model::Embedding),
        None => start(read_folder(&files, progress)?, options).map(Model::Text),
    }
}

/// Reads the folder of an encoder and starts it.
fn read_encoder(
    files: &Files,
    config: &EncoderConfig,
    options: &LoadOptions,
    progress: &dyn Fn(Progress),
) -> Result<EmbeddingModel, LoadError> {
    let sentence = sentence::describe(files, config)?;
    let tokenizer = encoder_tokenizer(files, &sentence)?;
    let mut weights = Weights::new(Store::Safetensors(Safetensors::open(files)?), progress);
    let encoder = Encoder::load(config, &mut weights)?;
    let head = Head::load(files, &sentence, encoder.hidden())?;
    let (sizes, more) = (encoder.size(), head.size());
    let cut =
        options.context_tokens_max.map_or(sentence.context_tokens, |max| sentence.context_tokens.min(max as usize));
    // Room for one token among those that the tokenizer adds.
    let context_tokens = cut.max(tokenizer.added_tokens() + 1);
    if context_tokens > config.context_tokens() {
        let reason = format!("{} positions hold no text", config.context_tokens());
        return Err(LoadError::malformed("config.json", reason));
    }
    let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let info = EmbeddingInfo {
        architecture: config.architecture.clone(),
        format: "safetensors".to_owned(),
        parameters: sizes.0 + more.0,
        weight_bytes: sizes.1 + more.1,
        context_tokens: narrow(context_tokens),
        vocab_tokens: narrow(config.vocab),
        dimensions: narrow(head.dimensions()),
        normalizes: head.normalizes(),
        prompts: sentence.prompts.keys().cloned().collect(),
        default_prompt: sentence.default_prompt.clone(),
    };
    EmbeddingModel::start(EncoderForward { encoder, head }, tokenizer, sentence, info, options)
}

/// The tokenizer of an encoder: `tokenizer.json`, or what an old folder has instead.
fn encoder_tokenizer(files: &Files, sentence: &SentenceConfig) -> Result<Tokenizer, LoadError> {
    let (begin, end) = (sentence.begin_token.as_deref(), sentence.end_token.as_deref());
    let mut tokenizer = if files.has(TOKENIZER) || !files.has(vocabulary::VOCABULARY) {
        Tokenizer::parse(TOKENIZER, &files.read_text(TOKENIZER)?, begin, end, &[])?
    } else {
        let text = files.read_text(vocabulary::VOCABULARY)?;
        let json = vocabulary::tokenizer_json(&text, sentence.vocabulary_lowercases)?;
        Tokenizer::parse(vocabulary::VOCABULARY, &json, begin, end, &[])?
    };
    if sentence.lowercases {
        tokenizer.lowercase()?;
    }
    Ok(tokenizer)
}

/// A model before it runs.
struct Parts {
    decoder: LlamaDecoder,
    config: DecoderConfig,
    tokenizer: Tokenizer,
    /// Complete but for the context.
    info: ModelInfo,
}

/// Reads a model folder.
fn read_folder(files: &Files, progress: &dyn Fn(Progress)) -> Result<Parts, LoadError> {
    let description = hugging_face::describe(files)?;
    let (bos, eos) = (description.bos_token.as_deref(), description.eos_token.as_deref());
    let tokenizer = Tokenizer::parse(TOKENIZER, &files.read_text(TOKENIZER)?, bos, eos, &description.eos_ids)?;
    let config = description.decoder;
    let mut weights = Weights::new(Store::Safetensors(Safetensors::open(files)?), progress);
    let decoder = LlamaDecoder::load(&config, &mut weights)?;
    let info = ModelInfo {
        format: "safetensors".to_owned(),
        chat_template: description.chat_template,
        bos_token: description.bos_token,
        eos_token: description.eos_token,
        defaults: description.defaults,
        ..describe(&config, &decoder)
    };
    Ok(Parts { decoder, config, tokenizer, info })
}

/// Reads a GGUF file.
fn read_gguf(file: ModelFile, progress: &dyn Fn(Progress)) -> Result<Parts, LoadError> {
    let mut gguf = Gguf::open(file)?;
    let config = gguf::describe(&mut gguf)?;
    let (tokenizer, marks) = tokenizer::gguf::tokenizer(&gguf)?;
    let quantization = gguf.quantization();
    let chat_template = gguf.text("tokenizer.chat_template").map(str::to_owned);
    let mut weights = Weights::new(Store::Gguf(gguf), progress);
    let decoder = LlamaDecoder::load(&config, &mut weights)?;
    let info = ModelInfo {
        format: "gguf".to_owned(),
        quantization,
        chat_template,
        bos_token: marks.bos,
        eos_token: marks.eos,
        ..describe(&config, &decoder)
    };
    Ok(Parts { decoder, config, tokenizer, info })
}

/// What configuration and weights say of a model.
fn describe(config: &DecoderConfig, decoder: &LlamaDecoder) -> ModelInfo {
    let (parameters, weight_bytes) = decoder.size();
    ModelInfo {
        architecture: config.architecture.clone(),
        format: String::new(),
        quantization: None,
        parameters,
        weight_bytes,
        context_tokens: 0,
        vocab_tokens: u32::try_from(config.vocab).unwrap_or(u32::MAX),
        chat_template: None,
        bos_token: None,
        eos_token: None,
        defaults: SamplingDefaults::default(),
    }
}

/// Sizes the cache and starts the scheduler.
fn start(parts: Parts, options: &LoadOptions) -> Result<Arc<dyn TextModel>, LoadError> {
    let Parts { decoder, config, tokenizer, mut info } = parts;
    let block_bytes = decoder.kv_shape().block_floats as u64 * size_of::<f32>() as u64;
    let blocks = usize::try_from(options.kv_bytes_max / block_bytes.max(1)).unwrap_or(usize::MAX);
    if blocks == 0 {
        let reason = format!("{} bytes for keys and values hold no block of {block_bytes}", options.kv_bytes_max);
        return Err(LoadError::Resource(reason));
    }
    let wanted =
        options.context_tokens_max.map_or(config.context_tokens, |max| config.context_tokens.min(max as usize));
    let context_tokens = wanted.min(blocks.saturating_mul(BLOCK_TOKENS)).max(1);
    info.context_tokens = u32::try_from(context_tokens).unwrap_or(u32::MAX);
    let slots = options.slots.max(1);
    // More than all slots can fill would hold old prefixes only, and memory for as long as the model is loaded.
    let blocks = blocks.min(slots.saturating_mul(blocks_for(context_tokens)));
    let bounds = Bounds {
        slots,
        step_tokens: options.step_tokens.max(1),
        queue_wait_max: options.queue_wait_max,
        context_tokens,
        kv_blocks_max: blocks,
        tokens_per_piece: 1,
    };
    let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let queue = options.queue_requests_max;
    let model = LocalModel::start(Box::new(decoder), tokenizer, info, bounds, queue, Some(threads))?;
    Ok(Arc::new(model))
}
