//! A request as the engine takes it, and the checks it must pass.

use std::sync::Arc;

use crate::error::EngineError;
use crate::grammar::Grammar;
use crate::limits;
use crate::text_model::ModelInfo;

/// One prompt and how to continue it.
///
/// Checked as a whole by [`TextModel::submit`](crate::TextModel::submit): ranges, finite numbers, ids inside
/// the vocabulary, and the bound on the work that the fields multiply to.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerateRequest {
    /// Token ids of the prompt, at least one.
    pub prompt: Vec<u32>,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// Continuations of the prompt, 1 to [`limits::CHOICES_MAX`]. The prompt is computed once.
    pub choices: u32,
    /// Most tokens a choice generates. `None`: the rest of the context. 0 only scores the prompt.
    pub tokens_max: Option<u32>,
    /// Tokens a choice generates before an end, a stop token or a stop string counts.
    pub tokens_min: u32,
    /// Texts that end a choice. The text itself is left out unless `include_stop`.
    pub stop_strings: Vec<String>,
    /// Tokens that end a choice, besides the model's own end tokens.
    pub stop_tokens: Vec<u32>,
    /// Whether the model's own end tokens are generated through.
    pub ignore_eos: bool,
    /// Whether the stop string, or the token that ended the choice, is part of the output.
    pub include_stop: bool,
    /// Whether special tokens give no text.
    pub skip_special: bool,
    /// What the text must be like, from [`TextModel::compile`](crate::TextModel::compile) of the same model. A choice
    /// ends when nothing may follow, even where `ignore_eos` or `tokens_min` says otherwise; a stop string, a stop
    /// token and `tokens_max` end it before.
    pub grammar: Option<Arc<Grammar>>,
    /// Special tokens that give text all the same.
    pub shown_special: Vec<u32>,
    /// Alternatives reported with each token, 0 to [`limits::LOGPROBS_MAX`]; `Some(0)` reports the chosen
    /// token alone, `None` nothing.
    pub logprobs: Option<u32>,
    /// Tokens whose log-probabilities in place of each choice's first token are reported, likely or not:
    /// [`Piece::logprobs_of`](crate::Piece::logprobs_of). At most [`limits::LOGPROBS_OF_MAX`]; with `tokens_max` 1 this is
    /// how a model answers with a number, such as the probability of "yes".
    pub logprobs_of: Vec<u32>,
    /// Whether the prompt is scored: [`Piece::prompt`](crate::Piece::prompt) of the first piece of choice 0.
    pub prompt_logprobs: bool,
    /// Whether pieces carry token ids; implied by `logprobs`.
    pub return_tokens: bool,
    /// Requests reuse each other's computed prompt prefixes only inside one scope, so that a tenant cannot
    /// measure what another one asked. The host derives it; it never comes from a client.
    pub cache_scope: u64,
}

impl GenerateRequest {
    /// A request for one greedy continuation of `prompt` to the end of the context.
    pub fn new(prompt: Vec<u32>) -> Self {
        Self {
            prompt,
            sampling: Sampling::default(),
            choices: 1,
            tokens_max: None,
            tokens_min: 0,
            stop_strings: Vec::new(),
            stop_tokens: Vec::new(),
            ignore_eos: false,
            include_stop: false,
            skip_special: true,
            grammar: None,
            shown_special: Vec::new(),
            logprobs: None,
            logprobs_of: Vec::new(),
            prompt_logprobs: false,
            return_tokens: false,
            cache_scope: 0,
        }
    }

    /// Checks every field against `info` and returns the tokens each choice may generate.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] naming the field, or [`EngineError::PromptTooLong`].
    pub(crate) fn check(&self, info: &ModelInfo) -> Result<u32, EngineError> {
        if !(1..=limits::CHOICES_MAX).contains(&self.choices) {
            let reason = format!("must be 1 to {}, not {}", limits::CHOICES_MAX, self.choices);
            return Err(EngineError::invalid("choices", reason));
        }
        check_count("stop_strings", self.stop_strings.len(), limits::STOPS_MAX)?;
        check_count("stop_tokens", self.stop_tokens.len(), limits::STOPS_MAX)?;
        for stop in &self.stop_strings {
            if stop.is_empty() || stop.len() > limits::STOP_BYTES_MAX {
                let reason = format!("each must have 1 to {} bytes", limits::STOP_BYTES_MAX);
                return Err(EngineError::invalid("stop_strings", reason));
            }
        }
        if self.logprobs.is_some_and(|top| top > limits::LOGPROBS_MAX) {
            let reason = format!("must be at most {}", limits::LOGPROBS_MAX);
            return Err(EngineError::invalid("logprobs", reason));
        }
        check_count("logprobs_of", self.logprobs_of.len(), limits::LOGPROBS_OF_MAX)?;
        let scores = self.prompt.len() as u64 * u64::from(self.logprobs.unwrap_or(0) + 1);
        if self.prompt_logprobs && scores > limits::PROMPT_LOGPROBS_MAX {
            let reason = format!("{scores} of the prompt pass {}", limits::PROMPT_LOGPROBS_MAX);
            return Err(EngineError::invalid("logprobs", reason));
        }
        self.sampling.check(info.vocab_tokens)?;
        check_ids("stop_tokens", &self.stop_tokens, info.vocab_tokens)?;
        check_ids("logprobs_of", &self.logprobs_of, info.vocab_tokens)?;
        let tokens_max = self.check_length(info)?;
        if tokens_max == 0 && !self.logprobs_of.is_empty() {
            return Err(EngineError::invalid("logprobs_of", "no token is generated with tokens_max 0"));
        }
        check_ids("prompt", &self.prompt, info.vocab_tokens)?;
        if self.tokens_min > tokens_max {
            let reason = format!("{} is more than the {tokens_max} tokens allowed", self.tokens_min);
            return Err(EngineError::invalid("tokens_min", reason));
        }
        Ok(tokens_max)
    }

    /// Fits prompt and output into the context and into the bound on work.
    fn check_length(&self, info: &ModelInfo) -> Result<u32, EngineError> {
        if self.prompt.is_empty() {
            return Err(EngineError::invalid("prompt", "must have at least one token"));
        }
        let limit = info.context_tokens;
        let prompt = u32::try_from(self.prompt.len()).unwrap_or(u32::MAX);
        let wanted = self.tokens_max.unwrap_or(1);
        if prompt.checked_add(wanted).is_none_or(|total| total > limit) {
            return Err(EngineError::PromptTooLong { limit, prompt, wanted });
        }
        let choices = u64::from(self.choices);
        let Some(tokens_max) = self.tokens_max else {
            let share = u32::try_from(limits::WORK_TOKENS_MAX / choices).unwrap_or(u32::MAX);
            return Ok((limit - prompt).min(share));
        };
        if choices * u64::from(tokens_max) > limits::WORK_TOKENS_MAX {
            let reason =
                format!("{} choices of {tokens_max} tokens pass {} in all", self.choices, limits::WORK_TOKENS_MAX);
            return Err(EngineError::invalid("tokens_max", reason));
        }
        Ok(tokens_max)
    }

    /// Whether a special token gives no text.
    pub(crate) fn hides(&self, id: u32) -> bool {
        self.skip_special && !self.shown_special.contains(&id)
    }

    /// Whether pieces carry tokens.
    pub(crate) fn wants_tokens(&self) -> bool {
        self.return_tokens || self.logprobs.is_some()
    }
}

/// How the next token is chosen from the model's logits.
///
/// Applied in this order, as transformers does: bias and penalties, the grammar, temperature, top-k, top-p, min-p.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits. 0 takes the most likely token, whatever the fields below say.
    pub temperature: f32,
    /// Keeps the `top_k` most likely tokens; 0 keeps all.
    pub top_k: u32,
    /// Keeps the most likely tokens whose probabilities reach `top_p`; in (0, 1], 1 keeps all.
    pub top_p: f32,
    /// Keeps tokens at least `min_p` times as likely as the most likely one; in [0, 1], 0 keeps all.
    pub min_p: f32,
    /// Divides positive and multiplies negative logits of tokens seen in prompt or output; above 0, 1 is off.
    ///
    /// Source: transformers, `RepetitionPenaltyLogitsProcessor`.
    pub repetition_penalty: f32,
    /// Subtracted once from tokens already generated; -2 to 2, 0 is off.
    pub presence_penalty: f32,
    /// Subtracted from tokens already generated, once for each time; -2 to 2, 0 is off.
    pub frequency_penalty: f32,
    /// Added to the logits of single tokens; ids inside the vocabulary, values from
    /// -[`limits::LOGIT_BIAS_ABS_MAX`] to the same.
    pub logit_bias: Vec<(u32, f32)>,
    /// Makes the choice of tokens reproducible, whatever runs beside it. `None` draws a fresh one.
    pub seed: Option<u64>,
}

impl Default for Sampling {
    /// Greedy: the most likely token, no penalty.
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: None,
        }
    }
}

impl Sampling {
    /// Checks every number.
    fn check(&self, vocab_tokens: u32) -> Result<(), EngineError> {
        check_range("temperature", self.temperature, 0.0, limits::TEMPERATURE_MAX)?;
        check_range("top_p", self.top_p, f32::MIN_POSITIVE, 1.0)?;
        check_range("min_p", self.min_p, 0.0, 1.0)?;
        check_range("repetition_penalty", self.repetition_penalty, 0.01, 100.0)?;
        check_range("presence_penalty", self.presence_penalty, -2.0, 2.0)?;
        check_range("frequency_penalty", self.frequency_penalty, -2.0, 2.0)?;
        check_count("logit_bias", self.logit_bias.len(), limits::LOGIT_BIAS_MAX)?;
        for &(id, bias) in &self.logit_bias {
            check_ids("logit_bias", &[id], vocab_tokens)?;
            check_range("logit_bias", bias, -limits::LOGIT_BIAS_ABS_MAX, limits::LOGIT_BIAS_ABS_MAX)?;
        }
        Ok(())
    }
}

/// Refuses numbers outside `low..=high`, and those that are none.
fn check_range(field: &'static str, value: f32, low: f32, high: f32) -> Result<(), EngineError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    // The smallest positive number reads better as an open bound.
    let low = if low == f32::MIN_POSITIVE { "above 0".to_owned() } else { low.to_string() };
    Err(EngineError::invalid(field, format!("must be {low} to {high}, not {value}")))
}

/// Refuses lists longer than `max`.
fn check_count(field: &'static str, count: usize, max: usize) -> Result<(), EngineError> {
    if count <= max {
        return Ok(());
    }
    Err(EngineError::invalid(field, format!("must have at most {max} entries, not {count}")))
}

/// Refuses ids outside the vocabulary.
fn check_ids(field: &'static str, ids: &[u32], vocab_tokens: u32) -> Result<(), EngineError> {
    match ids.iter().find(|&&id| id >= vocab_tokens) {
        None => Ok(()),
        Some(id) => {
            let reason = format!("token {id} is outside the vocabulary of {vocab_tokens}");
            Err(EngineError::invalid(field, reason))
        }
    }
}
