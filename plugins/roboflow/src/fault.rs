//! How a request is refused: `{"message": …}`, and for a body that does not parse FastAPI's `{"detail": […]}`.
//!
//! Clients try again after 429 and 503, so those two are told only of what passes by itself.

use mimus_sdk::{BodyError, BodyErrorKind, DialectError, Reply, WriteError, inference, media, state};
use serde::Serialize;
use serde_json::{Value, json};

/// When to ask again for a model that is loading, in milliseconds.
const LOADING_RETRY_MS: u32 = 5_000;

/// What the original says of an id that no model has.
const NOT_FOUND: &str = "Requested Roboflow resource not found. Make sure that workspace, project or model you referred \
                         in request exists.";

/// A request that is not answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(crate) status: u16,
    body: Body,
    retry_after_s: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
enum Body {
    Message {
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        error_type: Option<&'static str>,
        /// Newer clients show it after the message.
        #[serde(skip_serializing_if = "Option::is_none")]
        inner_error_message: Option<String>,
    },
    Detail {
        detail: Vec<Value>,
    },
}

impl Fault {
    /// A status with a message.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        let body = Body::Message { message: message.into(), error_type: None, inner_error_message: None };
        Fault { status, body, retry_after_s: None }
    }

    /// The client's fault (400).
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Fault::new(400, message)
    }

    /// No model has this id (404), or the id has no form that a model could have (400).
    pub(crate) fn unknown_model(id: &str) -> Self {
        match id.split('/').collect::<Vec<_>>().as_slice() {
            [project, version] if !project.is_empty() && !version.is_empty() => {
                Fault::new(404, NOT_FOUND).because(format!("this server has no model `{id}`"))
            }
            _ => Fault::bad("Invalid Model ID sent in request.").because(format!("this server has no model `{id}`")),
        }
    }

    /// No model has what a route needs (404): what it is, and how to get one.
    pub(crate) fn no_such_model(message: impl Into<String>) -> Self {
        Fault::new(404, message)
    }

    /// What this server does not do (501).
    pub(crate) fn not_available(message: impl Into<String>) -> Self {
        Fault::new(501, message).of_type("FeatureNotAvailableError")
    }

    /// A picture that does not open. `index` is its place in a list.
    pub(crate) fn picture(cause: &str, index: Option<usize>) -> Self {
        let place = index.map(|index| format!(" (image {index} of the list)")).unwrap_or_default();
        Fault::bad(format!("Could not load input image. Cause: {cause}{place}"))
    }

    /// A value that a field does not take (422), told as FastAPI tells it.
    pub(crate) fn field(place: &[&str], kind: &str, message: &str) -> Self {
        let detail = vec![json!({ "type": kind, "loc": place, "msg": message })];
        Fault { status: 422, body: Body::Detail { detail }, retry_after_s: None }
    }

    /// The model is on its way (503).
    pub(crate) fn loading(id: &str) -> Self {
        Fault::new(503, format!("Model {id} is loading, try again later.")).retry_after_ms(LOADING_RETRY_MS)
    }

    /// Adds what is behind the message.
    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        if let Body::Message { inner_error_message, .. } = &mut self.body {
            *inner_error_message = Some(why.into());
        }
        self
    }

    fn of_type(mut self, name: &'static str) -> Self {
        if let Body::Message { error_type, .. } = &mut self.body {
            *error_type = Some(name);
        }
        self
    }

    fn retry_after_ms(self, wait_ms: u32) -> Self {
        Fault { retry_after_s: Some(wait_ms.div_ceil(1000).max(1)), ..self }
    }
}

impl DialectError for Fault {
    fn reply(&self) -> Reply {
        let reply = Reply::json(self.status, &self.body);
        match self.retry_after_s {
            Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        let mut place = vec![json!("body")];
        place.extend(error.field.as_deref().map(path).unwrap_or_default());
        let (kind, message) = match error.kind {
            BodyErrorKind::Missing => ("missing", "Field required".to_owned()),
            BodyErrorKind::Empty => ("missing", error.reason),
            BodyErrorKind::Syntax => ("json_invalid", error.reason),
            BodyErrorKind::Type => ("type_error", input(&error.reason)),
            BodyErrorKind::Value => ("value_error", input(&error.reason)),
        };
        let detail = vec![json!({ "type": kind, "loc": place, "msg": message })];
        Fault { status: 422, body: Body::Detail { detail }, retry_after_s: None }
    }
}

/// `must be a number, got a string` as a sentence that stands alone.
fn input(reason: &str) -> String {
    reason.strip_prefix("must be ").map_or_else(|| format!("Input {reason}"), |rest| format!("Input should be {rest}"))
}

/// `images[1].type` as the names and indices that it is made of.
fn path(field: &str) -> Vec<Value> {
    let mut places = Vec::new();
    for name in field.split('.') {
        let mut parts = name.split('[');
        places.extend(parts.next().filter(|name| !name.is_empty()).map(Value::from));
        places.extend(parts.map(|index| index.trim_end_matches(']').parse::<u64>().map_or(json!(index), Value::from)));
    }
    places
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        internal(&format!("the answer could not be sent: {error:?}"))
    }
}

impl From<inference::Error> for Fault {
    fn from(error: inference::Error) -> Self {
        use inference::Error;
        match error {
            Error::UnknownModel(id) => Fault::unknown_model(&id),
            Error::ModelNotReady(why) => {
                Fault::new(503, format!("The model is not ready: {why}")).retry_after_ms(LOADING_RETRY_MS)
            }
            Error::ContextExceeded(excess) => {
                Fault::bad(format!("The text is too long: {} tokens, at most {}.", excess.prompt, excess.limit))
            }
            error @ (Error::Invalid(_) | Error::Template(_) | Error::Unsupported(_)) => Fault::bad(error.message()),
            Error::Overloaded(wait_ms) => {
                Fault::new(429, "The server has too many requests, try again later.").retry_after_ms(wait_ms)
            }
            Error::Cancelled => Fault::new(503, "The server stops.").retry_after_ms(1000),
            Error::Failed(why) => internal(&why),
        }
    }
}

impl From<state::Error> for Fault {
    fn from(error: state::Error) -> Self {
        internal(&format!("the list of models could not be kept: {error:?}"))
    }
}

/// Our fault (500): the log has the reason.
pub(crate) fn internal(why: &str) -> Fault {
    mimus_sdk::error!("{why}");
    Fault::new(500, "Internal error.")
}

/// Why a picture did not open, in the original's words; what is behind them goes to newer clients.
pub(crate) fn of_picture(error: &media::Error, is_address: bool, index: Option<usize>) -> Fault {
    match error {
        media::Error::Empty => Fault::picture("Empty image payload.", index),
        media::Error::Malformed(why) => {
            let cause = match is_address {
                true => "Data pointed by URL could not be decoded into image.",
                false => "Malformed base64 input image.",
            };
            Fault::picture(cause, index).because(why)
        }
        media::Error::TooLarge(why) | media::Error::Refused(why) | media::Error::Unreachable(why) => {
            Fault::picture(why, index)
        }
        media::Error::Overloaded(wait_ms) => inference::Error::Overloaded(*wait_ms).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inference::{ContextExcess, InvalidValue};

    fn shown(fault: &Fault) -> (u16, Value) {
        let reply = fault.reply();
        (reply.status, serde_json::from_slice(&reply.body).expect("JSON"))
    }

    #[test]
    fn every_failure_of_a_model_has_a_status_and_a_message() {
        use inference::Error;
        let cases = [
            (Error::UnknownModel("a/1".into()), 404, "resource not found"),
            (Error::UnknownModel("a".into()), 400, "Invalid Model ID"),
            (Error::UnknownModel("a/1/2".into()), 400, "Invalid Model ID"),
            (Error::ModelNotReady("loading".into()), 503, "not ready: loading"),
            (Error::ContextExceeded(ContextExcess { limit: 77, prompt: 90, wanted: 0 }), 400, "90 tokens, at most 77"),
            (Error::Invalid(InvalidValue { field: "iou".into(), reason: "is 2".into() }), 400, "iou: is 2"),
            (Error::Unsupported("vision".into()), 400, "vision"),
            (Error::Overloaded(1500), 429, "too many"),
            (Error::Cancelled, 503, "stops"),
        ];
        for (error, status, words) in cases {
            let case = format!("{error:?}");
            let (got, body) = shown(&error.into());
            assert_eq!(got, status, "{case}");
            let message = body["message"].as_str().expect("a message");
            assert!(message.contains(words), "{case}: {message}");
        }
    }

    #[test]
    fn only_what_passes_is_to_be_tried_again() {
        let header = |fault: Fault| {
            let headers = fault.reply().headers;
            headers.into_iter().find(|header| header.name == "retry-after").map(|header| header.value)
        };
        assert_eq!(header(inference::Error::Overloaded(1500).into()), Some("2".into()));
        assert_eq!(header(Fault::loading("a/1")), Some("5".into()));
        assert_eq!(header(Fault::unknown_model("a/1")), None);
    }

    #[test]
    fn what_does_not_parse_is_told_by_its_place() {
        let cases = [
            (BodyError::missing("image.type"), json!(["body", "image", "type"]), "Field required"),
            (BodyError::missing("image[1].type"), json!(["body", "image", 1, "type"]), "Field required"),
            (
                BodyError::wrong_type("confidence", "must be a number, got a boolean"),
                json!(["body", "confidence"]),
                "Input should be a number, got a boolean",
            ),
        ];
        for (error, place, message) in cases {
            let (status, body) = shown(&error.into());
            assert_eq!((status, &body["detail"][0]["loc"], &body["detail"][0]["msg"]), (422, &place, &json!(message)));
        }
    }

    #[test]
    fn pictures_fail_in_the_words_of_the_original() {
        let why = || "why".to_owned();
        let cases = [
            (media::Error::Empty, "Cause: Empty image payload."),
            (media::Error::Malformed(why()), "Cause: Malformed base64 input image."),
            (media::Error::TooLarge(why()), "Cause: why"),
            (media::Error::Refused(why()), "Cause: why"),
            (media::Error::Unreachable(why()), "Cause: why"),
        ];
        for (error, end) in cases {
            let (status, body) = shown(&of_picture(&error, false, None));
            assert_eq!((status, &body["message"]), (400, &json!(format!("Could not load input image. {end}"))));
        }
        let (_, body) = shown(&of_picture(&media::Error::Empty, false, Some(2)));
        assert!(body["message"].as_str().is_some_and(|message| message.ends_with("(image 2 of the list)")));
    }
}
