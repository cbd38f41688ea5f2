//! `/cancel` and `/reset`: the end of a call, by its event id. Both are answered alike whether there is such a call or not.

use mimus_sdk::{Request, Response};
use serde::Deserialize;
use serde_json::json;

use crate::jobs;
use crate::refusal::Refusal;

/// Clients of Gradio 3 send function and session instead, after they have closed their websocket, which was enough.
#[derive(Deserialize)]
struct Body {
    event_id: Option<String>,
}

/// `POST /cancel`.
pub(crate) fn cancel(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    end(request, response)
}

/// `POST /reset`: all that clients from 0.7 to 0.9 send.
pub(crate) fn reset(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    end(request, response)
}

fn end(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: Body = request.json()?;
    if let Some(event) = body.event_id {
        jobs::cancel(&event)?;
    }
    Ok(response.json(200, &json!({ "success": true }))?)
}
