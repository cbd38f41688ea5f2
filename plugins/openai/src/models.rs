//! `GET /v1/models` and `GET /v1/models/{model}`.

use mimus_sdk::models::{self, Model, Readiness};
use mimus_sdk::{Request, Response};
use serde::Serialize;

use crate::error::ApiError;

#[derive(Serialize)]
struct Card {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    /// Not OpenAI's, but what local clients look for.
    max_model_len: u32,
}

impl From<Model> for Card {
    fn from(model: Model) -> Self {
        Card {
            id: model.name,
            object: "model",
            created: model.created_s,
            owned_by: "mimus",
            max_model_len: model.context_tokens,
        }
    }
}

/// `GET /v1/models`: the models that answer, now or when they have loaded.
pub(crate) fn list(_: &Request, response: &mut Response) -> Result<(), ApiError> {
    #[derive(Serialize)]
    struct List {
        object: &'static str,
        data: Vec<Card>,
    }
    let usable = models::list().into_iter().filter(|model| model.readiness != Readiness::Failed);
    Ok(response.json(200, &List { object: "list", data: usable.map(Card::from).collect() })?)
}

/// `GET /v1/models/{model}`: the id may hold a slash, written as `%2F` or as it is.
pub(crate) fn retrieve(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let name = request.param("model");
    let model = models::get(name).ok_or_else(|| ApiError::unknown_model(name))?;
    // Under the name that was asked for, which may be an alias.
    Ok(response.json(200, &Card { id: name.to_owned(), ..Card::from(model) })?)
}
