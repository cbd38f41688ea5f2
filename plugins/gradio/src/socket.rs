//! The queue of Gradio 3: one websocket for each call.
//!
//! Python's clients up to 0.6.1 know these kinds of message and no others. When a client closes its socket to cancel, the host ends
//! the request, and with it what was generated for it.

use std::time::Duration;

use mimus_sdk::websocket::{self, Error, Message, Socket};
use mimus_sdk::{Request, Response, clock, log};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::BODY_BYTES_MAX;
use crate::app::App;
use crate::body;
use crate::failure::Failure;
use crate::place;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::turn::{self, Call, End};

/// How long a client may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Hash {
    fn_index: u64,
    session_hash: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    data: Vec<Value>,
}

/// `GET /queue/join`.
pub(crate) fn open(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    if !websocket::is_offered(request) {
        return Err(Refusal::new(400, "open a websocket here, or send the call by POST"));
    }
    let mut socket = websocket::accept(request, response, None)
        .map_err(|error| Refusal::new(400, format!("no websocket can be opened: {error:?}")))?;
    match talk(place::app(request), &mut socket) {
        Ok(()) => socket.close(websocket::NORMAL, ""),
        Err(Error::Closed) => {}
        Err(error) => log::write(log::Level::Warn, &format!("a websocket ended: {error:?}")),
    }
    Ok(())
}

fn talk(app: &'static App, socket: &mut Socket) -> Result<(), Error> {
    send(socket, &json!({ "msg": "send_hash" }))?;
    let (function, session) = match hash(app, socket)? {
        Ok(known) => known,
        Err(message) => return refuse(socket, &message),
    };
    send(
        socket,
        &json!({
            "msg": "estimation", "rank": 0, "queue_size": 1, "avg_event_process_time": null,
            "avg_event_concurrent_process_time": null, "rank_eta": null, "queue_eta": 0.0,
        }),
    )?;
    send(socket, &json!({ "msg": "send_data" }))?;
    let data = match read::<Data>(socket)? {
        Ok(Data { data }) => data,
        Err(message) => return refuse(socket, &message),
    };
    let call = Call { app, function, session, data, event: None };
    if let Some(at_once) = call.function().at_once {
        at_once(&call);
    }
    send(socket, &json!({ "msg": "process_starts" }))?;
    let started_us = clock::monotonic_us();
    let ran = turn::run(&call, &mut |values| {
        let output = turn::output(values, true, turn::seconds(started_us));
        send(socket, &json!({ "msg": "process_generating", "output": output, "success": true }))
            .map_err(|_| Failure::Left)
    });
    match ran.end {
        End::Done(values) | End::Cancelled(values) => {
            let output = turn::output(&values, call.function().is_generator, ran.duration_s);
            send(socket, &json!({ "msg": "process_completed", "output": output, "success": true }))
        }
        End::Failed(message) => refuse(socket, &message),
        End::Left => Err(Error::Closed),
    }
}

/// Which function and session, in words what is wrong with them otherwise.
fn hash(app: &App, socket: &mut Socket) -> Result<Result<(usize, Session), String>, Error> {
    let hash = match read::<Hash>(socket)? {
        Ok(hash) => hash,
        Err(message) => return Ok(Err(message)),
    };
    let function = body::known(app, hash.fn_index);
    let session = Session::parse(hash.session_hash.as_deref());
    Ok(match (function, session) {
        (Ok(function), Ok(session)) => Ok((function, session)),
        (Err(refusal), _) | (_, Err(refusal)) => Err(refusal.message().to_owned()),
    })
}

/// The next message as a value, in words what is wrong with it otherwise.
fn read<T: for<'a> Deserialize<'a>>(socket: &mut Socket) -> Result<Result<T, String>, Error> {
    Ok(match socket.receive(ANSWER_WAIT)? {
        None => Err(format!("no answer within {} seconds", ANSWER_WAIT.as_secs())),
        Some(Message::Binary(_)) => Err("messages must be text".into()),
        Some(Message::Text(text)) if text.len() as u64 > BODY_BYTES_MAX => {
            Err(format!("a message may have at most {BODY_BYTES_MAX} bytes"))
        }
        Some(Message::Text(text)) => mimus_sdk::body::json(text.as_bytes()).map_err(|error| error.to_string()),
    })
}

fn refuse(socket: &mut Socket, message: &str) -> Result<(), Error> {
    send(socket, &json!({ "msg": "process_completed", "output": { "error": message }, "success": false }))
}

fn send(socket: &mut Socket, message: &Value) -> Result<(), Error> {
    socket.text(message.to_string())
}
