//! One route for each way in which a guest can misbehave. Each route has its case in `tests/plugins.rs`.

use std::hint::black_box;
use std::time::Duration;

use mimus_sdk::serde_json::json;
use mimus_sdk::websocket::Message;
use mimus_sdk::{
    About, Dialect, DialectError, ErrorStyle, Reply, Request, Response, Routes, WriteError, clock, log, state,
    websocket,
};

struct Faults;

impl Dialect for Faults {
    type Error = Failure;

    fn about(&self) -> About {
        About::new("faults", env!("CARGO_PKG_VERSION"), "misbehaves on purpose")
            .error_style(ErrorStyle::json(r#"{"fault":$message,"status":$status}"#))
    }

    fn routes(&self) -> Routes<Failure> {
        Routes::new()
            .get("/ok", ok)
            .get("/trap", trap)
            .get("/late-trap", late_trap)
            .get("/spin", spin)
            .get("/grow", grow)
            .get("/recurse", recurse)
            .get("/flood-calls", flood_calls)
            .get("/leak-handles", leak_handles)
            .get("/flood-log", flood_log)
            .get("/huge-reply", huge_reply)
            .get("/endless", endless)
            .get("/silent", silent)
            .get("/never", never)
            .get("/socket", socket)
            .get("/alive", alive)
    }
}

mimus_sdk::personality!(Faults);

/// Behaves.
fn ok(_: &Request, response: &mut Response) -> Result<(), Failure> {
    Ok(response.text(200, "ok")?)
}

/// Traps before it has answered.
fn trap(_: &Request, _: &mut Response) -> Result<(), Failure> {
    panic!("this guest panics on purpose");
}

/// Traps in the middle of a body.
fn late_trap(_: &Request, response: &mut Response) -> Result<(), Failure> {
    response.stream(200, "text/plain")?.write(b"the first half, ")?;
    panic!("this guest panics on purpose");
}

/// Never ends and never calls the host.
fn spin(_: &Request, _: &mut Response) -> Result<(), Failure> {
    loop {
        black_box(0);
    }
}

/// Wants ever more memory.
fn grow(_: &Request, response: &mut Response) -> Result<(), Failure> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(vec![1; 1 << 20]);
        if black_box(kept.len()) > 8192 {
            return Ok(response.text(200, "8 GiB were granted")?);
        }
    }
}

/// Calls itself until the stack is full.
fn recurse(_: &Request, response: &mut Response) -> Result<(), Failure> {
    Ok(response.text(200, &deeper(black_box(0)).to_string())?)
}

fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { deeper(depth + 1) + frame[0] }
}

/// Calls the host without end.
fn flood_calls(_: &Request, _: &mut Response) -> Result<(), Failure> {
    loop {
        black_box(clock::monotonic_us());
    }
}

/// Takes handles and gives none back.
fn leak_handles(_: &Request, response: &mut Response) -> Result<(), Failure> {
    let mut leases = Vec::new();
    for index in 0..100_000 {
        leases.push(state::acquire(&format!("leak-{index}"), Duration::ZERO)?);
    }
    Ok(response.text(200, &format!("{} handles were granted", leases.len()))?)
}

/// Logs far more than anybody reads, with control characters in it.
fn flood_log(_: &Request, response: &mut Response) -> Result<(), Failure> {
    for index in 0..20_000 {
        log::write(log::Level::Info, &format!("flood {index} \u{1b}[31mred\u{1b}[0m\r\n{}", "x".repeat(64)));
    }
    Ok(response.text(200, "logged")?)
}

/// Sends more in one call than a call may carry.
fn huge_reply(_: &Request, response: &mut Response) -> Result<(), Failure> {
    Ok(response.bytes(200, "application/octet-stream", vec![b'x'; 40 << 20])?)
}

/// Writes until the client has left.
fn endless(_: &Request, response: &mut Response) -> Result<(), Failure> {
    let mut body = response.stream(200, "application/octet-stream")?;
    let piece = vec![b'x'; 64 << 10];
    loop {
        body.write(&piece)?;
    }
}

/// Returns without an answer.
fn silent(_: &Request, _: &mut Response) -> Result<(), Failure> {
    Ok(())
}

/// Waits for what never comes: a lease that it holds itself.
fn never(_: &Request, _: &mut Response) -> Result<(), Failure> {
    let _held = state::acquire("never", Duration::ZERO)?;
    loop {
        // Each wait ends with the error that it is held.
        black_box(state::acquire("never", Duration::from_secs(3600)).is_ok());
    }
}

/// Says over a websocket what it is told, and does what it is told by some words.
fn socket(request: &Request, response: &mut Response) -> Result<(), Failure> {
    let mut socket = websocket::accept(request, response, Some("echo"))?;
    loop {
        match socket.receive(Duration::from_secs(1))? {
            Some(Message::Text(word)) if word == "trap" => panic!("this guest panics on purpose"),
            Some(Message::Text(word)) if word == "return" => return Ok(socket.text("returning")?),
            Some(Message::Text(word)) if word == "bye" => {
                socket.text("last words")?;
                socket.close(3001, "enough");
                return Ok(());
            }
            Some(Message::Text(word)) if word == "huge" => {
                let refused = socket.text("x".repeat(9 << 20)).expect_err("larger than a message may be");
                socket.text(format!("{refused:?}"))?;
            }
            Some(Message::Text(word)) if word == "flood" => loop {
                socket.text("x".repeat(1 << 20))?;
            },
            Some(message) => socket.send(message)?,
            None => socket.text("still here")?,
        }
    }
}

/// Says that it is alive long after it has returned.
fn alive(_: &Request, response: &mut Response) -> Result<(), Failure> {
    let mut events = response.sse()?;
    events.text("ALIVE")?;
    events.repeat_text("ALIVE", Duration::from_secs(1))?;
    Ok(())
}

/// What went wrong, for the test to read.
struct Failure(String);

impl DialectError for Failure {
    fn reply(&self) -> Reply {
        Reply::json(500, &json!({"fault": self.0, "status": 500}))
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Failure(format!("{error:?}"))
    }
}

impl From<state::Error> for Failure {
    fn from(error: state::Error) -> Self {
        Failure(format!("{error:?}"))
    }
}

impl From<websocket::Error> for Failure {
    fn from(error: websocket::Error) -> Self {
        Failure(format!("{error:?}"))
    }
}
