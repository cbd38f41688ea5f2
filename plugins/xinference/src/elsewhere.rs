//! What this dialect leaves to others.

use mimus_sdk::{Request, Response};

use crate::refusal::Refusal;

/// `POST /v1/messages`, `POST /v1/messages/count_tokens`.
pub(crate) fn messages(_: &Request, _: &mut Response) -> Result<(), Refusal> {
    Err(Refusal::new(501, "Not implemented: Anthropic's messages. Use /v1/chat/completions."))
}

/// `POST /v1/responses`.
pub(crate) fn responses(_: &Request, _: &mut Response) -> Result<(), Refusal> {
    Err(Refusal::new(501, "Not implemented: OpenAI's responses. Use /v1/chat/completions."))
}
