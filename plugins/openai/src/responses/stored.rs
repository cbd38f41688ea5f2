//! Responses that are kept: to go on from, to look at, to delete.

use std::time::Duration;

use mimus_sdk::chat::Message;
use mimus_sdk::{Request, Response, state};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Conversation;
use super::items::{self, Item};
use crate::error::ApiError;
use crate::fields;

/// How long a response is kept: as long as OpenAI keeps one.
pub(super) const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Responses in a row that a conversation goes back. Each is one look into the store.
const CHAIN_MAX: usize = 512;

/// Items of one page of `input_items`, and how many there are when the client does not say.
const PAGE_MAX: u64 = 100;
const PAGE_DEFAULT: u64 = 20;

/// What is kept of one response, besides the response itself.
#[derive(Serialize)]
struct Record<'a, R: Serialize> {
    response: R,
    input: &'a [Item],
}

#[derive(Deserialize)]
struct KeptRecord {
    response: Box<RawValue>,
    input: Vec<Item>,
}

/// What going on from a response needs of it.
#[derive(Deserialize)]
struct KeptResponse {
    output: Vec<Item>,
    previous_response_id: Option<String>,
}

fn key(id: &str) -> String {
    format!("response/{id}")
}

/// Keeps a response that is written already. False: there was no room for it.
pub(super) fn keep(conversation: &Conversation, response: &[u8]) -> bool {
    match serde_json::from_slice::<&RawValue>(response) {
        Ok(response) => keep_object(conversation, &response),
        Err(_) => false,
    }
}

/// Keeps a response. False: there was no room for it; an answer that is there is not lost because of that.
pub(super) fn keep_object(conversation: &Conversation, response: &impl Serialize) -> bool {
    let record = Record { response, input: &conversation.input };
    match state::put(&key(&conversation.fixed.id), &record, Some(KEPT)) {
        Ok(_) => true,
        Err(error) => {
            mimus_sdk::warn!("a response could not be kept: {error:?}");
            false
        }
    }
}

fn find(id: &str) -> Result<Option<KeptRecord>, ApiError> {
    let is_id = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !is_id {
        return Ok(None);
    }
    Ok(state::get(&key(id))?.map(|found| found.value))
}

fn found(id: &str) -> Result<KeptRecord, ApiError> {
    find(id)?.ok_or_else(|| ApiError::not_found(format!("Response with id '{id}' not found.")))
}

/// The conversation up to and with the response `id`, without instructions.
pub(super) fn push_messages(messages: &mut Vec<Message>, id: &str) -> Result<(), ApiError> {
    let mut chain = Vec::new();
    let mut next = Some(id.to_owned());
    while let Some(id) = next {
        let record = find(&id)?.ok_or_else(|| {
            let message = format!("Previous response with id '{id}' not found.");
            ApiError::invalid("previous_response_id", message).with_code("previous_response_not_found")
        })?;
        if chain.len() == CHAIN_MAX {
            let bounds = format!("the end of at most {CHAIN_MAX} responses");
            return Err(fields::out_of_bounds("previous_response_id", bounds, "more"));
        }
        let response: KeptResponse = serde_json::from_str(response_text(&record)).map_err(broken)?;
        next = response.previous_response_id;
        chain.push((record.input, response.output));
    }
    for (input, output) in chain.iter().rev() {
        items::push_messages(messages, input, "input")?;
        items::push_messages(messages, output, "input")?;
    }
    Ok(())
}

fn response_text(record: &KeptRecord) -> &str {
    record.response.get()
}

fn broken(error: serde_json::Error) -> ApiError {
    mimus_sdk::error!("a kept response has another form: {error}");
    ApiError::server(500, "the kept response cannot be read".into())
}

/// `GET /v1/responses/{id}`.
pub(crate) fn retrieve(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let record = found(request.param("id"))?;
    if request.query("stream").is_some_and(|stream| stream == "true") {
        let message = "`stream` is for responses in the background, which this server does not make";
        return Err(ApiError::unsupported("stream", message));
    }
    Ok(response.json(200, &record.response)?)
}

/// `DELETE /v1/responses/{id}`.
pub(crate) fn delete(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    #[derive(Serialize)]
    struct Deleted<'a> {
        id: &'a str,
        object: &'static str,
        deleted: bool,
    }
    let id = request.param("id");
    found(id)?;
    let deleted = state::delete(&key(id))?;
    Ok(response.json(200, &Deleted { id, object: "response", deleted })?)
}

/// `POST /v1/responses/{id}/cancel`: what is kept has ended.
pub(crate) fn cancel(request: &Request, _: &mut Response) -> Result<(), ApiError> {
    found(request.param("id"))?;
    Err(ApiError::not_found("Cannot cancel a synchronous response.").bad_request())
}

/// `GET /v1/responses/{id}/input_items`.
pub(crate) fn input_items(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    #[derive(Serialize)]
    struct Page<'a> {
        object: &'static str,
        data: Vec<&'a Item>,
        first_id: Option<&'a str>,
        last_id: Option<&'a str>,
        has_more: bool,
    }
    let mut items = found(request.param("id"))?.input;
    items.iter_mut().for_each(Item::normalize);
    let limit = match request.query("limit") {
        None => PAGE_DEFAULT,
        Some(limit) => limit
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE_MAX).contains(limit))
            .ok_or_else(|| fields::out_of_bounds("limit", format!("an integer from 1 to {PAGE_MAX}"), limit))?,
    };
    match request.query("order").as_deref() {
        None | Some("desc") => items.reverse(),
        Some("asc") => {}
        Some(other) => return Err(fields::out_of_bounds("order", "asc or desc", format_args!("`{other}`"))),
    }
    let start = match request.query("after") {
        None => 0,
        Some(after) => {
            let position = items.iter().position(|item| item.id() == after);
            position.ok_or_else(|| fields::out_of_bounds("after", "the id of an item", format_args!("`{after}`")))? + 1
        }
    };
    let data: Vec<&Item> = items[start..].iter().take(limit as usize).collect();
    let page = Page {
        object: "list",
        first_id: data.first().map(|item| item.id()),
        last_id: data.last().map(|item| item.id()),
        has_more: start + data.len() < items.len(),
        data,
    };
    Ok(response.json(200, &page)?)
}
