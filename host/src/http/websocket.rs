//! Websockets: what a client offers, and the connection once a guest has accepted it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Method, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message as Frame, Role, WebSocketConfig};

use super::body::Body;
use super::exchange::Exchange;
use crate::limits;
use crate::plugin::{Fault, GuestRun, Message, Offer, SocketEnds};

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// What the request offers, or which header is wrong (RFC 6455, section 4.2.1); none when it asks for no websocket.
pub fn offer(parts: &Parts) -> Option<Result<Offer, String>> {
    let headers = &parts.headers;
    if !has_word(headers, &UPGRADE, "websocket") {
        return None;
    }
    let offered = if parts.method != Method::GET || parts.version != Version::HTTP_11 {
        Err("a websocket begins with GET in HTTP/1.1".into())
    } else if !has_word(headers, &CONNECTION, "upgrade") {
        Err("the header `connection` does not say `upgrade`".into())
    } else if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        Err("the header `sec-websocket-version` is not 13".into())
    } else {
        match headers.get(SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24) {
            Some(key) => Ok(Offer { accept: derive_accept_key(key.as_bytes()), protocols: protocols(headers) }),
            None => Err("the header `sec-websocket-key` is not 16 bytes in base64".into()),
        }
    };
    Some(offered)
}

fn protocols(headers: &HeaderMap) -> Vec<String> {
    words(headers, &SEC_WEBSOCKET_PROTOCOL).map(str::to_owned).collect()
}

fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    words(headers, name).any(|other| other.eq_ignore_ascii_case(word))
}

fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

/// The answer that begins a websocket, and what then happens on the connection. The second must run for the first to be of use, and
/// ends with the guest or when the client leaves.
pub fn take_over(
    on_upgrade: OnUpgrade,
    ends: SocketEnds,
    run: GuestRun,
    mut exchange: Exchange,
) -> (Response<Body>, impl Future<Output = ()> + Send + 'static) {
    exchange.answered(StatusCode::SWITCHING_PROTOCOLS.as_u16());
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let chosen = [(SEC_WEBSOCKET_ACCEPT, Some(&ends.accept)), (SEC_WEBSOCKET_PROTOCOL, ends.protocol.as_ref())];
    for (name, value) in chosen {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
    let conversation = async move {
        let Ok(connection) = on_upgrade.await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(limits::WEBSOCKET_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(limits::WEBSOCKET_MESSAGE_BYTES_MAX))
            .max_write_buffer_size(2 * limits::WEBSOCKET_MESSAGE_BYTES_MAX);
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(connection), Role::Server, Some(config)).await;
        Conversation { socket, ends, waiting: None, heard: Instant::now(), exchange }.hold(run).await;
    };
    (response, conversation)
}

struct Conversation {
    socket: Socket,
    ends: SocketEnds,
    /// A message of the client that the guest has not yet taken: meanwhile no further one is read.
    waiting: Option<Message>,
    /// When the client last said anything.
    heard: Instant,
    exchange: Exchange,
}

/// Why a conversation is over.
enum End {
    /// The guest has returned.
    Guest(Result<(), Fault>),
    /// The guest has said goodbye.
    Goodbye(u16, String),
    /// The client has left, or breaks the protocol.
    Client,
}

impl Conversation {
    /// Drives the guest and passes messages until either side ends.
    async fn hold(mut self, mut run: GuestRun) {
        let end = self.pass(&mut run).await;
        let (code, reason) = match end {
            End::Client => return,
            End::Goodbye(code, reason) => {
                // The guest may still have work to do, such as keeping a session.
                if let Err(fault) = run.await {
                    self.exchange.broke(&fault);
                } else {
                    self.exchange.ended();
                }
                (code, reason)
            }
            End::Guest(Ok(())) => {
                self.exchange.ended();
                match self.remaining().await {
                    Ok(goodbye) => goodbye.unwrap_or((1000, String::new())),
                    Err(()) => return,
                }
            }
            End::Guest(Err(fault)) => {
                self.exchange.broke(&fault);
                let _ = self.remaining().await;
                (1011, "the server failed".into())
            }
        };
        self.say_goodbye(code, &reason).await;
    }

    async fn pass(&mut self, run: &mut GuestRun) -> End {
        let time = Duration::from_millis(limits::WEBSOCKET_PING_MS);
        let mut pings = tokio::time::interval_at(Instant::now() + time, time);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let to_guest = self.ends.to_guest.clone();
        loop {
            let is_reading = self.waiting.is_none();
            tokio::select! {
                biased;
                message = self.ends.from_guest.recv() => match message {
                    Some(Message::Close(code, reason)) => return End::Goodbye(code, reason),
                    Some(message) => if self.send(message).await.is_err() { return End::Client },
                    // The guest has dropped its end; it can only return now.
                    None => return End::Guest(run.await),
                },
                result = &mut *run => return End::Guest(result),
                frame = self.socket.next(), if is_reading => {
                    self.heard = Instant::now();
                    match frame {
                        Some(Ok(Frame::Text(text))) => self.waiting = Some(Message::Text(text.as_str().to_owned())),
                        Some(Ok(Frame::Binary(bytes))) => self.waiting = Some(Message::Binary(bytes)),
                        Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_))) => {}
                        Some(Ok(Frame::Close(_)) | Err(_)) | None => return End::Client,
                    }
                }
                place = to_guest.reserve(), if !is_reading => {
                    // Where the guest listens no longer, what else comes is read and forgotten.
                    if let (Ok(place), Some(message)) = (place, self.waiting.take()) {
                        place.send(message);
                    }
                }
                _ = pings.tick() => {
                    let is_silent = self.heard.elapsed() > Duration::from_millis(limits::WEBSOCKET_SILENCE_MS);
                    if is_silent || self.socket.send(Frame::Ping(Bytes::new())).await.is_err() {
                        return End::Client;
                    }
                }
            }
        }
    }

    /// Sends what the guest said before it returned; its goodbye where it said one.
    async fn remaining(&mut self) -> Result<Option<(u16, String)>, ()> {
        while let Ok(message) = self.ends.from_guest.try_recv() {
            match message {
                Message::Close(code, reason) => return Ok(Some((code, reason))),
                message => self.send(message).await?,
            }
        }
        Ok(None)
    }

    async fn send(&mut self, message: Message) -> Result<(), ()> {
        let frame = match message {
            Message::Text(text) => Frame::Text(text.into()),
            Message::Binary(bytes) => Frame::Binary(bytes),
            Message::Close(..) => return Ok(()),
        };
        self.exchange.sent(frame.len());
        self.socket.send(frame).await.map_err(drop)
    }

    /// Closes, and waits a little for the client's own goodbye, as the protocol asks.
    async fn say_goodbye(mut self, code: u16, reason: &str) {
        let code = if (3000..5000).contains(&code) || code == 1011 { code } else { 1000 };
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason[..end].into() };
        let goodbye = async {
            if self.socket.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(limits::WEBSOCKET_GOODBYE_MS), goodbye).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = hyper::Request::builder().method("GET").uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    const GOOD: [(&str, &str); 4] = [
        ("upgrade", "websocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    /// The example of RFC 6455, section 1.3.
    #[test]
    fn an_offer_is_recognised() {
        let mut headers = GOOD.to_vec();
        headers.push(("sec-websocket-protocol", "chat, superchat"));
        let offer = offer(&parts(&headers)).expect("asks for one").expect("properly");
        assert_eq!(offer.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(offer.protocols, ["chat", "superchat"]);
    }

    #[test]
    fn half_an_offer_is_named() {
        assert!(offer(&parts(&[("connection", "upgrade")])).is_none());
        for missing in 1..GOOD.len() {
            let mut headers = GOOD.to_vec();
            let (name, _) = headers.remove(missing);
            let why = offer(&parts(&headers)).expect("asks for one").expect_err("not properly");
            assert!(why.contains(name), "{why}");
        }
    }
}
