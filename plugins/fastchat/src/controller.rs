//! The controller's paths. The one worker of every model is this server, at the address by which the client reached it.

use mimus_sdk::{Request, Response};
use serde::{Deserialize, Serialize};

use crate::names::{self, Purpose};
use crate::refusal::{Refusal, code};

#[derive(Serialize)]
struct Models {
    models: Vec<String>,
}

/// `POST /list_models` and `POST /list_language_models`.
pub(crate) fn list_models(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &Models { models: names::all().into_iter().map(|(name, _)| name).collect() })?)
}

/// `POST /list_multimodal_models`: no model takes images yet.
pub(crate) fn list_multimodal_models(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &Models { models: Vec::new() })?)
}

/// `POST /get_worker_address`: empty for a model that nobody has.
pub(crate) fn worker_address(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Question {
        model: String,
    }
    #[derive(Serialize)]
    struct Answer {
        address: String,
    }
    let question: Question = request.json()?;
    let head = request.head();
    let address = match names::find(&question.model, Purpose::Text) {
        Ok(_) => format!("{}{}", head.origin, head.mount),
        Err(_) => String::new(),
    };
    Ok(response.json(200, &Answer { address })?)
}

/// `POST /refresh_all_workers`: the list of models is always new.
pub(crate) fn refresh(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &())?)
}

/// `POST /register_worker`. Never: a stranger's worker would be given the prompts of others.
pub(crate) fn refuse_registration(_: &Request, _: &mut Response) -> Result<(), Refusal> {
    let message = "this server does not take workers: what it serves is configured by its operator";
    Err(Refusal::new(code::NO_PERMISSION, message).with_status(403))
}

/// `POST /receive_heart_beat`: from a worker that is not known, as none is.
pub(crate) fn heart_beat(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    #[derive(Serialize)]
    struct Answer {
        exist: bool,
    }
    Ok(response.json(200, &Answer { exist: false })?)
}

/// `GET /test_connection`.
pub(crate) fn test_connection(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &"success")?)
}
