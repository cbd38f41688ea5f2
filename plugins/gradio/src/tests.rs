//! The dialect against a scripted host: the help that all tests share.

mod apps;
mod calls;
mod description;
mod files;
mod queue;
mod sockets;

use mimus_sdk::scripted::{self, Captured, ScriptedHost};
use serde_json::{Value, json};

use crate::Gradio;

/// A host with two models, whose answer is three words.
fn host() -> ScriptedHost {
    ScriptedHost::new().answer("one two three").model(scripted::model("second"))
}

fn get(host: &ScriptedHost, path: &str) -> Captured {
    host.call(&Gradio, "GET", path, &[], b"")
}

fn post(host: &ScriptedHost, path: &str, body: Value) -> Captured {
    host.call(&Gradio, "POST", path, &[], body.to_string().as_bytes())
}

/// Leaves a call in the queue; returns its event id.
fn join(host: &ScriptedHost, app: &str, session: &str, function: usize, data: Value) -> String {
    let body = json!({ "data": data, "fn_index": function, "session_hash": session });
    let answer = post(host, &format!("{app}/queue/join"), body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["event_id"].as_str().expect("an id").to_owned()
}

/// The messages of a session's stream.
fn stream(host: &ScriptedHost, app: &str, session: &str) -> Vec<Value> {
    let answer = get(host, &format!("{app}/queue/data?session_hash={session}"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    messages(&answer)
}

/// The messages of a stream, each `data: ` and one line.
fn messages(answer: &Captured) -> Vec<Value> {
    let events = answer.text().strip_suffix("\n\n").expect("events end with an empty line").split("\n\n");
    let read = |event: &str| {
        assert!(!event.contains('\n'), "{event}");
        serde_json::from_str(event.strip_prefix("data: ").expect("nothing but data")).expect("JSON")
    };
    events.map(read).collect()
}

/// What kinds of messages there are, in order.
fn kinds(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["msg"].as_str().expect("a kind")).collect()
}

/// The values that a call ends with, by the queue.
fn predict(host: &ScriptedHost, app: &str, session: &str, function: usize, data: Value) -> Value {
    join(host, app, session, function, data);
    let messages = stream(host, app, session);
    let completed = messages.iter().find(|message| message["msg"] == "process_completed").expect("an end");
    completed["output"]["data"].clone()
}

/// What a call is refused with, by the queue.
fn error(host: &ScriptedHost, app: &str, session: &str, function: usize, data: Value) -> String {
    join(host, app, session, function, data);
    let messages = stream(host, app, session);
    let completed = messages.iter().find(|message| message["msg"] == "process_completed").expect("an end");
    assert_eq!(completed["success"], false, "{completed}");
    completed["output"]["error"].as_str().expect("words").to_owned()
}

/// The values of each `process_generating` in messages.
fn generated(messages: &[Value]) -> Vec<Value> {
    let generating = messages.iter().filter(|message| message["msg"] == "process_generating");
    generating.map(|message| message["output"]["data"].clone()).collect()
}
