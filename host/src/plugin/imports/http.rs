//! `http`: the request that a guest answers and the response it fills.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::Resource;

use super::websocket::{Offer, SocketEnds};
use crate::limits;
use crate::plugin::bindings::personality::mimus::plugin::http as wit;
use crate::plugin::guest::Guest;

pub use wit::{Header, RequestHead};

/// A request as the host has read it.
pub struct IncomingRequest {
    /// Where it goes and who asks.
    pub head: RequestHead,
    /// Headers in order, lower-case names, without the client's key.
    pub headers: Vec<(String, String)>,
    /// Whose request it is; see `http::Keys::tenant`.
    pub tenant: u64,
    /// Whether the headers hold a key that lets the client in; true where none is asked for.
    pub is_admitted: bool,
    /// That it asks for a websocket, or what is wrong with how it asks; none where it does not.
    pub websocket: Option<Result<Offer, String>>,
    /// The whole body; empty once the guest has taken it.
    pub body: Bytes,
}

/// What a guest answers, as far as the host needs it to start the client's response.
pub enum Answer {
    /// Status, headers and the whole body.
    Whole(u16, Vec<Header>, Bytes),
    /// Status and headers; the body follows by the channel and ends when the guest returns.
    Streamed(u16, Vec<Header>, mpsc::Receiver<Bytes>),
    /// No response: the connection becomes a websocket.
    Socket(SocketEnds),
}

/// What the host writes at an interval after a guest has returned.
pub struct Repeat {
    /// Each time.
    pub bytes: Bytes,
    /// Time between.
    pub interval: Duration,
    /// Where to.
    pub chunks: mpsc::Sender<Bytes>,
}

/// Why an answer cannot be given.
pub enum Refused {
    /// There is one already; the words for the guest.
    Begun(String),
    /// Nobody waits for it.
    Closed,
}

impl From<Refused> for wit::WriteError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Begun(why) => wit::WriteError::OutOfOrder(why),
            Refused::Closed => wit::WriteError::Closed,
        }
    }
}

/// The guest's end of a response.
pub struct ResponseSink {
    answer: Option<oneshot::Sender<Answer>>,
    chunks: Option<mpsc::Sender<Bytes>>,
}

impl ResponseSink {
    /// A sink and where its answer arrives.
    pub fn new() -> (ResponseSink, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        (ResponseSink { answer: Some(sender), chunks: None }, receiver)
    }

    /// Gives the one answer.
    pub(super) fn answer(&mut self, answer: Answer) -> Result<(), Refused> {
        let sender = self.answer.take().ok_or_else(|| Refused::Begun("the response has begun already".into()))?;
        sender.send(answer).map_err(|_| Refused::Closed)
    }
}

impl wit::Host for Guest {}

impl wit::HostRequest for Guest {
    fn head(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<RequestHead> {
        self.count_call()?;
        Ok(self.table.get(&request)?.head.clone())
    }

    fn header(&mut self, request: Resource<IncomingRequest>, name: String) -> wasmtime::Result<Option<String>> {
        self.count_call()?;
        let headers = &self.table.get(&request)?.headers;
        Ok(headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone()))
    }

    fn headers(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<Vec<Header>> {
        self.count_call()?;
        let headers = &self.table.get(&request)?.headers;
        Ok(headers.iter().map(|(name, value)| Header { name: name.clone(), value: value.clone() }).collect())
    }

    fn is_admitted(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<bool> {
        self.count_call()?;
        Ok(self.table.get(&request)?.is_admitted)
    }

    fn body(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<Vec<u8>> {
        self.count_call()?;
        Ok(std::mem::take(&mut self.table.get_mut(&request)?.body).into())
    }

    fn drop(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl wit::HostResponse for Guest {
    fn send(
        &mut self,
        response: Resource<ResponseSink>,
        status: u16,
        headers: Vec<Header>,
        body: Vec<u8>,
    ) -> wasmtime::Result<Result<(), wit::WriteError>> {
        self.count_call()?;
        Ok(check_head(status, &headers).and_then(|()| {
            Ok(self.table.get_mut(&response).map_err(gone)?.answer(Answer::Whole(status, headers, body.into()))?)
        }))
    }

    fn start(
        &mut self,
        response: Resource<ResponseSink>,
        status: u16,
        headers: Vec<Header>,
    ) -> wasmtime::Result<Result<(), wit::WriteError>> {
        self.count_call()?;
        if let Err(error) = check_head(status, &headers) {
            return Ok(Err(error));
        }
        let (sender, receiver) = mpsc::channel(limits::RESPONSE_CHUNKS_MAX);
        let sink = self.table.get_mut(&response)?;
        let started = sink.answer(Answer::Streamed(status, headers, receiver));
        if started.is_ok() {
            sink.chunks = Some(sender);
        }
        Ok(started.map_err(Into::into))
    }

    async fn write(
        &mut self,
        response: Resource<ResponseSink>,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Result<(), wit::WriteError>> {
        self.count_call()?;
        let Some(chunks) = self.table.get(&response)?.chunks.clone() else {
            return Ok(Err(wit::WriteError::OutOfOrder("write before start, or after send".into())));
        };
        let mut bytes = Bytes::from(bytes);
        while !bytes.is_empty() {
            let chunk = bytes.split_to(bytes.len().min(limits::RESPONSE_CHUNK_BYTES_MAX));
            let is_sent = match chunks.try_send(chunk) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Closed(_)) => false,
                Err(mpsc::error::TrySendError::Full(chunk)) => self.wait(chunks.send(chunk)).await.is_ok(),
            };
            if !is_sent {
                return Ok(Err(wit::WriteError::Closed));
            }
        }
        Ok(Ok(()))
    }

    fn repeat(
        &mut self,
        response: Resource<ResponseSink>,
        bytes: Vec<u8>,
        interval_ms: u32,
    ) -> wasmtime::Result<Result<(), wit::WriteError>> {
        self.count_call()?;
        let Some(chunks) = self.table.get(&response)?.chunks.clone() else {
            return Ok(Err(wit::WriteError::OutOfOrder("repeat before start, or after send".into())));
        };
        let interval = limits::REPEAT_INTERVAL_MS_MIN..=limits::GUEST_WAIT_MS_MAX;
        if !(1..=limits::REPEAT_BYTES_MAX).contains(&bytes.len()) || !interval.contains(&interval_ms) {
            let why = format!(
                "1 to {} bytes can be repeated, every {} to {} ms",
                limits::REPEAT_BYTES_MAX,
                interval.start(),
                interval.end()
            );
            return Ok(Err(wit::WriteError::Invalid(why)));
        }
        let interval = Duration::from_millis(interval_ms.into());
        self.repeat = Some(Repeat { bytes: bytes.into(), interval, chunks });
        Ok(Ok(()))
    }

    fn drop(&mut self, response: Resource<ResponseSink>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

fn gone(_: wasmtime::component::ResourceTableError) -> wit::WriteError {
    wit::WriteError::OutOfOrder("the response is gone".into())
}

/// Refuses what HTTP cannot carry before the client's response begins.
fn check_head(status: u16, headers: &[Header]) -> Result<(), wit::WriteError> {
    if !(200..=599).contains(&status) {
        return Err(wit::WriteError::Invalid(format!("status {status} is not 200 to 599")));
    }
    if headers.len() > limits::RESPONSE_HEADERS_MAX {
        return Err(wit::WriteError::Invalid(format!(
            "{} headers, at most {}",
            headers.len(),
            limits::RESPONSE_HEADERS_MAX
        )));
    }
    for header in headers {
        let is_name = !header.name.is_empty()
            && header.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        let is_value = header.value.len() <= limits::RESPONSE_HEADER_BYTES_MAX
            && header.value.bytes().all(|b| b == b'\t' || (b >= 0x20 && b != 0x7f));
        if !is_name || !is_value {
            return Err(wit::WriteError::Invalid(format!(
                "header `{}` is not one that HTTP allows",
                header.name.escape_debug()
            )));
        }
    }
    Ok(())
}
