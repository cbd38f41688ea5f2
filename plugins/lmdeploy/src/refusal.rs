//! How a request is refused: one body for both worlds, the flat keys that lmdeploy's client reads and the nested object that OpenAI's
//! client reads.
//!
//! lmdeploy up to 0.5.3 sent application errors with status 200; later releases and this send the status that the body names.

use mimus_sdk::state;
use mimus_sdk::{BodyError, DialectError, Reply, WriteError, inference};
use serde::Serialize;

/// The same body for refusals that the host makes.
pub const HOST_STYLE: &str = concat!(
    r#"{"object":"error","message":$message,"type":$type,"param":null,"code":$status,"#,
    r#""error":{"message":$message,"type":$type,"param":null,"code":$code}}"#
);

/// A request that is not answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    status: u16,
    message: String,
    /// The field at fault.
    param: Option<String>,
    /// OpenAI's word for the case.
    code: Option<&'static str>,
    retry_after_s: Option<u32>,
}

impl Refusal {
    /// The client's fault (400), in words of its own.
    pub fn bad(param: &str, message: impl Into<String>) -> Self {
        Refusal { param: Some(param.to_owned()), ..Refusal::new(400, message) }
    }

    /// Not done here, whatever is asked (400).
    pub fn refused(message: impl Into<String>) -> Self {
        Refusal::new(400, message)
    }

    /// Switched off (501).
    pub fn not_implemented(message: impl Into<String>) -> Self {
        Refusal::new(501, message)
    }

    /// No such model (404).
    pub fn unknown_model(name: &str) -> Self {
        let message = format!("The model `{name}` does not exist.");
        Refusal { param: Some("model".into()), code: Some("model_not_found"), ..Refusal::new(404, message) }
    }

    /// Something else holds what is wanted (409).
    pub fn conflict(param: &str, message: impl Into<String>) -> Self {
        Refusal { param: Some(param.to_owned()), ..Refusal::new(409, message) }
    }

    /// No model is ready (503).
    pub fn unavailable(message: impl Into<String>) -> Self {
        Refusal { retry_after_s: Some(1), ..Refusal::new(503, message) }
    }

    /// The same, about another field.
    pub fn about(self, param: &str) -> Self {
        Refusal { param: Some(param.to_owned()), ..self }
    }

    fn new(status: u16, message: impl Into<String>) -> Self {
        Refusal { status, message: message.into(), param: None, code: None, retry_after_s: None }
    }

    fn kind(&self) -> &'static str {
        match self.status {
            429 => "requests",
            status if status >= 500 => "server_error",
            _ => "invalid_request_error",
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    object: &'static str,
    message: &'a str,
    r#type: &'static str,
    param: Option<&'a str>,
    code: u16,
    error: Nested<'a>,
}

#[derive(Serialize)]
struct Nested<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'a str>,
    code: Option<&'static str>,
}

impl DialectError for Refusal {
    fn reply(&self) -> Reply {
        let (message, kind, param) = (self.message.as_str(), self.kind(), self.param.as_deref());
        let error = Nested { message, r#type: kind, param, code: self.code };
        let body = Body { object: "error", message, r#type: kind, param, code: self.status, error };
        let reply = Reply::json(self.status, &body);
        match self.retry_after_s {
            Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Refusal { param: error.field.clone(), ..Refusal::new(400, error.to_string()) }
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        Refusal::new(500, format!("the answer could not be sent: {error:?}"))
    }
}

impl From<inference::Error> for Refusal {
    fn from(error: inference::Error) -> Self {
        use inference::Error;
        let message = error.message();
        match error {
            Error::UnknownModel(name) => Refusal::unknown_model(&name),
            Error::ModelNotReady(_) => Refusal::unavailable(message),
            Error::ContextExceeded(_) => {
                Refusal { code: Some("context_length_exceeded"), ..Refusal::bad("messages", message) }
            }
            Error::Invalid(value) => {
                let field = client_field(&value.field);
                Refusal::bad(&field, format!("{field}: {}", value.reason))
            }
            Error::Template(_) => Refusal::bad("messages", message),
            Error::Unsupported(_) => Refusal::new(400, message),
            Error::Overloaded(wait_ms) => Refusal {
                code: Some("rate_limit_exceeded"),
                retry_after_s: Some(wait_ms.div_ceil(1000).max(1)),
                ..Refusal::new(429, message)
            },
            Error::Cancelled => Refusal::new(503, message),
            Error::Failed(_) => Refusal::new(500, message),
        }
    }
}

impl From<state::Error> for Refusal {
    fn from(error: state::Error) -> Self {
        use state::Error;
        match error {
            Error::TooLarge(_) => Refusal::bad("session_id", "the session has become too large, please end it"),
            Error::Full => Refusal::unavailable("there is no room for further sessions, please try again later"),
            Error::Busy | Error::Conflict(_) => {
                Refusal::conflict("session_id", "the session is answering another request")
            }
            Error::Failed(_) => Refusal::new(500, "the session could not be kept"),
        }
    }
}

/// The client's name of a field of the host's options.
fn client_field(field: &str) -> String {
    match field {
        "tokens-max" => "max_tokens".into(),
        "inputs" => "input".into(),
        "stop-tokens" => "stop_token_ids".into(),
        "tokens-min" => "min_new_tokens".into(),
        "choices" => "n".into(),
        "logprobs" => "top_logprobs".into(),
        "constraint" => "response_format".into(),
        other => other.replace('-', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_worlds_are_told() {
        let reply = Refusal::unknown_model("x").reply();
        assert_eq!(reply.status, 404);
        assert_eq!(
            String::from_utf8(reply.body).expect("text"),
            concat!(
                r#"{"object":"error","message":"The model `x` does not exist.","type":"invalid_request_error","param":"model","code":404,"#,
                r#""error":{"message":"The model `x` does not exist.","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#
            )
        );
    }

    #[test]
    fn each_failure_has_its_status() {
        use inference::{ContextExcess, Error, InvalidValue};
        let cases = [
            (Error::UnknownModel("m".into()), 404),
            (Error::ModelNotReady("loading".into()), 503),
            (Error::ContextExceeded(ContextExcess { limit: 8, prompt: 9, wanted: 0 }), 400),
            (Error::Invalid(InvalidValue { field: "tokens-max".into(), reason: "0 is below 1".into() }), 400),
            (Error::Template("no user".into()), 400),
            (Error::Unsupported("grammars".into()), 400),
            (Error::Overloaded(1500), 429),
            (Error::Cancelled, 503),
            (Error::Failed("secret".into()), 500),
        ];
        for (error, status) in cases {
            let case = format!("{error:?}");
            let reply = Refusal::from(error).reply();
            assert_eq!(reply.status, status, "{case}");
            assert!(!String::from_utf8_lossy(&reply.body).contains("secret"), "{case}");
        }
    }

    #[test]
    fn overload_says_when_to_come_back() {
        let reply = Refusal::from(inference::Error::Overloaded(1500)).reply();
        assert!(reply.headers.iter().any(|header| header.name == "retry-after" && header.value == "2"));
    }
}
