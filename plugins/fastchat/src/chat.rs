//! `POST /v1/chat/completions`, and `POST /api/v1/chat/completions`, which also takes a repetition penalty.

mod stream;
mod whole;

use mimus_sdk::chat::{Message, RenderOptions};
use mimus_sdk::inference::{self, Error, Generation, Options, Prompt};
use mimus_sdk::models::Model;
use mimus_sdk::{Request, Response};
use serde::Deserialize;

use crate::messages::{self, Messages};
use crate::names::{self, Purpose};
use crate::refusal::Refusal;
use crate::sampling::{Sampling, Stop};

/// Fields that are not named here are ignored, as FastChat ignores them.
#[derive(Deserialize)]
struct ChatRequest {
    model: String,
    messages: Messages,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    n: Option<i64>,
    max_tokens: Option<i64>,
    stop: Option<Stop>,
    stream: Option<bool>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    /// Only the second path looks at it.
    repetition_penalty: Option<f64>,
    #[serde(rename = "user")]
    _user: Option<String>,
}

/// A request that is sound, as far as that shows without the model.
struct Chat {
    /// As the client called it.
    name: String,
    model: Model,
    input: Input,
    options: Options,
}

enum Input {
    /// `messages` was a string: a prompt that the client has made itself.
    Prompt(Prompt),
    Conversation(Vec<Message>),
}

/// `POST /v1/chat/completions`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    answer(ChatRequest { repetition_penalty: None, ..request.json()? }, response)
}

/// `POST /api/v1/chat/completions`.
pub(crate) fn create_general(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    answer(request.json()?, response)
}

fn answer(body: ChatRequest, response: &mut Response) -> Result<(), Refusal> {
    let is_stream = body.stream.unwrap_or(false);
    let chat = parse(body)?;
    let generation = chat.start()?;
    match is_stream {
        true => stream::answer(&chat, generation, response),
        false => whole::answer(&chat, generation, response),
    }
}

/// In FastChat's order: the model, the values, the conversation.
fn parse(body: ChatRequest) -> Result<Chat, Refusal> {
    let model = names::find(&body.model, Purpose::Text)?;
    let sampling = Sampling {
        n: body.n,
        max_tokens: body.max_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        presence_penalty: body.presence_penalty,
        frequency_penalty: body.frequency_penalty,
        repetition_penalty: body.repetition_penalty,
        stop: body.stop,
    };
    let options = sampling.into_options()?;
    let input = match body.messages {
        Messages::Prompt(text) => Input::Prompt(Prompt::Text(text)),
        Messages::Conversation(messages) => Input::Conversation(messages::parse(messages, &body.model)?),
    };
    Ok(Chat { name: body.model, model, input, options })
}

impl Chat {
    /// An answer that may be longer than the context leaves room for is cut to that, not refused.
    fn start(&self) -> Result<Generation, Refusal> {
        match self.begin(&self.options) {
            Err(Error::ContextExceeded(excess)) if excess.prompt < excess.limit => {
                let left = excess.limit - excess.prompt;
                Ok(self.begin(&Options { tokens_max: Some(left), ..self.options.clone() })?)
            }
            begun => Ok(begun?),
        }
    }

    fn begin(&self, options: &Options) -> Result<Generation, Error> {
        match &self.input {
            Input::Prompt(prompt) => inference::generate(&self.model.name, prompt, options),
            Input::Conversation(messages) => {
                inference::chat(&self.model.name, messages, &RenderOptions::default(), options)
            }
        }
    }
}
