//! Gradio's dialect in the real server: who leaves frees what he used, a cancelled call ends, and a conversation outlives the plugin.

#[path = "harness/mod.rs"]
mod harness;

use std::net::TcpStream;

use harness::client::Connection;
use harness::component::{bundled, with_custom_section};
use harness::server::Server;
use harness::{PATIENCE, eventually};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// Indexes of FastChat's functions.
const ADD_TEXT: usize = 7;
const RESPOND: usize = 8;
const REGENERATE: usize = 3;
/// Index of `/chat` in the first app.
const CHAT: usize = 12;

/// Sampling with which the model repeats what [`long`] asks for until its context is full.
const LONG: [f64; 3] = [0.0, 1.0, 4000.0];

/// Tokens that such an answer passes (it has more than 600), and one that is ended at its start does not.
const TOKENS: f64 = 500.0;

fn long() -> String {
    format!("Repeat after me: {}", "banana ".repeat(400))
}

fn running(server: &Server) -> f64 {
    server.metric("mimus_engine_running_sequences{model=\"mimus-chat\"}").expect("the model reports what it does")
}

fn generated(server: &Server) -> f64 {
    server.metric("mimus_generated_tokens_total{model=\"mimus-chat\"}").unwrap_or(0.0)
}

fn join(server: &Server, session: &str, function: usize, data: Value) -> String {
    let body = json!({ "data": data, "fn_index": function, "session_hash": session });
    server.post("/gradio/queue/join", &body).expect(200).json()["event_id"].as_str().expect("an id").to_owned()
}

fn open(server: &Server, session: &str) -> Connection {
    let mut stream = server.connect();
    let path = format!("/gradio/queue/data?session_hash={session}");
    stream.send("GET", &path, &[], &[]).expect("the request is sent");
    assert_eq!(stream.head().expect("the stream starts").status, 200);
    stream
}

/// The messages up to the end of the stream.
fn rest(stream: &mut Connection) -> Vec<Value> {
    let text = String::from_utf8(stream.rest().expect("the stream ends well")).expect("text");
    let read = |event: &str| serde_json::from_str(event.strip_prefix("data: ").expect("data")).expect("JSON");
    text.split_terminator("\n\n").map(read).collect()
}

/// The messages after one that was read in part.
fn rest_of(stream: &mut Connection) -> Vec<Value> {
    let text = String::from_utf8(stream.rest().expect("the stream ends well")).expect("text");
    let events = text.split_terminator("\n\n").filter_map(|event| event.strip_prefix("data: "));
    events.filter_map(|event| serde_json::from_str(event).ok()).collect()
}

/// The last values of a call by the queue.
fn predict(server: &Server, session: &str, function: usize, data: Value) -> Value {
    join(server, session, function, data);
    let messages = rest(&mut open(server, session));
    let end = messages.iter().find(|message| message["msg"] == "process_completed").expect("an end");
    assert_eq!(end["success"], true, "{end}");
    end["output"]["data"].clone()
}

/// Begins an answer that is long, and waits until it flows.
fn begin_long(server: &Server, session: &str) -> (String, Connection) {
    predict(server, session, ADD_TEXT, json!(["mimus-chat", long()]));
    let event = join(server, session, RESPOND, json!(LONG));
    let mut stream = open(server, session);
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains("process_generating") {
        text.extend(stream.piece().expect("the stream flows").expect("it is not over"));
    }
    (event, stream)
}

#[test]
fn a_client_that_leaves_its_stream_frees_its_generation() {
    let server = Server::start();
    let (_, stream) = begin_long(&server, "s");
    drop(stream);
    eventually("the slot is free", || (running(&server) == 0.0).then_some(()));
    assert!(generated(&server) < TOKENS, "{}", generated(&server));
    // What it left is not done again, and the session goes on.
    let values = predict(&server, "s", 5, json!([]));
    assert_eq!(values[1], json!([]));
    assert!(generated(&server) < TOKENS);
}

#[test]
fn a_cancelled_call_ends_with_its_last_values() {
    let server = Server::start();
    let (event, mut stream) = begin_long(&server, "s");
    for path in ["/gradio/cancel", "/gradio/gradio_api/reset"] {
        let body = json!({ "fn_index": RESPOND, "session_hash": "s", "event_id": event });
        assert_eq!(server.post(path, &body).expect(200).json(), json!({ "success": true }));
    }
    let messages = rest_of(&mut stream);
    let end = &messages[messages.len() - 2];
    assert_eq!(
        (&end["msg"], &end["event_id"], &end["success"]),
        (&json!("process_completed"), &json!(event), &json!(true))
    );
    assert!(end["output"]["data"][1][0][1].is_string(), "{end}");
    eventually("the slot is free", || (running(&server) == 0.0).then_some(()));
    assert!(generated(&server) < TOKENS, "{}", generated(&server));
}

/// The answer that the others are about is as long as they say.
#[test]
fn a_long_answer_is_long() {
    let server = Server::start();
    let (_, mut stream) = begin_long(&server, "s");
    assert_eq!(rest_of(&mut stream).last().expect("an end")["msg"], "close_stream");
    assert!(generated(&server) > TOKENS, "{}", generated(&server));
}

#[test]
fn a_session_has_one_stream_at_a_time() {
    let server = Server::start();
    predict(&server, "s", ADD_TEXT, json!(["mimus-chat", long()]));
    // So many answers that a second stream, which waits a little for the end of the first, waits in vain.
    for _ in 0..8 {
        join(&server, "s", REGENERATE, json!([]));
        join(&server, "s", RESPOND, json!(LONG));
    }
    let mut stream = open(&server, "s");
    stream.piece().expect("the stream flows").expect("it is not over");
    let second = rest(&mut open(&server, "s"));
    assert_eq!(second.len(), 1, "{second:?}");
    assert_eq!((&second[0]["msg"], &second[0]["success"]), (&json!("unexpected_error"), &json!(false)));
    assert_eq!(second[0]["message"], "another stream of this session is open");
    drop(stream);
    // What the first has not begun is the next one's, as soon as the server has noticed that the first has left.
    let end = eventually("the first stream has ended", || {
        rest(&mut open(&server, "s")).pop().filter(|end| end["msg"] != "unexpected_error")
    });
    assert_eq!(end["msg"], "close_stream");
}

#[test]
fn a_client_that_leaves_its_socket_frees_its_generation() {
    let server = Server::start();
    let call = |function: usize, data: Value| -> (WebSocket<TcpStream>, usize) {
        let stream = TcpStream::connect(server.listen).expect("the server accepts connections");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let address = format!("ws://{}/gradio/queue/join", server.listen);
        let (mut socket, _) = tungstenite::client(address, stream).expect("a websocket");
        let hash = json!({ "fn_index": function, "session_hash": "s" });
        let mut generating = 0;
        loop {
            let Message::Text(text) = socket.read().expect("a message") else { continue };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            let answer = match message["msg"].as_str().expect("a kind") {
                "send_hash" => hash.clone(),
                "send_data" => json!({ "data": data, "fn_index": function, "session_hash": "s" }),
                "process_generating" if generating == 2 => return (socket, generating),
                "process_generating" => {
                    generating += 1;
                    continue;
                }
                "process_completed" => {
                    assert_eq!(message["success"], true, "{message}");
                    return (socket, generating);
                }
                _ => continue,
            };
            socket.send(Message::text(answer.to_string())).expect("the server listens");
        }
    };
    call(ADD_TEXT, json!(["mimus-chat", long()]));
    let (mut socket, _) = call(RESPOND, json!(LONG));
    socket.close(None).expect("the server listens");
    eventually("the slot is free", || (running(&server) == 0.0).then_some(()));
    assert!(generated(&server) < TOKENS, "{}", generated(&server));
    // One that vanishes without a word.
    let (socket, _) = call(RESPOND, json!(LONG));
    drop(socket);
    eventually("the slot is free", || (running(&server) == 0.0).then_some(()));
    assert!(generated(&server) < 2.0 * TOKENS, "{}", generated(&server));
}

/// More streams that only tell of life than there can be guests.
#[test]
fn heartbeats_cost_no_guest() {
    let server = Server::start();
    let streams: Vec<Connection> = (0..300)
        .map(|number| {
            let mut stream = server.connect();
            stream.send("GET", &format!("/gradio/heartbeat/{number}"), &[], &[]).expect("the request is sent");
            assert_eq!(stream.head().expect("the stream starts").status, 200);
            assert_eq!(stream.piece().expect("it flows").as_deref(), Some(&b"data: ALIVE\n\n"[..]));
            stream
        })
        .collect();
    server.get("/gradio/config").expect(200);
    drop(streams);
}

/// The conversation is the host's: a plugin that takes the old one's place finds it.
#[test]
fn a_conversation_survives_a_swap() {
    let server = Server::start();
    let hash = |server: &Server| server.plugin("gradio").map(|plugin| plugin["hash"].clone()).unwrap_or_default();
    let before = hash(&server);
    let answer = predict(&server, "s", CHAT, json!(["What is the capital of France?"]));
    assert!(answer[0].as_str().expect("text").contains("Paris"), "{answer}");
    let waiting = join(&server, "s", CHAT, json!(["And of Germany?"]));
    server.install("gradio.wasm", &with_custom_section(bundled("mimus-gradio"), b"a copy"));
    eventually("the copy serves", || (hash(&server) != before).then_some(()));
    let messages = rest(&mut open(&server, "s"));
    let end = messages.iter().find(|message| message["msg"] == "process_completed").expect("an end");
    assert_eq!(end["event_id"], *waiting, "what waited for the old one is run by the new one");
    assert!(end["output"]["data"][0].as_str().expect("text").contains("Berlin"), "{end}");
}
