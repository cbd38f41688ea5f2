//! Websockets and streams that need no guest, against guests of our own: what both sides see when either leaves, fails or says too much.

#[path = "harness/mod.rs"]
mod harness;

use std::io::ErrorKind;
use std::net::TcpStream;

use harness::server::{Server, Setup};
use harness::{PATIENCE, eventually};
use mimus_test_guests::FAULTS;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message, WebSocket};

type Client = WebSocket<TcpStream>;

fn server() -> Server {
    Setup::default().plugin("faults.wasm", FAULTS).start()
}

fn dial(server: &Server, headers: &[(&'static str, &str)]) -> Result<Client, Error> {
    let address = server.listen;
    let mut request = format!("ws://{address}/faults/socket").into_client_request().expect("a good address");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a good header"));
    }
    let stream = TcpStream::connect(address).expect("the server accepts connections");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    match tungstenite::client(request, stream) {
        Ok((client, response)) => {
            let chosen = response.headers().get("sec-websocket-protocol").map(|value| value.to_str().expect("text"));
            assert_eq!(chosen, headers.iter().any(|(name, _)| *name == "sec-websocket-protocol").then_some("echo"));
            assert!(response.headers().contains_key("x-request-id"));
            Ok(client)
        }
        Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
        Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("the socket blocks"),
    }
}

/// The next text, between the guest's reminders that it waits.
fn hear(client: &mut Client) -> String {
    loop {
        match client.read().expect("a message") {
            Message::Text(text) if text.as_str() == "still here" => {}
            Message::Text(text) => return text.as_str().to_owned(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("no text: {other:?}"),
        }
    }
}

fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).expect("the server listens");
}

/// The code of the server's goodbye.
fn goodbye(client: &mut Client) -> CloseCode {
    loop {
        match client.read() {
            Ok(Message::Close(Some(frame))) => return frame.code,
            Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_)) => {}
            other => panic!("no goodbye: {other:?}"),
        }
    }
}

#[test]
fn both_sides_speak() {
    let server = server();
    let mut client = dial(&server, &[("sec-websocket-protocol", "other, echo")]).expect("a websocket");
    for text in ["hello", "", "gr\u{fc}\u{df} dich \u{1f426}"] {
        say(&mut client, text);
        assert_eq!(hear(&mut client), text);
    }
    client.send(Message::binary(vec![0, 159, 146, 150])).expect("the server listens");
    loop {
        match client.read().expect("a message") {
            Message::Binary(bytes) => break assert_eq!(*bytes, [0, 159, 146, 150]),
            _ => continue,
        }
    }
    let long = "x".repeat(3 << 20);
    say(&mut client, &long);
    assert_eq!(hear(&mut client), long);
    client.send(Message::Ping("there?".into())).expect("the server listens");
    loop {
        match client.read().expect("a message") {
            Message::Pong(bytes) => break assert_eq!(*bytes, *b"there?"),
            _ => continue,
        }
    }
}

#[test]
fn the_guest_speaks_when_nothing_comes() {
    let server = server();
    let mut client = dial(&server, &[]).expect("a websocket");
    assert_eq!(client.read().expect("a message"), Message::text("still here"));
}

#[test]
fn the_guest_says_goodbye() {
    let server = server();
    let mut client = dial(&server, &[]).expect("a websocket");
    say(&mut client, "bye");
    assert_eq!(hear(&mut client), "last words");
    assert_eq!(goodbye(&mut client), CloseCode::from(3001));
    // One that merely returns: what it said arrives, and the end is a normal one.
    let mut client = dial(&server, &[]).expect("a websocket");
    say(&mut client, "return");
    assert_eq!(hear(&mut client), "returning");
    assert_eq!(goodbye(&mut client), CloseCode::Normal);
}

#[test]
fn a_guest_that_traps_ends_its_own_socket() {
    let server = server();
    let mut neighbour = dial(&server, &[]).expect("a websocket");
    let mut client = dial(&server, &[]).expect("a websocket");
    say(&mut client, "trap");
    assert_eq!(goodbye(&mut client), CloseCode::Error);
    say(&mut neighbour, "all well?");
    assert_eq!(hear(&mut neighbour), "all well?");
}

/// A client that leaves, politely or not, ends its guest: the place is free, and nothing writes for ever.
#[test]
fn a_client_that_leaves_ends_its_guest() {
    let server = server();
    let in_flight = || server.metric("mimus_requests_in_flight").expect("a figure");
    let before = in_flight();
    for is_polite in [true, false] {
        let mut clients: Vec<Client> = (0..8).map(|_| dial(&server, &[]).expect("a websocket")).collect();
        for client in &mut clients {
            say(client, "flood");
        }
        eventually("they run", || (in_flight() >= before + 8.0).then_some(()));
        for mut client in clients {
            if is_polite {
                let _ = client.close(None);
                while client.read().is_ok() {}
            }
        }
        eventually("their guests have ended", || (in_flight() <= before).then_some(()));
    }
}

#[test]
fn messages_have_a_bound() {
    let server = server();
    let mut client = dial(&server, &[]).expect("a websocket");
    say(&mut client, "huge");
    assert!(hear(&mut client).contains("TooLarge"), "the guest is told the bound");
    // The server closes in the middle of it, so that writing may fail first.
    let sent = client.send(Message::text("x".repeat(9 << 20)));
    let ended = sent.err().or_else(|| {
        loop {
            match client.read() {
                Ok(Message::Text(text)) => assert!(text.len() < 9 << 20, "it was let through"),
                Ok(_) => {}
                Err(error) => break Some(error),
            }
        }
    });
    assert!(ended.is_some());
    dial(&server, &[]).expect("the next client is served");
}

#[test]
fn what_is_no_proper_offer_is_answered_as_http() {
    let server = server();
    let plain = server.get("/faults/socket");
    assert_eq!((plain.status, plain.text().contains("upgrade")), (500, true), "{}", plain.text());
    let half = [("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "8")];
    let refused = server.request("GET", "/faults/socket", &half, b"");
    assert!(refused.text().contains("sec-websocket-version"), "{}", refused.text());
    // A route whose guest wants no websocket answers as ever.
    let whole = [("sec-websocket-version", "13"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")];
    let headers: Vec<_> = half[..2].iter().chain(&whole).copied().collect();
    assert_eq!(server.request("GET", "/faults/ok", &headers, b"").expect(200).text(), "ok");
}

/// Browsers let any page open a websocket, so the server looks who asks.
#[test]
fn a_page_of_elsewhere_needs_leave() {
    let server = Setup::default()
        .plugin("faults.wasm", FAULTS)
        .config("[http]\ncors_origins = [\"https://friend.example\"]\n")
        .start();
    let own = format!("http://{}", server.listen);
    for origin in [own.as_str(), "https://friend.example"] {
        dial(&server, &[("origin", origin)]).unwrap_or_else(|error| panic!("{origin}: {error}"));
    }
    for origin in ["https://elsewhere.example", "null", "http://127.0.0.1:1"] {
        let Err(Error::Http(refusal)) = dial(&server, &[("origin", origin)]) else { panic!("{origin} was let in") };
        assert_eq!(refusal.status(), 403, "{origin}");
        let post = server.request("POST", "/openai/v1/chat/completions", &[("origin", origin)], b"{}");
        assert_eq!(post.status, 403, "{origin}: {}", post.text());
    }
}

/// A stopping server lets a conversation come to its end, and ends streams that only say that it is there.
#[test]
fn a_stopping_server_waits_for_conversations() {
    let mut server = server();
    let mut client = dial(&server, &[]).expect("a websocket");
    let mut alive = server.connect();
    alive.send("GET", "/faults/alive", &[], &[]).expect("the request is sent");
    assert_eq!(alive.head().expect("the stream starts").status, 200);
    let mut heard = 0;
    while heard < 3 {
        heard += alive
            .piece()
            .expect("the stream goes on")
            .expect("the stream goes on")
            .windows(5)
            .filter(|w| w == b"ALIVE")
            .count();
    }
    server.terminate();
    alive.rest().expect("the stream ends well");
    say(&mut client, "still there?");
    assert_eq!(hear(&mut client), "still there?");
    say(&mut client, "return");
    assert_eq!(hear(&mut client), "returning");
    assert_eq!(goodbye(&mut client), CloseCode::Normal);
    let _ = client.flush();
    drop(client);
    assert!(server.wait_for_exit().success());
}

/// Streams that only say that the server is there hold no guest: more of them than guests can run at once.
#[test]
fn idle_streams_hold_no_guest() {
    let server = server();
    let mut streams: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = server.connect();
            stream.send("GET", "/faults/alive", &[], &[]).expect("the request is sent");
            assert_eq!(stream.head().expect("the stream starts").status, 200);
            stream.piece().expect("an event").expect("an event");
            stream
        })
        .collect();
    assert_eq!(server.get("/faults/ok").expect(200).text(), "ok");
    for stream in &mut streams {
        let again = stream.piece().map_err(|error| (error.kind() == ErrorKind::WouldBlock).then_some("silent"));
        assert!(matches!(again, Ok(Some(_))), "{again:?}");
    }
}
