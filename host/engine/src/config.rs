//! The shape of a model, read from a model's own description and checked before anything is allocated.

pub(crate) mod encoder;
pub(crate) mod gguf;
pub(crate) mod hugging_face;
pub(crate) mod image_text;
mod open_clip;
pub(crate) mod pictures;
pub(crate) mod scorer;
pub(crate) mod sentence;
pub(crate) mod text_line;

use crate::error::LoadError;
use crate::limits;
use crate::model::kernel::activations::Activation;

/// Widest head.
const HEAD_DIM_MAX: usize = 1_024;

/// The shape of a decoder of the Llama family.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DecoderConfig {
    /// `llama`, `mistral`, `qwen2` or `qwen3`.
    pub(crate) architecture: String,
    pub(crate) vocab: usize,
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) norm_epsilon: f32,
    pub(crate) rope: RopeConfig,
    /// Tokens that the model was made for.
    pub(crate) context_tokens: usize,
    /// Whether the head is the embedding.
    pub(crate) is_tied: bool,
    /// Whether query, key and value have biases.
    pub(crate) has_attention_bias: bool,
    /// Whether the attention's output has a bias.
    pub(crate) has_output_bias: bool,
    /// Whether gate, up and down have biases.
    pub(crate) has_feed_forward_bias: bool,
    /// Whether queries and keys are normalised, head by head.
    pub(crate) has_head_norms: bool,
}

/// Rotary position embedding.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RopeConfig {
    pub(crate) theta: f32,
    pub(crate) scaling: RopeScaling,
    /// Whether pairs are neighbours, as in the weights of llama's GGUF files, or half a head apart.
    pub(crate) is_interleaved: bool,
}

/// How frequencies are stretched for long contexts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RopeScaling {
    /// Not at all.
    None,
    /// All by one factor.
    Linear { factor: f32 },
    /// Slow ones by `factor`, fast ones not at all; `original` is the context of the first training in tokens.
    Llama3 { factor: f32, low: f32, high: f32, original: f32 },
    /// Each by its own divisor, `[head_dim / 2]`.
    Divisors(Vec<f32>),
}

impl DecoderConfig {
    /// Refuses shapes that cannot be, or that pass a bound.
    ///
    /// * `file`: where the description came from, for messages.
    pub(crate) fn check(self, file: &str) -> Result<Self, LoadError> {
        check_count(file, "vocabulary", self.vocab, limits::VOCAB_MAX)?;
        check_count(file, "hidden size", self.hidden, limits::WIDTH_MAX)?;
        check_count(file, "intermediate size", self.intermediate, limits::WIDTH_MAX)?;
        check_count(file, "number of layers", self.layers, limits::LAYERS_MAX)?;
        check_count(file, "number of heads", self.heads, limits::WIDTH_MAX)?;
        check_count(file, "number of key-value heads", self.kv_heads, self.heads)?;
        check_count(file, "head size", self.head_dim, HEAD_DIM_MAX)?;
        check_count(file, "context", self.context_tokens, limits::CONTEXT_TOKENS_MAX)?;
        check_count(file, "width of all heads", self.heads * self.head_dim, limits::WIDTH_MAX)?;
        let wrong = |reason: String| Err(LoadError::malformed(file, reason));
        if !self.heads.is_multiple_of(self.kv_heads) {
            return wrong(format!("{} heads do not divide into {} key-value heads", self.heads, self.kv_heads));
        }
        if !self.head_dim.is_multiple_of(2) {
            return wrong(format!("head size {} is odd", self.head_dim));
        }
        if !(self.norm_epsilon >= 0.0 && self.norm_epsilon < 1.0) {
            return wrong(format!("norm epsilon {} is not between 0 and 1", self.norm_epsilon));
        }
        if !(self.rope.theta.is_finite() && self.rope.theta > 0.0) {
            return wrong(format!("rope theta {} is not above 0", self.rope.theta));
        }
        let is_sound = match &self.rope.scaling {
            RopeScaling::None => true,
            RopeScaling::Linear { factor } => is_positive(*factor),
            RopeScaling::Llama3 { factor, low, high, original } => {
                [*factor, *low, *high, *original].into_iter().all(is_positive) && low < high
            }
            RopeScaling::Divisors(divisors) => {
                divisors.len() == self.head_dim / 2 && divisors.iter().copied().all(is_positive)
            }
        };
        if is_sound { Ok(self) } else { wrong(format!("rope scaling {:?} makes no sense", self.rope.scaling)) }
    }
}

/// Refuses counts outside `1..=max`.
fn check_count(file: &str, what: &str, count: usize, max: usize) -> Result<(), LoadError> {
    if (1..=max).contains(&count) {
        return Ok(());
    }
    Err(LoadError::malformed(file, format!("{what} must be 1 to {max}, not {count}")))
}

/// What a feed-forward layer computes, by its name.
fn activation(name: &str) -> Result<Activation, LoadError> {
    match name {
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
        "quick_gelu" => Ok(Activation::QuickGelu),
        "relu" => Ok(Activation::Relu),
        other => Err(LoadError::Unsupported(format!("activation {other:?}"))),
    }
}

/// A number to divide by.
fn is_positive(number: f32) -> bool {
    number.is_finite() && number > 0.0
}
