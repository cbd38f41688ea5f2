//! The queue of Gradio 4 and later: `POST /queue/join` leaves a call, `GET /queue/data` is the stream that runs a session's calls one
//! after the other and tells of them.
//!
//! Each event is `data: ` and one line of JSON: clients stumble over anything else. Values are whole in every message, as
//! `sse_v1` has it.

use std::time::Duration;

use mimus_sdk::stream::Sse;
use mimus_sdk::{Request, Response, clock};
use serde_json::{Value, json};

use crate::body::CallBody;
use crate::jobs::{self, Found};
use crate::line::{Line, Place};
use crate::place;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::turn::{self, Call, End, Ran};

/// Clients up to 1.14 look for an event only after the answer to `/queue/join` has come, and forget what was told before.
const FIRST_MESSAGE_AFTER: Duration = Duration::from_millis(100);

/// `POST /queue/join`.
pub(crate) fn join(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let app = place::app(request);
    let mut body = CallBody::read(request)?;
    let session = body.session()?;
    let data = body.data()?;
    let function = body.function(app, None)?;
    let line = Line::new(app.name, &session);
    let call = Call { app, function, session, data, event: None };
    let at_once = call.function().at_once.map(|act| (act, call.clone()));
    let event = jobs::put(call)?;
    if let Err(refusal) = line.join(&event, function) {
        jobs::cancel(&event)?;
        return Err(refusal);
    }
    // Only now that it stands in line: the stream that runs the call which this ends must see it, and not close before it.
    if let Some((act, call)) = at_once {
        act(&call);
    }
    Ok(response.json(200, &json!({ "event_id": event }))?)
}

/// `GET /queue/data`.
pub(crate) fn stream(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let app = place::app(request);
    let session = Session::parse(request.query("session_hash").as_deref())?;
    let line = Line::new(app.name, &session);
    let lease = line.open()?;
    let first = line.first()?;
    let mut events = response.sse()?;
    let (Some(_lease), Some(_)) = (&lease, &first) else {
        let message = match lease {
            None => "another stream of this session is open",
            Some(_) => "404: Not Found",
        };
        return Ok(events.data(&json!({
            "msg": "unexpected_error",
            "event_id": null,
            "message": message,
            "session_not_found": lease.is_some(),
            "success": false,
        }))?);
    };
    while let Some((place, waiting)) = line.first()? {
        wait_for_client(&place);
        line.start(&place.event)?;
        let Some(completed) = run(app, &place, waiting, &mut events)? else { return Ok(()) };
        // A client that does not know of the next call yet would take this end for the end of all.
        if let Some((next, _)) = line.first()? {
            wait_for_client(&next);
        }
        // The end is told together with the last call's: what joins after this look belongs to the next stream.
        let is_last = line.end()?;
        events.push(&completed)?;
        if is_last {
            events.push(&json!({ "msg": "close_stream", "event_id": null }))?;
        }
        events.flush()?;
        if is_last {
            return Ok(());
        }
    }
    Ok(events.data(&json!({ "msg": "close_stream", "event_id": null }))?)
}

/// Waits until the client knows of the call at a place.
fn wait_for_client(place: &Place) {
    let age = Duration::from_millis(clock::now_ms().saturating_sub(place.joined_ms));
    if age < FIRST_MESSAGE_AFTER {
        clock::sleep(FIRST_MESSAGE_AFTER - age);
    }
}

/// Runs the call at a place and tells what happens, but for its end, which is returned; none when the client has left.
fn run(
    app: &'static crate::app::App,
    place: &Place,
    waiting: usize,
    events: &mut Sse<'_>,
) -> Result<Option<Value>, Refusal> {
    let event = &place.event;
    events.push(&json!({
        "msg": "estimation", "event_id": event, "rank": 0, "queue_size": waiting, "rank_eta": null,
    }))?;
    events.data(&json!({ "msg": "process_starts", "event_id": event, "eta": null }))?;
    let call = match jobs::take(event)? {
        Found::Mine(call) => call,
        Found::Taken | Found::Nothing => {
            let Some(function) = app.function(place.function) else { return Ok(None) };
            let end = End::Cancelled(turn::nulls(function));
            return Ok(completed(event, &Ran { end, duration_s: 0.0 }));
        }
    };
    let started_us = clock::monotonic_us();
    let ran = turn::run(&call, &mut |values| {
        let output = turn::output(values, true, turn::seconds(started_us));
        Ok(events.data(&json!({
            "msg": "process_generating", "event_id": event, "output": output, "success": true, "time_limit": null,
        }))?)
    });
    jobs::finish(&call);
    Ok(completed(event, &ran))
}

/// The message that ends a call. A cancelled one has values as well: npm's clients stumble over an empty output.
fn completed(event: &str, ran: &Ran) -> Option<Value> {
    Some(match &ran.end {
        End::Done(values) | End::Cancelled(values) => json!({
            "msg": "process_completed", "event_id": event, "output": turn::output(values, false, ran.duration_s),
            "success": true, "title": null,
        }),
        End::Failed(message) => json!({
            "msg": "process_completed", "event_id": event, "output": failure(message), "success": false, "title": "Error",
        }),
        End::Left => return None,
    })
}

/// What clients show of a function that has failed.
pub(crate) fn failure(message: &str) -> Value {
    json!({ "error": message, "visible": true, "duration": 10, "title": "Error" })
}
