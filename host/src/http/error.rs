//! The one place that maps troubles to HTTP statuses.

use crate::http::body::ReadError;
use crate::plugin::Fault;
use crate::plugin::manifest::{ErrorKind, ErrorStyle, Refusal, default_status};

/// A refusal by the host: its kind, and what to tell the client.
#[derive(Debug)]
pub struct Trouble {
    /// What kind, which a dialect maps to its own status and words.
    pub kind: ErrorKind,
    /// For the client: what to change. Holds no path, address or name of the inside.
    pub message: String,
}

impl Trouble {
    /// A trouble with its message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Trouble {
        Trouble { kind, message: message.into() }
    }

    /// Whether the client should come again, and after how many seconds.
    pub fn retry_after_s(&self) -> Option<u32> {
        matches!(self.kind, ErrorKind::Overloaded | ErrorKind::Unavailable).then_some(1)
    }

    /// In the shape of a dialect, or the server's own where no dialect is concerned.
    pub fn refuse(&self, style: Option<&ErrorStyle>) -> Refusal {
        match style {
            Some(style) => style.refuse(self.kind, &self.message),
            None => {
                let status = default_status(self.kind);
                let body = serde_json::json!({"error": {"message": self.message, "status": status}}).to_string();
                Refusal { status, content_type: "application/json".into(), body }
            }
        }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        match fault {
            Fault::Timeout => Trouble::new(ErrorKind::Timeout, "the request took longer than this server allows"),
            Fault::Overloaded => {
                Trouble::new(ErrorKind::Overloaded, "the server is handling as many requests as it can; try again soon")
            }
            // What exactly went wrong inside is for the log.
            _ => Trouble::new(ErrorKind::Internal, "the server failed to answer this request"),
        }
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Trouble {
        match error {
            ReadError::TooLarge(bytes_max) => {
                Trouble::new(ErrorKind::BodyTooLarge, format!("the request body is larger than {bytes_max} bytes"))
            }
            ReadError::Slow => Trouble::new(ErrorKind::BodyTimeout, "the request body did not arrive in time"),
            ReadError::Broken => Trouble::new(ErrorKind::BodyTimeout, "the request body is incomplete"),
        }
    }
}
