//! `websocket`: messages both ways. The connection itself belongs to `http/`; here are the guest's ends of two channels.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use wasmtime::component::Resource;

use super::http::{Answer, IncomingRequest, ResponseSink};
use crate::limits;
use crate::plugin::bindings::personality::mimus::plugin::websocket as wit;
use crate::plugin::guest::Guest;

/// That a request asks for a websocket, and how it would be granted.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Value of `sec-websocket-accept`.
    pub accept: String,
    /// Sub-protocols that the client speaks, the one it likes best first.
    pub protocols: Vec<String>,
}

/// What goes over a websocket.
#[derive(Debug)]
pub enum Message {
    /// Whole text.
    Text(String),
    /// Anything else.
    Binary(Bytes),
    /// The end, by the guest: a code and its reason.
    Close(u16, String),
}

/// The connection's ends of a guest's websocket.
pub struct SocketEnds {
    /// Value of `sec-websocket-accept`.
    pub accept: String,
    /// The sub-protocol that was chosen.
    pub protocol: Option<String>,
    /// Messages of the client. Dropped when it has left.
    pub to_guest: mpsc::Sender<Message>,
    /// Messages of the guest.
    pub from_guest: mpsc::Receiver<Message>,
}

/// The guest's ends.
pub struct GuestSocket {
    incoming: mpsc::Receiver<Message>,
    outgoing: mpsc::Sender<Message>,
}

impl wit::Host for Guest {
    async fn is_offered(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<bool> {
        self.count_call()?;
        Ok(matches!(self.table.get(&request)?.websocket, Some(Ok(_))))
    }

    async fn accept(
        &mut self,
        request: Resource<IncomingRequest>,
        response: Resource<ResponseSink>,
        protocol: Option<String>,
    ) -> wasmtime::Result<Result<Resource<GuestSocket>, wit::Error>> {
        self.count_call()?;
        let offer = match self.table.get(&request)?.websocket.clone() {
            Some(Ok(offer)) => offer,
            Some(Err(why)) => return Ok(Err(wit::Error::NotOffered(why))),
            None => return Ok(Err(wit::Error::NotOffered("the header `upgrade` is not `websocket`".into()))),
        };
        let (to_guest, incoming) = mpsc::channel(limits::WEBSOCKET_MESSAGES_IN_MAX);
        let (outgoing, from_guest) = mpsc::channel(limits::WEBSOCKET_MESSAGES_OUT_MAX);
        let protocol = protocol.filter(|protocol| offer.protocols.contains(protocol));
        let ends = SocketEnds { accept: offer.accept, protocol, to_guest, from_guest };
        match self.table.get_mut(&response)?.answer(Answer::Socket(ends)) {
            Ok(()) => Ok(Ok(self.table.push(GuestSocket { incoming, outgoing })?)),
            Err(super::http::Refused::Begun(why)) => Ok(Err(wit::Error::OutOfOrder(why))),
            Err(super::http::Refused::Closed) => Ok(Err(wit::Error::Closed)),
        }
    }
}

impl wit::HostSocket for Guest {
    async fn receive(
        &mut self,
        socket: Resource<GuestSocket>,
        wait_ms: u32,
    ) -> wasmtime::Result<Result<Option<wit::Message>, wit::Error>> {
        self.count_call()?;
        self.rest();
        let start = std::time::Instant::now();
        let wait = Duration::from_millis(wait_ms.min(limits::GUEST_WAIT_MS_MAX).into());
        let received = tokio::time::timeout(wait, self.table.get_mut(&socket)?.incoming.recv()).await;
        self.add_wait(start.elapsed());
        Ok(match received {
            Err(_) => Ok(None),
            Ok(Some(Message::Text(text))) => Ok(Some(wit::Message::Text(text))),
            Ok(Some(Message::Binary(bytes))) => Ok(Some(wit::Message::Binary(bytes.into()))),
            Ok(Some(Message::Close(..)) | None) => Err(wit::Error::Closed),
        })
    }

    async fn send(
        &mut self,
        socket: Resource<GuestSocket>,
        message: wit::Message,
    ) -> wasmtime::Result<Result<(), wit::Error>> {
        self.count_call()?;
        let bytes = match &message {
            wit::Message::Text(text) => text.len(),
            wit::Message::Binary(bytes) => bytes.len(),
        };
        if bytes > limits::WEBSOCKET_MESSAGE_BYTES_MAX {
            return Ok(Err(wit::Error::TooLarge(limits::WEBSOCKET_MESSAGE_BYTES_MAX as u64)));
        }
        let message = match message {
            wit::Message::Text(text) => Message::Text(text),
            wit::Message::Binary(bytes) => Message::Binary(bytes.into()),
        };
        let outgoing = self.table.get(&socket)?.outgoing.clone();
        Ok(self.wait(outgoing.send(message)).await.map_err(|_| wit::Error::Closed))
    }

    async fn close(&mut self, socket: Resource<GuestSocket>, code: u16, reason: String) -> wasmtime::Result<()> {
        self.count_call()?;
        let outgoing = self.table.get(&socket)?.outgoing.clone();
        // Whoever has left needs no goodbye.
        let _ = self.wait(outgoing.send(Message::Close(code, reason))).await;
        Ok(())
    }

    async fn drop(&mut self, socket: Resource<GuestSocket>) -> wasmtime::Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}
