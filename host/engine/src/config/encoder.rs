//! The shape of an encoder of the BERT family, from `config.json`.

use serde::Deserialize;

use super::hugging_face::{CONFIG, parse};
use super::{check_count, is_positive};
use crate::architecture;
use crate::error::LoadError;
use crate::limits;
use crate::model::kernel::activations::Activation;
use crate::source::Files;

/// Which names the weights have, and what little differs in the computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Positions from 0.
    Bert,
    /// As BERT, but positions begin after the id of padding: roberta, xlm-roberta, camembert.
    Roberta,
    /// BERT without token types, under other names.
    DistilBert,
    /// As BERT, with another head.
    Electra,
    /// Positions as roberta's, and a bias by the distance of two tokens.
    Mpnet,
}

/// The shape of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EncoderConfig {
    pub(crate) family: Family,
    /// `model_type` of the file.
    pub(crate) architecture: String,
    pub(crate) vocab: usize,
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    /// Rows of the table of positions.
    pub(crate) positions: usize,
    /// Rows of the table of token types; 0 where there is none.
    pub(crate) types: usize,
    pub(crate) norm_epsilon: f32,
    pub(crate) activation: Activation,
    /// The token that fills up rows. Roberta gives it no position of its own.
    pub(crate) padding: u32,
    /// Buckets of the bias by distance.
    pub(crate) buckets: usize,
    /// Whether a head that scores follows it.
    pub(crate) is_scorer: bool,
}

/// What tells an encoder from a decoder, and one that scores from one that does not.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    model_type: String,
    #[serde(default)]
    architectures: Option<Vec<String>>,
}

/// `config.json`, as far as it matters. Distilbert has names of its own.
#[derive(Deserialize)]
struct Config {
    vocab_size: usize,
    #[serde(alias = "dim")]
    hidden_size: usize,
    /// Electra's, whose small models widen it.
    embedding_size: Option<usize>,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    max_position_embeddings: usize,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f32>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    pad_token_id: Option<u32>,
    position_embedding_type: Option<String>,
    relative_attention_num_buckets: Option<usize>,
    #[serde(default)]
    is_decoder: bool,
}

/// Reads the shape of an encoder; `None` where the folder is a decoder's.
///
/// # Errors
/// [`LoadError`] naming the file.
pub(crate) fn describe(files: &Files) -> Result<Option<EncoderConfig>, LoadError> {
    let json = files.read_text(CONFIG)?;
    let kind: Kind = parse(CONFIG, &json)?;
    let Some(family) = architecture::encoder_of_type(&kind.model_type) else { return Ok(None) };
    let encoder = parse::<Config>(CONFIG, &json)?.into_encoder(family, kind.model_type)?;
    let class = kind.architectures.unwrap_or_default().into_iter().next().unwrap_or_default();
    Ok(Some(EncoderConfig { is_scorer: architecture::is_scorer(&class), ..encoder }))
}

impl Config {
    /// Checks it as a whole.
    fn into_encoder(self, family: Family, architecture: String) -> Result<EncoderConfig, LoadError> {
        let wrong = |reason: String| Err(LoadError::malformed(CONFIG, reason));
        check_count(CONFIG, "vocabulary", self.vocab_size, limits::VOCAB_MAX)?;
        check_count(CONFIG, "hidden size", self.hidden_size, limits::WIDTH_MAX)?;
        check_count(CONFIG, "intermediate size", self.intermediate_size, limits::WIDTH_MAX)?;
        check_count(CONFIG, "number of layers", self.num_hidden_layers, limits::LAYERS_MAX)?;
        check_count(CONFIG, "number of heads", self.num_attention_heads, self.hidden_size)?;
        check_count(CONFIG, "number of positions", self.max_position_embeddings, limits::CONTEXT_TOKENS_MAX)?;
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let (hidden, heads) = (self.hidden_size, self.num_attention_heads);
            return wrong(format!("hidden size {hidden} does not divide into {heads} heads"));
        }
        let has_types = matches!(family, Family::Bert | Family::Roberta | Family::Electra);
        let types = if has_types { self.type_vocab_size.unwrap_or(2) } else { 0 };
        if has_types {
            check_count(CONFIG, "number of token types", types, limits::WIDTH_MAX)?;
        }
        let norm_epsilon = self.layer_norm_eps.unwrap_or(1e-12);
        if !is_positive(norm_epsilon) {
            return wrong(format!("norm epsilon {norm_epsilon} is not above 0"));
        }
        let padding = self.pad_token_id.unwrap_or(if has_positions_after_padding(family) { 1 } else { 0 });
        if has_positions_after_padding(family) && padding as usize + 1 >= self.max_position_embeddings {
            return wrong(format!("padding {padding} leaves none of {} positions", self.max_position_embeddings));
        }
        let buckets = self.relative_attention_num_buckets.unwrap_or(32);
        if family == Family::Mpnet && (!buckets.is_multiple_of(4) || !(4..=1_024).contains(&buckets)) {
            return wrong(format!("distance buckets must be 4 to 1024 in steps of 4, not {buckets}"));
        }
        if self.position_embedding_type.as_deref().is_some_and(|kind| kind != "absolute") {
            return Err(LoadError::Unsupported("relative positions".to_owned()));
        }
        if self.embedding_size.is_some_and(|size| family == Family::Electra && size != self.hidden_size) {
            return Err(LoadError::Unsupported("embeddings of another width than the layers".to_owned()));
        }
        if self.is_decoder {
            return Err(LoadError::Unsupported(format!("{architecture} as a decoder")));
        }
        let activation = super::activation(self.hidden_act.as_deref().unwrap_or("gelu"))?;
        Ok(EncoderConfig {
            family,
            architecture,
            vocab: self.vocab_size,
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            positions: self.max_position_embeddings,
            types,
            norm_epsilon,
            activation,
            padding,
            buckets,
            is_scorer: false,
        })
    }
}

/// Whether positions are counted from the one after padding's id.
fn has_positions_after_padding(family: Family) -> bool {
    matches!(family, Family::Roberta | Family::Mpnet)
}

impl EncoderConfig {
    /// The position of a sequence's first token.
    pub(crate) fn first_position(&self) -> usize {
        if has_positions_after_padding(self.family) { self.padding as usize + 1 } else { 0 }
    }

    /// Token types that tell two texts of one sequence apart; 0 where the architecture is told of none.
    pub(crate) fn pair_types(&self) -> usize {
        if matches!(self.family, Family::Bert | Family::Electra) { self.types } else { 0 }
    }

    /// Tokens of the longest sequence that has positions.
    pub(crate) fn context_tokens(&self) -> usize {
        self.positions - self.first_position()
    }
}
