//! The shape of errors: `{"error":{"message","type","param","code"}}`, all four keys always.

use mimus_sdk::{BodyError, BodyErrorKind, DialectError, Reply, WriteError, inference, state};
use serde::Serialize;

pub(crate) const INVALID_REQUEST: &str = "invalid_request_error";
pub(crate) const SERVER_ERROR: &str = "server_error";

/// Seconds that a client is asked to wait for a model that is loading.
const LOADING_RETRY_S: u32 = 5;

/// One error of this API.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    status: u16,
    message: String,
    type_name: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
    retry_after_s: Option<u32>,
}

impl ApiError {
    /// A value that is not accepted.
    pub(crate) fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        ApiError {
            status: 400,
            message: message.into(),
            type_name: INVALID_REQUEST,
            param: Some(param.into()),
            code: Some("invalid_value"),
            retry_after_s: None,
        }
    }

    /// A value that other servers accept and this one cannot serve.
    pub(crate) fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Self {
        ApiError { code: Some("unsupported_value"), ..ApiError::invalid(param, message) }
    }

    pub(crate) fn missing(param: impl Into<String>) -> Self {
        let param = param.into();
        ApiError {
            code: Some("missing_required_parameter"),
            ..ApiError::invalid(param.clone(), format!("`{param}` is required"))
        }
    }

    pub(crate) fn unknown_model(model: &str) -> Self {
        ApiError {
            status: 404,
            code: Some("model_not_found"),
            ..ApiError::invalid("model", format!("The model `{model}` does not exist."))
        }
    }

    /// Something that is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        ApiError { status: 404, code: None, param: None, ..ApiError::invalid("", message) }
    }

    /// The same words as the client's fault.
    pub(crate) fn bad_request(self) -> Self {
        ApiError { status: 400, ..self }
    }

    /// With another code.
    pub(crate) fn with_code(self, code: &'static str) -> Self {
        ApiError { code: Some(code), ..self }
    }

    /// The same error where the API has another name for a field.
    pub(crate) fn renamed(self, from: &str, to: &str) -> Self {
        match self.param.as_deref() {
            Some(param) if param == from => ApiError {
                message: self.message.replace(&format!("`{from}`"), &format!("`{to}`")),
                param: Some(to.into()),
                ..self
            },
            _ => self,
        }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }

    /// What a response object or an event of the responses API says for a code.
    pub(crate) fn response_code(&self) -> &'static str {
        match self.status {
            429 => "rate_limit_exceeded",
            500.. => SERVER_ERROR,
            _ => self.code.unwrap_or("invalid_prompt"),
        }
    }

    pub(crate) fn server(status: u16, message: String) -> Self {
        ApiError { status, message, type_name: SERVER_ERROR, param: None, code: None, retry_after_s: None }
    }

    /// An error of the model, where `input` is the field that holds the prompt.
    pub(crate) fn of_inference(error: inference::Error, input: &str) -> Self {
        let message = error.message();
        match error {
            inference::Error::UnknownModel(model) => ApiError::unknown_model(&model),
            inference::Error::ModelNotReady(_) => {
                ApiError { retry_after_s: Some(LOADING_RETRY_S), ..ApiError::server(503, message) }
            }
            inference::Error::ContextExceeded(_) => {
                ApiError { code: Some("context_length_exceeded"), ..ApiError::invalid(input, message) }
            }
            inference::Error::Invalid(value) => {
                let param = param_of(&value.field, input);
                ApiError::invalid(param, format!("`{param}` {}", value.reason))
            }
            inference::Error::Template(_) => ApiError::invalid(input, message),
            inference::Error::Unsupported(_) => {
                ApiError { param: None, code: Some("unsupported_value"), ..ApiError::invalid("", message) }
            }
            inference::Error::Overloaded(wait_ms) => ApiError {
                status: 429,
                message,
                type_name: "requests",
                param: None,
                code: Some("rate_limit_exceeded"),
                retry_after_s: Some(wait_ms.div_ceil(1000).max(1)),
            },
            inference::Error::Cancelled => ApiError::server(503, message),
            inference::Error::Failed(details) => {
                mimus_sdk::error!("the model failed: {details}");
                ApiError::server(500, message)
            }
        }
    }
}

/// The contract's name of a field in the words of this API.
fn param_of<'a>(field: &'a str, input: &'a str) -> &'a str {
    match field {
        "choices" => "n",
        "tokens-max" => "max_tokens",
        "tokens-min" => "min_tokens",
        "top-p" => "top_p",
        "top-k" => "top_k",
        "min-p" => "min_p",
        "repetition-penalty" => "repetition_penalty",
        "presence-penalty" => "presence_penalty",
        "frequency-penalty" => "frequency_penalty",
        "logit-bias" => "logit_bias",
        "stop-tokens" => "stop_token_ids",
        "logprobs" => "logprobs",
        "constraint" => "response_format",
        "tool-choice" => "tool_choice",
        "inputs" => "input",
        "prompt" | "messages" => input,
        other => other,
    }
}

impl DialectError for ApiError {
    fn reply(&self) -> Reply {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Fields<'a>,
        }
        #[derive(Serialize)]
        struct Fields<'a> {
            message: &'a str,
            #[serde(rename = "type")]
            type_name: &'a str,
            param: Option<&'a str>,
            code: Option<&'a str>,
        }
        let fields =
            Fields { message: &self.message, type_name: self.type_name, param: self.param.as_deref(), code: self.code };
        let reply = Reply::json(self.status, &Body { error: fields });
        match self.retry_after_s {
            Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let code = match error.kind {
            BodyErrorKind::Empty | BodyErrorKind::Syntax => None,
            BodyErrorKind::Missing => Some("missing_required_parameter"),
            BodyErrorKind::Type => Some("invalid_type"),
            BodyErrorKind::Value => Some("invalid_value"),
        };
        let message = error.to_string();
        ApiError { param: error.field, code, ..ApiError::invalid("", message) }
    }
}

/// For errors of a conversation; completions say `prompt` instead.
impl From<inference::Error> for ApiError {
    fn from(error: inference::Error) -> Self {
        ApiError::of_inference(error, "messages")
    }
}

/// Whatever goes wrong with the store is the server's; the details are for the log.
impl From<state::Error> for ApiError {
    fn from(error: state::Error) -> Self {
        mimus_sdk::error!("the store failed: {error:?}");
        ApiError::server(500, "the server's store failed on this request".into())
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        ApiError::server(500, error.to_string())
    }
}
