//! From files to a running decoder.

use std::sync::Arc;

use super::{LoadOptions, Progress};
use crate::config::{DecoderConfig, gguf, hugging_face};
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
use crate::weights::{Store, Weights};

/// A model before it runs.
pub(super) struct Parts {
    decoder: LlamaDecoder,
    config: DecoderConfig,
    tokenizer: Tokenizer,
    /// Complete but for the context.
    info: ModelInfo,
}

/// Reads a model folder.
pub(super) fn read_folder(files: &Files, progress: &dyn Fn(Progress)) -> Result<Parts, LoadError> {
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
pub(super) fn read_gguf(file: ModelFile, progress: &dyn Fn(Progress)) -> Result<Parts, LoadError> {
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
pub(super) fn start(parts: Parts, options: &LoadOptions) -> Result<Arc<dyn TextModel>, LoadError> {
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
