//! What sentence-transformers writes beside a model: its modules, prompts and longest input.
//!
//! A folder without these files is read as sentence-transformers reads it: the mean of all tokens, not normalised.
//!
//! Source: sentence-transformers 6.2.0, `Transformer`, `Pooling`, `Dense`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::hugging_face::{TOKENIZER_CONFIG, parse, parse_optional, token_text};
use super::{check_count, encoder::EncoderConfig};
use crate::encoding::dense::DenseShape;
use crate::error::LoadError;
use crate::limits;
use crate::model::kernel::activations::Activation;
use crate::source::Files;

const MODULES: &str = "modules.json";
const MODULE_CONFIG: &str = "config.json";
pub(super) const PROMPTS: &str = "config_sentence_transformers.json";

/// Names that the file with the longest input has had.
const TRANSFORMER_CONFIGS: [&str; 5] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
];

/// How token rows become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    Cls,
    Max,
    Mean,
    /// The sum divided by the root of the count.
    MeanSqrt,
    /// Later tokens weigh more: 1, 2, 3 …
    WeightedMean,
    LastToken,
}

/// A step after the encoder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Module {
    /// Vectors of these kinds, one after the other.
    Pooling { kinds: Vec<Pooling>, includes_prompt: bool },
    /// A matrix from `folder`.
    Dense { folder: String, shape: DenseShape },
    /// Length 1.
    Normalize,
}

/// What the files say.
#[derive(Debug)]
pub(crate) struct SentenceConfig {
    /// The first one pools.
    pub(crate) modules: Vec<Module>,
    /// Texts put before inputs, by name.
    pub(crate) prompts: BTreeMap<String, String>,
    /// The prompt of inputs that name none.
    pub(crate) default_prompt: Option<String>,
    /// How texts are read.
    pub(crate) text: TextConfig,
}

/// How texts become tokens.
#[derive(Debug)]
pub(crate) struct TextConfig {
    /// Tokens of the longest input, those that the tokenizer adds included.
    pub(crate) context_tokens: usize,
    /// Whether text is lower-cased before all else.
    pub(crate) lowercases: bool,
    /// Texts of the tokens that begin and end a sequence.
    pub(crate) begin_token: Option<String>,
    /// See `begin_token`.
    pub(crate) end_token: Option<String>,
    /// Whether a tokenizer made from `vocab.txt` lower-cases.
    pub(crate) vocabulary_lowercases: bool,
    /// Whether the tokenizer says which tokens are of the second text.
    pub(crate) gives_types: bool,
}

/// An entry of `modules.json`.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    path: String,
    r#type: String,
}

/// `1_Pooling/config.json`: modes as newer versions write them, or one field each.
#[derive(Deserialize)]
struct PoolingConfig {
    pooling_mode: Option<OneOrMany>,
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
    #[serde(default)]
    pooling_mode_weightedmean_tokens: bool,
    #[serde(default)]
    pooling_mode_lasttoken: bool,
    include_prompt: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// `2_Dense/config.json`.
#[derive(Deserialize)]
struct DenseConfig {
    in_features: usize,
    out_features: usize,
    bias: Option<bool>,
    activation_function: Option<String>,
    #[serde(default)]
    use_residual: bool,
    module_input_name: Option<String>,
    module_output_name: Option<String>,
}

/// `sentence_bert_config.json`.
#[derive(Default, Deserialize)]
struct TransformerConfig {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

/// `config_sentence_transformers.json`.
#[derive(Default, Deserialize)]
struct PromptConfig {
    #[serde(default)]
    prompts: BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
}

/// `tokenizer_config.json`, as far as an encoder needs it.
#[derive(Default, Deserialize)]
struct TokenizerConfig {
    /// A float where there is no bound: 1e30.
    model_max_length: Option<f64>,
    do_lower_case: Option<bool>,
    tokenizer_class: Option<String>,
    model_input_names: Option<Vec<String>>,
    #[serde(default)]
    bos_token: Value,
    #[serde(default)]
    cls_token: Value,
    #[serde(default)]
    eos_token: Value,
    #[serde(default)]
    sep_token: Value,
}

/// Reads everything beside the encoder itself.
///
/// # Errors
/// [`LoadError`] naming the file; modules of another kind are unsupported.
pub(crate) fn describe(files: &Files, encoder: &EncoderConfig) -> Result<SentenceConfig, LoadError> {
    let prompts: PromptConfig = parse_optional(files, PROMPTS)?;
    let default_prompt = prompts.default_prompt_name.clone();
    Ok(SentenceConfig {
        modules: modules(files)?,
        prompts: prompts.check()?,
        default_prompt,
        text: describe_text(files, encoder)?,
    })
}

/// Reads how texts become tokens.
///
/// # Errors
/// [`LoadError`] naming the file.
pub(crate) fn describe_text(files: &Files, encoder: &EncoderConfig) -> Result<TextConfig, LoadError> {
    let tokenizer: TokenizerConfig = parse_optional(files, TOKENIZER_CONFIG)?;
    let transformer: TransformerConfig = match TRANSFORMER_CONFIGS.iter().find(|name| files.has(name)) {
        Some(name) => parse(name, &files.read_text(name)?)?,
        None => TransformerConfig::default(),
    };
    let stated = transformer.max_seq_length.filter(|&tokens| tokens > 0);
    let wanted = stated.unwrap_or_else(|| {
        // A float beyond the largest integer becomes that integer.
        tokenizer.model_max_length.filter(|tokens| *tokens >= 1.0).map_or(usize::MAX, |tokens| tokens as usize)
    });
    Ok(TextConfig {
        context_tokens: wanted.min(encoder.context_tokens()),
        lowercases: transformer.do_lower_case,
        begin_token: token_text(&tokenizer.cls_token).or_else(|| token_text(&tokenizer.bos_token)),
        end_token: token_text(&tokenizer.sep_token).or_else(|| token_text(&tokenizer.eos_token)),
        vocabulary_lowercases: tokenizer.do_lower_case.unwrap_or(true),
        gives_types: tokenizer.gives_types(),
    })
}

/// The steps after the encoder.
fn modules(files: &Files) -> Result<Vec<Module>, LoadError> {
    let mean = || Module::Pooling { kinds: vec![Pooling::Mean], includes_prompt: true };
    let Some(json) = files.read_optional(MODULES)? else {
        return Ok(vec![mean()]);
    };
    let entries: Vec<Entry> = parse(MODULES, &json)?;
    check_count(MODULES, "number of modules", entries.len(), limits::MODULES_MAX)?;
    let mut modules = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let kind = entry.r#type.rsplit('.').next().unwrap_or_default();
        match (index, kind) {
            (0, "Transformer") if entry.path.is_empty() => {}
            (0, "Transformer") => return Err(LoadError::Unsupported(format!("an encoder in {:?}", entry.path))),
            (1, "Pooling") => modules.push(pooling(&files.folder(&entry.path)?)?),
            (2.., "Dense") => modules.push(dense(files, &entry.path)?),
            (2.., "Normalize") => modules.push(Module::Normalize),
            _ => return Err(LoadError::Unsupported(format!("module {:?} in place {index}", entry.r#type))),
        }
    }
    if modules.is_empty() {
        return Err(LoadError::malformed(MODULES, "an encoder without pooling gives no vector"));
    }
    Ok(modules)
}

fn pooling(folder: &Files) -> Result<Module, LoadError> {
    let config: PoolingConfig = parse(MODULE_CONFIG, &folder.read_text(MODULE_CONFIG)?)?;
    let kinds = match config.pooling_mode {
        Some(OneOrMany::One(name)) => vec![Pooling::parse(&name)?],
        Some(OneOrMany::Many(names)) => {
            check_count(MODULE_CONFIG, "number of pooling modes", names.len(), 6)?;
            names.iter().map(|name| Pooling::parse(name)).collect::<Result<_, _>>()?
        }
        None => {
            let fields = [
                (config.pooling_mode_cls_token, Pooling::Cls),
                (config.pooling_mode_max_tokens, Pooling::Max),
                (config.pooling_mode_mean_tokens, Pooling::Mean),
                (config.pooling_mode_mean_sqrt_len_tokens, Pooling::MeanSqrt),
                (config.pooling_mode_weightedmean_tokens, Pooling::WeightedMean),
                (config.pooling_mode_lasttoken, Pooling::LastToken),
            ];
            let kinds: Vec<Pooling> = fields.into_iter().filter_map(|(is_on, kind)| is_on.then_some(kind)).collect();
            if kinds.is_empty() { vec![Pooling::Mean] } else { kinds }
        }
    };
    Ok(Module::Pooling { kinds, includes_prompt: config.include_prompt.unwrap_or(true) })
}

impl Pooling {
    fn parse(name: &str) -> Result<Self, LoadError> {
        match name {
            "cls" => Ok(Self::Cls),
            "max" => Ok(Self::Max),
            "mean" => Ok(Self::Mean),
            "mean_sqrt_len_tokens" => Ok(Self::MeanSqrt),
            "weightedmean" => Ok(Self::WeightedMean),
            "lasttoken" => Ok(Self::LastToken),
            other => Err(LoadError::Unsupported(format!("pooling {other:?}"))),
        }
    }
}

fn dense(files: &Files, folder: &str) -> Result<Module, LoadError> {
    let config: DenseConfig = parse(MODULE_CONFIG, &files.folder(folder)?.read_text(MODULE_CONFIG)?)?;
    check_count(MODULE_CONFIG, "in_features", config.in_features, limits::WIDTH_MAX)?;
    check_count(MODULE_CONFIG, "out_features", config.out_features, limits::WIDTH_MAX)?;
    let is_sentence = |name: Option<String>| name.is_none_or(|name| name == "sentence_embedding");
    if config.use_residual || !is_sentence(config.module_input_name) || !is_sentence(config.module_output_name) {
        return Err(LoadError::Unsupported("a dense module that is more than one matrix".to_owned()));
    }
    let function = config.activation_function.as_deref().unwrap_or("Tanh");
    let activation = match function.rsplit('.').next().unwrap_or_default() {
        "Tanh" => Activation::Tanh,
        "Identity" => Activation::Identity,
        "GELU" => Activation::Gelu,
        "ReLU" => Activation::Relu,
        _ => return Err(LoadError::Unsupported(format!("activation {function:?}"))),
    };
    Ok(Module::Dense {
        folder: folder.to_owned(),
        shape: DenseShape {
            inputs: config.in_features,
            outputs: config.out_features,
            has_bias: config.bias.unwrap_or(true),
            activation,
        },
    })
}

impl TokenizerConfig {
    /// Whether the model gets token types: where the file lists them among its inputs, else where its class does.
    ///
    /// Source: transformers 5.23, `model_input_names`.
    fn gives_types(&self) -> bool {
        match (&self.model_input_names, &self.tokenizer_class) {
            (Some(names), _) => names.iter().any(|name| name == "token_type_ids"),
            (None, Some(class)) => {
                let class = class.strip_suffix("Fast").unwrap_or(class);
                matches!(class, "BertTokenizer" | "ElectraTokenizer")
            }
            // Then the class is that of the model's type.
            (None, None) => true,
        }
    }
}

impl PromptConfig {
    /// The prompts, if they are in bounds and the default is one of them.
    fn check(self) -> Result<BTreeMap<String, String>, LoadError> {
        let prompts: BTreeMap<String, String> =
            self.prompts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
        let is_long = |text: &String| text.len() > limits::PROMPT_BYTES_MAX;
        if prompts.len() > limits::PROMPTS_MAX || prompts.values().any(is_long) {
            let reason = format!("at most {} prompts of {} bytes", limits::PROMPTS_MAX, limits::PROMPT_BYTES_MAX);
            return Err(LoadError::malformed(PROMPTS, reason));
        }
        Ok(prompts)
    }
}
