//! `config.json`, `generation_config.json` and `tokenizer_config.json` of a model folder.

use serde::Deserialize;
use serde_json::Value;

use super::{DecoderConfig, RopeConfig, RopeScaling};
use crate::architecture;
use crate::error::LoadError;
use crate::source::Files;
use crate::text_model::SamplingDefaults;

pub(super) const CONFIG: &str = "config.json";
const GENERATION_CONFIG: &str = "generation_config.json";
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const CHAT_TEMPLATE: &str = "chat_template.jinja";

/// What a model folder says of itself.
pub(crate) struct Description {
    pub(crate) decoder: DecoderConfig,
    /// Ids that end a sequence.
    pub(crate) eos_ids: Vec<u32>,
    pub(crate) bos_token: Option<String>,
    pub(crate) eos_token: Option<String>,
    pub(crate) chat_template: Option<String>,
    pub(crate) defaults: SamplingDefaults,
}

/// `config.json`, as far as it matters.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    architectures: Vec<String>,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    rms_norm_eps: Option<f32>,
    rope_theta: Option<f32>,
    rope_scaling: Option<Rope>,
    /// As transformers 5 writes it: theta and scaling together.
    rope_parameters: Option<Rope>,
    max_position_embeddings: usize,
    tie_word_embeddings: Option<bool>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    hidden_act: Option<String>,
    partial_rotary_factor: Option<f32>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    eos_token_id: Option<Ids>,
}

/// Rotary parameters.
#[derive(Deserialize)]
struct Rope {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f32>,
    factor: Option<f32>,
    low_freq_factor: Option<f32>,
    high_freq_factor: Option<f32>,
    original_max_position_embeddings: Option<f32>,
    partial_rotary_factor: Option<f32>,
}

/// One id or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Ids {
    One(u32),
    Many(Vec<u32>),
}

/// `generation_config.json`, as far as it matters.
#[derive(Default, Deserialize)]
struct GenerationConfig {
    do_sample: Option<bool>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<u32>,
    repetition_penalty: Option<f32>,
    eos_token_id: Option<Ids>,
}

/// `tokenizer_config.json`, as far as it matters.
#[derive(Default, Deserialize)]
struct TokenizerConfig {
    #[serde(default)]
    bos_token: Value,
    #[serde(default)]
    eos_token: Value,
    #[serde(default)]
    chat_template: Value,
}

/// Reads the description of a model folder.
///
/// # Errors
/// [`LoadError`] naming the file.
pub(crate) fn describe(files: &Files) -> Result<Description, LoadError> {
    let config: Config = parse(CONFIG, &files.read_text(CONFIG)?)?;
    let generation: GenerationConfig = parse_optional(files, GENERATION_CONFIG)?;
    let tokenizer: TokenizerConfig = parse_optional(files, TOKENIZER_CONFIG)?;
    let template = files.read_optional(CHAT_TEMPLATE)?;
    let template = match template {
        Some(text) => Some(String::from_utf8(text).map_err(|error| LoadError::malformed(CHAT_TEMPLATE, error))?),
        None => default_template(&tokenizer.chat_template),
    };
    let mut eos_ids = ids(&config.eos_token_id);
    eos_ids.extend(ids(&generation.eos_token_id));
    Ok(Description {
        decoder: config.into_decoder()?.check(CONFIG)?,
        eos_ids,
        bos_token: token_text(&tokenizer.bos_token),
        eos_token: token_text(&tokenizer.eos_token),
        chat_template: template,
        defaults: generation.into_defaults(),
    })
}

impl Config {
    /// The family and its shape.
    fn into_decoder(self) -> Result<DecoderConfig, LoadError> {
        let class = self.architectures.first().map_or("", String::as_str);
        let Some(architecture) = architecture::decoder_of_class(class) else {
            return Err(LoadError::UnsupportedArchitecture(class.to_owned()));
        };
        let activation = self.hidden_act.as_deref().unwrap_or("silu");
        if activation != "silu" && activation != "swish" {
            return Err(LoadError::Unsupported(format!("activation {activation:?}")));
        }
        let heads = self.num_attention_heads;
        let head_dim = match self.head_dim {
            Some(head_dim) => head_dim,
            None if heads == 0 || !self.hidden_size.is_multiple_of(heads) => {
                let reason = format!("hidden size {} does not divide into {heads} heads", self.hidden_size);
                return Err(LoadError::malformed(CONFIG, reason));
            }
            None => self.hidden_size / heads,
        };
        let is_qwen2 = architecture == "qwen2";
        let attention_bias = self.attention_bias.unwrap_or(false);
        Ok(DecoderConfig {
            architecture: architecture.to_owned(),
            vocab: self.vocab_size,
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads,
            kv_heads: self.num_key_value_heads.unwrap_or(heads),
            head_dim,
            norm_epsilon: self.rms_norm_eps.unwrap_or(1e-6),
            context_tokens: self.context(architecture)?,
            is_tied: self.tie_word_embeddings.unwrap_or(false),
            has_attention_bias: is_qwen2 || attention_bias,
            has_output_bias: !is_qwen2 && attention_bias,
            has_feed_forward_bias: self.mlp_bias.unwrap_or(false),
            has_head_norms: architecture == "qwen3",
            rope: self.rope()?,
        })
    }

    /// The context in which every token sees all before it.
    fn context(&self, architecture: &str) -> Result<usize, LoadError> {
        // Mistral always slides its window; qwen only where it says so.
        let slides = self.use_sliding_window.unwrap_or(architecture == "mistral");
        match self.sliding_window {
            Some(0) => Err(LoadError::malformed(CONFIG, "sliding window of 0 tokens")),
            // Up to the window's width a model with a window is one without.
            Some(window) if slides => Ok(self.max_position_embeddings.min(window)),
            _ => Ok(self.max_position_embeddings),
        }
    }

    /// Rotary parameters, wherever they are written.
    fn rope(&self) -> Result<RopeConfig, LoadError> {
        let parameters = self.rope_parameters.as_ref();
        let scaling = parameters.or(self.rope_scaling.as_ref());
        let theta = parameters.and_then(|rope| rope.rope_theta).or(self.rope_theta).unwrap_or(10_000.0);
        let partial = scaling.and_then(|rope| rope.partial_rotary_factor).or(self.partial_rotary_factor);
        if partial.is_some_and(|share| share != 1.0) {
            return Err(LoadError::Unsupported("partial rotary embedding".to_owned()));
        }
        let scaling = scaling.map_or(Ok(RopeScaling::None), Rope::scaling)?;
        Ok(RopeConfig { theta, scaling, is_interleaved: false })
    }
}

impl Rope {
    /// How frequencies are stretched.
    fn scaling(&self) -> Result<RopeScaling, LoadError> {
        let needed = |value: Option<f32>, name: &str| {
            value.ok_or_else(|| LoadError::malformed(CONFIG, format!("rope scaling lacks {name}")))
        };
        match self.rope_type.as_deref().unwrap_or("default") {
            "default" => Ok(RopeScaling::None),
            "linear" => Ok(RopeScaling::Linear { factor: needed(self.factor, "factor")? }),
            "llama3" => Ok(RopeScaling::Llama3 {
                factor: needed(self.factor, "factor")?,
                low: needed(self.low_freq_factor, "low_freq_factor")?,
                high: needed(self.high_freq_factor, "high_freq_factor")?,
                original: needed(self.original_max_position_embeddings, "original_max_position_embeddings")?,
            }),
            other => Err(LoadError::Unsupported(format!("rope scaling {other:?}"))),
        }
    }
}

impl GenerationConfig {
    /// What it advises. Numbers that no request could have are dropped.
    fn into_defaults(self) -> SamplingDefaults {
        let temperature = match self.do_sample {
            Some(false) => Some(0.0),
            Some(true) | None => self.temperature.filter(|value| (0.0..=100.0).contains(value)),
        };
        SamplingDefaults {
            temperature,
            top_p: self.top_p.filter(|&value| value > 0.0 && value <= 1.0),
            top_k: self.top_k,
            repetition_penalty: self.repetition_penalty.filter(|value| (0.01..=100.0).contains(value)),
        }
    }
}

/// Parses a JSON file.
pub(super) fn parse<'a, T: Deserialize<'a>>(file: &str, json: &'a [u8]) -> Result<T, LoadError> {
    serde_json::from_slice(json).map_err(|error| LoadError::malformed(file, error))
}

/// Parses a JSON file that may be absent.
pub(super) fn parse_optional<T: Default + serde::de::DeserializeOwned>(
    files: &Files,
    file: &str,
) -> Result<T, LoadError> {
    files.read_optional(file)?.map_or_else(|| Ok(T::default()), |json| parse(file, &json))
}

/// All ids of a field.
pub(super) fn ids(field: &Option<Ids>) -> Vec<u32> {
    match field {
        None => Vec::new(),
        Some(Ids::One(id)) => vec![*id],
        Some(Ids::Many(ids)) => ids.clone(),
    }
}

/// A token's text, written plainly or as an added token.
pub(super) fn token_text(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value.get("content").and_then(Value::as_str));
    text.map(str::to_owned)
}

/// The template, or of several the one called `default`.
fn default_template(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let named = value.as_array()?.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some("default"));
    named?.get("template")?.as_str().map(str::to_owned)
}
