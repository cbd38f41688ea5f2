//! Requests under way: aborting one by the id that its client gave it, and how far it is.

use std::time::Duration;

use mimus_sdk::{Request, Response, inference, state};
use serde::Deserialize;
use serde_json::json;

use crate::refusal::Refusal;
use crate::running;

/// How long an id that nobody has used yet stays refused where the client does not say, in seconds.
const BLOCK_S: f64 = 30.0;
/// The same at most.
const BLOCK_S_MAX: f64 = 3600.0;
/// Bytes of an id, as the contract bounds tags.
const ID_BYTES_MAX: usize = 128;

#[derive(Deserialize)]
struct Abortion {
    block_duration: Option<f64>,
}

fn key(id: &str) -> String {
    format!("aborted/{id}")
}

/// The tag of a request with that id; a refusal when it was aborted before it came.
pub(crate) fn tag(id: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
    if id.len() > ID_BYTES_MAX {
        return Err(Refusal::bad(format!("Invalid input. `request_id` must be at most {ID_BYTES_MAX} bytes")));
    }
    match state::get::<bool>(&key(&id))? {
        Some(_) => Err(Refusal::new(409, format!("The request has been cancelled: {id}"))),
        None => Ok(Some(id)),
    }
}

/// `POST /v1/models/{uid}/requests/{rid}/abort`.
pub(crate) fn abort(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let (uid, id) = (request.param("model_uid"), request.param("request_id"));
    running::any(uid)?;
    let body = if request.body().is_empty() { Abortion { block_duration: None } } else { request.json()? };
    let message = match inference::cancel_tagged(id) {
        0 => {
            block(id, body.block_duration.unwrap_or(BLOCK_S))?;
            "NOT_FOUND"
        }
        _ => "DONE",
    };
    Ok(response.json(200, &json!({ "msg": message }))?)
}

/// Refuses a request that the abortion has overtaken.
fn block(id: &str, seconds: f64) -> Result<(), Refusal> {
    if seconds > 0.0 && id.len() <= ID_BYTES_MAX {
        state::put(&key(id), &true, Some(Duration::from_secs_f64(seconds.min(BLOCK_S_MAX))))?;
    }
    Ok(())
}

/// `GET /v1/requests/{rid}/progress`: of pictures and films, which nobody makes here.
pub(crate) fn progress(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    let id = request.param("request_id");
    Err(Refusal::bad(format!("Request {id} has no progress: only requests for images and videos report one.")))
}
