//! The shape of a model that reads a line of text in a picture, from `config.json`.
//!
//! Source: transformers 5.23, `VisionEncoderDecoderModel` with `ViTModel` or `DeiTModel` and `TrOCRForCausalLM`.

use mimus_vision::antialias::Filter;
use serde::Deserialize;

use super::hugging_face::{CONFIG, Ids, ids, parse, parse_optional};
use super::image_text::check_vit;
use super::{activation, check_count, pictures};
use crate::architecture::VISION_ENCODER_DECODER;
use crate::error::LoadError;
use crate::limits;
use crate::model::line_decoder::LineDecoderConfig;
use crate::model::tower::TowerConfig;
use crate::model::vit::VitConfig;
use crate::pictures::{Fit, Preparation};
use crate::source::Files;

const GENERATION_CONFIG: &str = "generation_config.json";

/// What the files say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextLineConfig {
    pub(crate) encoder: VitConfig,
    /// Whether the encoder has a second row before the patches.
    pub(crate) is_distilled: bool,
    pub(crate) decoder: LineDecoderConfig,
    pub(crate) preparation: Preparation,
    /// The token before the first.
    pub(crate) start: u32,
    /// Tokens that end a line.
    pub(crate) ends: Vec<u32>,
    /// Tokens of the longest line.
    pub(crate) tokens_max: usize,
}

/// `config.json`, as far as it matters.
#[derive(Deserialize)]
struct Config {
    encoder: Encoder,
    decoder: Decoder,
    decoder_start_token_id: Option<u32>,
    eos_token_id: Option<Ids>,
    max_length: Option<usize>,
}

#[derive(Deserialize)]
struct Encoder {
    model_type: String,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    hidden_act: Option<String>,
    layer_norm_eps: Option<f32>,
    image_size: usize,
    patch_size: usize,
    num_channels: Option<usize>,
    qkv_bias: Option<bool>,
}

#[derive(Deserialize)]
struct Decoder {
    model_type: String,
    vocab_size: usize,
    d_model: usize,
    decoder_layers: usize,
    decoder_attention_heads: usize,
    decoder_ffn_dim: usize,
    activation_function: Option<String>,
    max_position_embeddings: usize,
    cross_attention_hidden_size: Option<usize>,
    scale_embedding: Option<bool>,
    use_learned_position_embeddings: Option<bool>,
    layernorm_embedding: Option<bool>,
    decoder_start_token_id: Option<u32>,
    eos_token_id: Option<Ids>,
    pad_token_id: Option<u32>,
}

/// `generation_config.json`, as far as it matters.
#[derive(Default, Deserialize)]
struct Generation {
    decoder_start_token_id: Option<u32>,
    eos_token_id: Option<Ids>,
    max_length: Option<usize>,
}

/// What tells a model of this kind from others.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    model_type: String,
}

/// Reads the shape of a model that reads lines; `None` where the folder is another's.
///
/// # Errors
/// [`LoadError`] naming the file.
pub(crate) fn describe(files: &Files) -> Result<Option<TextLineConfig>, LoadError> {
    let Some(json) = files.read_optional(CONFIG)? else { return Ok(None) };
    if parse::<Kind>(CONFIG, &json)?.model_type != VISION_ENCODER_DECODER {
        return Ok(None);
    }
    let config: Config = parse(CONFIG, &json)?;
    let generation: Generation = parse_optional(files, GENERATION_CONFIG)?;
    let encoder = config.encoder.shape()?;
    let decoder = config.decoder.shape(encoder.tower.hidden)?;
    let start = generation.decoder_start_token_id.or(config.decoder_start_token_id);
    let start = start.or(config.decoder.decoder_start_token_id).unwrap_or(2);
    let ends = [&generation.eos_token_id, &config.eos_token_id, &config.decoder.eos_token_id];
    let ends = ends.into_iter().map(ids).find(|ids| !ids.is_empty()).unwrap_or_else(|| vec![2]);
    if start as usize >= decoder.vocab {
        return Err(LoadError::malformed(CONFIG, format!("token {start} is not below {}", decoder.vocab)));
    }
    let wanted = generation.max_length.or(config.max_length).unwrap_or(limits::LINE_TOKENS);
    // The first token is the one before the line.
    let tokens_max = wanted.saturating_sub(1).min(decoder.positions).clamp(1, limits::LINE_TOKENS_MAX);
    let side = encoder.side as u32;
    let usual =
        Preparation { fit: Fit::Stretch { side }, filter: Filter::Bilinear, mean: [0.5; 3], deviation: [0.5; 3] };
    Ok(Some(TextLineConfig {
        is_distilled: config.encoder.model_type == "deit",
        preparation: pictures::describe(files, side, usual)?,
        encoder,
        decoder,
        start,
        ends,
        tokens_max,
    }))
}

impl Encoder {
    fn shape(&self) -> Result<VitConfig, LoadError> {
        if !matches!(self.model_type.as_str(), "vit" | "deit") || self.num_channels.is_some_and(|count| count != 3) {
            return Err(LoadError::Unsupported(format!("pictures read by {:?}", self.model_type)));
        }
        let tower = TowerConfig {
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            norm_epsilon: self.layer_norm_eps.unwrap_or(1e-12),
            activation: activation(self.hidden_act.as_deref().unwrap_or("gelu"))?,
            is_causal: false,
            has_mix_bias: self.qkv_bias.unwrap_or(true),
        };
        let shape = VitConfig { side: self.image_size, patch: self.patch_size, tower };
        check_vit(CONFIG, &shape)?;
        Ok(shape)
    }
}

impl Decoder {
    /// * `source`: width of the encoder's rows.
    fn shape(&self, source: usize) -> Result<LineDecoderConfig, LoadError> {
        if self.model_type != "trocr" {
            return Err(LoadError::Unsupported(format!("lines written by {:?}", self.model_type)));
        }
        let (hidden, heads) = (self.d_model, self.decoder_attention_heads);
        check_count(CONFIG, "decoder's hidden size", hidden, limits::WIDTH_MAX)?;
        check_count(CONFIG, "decoder's intermediate size", self.decoder_ffn_dim, limits::WIDTH_MAX)?;
        check_count(CONFIG, "decoder's number of layers", self.decoder_layers, limits::LAYERS_MAX)?;
        check_count(CONFIG, "decoder's number of heads", heads, hidden)?;
        check_count(CONFIG, "decoder's number of positions", self.max_position_embeddings, limits::CONTEXT_TOKENS_MAX)?;
        check_count(CONFIG, "vocabulary", self.vocab_size, limits::VOCAB_MAX)?;
        if !hidden.is_multiple_of(heads) {
            let reason = format!("decoder's hidden size {hidden} does not divide into {heads} heads");
            return Err(LoadError::malformed(CONFIG, reason));
        }
        if self.cross_attention_hidden_size.is_some_and(|width| width != source) {
            return Err(LoadError::malformed(CONFIG, format!("the decoder does not take rows of {source} numbers")));
        }
        let is_learned = self.use_learned_position_embeddings.unwrap_or(true);
        if !is_learned && hidden < 4 {
            return Err(LoadError::malformed(CONFIG, format!("{hidden} numbers hold no position")));
        }
        Ok(LineDecoderConfig {
            vocab: self.vocab_size,
            hidden,
            intermediate: self.decoder_ffn_dim,
            layers: self.decoder_layers,
            heads,
            activation: activation(self.activation_function.as_deref().unwrap_or("gelu"))?,
            positions: self.max_position_embeddings,
            is_learned,
            scale: if self.scale_embedding.unwrap_or(false) { (hidden as f32).sqrt() } else { 1.0 },
            has_embedding_norm: self.layernorm_embedding.unwrap_or(true),
            source,
            has_bridge: self.cross_attention_hidden_size.is_none() && source != hidden,
            padding: self.pad_token_id.unwrap_or(1),
        })
    }
}
