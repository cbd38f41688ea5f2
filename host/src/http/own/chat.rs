//! `/_mimus/chat`: a conversation in the neutral form that the command line speaks.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::error_reply;
use crate::http::body::{self, Body, Source};
use crate::http::exchange::Exchange;
use crate::http::reply::{build, refuse};
use crate::inference::{InferenceError, Options};
use crate::limits;
use crate::plugin::Header;
use crate::plugin::chat::{Message, Part, RenderOptions, Role};
use crate::server::Shared;

/// The request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatRequest {
    model: Option<String>,
    messages: Vec<ChatMessage>,
    temperature: Option<f32>,
    tokens_max: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatMessage {
    role: String,
    content: String,
}

/// Answers with JSON lines: `{"text": …}` for each piece, then `{"finish": …}` or `{"error": …}`.
pub(super) async fn respond(shared: &Arc<Shared>, request: Request<Incoming>, exchange: Exchange) -> Response<Body> {
    let bytes = match body::read(request.into_body(), limits::BODY_BYTES_DEFAULT).await {
        Ok(bytes) => bytes,
        Err(error) => return refuse(&error.into(), None, exchange),
    };
    let chat = match serde_json::from_slice::<ChatRequest>(&bytes) {
        Ok(chat) => chat,
        Err(error) => return error_reply(400, &error.to_string(), exchange),
    };
    let messages: Result<Vec<Message>, String> = chat.messages.into_iter().map(message).collect();
    let messages = match messages {
        Ok(messages) => messages,
        Err(error) => return error_reply(400, &error, exchange),
    };
    let Some(model) = chat.model.or_else(|| shared.catalog.default_name()) else {
        return error_reply(404, "no model is loaded", exchange);
    };
    let render = RenderOptions {
        format: None,
        source: None,
        tools: Vec::new(),
        add_generation_prompt: true,
        continue_final_message: false,
        variables: Vec::new(),
    };
    let options = Options {
        choices: 1,
        temperature: chat.temperature,
        tokens_max: chat.tokens_max,
        skip_special_tokens: true,
        ..Options::default()
    };
    let mut running = match shared.inference.chat(&model, messages, render, options).await {
        Ok(running) => running,
        Err(error) => return error_reply(chat_status(&error), &error.to_string(), exchange),
    };
    let (sender, pieces) = mpsc::channel(limits::RESPONSE_CHUNKS_MAX);
    tokio::spawn(async move {
        let line = |value: Value| Bytes::from(format!("{value}\n"));
        loop {
            let pieces = match running.next(limits::PIECES_MAX).await {
                Ok(pieces) if pieces.is_empty() => return,
                Ok(pieces) => pieces,
                Err(error) => {
                    let _ = sender.send(line(json!({"error": error.to_string()}))).await;
                    return;
                }
            };
            let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            if !text.is_empty() && sender.send(line(json!({"text": text}))).await.is_err() {
                return;
            }
            if let Some(piece) = pieces.iter().find(|piece| piece.finish.is_some()) {
                let reason = if piece.finish == Some(mimus_engine::Finish::Length) { "length" } else { "stop" };
                let _ = sender.send(line(json!({"finish": reason, "tokens": piece.generated_tokens}))).await;
            }
        }
    });
    let headers = vec![Header { name: "content-type".into(), value: "application/x-ndjson".into() }];
    build(200, headers, Source::Pieces(pieces), exchange)
}

fn message(message: ChatMessage) -> Result<Message, String> {
    let role = match message.role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => return Err(format!("role `{}` is not system, user or assistant", other.escape_debug())),
    };
    Ok(Message {
        role,
        name: None,
        content: vec![Part::Text(message.content)],
        reasoning: None,
        tool_calls: Vec::new(),
        tool_call_id: None,
    })
}

fn chat_status(error: &InferenceError) -> u16 {
    use mimus_engine::EngineError;
    match error {
        InferenceError::UnknownModel(_) => 404,
        InferenceError::NotReady(_) | InferenceError::Cancelled => 503,
        InferenceError::Engine(EngineError::Overloaded { .. }) => 429,
        InferenceError::Engine(EngineError::Invalid { .. } | EngineError::PromptTooLong { .. }) => 400,
        InferenceError::Engine(_) => 500,
        _ => 400,
    }
}
