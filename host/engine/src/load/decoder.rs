//! From files to a running decoder.

use std::sync::Arc;

use rayon::ThreadPool;

use super::{GGUF, Inspection, Listener, LoadOptions, SAFETENSORS, beside};
use crate::architecture::Ability;
use crate::config::{self, DecoderConfig, hugging_face};
use crate::error::LoadError;
use crate::kv_cache::BLOCK_TOKENS;
use crate::local::LocalModel;
use crate::model::Decoder;
use crate::model::decoder::LlamaDecoder;
use crate::scheduler::{Bounds, blocks_for};
use crate::source::{Files, ModelFile};
use crate::text_model::{ModelInfo, SamplingDefaults, TextModel};
use crate::tokenizer::{self, TOKENIZER, Tokenizer};
use crate::weights::gguf::Gguf;
use crate::weights::safetensors::Safetensors;
use crate::weights::{Reading, Store, Weights};

/// Reads a model folder and starts it.
pub(super) fn folder(
    files: &Files,
    options: &LoadOptions,
    pool: ThreadPool,
    progress: Listener<'_>,
) -> Result<Arc<dyn TextModel>, LoadError> {
    let description = hugging_face::describe(files)?;
    let (bos, eos) = (description.bos_token.as_deref(), description.eos_token.as_deref());
    let config = description.decoder;
    let store = Safetensors::open(files)?;
    let mut weights = Weights::new(Store::Safetensors(&store), Some(Reading { pool: &pool, progress }));
    let json = files.read_text(TOKENIZER)?;
    let (tokenizer, decoder) = beside(
        || Tokenizer::parse(TOKENIZER, &json, bos, eos, &description.eos_ids),
        || LlamaDecoder::load(&config, &mut weights),
    )?;
    let info = ModelInfo {
        format: SAFETENSORS.to_owned(),
        chat_template: description.chat_template,
        bos_token: description.bos_token,
        eos_token: description.eos_token,
        defaults: description.defaults,
        ..describe(&config, &decoder)
    };
    start(decoder, &config, tokenizer, info, options, pool)
}

/// Reads a GGUF file and starts it.
pub(super) fn gguf(
    file: ModelFile,
    options: &LoadOptions,
    pool: ThreadPool,
    progress: Listener<'_>,
) -> Result<Arc<dyn TextModel>, LoadError> {
    let gguf = Gguf::open(file)?;
    let config = config::gguf::describe(&gguf)?;
    let mut weights = Weights::new(Store::Gguf(&gguf), Some(Reading { pool: &pool, progress }));
    let ((tokenizer, marks), decoder) =
        beside(|| tokenizer::gguf::tokenizer(&gguf), || LlamaDecoder::load(&config, &mut weights))?;
    let info = ModelInfo {
        format: GGUF.to_owned(),
        quantization: gguf.quantization(),
        chat_template: gguf.text("tokenizer.chat_template").map(str::to_owned),
        bos_token: marks.bos,
        eos_token: marks.eos,
        ..describe(&config, &decoder)
    };
    start(decoder, &config, tokenizer, info, options, pool)
}

/// What the headers of a model folder say.
pub(super) fn inspect_folder(files: &Files, options: &LoadOptions) -> Result<Inspection, LoadError> {
    let config = hugging_face::describe(files)?.decoder;
    let store = Safetensors::open(files)?;
    inspect(&config, &mut Weights::new(Store::Safetensors(&store), None), SAFETENSORS, options)
}

/// What the head of a GGUF file says.
pub(super) fn inspect_gguf(file: ModelFile, options: &LoadOptions) -> Result<Inspection, LoadError> {
    let gguf = Gguf::open(file)?;
    let config = config::gguf::describe(&gguf)?;
    let inspection = inspect(&config, &mut Weights::new(Store::Gguf(&gguf), None), GGUF, options)?;
    Ok(Inspection { quantization: gguf.quantization(), ..inspection })
}

fn inspect(
    config: &DecoderConfig,
    weights: &mut Weights<'_>,
    format: &str,
    options: &LoadOptions,
) -> Result<Inspection, LoadError> {
    let decoder = LlamaDecoder::load(config, weights)?;
    let (parameters, weight_bytes) = decoder.size();
    let room = Room::new(&decoder, config, options)?;
    Ok(Inspection {
        ability: Ability::Text,
        architecture: config.architecture.clone(),
        format: format.to_owned(),
        quantization: None,
        parameters,
        weight_bytes,
        kv_bytes: room.blocks as u64 * room.block_bytes,
        context_tokens: u32::try_from(room.context_tokens).unwrap_or(u32::MAX),
    })
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

/// What the cache may take.
struct Room {
    context_tokens: usize,
    blocks: usize,
    block_bytes: u64,
}

impl Room {
    fn new(decoder: &LlamaDecoder, config: &DecoderConfig, options: &LoadOptions) -> Result<Self, LoadError> {
        let block_bytes = decoder.kv_shape().block_floats as u64 * size_of::<f32>() as u64;
        let blocks = usize::try_from(options.kv_bytes_max / block_bytes.max(1)).unwrap_or(usize::MAX);
        if blocks == 0 {
            let reason = format!("{} bytes for keys and values hold no block of {block_bytes}", options.kv_bytes_max);
            return Err(LoadError::Resource(reason));
        }
        let wanted =
            options.context_tokens_max.map_or(config.context_tokens, |max| config.context_tokens.min(max as usize));
        let context_tokens = wanted.min(blocks.saturating_mul(BLOCK_TOKENS)).max(1);
        // More than all slots can fill would hold old prefixes only, and memory for as long as the model is loaded.
        let blocks = blocks.min(options.slots.max(1).saturating_mul(blocks_for(context_tokens)));
        Ok(Self { context_tokens, blocks, block_bytes })
    }
}

/// Sizes the cache and starts the scheduler.
fn start(
    decoder: LlamaDecoder,
    config: &DecoderConfig,
    tokenizer: Tokenizer,
    mut info: ModelInfo,
    options: &LoadOptions,
    pool: ThreadPool,
) -> Result<Arc<dyn TextModel>, LoadError> {
    let room = Room::new(&decoder, config, options)?;
    info.context_tokens = u32::try_from(room.context_tokens).unwrap_or(u32::MAX);
    let bounds = Bounds {
        slots: options.slots.max(1),
        step_tokens: options.step_tokens.max(1),
        queue_wait_max: options.queue_wait_max,
        context_tokens: room.context_tokens,
        kv_blocks_max: room.blocks,
        tokens_per_piece: 1,
    };
    let queue = options.queue_requests_max;
    let model = LocalModel::start(Box::new(decoder), tokenizer, info, bounds, queue, Some(pool))?;
    Ok(Arc::new(model))
}
