//! `POST /v1/chat/completions`.

mod messages;
mod stream;
mod tools;
mod whole;

use std::collections::BTreeMap;

use mimus_sdk::answers::{self, ToolUse};
use mimus_sdk::chat::{Message, RenderOptions};
use mimus_sdk::inference::{FinishReason, Options};
use mimus_sdk::{Request, Response};
use serde_json::value::RawValue;

use crate::generation::{self, Delivery, generation_request};
use crate::refusal::Refusal;
use crate::text_or::TextOr;
use crate::{running, thinking};
use messages::ChatMessage;
use tools::{GivenTool, ToolChoice};

/// Variables for the prompt's template, as the contract bounds them.
const VARIABLES_MAX: usize = 32;

/// JSON texts by name.
type Variables = BTreeMap<String, Box<RawValue>>;

generation_request! {
    struct ChatRequest {
        messages: Option<Vec<ChatMessage>>,
        tools: Option<Vec<GivenTool>>,
        tool_choice: Option<TextOr<ToolChoice>>,
        parallel_tool_calls: Option<bool>,
        chat_template_kwargs: Option<TextOr<Variables>>,
        enable_thinking: Option<bool>,
    }
}

/// A request that is sound, as far as that shows without the model.
struct Chat {
    uid: String,
    messages: Vec<Message>,
    render: RenderOptions,
    options: Options,
    tools: ToolUse,
    delivery: Delivery,
}

/// `POST /v1/chat/completions`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let chat = parse(request)?;
    let answer = answers::converse(&chat.uid, &chat.messages, &chat.render, &chat.options, &chat.tools)
        .map_err(|error| running::explain(error, &chat.uid, "text"))?;
    match chat.delivery.is_stream {
        true => stream::answer(&chat, answer, response),
        false => whole::answer(&chat, answer, response),
    }
}

fn parse(request: &Request) -> Result<Chat, Refusal> {
    let mut body: ChatRequest = request.json()?;
    let generation::Parsed { uid, mut options, delivery, enable_thinking } = body.generation().parse(request)?;
    let messages = messages::parse(body.messages.unwrap_or_default(), &uid)?;
    let tools = tools::parse(body.tools.unwrap_or_default(), body.tool_choice, body.parallel_tool_calls)?;
    if tools.exclude_text() {
        options.constraint = None;
    }
    let thinks = body.enable_thinking.or(enable_thinking);
    let render = RenderOptions {
        tools: tools.list,
        variables: variables(body.chat_template_kwargs, thinks, &uid)?,
        ..RenderOptions::default()
    };
    Ok(Chat { uid, messages, render, options, tools: tools.usage, delivery })
}

/// Variables by the names that templates have for them. What a request says of thinking goes before what the launch said.
fn variables(
    given: Option<TextOr<Variables>>,
    thinks: Option<bool>,
    uid: &str,
) -> Result<Vec<(String, String)>, Refusal> {
    let field = "chat_template_kwargs";
    let named = match given {
        None => Variables::new(),
        Some(TextOr::Other(named)) => named,
        Some(TextOr::Text(text)) => serde_json::from_str(&text)
            .map_err(|error| Refusal::bad(format!("Invalid input. `{field}` must be JSON of an object: {error}")))?,
    };
    let mut variables: Vec<(String, String)> =
        named.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect();
    let says_already = |name: &str| variables.iter().any(|(known, _)| known == name);
    let thinks = match thinks {
        None if says_already("enable_thinking") || says_already("thinking") => None,
        None => thinking::of(uid),
        said => said,
    };
    if let Some(thinks) = thinks {
        // Templates of different makers listen to one or the other.
        for name in ["enable_thinking", "thinking"] {
            variables.retain(|(known, _)| known != name);
            variables.push((name.into(), thinks.to_string()));
        }
    }
    match variables.len() <= VARIABLES_MAX {
        true => Ok(variables),
        false => Err(Refusal::bad(format!("Invalid input. `{field}` must have at most {VARIABLES_MAX} entries"))),
    }
}

fn finish_name(reason: FinishReason, has_calls: bool) -> &'static str {
    match reason {
        FinishReason::Stop if has_calls => "tool_calls",
        reason => generation::reason_name(reason),
    }
}

#[cfg(test)]
mod tests;
