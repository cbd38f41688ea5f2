//! The shape of a decoder from the metadata of a GGUF file.

use super::{DecoderConfig, RopeConfig, RopeScaling};
use crate::architecture;
use crate::error::LoadError;
use crate::model::names::{LayerTensor, TensorName};
use crate::weights::gguf::Gguf;

/// Reads the shape.
///
/// # Errors
/// [`LoadError`] naming the key.
///
/// Source: the GGUF specification of ggml-org/ggml, `docs/gguf.md`; llama.cpp, `src/llama-model.cpp`.
pub(crate) fn describe(gguf: &Gguf) -> Result<DecoderConfig, LoadError> {
    let file = gguf.file_name().to_owned();
    let architecture = gguf.text("general.architecture").unwrap_or_default().to_owned();
    if !architecture::is_gguf_decoder(&architecture) {
        return Err(LoadError::UnsupportedArchitecture(architecture));
    }
    let key = |name: &str| format!("{architecture}.{name}");
    let count = |gguf: &Gguf, name: &str| {
        gguf.count(&key(name)).ok_or_else(|| LoadError::malformed(&file, format!("lacks {}", key(name))))
    };
    let hidden = count(gguf, "embedding_length")?;
    let heads = count(gguf, "attention.head_count")?;
    let head_dim = match gguf.count(&key("attention.key_length")) {
        Some(head_dim) => head_dim,
        None if heads == 0 || !hidden.is_multiple_of(heads) => {
            let reason = format!("hidden size {hidden} does not divide into {heads} heads");
            return Err(LoadError::malformed(&file, reason));
        }
        None => hidden / heads,
    };
    let rotated = gguf.count(&key("rope.dimension_count")).unwrap_or(head_dim);
    if rotated != head_dim {
        return Err(LoadError::Unsupported("partial rotary embedding".to_owned()));
    }
    let Some(vocab) = gguf.shape(&TensorName::Embedding.gguf()).and_then(|shape| shape.first().copied()) else {
        return Err(LoadError::tensor(&TensorName::Embedding.gguf(), "absent"));
    };
    let has = |tensor| gguf.shape(&TensorName::Layer(0, tensor).gguf()).is_some();
    let config = DecoderConfig {
        vocab,
        hidden,
        intermediate: count(gguf, "feed_forward_length")?,
        layers: count(gguf, "block_count")?,
        heads,
        kv_heads: gguf.count(&key("attention.head_count_kv")).unwrap_or(heads),
        head_dim,
        norm_epsilon: gguf.number(&key("attention.layer_norm_rms_epsilon")).unwrap_or(1e-5),
        context_tokens: count(gguf, "context_length")?,
        is_tied: gguf.shape(&TensorName::Head.gguf()).is_none(),
        has_attention_bias: architecture == "qwen2" || has(LayerTensor::QueryBias),
        has_output_bias: has(LayerTensor::OutputBias),
        has_feed_forward_bias: has(LayerTensor::GateBias),
        has_head_norms: architecture == "qwen3",
        rope: RopeConfig {
            theta: gguf.number(&key("rope.freq_base")).unwrap_or(10_000.0),
            scaling: scaling(gguf, &architecture)?,
            // The converter reorders llama's queries and keys so that pairs are neighbours.
            is_interleaved: architecture == "llama",
        },
        architecture,
    };
    config.check(&file)
}

/// How frequencies are stretched.
fn scaling(gguf: &Gguf, architecture: &str) -> Result<RopeScaling, LoadError> {
    if let Some(divisors) = gguf.small_vector(&TensorName::RopeDivisors.gguf())? {
        return Ok(RopeScaling::Divisors(divisors));
    }
    match gguf.text(&format!("{architecture}.rope.scaling.type")) {
        None | Some("none") => Ok(RopeScaling::None),
        Some("linear") => {
            let factor = gguf.number(&format!("{architecture}.rope.scaling.factor")).unwrap_or(1.0);
            Ok(RopeScaling::Linear { factor })
        }
        Some(other) => Err(LoadError::Unsupported(format!("rope scaling {other:?}"))),
    }
}
