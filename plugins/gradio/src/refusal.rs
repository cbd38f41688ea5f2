//! How a request is refused: `{"detail": …}` as FastAPI has it, with `error` besides, which old clients read.

use mimus_sdk::stream::Sse;
use mimus_sdk::{BodyError, DialectError, Reply, WriteError, blobs, log, state};
use serde_json::json;

/// A request that is not answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    status: u16,
    message: String,
    retry_after_s: Option<u32>,
}

impl Refusal {
    /// In words for the client's user.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Refusal { status, message: message.into(), retry_after_s: None }
    }

    /// No more calls can wait (503); clients tell their users to try again.
    pub(crate) fn queue_full() -> Self {
        Refusal { retry_after_s: Some(5), ..Refusal::new(503, "Queue is full. Please try again.") }
    }

    /// What the client is told.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn internal(what: &str, error: &dyn std::fmt::Debug) -> Self {
        log::write(log::Level::Error, &format!("{what}: {error:?}"));
        Refusal::new(500, what)
    }
}

impl DialectError for Refusal {
    fn reply(&self) -> Reply {
        let reply = Reply::json(self.status, &json!({ "detail": self.message, "error": self.message }));
        match self.retry_after_s {
            Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }

    /// The message that every client of an event stream knows.
    fn end_sse(&self, events: &mut Sse<'_>) -> Result<(), WriteError> {
        events.data(&json!({
            "msg": "unexpected_error", "event_id": null, "message": self.message, "success": false,
        }))
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Refusal::new(422, error.to_string())
    }
}

impl From<state::Error> for Refusal {
    fn from(error: state::Error) -> Self {
        match error {
            state::Error::Full | state::Error::Busy | state::Error::Conflict(_) => Refusal::queue_full(),
            error => Refusal::internal("the call could not be kept", &error),
        }
    }
}

impl From<blobs::Error> for Refusal {
    fn from(error: blobs::Error) -> Self {
        match error {
            blobs::Error::NotFound => Refusal::new(404, "File not found"),
            blobs::Error::TooLarge(bytes) => Refusal::new(413, format!("a file may have at most {bytes} bytes")),
            blobs::Error::Full => Refusal { retry_after_s: Some(60), ..Refusal::new(503, "no room for more files") },
            error => Refusal::internal("the file could not be kept", &error),
        }
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        Refusal::new(500, format!("the answer could not be written: {error:?}"))
    }
}
