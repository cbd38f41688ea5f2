//! What clients ask a server besides calls: whether it is there, and whether it is still the same.

use std::time::Duration;

use mimus_sdk::{Request, Response};
use serde_json::{Value, json};

use crate::refusal::Refusal;

/// Between two signs of life; clients want one every 20 s.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `GET /heartbeat/{session}`: a stream that never ends. Client 1.3.0 would ask again at once.
pub(crate) fn heartbeat(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    let mut events = response.sse()?;
    events.text("ALIVE")?;
    Ok(events.repeat_text("ALIVE", HEARTBEAT)?)
}

/// `GET /queue/status`.
pub(crate) fn queue_status(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(
        200,
        &json!({ "msg": "estimation", "event_id": null, "rank": null, "queue_size": 0, "rank_eta": null }),
    )?)
}

/// `GET /app_id`: by another number a page would know that its app was replaced, and load anew.
pub(crate) fn app_id(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &json!({ "app_id": 1 }))?)
}

/// `GET /login_check`: who gets here needs no password; keys are the host's.
pub(crate) fn login_check(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &Value::Null)?)
}

/// `GET /startup-events`: whether this call was the one that started the app.
pub(crate) fn startup_events(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &false)?)
}

/// `GET /theme.css`.
pub(crate) fn theme(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.bytes(200, "text/css; charset=utf-8", b":root { color-scheme: light dark }\n".into())?)
}
