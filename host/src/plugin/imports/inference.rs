//! `inference`: text from models.

use std::collections::BTreeMap;

use mimus_engine::{Constraint, EngineError, Finish, Piece, Token};
use wasmtime::component::Resource;

use crate::inference::{InferenceError, Options, Prompt, Running};
use crate::limits;
use crate::plugin::bindings::personality::mimus::plugin::inference as wit;
use crate::plugin::chat::{Message, RenderOptions, Rendered};
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    async fn generate(
        &mut self,
        model: String,
        prompt: wit::Prompt,
        options: wit::Options,
    ) -> wasmtime::Result<Result<Resource<Running>, wit::Error>> {
        self.count_call()?;
        let options = match self.options(options) {
            Ok(options) => options,
            Err(error) => return Ok(Err(error)),
        };
        let prompt = match prompt {
            wit::Prompt::Text(text) => Prompt::Text(text),
            wit::Prompt::Tokens(tokens) => Prompt::Tokens(tokens),
        };
        let inference = self.services.inference.clone();
        let running = self.wait(inference.generate(&model, prompt, options)).await;
        self.hand_out(running)
    }

    async fn chat(
        &mut self,
        model: String,
        messages: Vec<Message>,
        render: RenderOptions,
        options: wit::Options,
    ) -> wasmtime::Result<Result<Resource<Running>, wit::Error>> {
        self.count_call()?;
        let options = match self.options(options) {
            Ok(options) => options,
            Err(error) => return Ok(Err(error)),
        };
        let inference = self.services.inference.clone();
        let running = self.wait(inference.chat(&model, messages, render, options)).await;
        self.hand_out(running)
    }

    async fn render_chat(
        &mut self,
        model: String,
        messages: Vec<Message>,
        render: RenderOptions,
    ) -> wasmtime::Result<Result<Rendered, wit::Error>> {
        self.count_call()?;
        let inference = self.services.inference.clone();
        Ok(self.wait(inference.render_chat(&model, messages, render)).await.map_err(to_wit))
    }

    async fn tokenize(
        &mut self,
        model: String,
        text: String,
        add_special_tokens: bool,
    ) -> wasmtime::Result<Result<Vec<u32>, wit::Error>> {
        self.count_call()?;
        let inference = self.services.inference.clone();
        Ok(self.wait(inference.tokenize(&model, text, add_special_tokens)).await.map_err(to_wit))
    }

    async fn detokenize(
        &mut self,
        model: String,
        tokens: Vec<u32>,
        skip_special_tokens: bool,
    ) -> wasmtime::Result<Result<String, wit::Error>> {
        self.count_call()?;
        let inference = self.services.inference.clone();
        Ok(self.wait(inference.detokenize(&model, &tokens, skip_special_tokens)).await.map_err(to_wit))
    }

    async fn cancel_tagged(&mut self, tag: String) -> wasmtime::Result<u32> {
        self.count_call()?;
        Ok(self.services.inference.cancel_tagged(&self.identity.name, &tag))
    }
}

impl wit::HostGeneration for Guest {
    async fn prompt_tokens(&mut self, generation: Resource<Running>) -> wasmtime::Result<u32> {
        self.count_call()?;
        Ok(self.table.get(&generation)?.prompt_tokens())
    }

    async fn cached_tokens(&mut self, generation: Resource<Running>) -> wasmtime::Result<u32> {
        self.count_call()?;
        Ok(self.table.get(&generation)?.cached_tokens())
    }

    async fn next(
        &mut self,
        generation: Resource<Running>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Piece>, wit::Error>> {
        self.count_call()?;
        self.rest();
        let start = std::time::Instant::now();
        let max = (max.max(1) as usize).min(limits::PIECES_MAX);
        let pieces = self.table.get_mut(&generation)?.next(max).await;
        self.add_wait(start.elapsed());
        Ok(pieces.map(|pieces| pieces.into_iter().map(to_piece).collect()).map_err(to_wit))
    }

    async fn collect(
        &mut self,
        generation: Resource<Running>,
    ) -> wasmtime::Result<Result<Vec<wit::Completion>, wit::Error>> {
        self.count_call()?;
        self.rest();
        let start = std::time::Instant::now();
        let running = self.table.get_mut(&generation)?;
        let mut choices = BTreeMap::new();
        let collected = loop {
            match running.next(limits::PIECES_MAX).await {
                Ok(pieces) if pieces.is_empty() => break Ok(choices.into_values().collect()),
                Ok(pieces) => pieces.into_iter().for_each(|piece| append(&mut choices, piece)),
                Err(error) => break Err(to_wit(error)),
            }
        };
        self.add_wait(start.elapsed());
        Ok(collected)
    }

    async fn drop(&mut self, generation: Resource<Running>) -> wasmtime::Result<()> {
        self.table.delete(generation)?;
        Ok(())
    }
}

impl Guest {
    fn hand_out(
        &mut self,
        running: Result<Running, InferenceError>,
    ) -> wasmtime::Result<Result<Resource<Running>, wit::Error>> {
        Ok(match running {
            Ok(running) => {
                self.charge_work(&running);
                Ok(self.table.push(running)?)
            }
            Err(error) => Err(to_wit(error)),
        })
    }

    pub(super) fn options(&self, options: wit::Options) -> Result<Options, wit::Error> {
        let constraint = options.constraint.map(to_constraint).transpose()?;
        if options.tag.as_ref().is_some_and(|tag| tag.len() > limits::TAG_BYTES_MAX) {
            return Err(invalid("tag", format!("must be at most {} bytes", limits::TAG_BYTES_MAX)));
        }
        let mut options = Options {
            choices: options.choices,
            tokens_max: options.tokens_max,
            tokens_open_max: None,
            tokens_min: options.tokens_min,
            temperature: options.temperature,
            top_p: options.top_p,
            top_k: options.top_k,
            min_p: options.min_p,
            repetition_penalty: options.repetition_penalty,
            presence_penalty: options.presence_penalty,
            frequency_penalty: options.frequency_penalty,
            logit_bias: options.logit_bias,
            seed: options.seed,
            stop: options.stop,
            stop_tokens: options.stop_tokens,
            ignore_eos: options.ignore_eos,
            include_stop: options.include_stop,
            skip_special_tokens: options.skip_special_tokens,
            logprobs: options.logprobs,
            prompt_logprobs: options.prompt_logprobs,
            logprobs_of: Vec::new(),
            token_ids: options.token_ids,
            shown_special_tokens: Vec::new(),
            constraint,
            tenant: self.tenant,
            tag: options.tag.map(|tag| (self.identity.name.clone(), tag)),
        };
        self.bound_work(&mut options)?;
        Ok(options)
    }
}

fn to_constraint(constraint: wit::Constraint) -> Result<Constraint, wit::Error> {
    let bytes = match &constraint {
        wit::Constraint::JsonObject => 0,
        wit::Constraint::JsonSchema(text) | wit::Constraint::Regex(text) | wit::Constraint::Grammar(text) => text.len(),
        wit::Constraint::Choice(texts) => texts.iter().map(String::len).sum(),
    };
    if bytes > limits::CONSTRAINT_BYTES_MAX {
        return Err(invalid("constraint", format!("must be at most {} bytes", limits::CONSTRAINT_BYTES_MAX)));
    }
    Ok(match constraint {
        wit::Constraint::JsonObject => Constraint::JsonObject,
        wit::Constraint::JsonSchema(schema) => Constraint::JsonSchema(schema),
        wit::Constraint::Regex(pattern) => Constraint::Regex(pattern),
        wit::Constraint::Grammar(text) => Constraint::Lark(text),
        wit::Constraint::Choice(texts) => Constraint::Choice(texts),
    })
}

fn append(choices: &mut BTreeMap<u32, wit::Completion>, piece: Piece) {
    let choice = choices.entry(piece.choice).or_insert_with(|| wit::Completion {
        choice: piece.choice,
        text: String::new(),
        tokens: Vec::new(),
        generated: 0,
        finish: wit::Finish { reason: wit::FinishReason::Stop, stop_string: None, stop_token: None },
    });
    choice.text.push_str(&piece.text);
    choice.tokens.extend(piece.prompt.into_iter().chain(piece.tokens).map(to_token));
    choice.generated = piece.generated_tokens;
    if let Some(finish) = piece.finish {
        choice.finish = to_finish(finish);
    }
}

fn to_piece(piece: Piece) -> wit::Piece {
    wit::Piece {
        choice: piece.choice,
        text: piece.text,
        tokens: piece.prompt.into_iter().chain(piece.tokens).map(to_token).collect(),
        generated: piece.generated_tokens,
        finish: piece.finish.map(to_finish),
    }
}

pub(super) fn to_token(token: Token) -> wit::TokenLogprob {
    wit::TokenLogprob {
        id: token.id,
        bytes: token.bytes,
        logprob: token.logprob,
        top: token.top.into_iter().map(|top| (top.id, top.bytes, top.logprob)).collect(),
    }
}

pub(super) fn to_finish(finish: Finish) -> wit::Finish {
    let (reason, stop_string, stop_token) = match finish {
        Finish::Eos => (wit::FinishReason::Stop, None, None),
        Finish::StopToken(token) => (wit::FinishReason::Stop, None, Some(token)),
        Finish::StopString(text) => (wit::FinishReason::Stop, Some(text), None),
        Finish::Length => (wit::FinishReason::Length, None, None),
    };
    wit::Finish { reason, stop_string, stop_token }
}

fn invalid(field: &str, reason: String) -> wit::Error {
    wit::Error::Invalid(wit::InvalidValue { field: field.to_owned(), reason })
}

/// The engine's names of fields, in the contract's words.
fn field_name(field: &str) -> String {
    match field {
        "stop_strings" => "stop".to_owned(),
        other => other.replace('_', "-"),
    }
}

pub(super) fn to_wit(error: InferenceError) -> wit::Error {
    match error {
        InferenceError::UnknownModel(name) => wit::Error::UnknownModel(name),
        InferenceError::NotReady(why) => wit::Error::ModelNotReady(why),
        InferenceError::Template(why) => wit::Error::Template(why),
        InferenceError::Unsupported(what) => wit::Error::Unsupported(what),
        InferenceError::Cancelled => wit::Error::Cancelled,
        InferenceError::Engine(error) => match error {
            EngineError::PromptTooLong { limit, prompt, wanted } => {
                wit::Error::ContextExceeded(wit::ContextExcess { limit, prompt, wanted })
            }
            EngineError::Invalid { field, reason } => invalid(&field_name(field), reason),
            EngineError::Overloaded { retry_after } => {
                wit::Error::Overloaded(u32::try_from(retry_after.as_millis()).unwrap_or(u32::MAX))
            }
            EngineError::Unsupported(what) => wit::Error::Unsupported(what.to_string()),
            EngineError::ShuttingDown => wit::Error::Cancelled,
            other => wit::Error::Failed(other.to_string()),
        },
    }
}
