//! The shape of errors: flat, and by FastChat's custom with status 400 whatever the trouble.
//!
//! Two troubles keep a status of their own, because clients and proxies act on it and FastChat, which lets requests wait without
//! end, never has them: 429 when the server is overloaded and 503 when a model is not ready.

use mimus_sdk::inference::Error;
use mimus_sdk::stream::Sse;
use mimus_sdk::{BodyError, DialectError, Reply, WriteError};
use serde::Serialize;

/// FastChat's numbers for troubles (`fastchat/constants.py`).
pub(crate) mod code {
    pub(crate) const VALIDATION: u32 = 40001;
    pub(crate) const INCORRECT_KEY: u32 = 40102;
    pub(crate) const NO_PERMISSION: u32 = 40103;
    pub(crate) const INVALID_MODEL: u32 = 40301;
    pub(crate) const OUT_OF_RANGE: u32 = 40302;
    pub(crate) const CONTEXT_OVERFLOW: u32 = 40303;
    pub(crate) const OVERLOADED: u32 = 42903;
    pub(crate) const INTERNAL: u32 = 50001;
    pub(crate) const NO_WORKER: u32 = 50005;
    pub(crate) const WORKER_TIMEOUT: u32 = 50006;
}

/// Seconds that a client is asked to wait for a model that is loading.
const LOADING_RETRY_S: u32 = 5;

/// One error of this API.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    status: u16,
    code: u32,
    message: String,
    retry_after_s: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(code: u32, message: impl Into<String>) -> Self {
        Refusal { status: 400, code, message: message.into(), retry_after_s: None }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Refusal { status, ..self }
    }

    /// A body or a field that does not have the right form.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Refusal::new(code::VALIDATION, message)
    }

    /// A value that is out of bounds.
    pub(crate) fn out_of_range(message: impl Into<String>) -> Self {
        Refusal::new(code::OUT_OF_RANGE, message)
    }

    /// A prompt that leaves no room for an answer.
    pub(crate) fn context_overflow(limit: u32, prompt: u32) -> Self {
        let message = format!(
            "This model's maximum context length is {limit} tokens. However, your messages resulted in {prompt} tokens. \
             Please reduce the length of the messages."
        );
        Refusal::new(code::CONTEXT_OVERFLOW, message)
    }

    pub(crate) fn code(&self) -> u32 {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

/// The contract's name of a field in the words of this API.
fn field_name(field: &str) -> String {
    match field {
        "choices" => "n".into(),
        "tokens-max" => "max_tokens".into(),
        "inputs" => "input".into(),
        "stop-tokens" => "stop_token_ids".into(),
        other => other.replace('-', "_"),
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let message = error.message();
        match error {
            Error::UnknownModel(_) => Refusal::new(code::INVALID_MODEL, message),
            Error::ModelNotReady(_) => {
                Refusal { status: 503, retry_after_s: Some(LOADING_RETRY_S), ..Refusal::new(code::NO_WORKER, message) }
            }
            Error::ContextExceeded(excess) => Refusal::context_overflow(excess.limit, excess.prompt),
            Error::Invalid(value) => {
                Refusal::out_of_range(format!("{} - '{}'", value.reason, field_name(&value.field)))
            }
            Error::Template(_) => Refusal::validation(message),
            Error::Unsupported(_) => Refusal::out_of_range(message),
            Error::Overloaded(wait_ms) => Refusal {
                status: 429,
                retry_after_s: Some(wait_ms.div_ceil(1000).max(1)),
                ..Refusal::new(code::OVERLOADED, message)
            },
            Error::Cancelled => Refusal::new(code::WORKER_TIMEOUT, message).with_status(503),
            Error::Failed(details) => {
                mimus_sdk::error!("the model failed: {details}");
                Refusal::new(code::INTERNAL, message)
            }
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Refusal::validation(error.to_string())
    }
}

impl From<WriteError> for Refusal {
    /// Reaches nobody when the client has left; else an answer of ours was not JSON.
    fn from(error: WriteError) -> Self {
        Refusal::new(code::INTERNAL, format!("the answer could not be written: {error:?}"))
    }
}

impl DialectError for Refusal {
    fn reply(&self) -> Reply {
        #[derive(Serialize)]
        struct Body<'a> {
            object: &'static str,
            message: &'a str,
            code: u32,
        }
        let reply = Reply::json(self.status, &Body { object: "error", message: &self.message, code: self.code });
        match self.retry_after_s {
            Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }

    /// A stream ends with what the worker said, and then as any other.
    fn end_sse(&self, events: &mut Sse<'_>) -> Result<(), WriteError> {
        events.push(&WorkerFault { text: &self.message, error_code: self.code })?;
        events.done()
    }
}

/// A trouble in the worker's words.
#[derive(Serialize)]
pub(crate) struct WorkerFault<'a> {
    pub(crate) text: &'a str,
    pub(crate) error_code: u32,
}
