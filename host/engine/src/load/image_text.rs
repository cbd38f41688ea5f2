//! From files to a running model of pictures and texts.

use std::ops::ControlFlow;

use rayon::ThreadPool;

use super::{Inspection, Listener, LoadOptions, ONNX, Progress, SAFETENSORS, beside};
use crate::architecture::{Ability, CLIP};
use crate::config::image_text::{self, ImageTextConfig};
use crate::error::LoadError;
use crate::image_text::{ImageTextForward, ImageTextInfo, ImageTextModel, Network, OnnxPair, Rules};
use crate::model::clip::Clip;
use crate::source::Files;
use crate::tokenizer::{TOKENIZER, Tokenizer, clip};
use crate::weights::safetensors::Safetensors;
use crate::weights::{Reading, Store, Weights};

/// What a folder holds.
pub(super) enum Kind {
    /// Weights, and what they are.
    Towers(Box<ImageTextConfig>),
    /// Two graphs.
    Onnx,
}

/// What a folder holds; `None` where it is another's.
pub(super) fn find(files: &Files) -> Result<Option<Kind>, LoadError> {
    if OnnxPair::is_there(files) {
        return Ok(Some(Kind::Onnx));
    }
    Ok(image_text::describe(files)?.map(|config| Kind::Towers(Box::new(config))))
}

/// Reads the folder of a model and starts it.
pub(super) fn model(
    files: &Files,
    kind: &Kind,
    options: &LoadOptions,
    pool: ThreadPool,
    progress: Listener<'_>,
) -> Result<ImageTextModel, LoadError> {
    match kind {
        Kind::Towers(config) => towers(files, config, options, pool, progress),
        Kind::Onnx => onnx(files, options, pool, progress),
    }
}

fn towers(
    files: &Files,
    config: &ImageTextConfig,
    options: &LoadOptions,
    pool: ThreadPool,
    progress: Listener<'_>,
) -> Result<ImageTextModel, LoadError> {
    let reading = Some(Reading { pool: &pool, progress });
    let (tokenizer, network) = beside(|| tokenizer(files), || network(files, config, reading))?;
    let (parameters, weight_bytes) = network.size();
    let info = ImageTextInfo {
        architecture: CLIP.to_owned(),
        format: SAFETENSORS.to_owned(),
        parameters,
        weight_bytes,
        context_tokens: context_tokens(config.clip.context_tokens, options)?,
        vocab_tokens: narrow(config.clip.vocab),
        dimensions: narrow(config.clip.dimensions),
        image_size: narrow(config.clip.vision.side()),
    };
    let network = Network::Clip(Box::new(network));
    let forward = ImageTextForward { network, normalisation: config.preparation.normalisation() };
    let rules = Rules { preparation: config.preparation.clone(), end: config.end };
    ImageTextModel::start(forward, tokenizer, rules, info, options, pool)
}

fn onnx(
    files: &Files,
    options: &LoadOptions,
    pool: ThreadPool,
    progress: Listener<'_>,
) -> Result<ImageTextModel, LoadError> {
    let (tokenizer, pair) = beside(|| tokenizer(files), || pool.install(|| OnnxPair::load(files)))?;
    let (parameters, weight_bytes) = pair.size();
    if progress(Progress { loaded_bytes: weight_bytes, total_bytes: weight_bytes }) == ControlFlow::Break(()) {
        return Err(LoadError::Cancelled);
    }
    let preparation = image_text::usual_preparation(files, pair.side as u32)?;
    let normalisation = preparation.normalisation();
    let info = ImageTextInfo {
        architecture: CLIP.to_owned(),
        format: ONNX.to_owned(),
        parameters,
        weight_bytes,
        context_tokens: context_tokens(pair.context_tokens, options)?,
        vocab_tokens: tokenizer.vocab_tokens(),
        dimensions: narrow(pool.install(|| pair.dimensions(&normalisation))?),
        image_size: narrow(pair.side),
    };
    let forward = ImageTextForward { network: Network::Onnx(Box::new(pair)), normalisation };
    ImageTextModel::start(forward, tokenizer, Rules { preparation, end: None }, info, options, pool)
}

/// What a model's folder says.
pub(super) fn inspect(files: &Files, kind: &Kind, options: &LoadOptions) -> Result<Inspection, LoadError> {
    let (format, own, (parameters, weight_bytes)) = match kind {
        Kind::Towers(config) => (SAFETENSORS, config.clip.context_tokens, network(files, config, None)?.size()),
        Kind::Onnx => {
            let pair = OnnxPair::load(files)?;
            (ONNX, pair.context_tokens, pair.size())
        }
    };
    Ok(Inspection {
        ability: Ability::ImageText,
        architecture: CLIP.to_owned(),
        format: format.to_owned(),
        quantization: None,
        parameters,
        weight_bytes,
        kv_bytes: 0,
        context_tokens: context_tokens(own, options)?,
    })
}

/// Both towers.
///
/// * `reading`: `None` for their sizes alone.
fn network(files: &Files, config: &ImageTextConfig, reading: Option<Reading<'_>>) -> Result<Clip, LoadError> {
    let store = Safetensors::open(files)?;
    Clip::load(&config.clip, &mut Weights::new(Store::Safetensors(&store), reading))
}

/// Tokens of the longest text: room for the two around it, and one of its own.
///
/// * `own`: tokens that the network takes.
fn context_tokens(own: usize, options: &LoadOptions) -> Result<u32, LoadError> {
    if own < 3 {
        return Err(LoadError::malformed("config.json", format!("{own} positions hold no text")));
    }
    Ok(narrow(options.context_tokens_max.map_or(own, |max| own.min(max as usize)).max(3)))
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The tokenizer: `tokenizer.json`, or the files from which it is made.
fn tokenizer(files: &Files) -> Result<Tokenizer, LoadError> {
    if files.has(TOKENIZER) || !files.has(clip::VOCABULARY) {
        return Tokenizer::parse(TOKENIZER, &files.read_text(TOKENIZER)?, Some(clip::BEGIN), Some(clip::END), &[]);
    }
    let json = clip::tokenizer_json(&files.read_text(clip::VOCABULARY)?, &files.read_text(clip::MERGES)?)?;
    Tokenizer::parse(clip::VOCABULARY, &json, Some(clip::BEGIN), Some(clip::END), &[])
}
