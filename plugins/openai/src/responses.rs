//! `POST /v1/responses`: conversations as items, which the server can keep.
//!
//! What is kept lives in the host's store, one entry for each response, for [`stored::KEPT`]. The server does not show a plugin who
//! asks, so a response's id is its key: 142 bits of chance that only the answer tells. There is no list of responses.

mod items;
mod object;
mod request;
mod stored;
mod stream;
mod tools;
mod whole;

use mimus_sdk::answers::{self, Answer, ToolUse};
use mimus_sdk::chat::{Message, RenderOptions, Role};
use mimus_sdk::inference::{self, Options};
use mimus_sdk::{Request, Response};

use crate::error::ApiError;
use crate::messages::MESSAGES_MAX;
use items::Item;
use object::Fixed;
use request::ResponseRequest;
pub(crate) use stored::{cancel, delete, input_items, retrieve};

/// How often a conversation is cut with `truncation: auto` before its length is refused after all.
const CUTS_MAX: usize = 16;

/// A request that is sound, as far as that shows without the model.
struct Conversation {
    messages: Vec<Message>,
    render: RenderOptions,
    options: Options,
    tools: ToolUse,
    /// Alternatives for each token of the text; none: no logprobs.
    top_logprobs: Option<u32>,
    may_cut: bool,
    is_stream: bool,
    /// What every state of the response says alike.
    fixed: Fixed,
    /// The items of this request, as they are kept.
    input: Vec<Item>,
}

/// `POST /v1/responses`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let body: ResponseRequest = request.json()?;
    let mut conversation = request::parse(body)?;
    let answer = start(&mut conversation).map_err(of_inference)?;
    match conversation.is_stream {
        false => whole::answer(conversation, answer, response),
        true => stream::answer(conversation, answer, response),
    }
}

/// Starts the answer; with `truncation: auto` a conversation that is too long loses its oldest messages, but never instructions and
/// never the last.
fn start(conversation: &mut Conversation) -> Result<Answer, inference::Error> {
    let mut cuts = 0;
    loop {
        let Conversation { messages, render, options, tools, fixed, .. } = &*conversation;
        let excess = match answers::converse(&fixed.model, messages, render, options, tools) {
            Err(inference::Error::ContextExceeded(excess)) if conversation.may_cut && cuts < CUTS_MAX => excess,
            started => return started,
        };
        cuts += 1;
        let tokens = u64::from(excess.prompt) + u64::from(excess.wanted.max(1));
        let over = tokens.saturating_sub(u64::from(excess.limit)).max(1);
        // As many messages as hold that many tokens when all are of one length.
        let share = (over * messages.len() as u64).div_ceil(u64::from(excess.prompt.max(1)));
        if !cut(&mut conversation.messages, usize::try_from(share).unwrap_or(usize::MAX)) {
            return Err(inference::Error::ContextExceeded(excess));
        }
    }
}

/// Takes out the oldest `count` messages that may go, and the answers of tools whose call is gone. False: there was none.
fn cut(messages: &mut Vec<Message>, count: usize) -> bool {
    let last = messages.len().saturating_sub(1);
    let before = messages.len();
    let (mut index, mut gone, mut is_after_gone) = (0, 0, false);
    messages.retain(|message| {
        let may_go = message.role != Role::System && index < last;
        let goes = may_go && (gone < count || (is_after_gone && message.role == Role::Tool));
        index += 1;
        gone += usize::from(goes);
        is_after_gone = goes;
        !goes
    });
    messages.len() < before
}

/// An error of the model in the words of this endpoint.
fn of_inference(error: inference::Error) -> ApiError {
    ApiError::of_inference(error, "input")
        .renamed("max_tokens", "max_output_tokens")
        .renamed("response_format", "text.format")
        .renamed("logprobs", "top_logprobs")
}

/// Checks how long a conversation is, with all that came before.
fn check_length(messages: &[Message]) -> Result<(), ApiError> {
    match messages.len() {
        0 => Err(ApiError::invalid("input", "`input` must not be empty")),
        length if length > MESSAGES_MAX => {
            let message = format!("`input` and what came before must be at most {MESSAGES_MAX} messages, got {length}");
            Err(ApiError::invalid("input", message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
