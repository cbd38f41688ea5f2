//! Messages both ways over one connection.

use std::time::Duration;

use crate::backend::{self, Backend, host};
use crate::{Request, Response};

pub use crate::bindings::personality::mimus::plugin::websocket::{Error, Message};

/// A normal end.
pub const NORMAL: u16 = 1000;

/// An open websocket. Dropping it closes it. When the client leaves, the host ends the whole request, so that what it started is freed.
///
/// ```
/// use std::time::Duration;
/// use mimus_sdk::websocket::{self, Error, Message};
/// use mimus_sdk::{Request, Response};
///
/// /// Says back what the client says, until it is silent for a minute.
/// fn echo(request: &Request, response: &mut Response) -> Result<(), Error> {
///     let mut socket = websocket::accept(request, response, None)?;
///     while let Some(message) = socket.receive(Duration::from_secs(60))? {
///         socket.send(message)?;
///     }
///     socket.close(websocket::NORMAL, "silence");
///     Ok(())
/// }
/// ```
pub struct Socket(Box<dyn backend::Socket>);

/// Whether the request asks for a websocket.
pub fn is_offered(request: &Request) -> bool {
    Backend::is_websocket_offered(&*host(), request.source())
}

/// Answers 101 and takes the connection over. Of the sub-protocols that the client offers, `protocol` is chosen where it is among them.
///
/// # Errors
/// [`Error::NotOffered`] leaves the response as it was, for another answer.
pub fn accept(request: &Request, response: &mut Response, protocol: Option<&str>) -> Result<Socket, Error> {
    let socket = Backend::accept_websocket(&*host(), request.source(), response.sink(), protocol)?;
    response.taken();
    Ok(Socket(socket))
}

impl Socket {
    /// The next message; none when nothing came in time. At most a minute.
    pub fn receive(&mut self, wait: Duration) -> Result<Option<Message>, Error> {
        self.0.receive(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX))
    }

    /// Sends a message. Waits while the client reads slower than this writes.
    pub fn send(&mut self, message: Message) -> Result<(), Error> {
        self.0.send(message)
    }

    /// Sends text.
    pub fn text(&mut self, text: impl Into<String>) -> Result<(), Error> {
        self.send(Message::Text(text.into()))
    }

    /// Says goodbye with a code of RFC 6455, section 7.4, and at most 123 bytes of reason.
    pub fn close(mut self, code: u16, reason: &str) {
        self.0.close(code, reason);
    }
}
