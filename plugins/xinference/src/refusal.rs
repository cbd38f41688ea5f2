//! How a request is refused: `{"detail": …}` with a text, always.
//!
//! Clients of every release show the detail, three of their calls read it without looking at the type, and a list in its place
//! (what the original sends for a body that does not parse) would reach people as a Python list. Only a missing part of a form is
//! told as that list, as clients that check forms expect it.

use mimus_sdk::stream::Sse;
use mimus_sdk::{BodyError, DialectError, Reply, WriteError, inference, launching, registry, state};
use serde_json::{Value, json};

/// Body of the refusals that the host makes.
pub(crate) const HOST_STYLE: &str = r#"{"detail":$message}"#;

/// When to ask again for a model that is loading, in seconds.
const LOADING_RETRY_S: u32 = 30;

/// What a client hears of a failure inside the model; the rest is in the log.
const MODEL_FAILED: &str = "The model failed on this request. The server's log has the details.";

/// A request that is not answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub(crate) status: u16,
    pub(crate) detail: Value,
    retry_after_s: Option<u32>,
}

impl Refusal {
    /// A status with a text.
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Self {
        Refusal { status, detail: Value::String(detail.into()), retry_after_s: None }
    }

    /// The client's fault (400).
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Refusal::new(400, detail)
    }

    /// A required field that is not there (400).
    pub(crate) fn missing(field: &str) -> Self {
        Refusal::bad(format!("Invalid input. Please specify the `{field}` field."))
    }

    /// A required part of a form that is not there (422).
    pub(crate) fn missing_part(name: &str) -> Self {
        let fault = json!([{ "type": "missing", "loc": ["body", name], "msg": "Field required", "input": null }]);
        Refusal { status: 422, detail: fault, retry_after_s: None }
    }

    /// No model has this uid: 404 where it should work, 400 where it is looked at.
    pub(crate) fn unknown_uid(status: u16, uid: &str) -> Self {
        Refusal::new(status, format!("Model not found in the model list, uid: {uid}"))
    }

    /// The model is on its way (503).
    pub(crate) fn loading(uid: &str) -> Self {
        let refusal = Refusal::new(503, format!("Model is loading, please retry later: uid: {uid}"));
        Refusal { retry_after_s: Some(LOADING_RETRY_S), ..refusal }
    }

    /// The same, to be tried again after so many milliseconds.
    pub(crate) fn retry_after_ms(self, wait_ms: u32) -> Self {
        Refusal { retry_after_s: Some(wait_ms.div_ceil(1000).max(1)), ..self }
    }

    fn text(&self) -> String {
        self.detail.as_str().map_or_else(|| self.detail.to_string(), str::to_owned)
    }
}

impl DialectError for Refusal {
    fn reply(&self) -> Reply {
        let reply = Reply::json(self.status, &json!({ "detail": self.detail }));
        match self.retry_after_s {
            Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }

    /// Clients raise the text of `error`.
    fn end_sse(&self, events: &mut Sse<'_>) -> Result<(), WriteError> {
        events.data(&json!({ "error": self.text() }))
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Refusal::bad(format!("Invalid input. {error}"))
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
        match error {
            Error::UnknownModel(uid) => Refusal::unknown_uid(404, &uid),
            Error::ModelNotReady(why) => {
                Refusal::new(503, format!("Model is not ready: {why}")).retry_after_ms(LOADING_RETRY_S * 1000)
            }
            Error::ContextExceeded(excess) => Refusal::bad(excess.message()),
            Error::Invalid(value) => {
                Refusal::bad(format!("Invalid input. `{}`: {}", client_field(&value.field), value.reason))
            }
            error @ (Error::Template(_) | Error::Unsupported(_)) => Refusal::bad(error.message()),
            Error::Overloaded(wait_ms) => {
                Refusal::new(429, "Rate limit reached: the server has too many requests.").retry_after_ms(wait_ms)
            }
            Error::Cancelled => Refusal::new(409, "The request was aborted."),
            Error::Failed(_) => Refusal::new(500, MODEL_FAILED),
        }
    }
}

/// The client's name of a field of the host's options.
fn client_field(field: &str) -> String {
    match field {
        "tokens-max" => "max_tokens".into(),
        "inputs" => "input".into(),
        "choices" => "n".into(),
        "stop-tokens" => "stop_token_ids".into(),
        "truncate-tokens" => "truncate_prompt_tokens".into(),
        "constraint" => "response_format".into(),
        "tag" => "request_id".into(),
        "name" => "model_uid".into(),
        "family" => "model_name".into(),
        "replicas" => "replica".into(),
        "requests-max" => "request_limits".into(),
        "path" => "model_path".into(),
        "context-tokens" => "context_length".into(),
        other => other.replace('-', "_"),
    }
}

impl From<launching::Error> for Refusal {
    fn from(error: launching::Error) -> Self {
        use launching::Error;
        match error {
            Error::UnknownFamily(why) | Error::NoSuchWeights(why) | Error::Unsupported(why) | Error::Taken(why) => {
                Refusal::bad(why)
            }
            Error::UnknownModel(why) => Refusal::bad(format!("Model not found in the model list. {why}")),
            Error::Invalid(value) => {
                Refusal::bad(format!("Invalid input. `{}`: {}", client_field(&value.field), value.reason))
            }
            Error::TooLarge(why) => Refusal::new(503, format!("No available slot found for the model. {why}")),
            Error::Forbidden(why) => Refusal::new(403, why),
            Error::Overloaded(wait_ms) => {
                Refusal::new(503, "Too many models are being launched.").retry_after_ms(wait_ms)
            }
            Error::Cancelled => Refusal::new(499, "Launch cancelled"),
            Error::Failed(why) => Refusal::new(503, format!("Failed to launch the model. {why}")),
        }
    }
}

impl From<registry::Error> for Refusal {
    fn from(error: registry::Error) -> Self {
        use registry::Error;
        match error {
            Error::Taken(why) => Refusal::bad(why),
            Error::Invalid(value) => {
                Refusal::bad(format!("Invalid model definition. `{}`: {}", value.field, value.reason))
            }
            Error::Forbidden(why) => Refusal::new(403, why),
            Error::Failed(why) => Refusal::new(500, why),
        }
    }
}

impl From<state::Error> for Refusal {
    fn from(_: state::Error) -> Self {
        Refusal::new(503, "The server's store is not available, please retry later.").retry_after_ms(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inference::{ContextExcess, InvalidValue};

    fn body(refusal: Refusal) -> (u16, String) {
        let reply = refusal.reply();
        (reply.status, String::from_utf8(reply.body).expect("text"))
    }

    #[test]
    fn every_failure_of_the_model_has_a_text() {
        use inference::Error;
        let cases = [
            (Error::UnknownModel("m".into()), 404, "uid: m"),
            (Error::ModelNotReady("loading".into()), 503, "not ready: loading"),
            (Error::ContextExceeded(ContextExcess { limit: 8, prompt: 9, wanted: 0 }), 400, "maximum context length"),
            (
                Error::Invalid(InvalidValue { field: "tokens-max".into(), reason: "0 is below 1".into() }),
                400,
                "`max_tokens`: 0 is below 1",
            ),
            (Error::Template("no user".into()), 400, "no user"),
            (Error::Unsupported("sound".into()), 400, "sound"),
            (Error::Overloaded(1500), 429, "Rate limit"),
            (Error::Cancelled, 409, "aborted"),
            (Error::Failed("secret".into()), 500, "The model failed"),
        ];
        for (error, status, words) in cases {
            let case = format!("{error:?}");
            let (got, text) = body(error.into());
            assert_eq!(got, status, "{case}");
            assert!(text.contains(words) && !text.contains("secret"), "{case}: {text}");
            let detail: Value = serde_json::from_str(&text).expect("JSON");
            assert!(detail["detail"].is_string(), "{case}: {text}");
        }
    }

    #[test]
    fn every_failure_of_a_launch_has_its_status() {
        use launching::Error;
        let why = || "why".to_owned();
        let cases = [
            (Error::UnknownFamily(why()), 400),
            (Error::NoSuchWeights(why()), 400),
            (Error::Unsupported(why()), 400),
            (Error::Taken(why()), 400),
            (Error::UnknownModel(why()), 400),
            (Error::TooLarge(why()), 503),
            (Error::Forbidden(why()), 403),
            (Error::Overloaded(10), 503),
            (Error::Cancelled, 499),
            (Error::Failed(why()), 503),
        ];
        for (error, status) in cases {
            assert_eq!(Refusal::from(error.clone()).status, status, "{error:?}");
        }
    }

    #[test]
    fn waiting_is_told_in_seconds() {
        for (refusal, seconds) in [(Refusal::loading("m"), "30"), (inference::Error::Overloaded(1500).into(), "2")] {
            let headers = refusal.reply().headers;
            assert!(headers.iter().any(|header| header.name == "retry-after" && header.value == seconds), "{seconds}");
        }
    }

    #[test]
    fn a_missing_part_is_a_list() {
        let (status, text) = body(Refusal::missing_part("image"));
        let detail =
            serde_json::json!([{"type": "missing", "loc": ["body", "image"], "msg": "Field required", "input": null}]);
        assert_eq!(status, 422);
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), serde_json::json!({ "detail": detail }));
    }
}
