//! Bodies: reading a client's within its bounds, and sending ours.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::sync::mpsc;

use super::exchange::Exchange;
use crate::limits;
use crate::plugin::{Fault, GuestStream};

/// Why a client's body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Longer than the bound, in bytes.
    TooLarge(usize),
    /// Stalled or too slow.
    Slow,
    /// Broken framing, or the client left.
    Broken,
}

/// Reads a whole body of at most `bytes_max`.
///
/// # Errors
/// `TooLarge` before anything is read where the length was declared.
pub async fn read(mut body: Incoming, bytes_max: usize) -> Result<Bytes, ReadError> {
    let declared = body.size_hint();
    if declared.lower() > bytes_max as u64 {
        return Err(ReadError::TooLarge(bytes_max));
    }
    let start = Instant::now();
    let mut first = Bytes::new();
    let mut whole: Option<BytesMut> = None;
    loop {
        let frame = match tokio::time::timeout(Duration::from_millis(limits::BODY_IDLE_MS), body.frame()).await {
            Err(_) => return Err(ReadError::Slow),
            Ok(None) => return Ok(whole.map_or(first, BytesMut::freeze)),
            Ok(Some(Err(_))) => return Err(ReadError::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        let length = whole.as_ref().map_or(first.len(), BytesMut::len) + data.len();
        if length > bytes_max {
            return Err(ReadError::TooLarge(bytes_max));
        }
        if is_too_slow(start.elapsed(), length) {
            return Err(ReadError::Slow);
        }
        // Most bodies come in one piece and are passed on without a copy.
        if first.is_empty() && whole.is_none() {
            first = data;
        } else {
            let whole = whole.get_or_insert_with(|| {
                let mut whole = BytesMut::with_capacity(usize::try_from(declared.lower()).unwrap_or(0).max(length));
                whole.extend_from_slice(&std::mem::take(&mut first));
                whole
            });
            whole.extend_from_slice(&data);
        }
    }
}

/// Whether a body arrives at less than the lowest rate, after its time of grace.
fn is_too_slow(elapsed: Duration, bytes: usize) -> bool {
    let grace = Duration::from_millis(limits::BODY_GRACE_MS);
    elapsed > grace && (bytes as u64) < (elapsed - grace).as_secs() * limits::BODY_BYTES_PER_S_MIN
}

/// What a response body is made of.
pub enum Source {
    /// Known bytes.
    Whole(Option<Bytes>),
    /// A guest's stream, driven by being read.
    Guest(GuestStream),
    /// Pieces from one of the server's own endpoints.
    Pieces(mpsc::Receiver<Bytes>),
}

/// A response body, with the account of its request that is closed when the body ends.
pub struct Body {
    source: Source,
    /// None where the request goes on after its response.
    exchange: Option<Exchange>,
}

impl Body {
    /// A body; `exchange` is closed with it.
    pub fn new(source: Source, mut exchange: Exchange) -> Body {
        if matches!(&source, Source::Whole(bytes) if bytes.as_ref().is_none_or(Bytes::is_empty)) {
            exchange.ended();
        }
        Body { source, exchange: Some(exchange) }
    }

    /// No bytes, of a response with which the account does not end.
    pub fn empty() -> Body {
        Body { source: Source::Whole(None), exchange: None }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let next = match &mut self.source {
            Source::Whole(bytes) => Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(Ok)),
            Source::Guest(stream) => stream.poll_next(context),
            Source::Pieces(pieces) => pieces.poll_recv(context).map(|piece| piece.map(Ok)),
        };
        // A whole body is not asked for its end: its length has told it.
        let is_whole = matches!(self.source, Source::Whole(_));
        match (&next, &mut self.exchange) {
            (Poll::Ready(Some(Ok(bytes))), Some(exchange)) => {
                exchange.sent(bytes.len());
                if is_whole {
                    exchange.ended();
                }
            }
            (Poll::Ready(Some(Err(fault))), Some(exchange)) => exchange.broke(fault),
            (Poll::Ready(None), Some(exchange)) => exchange.ended(),
            _ => {}
        }
        next.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.source, Source::Whole(bytes) if bytes.as_ref().is_none_or(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_bodies_have_a_time_of_grace() {
        let grace = Duration::from_millis(limits::BODY_GRACE_MS);
        assert!(!is_too_slow(grace, 0));
        assert!(is_too_slow(grace + Duration::from_secs(2), 1));
        let enough = usize::try_from(2 * limits::BODY_BYTES_PER_S_MIN).expect("small");
        assert!(!is_too_slow(grace + Duration::from_secs(2), enough));
    }
}
