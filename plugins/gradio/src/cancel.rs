//! `/cancel` and `/reset`: the end of a call, by its event id. Both are answered alike whether there is such a call or not.

use mimus_sdk::{Request, Response};
use serde_json::{Value, json};

use crate::jobs;
use crate::refusal::Refusal;

/// `POST /cancel`.
pub(crate) fn cancel(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    end(request, response)
}

/// `POST /reset`: all that clients from 0.7 to 0.9 send.
pub(crate) fn reset(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    end(request, response)
}

fn end(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    // Read as a whole, so that what is not looked at is sound as well.
    let body: Value = request.json()?;
    match &body {
        Value::Object(fields) => match fields.get("event_id") {
            Some(Value::String(event)) => jobs::cancel(event)?,
            // Clients of Gradio 3 send function and session alone, after they have closed their websocket, which was enough.
            None | Some(Value::Null) => {}
            Some(_) => return Err(Refusal::new(422, "`event_id` must be a string")),
        },
        _ => return Err(Refusal::new(422, "the body must be an object")),
    }
    Ok(response.json(200, &json!({ "success": true }))?)
}
