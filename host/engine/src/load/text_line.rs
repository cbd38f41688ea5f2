//! From files to a running model that reads lines.

use std::sync::Arc;

use rayon::ThreadPool;

use super::{Inspection, Listener, LoadOptions, SAFETENSORS, beside};
use crate::architecture::{Ability, VISION_ENCODER_DECODER};
use crate::config::text_line::TextLineConfig;
use crate::error::LoadError;
use crate::model::line_decoder::LineDecoder;
use crate::model::tower::Naming;
use crate::model::vit::{Vit, VitNames};
use crate::source::Files;
use crate::text_line::{OcrInfo, OcrModel, TextLineForward};
use crate::tokenizer::{TOKENIZER, Tokenizer, clip, roberta};
use crate::weights::safetensors::Safetensors;
use crate::weights::{Reading, Store, Weights};

/// Reads the folder of a model and starts it.
pub(super) fn model(
    files: &Files,
    config: &TextLineConfig,
    options: &LoadOptions,
    pool: ThreadPool,
    progress: Listener<'_>,
) -> Result<OcrModel, LoadError> {
    let reading = Some(Reading { pool: &pool, progress });
    let (tokenizer, (encoder, decoder)) = beside(|| tokenizer(files), || network(files, config, reading))?;
    let (parameters, weight_bytes) = size(&encoder, &decoder);
    let info = OcrInfo {
        architecture: VISION_ENCODER_DECODER.to_owned(),
        format: SAFETENSORS.to_owned(),
        parameters,
        weight_bytes,
        context_tokens: narrow(config.tokens_max),
        vocab_tokens: narrow(config.decoder.vocab),
        image_size: narrow(config.encoder.side),
    };
    let forward = TextLineForward {
        encoder,
        decoder,
        normalisation: config.preparation.normalisation(),
        tokenizer: Arc::new(tokenizer),
        start: config.start,
        ends: config.ends.clone(),
        tokens_max: config.tokens_max,
    };
    OcrModel::start(forward, config.preparation.clone(), info, options, pool)
}

/// What the headers of a model's folder say.
pub(super) fn inspect(files: &Files, config: &TextLineConfig) -> Result<Inspection, LoadError> {
    let (encoder, decoder) = network(files, config, None)?;
    let (parameters, weight_bytes) = size(&encoder, &decoder);
    Ok(Inspection {
        ability: Ability::ReadLine,
        architecture: VISION_ENCODER_DECODER.to_owned(),
        format: SAFETENSORS.to_owned(),
        quantization: None,
        parameters,
        weight_bytes,
        kv_bytes: 0,
        context_tokens: narrow(config.tokens_max),
    })
}

/// Both halves.
///
/// * `reading`: `None` for their sizes alone.
fn network(
    files: &Files,
    config: &TextLineConfig,
    reading: Option<Reading<'_>>,
) -> Result<(Vit, LineDecoder), LoadError> {
    let store = Safetensors::open(files)?;
    let mut weights = Weights::new(Store::Safetensors(&store), reading);
    let marks: &[&str] = if config.is_distilled {
        &["encoder.embeddings.cls_token", "encoder.embeddings.distillation_token"]
    } else {
        &["encoder.embeddings.cls_token"]
    };
    let names = VitNames {
        patches: "encoder.embeddings.patch_embeddings.projection",
        has_patch_bias: true,
        marks,
        positions: "encoder.embeddings.position_embeddings",
        first_norm: None,
        last_norm: "encoder.layernorm",
        naming: Naming::Vit,
        blocks: "encoder.encoder.layer",
    };
    let encoder = Vit::load(&config.encoder, &names, &mut weights)?;
    Ok((encoder, LineDecoder::load(&config.decoder, &mut weights)?))
}

fn size(encoder: &Vit, decoder: &LineDecoder) -> (u64, u64) {
    let (encoder, decoder) = (encoder.size(), decoder.size());
    (encoder.0 + decoder.0, encoder.1 + decoder.1)
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The tokenizer: `tokenizer.json`, or the files from which it is made.
fn tokenizer(files: &Files) -> Result<Tokenizer, LoadError> {
    let (begin, end) = (Some("<s>"), Some("</s>"));
    if files.has(TOKENIZER) || !files.has(clip::VOCABULARY) {
        return Tokenizer::parse(TOKENIZER, &files.read_text(TOKENIZER)?, begin, end, &[]);
    }
    let json = roberta::tokenizer_json(&files.read_text(clip::VOCABULARY)?, &files.read_text(clip::MERGES)?)?;
    Tokenizer::parse(clip::VOCABULARY, &json, begin, end, &[])
}
